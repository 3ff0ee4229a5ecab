"""The dependence between each feature of a table and a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat

import numpy as np

from skinfo._core._checks import check_same_length
from skinfo._core._columns import Column, complete_rows
from skinfo._core._typing import FloatArray
from skinfo._core._vectors import RandomVector, read_vector
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.measures._pairs import pair_results


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
    measure: DependenceMeasure[Any],
    features: RandomVector,
    target: RandomVector,
    *,
    seeds: Sequence[int] = (),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[SupportsFloat], FloatArray]:
    """Return the dependence of each feature with the target, and under permutations.

    The second result is (n_features, n_seeds); seed i permutes the target.
    """
    n_features = len(features.columns)
    for feature in features.columns:  # raises before any work is done
        complete_rows(
            [feature, *target.columns],
            minimum=measure.minimum_samples,
            advice=measure.advice,
        )
    pairs = [(position, n_features) for position in range(n_features)]
    return pair_results(
        measure,
        [*features.singles(), target],
        np.array(pairs),
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
    )
