"""All pairs of columns of a table: their complete rows and their dependence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._columns import Column
from skinfo._core._frames import is_table
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.measures._pairs import pair_results

# Rows of the mask of present values that are multiplied at once, as floats: they take
# 52 MB for 100 columns.
_ROWS_PER_BLOCK = 1 << 16


def names_of(X: Any, columns: Sequence[Column]) -> list[str]:
    """Return the column names of a dataframe or table; x0, x1, ... for an array."""
    if is_table(X):
        return [column.name for column in columns]
    return [f"x{j}" for j in range(len(columns))]


def complete_rows_of_pairs(features: RandomVector) -> IntArray:
    """Return the number of rows in which both columns have values, for all pairs.

    The result is (n_features, n_features); its diagonal counts the values of a column.
    """
    n_features = len(features.columns)
    counts = np.zeros((n_features, n_features))
    for some in gen_batches(features.n_samples, _ROWS_PER_BLOCK):
        present = np.array([~column.missing[some] for column in features.columns])
        counts += present @ present.T.astype(float)
    return counts.astype(np.int64)


def scarce_pair(n_complete: IntArray, features: RandomVector) -> str:
    """Describe a column without values, or the pair with the fewest complete rows."""
    for column, n_present in zip(features.columns, np.diag(n_complete), strict=True):
        if n_present == 0:
            return f"column {column.name!r} has no values"
    apart = np.triu_indices(len(n_complete), 1)
    worst = np.argmin(n_complete[apart])
    i, j = (int(ends[worst]) for ends in apart)
    names = [repr(features.columns[position].name) for position in (i, j)]
    return f"columns {' and '.join(names)} have {n_complete[i, j]}"


def pair_matrix(
    pairs: IntArray, values: FloatArray, n_features: int, *, symmetric: bool
) -> FloatArray:
    """Return the values of pairs (n_pairs, 2) as a matrix with NaN on the diagonal."""
    matrix = np.full((n_features, n_features), np.nan)
    matrix[pairs[:, 0], pairs[:, 1]] = values
    if symmetric:
        matrix[pairs[:, 1], pairs[:, 0]] = values
    return matrix


def results_of_columns(
    measure: DependenceMeasure[Any],
    features: RandomVector,
    *,
    usable: BoolArray,
    seeds: Sequence[int] = (),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return pairs, their dependence and the dependence under each permutation.

    The pairs (n_pairs, 2) are those of different columns that are `usable`, a mask
    (n_features, n_features): each once if the measure is symmetric, otherwise in both
    orders. The dependence is (n_pairs,), that under permutations (n_pairs, n_seeds).
    """
    apart = ~np.eye(len(usable), dtype=bool)
    pairs = np.argwhere(np.triu(usable, 1) if measure.symmetric else usable & apart)
    results, null = pair_results(
        measure,
        features.singles(),
        pairs,
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return pairs, np.array([float(result) for result in results]), null
