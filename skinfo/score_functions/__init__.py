"""Derivatives of log densities, and learning with them."""
