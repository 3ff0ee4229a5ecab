"""Weighted k-means of scalars beside the exact optimum and scikit-learn's KMeans."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from _tables import at_most, best_times, fixed, met, print_table, read_options
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from skinfo.compression.kmeans._kmeans_1d import weighted_kmeans_1d
from skinfo.compression.kmeans._optimal_bounds import _add_cluster

N_VALUES = 100_000
N_SMALL = 2000
N_CLUSTERS = 64
REPEATS = 5
LARGEST_RATIO = 0.3  # of the times
LARGEST_SMALL_EXCESS = 1e-9

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LAWS: Mapping[str, tuple[Callable[..., FloatArray], float]] = {
    "normal": (lambda rng, n: rng.standard_normal(n), 1e-4),
    "Laplace": (lambda rng, n: rng.laplace(size=n), 1e-4),
    "Student t3": (lambda rng, n: rng.standard_t(3, size=n), 1e-3),
}


def optimal_inertia(values: FloatArray, n_clusters: int) -> float:
    """Return the least inertia, by dynamic programming over all values."""
    points = np.sort(values) - values.mean()
    first, second = (
        np.concatenate([[0.0], np.cumsum(points**power)]) for power in (1, 2)
    )

    def cost(starts: IntArray, stops: IntArray) -> FloatArray:
        total = first[stops] - first[starts]
        result: FloatArray = (
            second[stops] - second[starts] - total**2 / (stops - starts)
        )
        return result

    ends = np.arange(len(points) - n_clusters + 1)
    costs = cost(np.zeros_like(ends), ends + 1)
    for k in range(1, n_clusters):

        def cost_of_layer(rows: IntArray, columns: IntArray, k: int = k) -> FloatArray:
            return cost(columns + k, rows + k + 1)

        costs, _ = _add_cluster(costs, ends, cost_of_layer)
    return float(costs[-1])


def lloyd(values: FloatArray, seed: int) -> Any:
    model = KMeans(N_CLUSTERS, n_init=1, random_state=seed)
    return model.fit(values[:, np.newaxis])


def row(name: str, n_values: int, seed: int, repeats: int) -> list[str]:
    """Measure one sample: excess over the optimum, and time, of both."""
    draw, largest_excess = LAWS[name]
    values = draw(np.random.default_rng(seed), n_values)
    optimum = optimal_inertia(values, N_CLUSTERS)
    ours = weighted_kmeans_1d(values, None, N_CLUSTERS).inertia
    peer = lloyd(values, seed).inertia_
    calls = {
        "ours": partial(weighted_kmeans_1d, values, None, N_CLUSTERS),
        "peer": partial(lloyd, values, seed),
    }
    seconds = best_times(calls, repeats=repeats)
    ratio = seconds["ours"] / seconds["peer"]
    excess = ours / optimum - 1
    good = excess <= largest_excess and ratio <= LARGEST_RATIO and ours < peer
    return [
        name,
        str(seed),
        fixed(ours, 3),
        fixed(peer, 3),
        f"{excess:.1e}",
        f"{peer / optimum - 1:.1e}",
        f"<= {largest_excess:.0e}",
        *(fixed(1000 * value, 0) for value in seconds.values()),
        fixed(ratio, 2),
        at_most(LARGEST_RATIO, 1),
        met(good),
    ]


def small_row(name: str, seed: int) -> list[str]:
    """Compare a small sample with the optimum, from which rounding alone differs."""
    values = LAWS[name][0](np.random.default_rng(seed), N_SMALL)
    optimum = optimal_inertia(values, N_CLUSTERS)
    ours = weighted_kmeans_1d(values, None, N_CLUSTERS).inertia
    excess = abs(ours / optimum - 1)
    return [
        name,
        str(seed),
        fixed(ours, 6),
        f"{excess:.1e}",
        f"<= {LARGEST_SMALL_EXCESS:.0e}",
        met(excess <= LARGEST_SMALL_EXCESS),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=3, quick_seeds=2)
    n_values = N_VALUES // 5 if options.quick else N_VALUES
    repeats = 2 if options.quick else REPEATS
    cases = [(name, seed) for name in LAWS for seed in range(options.n_seeds)]
    print_table(
        f"{N_SMALL} values, {N_CLUSTERS} clusters: inertia, and its difference from "
        "the optimum",
        ("law", "seed", "ours", "difference", "target", "met"),
        [small_row(*case) for case in cases],
    )
    print_table(
        f"{n_values} values, {N_CLUSTERS} clusters: inertia, its excess over the "
        f"optimum, time in ms (best of {repeats})",
        (
            "law",
            "seed",
            "ours",
            "KMeans",
            "excess",
            "KMeans",
            "target",
            "ours",
            "KMeans",
            "ratio",
            "target",
            "met",
        ),
        [row(name, n_values, seed, repeats) for name, seed in cases],
    )


if __name__ == "__main__":
    main()
