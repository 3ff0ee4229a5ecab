"""Type-I error, power and time of the tests of (conditional) independence at 5%."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _samples import (
    gaussian_pair,
    half_zero_pair,
    integer_pair,
    rounded_gaussian_pair,
)
from _tables import best_times, fixed, met, print_table, read_options
from sklearn.utils import Bunch

from skinfo import independence_test

LEVEL = 0.05
LARGEST_SIZE = 0.08
SMALLEST_SIZE = 0.02
SMALLEST_POWER = 0.8
N_SAMPLES = 300
N_PERMUTATIONS = 99
PARTIAL_CORRELATION = 0.4
N_NEIGHBORS = (5, 10)
MOST_SECONDS = 10.0  # for 999 permutations of 1000 samples, two jobs


@dataclass(frozen=True)
class Case:
    """Samples from a number and a seed; whether they have ties, and what is nominal."""

    name: str
    draw: Callable[[int, int], Bunch]
    tied: bool = True
    nominal: Sequence[str] = ()


def confounded(
    n_samples: int,
    seed: int,
    *,
    confounder: Callable[[np.random.Generator, int], Any],
    x: Callable[[Any], Any] = lambda values: values,
    y: Callable[[Any], Any] = lambda values: values,
    correlation: float = 0.0,
) -> Bunch:
    """Return x and y, each a function of z plus noise, and z; the noise correlates."""
    rng = np.random.default_rng(seed)
    z = confounder(rng, n_samples)
    noise_x, noise = rng.standard_normal((2, n_samples))
    noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
    causes = np.reshape(z, (n_samples, -1)).astype(float).sum(axis=1)
    return Bunch(x=x(causes + noise_x), y=y(causes + noise_y), z=z)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_normal(n)


def half_zero(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_normal(n) * rng.integers(2, size=n)


def four_levels(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(4, size=n)


def counts(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.poisson(3.0, size=n)


def rounded(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.round(rng.standard_normal(n), 1)


def normal_and_binary(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.column_stack([rng.standard_normal(n), rng.integers(2, size=n)])


MARGINAL = [
    Case("normals", partial(gaussian_pair, correlation=0.0), tied=False),
    Case("50% zeros", half_zero_pair),
    Case("rounded to .5", partial(rounded_gaussian_pair, correlation=0.0, step=0.5)),
    Case("binary, numeric", partial(integer_pair, n_levels=2)),
    Case("binary, nominal", partial(integer_pair, n_levels=2), nominal="xy"),
]
CONDITIONAL = [
    Case("normal z", partial(confounded, confounder=normal), tied=False),
    Case(
        "normal z, y positive or not",
        partial(confounded, confounder=normal, y=lambda values: values > 0),
    ),
    Case(
        "z with 50% zeros, x cut at 0",
        partial(confounded, confounder=half_zero, x=lambda v: np.maximum(v, 0)),
    ),
    Case("z of 4 categories", partial(confounded, confounder=four_levels), nominal="z"),
    Case("z of 4 integers", partial(confounded, confounder=four_levels)),
    Case(
        "all of few categories",
        partial(
            confounded,
            confounder=four_levels,
            x=lambda values: values > 1,
            y=np.round,
        ),
        nominal="xyz",
    ),
    Case("z of counts", partial(confounded, confounder=counts)),
    Case(
        "all rounded to .1",
        partial(
            confounded,
            confounder=rounded,
            x=partial(np.round, decimals=1),
            y=partial(np.round, decimals=1),
        ),
    ),
    Case("normal and binary z", partial(confounded, confounder=normal_and_binary)),
]
DEPENDENT = [
    Case(
        f"normal z, partial correlation {PARTIAL_CORRELATION}",
        partial(confounded, confounder=normal, correlation=PARTIAL_CORRELATION),
    ),
    Case(
        f"z of 4 categories, partial correlation {PARTIAL_CORRELATION}",
        partial(confounded, confounder=four_levels, correlation=PARTIAL_CORRELATION),
        nominal="z",
    ),
]


def rejects(case: Case, seed: int, n_neighbors: int) -> bool:
    """Tell whether the test rejects; at this level, stopping early changes nothing."""
    sample = case.draw(N_SAMPLES, seed)
    params = {f"{name}_discrete": True for name in case.nominal}
    result = independence_test(
        sample.x,
        sample.y,
        sample.get("z"),
        measure_params={"n_neighbors": n_neighbors, **params},
        n_permutations=N_PERMUTATIONS,
        stop_early=True,
        random_state=seed,
    )
    return result.pvalue <= LEVEL


def rejected(case: Case, n_neighbors: int, n_seeds: int) -> float:
    return float(np.mean([rejects(case, seed, n_neighbors) for seed in range(n_seeds)]))


def size_row(case: Case, n_neighbors: int, n_seeds: int) -> list[str]:
    size = rejected(case, n_neighbors, n_seeds)
    smallest = 0.0 if case.tied else SMALLEST_SIZE
    return [
        f"{case.name}, k = {n_neighbors}",
        fixed(size, 3),
        fixed(np.sqrt(LEVEL * (1 - LEVEL) / n_seeds), 3),
        f"{smallest:.2f} to {LARGEST_SIZE:.2f}",
        met(smallest <= size <= LARGEST_SIZE),
    ]


def power_row(case: Case, n_neighbors: int, n_seeds: int) -> list[str]:
    power = rejected(case, n_neighbors, n_seeds)
    return [
        f"{case.name}, k = {n_neighbors}",
        fixed(power, 2),
        f">= {SMALLEST_POWER:.2f}",
        met(power >= SMALLEST_POWER),
    ]


def time_rows(n_permutations: int) -> list[list[str]]:
    """Time the tests of 1000 samples; the target is that of the marginal one."""
    sample = confounded(1000, 0, confounder=normal)
    test = partial(
        independence_test, n_permutations=n_permutations, random_state=0, n_jobs=2
    )
    calls: Mapping[str, Callable[[], Any]] = {
        "without z": lambda: test(sample.x, sample.y),
        "given z": lambda: test(sample.x, sample.y, sample.z),
        "given z, stopped early": lambda: test(
            sample.x, sample.y, sample.z, stop_early=True
        ),
    }
    targets = {"without z": MOST_SECONDS}
    return [
        [
            name,
            fixed(seconds, 1),
            f"<= {targets[name]:.0f}" if name in targets else "-",
            met(seconds <= targets[name]) if name in targets else "-",
        ]
        for name, seconds in best_times(calls, repeats=2).items()
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=300, quick_seeds=20)
    setting = f"n = {N_SAMPLES}, {N_PERMUTATIONS} permutations"
    for title, cases in (
        ("independent", MARGINAL),
        ("independent given z", CONDITIONAL),
    ):
        print_table(
            f"Type-I error at 5%, {setting}, {options.n_seeds} seeds",
            (title, "rejected", "s.e. at 5%", "target", "met"),
            [
                size_row(case, n_neighbors, options.n_seeds)
                for case in cases
                for n_neighbors in N_NEIGHBORS
            ],
        )
    n_seeds = max(2, options.n_seeds // 3)
    print_table(
        f"Power at 5%, {setting}, {n_seeds} seeds",
        ("dependent given z", "rejected", "target", "met"),
        [
            power_row(case, n_neighbors, n_seeds)
            for case in DEPENDENT
            for n_neighbors in N_NEIGHBORS
        ],
    )
    n_permutations = 99 if options.quick else 999
    print_table(
        f"Seconds for {n_permutations} permutations, n = 1000, 2 jobs",
        ("test", "seconds", "target", "met"),
        time_rows(n_permutations),
    )


if __name__ == "__main__":
    main()
