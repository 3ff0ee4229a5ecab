"""Configuration of pytest for the whole repository."""

import os

# Before NumPy is imported: for small matrices, threads cost more than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib as mpl

mpl.use("Agg")  # tests and doctests draw without a screen
