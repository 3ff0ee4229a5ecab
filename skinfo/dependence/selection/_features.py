"""The dependence of each feature of a table with a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, SupportsFloat

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._checks import check_same_length
from skinfo._core._columns import Column, complete_rows
from skinfo._core._permutation import permuted_order
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo._core._vectors import RandomVector, complete_pair, read_vector
from skinfo.dependence.measures._measure import DependenceMeasure

_SAMPLES_PER_TASK = 50_000  # some 50 ms, so that handing out tasks costs nothing
_DRAWS_PER_TASK = 8  # each task prepares its features anew


def read_features_and_target(
    X: Any,
    y: Any,
    discrete_features: Any,
    discrete_target: Any,
    *,
    nan_policy: str,
    is_nominal: Callable[[Column], bool],
) -> tuple[RandomVector, RandomVector]:
    """Read and check a table and its target."""
    features = read_vector(
        X,
        name="X",
        discrete=discrete_features,
        discrete_name="discrete_features",
        nan_policy=nan_policy,
        ensure_2d=True,
        is_nominal=is_nominal,
    )
    target = read_vector(
        y,
        name="y",
        discrete=discrete_target,
        discrete_name="discrete_target",
        nan_policy=nan_policy,
        is_nominal=is_nominal,
    )
    check_same_length({"X": features.n_samples, "y": target.n_samples})
    return features, target


def feature_results(
    measure: DependenceMeasure,
    features: RandomVector,
    target: RandomVector,
    *,
    seeds: Sequence[int] = (),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[SupportsFloat], FloatArray]:
    """Return the dependence of each feature with the target, and its null draws.

    The latter (n_features, n_seeds); seed i permutes the target.
    """
    n_features = len(features.columns)
    for feature in features.columns:  # before any work
        complete_rows(
            [feature, *target.columns],
            minimum=measure.minimum_samples,
            advice=measure.advice,
        )
    y = None
    if not any(column.missing.any() for column in target.columns):
        y = measure.prepare(target)
    draws: list[int | None] = [None, *seeds]
    per_task = max(1, _SAMPLES_PER_TASK // target.n_samples)
    tasks = list(
        product(
            gen_batches(n_features, max(1, per_task // len(draws))),
            gen_batches(len(draws), max(_DRAWS_PER_TASK, per_task)),
        )
    )
    if len(tasks) == 1:
        n_jobs = 1  # saves the start of a pool
    with one_blas_thread():
        results = Parallel(n_jobs=n_jobs, verbose=verbose, prefer="threads")(
            delayed(_values_of_features)(
                measure,
                features.select(range(n_features)[some]),
                target,
                y,
                draws[part],
            )
            for some, part in tasks
        )
    table = np.empty((n_features, len(draws)), dtype=object)
    for (some, part), result in zip(tasks, results, strict=True):
        table[some, part] = result
    return table[:, 0].tolist(), table[:, 1:].astype(float)


def _values_of_features(
    measure: DependenceMeasure,
    features: RandomVector,
    target: RandomVector,
    prepared_target: Any,
    draws: Sequence[int | None],
) -> list[Sequence[SupportsFloat]]:
    """Return the values of some features with the target in some of its orders.

    `prepared_target` serves the features without gaps; None where the target has gaps.
    """
    values = []
    for position in range(len(features.columns)):
        feature = features.select([position])
        x, y, rows = complete_pair(feature, target, minimum=measure.minimum_samples)
        prepared_y = prepared_target if rows is None else measure.prepare(y)
        orders = [
            None if seed is None else permuted_order(seed, y.n_samples)
            for seed in draws
        ]
        values.append(measure.values(measure.prepare(x), prepared_y, orders))
    return values
