"""Kernel joints of samples as channels, and tilts of them."""
