"""Random vectors as a few weighted cells, and the kernel between the cells.

A kernel joint needs no samples, only where they are up to a small part of the
bandwidth: a cell stands for all samples in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.variables._codes import factorize

CELLS_PER_BANDWIDTH = 8
MAX_CELLS = 2000  # of one random vector
_MOST_BINS = 2.0**40  # of a grid, most of them empty
_N_LANDMARKS = 1000  # cells of several coordinates, where the samples are more


@dataclass(frozen=True)
class Cells:
    """The cells of a random vector.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,)
        The cell of each sample.
    counts : ndarray of shape (n_cells,)
        The number of samples in each cell.
    groups : ndarray of shape (n_cells,)
        One label for all nominal values of the cell; 0 without nominal columns.
    points : ndarray of shape (n_cells, n_coordinates)
        The mean of the samples of the cell, in bandwidths. Cells with one coordinate
        are sorted by group, then by coordinate.
    """

    codes: IntArray
    counts: IntArray
    groups: IntArray
    points: FloatArray

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.codes)

    def __len__(self) -> int:
        return len(self.counts)

    def kernel(self) -> FloatArray | None:
        """Return the Gaussian kernel between the cells; None where it is the identity.

        Cells of different groups are infinitely far apart.
        """
        if self.points.shape[1] == 0:
            return None
        kernel = cdist(self.points, self.points, "sqeuclidean")
        kernel *= -0.5
        np.exp(kernel, out=kernel)
        if np.any(self.groups != self.groups[0]):
            kernel[self.groups[:, np.newaxis] != self.groups] = 0
        return kernel

    def without(self, sample: int) -> Cells:
        """Return the cells with one sample left out, where they are."""
        codes = np.delete(self.codes, sample)
        codes, kept, n_cells = factorize(codes, len(self))
        counts = np.bincount(codes, minlength=n_cells)
        return Cells(codes, counts, self.groups[kept], self.points[kept])


def gather(groups: IntArray, points: FloatArray, counts: IntArray) -> Cells:
    """Gather rows in cells; `codes` are then the cells of the rows.

    `groups` (n_rows,), `points` (n_rows, n_coordinates) in bandwidths, `counts`
    (n_rows,): how many samples each row stands for. Rows with one coordinate fall in
    the cells of a uniform grid. Rows with several stay as they are where they are few;
    else they are split up until there are enough cells.
    """
    groups = _merge_rarest(groups, counts)
    n_coordinates = points.shape[1]
    if n_coordinates == 0:
        codes = groups
    elif n_coordinates == 1:
        codes = _grid(groups, points[:, 0])
    elif len(points) <= MAX_CELLS:
        codes = np.arange(len(points))
    else:
        codes = _split(groups, points, counts)
    codes, _, n_cells = factorize(codes, int(codes.max()) + 1)
    sizes = np.bincount(codes, counts, minlength=n_cells)
    sums = [np.bincount(codes, counts * column) for column in points.T]
    means = np.column_stack(sums) / sizes[:, np.newaxis] if sums else points[:n_cells]
    group_of_cell = np.empty(n_cells, dtype=np.int64)
    group_of_cell[codes] = groups
    return Cells(codes, sizes.astype(np.int64), group_of_cell, means)


def _merge_rarest(groups: IntArray, counts: IntArray) -> IntArray:
    """Give the rarest groups one label, so that there are at most `MAX_CELLS`."""
    sizes = np.bincount(groups, counts)
    if len(sizes) <= MAX_CELLS:
        return groups
    # groups of one size share a fate, so that the order of the samples decides nothing
    largest_rare = np.partition(sizes, -MAX_CELLS)[-MAX_CELLS]
    frequent = np.flatnonzero(sizes > largest_rare)
    label = np.full(len(sizes), len(frequent))
    label[frequent] = np.arange(len(frequent))
    return label[groups]


def _grid(groups: IntArray, coordinates: FloatArray) -> IntArray:
    """Return the cell of each row in a grid, as fine as the number of cells allows."""
    offsets = coordinates - coordinates.min()
    # as many cells as can be counted, where the bandwidth is next to nothing
    width = max(1 / CELLS_PER_BANDWIDTH, offsets.max() / _MOST_BINS)
    while True:
        bins = np.floor(offsets / width).astype(np.int64)
        n_bins = int(bins.max()) + 1
        codes, _, n_cells = factorize(
            groups * n_bins + bins, (groups.max() + 1) * n_bins
        )
        if n_cells <= MAX_CELLS or n_bins == 1:
            return codes
        width *= 2


def _split(groups: IntArray, points: FloatArray, counts: IntArray) -> IntArray:
    """Return the cell of each row, of cells split in halves one after the other.

    One half of the cells goes where cells reach far, so that no isolated sample shares
    its cell; the other where they hold most of the squared distances to their means.
    """
    order = np.argsort(groups, kind="stable")
    cells = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    n_cells = max(_N_LANDMARKS, len(cells))

    def reach(rows: IntArray) -> float:
        return float(np.ptp(points[rows], axis=0).max())

    def scatter(rows: IntArray) -> float:
        if reach(rows) == 0:  # where rounding would leave some scatter
            return 0.0
        center = np.average(points[rows], axis=0, weights=counts[rows])
        return float(counts[rows] @ ((points[rows] - center) ** 2).sum(axis=1))

    cells = _halve(points, cells, reach, (len(cells) + n_cells) // 2)
    cells = _halve(points, cells, scatter, n_cells)
    codes = np.empty(len(points), dtype=np.int64)
    for code, rows in enumerate(cells):
        codes[rows] = code
    return codes


def _halve(
    points: FloatArray,
    cells: list[IntArray],
    priority: Callable[[IntArray], float],
    n_cells: int,
) -> list[IntArray]:
    """Halve the cell of the highest priority until there are so many cells."""
    heap = [(-priority(rows), number, rows) for number, rows in enumerate(cells)]
    heapq.heapify(heap)
    while len(heap) < n_cells and heap[0][0] < 0:
        _, number, rows = heapq.heappop(heap)
        column = points[rows, np.ptp(points[rows], axis=0).argmax()]
        upper = column > column.min() / 2 + column.max() / 2
        if not upper.any():  # numbers that differ in the last bit
            upper = column == column.max()
        for half, name in ((rows[~upper], number), (rows[upper], len(heap) + 1)):
            heapq.heappush(heap, (-priority(half), name, half))
    return [rows for _, _, rows in sorted(heap, key=lambda entry: entry[1])]
