"""Held-out score, and the number of neighbours that cross-validation chooses by it."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from _estimators import scikit_learn
from _samples import gaussian_information, gaussian_pair
from _tables import fixed, met, print_table, read_options, standard_error
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils import Bunch

from skinfo import MixedMutualInfo
from skinfo.datasets import make_zero_inflated_poisson

N_NEIGHBORS = (3, 5, 10, 20)
N_SAMPLES = 1000
N_TRAINING = 800
LARGEST_ERROR = 0.03
NEAR = 0.05
SMALLEST_SHARE = 0.8


@dataclass(frozen=True)
class Case:
    """Samples from a number and a seed; whether they are normal (else y is counts)."""

    name: str
    draw: Callable[[int, int], Bunch]
    normal: bool = True

    def samples(self, n_seeds: int) -> list[Bunch]:
        return [self.draw(N_SAMPLES, seed) for seed in range(n_seeds)]


def experiment_four(n_samples: int, seed: int) -> Bunch:
    return make_zero_inflated_poisson(n_samples, random_state=seed)


CASES = [
    Case("normals, rho = 0", partial(gaussian_pair, correlation=0.0)),
    Case("normals, rho = .6", partial(gaussian_pair, correlation=0.6)),
    Case("normals, rho = .9", partial(gaussian_pair, correlation=0.9)),
    Case("Experiment IV, p = .15", experiment_four, normal=False),
]


def score_row(case: Case, n_neighbors: int, n_seeds: int) -> list[str]:
    """Score the samples that were left out, and estimate from those that were not."""
    training, held_out = [], []
    for sample in case.samples(n_seeds):
        X = sample.x[:, np.newaxis]
        selector = MixedMutualInfo(n_neighbors)
        selector.fit(X[:N_TRAINING], sample.y[:N_TRAINING])
        training.append(selector.scores_[0])
        held_out.append(selector.score(X[N_TRAINING:], sample.y[N_TRAINING:]))
    truth = sample.mutual_information
    mean, error = float(np.mean(held_out)), standard_error(held_out)
    return [
        f"{case.name}, k = {n_neighbors}",
        fixed(truth),
        fixed(np.mean(training)),
        fixed(mean),
        fixed(error),
        f"<= {truth + 2 * error:.4f}",
        met(mean <= truth + 2 * error),
    ]


def chosen_estimate(sample: Bunch, seed: int) -> tuple[float, int]:
    """Return the estimate at the k that the held-out score chooses, and this k."""
    search = GridSearchCV(
        MixedMutualInfo(),
        {"n_neighbors": N_NEIGHBORS},
        cv=KFold(5, shuffle=True, random_state=seed),
    )
    search.fit(sample.x[:, np.newaxis], sample.y)
    return search.best_estimator_.scores_[0], search.best_params_["n_neighbors"]


def parametric_estimate(sample: Bunch) -> float:
    """Return the estimate of one who knows that the pair is normal."""
    return gaussian_information(np.corrcoef(sample.x, sample.y)[0, 1])


def search_row(case: Case, n_seeds: int) -> list[str]:
    samples = case.samples(n_seeds)
    truth = samples[0].mutual_information
    chosen = [chosen_estimate(sample, seed) for seed, sample in enumerate(samples)]
    ours, neighbors = map(np.array, zip(*chosen, strict=True))
    peer = np.array(
        [
            scikit_learn(sample.x, sample.y, y_discrete=not case.normal, n_neighbors=3)
            for sample in samples
        ]
    )
    error = float(np.abs(ours - truth).mean())
    share = float(np.mean(np.abs(ours - truth) <= NEAR))
    yardstick = None
    if case.normal:
        yardstick = np.std([parametric_estimate(sample) for sample in samples], ddof=1)
    return [
        case.name,
        fixed(truth),
        fixed(np.median(neighbors), 0),
        fixed(error),
        fixed(share, 2),
        fixed(np.abs(peer - truth).mean()),
        fixed(np.mean(np.abs(peer - truth) <= NEAR), 2),
        fixed(yardstick),
        f"<= {LARGEST_ERROR}, >= {SMALLEST_SHARE}",
        met(error <= LARGEST_ERROR and share >= SMALLEST_SHARE),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=20, quick_seeds=3)
    n_test = N_SAMPLES - N_TRAINING
    print_table(
        f"Score of {n_test} held-out samples, {N_TRAINING} in training, "
        f"{options.n_seeds} seeds, in nats",
        ("case", "truth", "estimate", "score", "s.e.", "target", "met"),
        [score_row(case, k, options.n_seeds) for case in CASES for k in N_NEIGHBORS],
    )
    print_table(
        f"Estimate at the k that GridSearchCV chooses, N = {N_SAMPLES}, "
        f"{options.n_seeds} seeds, in nats",
        (
            *("case", "truth", "median k", "mean |error|", f"within {NEAR}"),
            *("scikit-learn", f"within {NEAR}", "s.d. parametric", "target", "met"),
        ),
        [search_row(case, options.n_seeds) for case in CASES],
    )


if __name__ == "__main__":
    main()
