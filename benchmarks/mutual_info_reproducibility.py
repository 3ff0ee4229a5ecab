"""Results by number of jobs, backend and order of the rows."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from contextlib import nullcontext
from typing import Any

import numpy as np
from _samples import gaussian_pair
from _tables import fixed, met, print_table, read_options, standard_error
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, cross_val_score, train_test_split

from skinfo import MixedMutualInfo, mutual_information

N_JOBS = 2
N_PERMUTATIONS = 20
BACKENDS = (None, "loky", "threading")


def mixed_table(n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a table with a continuous, zero-inflated, rounded and nominal feature."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n_samples, 4))
    y = latent.sum(axis=1) + rng.standard_normal(n_samples)
    columns = [
        latent[:, 0],
        np.maximum(latent[:, 1], 0),
        np.round(latent[:, 2], 1),
        np.where(latent[:, 3] > 0, "high", "low").astype(object),
    ]
    X = np.empty((n_samples, len(columns)), dtype=object)
    for position, column in enumerate(columns):
        X[:, position] = column
    return X, np.maximum(y, 0)


def results(n_samples: int, n_jobs: int, backend: str | None) -> dict[str, Any]:
    """Return all that a fit, a score and a large pair give with these jobs."""
    X, y = mixed_table(n_samples)
    new = mixed_table(n_samples // 2)
    pair = gaussian_pair(50 * n_samples, 0, correlation=0.6)
    selector = MixedMutualInfo(
        n_permutations=N_PERMUTATIONS, random_state=0, n_jobs=n_jobs
    )
    with nullcontext() if backend is None else parallel_config(backend):
        selector.fit(X, y)
        return {
            "scores_": selector.scores_,
            "null_distribution_": selector.null_distribution_,
            "pvalues_": selector.pvalues_,
            "score": selector.score(*new),
            "mutual_information": mutual_information(pair.x, pair.y, n_jobs=n_jobs),
        }


def backend_rows(n_samples: int) -> list[list[str]]:
    """Compare all results with those of one job, bit by bit."""
    expected = results(n_samples, 1, None)
    rows = []
    for backend in BACKENDS:
        name = f"n_jobs={N_JOBS}, {backend or 'default'} backend"
        for key, value in results(n_samples, N_JOBS, backend).items():
            difference = float(np.max(np.abs(value - expected[key])))
            identical = np.array_equal(value, expected[key])
            rows.append([f"{name}: {key}", f"{difference:.1e}", "0", met(identical)])
    return rows


def cross_validated(X: np.ndarray, y: np.ndarray, seed: int) -> float:
    cv = KFold(5, shuffle=True, random_state=seed)
    selector = MixedMutualInfo(discrete_target=True)
    return float(cross_val_score(selector, X, y, cv=cv).mean())


def iris_row(n_seeds: int) -> list[str]:
    """Cross-validate on iris as it is, sorted by class, and with shuffled rows."""
    X, y = load_iris(return_X_y=True)
    as_it_is = [cross_validated(X, y, seed) for seed in range(n_seeds)]
    shuffled = []
    for seed in range(n_seeds):
        order = np.random.default_rng(seed).permutation(len(y))
        shuffled.append(cross_validated(X[order], y[order], seed))
    difference = float(np.mean(shuffled) - np.mean(as_it_is))
    error = float(np.hypot(standard_error(as_it_is), standard_error(shuffled)))
    return shuffling_row(
        "iris, 5 shuffled folds", float(np.mean(as_it_is)), difference, error
    )


def held_out_rows(n_seeds: int, n_samples: int) -> list[list[str]]:
    """Score the same held-out samples, sorted by the target and in other orders."""
    pair = gaussian_pair(n_samples, 0, correlation=0.9)
    tables = {
        "iris": (*load_iris(return_X_y=True), True),
        "normals, rho = .9": (pair.x[:, np.newaxis], pair.y, "auto"),
    }
    return [
        held_out_row(name, X, y, kind, n_seeds) for name, (X, y, kind) in tables.items()
    ]


def held_out_row(
    name: str, X: np.ndarray, y: np.ndarray, kind: Any, n_seeds: int
) -> list[str]:
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    selector = MixedMutualInfo(discrete_target=kind).fit(X_train, y_train)
    order = np.argsort(y_test, kind="stable")
    in_order = selector.score(X_test[order], y_test[order])
    shuffled = []
    for seed in range(n_seeds):
        order = np.random.default_rng(seed).permutation(len(y_test))
        shuffled.append(selector.score(X_test[order], y_test[order]))
    difference = float(np.mean(shuffled) - in_order)
    # one score in order against the mean of others
    error = float(np.hypot(np.std(shuffled, ddof=1), standard_error(shuffled)))
    return shuffling_row(
        f"{name}, {len(y_test)} held-out rows", in_order, difference, error
    )


def shuffling_row(
    name: str, in_order: float, difference: float, error: float
) -> list[str]:
    bound = 2 * error + 1e-12  # rounding alone, where the error is 0
    return [
        name,
        fixed(in_order),
        f"{difference:.1e}",
        f"<= {bound:.1e}",
        met(abs(difference) <= bound),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=20, quick_seeds=3)
    n_samples = 500 if options.quick else 2000
    print_table(
        f"Largest difference to n_jobs=1, {n_samples} rows of a mixed table",
        ("result", "difference", "target", "met"),
        backend_rows(n_samples),
    )
    print_table(
        f"Held-out score of sorted and of shuffled rows, {options.n_seeds} seeds; "
        "target: 2 standard errors",
        ("case", "sorted", "change", "target", "met"),
        [iris_row(options.n_seeds), *held_out_rows(options.n_seeds, 4 * n_samples)],
    )


if __name__ == "__main__":
    main()
