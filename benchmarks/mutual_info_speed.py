"""Time and memory of mutual information, beside scikit-learn in the same run."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from _samples import gaussian_pair
from _tables import at_most, best_times, fixed, met, print_table, read_options
from scipy.special import ndtr
from scipy.stats import poisson
from sklearn.feature_selection import mutual_info_regression
from sklearn.utils import check_random_state

from skinfo import MixedMutualInfo, mutual_information

N_NEIGHBORS = 5
REPEATS = 3
RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
SLOWDOWN_OF_RANKS = 1.5

HEADER = ("case", "N", "ours (s)", "against", "(s)", "ratio", "target", "met")


def scikit_learn(x: Any, y: Any) -> Any:
    return mutual_info_regression(x[:, np.newaxis], y, n_neighbors=N_NEIGHBORS)


ESTIMATES: Mapping[str, Callable[[Any, Any], Any]] = {
    "scale=None": partial(mutual_information, n_neighbors=N_NEIGHBORS, scale=None),
    'scale="rank"': partial(mutual_information, n_neighbors=N_NEIGHBORS, scale="rank"),
    "scikit-learn": scikit_learn,
}


def time_row(
    case: str, n_samples: int, ours: float, peer: str, theirs: float, *, target: float
) -> list[str]:
    ratio = ours / theirs
    return [
        case,
        str(n_samples),
        f"{ours:.3g}",
        peer,
        f"{theirs:.3g}",
        fixed(ratio, 3),
        at_most(target, 3),
        met(ratio <= target),
    ]


def scalar_pair_rows(n_samples: int, target: float, repeats: int) -> list[list[str]]:
    """Time one pair of normals with each scale; ranks may take half as long again."""
    pair = gaussian_pair(n_samples, 0, correlation=0.6)
    calls = {
        name: partial(estimate, pair.x, pair.y) for name, estimate in ESTIMATES.items()
    }
    seconds = best_times(calls, repeats=repeats)
    theirs = seconds["scikit-learn"]
    targets = {"scale=None": target, 'scale="rank"': SLOWDOWN_OF_RANKS * target}
    return [
        time_row(
            f"scalar pair, {name}",
            n_samples,
            seconds[name],
            "scikit-learn",
            theirs,
            target=bound,
        )
        for name, bound in targets.items()
    ]


TIED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "binary": lambda z: (z > 0).astype(float),
    "Poisson(3)": lambda z: poisson.ppf(ndtr(z), 3),
    "10 distinct values": lambda z: np.floor(10 * ndtr(z)),
    "rounded to 2 decimals": lambda z: np.round(z, 2),
    "50% zeros": lambda z: np.maximum(z, 0),
}


def tied_rows(n_samples: int, repeats: int) -> list[list[str]]:
    """Time data tied in x and y, or in x alone, against the normals they come from."""
    pair = gaussian_pair(n_samples, 0, correlation=0.6)
    calls = {"continuous": partial(mutual_information, pair.x, pair.y)}
    for name, transform in TIED.items():
        x, y = transform(pair.x), transform(pair.y)
        calls[name] = partial(mutual_information, x, y)
        calls[f"{name}, y continuous"] = partial(mutual_information, x, pair.y)
    seconds = best_times(calls, repeats=repeats)
    continuous = seconds.pop("continuous")
    return [
        time_row(name, n_samples, ours, "continuous", continuous, target=1.0)
        for name, ours in seconds.items()
    ]


def doubling_rows(sizes: Sequence[int], repeats: int) -> list[list[str]]:
    """Time each size against half of it."""
    kinds = {"normals": lambda z: z, **TIED}
    calls = {}
    for n_samples in sizes:
        pair = gaussian_pair(n_samples, 0, correlation=0.6)
        for name, transform in kinds.items():
            x, y = transform(pair.x), transform(pair.y)
            calls[name, n_samples] = partial(mutual_information, x, y)
    seconds = best_times(calls, repeats=repeats)
    return [
        time_row(
            f"doubling N, {name}",
            double,
            seconds[name, double],
            f"N = {single}",
            seconds[name, single],
            target=2.6,
        )
        for name in kinds
        for single, double in pairwise(sizes)
    ]


def many_features_row(n_features: int, n_samples: int, repeats: int) -> list[str]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    y = X[:, 0] + rng.standard_normal(n_samples)
    selector = MixedMutualInfo(N_NEIGHBORS, n_jobs=2)
    seconds = best_times(
        {
            "ours": partial(selector.fit, X, y),
            "theirs": partial(
                mutual_info_regression, X, y, n_neighbors=N_NEIGHBORS, n_jobs=2
            ),
        },
        repeats=repeats,
    )
    return time_row(
        f"{n_features} features, n_jobs=2",
        n_samples,
        seconds["ours"],
        "scikit-learn, n_jobs=2",
        seconds["theirs"],
        target=0.5,
    )


def permutations_row(n_permutations: int, n_samples: int, repeats: int) -> list[str]:
    """Time p-values of one feature against a loop over permuted targets."""
    pair = gaussian_pair(n_samples, 0, correlation=0.6)
    X = pair.x[:, np.newaxis]
    selector = MixedMutualInfo(
        N_NEIGHBORS, n_permutations=n_permutations, random_state=0
    )

    def loop() -> None:
        random_state = check_random_state(0)
        for _ in range(n_permutations):
            scikit_learn(pair.x, random_state.permutation(pair.y))

    seconds = best_times(
        {"ours": partial(selector.fit, X, pair.y), "theirs": loop}, repeats=repeats
    )
    return time_row(
        f"{n_permutations} permutations",
        n_samples,
        seconds["ours"],
        "loop of scikit-learn",
        seconds["theirs"],
        target=0.35,
    )


def peak_growth(name: str, n_samples: int) -> float:
    """Return how far an estimate raises the peak resident set of this process, in MiB.

    The data are drawn in place, so that the peak before is the level before.
    """
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(n_samples), rng.standard_normal(n_samples)
    estimate = ESTIMATES[name]
    estimate(x[:1000], y[:1000])  # whatever the first call loads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    estimate(x, y)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (after - before) * RUSAGE_UNIT / 2**20


def in_fresh_process(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own.

    A process starts with the peak of the one that starts it, so this one must be small.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as executor:
        return executor.submit(call, *arguments).result()


def memory_rows(n_samples: int) -> list[list[str]]:
    growth = {
        name: in_fresh_process(peak_growth, name, n_samples) for name in ESTIMATES
    }
    theirs = growth.pop("scikit-learn")
    targets = {"scale=None": 200.0, 'scale="rank"': SLOWDOWN_OF_RANKS * 200.0}
    return [
        [
            f"scalar pair, {name}",
            str(n_samples),
            fixed(ours, 0),
            fixed(theirs, 0),
            at_most(targets[name], 0),
            met(ours <= targets[name]),
        ]
        for name, ours in growth.items()
    ]


def print_times(title: str, rows: Iterable[Sequence[str]]) -> None:
    print_table(title, HEADER, list(rows))


def main() -> None:
    options = read_options(__doc__)
    largest = 100_000 if options.quick else 1_000_000
    repeats = 2 if options.quick else REPEATS
    print_table(
        "Peak memory above the data, in MiB",
        ("case", "N", "ours", "scikit-learn", "target", "met"),
        memory_rows(largest),
    )
    targets = {100_000: 0.45, 1_000_000: 0.35}
    print_times(
        f"Time of one pair, best of {repeats}",
        [
            row
            for n_samples, target in targets.items()
            if n_samples <= largest
            for row in scalar_pair_rows(n_samples, target, repeats)
        ],
    )
    print_times(
        f"Time of tied data, best of {repeats}",
        [
            row
            for n_samples in (10_000, 100_000, 1_000_000)
            if n_samples <= largest
            for row in tied_rows(n_samples, repeats)
        ],
    )
    print_times(
        f"Time of twice the samples, best of {repeats}",
        doubling_rows([largest // 8, largest // 4, largest // 2, largest], repeats),
    )
    print_times(
        f"Time of many estimates, best of {repeats}",
        [
            many_features_row(20 if options.quick else 100, 10_000, repeats),
            permutations_row(200, 1000, repeats),
        ],
    )


if __name__ == "__main__":
    main()
