"""Moments under Gaussian weights by convolution on a grid, for one or two columns.

With f(q) = sum_j exp(-|x_j - q|^2 / 2h^2), the cumulants of the weights around q are
derivatives: mean - q = h^2 grad log f, covariance = h^2 I + h^4 hess log f, and third
central moment = h^6 times the third derivative of log f.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from skinfo._core._typing import FloatArray, IntArray
from skinfo.score_functions._moments import LocalMoments, local_moments, unpacked

_NODES_PER_BANDWIDTH = 8
_MOST_NODES = 1 << 22
_REACH = 8.0  # bandwidths, beyond which weights are below 1e-14
_LEAST_WEIGHT = 50.0  # sum of the weights, below which the grid is not exact enough
_FEWEST_SAMPLES = 20_000
_FEWEST_QUERIES = 1000


def grid_pays(samples: FloatArray, queries: FloatArray, bandwidth: float) -> bool:
    """Return whether the moments around the queries are better found on a grid."""
    n, d = samples.shape
    if d > 2 or n < _FEWEST_SAMPLES or len(queries) < _FEWEST_QUERIES:
        return False
    return bool(np.prod(_shape(samples, bandwidth).astype(float)) <= _MOST_NODES)


def _shape(samples: FloatArray, bandwidth: float) -> IntArray:
    spans = np.ptp(samples, axis=0) / bandwidth + 2 * _REACH
    shape: IntArray = np.ceil(spans * _NODES_PER_BANDWIDTH).astype(np.int64) + 1
    return shape


def grid_moments(
    samples: FloatArray,
    queries: FloatArray,
    bandwidth: float,
    *,
    left_out: IntArray | None = None,
    third: bool = False,
    n_jobs: int | None = None,
) -> LocalMoments:
    """Return the moments around the queries, up to some 1e-4 of their size.

    Where the weights are small they are summed without the grid.
    """
    weight, slopes, curvatures, thirds = _derivatives(
        samples, queries, bandwidth, left_out=left_out is not None, third=third
    )
    sparse = np.flatnonzero(~(weight >= _LEAST_WEIGHT))
    weight[sparse] = 1.0
    a = slopes / weight[:, np.newaxis]
    b = curvatures / weight[:, np.newaxis, np.newaxis]
    squares = a[:, :, np.newaxis] * a[:, np.newaxis]
    h2 = bandwidth**2
    skews = np.empty(0)
    if third:
        mixed = a[:, :, np.newaxis, np.newaxis] * b[:, np.newaxis]
        mixed = mixed + mixed.transpose(0, 2, 1, 3) + mixed.transpose(0, 3, 2, 1)
        cubes = squares[..., np.newaxis] * a[:, np.newaxis, np.newaxis]
        c = thirds / weight[:, np.newaxis, np.newaxis, np.newaxis]
        skews = h2**3 * (c - mixed + 2 * cubes)
    # the sum of the weights is at most their effective number
    moments = LocalMoments(
        h2 * a, h2 * np.eye(samples.shape[1]) + h2**2 * (b - squares), skews, weight
    )
    exact = local_moments(
        samples,
        queries[sparse],
        bandwidth,
        left_out=None if left_out is None else left_out[sparse],
        third=third,
        n_jobs=n_jobs,
    )
    return moments.put(sparse, exact)


def _derivatives(
    samples: FloatArray,
    points: FloatArray,
    bandwidth: float,
    *,
    left_out: bool,
    third: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return f and its derivatives up to the third at points, without own weights."""
    d = points.shape[1]
    spacing = bandwidth / _NODES_PER_BANDWIDTH
    origin = samples.min(axis=0) - _REACH * bandwidth
    counts = _binned((samples - origin) / spacing, _shape(samples, bandwidth))
    # linear binning adds spacing^2 / 6 to the variance, on average
    width = np.sqrt(_NODES_PER_BANDWIDTH**2 - 1 / 6)
    scale = (np.sqrt(2 * np.pi) * width) ** d
    places = ((points - origin) / spacing).T

    def derivative(axes: tuple[int, ...]) -> FloatArray:
        orders = [axes.count(axis) for axis in range(d)]
        field = gaussian_filter(
            counts, width, order=orders, mode="constant", truncate=_REACH
        )
        values: FloatArray = map_coordinates(field, places, order=3, mode="constant")
        values *= scale / spacing ** len(axes)
        return values

    weight = derivative(())
    packed = [
        np.column_stack(
            [
                derivative(axes)
                for axes in combinations_with_replacement(range(d), order)
            ]
        )
        for order in range(1, 4 if third else 3)
    ]
    slopes, curvatures = packed[0], unpacked(packed[1], d, 2)
    thirds = unpacked(packed[2], d, 3) if third else np.empty(0)
    if left_out:
        weight -= 1
        curvatures += np.eye(d) / bandwidth**2
    return weight, slopes, curvatures, thirds


def _binned(places: FloatArray, shape: IntArray) -> FloatArray:
    """Share each sample among the nodes around it, linearly along each axis."""
    corner = np.floor(places).astype(np.int64)
    fraction = places - corner
    table = np.zeros(int(np.prod(shape)))
    for sides in product((0, 1), repeat=len(shape)):
        share = np.prod(np.where(sides, fraction, 1 - fraction), axis=1)
        index = np.ravel_multi_index((corner + np.array(sides)).T, shape)
        table += np.bincount(index, share, minlength=len(table))
    return table.reshape(shape)
