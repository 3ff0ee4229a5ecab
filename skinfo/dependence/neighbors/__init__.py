"""Nearest neighbours, counts and the terms of mutual information."""
