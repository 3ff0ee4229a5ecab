"""Prediction on data that no network of one hidden layer made, beside MLPRegressor.

R^2 of five shuffled folds. The peer has the same width and training, on scaled inputs
and outputs, from three random starts.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _samples import for_seeds
from _tables import fixed, met, print_table, read_options
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skinfo import ScoreFunctionLoss

MOST_BELOW = 0.02  # of the mean of the peer
N_STARTS = 3


@dataclass(frozen=True)
class Case:
    """A table for each seed, and the number of hidden units."""

    load: Callable[[int], tuple[Any, Any]]
    n_components: int
    varies: bool = True
    promised: bool = False


def friedman(n_samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    return make_friedman1(n_samples, noise=noise, random_state=seed)


def diabetes(_: int) -> tuple[Any, Any]:
    return load_diabetes(return_X_y=True)


CASES = {
    "friedman1, n = 2000, no noise, 10 units": Case(
        partial(friedman, 2000, 0.0), 10, promised=True
    ),
    "friedman1, n = 1000, noise 1, 10 units": Case(partial(friedman, 1000, 1.0), 10),
    "diabetes, 2 units": Case(diabetes, 2, varies=False),
    "diabetes, 10 units": Case(diabetes, 10, varies=False),
}


def peer(n_components: int, seed: int, *, scaled: bool = True) -> Any:
    network = MLPRegressor(
        hidden_layer_sizes=(n_components,),
        solver="lbfgs",
        max_iter=1000,
        random_state=seed,
    )
    if not scaled:
        return network
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )


def scores(case: Case, seed: int) -> list[float]:
    """Return R^2 of ours, with and without polish, the peers, ridge; warnings."""
    X, y = case.load(seed)
    folds = KFold(5, shuffle=True, random_state=seed)

    def r2(model: Any) -> float:
        return float(cross_val_score(model, X, y, cv=folds).mean())

    ours = partial(ScoreFunctionLoss, n_components=case.n_components, random_state=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        polished, head = r2(ours()), r2(ours(polish=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        raw, scaled = (
            np.mean([r2(peer(case.n_components, start, scaled=scaled))
                     for start in range(N_STARTS)])
            for scaled in (False, True)
        )  # fmt: skip
    ridge = r2(make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))))
    return [polished, head, float(raw), float(scaled), ridge, len(caught)]


def row(name: str, case: Case, n_seeds: int) -> list[str]:
    n_seeds = n_seeds if case.varies else 1
    found = np.array(for_seeds(partial(scores, case), n_seeds))
    *means, n_warnings = found.mean(axis=0)
    below = max(means[2], means[3]) - means[0]
    return [
        name,
        str(n_seeds),
        *(fixed(value, 3) for value in means),
        fixed(below, 3),
        f"<= {MOST_BELOW}" if case.promised else "-",
        met(below <= MOST_BELOW) if case.promised else "-",
        fixed(n_warnings, 1),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=5, quick_seeds=2)
    cases = dict(list(CASES.items())[2:]) if options.quick else CASES
    print_table(
        "Mean R^2 of five folds; how far the better peer is above ours; warnings of "
        "the ten fits",
        (
            *("case", "seeds", "ours", "no polish", "MLP", "MLP, scaled", "ridge"),
            *("above", "target", "met", "warnings"),
        ),
        [row(name, case, options.n_seeds) for name, case in cases.items()],
    )


if __name__ == "__main__":
    main()
