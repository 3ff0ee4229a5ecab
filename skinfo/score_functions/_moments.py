"""Moments of samples under Gaussian weights around query points.

With weights w_j proportional to exp(-|x_j - q|^2 / 2h^2): the mean, the covariance and
the third central moment that they give, for every query q.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._typing import FloatArray, IntArray

_BLOCK_BYTES = 1 << 25  # of one block of weights, so that it stays in the cache


@dataclass(frozen=True)
class LocalMoments:
    """What the weights give around each query.

    Attributes
    ----------
    offsets : ndarray of shape (n, d)
        The weighted mean of the samples minus the query.
    covariances : ndarray of shape (n, d, d)
        The weighted covariance.
    skews : ndarray of shape (n, d, d, d)
        The third central moment; empty where it was not asked for.
    effective_sizes : ndarray of shape (n,)
        (sum w)^2 / sum w^2.
    """

    offsets: FloatArray
    covariances: FloatArray
    skews: FloatArray
    effective_sizes: FloatArray

    def put(self, rows: IntArray, others: LocalMoments) -> LocalMoments:
        """Replace the moments of these queries, in place."""
        self.offsets[rows] = others.offsets
        self.covariances[rows] = others.covariances
        self.effective_sizes[rows] = others.effective_sizes
        if self.skews.size > 0:
            self.skews[rows] = others.skews
        return self


def local_moments(
    samples: FloatArray,
    queries: FloatArray,
    bandwidth: float,
    *,
    left_out: IntArray | None = None,
    third: bool = False,
    n_jobs: int | None = None,
) -> LocalMoments:
    """Return the moments around the queries, in blocks of bounded memory.

    `left_out` (n_queries,): the sample that does not count for each query.
    """
    monomials = _monomials(samples, 3 if third else 2)
    results = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_block_moments)(
            samples,
            monomials,
            queries[block],
            None if left_out is None else left_out[block],
            bandwidth,
        )
        for block in gen_batches(len(queries), _rows_per_block(len(samples)))
    )
    means, sizes = (np.concatenate(parts) for parts in zip(*results, strict=True))
    return _central_moments(means, queries, sizes, third=third)


def _rows_per_block(n_samples: int) -> int:
    budget = min(_BLOCK_BYTES, int(get_config()["working_memory"] * 2**20))
    return max(1, budget // (8 * n_samples))


def _monomials(samples: FloatArray, degree: int) -> FloatArray:
    """Return the products of up to `degree` columns, 1 first, (n, n_monomials)."""
    columns = [np.ones(len(samples))]
    for order in range(1, degree + 1):
        columns += [
            np.prod(samples[:, indices], axis=1)
            for indices in combinations_with_replacement(range(samples.shape[1]), order)
        ]
    return np.column_stack(columns)


def _block_moments(
    samples: FloatArray,
    monomials: FloatArray,
    points: FloatArray,
    left_out: IntArray | None,
    bandwidth: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the weighted means of the monomials, and the effective sizes."""
    # log weights up to a constant of each query: x.q / h^2 - |x|^2 / 2h^2
    logs = points @ samples.T
    logs -= 0.5 * np.einsum("ij,ij->i", samples, samples)
    logs /= bandwidth**2
    if left_out is not None:
        logs[np.arange(len(points)), left_out] = -np.inf
    logs -= logs.max(axis=1, keepdims=True)  # however far the query is
    weights = np.exp(logs, out=logs)
    sums = weights @ monomials
    squares = np.einsum("ij,ij->i", weights, weights)
    return sums / sums[:, :1], sums[:, 0] ** 2 / squares


def _central_moments(
    means: FloatArray, queries: FloatArray, sizes: FloatArray, *, third: bool
) -> LocalMoments:
    """Turn weighted means of monomials (n, n_monomials) into central moments."""
    d = queries.shape[1]
    centers = means[:, 1 : 1 + d]
    second = unpacked(means[:, 1 + d :], d, 2)
    squares = centers[:, :, np.newaxis] * centers[:, np.newaxis]
    covariances = second - squares
    skews = np.empty(0)
    if third:
        # E xyz - sum of m E xy over the three pairs + 2 mmm
        n_second = d * (d + 1) // 2
        skews = unpacked(means[:, 1 + d + n_second :], d, 3)
        product = centers[:, :, np.newaxis, np.newaxis] * second[:, np.newaxis]
        skews -= product
        skews -= product.transpose(0, 2, 1, 3)
        skews -= product.transpose(0, 3, 2, 1)
        skews += 2 * squares[..., np.newaxis] * centers[:, np.newaxis, np.newaxis]
    return LocalMoments(centers - queries, covariances, skews, sizes)


def unpacked(packed: FloatArray, n_columns: int, order: int) -> FloatArray:
    """Return symmetric tensors from their entries with indices that do not fall."""
    shape = (n_columns,) * order
    position = np.empty(shape, dtype=np.int64)
    indices = combinations_with_replacement(range(n_columns), order)
    for number, index in enumerate(indices):
        for permuted in permutations(index):
            position[permuted] = number
    return packed[:, position]
