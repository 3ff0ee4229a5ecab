"""Fitted models of scikit-learn as stacks of affine layers."""
