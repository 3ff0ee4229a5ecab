"""Estimators that select features by their dependence with a target."""
