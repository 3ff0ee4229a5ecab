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


@dataclass(frozen=True)
class LocalWeights:
    """Gaussian weights of samples (n_samples, d) around queries (n, d).

    `left_out` (n,): the sample that has no weight for each query. Sums over the samples
    are taken in blocks of queries, of bounded memory, in `n_jobs` jobs.
    """

    samples: FloatArray
    queries: FloatArray
    bandwidth: float
    left_out: IntArray | None = None
    n_jobs: int | None = None

    def moments(self) -> LocalMoments:
        """Return the moments around the queries."""
        monomials = _monomials(self.samples)

        def block_moments(block: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
            weights = self._of_block(block)
            sums = weights @ monomials
            total = sums[:, :1]
            np.multiply(weights, weights, out=weights)
            squares = weights.sum(axis=1)
            centers = weights @ self.samples / squares[:, np.newaxis]
            return sums / total, total[:, 0] ** 2 / squares, centers

        means, sizes, centers = (
            np.concatenate(part)
            for part in zip(*self._in_blocks(block_moments), strict=True)
        )
        d = self.queries.shape[1]
        first, second = means[:, 1 : 1 + d], unpacked(means[:, 1 + d :], d, 2)
        covariances = second - first[:, :, np.newaxis] * first[:, np.newaxis]
        # w' = w (x_j - q) / h^2, so that log sum w has the slope (mean - q) / h^2
        slopes = 2 * (first - centers) / self.bandwidth**2
        return LocalMoments(first - self.queries, covariances, sizes, slopes)

    def skews(self, forms: FloatArray, vectors: FloatArray) -> FloatArray:
        """Return the weighted mean of (e'Fe)(e'v), e = x - mean, around each query.

        `forms` (n, d, d): F, symmetric; `vectors` (n, d): v.
        """
        monomials = _monomials(self.samples)
        upper = np.triu_indices(self.samples.shape[1])
        doubled = np.where(upper[0] == upper[1], 1.0, 2.0)

        def block_skews(block: slice) -> FloatArray:
            weights = self._of_block(block)
            weights /= weights.sum(axis=1, keepdims=True)
            centers, form = weights @ self.samples, forms[block]
            # e'Fe = m'Fm - 2 m'Fx + x'Fx
            turned = np.einsum("nij,nj->ni", form, centers)
            constant = np.einsum("ni,ni->n", turned, centers)
            coefficients = np.column_stack(
                [constant, -2 * turned, form[:, *upper] * doubled]
            )
            values = coefficients @ monomials.T
            values *= weights
            along = vectors[block] @ self.samples.T
            along -= np.einsum("ni,ni->n", vectors[block], centers)[:, np.newaxis]
            result: FloatArray = np.einsum("nj,nj->n", values, along)
            return result

        return np.concatenate(self._in_blocks(block_skews))

    def _in_blocks(self, call: Callable[[slice], Any]) -> list[Any]:
        """Return the results of a function for blocks of the queries."""
        budget = min(_BLOCK_BYTES, int(get_config()["working_memory"] * 2**20))
        n_rows = max(1, budget // (8 * len(self.samples)))
        blocks = gen_batches(len(self.queries), n_rows)
        return run_tasks(call, [(block,) for block in blocks], n_jobs=self.n_jobs)

    def _of_block(self, block: slice) -> FloatArray:
        """Return the weights around some queries, of maximum 1, (n, n_samples)."""
        queries = self.queries[block]
        # log weights up to a constant of each query: x.q / h^2 - |x|^2 / 2h^2
        logs = queries @ self.samples.T
        logs -= 0.5 * np.einsum("ij,ij->i", self.samples, self.samples)
        logs /= self.bandwidth**2
        if self.left_out is not None:
            logs[np.arange(len(queries)), self.left_out[block]] = -np.inf
        logs -= logs.max(axis=1, keepdims=True)  # or all may underflow
        weights: FloatArray = np.exp(logs, out=logs)
        return weights


def _monomials(samples: FloatArray) -> FloatArray:
    """Return 1, the columns and the products of two columns, (n, n_monomials)."""
    first, second = np.triu_indices(samples.shape[1])
    ones = np.ones((len(samples), 1))
    return np.hstack([ones, samples, samples[:, first] * samples[:, second]])
