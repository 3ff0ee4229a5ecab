"""Estimates that must stay below the entropy of the class, beside the peers."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from typing import Any

import numpy as np
from _estimators import authors_formula, scikit_learn
from _tables import fixed, met, print_table, read_options
from sklearn.datasets import load_iris

from skinfo import mutual_information

N_CLASSES = 3
PETAL_LENGTH = 2
N_POSITIVES = 10
LARGEST_OF_CONSTANT = 1e-3


def iris_row(n_neighbors: int, y_discrete: Any) -> list[str]:
    X, y = load_iris(return_X_y=True)
    x = X[:, PETAL_LENGTH]
    ours = mutual_information(x, y, n_neighbors=n_neighbors, y_discrete=y_discrete)
    peer = scikit_learn(x, y, y_discrete=True, n_neighbors=n_neighbors)
    authors = authors_formula(x, y, n_neighbors=n_neighbors)
    bound = float(np.log(N_CLASSES))
    return [
        f"iris petal length, k = {n_neighbors}, y_discrete={y_discrete}",
        *map(fixed, (ours, peer, authors)),
        f"<= {bound:.4f}",
        met(ours <= bound),
    ]


def constant_row(n_samples: int, y_discrete: Any) -> list[str]:
    """Measure a constant feature and a class with few positives."""
    x = np.zeros(n_samples)
    y = np.zeros(n_samples, dtype=int)
    y[:N_POSITIVES] = 1
    ours = mutual_information(x, y, y_discrete=y_discrete)
    peer = scikit_learn(x, y, y_discrete=True)
    authors = authors_formula(x, y)
    return [
        f"constant, {N_POSITIVES} positives of {n_samples}, y_discrete={y_discrete}",
        *(f"{value:.1e}" for value in (ours, peer, authors)),
        f"< {LARGEST_OF_CONSTANT:.0e}",
        met(abs(ours) < LARGEST_OF_CONSTANT),
    ]


def main() -> None:
    options = read_options(__doc__)
    kinds = (True, "auto")
    rows = [iris_row(k, kind) for k in (3, 5, 10) for kind in kinds]
    n_samples = 10_000 if options.quick else 100_000
    rows += [constant_row(n_samples, kind) for kind in kinds]
    print_table(
        "Mutual information with a class, in nats",
        ("case", "ours", "scikit-learn", "authors'", "target", "met"),
        rows,
    )


if __name__ == "__main__":
    main()
