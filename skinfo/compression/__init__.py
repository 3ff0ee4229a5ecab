"""Fitted models in fewer bits."""
