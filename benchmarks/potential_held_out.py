"""Held-out score of the tilt, and whether the tilt lies on the rare segment."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from _samples import (
    for_seeds,
    gaussian_pair,
    hidden_pair,
    independent_pair,
    permuted_hidden_pair,
)
from _tables import fixed, met, print_table, read_options, standard_error
from sklearn.utils import Bunch

from skinfo import HypercontractivityCoef

LARGEST_NULL = 0.01
SMALLEST_SHARE = 0.9  # of seeds with a positive score
SMALLEST_EXCESS = 0.8  # of the tilt, on the rare segment
N_TARGET = 1000  # samples, in training and held out
FIRST_HELD_OUT = 100_000  # its seed
TENTHS = {"first tenth": 0.0, "middle tenth": 0.45, "last tenth": 0.9}

LINEAR = {"shape": "linear", "noise": 0.03}
SINE = {"shape": "sine", "noise": 0.1}


@dataclass(frozen=True)
class Case:
    """Samples from a number and a seed; whether they are independent or hidden."""

    name: str
    draw: Callable[[int, int], Bunch]
    independent: bool = False
    hidden: bool = False


CASES = [
    Case("normals", partial(independent_pair, law="normal"), independent=True),
    Case("lognormals", partial(independent_pair, law="lognormal"), independent=True),
    Case("Cauchys", partial(independent_pair, law="Cauchy"), independent=True),
    Case(
        "hidden linear, permuted",
        partial(permuted_hidden_pair, **LINEAR),
        independent=True,
    ),
    Case(
        "hidden sine, permuted", partial(permuted_hidden_pair, **SINE), independent=True
    ),
    Case("hidden linear", partial(hidden_pair, **LINEAR), hidden=True),
    Case("hidden sine", partial(hidden_pair, **SINE), hidden=True),
    Case("normals, rho^2 = .36", partial(gaussian_pair, correlation=0.6)),
]


def score_and_excess(
    draw: Callable[[int, int], Bunch], n_samples: int, seed: int
) -> tuple[float, float, float]:
    """Return the estimate, the held-out score, and the rare part of the excess.

    The excess of a tilt w is sum (w - 1)+ over the training samples.
    """
    training, new = draw(n_samples, seed), draw(n_samples, FIRST_HELD_OUT + seed)
    X = training.x[:, np.newaxis]
    selector = HypercontractivityCoef().fit(X, training.y)
    score = selector.score(new.x[:, np.newaxis], new.y)
    if "rare" not in training:
        return selector.scores_[0], score, np.nan
    excess = np.maximum(selector.tilt(X)[:, 0] - 1, 0)
    return selector.scores_[0], score, excess[training.rare].sum() / excess.sum()


def score_row(case: Case, n_samples: int, n_seeds: int) -> list[str]:
    call = partial(score_and_excess, case.draw, n_samples)
    estimates, scores, excess = np.transpose(for_seeds(call, n_seeds))
    mean, positive = float(scores.mean()), float(np.mean(scores > 0))
    target, is_met = "-", "-"
    if case.independent:
        target, is_met = f"score <= {LARGEST_NULL}", met(mean <= LARGEST_NULL)
    elif case.hidden and n_samples == N_TARGET:
        target = f"positive >= {SMALLEST_SHARE}, excess >= {SMALLEST_EXCESS}"
        is_met = met(positive >= SMALLEST_SHARE and excess.mean() >= SMALLEST_EXCESS)
    return [
        case.name,
        str(n_samples),
        fixed(np.median(estimates)),
        fixed(mean),
        fixed(standard_error(scores)),
        fixed(positive, 2),
        *(
            ["-", "-"]
            if np.isnan(excess).any()
            else [fixed(excess.mean(), 2), fixed(excess.min(), 2)]
        ),
        target,
        is_met,
    ]


def score_of_few(n_new: int, seed: int) -> float:
    """Score few new samples of the hidden linear pair."""
    training = hidden_pair(N_TARGET, seed, **LINEAR)
    new = hidden_pair(n_new, FIRST_HELD_OUT + seed, **LINEAR)
    selector = HypercontractivityCoef().fit(training.x[:, np.newaxis], training.y)
    return float(selector.score(new.x[:, np.newaxis], new.y))


def score_with_noise(n_columns: int, seed: int) -> float:
    """Score normals, rho^2 = .36, with columns of noise on each side."""
    (X, Y), (X_new, Y_new) = (
        with_noise(gaussian_pair(N_TARGET, each, correlation=0.6), n_columns, each)
        for each in (seed, FIRST_HELD_OUT + seed)
    )
    return float(HypercontractivityCoef().fit(X, Y).score(X_new, Y_new))


def with_noise(pair: Bunch, n_columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, 1])
    noise_x, noise_y = rng.standard_normal((2, len(pair.x), n_columns))
    return np.column_stack([pair.x, noise_x]), np.column_stack([pair.y, noise_y])


def score_rows(n_seeds: int) -> list[list[str]]:
    """Score few new samples, and vectors with columns that only isolate samples."""
    calls: dict[str, Callable[[int], float]] = {
        f"hidden linear, {n_new} new": partial(score_of_few, n_new)
        for n_new in (100, 200, N_TARGET)
    }
    calls |= {
        f"normals, rho^2 = .36, {n_columns} + {n_columns} of noise": partial(
            score_with_noise, n_columns
        )
        for n_columns in (0, 1, 2)
    }
    rows = []
    for name, call in calls.items():
        scores = for_seeds(call, n_seeds)
        rows.append([name, fixed(np.mean(scores)), fixed(standard_error(scores))])
    return rows


def excess_in_tenths(seed: int) -> list[float]:
    """Return the part of the excess of noise on three tenths of a uniform x."""
    x, y = np.random.default_rng(seed).uniform(size=(2, N_TARGET))
    selector = HypercontractivityCoef().fit(x[:, np.newaxis], y)
    excess = np.maximum(selector.tilt(x[:, np.newaxis])[:, 0] - 1, 0)
    return [
        float(excess[(x > low) & (x <= low + 0.1)].sum() / excess.sum())
        for low in TENTHS.values()
    ]


def tenths_rows(n_seeds: int) -> list[list[str]]:
    shares = np.transpose(for_seeds(excess_in_tenths, n_seeds))
    return [
        [name, fixed(of_tenth.mean(), 3), fixed(standard_error(of_tenth), 3)]
        for name, of_tenth in zip(TENTHS, shares, strict=True)
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=20, quick_seeds=3)
    sizes = (N_TARGET,) if options.quick else (320, N_TARGET, 4000)
    print_table(
        "Score of n held-out samples, n in training; "
        f"share of the excess of the tilt on rare samples; {options.n_seeds} seeds",
        (
            *("case", "n", "median estimate", "mean score", "s.e.", "positive"),
            *("mean excess", "smallest", "target", "met"),
        ),
        [
            score_row(case, n_samples, options.n_seeds)
            for n_samples in sizes
            for case in CASES
        ],
    )
    print_table(
        f"Score, n = {N_TARGET} in training and held out where no other is told; "
        f"{options.n_seeds} seeds",
        ("case", "mean score", "s.e."),
        score_rows(options.n_seeds),
    )
    n_seeds = 10 * options.n_seeds
    print_table(
        f"Independent, x uniform, n = {N_TARGET}: share of the excess, {n_seeds} seeds",
        ("part of the range", "mean", "s.e."),
        tenths_rows(n_seeds),
    )


if __name__ == "__main__":
    main()
