"""Optimal k-means of weighted numbers."""
