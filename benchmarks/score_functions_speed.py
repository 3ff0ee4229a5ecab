"""Time and memory of local likelihood, beside plain loops."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import resource
from functools import partial

import numpy as np
from _peers import local_likelihood_loops
from _tables import best_times, fixed, met, print_table, read_options
from mutual_info_speed import RUSAGE_UNIT, in_fresh_process

from skinfo import LocalLikelihoodScore

REPEATS = 3
SMALLEST_SPEEDUP = 50.0
LARGEST_GROWTH = 512.0  # MiB

# samples, features, and the seconds allowed
SIZES = ((10_000, 5, 10.0), (100_000, 1, None), (100_000, 2, 3.0))
MEMORY_SIZES = ((100_000, 2), (100_000, 5))


def samples(n_samples: int, n_features: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n_samples, n_features))


def derivatives(X: np.ndarray) -> None:
    LocalLikelihoodScore().fit(X).log_density_derivatives()


def loops_row(n_samples: int, n_features: int, repeats: int) -> list[str]:
    X = samples(n_samples, n_features)
    seconds = best_times({"ours": partial(derivatives, X)}, repeats=10 * repeats)
    calls = {"loops": partial(local_likelihood_loops, X, 1.0)}
    seconds |= best_times(calls, repeats=1)
    speedup = seconds["loops"] / seconds["ours"]
    return [
        f"d = {n_features}",
        str(n_samples),
        *(f"{value:.4f}" for value in seconds.values()),
        fixed(speedup, 0),
        f">= {SMALLEST_SPEEDUP:.0f}",
        met(speedup >= SMALLEST_SPEEDUP),
    ]


def time_row(
    n_samples: int, n_features: int, target: float | None, repeats: int
) -> list[str]:
    X = samples(n_samples, n_features)
    estimator = LocalLikelihoodScore().fit(X)
    calls = {
        "derivatives": partial(derivatives, X),
        "score": partial(estimator.score, None),
    }
    seconds = best_times(calls, repeats=repeats)
    return [
        f"d = {n_features}",
        str(n_samples),
        *(fixed(value, 2) for value in seconds.values()),
        "-" if target is None else f"<= {target:.0f}",
        "-" if target is None else met(seconds["derivatives"] <= target),
    ]


def peak_growth(n_samples: int, n_features: int) -> float:
    """Return how far one call raises the peak resident set of this process, in MiB.

    In five columns it is the call for the first 2000 samples, in blocks as for all.
    """
    X = samples(n_samples, n_features)
    derivatives(X[:1000])  # whatever the first call loads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    estimator = LocalLikelihoodScore().fit(X)
    estimator.log_density_derivatives(X[:2000] if n_features > 2 else None)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (after - before) * RUSAGE_UNIT / 2**20


def memory_row(n_samples: int, n_features: int) -> list[str]:
    growth = in_fresh_process(peak_growth, n_samples, n_features)
    return [
        f"d = {n_features}",
        str(n_samples),
        fixed(growth, 0),
        f"<= {LARGEST_GROWTH:.0f}",
        met(growth <= LARGEST_GROWTH),
    ]


def main() -> None:
    options = read_options(__doc__)
    repeats = 1 if options.quick else REPEATS
    print_table(
        "Peak memory above the data, in MiB",
        ("case", "n", "ours", "target", "met"),
        [memory_row(*size) for size in MEMORY_SIZES],
    )
    print_table(
        "Gradient and hessian at all samples, beside loops over pairs, in seconds",
        ("case", "n", "ours", "loops", "ratio", "target", "met"),
        [loops_row(300 if options.quick else 1000, d, repeats) for d in (1, 2)],
    )
    sizes = SIZES[:1] if options.quick else SIZES
    print_table(
        f"Time in seconds, best of {repeats}",
        ("case", "n", "derivatives", "score", "target", "met"),
        [time_row(*size, repeats) for size in sizes],
    )


if __name__ == "__main__":
    main()
