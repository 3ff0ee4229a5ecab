"""Permutation tests: reproducible permutations and their p-values."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skinfo._core._typing import BoolArray, FloatArray, IntArray

_TIE_TOLERANCE = 1e-12  # relative difference up to which two statistics are equal


def draw_seeds(random_state: Any, n_seeds: int) -> IntArray:
    """Draw one seed for each task, so that results do not depend on jobs."""
    generator = check_random_state(random_state)
    seeds: IntArray = generator.randint(np.iinfo(np.int32).max, size=n_seeds)
    return seeds


def permuted_order(seed: int, n_samples: int) -> IntArray:
    """Return the permutation of `n_samples` that belongs to a seed."""
    return np.random.default_rng(seed).permutation(n_samples)


def permutation_pvalues(
    statistics: FloatArray, null_distribution: FloatArray
) -> FloatArray:
    """Return (1 + #{null >= statistic}) / (1 + n_permutations).

    `statistics` (n,), `null_distribution` (n, n_permutations). Null values that equal
    the statistic, up to rounding, count against it. A statistic of NaN has no p-value.
    """
    n_reaching = np.sum(reaches(statistics[:, np.newaxis], null_distribution), axis=1)
    pvalues: FloatArray = (1 + n_reaching) / (1 + null_distribution.shape[1])
    return np.where(np.isnan(statistics), np.nan, pvalues)


def significant(adjusted_pvalues: FloatArray, alpha: float) -> BoolArray:
    """Return which p-values are at most alpha, up to the rounding of the adjustment."""
    found: BoolArray = adjusted_pvalues <= alpha * (1 + _TIE_TOLERANCE)
    return found


def reaches(statistics: FloatArray | float, null_values: FloatArray) -> BoolArray:
    """Return which null values reach the statistics, up to rounding."""
    bound = statistics - _TIE_TOLERANCE * np.abs(statistics)
    reached: BoolArray = ~(null_values < bound)  # NaN counts against, too
    return reached
