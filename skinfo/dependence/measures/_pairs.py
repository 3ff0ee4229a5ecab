"""The dependence of many pairs of random vectors, shared among jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, SupportsFloat

import numpy as np

from skinfo._core._parallel import batches, items_per_task, run_tasks
from skinfo._core._permutation import permuted_order
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector, complete_pair
from skinfo.dependence.measures._measure import DependenceMeasure

# Minimum number of permutations per task. Each task joins x and y again; with fewer
# permutations, that would take as long as the permutations themselves.
_DRAWS_PER_TASK = 8


@dataclass(frozen=True)
class _Vector:
    """A vector as it was read; `prepared` for the measure if that serves many pairs."""

    vector: RandomVector
    prepared: Any | None


def pair_results(
    measure: DependenceMeasure[Any],
    vectors: Sequence[RandomVector],
    pairs: IntArray,
    *,
    seeds: Sequence[int] = (),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[SupportsFloat], FloatArray]:
    """Return the dependence of each pair, and its null draws (n_pairs, n_seeds).

    `pairs` (n_pairs, 2): positions of x and y in `vectors`. Rows in which a pair has
    missing values are left out; seed i permutes y in the others.
    """
    draws: list[int | None] = [None, *seeds]
    if len(pairs) == 0:
        return [], np.empty((0, len(seeds)))
    n_samples = vectors[0].n_samples
    pairs_per_task = items_per_task(n_samples * len(draws))
    draws_per_task = max(_DRAWS_PER_TASK, items_per_task(n_samples))
    # squares of the matrix of pairs: a task needs few vectors for many pairs
    i, j = pairs.T
    width = math.isqrt(pairs_per_task)
    order = np.lexsort((j, i, j // width, i // width))
    tasks = list(
        product(
            batches(len(pairs), pairs_per_task),
            batches(len(draws), draws_per_task),
        )
    )
    n_pairs_of = np.bincount(pairs.ravel(), minlength=len(vectors))
    with one_blas_thread():
        prepared = [
            _prepare(measure, vector, in_several=n_pairs > 1)
            for vector, n_pairs in zip(vectors, n_pairs_of.tolist(), strict=True)
        ]
        found = run_tasks(
            _values_of_pairs,
            [
                (
                    measure,
                    # no more than it needs, as other processes get copies
                    {k: prepared[k] for k in np.unique(pairs[order[some]]).tolist()},
                    pairs[order[some]].tolist(),
                    draws[part],
                )
                for some, part in tasks
            ],
            n_jobs=n_jobs,
            verbose=verbose,
        )
    results: list[Any] = [None] * len(pairs)
    null = np.empty((len(pairs), len(draws)))
    for (some, part), values in zip(tasks, found, strict=True):
        for pair, (first, of_draws) in zip(order[some].tolist(), values, strict=True):
            null[pair, part] = of_draws
            if part.start == 0:
                results[pair] = first
    return results, null[:, 1:]


def _prepare(
    measure: DependenceMeasure[Any], vector: RandomVector, *, in_several: bool
) -> _Vector:
    """Prepare a vector once for all of its pairs, if they can share it.

    It stays unprepared if it has missing values, as its pairs may leave out different
    rows, or if it is in one pair only: the task of that pair prepares it.
    """
    has_gaps = any(column.missing.any() for column in vector.columns)
    if has_gaps or not in_several:
        return _Vector(vector, None)
    return _Vector(vector, measure.prepare(vector))


def _values_of_pairs(
    measure: DependenceMeasure[Any],
    vectors: Mapping[int, _Vector],
    pairs: Sequence[tuple[int, int]],
    draws: Sequence[int | None],
) -> list[tuple[SupportsFloat, FloatArray]]:
    """Return for each pair what the first draw gives, and the values of all draws."""
    results = []
    for i, j in pairs:
        x, y, n_samples = _prepared_pair(measure, vectors[i], vectors[j])
        orders = [
            None if seed is None else permuted_order(seed, n_samples) for seed in draws
        ]
        values = measure.values(x, y, orders)
        results.append((values[0], np.array([float(value) for value in values])))
    return results


def _prepared_pair(
    measure: DependenceMeasure[Any], x: _Vector, y: _Vector
) -> tuple[Any, Any, int]:
    """Return both vectors prepared on the rows that both have, and how many these are.

    What was prepared beforehand serves where no row is left out.
    """
    vector_x, vector_y, rows = complete_pair(
        x.vector, y.vector, minimum=measure.minimum_samples
    )
    if rows is not None:
        x, y = _Vector(vector_x, None), _Vector(vector_y, None)
    prepared = [
        measure.prepare(each.vector) if each.prepared is None else each.prepared
        for each in (x, y)
    ]
    return *prepared, vector_x.n_samples
