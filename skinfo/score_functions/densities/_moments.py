"""Moments of samples with Gaussian weights around query points.

For every query q and weights w_j proportional to exp(-|x_j - q|^2 / 2h^2): the mean,
the covariance and contractions of the third central moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches

from skinfo._core._parallel import run_tasks
from skinfo._core._typing import FloatArray, IntArray
from skinfo.score_functions.tensors._pointwise import unpacked

# Bytes of a block of weights: bounds the memory of a job. Blocks of 2^19 to 2^28 bytes
# took the same time, up to the noise of the measurement (6000 samples of 5 columns).
_BLOCK_BYTES = 1 << 25


@dataclass(frozen=True)
class LocalMoments:
    """Weighted moments around each query.

    Attributes
    ----------
    offsets : ndarray of shape (n, d)
        The weighted mean of the samples minus the query.
    covariances : ndarray of shape (n, d, d)
        The weighted covariance.
    effective_sizes : ndarray of shape (n,)
        (sum w)^2 / sum w^2.
    size_slopes : ndarray of shape (n, d)
        The derivatives of the logarithm of the effective sizes by the query.
    """

    offsets: FloatArray
    covariances: FloatArray
    effective_sizes: FloatArray
    size_slopes: FloatArray

    def put(self, rows: IntArray, others: LocalMoments) -> None:
        """Replace the moments of the queries in these rows, in place."""
        self.offsets[rows] = others.offsets
        self.covariances[rows] = others.covariances
        self.effective_sizes[rows] = others.effective_sizes
        self.size_slopes[rows] = others.size_slopes


def local_moments(
    samples: FloatArray,
    queries: FloatArray,
    bandwidth: float,
    *,
    left_out: IntArray | None = None,
    n_jobs: int | None = None,
) -> LocalMoments:
    """Return the moments around the queries, in blocks of bounded memory.

    `left_out` (n_queries,): the sample that has no weight for each query.
    """
    monomials = _monomials(samples)

    def block_moments(block: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
        own = None if left_out is None else left_out[block]
        weights = _weights(samples, queries[block], own, bandwidth)
        sums = weights @ monomials
        total = sums[:, :1]
        np.multiply(weights, weights, out=weights)
        squares = weights.sum(axis=1)
        centers = weights @ samples / squares[:, np.newaxis]
        return sums / total, total[:, 0] ** 2 / squares, centers

    results = _in_blocks(block_moments, len(queries), len(samples), n_jobs)
    means, sizes, centers = (
        np.concatenate(part) for part in zip(*results, strict=True)
    )
    d = queries.shape[1]
    first, second = means[:, 1 : 1 + d], unpacked(means[:, 1 + d :], d, 2)
    covariances = second - first[:, :, np.newaxis] * first[:, np.newaxis]
    # w' = w (x_j - q) / h^2, so that log sum w has the slope (mean - q) / h^2
    slopes = 2 * (first - centers) / bandwidth**2
    return LocalMoments(first - queries, covariances, sizes, slopes)


def local_skews(
    samples: FloatArray,
    queries: FloatArray,
    bandwidth: float,
    forms: FloatArray,
    vectors: FloatArray,
    *,
    left_out: IntArray | None = None,
    n_jobs: int | None = None,
) -> FloatArray:
    """Return the weighted mean of (e'Fe)(e'v), e = x - mean, around each query.

    `forms` (n_queries, d, d): F, symmetric; `vectors` (n_queries, d): v.
    """
    monomials = _monomials(samples)
    d = samples.shape[1]
    upper = np.triu_indices(d)
    doubled = np.where(upper[0] == upper[1], 1.0, 2.0)

    def block_skews(block: slice) -> FloatArray:
        own = None if left_out is None else left_out[block]
        weights = _weights(samples, queries[block], own, bandwidth)
        weights /= weights.sum(axis=1, keepdims=True)
        centers, form = weights @ samples, forms[block]
        # e'Fe = m'Fm - 2 m'Fx + x'Fx
        turned = np.einsum("nij,nj->ni", form, centers)
        constant = np.einsum("ni,ni->n", turned, centers)
        coefficients = np.column_stack(
            [constant, -2 * turned, form[:, *upper] * doubled]
        )
        values = coefficients @ monomials.T
        values *= weights
        along = vectors[block] @ samples.T
        along -= np.einsum("ni,ni->n", vectors[block], centers)[:, np.newaxis]
        result: FloatArray = np.einsum("nj,nj->n", values, along)
        return result

    results = _in_blocks(block_skews, len(queries), len(samples), n_jobs)
    return np.concatenate(results)


def _in_blocks(
    call: Callable[[slice], Any], n_queries: int, n_samples: int, n_jobs: int | None
) -> list[Any]:
    """Return the results of a function for blocks of the queries."""
    budget = min(_BLOCK_BYTES, int(get_config()["working_memory"] * 2**20))
    blocks = gen_batches(n_queries, max(1, budget // (8 * n_samples)))
    return run_tasks(call, [(block,) for block in blocks], n_jobs=n_jobs)


def _monomials(samples: FloatArray) -> FloatArray:
    """Return 1, the columns and the products of two columns, (n, n_monomials)."""
    first, second = np.triu_indices(samples.shape[1])
    ones = np.ones((len(samples), 1))
    return np.hstack([ones, samples, samples[:, first] * samples[:, second]])


def _weights(
    samples: FloatArray, points: FloatArray, left_out: IntArray | None, bandwidth: float
) -> FloatArray:
    """Return the weights around each point, scaled to a maximum of 1, (n_points, n)."""
    # log weights up to a constant of each query: x.q / h^2 - |x|^2 / 2h^2
    logs = points @ samples.T
    logs -= 0.5 * np.einsum("ij,ij->i", samples, samples)
    logs /= bandwidth**2
    if left_out is not None:
        logs[np.arange(len(points)), left_out] = -np.inf
    logs -= logs.max(axis=1, keepdims=True)  # or all may underflow
    weights: FloatArray = np.exp(logs, out=logs)
    return weights
