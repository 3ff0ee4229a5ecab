"""Lattice reduction: integer combinations of rows that are nearly orthogonal.

Equal steps make a lattice of the weights. Where inputs are nearly collinear, rounding
row by row finds poor points of it: the last rows have to be as fine as the first would
need. In a reduced basis, all rows need about the same step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cholesky

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.rounding._feedback import (
    LARGEST_CODE,
    FeedbackFactors,
    feedback_factors,
    round_with_feedback,
)

_LOVASZ = 0.99  # how far the squared lengths may fall from one vector to the next
_MOST_TIMES = 2.0**40  # one vector may be as long as another, so that rounding is small


@dataclass(frozen=True, eq=False)
class ReducedLattice:
    """Integers q (d, k) as B z, with a basis B in which errors are fed back.

    `basis` (d, d): B, of integers with determinant 1 or -1. `inverse` (d, d): B^-1,
    also of integers. `feedback`: of B' H B for the metric H.
    """

    basis: FloatArray
    inverse: FloatArray
    feedback: FeedbackFactors

    def rounded(self, weights: FloatArray, step: float) -> IntArray:
        """Return the codes (d, k) of weights, all with the same step."""
        coordinates = round_with_feedback(
            self.inverse @ weights, self.feedback, step, rdo_lambda=0.0, exponents=None
        )
        codes = self.basis @ coordinates
        return np.clip(codes, -LARGEST_CODE, LARGEST_CODE).astype(np.int64)


def reduce_lattice(
    metric: FloatArray, start: ReducedLattice | None = None
) -> ReducedLattice:
    """Return a basis of integers, short and nearly orthogonal in a metric (d, d).

    `start`: that of a metric like this one, which makes it quicker. Raises LinAlgError
    where the metric is not positive definite, or so unequal that rounding errors would
    count.

    References
    ----------
    A. K. Lenstra, H. W. Lenstra, L. Lovasz, "Factoring polynomials with rational
    coefficients", Mathematische Annalen 261, 515-534, 1982.
    """
    d = len(metric)
    # the columns of R are the vectors, turned so that the first i lie in i dimensions
    R: FloatArray = cholesky(metric)
    lengths = np.diag(R)
    if lengths.max() > _MOST_TIMES * lengths.min():
        raise LinAlgError("The scales of the metric differ too much.")
    basis, inverse = np.eye(d), np.eye(d)
    if start is not None:
        basis, inverse = start.basis[:, ::-1].copy(), start.inverse[::-1].copy()
        R = np.asarray(np.linalg.qr(R @ basis, mode="r"))
    i = 1
    while i < d:
        _make_short(i, R, basis, inverse)
        # Lovasz: what b_i is outside of b_0 to b_i-2, beside what b_i-1 is there
        if R[i - 1, i] ** 2 + R[i, i] ** 2 >= _LOVASZ * R[i - 1, i - 1] ** 2:
            i += 1
            continue
        _swap(i, R, basis, inverse)
        i = max(i - 1, 1)
    # feedback starts with what is last here
    basis, inverse, vectors = basis[:, ::-1], inverse[::-1], R[:, ::-1]
    return ReducedLattice(basis, inverse, feedback_factors(vectors.T @ vectors))


def _make_short(i: int, R: FloatArray, basis: FloatArray, inverse: FloatArray) -> None:
    """Take multiples of the vectors before it from the i-th, in place."""
    for j in range(i - 1, -1, -1):
        times = np.rint(R[j, i] / R[j, j])
        if times != 0:
            R[: j + 1, i] -= times * R[: j + 1, j]
            basis[:, i] -= times * basis[:, j]
            inverse[j] += times * inverse[i]


def _swap(i: int, R: FloatArray, basis: FloatArray, inverse: FloatArray) -> None:
    """Exchange the i-th vector with that before it, in place; R stays triangular."""
    pair, turned = [i - 1, i], [i, i - 1]
    R[:, pair], basis[:, pair] = R[:, turned], basis[:, turned]
    inverse[pair] = inverse[turned]
    along, across = R[pair, i - 1]
    length = np.hypot(along, across)
    rotation = np.array([[along, across], [-across, along]]) / length
    R[pair, i - 1 :] = rotation @ R[pair, i - 1 :]
    R[i, i - 1] = 0
