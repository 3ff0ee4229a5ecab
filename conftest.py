"""Configuration of pytest for the whole repository."""

import matplotlib as mpl

mpl.use("Agg")  # tests and doctests draw without a screen
