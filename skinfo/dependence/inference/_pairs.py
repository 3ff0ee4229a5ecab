"""All pairs of columns: which rows they share, and their dependence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._columns import Column
from skinfo._core._frames import is_table
from skinfo._core._permutation import permuted_order
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo._core._vectors import RandomVector, complete_pair
from skinfo.dependence.measures._measure import DependenceMeasure

_SAMPLES_PER_TASK = 50_000  # some 50 ms, so that handing out tasks costs nothing
_ROWS_PER_BLOCK = 1 << 16
_DRAWS_PER_TASK = 8  # each task joins its pairs anew


def names_of(X: Any, columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns of a dataframe or table, or numbered ones."""
    if is_table(X):
        return [column.name for column in columns]
    return [f"x{j}" for j in range(len(columns))]


def complete_rows_of_pairs(features: RandomVector) -> IntArray:
    """Return the number of rows in which each pair of columns is complete, as matrix.

    The diagonal is that of each column.
    """
    n_features = len(features.columns)
    counts = np.zeros((n_features, n_features))
    for some in gen_batches(features.n_samples, _ROWS_PER_BLOCK):
        present = np.array([~column.missing[some] for column in features.columns])
        counts += present @ present.T.astype(float)
    return counts.astype(np.int64)


def scarce_pair(n_complete: IntArray, features: RandomVector) -> str:
    """Describe the pair of columns that has the fewest complete rows, or no values."""
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


@dataclass(frozen=True)
class _PreparedColumn:
    """A column as it was read, and prepared for the measure where it has no gaps."""

    vector: RandomVector
    prepared: Any | None


def pair_results(
    measure: DependenceMeasure,
    features: RandomVector,
    *,
    usable: BoolArray,
    symmetric: bool,
    seeds: Sequence[int] = (),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[IntArray, FloatArray]:
    """Return pairs (n_pairs, 2), and their dependence (n_pairs, 1 + n_seeds).

    All pairs of different columns that are `usable` (n_features, n_features): each once
    where the measure is symmetric, else in both orders. The first value is of the
    samples as they are; seed i permutes the second column for the next ones.
    """
    n_features = len(features.columns)
    wanted = (
        np.triu(usable, 1) if symmetric else usable & ~np.eye(n_features, dtype=bool)
    )
    draws: list[int | None] = [None, *seeds]
    per_task = max(1, _SAMPLES_PER_TASK // features.n_samples)
    pairs_per_task = max(1, per_task // len(draws))
    tiles = _tiles(wanted, math.isqrt(pairs_per_task))
    parts = list(gen_batches(len(draws), max(_DRAWS_PER_TASK, per_task)))
    if len(tiles) * len(parts) <= 1:
        n_jobs = 1  # saves the start of a pool
    with one_blas_thread():
        columns = [_prepare(measure, features.select([j])) for j in range(n_features)]
        results = Parallel(n_jobs=n_jobs, verbose=verbose, prefer="threads")(
            delayed(_values_of_pairs)(
                measure,
                # no more than it needs, as other processes get copies
                {j: columns[j] for j in np.unique(tile).tolist()},
                tile,
                draws[part],
            )
            for tile, part in product(tiles, parts)
        )
    if not tiles:
        return np.empty((0, 2), dtype=np.int64), np.empty((0, len(draws)))
    table = [
        np.hstack(results[start : start + len(parts)])
        for start in range(0, len(results), len(parts))
    ]
    return np.array([pair for tile in tiles for pair in tile]), np.vstack(table)


def _prepare(measure: DependenceMeasure, vector: RandomVector) -> _PreparedColumn:
    if vector.columns[0].missing.any():
        return _PreparedColumn(vector, None)
    return _PreparedColumn(vector, measure.prepare(vector))


def _tiles(wanted: BoolArray, width: int) -> list[list[tuple[int, int]]]:
    """Split the wanted pairs into square tiles of the matrix, which share columns."""
    blocks = list(gen_batches(len(wanted), width))
    tiles = [
        [
            (rows.start + i, columns.start + j)
            for i, j in np.argwhere(wanted[rows, columns]).tolist()
        ]
        for rows, columns in product(blocks, blocks)
    ]
    return [tile for tile in tiles if tile]


def _values_of_pairs(
    measure: DependenceMeasure,
    columns: Mapping[int, _PreparedColumn],
    pairs: Sequence[tuple[int, int]],
    draws: Sequence[int | None],
) -> FloatArray:
    """Return the dependence of some pairs in some orders, (n_pairs, n_draws)."""
    values = np.empty((len(pairs), len(draws)))
    for row, (i, j) in enumerate(pairs):
        n_samples, x, y = _prepared_pair(measure, columns[i], columns[j])
        orders = [
            None if seed is None else permuted_order(seed, n_samples) for seed in draws
        ]
        values[row] = [float(value) for value in measure.values(x, y, orders)]
    return values


def _prepared_pair(
    measure: DependenceMeasure, x: _PreparedColumn, y: _PreparedColumn
) -> tuple[int, Any, Any]:
    """Return the number of complete rows, and both columns prepared on them."""
    if x.prepared is not None and y.prepared is not None:
        return x.vector.n_samples, x.prepared, y.prepared
    vector_x, vector_y, _ = complete_pair(
        x.vector, y.vector, minimum=measure.minimum_samples
    )
    return vector_x.n_samples, measure.prepare(vector_x), measure.prepare(vector_y)
