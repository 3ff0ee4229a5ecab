"""How often intervals of mutual information cover the truth, and their width."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from _samples import for_seeds, gaussian_pair
from _tables import fixed, met, print_table, read_options
from sklearn.utils import Bunch

from skinfo import mutual_information_interval
from skinfo.datasets import make_discrete_plus_uniform, make_zero_inflated_poisson

N_SAMPLES = 1000
LEVELS = (0.95, 0.8)
LOWEST_COVERAGE = 0.88  # at 95%


def experiment_2(n_samples: int, seed: int) -> Bunch:
    return make_discrete_plus_uniform(n_samples, random_state=seed)


def experiment_4(n_samples: int, seed: int) -> Bunch:
    return make_zero_inflated_poisson(n_samples, random_state=seed)


CASES: Mapping[str, Callable[[int, int], Bunch]] = {
    "normals, rho = .6": partial(gaussian_pair, correlation=0.6),
    "Experiment II": experiment_2,
    "Experiment IV": experiment_4,
}


def interval_of_seed(
    seed: int, draw: Callable[[int, int], Bunch], n_samples: int, level: float
) -> tuple[bool, float, float]:
    """Return whether the interval covers the truth, its width, and the error."""
    data = draw(n_samples, seed)
    interval = mutual_information_interval(
        data.x, data.y, confidence_level=level, random_state=seed
    )
    truth = data.mutual_information
    return (
        interval.low <= truth <= interval.high,
        interval.high - interval.low,
        interval.estimate - truth,
    )


def coverage_row(
    name: str, draw: Callable[[int, int], Bunch], level: float, n_seeds: int
) -> list[str]:
    call = partial(interval_of_seed, draw=draw, n_samples=N_SAMPLES, level=level)
    covered, widths, errors = np.array(for_seeds(call, n_seeds), dtype=float).T
    share = float(covered.mean())
    row = [
        f"{name}, at {level:.0%}",
        fixed(share, 3),
        fixed(np.sqrt(level * (1 - level) / n_seeds), 3),
        fixed(widths.mean()),
        fixed(errors.mean()),
        fixed(errors.std(ddof=1)),
    ]
    if level != LEVELS[0]:
        return [*row, "-", "-"]
    return [*row, f">= {LOWEST_COVERAGE:.2f}", met(share >= LOWEST_COVERAGE)]


def width_row(
    name: str, draw: Callable[[int, int], Bunch], sizes: tuple[int, ...], n_seeds: int
) -> list[str]:
    """Compare the widths of larger samples; they must shrink at each step."""
    widths = []
    for n_samples in sizes:
        call = partial(
            interval_of_seed, draw=draw, n_samples=n_samples, level=LEVELS[0]
        )
        widths.append(np.mean([width for _, width, _ in for_seeds(call, n_seeds)]))
    return [
        name,
        *(fixed(width) for width in widths),
        "falls",
        met(np.all(np.diff(widths) < 0)),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=200, quick_seeds=20)
    print_table(
        f"Coverage of the truth, n = {N_SAMPLES}, {options.n_seeds} seeds",
        ("case", "covered", "s.e.", "width", "bias", "s.d.", "target", "met"),
        [
            coverage_row(name, draw, level, options.n_seeds)
            for level in LEVELS
            for name, draw in CASES.items()
        ],
    )
    sizes = (500, 1000, 2000) if options.quick else (500, 1000, 2000, 4000, 8000)
    n_seeds = max(2, options.n_seeds // 10)
    print_table(
        f"Mean width by the number of samples, {n_seeds} seeds",
        ("case", *map(str, sizes), "target", "met"),
        [width_row(name, draw, sizes, n_seeds) for name, draw in CASES.items()],
    )


if __name__ == "__main__":
    main()
