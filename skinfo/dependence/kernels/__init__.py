"""Kernel estimates of joint distributions, and tilts that maximise their ratio."""
