"""The distortion of predictions, its derivatives, and the Gaussian bounds."""
