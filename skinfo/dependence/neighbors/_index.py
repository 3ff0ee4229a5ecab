"""Nearest neighbours and counts within a radius, exact where distances tie.

The distance between two rows is the largest difference over their coordinates
(Chebyshev), and infinite where their groups differ. Each index answers two
questions about the samples of a `Variable`, in which duplicate rows count as often
as they occur: how far is the n-th nearest sample, and how many are within a radius.
All comparisons use the same floating-point differences, never a sum `x + radius`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from scipy.spatial import KDTree
from sklearn.neighbors import KDTree as CountingTree

from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo.dependence.variables._variable import Variable

# Number of differences up to which brute force is faster than a tree.
_FEW_DIFFERENCES = 200_000

_Difference: TypeAlias = Callable[[IntArray, IntArray | slice], FloatArray]


class NeighborIndex(Protocol):
    """What can be asked about the samples of a variable."""

    def visiting_order(self) -> IntArray:
        """Return all rows in an order that keeps close rows together."""

    def nth_distance(
        self, points: FloatArray, groups: IntArray, n: int
    ) -> tuple[FloatArray, IntArray]:
        """Return the distance to the n-th nearest sample and the n that was reached.

        Where a group has fewer than `n` samples, it is the farthest of them.
        """

    def counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """Return the numbers of samples nearer than, and not farther than, a radius."""

    def closed_counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> IntArray:
        """Return the number of samples not farther than a radius."""


def build_index(variable: Variable, spacing: float) -> NeighborIndex:
    """Choose the index for the number of coordinates.

    `spacing` must exceed every radius that will be asked for.
    """
    if variable.n_coordinates == 0:
        return GroupIndex(variable)
    if variable.n_coordinates == 1:
        return LineIndex(variable)
    return TreeIndex(variable, spacing)


def group_spacing(*variables: Variable) -> float:
    """Return a power of two larger than any distance between their points."""
    spans = [np.ptp(v.points, axis=0).max() for v in variables if v.n_coordinates]
    return float(np.ldexp(1.0, np.frexp(max(spans, default=1.0))[1] + 1))


class GroupIndex:
    """No coordinates: samples of the same group coincide."""

    def __init__(self, variable: Variable) -> None:
        self._sizes = np.bincount(
            variable.groups, weights=variable.counts, minlength=variable.n_groups
        ).astype(np.int64)
        self._n_rows = variable.n_rows

    def visiting_order(self) -> IntArray:
        return np.arange(self._n_rows)

    def nth_distance(
        self, points: FloatArray, groups: IntArray, n: int
    ) -> tuple[FloatArray, IntArray]:
        return np.zeros(len(groups)), np.minimum(n, self._sizes[groups])

    def counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        sizes = self._sizes[groups]
        return np.where(radius > 0, sizes, 0), sizes

    def closed_counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> IntArray:
        return self._sizes[groups]


class LineIndex:
    """One coordinate: samples sorted by group, then by coordinate."""

    def __init__(self, variable: Variable) -> None:
        self._variable = variable
        self._cumulative_counts = np.concatenate([[0], np.cumsum(variable.counts)])
        levels = variable.points[:, 0]
        self._keys: IntArray | None = None
        if variable.n_groups > 1:
            levels, level_of_row = np.unique(levels, return_inverse=True)
            self._keys = variable.groups * (len(levels) + 1) + level_of_row
        # infinite ends stop every edge that moves
        self._padded_levels = np.concatenate([[-np.inf], levels, [np.inf]])
        self._levels = self._padded_levels[1:-1]

    @cached_property
    def _samples(self) -> FloatArray:
        """The coordinates of all samples, in the order of the rows."""
        return np.repeat(self._variable.points[:, 0], self._variable.counts)

    @cached_property
    def _group_edges(self) -> IntArray:
        """Where the samples of each group begin, and where the last ones end."""
        groups = np.arange(self._variable.n_groups + 1)
        edges: IntArray = self._cumulative_counts[
            np.searchsorted(self._variable.groups, groups)
        ]
        return edges

    def visiting_order(self) -> IntArray:
        return np.arange(self._variable.n_rows)

    def nth_distance(
        self, points: FloatArray, groups: IntArray, n: int
    ) -> tuple[FloatArray, IntArray]:
        # the n nearest samples are consecutive: try every window round the point
        center = points[:, 0]
        start, stop = self._group_edges[groups], self._group_edges[groups + 1]
        reached = np.minimum(n, stop - start)
        position = self._samples_before(np.searchsorted(self._levels, center), groups)
        distance = np.full(center.shape, np.inf)
        for shift in range(n + 1):
            first = np.clip(position - shift, start, stop - reached)
            last = first + reached - 1
            width = np.maximum(
                center - self._samples[first], self._samples[last] - center
            )
            np.minimum(distance, width, out=distance)
        return distance, reached

    def counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        lower, upper = self._closed_edges(points[:, 0], radius)
        closed = self._samples_between(lower, upper, groups)
        below, above = self._differences(points[:, 0])
        _move(lower, +1, lambda edge, at: below(edge, at) >= radius[at])
        _move(upper, -1, lambda edge, at: above(edge - 1, at) >= radius[at])
        strict = self._samples_between(lower, np.maximum(lower, upper), groups)
        return strict, closed

    def closed_counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> IntArray:
        lower, upper = self._closed_edges(points[:, 0], radius)
        return self._samples_between(lower, upper, groups)

    def _closed_edges(
        self, center: FloatArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """Return the half-open range of levels not farther than the radius."""
        lower = np.searchsorted(self._levels, center - radius, side="left")
        upper = np.searchsorted(self._levels, center + radius, side="right")
        # center -+ radius is rounded: move the edges until the differences agree
        below, above = self._differences(center)
        _move(lower, -1, lambda edge, at: below(edge - 1, at) <= radius[at])
        _move(lower, +1, lambda edge, at: below(edge, at) > radius[at])
        _move(upper, +1, lambda edge, at: above(edge, at) <= radius[at])
        _move(upper, -1, lambda edge, at: above(edge - 1, at) > radius[at])
        return lower, upper

    def _differences(self, center: FloatArray) -> tuple[_Difference, _Difference]:
        """Return functions for center - level and level - center."""

        def below(level: IntArray, at: IntArray | slice) -> FloatArray:
            result: FloatArray = center[at] - self._padded_levels[level + 1]
            return result

        def above(level: IntArray, at: IntArray | slice) -> FloatArray:
            result: FloatArray = self._padded_levels[level + 1] - center[at]
            return result

        return below, above

    def _samples_between(
        self, lower: IntArray, upper: IntArray, groups: IntArray
    ) -> IntArray:
        before = self._samples_before
        return before(upper, groups) - before(lower, groups)

    def _samples_before(self, level: IntArray, groups: IntArray) -> IntArray:
        """Count samples of earlier groups, and of this group below the level."""
        if self._keys is not None:
            level = np.searchsorted(
                self._keys, groups * (len(self._levels) + 1) + level
            )
        return self._cumulative_counts[level]


def _move(
    edges: IntArray,
    step: int,
    misplaced: Callable[[IntArray, IntArray | slice], BoolArray],
) -> None:
    """Move edges, in place, by one step for as long as they are misplaced."""
    at = np.flatnonzero(misplaced(edges, slice(None)))
    while len(at):
        edges[at] += step
        at = at[misplaced(edges[at], at)]


class TreeIndex:
    """Several coordinates: kd-trees over distinct rows, groups set far apart."""

    def __init__(self, variable: Variable, spacing: float) -> None:
        self._spacing = spacing
        self._has_groups = variable.n_groups > 1
        self._rows = self._place(variable.points, variable.groups)
        self._counts = variable.counts
        self._has_duplicates = variable.n_rows < variable.n_samples

    def _place(self, points: FloatArray, groups: IntArray) -> FloatArray:
        if not self._has_groups:
            return np.ascontiguousarray(points)
        return np.column_stack([points, groups * self._spacing])

    @cached_property
    def _neighbor_tree(self) -> KDTree:
        return KDTree(self._rows, leafsize=12, balanced_tree=False, compact_nodes=False)

    @cached_property
    def _counting_trees(self) -> list[tuple[int, CountingTree]]:
        """One tree for each bit of the counts: rows in it count bit times."""
        bits = 1 << np.arange(int(self._counts.max()).bit_length())
        members = [(int(bit), self._rows[(self._counts & bit) > 0]) for bit in bits]
        return [
            (bit, CountingTree(rows, metric="chebyshev"))
            for bit, rows in members
            if len(rows)
        ]

    def visiting_order(self) -> IntArray:
        return np.asarray(self._neighbor_tree.indices)

    def nth_distance(
        self, points: FloatArray, groups: IntArray, n: int
    ) -> tuple[FloatArray, IntArray]:
        rows = self._place(points, groups)
        if not (self._has_groups or self._has_duplicates):
            reached = min(n, len(self._rows))
            distances, _ = self._query(rows, np.array([reached]))
            return distances[:, 0], np.full(len(rows), reached)
        nearest = np.arange(1, min(n, len(self._rows)) + 1)
        distances, neighbors = self._query(rows, nearest)
        counts = self._counts[neighbors]
        counts[distances >= self._spacing] = 0  # of other groups
        within = np.cumsum(counts, axis=1)
        reached = np.minimum(within[:, -1], n)
        column = np.argmax(within >= reached[:, np.newaxis], axis=1)
        return distances[np.arange(len(rows)), column], reached

    def _query(self, rows: FloatArray, which: IntArray) -> tuple[FloatArray, IntArray]:
        """Return distances to, and rows of, these nearest neighbours of each row."""
        distances, neighbors = self._neighbor_tree.query(rows, k=which, p=np.inf)
        return np.asarray(distances), np.asarray(neighbors)

    def counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        # distances below the radius are at most the number before it
        strict = self.closed_counts(points, groups, np.nextafter(radius, -np.inf))
        return strict, self.closed_counts(points, groups, radius)

    def closed_counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> IntArray:
        rows = self._place(points, groups)
        total = np.zeros(len(rows), dtype=np.int64)
        if len(rows) == 0:
            return total
        if rows.size * len(self._rows) <= _FEW_DIFFERENCES:
            inside = np.ones((len(rows), len(self._rows)), dtype=bool)
            for mine, all_of_them in zip(rows.T, self._rows.T, strict=True):
                inside &= (
                    np.abs(mine[:, np.newaxis] - all_of_them) <= radius[:, np.newaxis]
                )
            return np.asarray(inside @ self._counts)
        for bit, tree in self._counting_trees:
            total += bit * tree.query_radius(rows, radius, count_only=True)
        return total


class SideBySideIndex:
    """Several indices as one: group g of index i is group i * n_groups + g.

    Points are asked about in the order of the indices.
    """

    def __init__(
        self, indices: Sequence[NeighborIndex], *, n_rows: Sequence[int], n_groups: int
    ) -> None:
        self._indices = indices
        self._first_rows = np.cumsum([0, *n_rows[:-1]])
        self._n_groups = n_groups

    def _parts(self, groups: IntArray) -> Iterator[tuple[NeighborIndex, slice, int]]:
        """Yield each index, its part of the points, and its first group."""
        first_groups = np.arange(len(self._indices) + 1) * self._n_groups
        edges = np.searchsorted(groups // self._n_groups * self._n_groups, first_groups)
        for i, index in enumerate(self._indices):
            yield index, slice(edges[i], edges[i + 1]), int(first_groups[i])

    def visiting_order(self) -> IntArray:
        orders = [index.visiting_order() for index in self._indices]
        starts = zip(self._first_rows, orders, strict=True)
        return np.concatenate([first + order for first, order in starts])

    def nth_distance(
        self, points: FloatArray, groups: IntArray, n: int
    ) -> tuple[FloatArray, IntArray]:
        results = [
            index.nth_distance(points[part], groups[part] - first, n)
            for index, part, first in self._parts(groups)
        ]
        distances, reached = zip(*results, strict=True)
        return np.concatenate(distances), np.concatenate(reached)

    def counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> tuple[IntArray, IntArray]:
        results = [
            index.counts(points[part], groups[part] - first, radius[part])
            for index, part, first in self._parts(groups)
        ]
        strict, closed = zip(*results, strict=True)
        return np.concatenate(strict), np.concatenate(closed)

    def closed_counts(
        self, points: FloatArray, groups: IntArray, radius: FloatArray
    ) -> IntArray:
        return np.concatenate(
            [
                index.closed_counts(points[part], groups[part] - first, radius[part])
                for index, part, first in self._parts(groups)
            ]
        )
