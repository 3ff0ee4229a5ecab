"""Columns as residuals of a linear fit to the conditioning columns.

For any b and c, I(X; Y | Z) = I(X - b Z; Y - c Z | Z). The estimate from residuals is
better if Z has a strong effect on X and Y: neighbourhoods of a few samples are then too
wide in X and Y to resolve what they share given Z. It is worse if only one of the two
is replaced, because the other then determines the neighbours alone.
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

_SAMPLES_PER_COLUMN = 20  # so a fit to noise explains at most 5% of it on average
# Spacing of normal scores near 0, times n: sqrt(2 pi), about 2.5.
_LEVEL_SPACING = 2.5
_DECIMALS = 10  # so that equal samples keep equal residuals despite rounding


def residuals(
    columns: Sequence[EncodedColumn], given: Sequence[EncodedColumn], most_ties: int
) -> list[EncodedColumn]:
    """Return the residuals of columns after a linear fit to `given`, as ranks.

    The fit is between normal scores, to the numeric columns of `given`. Either all
    columns are replaced (except constant ones) or none: none if a column is nominal, if
    more than `most_ties` of its samples are equal (their residuals would differ), or if
    `given` determines it, which leaves nothing but rounding of the ranks.
    """
    n_samples = len(given[0].codes)
    regressors = [each for each in map(_scores, given) if each is not None]
    if not 0 < len(regressors) * _SAMPLES_PER_COLUMN <= n_samples:
        return list(columns)
    residual: dict[int, FloatArray] = {}
    for position, column in enumerate(columns):
        if len(column.levels) == 1:
            continue
        scores = _scores(column)
        if scores is None or np.bincount(column.codes).max() > most_ties:
            return list(columns)
        residual[position] = _least_squares_residual(scores, regressors)
        if residual[position].std() <= _LEVEL_SPACING / n_samples:
            return list(columns)
    return [
        _ranked(residual[position]) if position in residual else column
        for position, column in enumerate(columns)
    ]


def _scores(column: EncodedColumn) -> FloatArray | None:
    """Return the normal score of each sample, (n_samples,); None if nominal."""
    if not isinstance(column.levels, NumericLevels):
        return None
    scores: FloatArray = column.levels.coordinates[column.codes]
    return scores


def _least_squares_residual(
    values: FloatArray, regressors: Sequence[FloatArray]
) -> FloatArray:
    """Return the residuals of a fit with intercept, rounded to `_DECIMALS`."""
    matrix = np.column_stack([*regressors, np.ones(len(values))])
    weights, *_ = np.linalg.lstsq(matrix, values, rcond=None)
    residual = values - weights[-1]
    for weight, regressor in zip(weights, regressors, strict=False):
        residual -= weight * regressor
    rounded: FloatArray = np.round(residual, _DECIMALS)
    return rounded


def _ranked(values: FloatArray) -> EncodedColumn:
    """Return values (n_samples,) as a column on the rank scale."""
    levels, codes, counts = distinct_values(values)
    return EncodedColumn(codes, NumericLevels(levels, normal_scores(counts)))
