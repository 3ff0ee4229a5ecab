"""What is left of columns when their linear dependence on others is taken away.

Given z, x - b z says as much as x: I(X; Y | Z) is that of X - b Z and Y - c Z. The
estimate is better for these: where z moves x and y much, the neighbourhoods of a few
samples are wide in x and y, too wide to see what x and y share beside. It is worse
where z is taken from one of them alone: then the other decides who is near.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.dependence.variables._codes import distinct_values
from skinfo.dependence.variables._encoding import (
    EncodedColumn,
    NumericLevels,
    normal_scores,
)

_SAMPLES_PER_COLUMN = 20  # of z, so that the fit takes little of x by chance
_LEAST_RESIDUAL = 2.5  # distances between neighbours in the middle of normal scores
_DECIMALS = 10  # so that rounding does not tell samples apart that are equal


def residuals(
    columns: Sequence[EncodedColumn], given: Sequence[EncodedColumn], most_ties: int
) -> list[EncodedColumn]:
    """Return columns less their linear fit to the numeric ones of `given`, as ranks.

    All of them, or none: none where one is nominal, has a value that more than
    `most_ties` samples share (they would no longer coincide), or is a function of
    `given`, so that what is left is the error of ranks. Constant ones do not count.
    """
    n_samples = len(given[0].codes)
    others = [each for each in map(_scores, given) if each is not None]
    if not 0 < len(others) * _SAMPLES_PER_COLUMN <= n_samples:
        return list(columns)
    left: dict[int, FloatArray] = {}
    for position, column in enumerate(columns):
        if len(column.levels) == 1:
            continue
        scores = _scores(column)
        if scores is None or np.bincount(column.codes).max() > most_ties:
            return list(columns)
        left[position] = _left(scores, others)
        if left[position].std() <= _LEAST_RESIDUAL / n_samples:
            return list(columns)
    return [
        _ranked(left[position]) if position in left else column
        for position, column in enumerate(columns)
    ]


def _scores(column: EncodedColumn) -> FloatArray | None:
    """Return the normal score of each sample, of variance about 1; None if nominal."""
    if not isinstance(column.levels, NumericLevels):
        return None
    scores: FloatArray = column.levels.coordinates[column.codes]
    return scores


def _left(values: FloatArray, others: Sequence[FloatArray]) -> FloatArray:
    """Return the residuals of least squares, the same for samples that are equal."""
    matrix = np.column_stack([*others, np.ones(len(values))])
    weights, *_ = np.linalg.lstsq(matrix, values, rcond=None)
    left = values - weights[-1]
    for weight, other in zip(weights, others, strict=False):
        left -= weight * other
    rounded: FloatArray = np.round(left, _DECIMALS)
    return rounded


def _ranked(values: FloatArray) -> EncodedColumn:
    levels, codes, counts = distinct_values(values)
    return EncodedColumn(codes, NumericLevels(levels, normal_scores(counts)))
