"""Moments with Gaussian weights by convolution on a grid, for one or two columns.

With f(q) = sum_j exp(-|x_j - q|^2 / 2h^2), the cumulants of the weights around q are
derivatives: mean - q = h^2 grad log f, covariance = h^2 I + h^4 hess log f, and third
central moment = h^6 times the third derivative of log f.
"""

from __future__ import annotations

from functools import cached_property
from itertools import combinations_with_replacement, product

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from skinfo._core._typing import FloatArray, IntArray
from skinfo.score_functions.densities._moments import LocalMoments, LocalWeights
from skinfo.score_functions.tensors._pointwise import unpacked

# With 4, 8 and 16 nodes the largest error of the mean was 5e-4, 1e-4 and 4e-5 of the
# bandwidth, in 0.1, 0.3 and 1.4 s (20 000 normal samples of two columns).
_NODES_PER_BANDWIDTH = 8
_MOST_NODES = 1 << 22  # nodes: 32 MiB for each table of floats
_REACH = 8.0  # bandwidths, beyond which weights are below 2e-14
# Sum of the weights, and smallest variance in squared bandwidths: the errors of the
# grid are absolute, and too large a share of smaller ones.
_LEAST_WEIGHT = 50.0
_LEAST_VARIANCE = 0.02
# Bandwidth in standard deviations of a column: for wider ones, h^2 I + h^4 hess log f
# is a difference of large numbers.
_WIDEST = 4.0
# Samples: with 20 000, exact sums take about a hundred times as long as the grid. With
# fewer they are affordable, and preferred.
_FEWEST_SAMPLES = 20_000
# Queries: the grid takes as long as exact sums of some 150 queries of 20 000 samples.
_FEWEST_QUERIES = 1000


def grid_pays(samples: FloatArray, queries: FloatArray, bandwidth: float) -> bool:
    """Return whether a grid is accurate and faster for these queries."""
    n, d = samples.shape
    if d > 2 or n < _FEWEST_SAMPLES or len(queries) < _FEWEST_QUERIES:
        return False
    deviations = samples.std(axis=0)
    if np.any((deviations > 0) & (bandwidth > _WIDEST * deviations)):
        return False
    return bool(np.prod(_sides(samples, bandwidth)) <= _MOST_NODES)


def _sides(samples: FloatArray, bandwidth: float) -> FloatArray:
    """Return the numbers of nodes along the axes, as floats."""
    spans = np.ptp(samples, axis=0) / bandwidth + 2 * _REACH
    sides: FloatArray = np.ceil(spans * _NODES_PER_BANDWIDTH) + 1
    return sides


class GridWeights(LocalWeights):
    """Gaussian weights whose sums are convolutions on a grid.

    Queries for which the grid is too coarse get exact sums.
    """

    def moments(self) -> LocalMoments:
        """Return the moments around the queries, with errors of about 1e-4 bandwidths.

        On the grid, the sum of the weights, a lower bound, takes the place of the
        effective size, with slopes of 0.
        """
        weight, a, _, covariances, sparse = self._ratios()
        offsets = self.bandwidth**2 * a
        moments = LocalMoments(offsets, covariances, weight, np.zeros_like(a))
        if sparse.size > 0:
            moments.put(sparse, self._exact(sparse).moments())
        return moments

    def skews(self, forms: FloatArray, vectors: FloatArray) -> FloatArray:
        """Return the weighted mean of (e'Fe)(e'v), e = x - mean, around each query."""
        weight, a, b, _, sparse = self._ratios()
        c = self._derivatives(3) / weight[:, np.newaxis, np.newaxis, np.newaxis]
        # the third derivative of log f: c - sum of a b over the three pairs + 2 aaa
        form_a = np.einsum("nij,nj->ni", forms, a)
        a_v = np.einsum("ni,ni->n", a, vectors)
        skews: FloatArray = np.einsum("nijk,nij,nk->n", c, forms, vectors)
        skews -= 2 * np.einsum("ni,nij,nj->n", form_a, b, vectors)
        skews -= np.einsum("nij,nij->n", forms, b) * a_v
        skews += 2 * np.einsum("ni,ni->n", form_a, a) * a_v
        skews *= self.bandwidth**6
        if sparse.size > 0:
            skews[sparse] = self._exact(sparse).skews(forms[sparse], vectors[sparse])
        return skews

    def _exact(self, rows: IntArray) -> LocalWeights:
        """Return the weights around some queries, whose sums are exact."""
        left_out = None if self.left_out is None else self.left_out[rows]
        queries = self.queries[rows]
        return LocalWeights(
            self.samples, queries, self.bandwidth, left_out, self.n_jobs
        )

    def _ratios(
        self,
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray]:
        """Return f, grad f / f, hess f / f, the covariances, and the sparse queries.

        The grid is too coarse for the latter: few samples are near, or their covariance
        is small relative to h^2.
        """
        weight = self._along(())
        if self.left_out is not None:
            weight -= 1.0
        first, second = self._derivatives(1), self._derivatives(2)
        few = ~(weight >= _LEAST_WEIGHT)
        weight[few] = 1.0
        a = first / weight[:, np.newaxis]
        b = second / weight[:, np.newaxis, np.newaxis]
        h2 = self.bandwidth**2
        covariances = h2**2 * (b - a[:, :, np.newaxis] * a[:, np.newaxis])
        covariances += h2 * np.eye(self.queries.shape[1])
        varying = np.ptp(self.samples, axis=0) > 0
        block = covariances[:, varying][:, :, varying]
        if block.shape[1] > 0:
            few |= ~(np.linalg.eigvalsh(block)[:, 0] >= _LEAST_VARIANCE * h2)
        return weight, a, b, covariances, np.flatnonzero(few)

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Samples at each node of the grid, and places of the queries there, (d, n)."""
        spacing = self.bandwidth / _NODES_PER_BANDWIDTH
        origin = self.samples.min(axis=0) - _REACH * self.bandwidth
        shape = _sides(self.samples, self.bandwidth).astype(np.int64)
        counts = _binned((self.samples - origin) / spacing, shape)
        return counts, ((self.queries - origin) / spacing).T

    def _derivatives(self, order: int) -> FloatArray:
        """Return the derivatives of f of an order, (n, d, ..., d)."""
        d = self.queries.shape[1]
        axes = combinations_with_replacement(range(d), order)
        result = unpacked(np.column_stack([self._along(i) for i in axes]), d, order)
        # the left-out weight: hess exp(-|x|^2 / 2h^2) = -I / h^2 at 0
        if self.left_out is not None and order == 2:
            result += np.eye(d) / self.bandwidth**2
        return result

    def _along(self, axes: tuple[int, ...]) -> FloatArray:
        """Return the derivative of f along these axes, with all weights, (n,)."""
        counts, places = self._table
        # linear binning adds spacing^2 / 6 to the variance, on average
        width = np.sqrt(_NODES_PER_BANDWIDTH**2 - 1 / 6)
        smooth = gaussian_filter(
            counts,
            width,
            order=[axes.count(axis) for axis in range(counts.ndim)],
            mode="constant",
            truncate=_REACH,
        )
        values: FloatArray = map_coordinates(smooth, places, order=3, mode="constant")
        values *= (np.sqrt(2 * np.pi) * width) ** counts.ndim
        values /= (self.bandwidth / _NODES_PER_BANDWIDTH) ** len(axes)
        return values


def _binned(places: FloatArray, shape: IntArray) -> FloatArray:
    """Distribute each sample over the nodes around it, linearly along each axis."""
    corner = np.floor(places).astype(np.int64)
    fraction = places - corner
    table = np.zeros(int(np.prod(shape)))
    for sides in product((0, 1), repeat=len(shape)):
        share = np.prod(np.where(sides, fraction, 1 - fraction), axis=1)
        index = np.ravel_multi_index((corner + np.array(sides)).T, shape)
        table += np.bincount(index, share, minlength=len(table))
    return table.reshape(shape)
