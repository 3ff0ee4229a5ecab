"""Time of all pairs of columns, beside a double loop over scikit-learn."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from _tables import at_most, best_times, fixed, met, print_table, read_options
from sklearn.feature_selection import mutual_info_regression

from skinfo import pairwise_dependence

N_NEIGHBORS = 5
N_JOBS = 2
LARGEST_RATIO = 0.5


def chain(n_samples: int, n_features: int) -> np.ndarray:
    """Draw normal columns, each of which depends on the one before it."""
    X = np.random.default_rng(0).standard_normal((n_samples, n_features))
    X[:, 1:] += X[:, :-1]
    return X


KINDS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "normals": lambda X: X,
    "rounded to 1 decimal": lambda X: np.round(X, 1),
    "half zeros": lambda X: np.maximum(X, 0),
}


def scikit_learn(X: np.ndarray) -> np.ndarray:
    """Return the estimates of all ordered pairs: one call for each target."""
    return np.array(
        [
            mutual_info_regression(X, y, n_neighbors=N_NEIGHBORS, n_jobs=N_JOBS)
            for y in X.T
        ]
    )


def time_row(name: str, X: np.ndarray, repeats: int) -> list[str]:
    params = {"n_neighbors": N_NEIGHBORS}
    ours = partial(pairwise_dependence, X, measure_params=params)
    seconds = best_times(
        {
            "ours": partial(ours, n_jobs=N_JOBS),
            "one job": partial(ours, n_jobs=1),
            "scikit-learn": partial(scikit_learn, X),
        },
        repeats=repeats,
    )
    ratio = seconds["ours"] / seconds["scikit-learn"]
    return [
        f"{X.shape[1]} columns, {name}",
        str(len(X)),
        *(f"{value:.3g}" for value in seconds.values()),
        fixed(ratio, 3),
        at_most(LARGEST_RATIO, 3),
        met(ratio <= LARGEST_RATIO),
    ]


def main() -> None:
    options = read_options(__doc__)
    n_features, n_samples = (20, 1000) if options.quick else (100, 2000)
    X = chain(n_samples, n_features)
    print_table(
        f"Time of all pairs in seconds, n_jobs={N_JOBS}",
        ("case", "N", "ours", "one job", "scikit-learn", "ratio", "target", "met"),
        [time_row(name, transform(X), repeats=1) for name, transform in KINDS.items()],
    )


if __name__ == "__main__":
    main()
