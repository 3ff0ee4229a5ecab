"""Random vectors as a few weighted cells, and the kernel between the cells.

A kernel estimate needs the positions of samples only up to a small fraction of the
bandwidth, so one cell stands for all samples in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.variables._codes import factorize

# Errors are the largest of the value on samples of six laws.
CELLS_PER_BANDWIDTH = 8  # error 2e-3; 4: 8e-3, and 16: 7e-4 in twice the time
MAX_CELLS = 2000  # bounds a kernel to 32 MB; 10^4 samples of those laws need 336 cells
_N_LANDMARKS = 1000  # cells of vectors: error 1e-3, and 500: 1e-2, for two columns
_MOST_BINS = 2.0**40  # bins of a grid, mostly empty; bins times groups fit in int64


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
        The label of the combination of nominal values of each cell; 0 without nominal
        columns.
    points : ndarray of shape (n_cells, n_coordinates)
        The mean of the samples in the cell, in bandwidths. With one coordinate, cells
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
        """Return the Gaussian kernel between the cells; None if it is the identity.

        It is 0 between cells of different groups.
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
        """Return the cells with one sample left out; the points stay."""
        codes = np.delete(self.codes, sample)
        codes, kept, n_cells = factorize(codes, len(self))
        counts = np.bincount(codes, minlength=n_cells)
        return Cells(codes, counts, self.groups[kept], self.points[kept])


def gather(groups: IntArray, points: FloatArray, counts: IntArray) -> Cells:
    """Gather rows in cells; the `codes` of the result are those of the rows.

    `groups` (n_rows,), `points` (n_rows, n_coordinates) in bandwidths, `counts`
    (n_rows,): the number of samples at each row. One coordinate is divided by a uniform
    grid. Rows with several coordinates are their own cells up to `MAX_CELLS` rows; more
    are split recursively into `_N_LANDMARKS` cells.
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
    """Merge the rarest groups into one, so that there are at most `MAX_CELLS`."""
    sizes = np.bincount(groups, counts)
    if len(sizes) <= MAX_CELLS:
        return groups
    # all groups of a size are merged or none, whatever the order of the samples
    largest_rare = np.partition(sizes, -MAX_CELLS)[-MAX_CELLS]
    frequent = np.flatnonzero(sizes > largest_rare)
    label = np.full(len(sizes), len(frequent))
    label[frequent] = np.arange(len(frequent))
    return label[groups]


def _grid(groups: IntArray, coordinates: FloatArray) -> IntArray:
    """Return the grid cell of each row; the grid is coarsened to `MAX_CELLS` cells."""
    offsets = coordinates - coordinates.min()
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
    """Return the cell of each row, splitting cells in two until there are enough.

    The first half of the splits takes the widest cell, so that isolated samples get
    their own; the second half takes the cell with the largest sum of squared distances.
    """
    by_group = np.argsort(groups, kind="stable")
    cells = np.split(by_group, np.flatnonzero(np.diff(groups[by_group])) + 1)
    n_cells = max(_N_LANDMARKS, len(cells))

    def width(rows: IntArray) -> float:
        return float(np.ptp(points[rows], axis=0).max())

    def scatter(rows: IntArray) -> float:
        if width(rows) == 0:  # rounding of the mean would leave some scatter
            return 0.0
        center = np.average(points[rows], axis=0, weights=counts[rows])
        return float(counts[rows] @ ((points[rows] - center) ** 2).sum(axis=1))

    cells = _halve(points, cells, width, (len(cells) + n_cells) // 2)
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
    """Split the cell of the highest priority in two until there are `n_cells`."""
    heap = [(-priority(rows), number, rows) for number, rows in enumerate(cells)]
    heapq.heapify(heap)
    while len(heap) < n_cells and heap[0][0] < 0:
        _, number, rows = heapq.heappop(heap)
        column = points[rows, np.ptp(points[rows], axis=0).argmax()]
        upper = column > column.min() / 2 + column.max() / 2
        if not upper.any():  # the numbers differ in the last bit alone
            upper = column == column.max()
        for half, name in ((rows[~upper], number), (rows[upper], len(heap) + 1)):
            heapq.heappush(heap, (-priority(half), name, half))
    return [rows for _, _, rows in sorted(heap, key=lambda entry: entry[1])]
