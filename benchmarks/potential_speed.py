"""Time and memory of hypercontractivity, beside its authors' loops and dcor."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import resource
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from _peers import authors_loops, dcor, distance_correlation
from _samples import gaussian_pair, hidden_pair
from _tables import (
    at_most,
    best_times,
    fixed,
    met,
    print_skipped,
    print_table,
    read_options,
)
from mutual_info_speed import RUSAGE_UNIT, in_fresh_process
from sklearn.utils import Bunch

from skinfo import HypercontractivityCoef, hypercontractivity, maximal_correlation

CORRELATION = 0.6
REPEATS = 3
N_SMALL = 320
LARGEST_SMALL = 10.0  # ms
SMALLEST_SPEEDUP = 50.0
N_PERMUTATIONS = 999
LARGEST_PERMUTATIONS = 40.0  # s
LARGEST_PEER = 3.0  # times dcor
LARGEST_MILLION = 2.0  # s
LARGEST_GROWTH = 12.0

SMALL: Mapping[str, Callable[[int, int], Bunch]] = {
    "normals, rho = .6": partial(gaussian_pair, correlation=CORRELATION),
    "independent normals": partial(gaussian_pair, correlation=0.0),
    "hidden linear": partial(hidden_pair, shape="linear", noise=0.03),
    "hidden sine": partial(hidden_pair, shape="sine", noise=0.1),
}


def small_row(name: str, draw: Callable[[int, int], Bunch], repeats: int) -> list[str]:
    """Time a small pair, and the maximal correlation of the same pair."""
    sample = draw(N_SMALL, 0)
    calls = {
        "ours": partial(hypercontractivity, sample.x, sample.y),
        "paper": partial(hypercontractivity, sample.x, sample.y, method="paper"),
        "maximal": partial(maximal_correlation, sample.x, sample.y),
    }
    seconds = best_times(calls, repeats=20 * repeats)
    ours = 1000 * seconds["ours"]
    return [
        name,
        str(N_SMALL),
        *(fixed(1000 * value, 2) for value in seconds.values()),
        at_most(LARGEST_SMALL, 0),
        met(ours <= LARGEST_SMALL),
    ]


def loops_row(name: str, draw: Callable[[int, int], Bunch], repeats: int) -> list[str]:
    """Time the authors' loops, and ours on the same pair."""
    sample = draw(N_SMALL, 0)
    ours = partial(hypercontractivity, sample.x, sample.y)
    paper = partial(hypercontractivity, sample.x, sample.y, method="paper")
    loops = partial(authors_loops, sample.x, sample.y)
    seconds = best_times({"ours": ours, "paper": paper}, repeats=20 * repeats)
    seconds |= best_times({"loops": loops}, repeats=repeats)
    speedup = seconds["loops"] / seconds["ours"]
    return [
        name,
        str(N_SMALL),
        fixed(1000 * seconds["loops"], 0),
        fixed(loops()),
        fixed(paper()),
        fixed(seconds["loops"] / seconds["paper"], 0),
        fixed(speedup, 0),
        f">= {SMALLEST_SPEEDUP:.0f}",
        met(speedup >= SMALLEST_SPEEDUP),
    ]


def peer_row(n_samples: int, repeats: int) -> list[str]:
    """Time one pair against the distance correlation."""
    pair = gaussian_pair(n_samples, 0, correlation=CORRELATION)
    calls = {
        "ours": partial(hypercontractivity, pair.x, pair.y),
        "dcor": partial(distance_correlation, pair.x, pair.y),
    }
    distance_correlation(pair.x[:1000], pair.y[:1000])  # compiles it
    seconds = best_times(calls, repeats=repeats)
    ratio = seconds["ours"] / seconds["dcor"]
    return [
        "normals, rho = .6",
        str(n_samples),
        *(f"{value:.3f}" for value in seconds.values()),
        fixed(ratio, 2),
        at_most(LARGEST_PEER, 1),
        met(ratio <= LARGEST_PEER),
    ]


def growth_rows(
    name: str, draw: Callable[[int, int], Bunch], largest: int, repeats: int
) -> list[list[str]]:
    """Time a tenth of the samples, and all of them."""
    calls = {}
    for n_samples in (largest // 10, largest):
        sample = draw(n_samples, 0)
        calls[str(n_samples)] = partial(hypercontractivity, sample.x, sample.y)
    tenth, whole = best_times(calls, repeats=repeats).values()
    growth = whole / tenth
    return [
        [
            f"seconds, {name}",
            str(largest),
            f"{whole:.3f}",
            at_most(LARGEST_MILLION, 1),
            met(whole <= LARGEST_MILLION),
        ],
        [
            f"times those of a tenth, {name}",
            str(largest),
            fixed(growth, 1),
            at_most(LARGEST_GROWTH, 0),
            met(growth <= LARGEST_GROWTH),
        ],
    ]


def permutations_row(n_samples: int, n_permutations: int) -> list[str]:
    pair = gaussian_pair(n_samples, 0, correlation=0.0)
    selector = HypercontractivityCoef(
        n_permutations=n_permutations, n_jobs=2, random_state=0
    )
    call = partial(selector.fit, pair.x[:, np.newaxis], pair.y)
    seconds = best_times({"ours": call}, repeats=1)["ours"]
    return [
        f"seconds, {n_permutations} permutations, n_jobs=2",
        str(n_samples),
        f"{seconds:.1f}",
        at_most(LARGEST_PERMUTATIONS, 0),
        met(seconds <= LARGEST_PERMUTATIONS),
    ]


def peak_growth(n_samples: int, n_columns: int) -> float:
    """Return how far one call raises the peak resident set of this process, in MiB.

    The data are drawn in place, so that the peak before is the level before.
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_samples, n_columns))
    y = rng.standard_normal((n_samples, n_columns))
    hypercontractivity(x[:1000, 0], y[:1000, 0])  # whatever the first call loads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    hypercontractivity(x, y)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (after - before) * RUSAGE_UNIT / 2**20


def memory_row(n_samples: int, n_columns: int) -> list[str]:
    """Measure the growth of memory, against that of one matrix between all samples."""
    growth = in_fresh_process(peak_growth, n_samples, n_columns)
    matrix = n_samples**2 * 8 / 2**20
    return [
        f"{n_columns} + {n_columns} columns",
        str(n_samples),
        fixed(growth, 0),
        f"< {matrix:.0f}",
        met(growth < matrix),
    ]


def main() -> None:
    options = read_options(__doc__)
    largest = 100_000 if options.quick else 1_000_000
    repeats = 1 if options.quick else REPEATS
    sizes = ((largest // 10, 1), (largest, 1), (10_000, 2), (largest // 10, 2))
    print_table(
        "Peak memory of one call above the data, in MiB; target: an n x n matrix",
        ("case", "n", "ours", "target", "met"),
        [
            memory_row(n_samples, n_columns)
            for n_samples, n_columns in dict.fromkeys(sizes)
        ],
    )
    print_table(
        f"Time of a small pair in ms, best of {20 * repeats}",
        ("case", "n", "ours", "paper", "maximal", "target", "met"),
        [small_row(name, draw, repeats) for name, draw in SMALL.items()],
    )
    print_table(
        "The authors' loops: ms, their value and ours of the paper's method, "
        "and the ratio of times to that and to the default",
        ("case", "n", "loops", "value", "paper", "ratio", "ratio", "target", "met"),
        [loops_row(name, draw, repeats) for name, draw in SMALL.items()],
    )
    if dcor is None:
        print_skipped("the time of dcor", "it is not installed")
    else:
        print_table(
            f"Time in seconds, best of {repeats}",
            ("case", "n", "ours", "dcor", "ratio", "target", "met"),
            [peer_row(100_000, repeats)],
        )
    rows = [
        row
        for name, draw in SMALL.items()
        for row in growth_rows(name, draw, largest, repeats)
    ]
    n_permutations = N_PERMUTATIONS // 10 if options.quick else N_PERMUTATIONS
    print_table(
        f"Large samples, best of {repeats}; permutations, once",
        ("case", "n", "ours", "target", "met"),
        [*rows, permutations_row(10_000, n_permutations)],
    )


if __name__ == "__main__":
    main()
