"""Score functions S_1 to S_4 from the derivatives of a log density.

S_m = (-1)^m grad^m p / p, a symmetric tensor with m axes. With a, B, C, D the first to
fourth derivative of log p:

S_1 = -a,  S_2 = aa + B,  S_3 = -(aaa + 3 sym(aB) + C),
S_4 = aaaa + 6 sym(aaB) + 3 sym(BB) + 4 sym(aC) + D.

For a log density that is quadratic near the point, C = D = 0.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations

import numpy as np

from skinfo._core._typing import FloatArray

ORDERS = (1, 2, 3, 4)  # of the score functions that have a formula here


def score_tensors(gradient: FloatArray, hessian: FloatArray, order: int) -> FloatArray:
    """Return S_order (n, d, ..., d) of a log density that is locally quadratic.

    `gradient` (n, d) and `hessian` (n, d, d) of log p; (1, d, d) where it is the same
    everywhere.
    """
    a, b = gradient, hessian
    if order == 1:
        return -a
    if order == 2:
        return _outer(a, a) + b
    if order == 3:
        return -(_outer(a, a, a) + 3 * _symmetrised(_outer(a, b)))
    return (
        _outer(a, a, a, a)
        + 6 * _symmetrised(_outer(a, a, b))
        + 3 * _symmetrised(_outer(b, b))
    )


def contracted_scores(
    slope: FloatArray, curvature: FloatArray, order: int
) -> FloatArray:
    """Return S_order(v, ..., v) of a log density that is locally quadratic.

    `slope` and `curvature`: a(v) and B(v, v), of shapes that broadcast.
    """
    if order == 1:
        return -slope
    if order == 2:
        return slope**2 + curvature
    if order == 3:
        return -(slope**3 + 3 * slope * curvature)
    return slope**4 + 6 * slope**2 * curvature + 3 * curvature**2


def _outer(*tensors: FloatArray) -> FloatArray:
    """Return the outer product of tensors, sample by sample."""
    result, *others = tensors
    for other in others:
        left = result.reshape(result.shape + (1,) * (other.ndim - 1))
        right = other.reshape(
            other.shape[:1] + (1,) * (result.ndim - 1) + other.shape[1:]
        )
        result = left * right
    return result


def _symmetrised(tensors: FloatArray) -> FloatArray:
    """Return the mean over all permutations of the axes after the first."""
    permuted = list(permutations(range(1, tensors.ndim)))
    total = np.zeros_like(tensors)
    for axes in permuted:
        total += tensors.transpose(0, *axes)
    total /= len(permuted)
    return total


def unpacked(packed: FloatArray, n_columns: int, order: int) -> FloatArray:
    """Return symmetric tensors (n, d, ..., d) from entries with sorted indices.

    `packed` (n, n_entries): in the order of `combinations_with_replacement`.
    """
    shape = (n_columns,) * order
    position = np.empty(shape, dtype=np.int64)
    indices = combinations_with_replacement(range(n_columns), order)
    for number, index in enumerate(indices):
        for permuted in permutations(index):
            position[permuted] = number
    return packed[:, position]
