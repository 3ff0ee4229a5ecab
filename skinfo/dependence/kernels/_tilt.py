"""Tilts evaluated on new samples, and the ratio of divergences they reach there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax, xlogy
from sklearn.utils import gen_batches

from skinfo._core._columns import Column
from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.kernels._cells import gather
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.variables._encoding import NominalLevels, NumericLevels
from skinfo.dependence.variables._new_samples import NewSamples

_DISTANCES_PER_BATCH = 1 << 20  # 8 MiB
# Precision of the kernel, in 1 / bandwidth^2: 4 means half the bandwidth, as tilts are
# smooth already.
_PRECISION = 4.0
_SMALLEST_WEIGHT_OF_OTHERS = 1e-10  # kernel weight; below, a difference is rounding
_SMALLEST_DIVERGENCE = 1e-9  # nats; a constant tilt scores 0 instead of 0 / 0
_SMALLEST_REGRESSION = 1e-8  # of a tilt of mean 1; so log q is at least -18.4


@dataclass(frozen=True)
class CellTilt:
    """A tilt given at the cells of a random vector.

    `points` (n_cells, n_coordinates) in bandwidths, sorted if there is one coordinate;
    `groups`, `counts`, `tilt` (n_cells,).
    """

    points: FloatArray
    groups: IntArray
    counts: IntArray
    tilt: FloatArray

    def at(self, points: FloatArray, groups: IntArray) -> FloatArray:
        """Return the tilt at new points, (n,); 1 in groups that have no cell."""
        result = np.ones(len(groups))
        by_group = np.argsort(groups, kind="stable")
        for rows in np.split(by_group, np.flatnonzero(np.diff(groups[by_group])) + 1):
            cells = np.flatnonzero(np.isin(self.groups, groups[rows[:1]]))
            if len(cells) > 0:
                result[rows] = self._interpolate(points[rows], cells)
        return result

    def _interpolate(self, points: FloatArray, cells: IntArray) -> FloatArray:
        """Return the tilt at points, (n,), from the cells of their group."""
        known, tilt = self.points[cells], self.tilt[cells]
        n_coordinates = points.shape[1]
        if n_coordinates == 0:
            return np.full(len(points), tilt[0])
        if n_coordinates == 1:
            return np.interp(points[:, 0], known[:, 0], tilt)
        # Nadaraya-Watson regression, with half the bandwidth
        log_counts = np.log(self.counts[cells])
        result = np.empty(len(points))
        batch_size = max(1, _DISTANCES_PER_BATCH // len(cells))
        for batch in gen_batches(len(points), batch_size):
            squared = cdist(points[batch], known, "sqeuclidean")
            weights = softmax(log_counts - 0.5 * _PRECISION * squared, axis=1)
            result[batch] = weights @ tilt
        return result


def cell_tilt(vector: KernelVector, tilt: FloatArray) -> CellTilt:
    """Return a tilt (n_cells,) together with the cells of the vector."""
    cells = vector.cells
    return CellTilt(cells.points, cells.groups, cells.counts, tilt)


@dataclass(frozen=True)
class ColumnTilt:
    """The tilt of one column, stored without its samples.

    `fitted`: the column without rows. `levels`: of a numeric column, the smallest and
    the largest. `groups` (n_levels,): the group of each level of a nominal column.
    """

    fitted: Column
    levels: NumericLevels | NominalLevels
    groups: IntArray
    bandwidth: float
    tilt: CellTilt

    def at(self, column: Column) -> FloatArray:
        """Return the tilt at new samples of the column; 1 for unseen categories."""
        values = column.like(self.fitted).values
        if isinstance(self.levels, NumericLevels):
            points = self.levels.coordinates_of(values)[:, np.newaxis] / self.bandwidth
            return self.tilt.at(points, np.zeros(len(values), dtype=np.int64))
        codes = self.levels.codes_of(values)
        groups = np.where(codes < 0, -1, self.groups[codes])
        return self.tilt.at(np.empty((len(values), 0)), groups)


def column_tilt(vector: KernelVector, tilt: FloatArray) -> ColumnTilt:
    """Return a tilt (n_cells,) of a vector of one column, to be stored."""
    (column,), (encoded,) = vector.schema.columns, vector.training.columns
    levels = encoded.levels
    if isinstance(levels, NumericLevels):
        ends = [0, -1]  # enough, as the standard scale is linear
        levels = NumericLevels(levels.values[ends], levels.coordinates[ends])
        groups = np.zeros(1, dtype=np.int64)
    else:
        groups = np.empty(len(levels), dtype=np.int64)
        groups[encoded.codes] = vector.cells.groups[vector.cells.codes]
    return ColumnTilt(column, levels, groups, vector.bandwidth, cell_tilt(vector, tilt))


def tilt_at(vector: KernelVector, tilt: FloatArray, new: NewSamples) -> FloatArray:
    """Return a tilt (n_cells,) evaluated at new samples of the vector, (n,)."""
    variable = vector.training.variable
    merged = np.empty(variable.n_groups, dtype=np.int64)
    merged[variable.groups[variable.codes]] = vector.cells.groups[vector.cells.codes]
    groups = np.where(new.groups < 0, -1, merged[new.groups])
    return cell_tilt(vector, tilt).at(new.points / vector.bandwidth, groups)


def held_out_ratio(
    weights: FloatArray, response: NewSamples, bandwidth: float
) -> float:
    """Return [mean(w log q) - log mean q] / mean(w log w) on new samples.

    `weights` (n,): the tilt w of the driver at the new samples, scaled to mean 1 here.
    q_i is the kernel regression of w on the response, without sample i. For any fixed q
    the numerator estimates a lower bound of D(r_y || p_y) (Donsker-Varadhan).
    """
    mean = weights.mean()
    if mean == 0:
        return 0.0
    w = weights / mean
    q = _leave_one_out_regression(w, response, bandwidth)
    bound = np.mean(xlogy(w, q)) - np.log(np.mean(q))
    return float(bound / max(np.mean(xlogy(w, w)), _SMALLEST_DIVERGENCE))


def _leave_one_out_regression(
    weights: FloatArray, response: NewSamples, bandwidth: float
) -> FloatArray:
    """Return the kernel regression of weights (n,) on the response, leaving one out."""
    cells = gather(
        response.groups + 1,  # unseen categories are -1
        response.points / bandwidth,
        np.ones(len(weights), dtype=np.int64),
    )
    sums = np.bincount(cells.codes, weights, minlength=len(cells))
    kernel = cells.kernel()
    totals = cells.counts.astype(float)
    if kernel is not None:
        sums, totals = kernel @ sums, kernel @ totals
    others = totals[cells.codes] - 1
    enough = others > _SMALLEST_WEIGHT_OF_OTHERS
    result = np.ones(len(weights))
    result[enough] = (sums[cells.codes] - weights)[enough] / others[enough]
    return np.maximum(result, _SMALLEST_REGRESSION)
