"""Random vectors as distinct rows with counts.

Duplicate rows are merged because kd-trees take quadratic time on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.variables._codes import factorize
from skinfo.dependence.variables._encoding import EncodedColumn, NumericLevels


@dataclass(frozen=True)
class Variable:
    """A random vector of nominal and numeric columns, as its distinct rows.

    With at most one numeric column, rows are sorted by group, then by coordinate.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,)
        The row of each sample.
    counts : ndarray of shape (n_rows,)
        The number of samples at each row.
    groups : ndarray of shape (n_rows,)
        The label of the combination of nominal values of each row; 0 without nominal
        columns.
    n_groups : int
        Number of labels.
    points : ndarray of shape (n_rows, n_coordinates)
        The coordinates of each row: its scaled numeric values.
    """

    codes: IntArray
    counts: IntArray
    groups: IntArray
    n_groups: int
    points: FloatArray

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.codes)

    @property
    def n_rows(self) -> int:
        """Number of distinct rows."""
        return len(self.counts)

    @property
    def n_coordinates(self) -> int:
        """Number of numeric columns."""
        return int(self.points.shape[1])

    def take(self, order: IntArray) -> Variable:
        """Return the variable with its samples in another order; the rows stay."""
        return replace(self, codes=self.codes[order])


def make_variable(columns: Sequence[EncodedColumn]) -> Variable:
    """Join encoded columns into one random vector."""
    variable, *others = map(_single, columns)
    for other in others:
        variable = join(variable, other)[0]
    return variable


def constant(n_samples: int) -> Variable:
    """Return a random vector that is the same in all samples."""
    codes = np.zeros(n_samples, dtype=np.int64)
    return Variable(codes, np.array([n_samples]), codes[:1], 1, np.empty((1, 0)))


def resample(variable: Variable, order: IntArray) -> Variable:
    """Return a variable at these samples; rows that none of them has are dropped."""
    codes, kept, n_rows = factorize(variable.codes[order], variable.n_rows)
    return replace(
        variable,
        codes=codes,
        counts=np.bincount(codes, minlength=n_rows),
        groups=variable.groups[kept],
        points=variable.points[kept],
    )


def _single(column: EncodedColumn) -> Variable:
    """Return one column as a variable, whose rows are its levels.

    Each nominal level is a group; numeric levels are points with one coordinate.
    """
    codes, n_levels = column.codes, len(column.levels)
    if isinstance(column.levels, NumericLevels):
        points = column.levels.coordinates
        if np.any(points[1:] <= points[:-1]):  # scaling rounded levels together
            points, level_codes = np.unique(points, return_inverse=True)
            codes, n_levels = level_codes[codes], len(points)
        groups, n_groups = np.zeros(n_levels, dtype=np.int64), 1
        points = points[:, np.newaxis]
    else:
        groups, n_groups = np.arange(n_levels), n_levels
        points = np.empty((n_levels, 0))
    counts = np.bincount(codes, minlength=n_levels)
    return Variable(codes, counts, groups, n_groups, points)


def join(x: Variable, y: Variable) -> tuple[Variable, IntArray, IntArray]:
    """Join two random vectors; also return the rows of x and of y of each joint row."""
    if x.n_coordinates > 0 and y.n_coordinates == 0:
        joint, rows_y, rows_x = join(y, x)
        return joint, rows_x, rows_y
    codes, counts, rows_x, rows_y = _pair_codes(x, y)
    if x.n_groups == y.n_groups == 1:
        groups, n_groups = np.zeros_like(rows_x), 1
    else:
        groups, _, n_groups = factorize(
            x.groups[rows_x] * y.n_groups + y.groups[rows_y], x.n_groups * y.n_groups
        )
    points = np.hstack([x.points[rows_x], y.points[rows_y]])
    return Variable(codes, counts, groups, n_groups, points), rows_x, rows_y


def _pair_codes(
    x: Variable, y: Variable
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return codes and counts of the distinct pairs, and their rows in x and in y."""
    unordered = x.n_coordinates + y.n_coordinates > 1
    for distinct in (x, y):
        # if no row of one variable repeats, no pair does
        if unordered and distinct.n_rows == distinct.n_samples:
            sample_of_row = np.empty(distinct.n_rows, dtype=np.int64)
            sample_of_row[distinct.codes] = np.arange(distinct.n_rows)
            rows_x, rows_y = x.codes[sample_of_row], y.codes[sample_of_row]
            return distinct.codes, distinct.counts, rows_x, rows_y
    codes, pairs, n_pairs = factorize(x.codes * y.n_rows + y.codes, x.n_rows * y.n_rows)
    counts = np.bincount(codes, minlength=n_pairs)
    return codes, counts, pairs // y.n_rows, pairs % y.n_rows
