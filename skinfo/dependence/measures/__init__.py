"""Measures of dependence: one class each, and their names."""
