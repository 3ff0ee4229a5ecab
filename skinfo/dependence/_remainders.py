"""What is left of columns when their linear dependence on others is taken away.

Given z, x - b z says as much as x: I(X; Y | Z) is that of X - b Z and Y - c Z. The
estimate is better for these: where z moves x and y much, the neighbourhoods of a few
samples are wide in x and y, too wide to see what x and y share beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.dependence._codes import distinct_values
from skinfo.dependence._scaling import EncodedColumn, NumericLevels, normal_scores

_SAMPLES_PER_COLUMN = 20  # of z, so that the fit takes little of x by chance
_LEAST_REMAINDER = 1e-6  # of the deviation of a column, which is more than rounding


def remainders(
    columns: Sequence[EncodedColumn], given: Sequence[EncodedColumn], most_ties: int
) -> list[EncodedColumn]:
    """Return columns less their linear fit to the numeric ones of `given`, as ranks.

    Nominal columns stay as they are, and numeric ones of which more than `most_ties`
    samples share a value: these would no longer coincide.
    """
    others = [
        column.levels.coordinates[column.codes]
        for column in given
        if isinstance(column.levels, NumericLevels)
    ]
    n_samples = len(columns[0].codes)
    if not 0 < len(others) * _SAMPLES_PER_COLUMN <= n_samples:
        return list(columns)
    matrix = np.column_stack([*others, np.ones(n_samples)])
    return [_remainder(column, matrix, most_ties) for column in columns]


def _remainder(
    column: EncodedColumn, matrix: FloatArray, most_ties: int
) -> EncodedColumn:
    if not isinstance(column.levels, NumericLevels):
        return column
    if np.bincount(column.codes).max() > most_ties:
        return column
    values = column.levels.coordinates[column.codes]
    weights, *_ = np.linalg.lstsq(matrix, values, rcond=None)
    left = values - matrix @ weights
    if left.std() <= _LEAST_REMAINDER * values.std():
        return column  # it is a function of the others
    levels, codes, counts = distinct_values(left)
    return EncodedColumn(codes, NumericLevels(levels, normal_scores(counts)))
