"""Type-I error and power of the p-values at 5%, beside a test on scikit-learn."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from _estimators import scikit_learn
from _samples import (
    gaussian_pair,
    half_zero_pair,
    integer_pair,
    rounded_gaussian_pair,
)
from _tables import fixed, met, print_table, read_options
from sklearn.utils import Bunch

from skinfo import MixedMutualInfo
from skinfo._core._permutation import draw_seeds, permutation_pvalues, permuted_order
from skinfo.datasets import make_gaussian_dropout

LEVEL = 0.05
LARGEST_SIZE = 0.08
SMALLEST_SIZE = 0.02
N_SAMPLES = 100
N_PERMUTATIONS = 199
N_NEIGHBORS = (5, 20)


@dataclass(frozen=True)
class Case:
    """Samples from a number and a seed; whether they have ties, and are nominal."""

    name: str
    draw: Callable[[int, int], Bunch]
    tied: bool = True
    nominal: bool = False


INDEPENDENT = [
    Case("normals", partial(gaussian_pair, correlation=0.0), tied=False),
    Case("50% zeros", half_zero_pair),
    Case(
        "normals rounded to .5",
        partial(rounded_gaussian_pair, correlation=0.0, step=0.5),
    ),
    Case("binary, numeric", partial(integer_pair, n_levels=2)),
    Case("binary, nominal", partial(integer_pair, n_levels=2), nominal=True),
]


def dropout_pair(
    n_samples: int, seed: int, *, correlation: float, dropout: float
) -> Bunch:
    """Correlated normals, each of which loses some of its values by itself."""
    return make_gaussian_dropout(
        n_samples, correlation=correlation, dropout=dropout, random_state=seed
    )


DEPENDENT = [
    Case("normals, rho = .5", partial(gaussian_pair, correlation=0.5), tied=False),
    Case("30% zeros, rho = .7", partial(dropout_pair, correlation=0.7, dropout=0.3)),
    Case("50% zeros, rho = .8", partial(dropout_pair, correlation=0.8, dropout=0.5)),
]


def our_pvalue(sample: Bunch, seed: int, n_neighbors: int, *, nominal: bool) -> float:
    kind = True if nominal else "auto"
    selector = MixedMutualInfo(
        n_neighbors,
        discrete_features=kind,
        discrete_target=kind,
        n_permutations=N_PERMUTATIONS,
        random_state=seed,
    )
    return float(selector.fit(sample.x[:, np.newaxis], sample.y).pvalues_[0])


def peer_pvalue(sample: Bunch, seed: int, n_neighbors: int) -> float:
    """Test with the estimate of scikit-learn, on the permutations that ours takes."""
    orders = [
        permuted_order(permutation_seed, len(sample.y))
        for permutation_seed in draw_seeds(seed, N_PERMUTATIONS).tolist()
    ]
    statistic, *null = (
        scikit_learn(sample.x, y, n_neighbors=n_neighbors)
        for y in (sample.y, *(sample.y[order] for order in orders))
    )
    return float(permutation_pvalues(np.array([statistic]), np.array([null]))[0])


def size_row(case: Case, n_neighbors: int, n_seeds: int) -> list[str]:
    pvalues = [
        our_pvalue(case.draw(N_SAMPLES, seed), seed, n_neighbors, nominal=case.nominal)
        for seed in range(n_seeds)
    ]
    size = float(np.mean(np.array(pvalues) <= LEVEL))
    smallest = 0.0 if case.tied else SMALLEST_SIZE
    return [
        f"{case.name}, k = {n_neighbors}",
        fixed(size, 3),
        fixed(np.sqrt(LEVEL * (1 - LEVEL) / n_seeds), 3),
        f"{smallest:.2f} to {LARGEST_SIZE:.2f}",
        met(smallest <= size <= LARGEST_SIZE),
    ]


def power_row(case: Case, n_neighbors: int, n_seeds: int) -> list[str]:
    """Compare how often each test rejects; its target is the power of the peer."""
    samples = [case.draw(N_SAMPLES, seed) for seed in range(n_seeds)]
    ours, theirs = (
        np.array(
            [pvalue(sample, seed, n_neighbors) for seed, sample in enumerate(samples)]
        )
        <= LEVEL
        for pvalue in (partial(our_pvalue, nominal=case.nominal), peer_pvalue)
    )
    return [
        f"{case.name}, k = {n_neighbors}",
        fixed(ours.mean(), 2),
        fixed(theirs.mean(), 2),
        f">= {theirs.mean():.2f}",
        met(ours.mean() >= theirs.mean()),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=400, quick_seeds=20)
    setting = f"n = {N_SAMPLES}, {N_PERMUTATIONS} permutations"
    print_table(
        f"Type-I error at 5%, {setting}, {options.n_seeds} seeds",
        ("independent", "rejected", "s.e. at 5%", "target", "met"),
        [
            size_row(case, n_neighbors, options.n_seeds)
            for case in INDEPENDENT
            for n_neighbors in N_NEIGHBORS
        ],
    )
    n_seeds = max(2, options.n_seeds // 4)
    print_table(
        f"Power at 5%, {setting}, {n_seeds} seeds",
        ("dependent", "ours", "scikit-learn", "target", "met"),
        [
            power_row(case, n_neighbors, n_seeds)
            for case in DEPENDENT
            for n_neighbors in N_NEIGHBORS
        ],
    )


if __name__ == "__main__":
    main()
