"""Centres and scales of the columns of a matrix."""

from __future__ import annotations

import numpy as np

from skinfo._core._typing import FloatArray

_ROUNDING = 16 * np.finfo(np.float64).eps  # of the largest value of a column


def centers_and_scales(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the standard deviation of each column.

    Of a column that is constant but for rounding: a value of it, as its mean is not
    always exact, and infinity, so that it is 0 in units of its scale.
    """
    constant = np.ptp(X, axis=0) <= _ROUNDING * np.abs(X).max(axis=0)
    centers = np.where(constant, X[0], X.mean(axis=0))
    return centers, np.where(constant, np.inf, X.std(axis=0))
