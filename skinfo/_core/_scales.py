"""Centres and scales of the columns of a matrix."""

from __future__ import annotations

import numpy as np

from skinfo._core._typing import FloatArray

# Range of a column, relative to its largest value, up to which it is constant: what
# adding a few numbers may round to.
_ROUNDING = 16 * np.finfo(np.float64).eps


def centers_and_scales(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the standard deviation of each column.

    For a column that is constant up to rounding, the center is one of its values, as
    its mean need not be exact, and the scale is infinity: standardised values are 0.
    """
    constant = np.ptp(X, axis=0) <= _ROUNDING * np.abs(X).max(axis=0)
    centers = np.where(constant, X[0], X.mean(axis=0))
    return centers, np.where(constant, np.inf, X.std(axis=0))
