"""Weighted k-means of scalars: the codebook with the least squared error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skinfo._core._checks import check_integer, check_same_length
from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.kmeans._optimal_bounds import best_bounds, from_means


@dataclass(frozen=True)
class WeightedKMeansResult:
    """What :func:`weighted_kmeans_1d` returns.

    Attributes
    ----------
    centers : ndarray of shape (n_centers,)
        The centers, ascending.
    labels : ndarray of shape (n_values,)
        The index of the center of each value.
    inertia : float
        The weighted sum of squared distances to the centers.
    """

    centers: FloatArray
    labels: IntArray
    inertia: float


def weighted_kmeans_1d(
    values: ArrayLike, weights: ArrayLike | None, n_clusters: int
) -> WeightedKMeansResult:
    r"""Cluster weighted scalars with the least sum of squared distances.

    The optimum, not a local one, and the same in every run: for up to 3000 distinct
    values by dynamic programming [1]_; for more, very near it.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        The values, in any order.
    weights : array-like of shape (n_values,) or None
        How much the squared error of each value counts, at least 0. None, or 0
        throughout, counts all alike. A value of weight 0 gets the label of the nearest
        center and has no influence.
    n_clusters : int
        The largest number of centers.

    Returns
    -------
    WeightedKMeansResult
        With the attributes

        centers : ndarray of shape (n_centers,)
            The centers, ascending and distinct: `n_clusters`, or as many as there are
            distinct values of positive weight if these are fewer.
        labels : ndarray of shape (n_values,)
            The index of the center of each value.
        inertia : float
            The weighted sum of squared distances to the centers.

    Raises
    ------
    ValueError
        If `values` is empty, not one-dimensional or not finite, `weights` has another
        length, is negative or not finite, or `n_clusters` is below 1.
    TypeError
        If `n_clusters` is no integer, or the data are sparse.

    See Also
    --------
    sklearn.cluster.KMeans : Of vectors, by Lloyd's algorithm, to a local optimum.

    Notes
    -----
    Clusters of sorted values are intervals. With the cost `c(i, j)` of one cluster of
    the values `i` to `j`, the least cost of the first `j` values in `k` clusters is

    .. math::

        D_k(j) = \min_i D_{k-1}(i - 1) + c(i, j),

    and the minimiser does not fall in `j`, so that each `k` takes `n log n` costs.
    They come from means and squared deviations about them, never from differences of
    large squares: distant groups of close values are clustered correctly.

    Beyond 3000 distinct values the same is done on 500 to 2000 cells, which are as
    dense as the cube root of the density; then on candidates around each bound between
    two clusters, and on ever closer ones, until no bound moves. On 100 000 normal,
    Laplace or t-distributed values with 64 clusters the inertia is within 1e-4 of the
    optimum; with few values per cluster it is within some 1e-3.

    References
    ----------
    .. [1] H. Wang, M. Song, "Ckmeans.1d.dp: Optimal k-means Clustering in One Dimension
       by Dynamic Programming", The R Journal 3(2), 2011.

    Examples
    --------
    >>> from skinfo import weighted_kmeans_1d
    >>> result = weighted_kmeans_1d([0.9, 0.1, 1.0, 0.0], [1, 1, 3, 1], 2)
    >>> result.centers
    array([0.05 , 0.975])
    >>> result.labels
    array([1, 0, 1, 0])
    >>> round(result.inertia, 4)
    0.0125
    """
    values = _read_numbers("values", values)
    weights = _read_weights(weights, len(values))
    n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
    unit = _power_of_two(float(weights.max()))
    order = np.argsort(values)
    ascending = values[order]
    points, masses = _gather(ascending, weights[order] / unit)
    if n_clusters >= len(points):
        labels = _label(ascending, order, points, points, points)
        return WeightedKMeansResult(points, labels, 0.0)
    offset, scale = _frame(points)
    scaled = points / scale - offset / scale
    bounds = best_bounds(scaled, masses, n_clusters)
    means, inertia = _summarise(scaled, masses, bounds)
    first, last = points[bounds[:-1]], points[bounds[1:] - 1]
    centers = np.clip(offset + scale * means, first, last)
    labels = _label(ascending, order, centers, first, last)
    return WeightedKMeansResult(centers, labels, inertia * scale * scale * unit)


def _read_numbers(name: str, numbers: ArrayLike) -> FloatArray:
    """Return a vector of finite numbers as floats."""
    if np.ndim(numbers) != 1:
        raise ValueError(
            f"{name} has {np.ndim(numbers)} dimensions and must have 1. "
            f"Pass np.ravel({name})."
        )
    try:
        read: FloatArray = check_array(
            numbers, dtype=np.float64, ensure_2d=False, input_name=name
        )
    except ValueError as error:
        raise ValueError(f"{name} cannot be used. {error}") from error
    return read


def _read_weights(weights: ArrayLike | None, n_values: int) -> FloatArray:
    """Return the weights, or ones if there are none or all are 0."""
    if weights is None:
        return np.ones(n_values)
    read = _read_numbers("weights", weights)
    check_same_length({"values": n_values, "weights": len(read)})
    if read.min() < 0:
        raise ValueError(
            f"weights has the negative entry {float(read.min())!r}. "
            "Pass weights of at least 0."
        )
    return read if read.max() > 0 else np.ones(n_values)


def _gather(values: FloatArray, masses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distinct ascending values of positive mass, and the mass of each.

    The largest of `masses` is about 1; subnormal ones are dropped.
    """
    counted = masses > np.finfo(float).tiny
    values, masses = values[counted], masses[counted]
    starts = np.flatnonzero(np.r_[True, values[1:] > values[:-1]])
    return values[starts], np.add.reduceat(masses, starts)


def _frame(points: FloatArray) -> tuple[float, float]:
    """Return an offset and a scale that bring sorted points into [-4, 4].

    The median becomes 0, and the values around it lose no digits.
    """
    half = float(points[-1]) / 2 - float(points[0]) / 2
    return float(points[len(points) // 2]), _power_of_two(half)


def _power_of_two(size: float) -> float:
    """Return the largest power of 2 that is not above a positive number."""
    return math.ldexp(1.0, math.frexp(size)[1] - 1)


def _label(
    ascending: FloatArray,
    order: IntArray,
    centers: FloatArray,
    first: FloatArray,
    last: FloatArray,
) -> IntArray:
    """Return the index of the nearest center of each value, (n_values,).

    `ascending` is `values[order]`; labels are in the order of `values`. The points from
    `first` to `last` of a cluster keep its center, even if rounding makes another one
    nearer.
    """
    middle = centers[:-1] / 2 + centers[1:] / 2
    between = (last[:-1] <= middle) & (middle < first[1:])
    largest = np.where(between, middle, last[:-1])  # of each cluster but the last
    ends = np.searchsorted(ascending, largest, side="right")
    labels = np.empty(len(order), dtype=np.int64)
    labels[order] = np.repeat(
        np.arange(len(centers)), np.diff(ends, prepend=0, append=len(order))
    )
    return labels


def _summarise(
    points: FloatArray, masses: FloatArray, bounds: IntArray
) -> tuple[FloatArray, float]:
    """Return the means (n_clusters,), and the inertia of all clusters together."""
    means, offsets = from_means(points, masses, bounds)
    starts = bounds[:-1]
    shift = np.add.reduceat(masses * offsets, starts)
    shift /= np.add.reduceat(masses, starts)
    offsets -= np.repeat(shift, np.diff(bounds))
    return means + shift, float(masses @ offsets**2)
