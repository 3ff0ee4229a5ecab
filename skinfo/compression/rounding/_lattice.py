"""Lattice reduction (LLL): integer combinations of rows that are nearly orthogonal.

With one step for all rows, quantised weights are the points of a lattice. Where inputs
are nearly collinear, the best steps of the rows differ much, and rounding row by row
finds points far from the nearest one. In a reduced basis, all rows need about the same
step.
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

# The factor of Lovasz' condition on squared lengths; 1 would give the best basis, and a
# number below it lets the algorithm end in polynomial time.
_LOVASZ = 0.99
_MOST_TIMES = 2.0**40  # ratio of lengths, so that integers stay exact below 2^53


@dataclass(frozen=True, eq=False)
class ReducedLattice:
    """Integers q (d, k) as B z, with a basis B in which errors are fed back.

    `basis` (d, d): B, of integers with determinant 1 or -1. `inverse` (d, d): B^-1,
    also of integers. `feedback`: the factors of B' H B for the metric H.
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

    `start`: the basis of a similar metric, from which fewer steps are needed. Raises
    LinAlgError where the metric is not positive definite, or the scales differ so much
    that the integers would not be exact.

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
    """Subtract from the i-th vector multiples of those before it, in place."""
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
