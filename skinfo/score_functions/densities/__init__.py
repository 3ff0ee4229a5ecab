"""Estimators of a density, its score functions and their moments."""
