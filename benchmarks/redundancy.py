"""Redundancy-aware selection on tables with redundant and repeated features.

How many copies are among the five features chosen first, and the accuracy of
classifiers on these five beside the five of the largest scores. Features are selected
on the training part of each of five shuffled folds.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _samples import for_seeds
from _tables import fixed, met, print_table, read_options, standard_error
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skinfo import MixedMutualInfo

N_CHOSEN = 5
GREEDY = ("mrmr", "jmi", "cmim")
STRATEGIES = ("marginal", *GREEDY)
CLASSIFIERS = {
    "5 neighbours": KNeighborsClassifier(),
    "logistic": LogisticRegression(max_iter=1000),
}


@dataclass(frozen=True)
class Case:
    """A table and its classes for each seed; whether all features are made binary."""

    load: Callable[[int], tuple[Any, Any]]
    binary: bool = False

    def sample(self, seed: int) -> tuple[Any, Any]:
        X, y = self.load(seed)
        return (np.median(X, axis=0) < X if self.binary else X), y


def copied(n_samples: int, n_informative: int, seed: int) -> tuple[Any, Any]:
    """Make informative features, 4 combinations of them, 4 copies and 6 of noise."""
    return make_classification(
        n_samples,
        n_features=n_informative + 14,
        n_informative=n_informative,
        n_redundant=4,
        n_repeated=4,
        n_clusters_per_class=2,
        random_state=seed,
    )


def breast_cancer(_: int) -> tuple[Any, Any]:
    """Take the 30 features of real data, of which few are independent."""
    return load_breast_cancer(return_X_y=True)


CASES = {
    "n = 300, 3 informative": Case(partial(copied, 300, 3)),
    "n = 1000, 3 informative": Case(partial(copied, 1000, 3)),
    "n = 1000, 5 informative": Case(partial(copied, 1000, 5)),
    "n = 1000, 3 informative, binary": Case(partial(copied, 1000, 3), binary=True),
    "breast cancer": Case(breast_cancer),
}


def select(strategy: str) -> MixedMutualInfo:
    return MixedMutualInfo(
        strategy=strategy, n_features_to_select=N_CHOSEN, discrete_target=True
    )


def copies(case: Case, strategy: str, seed: int) -> int:
    """Return how many of the chosen features are copies of other chosen ones."""
    X, y = case.sample(seed)
    chosen = select(strategy).fit_transform(X, y)
    return N_CHOSEN - len({column.tobytes() for column in chosen.T})


def copies_row(name: str, case: Case, n_seeds: int) -> list[str]:
    counts = {
        strategy: for_seeds(partial(copies, case, strategy), n_seeds)
        for strategy in STRATEGIES
    }
    return [
        name,
        *(fixed(np.mean(found), 2) for found in counts.values()),
        "0",
        met(not any(sum(counts[strategy]) for strategy in GREEDY)),
    ]


def accuracies(case: Case, seed: int) -> Any:
    """Return the accuracy of each classifier after each strategy, marginal first."""
    X, y = case.sample(seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    found = np.zeros((len(CLASSIFIERS), len(STRATEGIES)))
    for train, test in folds.split(X, y):
        for column, strategy in enumerate(STRATEGIES):
            chosen = select(strategy).fit(X[train], y[train]).get_support()
            for row, classifier in enumerate(CLASSIFIERS.values()):
                model = make_pipeline(StandardScaler(), classifier)
                model.fit(X[train][:, chosen], y[train])
                found[row, column] += model.score(X[test][:, chosen], y[test])
    return found / folds.get_n_splits()


def accuracy_rows(name: str, case: Case, n_seeds: int) -> list[list[str]]:
    found = np.array(for_seeds(partial(accuracies, case), n_seeds))
    rows = []
    for number, classifier in enumerate(CLASSIFIERS):
        values = found[:, number]
        gains = (values[:, 1:] - values[:, :1]).T
        rows.append(
            [
                f"{name}, {classifier}",
                *(fixed(mean, 3) for mean in values.mean(axis=0)),
                *(f"{gain.mean():+.3f} ({standard_error(gain):.3f})" for gain in gains),
                *(met(gain.mean() >= 0) for gain in gains),
            ]
        )
    return rows


def main() -> None:
    options = read_options(__doc__, n_seeds=10, quick_seeds=2)
    cases = dict(list(CASES.items())[:1]) if options.quick else CASES
    print_table(
        f"Copies among {N_CHOSEN} chosen features, mean of {options.n_seeds} seeds",
        ("case", "marginal", *GREEDY, "target of the three", "met"),
        [copies_row(name, case, options.n_seeds) for name, case in cases.items()],
    )
    print_table(
        f"Accuracy on {N_CHOSEN} chosen features, mean of {options.n_seeds} seeds; "
        "gain over marginal (standard error), and whether it is at least 0",
        (
            *("case, classifier", *STRATEGIES),
            *(f"gain {strategy}" for strategy in GREEDY),
            *(f"met {strategy}" for strategy in GREEDY),
        ),
        [
            row
            for name, case in cases.items()
            for row in accuracy_rows(name, case, options.n_seeds)
        ],
    )


if __name__ == "__main__":
    main()
