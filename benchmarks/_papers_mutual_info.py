"""Gao, Kannan, Oh and Viswanath 2017: mutual information of mixtures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _estimators import authors_formula, mesner_shalizi, scikit_learn
from _samples import for_seeds
from _tables import fixed, print_table, standard_error
from mutual_info_accuracy import from_dataset
from numpy.typing import NDArray
from scipy.special import digamma
from sklearn.utils import Bunch

from skinfo import mutual_information
from skinfo.datasets import (
    make_discrete_continuous_mixture,
    make_discrete_plus_uniform,
    make_gaussian_dropout,
    make_zero_inflated_poisson,
)

N_SEEDS, QUICK_SEEDS = 100, 4
SIZES = (400, 800, 1600, 3200)
PEERS = ("scikit-learn", "Mesner-Shalizi")
PRINTED_SIZE = 500  # at which the algorithm as it is printed is tried
ZEROS = (0.0, 0.15, 0.3, 0.5)  # probabilities of Experiment IV

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """An experiment, its RMSE on the poster by the number of samples, if it is there.

    `flags`: what scikit-learn has to be told. `vector`: what it cannot do.
    """

    draw: Callable[[int, int], Bunch]
    poster: tuple[float, ...] | None = None
    flags: tuple[str, ...] = ()
    vector: bool = False


CASES = {
    "Experiment I": Case(
        from_dataset(make_discrete_continuous_mixture), (0.297, 0.256, 0.217, 0.181)
    ),
    "Experiment II": Case(
        from_dataset(make_discrete_plus_uniform),
        (0.0304, 0.0173, 0.0118, 0.0079),
        flags=("x_discrete",),
    ),
    "Experiment III": Case(
        from_dataset(make_discrete_plus_uniform, n_pairs=2), vector=True
    ),
    "Experiment III with I": Case(
        from_dataset(make_discrete_plus_uniform, n_pairs=2, with_mixture=True),
        vector=True,
    ),
    "Experiment IV, p = .15": Case(
        from_dataset(make_zero_inflated_poisson), flags=("y_discrete",)
    ),
    "dropout, two masks": Case(from_dataset(make_gaussian_dropout)),
    "dropout, one mask": Case(from_dataset(make_gaussian_dropout, shared_mask=True)),
}


def errors(case: Case, n_samples: int, seed: int) -> list[float]:
    """Return the error of the paper, of the default and of the peers, or NaN."""
    sample = case.draw(n_samples, seed)
    x, y = sample.x, sample.y
    peer = np.nan
    if not case.vector:
        peer = scikit_learn(x, y, **dict.fromkeys(case.flags, True))
    found = [
        authors_formula(x, y),
        mutual_information(x, y),
        peer,
        mesner_shalizi(x, y),
    ]
    return [value - sample.mutual_information for value in found]


def root_mean_squares(case: Case, n_samples: int, n_seeds: int) -> FloatArray:
    found = np.array(for_seeds(partial(errors, case, n_samples), n_seeds))
    result: FloatArray = np.sqrt(np.mean(found**2, axis=0))
    return result


def accuracy_row(name: str, place: int, found: FloatArray) -> list[str]:
    case = CASES[name]
    peers = dict(zip(PEERS, found[2:], strict=True))
    best = min(peers, key=lambda peer: np.nan_to_num(peers[peer], nan=np.inf))
    return [
        f"{name}, n = {SIZES[place]}",
        fixed(case.poster[place] if case.poster else None),
        *(fixed(value) if np.isfinite(value) else "-" for value in found),
        best,
    ]


def printed_algorithm(x: FloatArray, y: FloatArray, n_neighbors: int = 5) -> float:
    """Return the estimate of Algorithm 1 to the letter, of scalars.

    Closed counts n_x and n_y without the point itself, and log(n + 1) in place of the
    digamma function of the authors' code.
    """
    apart = [np.abs(np.subtract.outer(values, values)) for values in (x, y)]
    joint = np.maximum(*apart)
    radius = np.sort(joint, axis=1)[:, n_neighbors, np.newaxis]
    k = np.where(radius[:, 0] == 0, (joint == 0).sum(axis=1) - 1, n_neighbors)
    terms = digamma(k) + np.log(len(x))
    for distances in apart:
        terms -= np.log((distances <= radius).sum(axis=1))
    return float(terms.mean())


def printed_errors(seed: int) -> list[float]:
    sample = make_discrete_plus_uniform(PRINTED_SIZE, random_state=seed)
    return [
        estimate(sample.x, sample.y) - sample.mutual_information
        for estimate in (printed_algorithm, authors_formula, mutual_information)
    ]


def print_printed(n_seeds: int) -> None:
    found = np.array(for_seeds(printed_errors, n_seeds))
    names = ("Algorithm 1 as printed", "the authors' code (paper mode)", "default")
    print_table(
        f"Experiment II, n = {PRINTED_SIZE}: bias and RMSE, {n_seeds} seeds",
        ("estimator", "bias", "RMSE"),
        [
            [name, fixed(error.mean(), 3), fixed(np.sqrt(np.mean(error**2)), 3)]
            for name, error in zip(names, found.T, strict=True)
        ],
    )


def zeros_row(p: float, n_seeds: int) -> list[str]:
    """Compare two truths of Experiment IV with estimates from many samples."""
    draw = from_dataset(make_zero_inflated_poisson, zero_probability=p)

    def estimates(seed: int) -> tuple[float, float]:
        sample = draw(SIZES[-1], seed)
        x, y = sample.x, sample.y
        return authors_formula(x, y), mutual_information(x, y)

    found = np.array(for_seeds(estimates, n_seeds))
    without = make_zero_inflated_poisson(1, zero_probability=0).mutual_information
    cells = [(each.mean(), standard_error(each)) for each in found.T]
    return [
        f"p = {p}",
        fixed((1 - p) * without),
        fixed(draw(1, 0).mutual_information),
        *(f"{mean:.4f} +- {error:.4f}" for mean, error in cells),
    ]


def print_tables(n_seeds: int, *, quick: bool) -> dict[str, FloatArray]:
    """Print the tables; return the RMSE by the experiment, (n_sizes, 4)."""
    sizes = SIZES[:2] if quick else SIZES
    found = {
        name: np.array([root_mean_squares(case, n, n_seeds) for n in sizes])
        for name, case in CASES.items()
    }
    print_table(
        f"Mutual information: RMSE in nats, {n_seeds} seeds, 5 neighbours",
        ("experiment", "poster", "paper mode", "default", *PEERS, "best peer"),
        [
            accuracy_row(name, place, row)
            for name, rows in found.items()
            for place, row in enumerate(rows)
        ],
    )
    print_printed(n_seeds)
    print_table(
        f"Experiment IV: (1 - p) times the truth without a mask, the exact truth, and "
        f"the mean estimates of {n_seeds} samples of {SIZES[-1]}",
        ("mask", "as printed", "exact", "paper mode", "default"),
        [zeros_row(p, n_seeds) for p in ZEROS],
    )
    return found


def draw(found: dict[str, FloatArray], folder: Path) -> None:
    """Draw the RMSE of Experiments I and II by the number of samples."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for ax, name, ticks in (
        (axes[0], "Experiment I", (0.02, 0.05, 0.1, 0.2)),
        (axes[1], "Experiment II", (0.01, 0.02, 0.03)),
    ):
        sizes = SIZES[: len(found[name])]
        _lines(ax, sizes, found[name])
        ax.plot(sizes, CASES[name].poster[: len(sizes)], "kx", label="poster")
        ax.set(title=name, xlabel="samples", xscale="log", yscale="log")
        ax.set_xticks(sizes, map(str, sizes))
        ax.minorticks_off()
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].set_ylabel("RMSE in nats")
    axes[0].legend()
    figure.savefig(folder / "mutual_info.png", dpi=100)
    plt.close(figure)


def _lines(ax: Any, sizes: Sequence[int], found: FloatArray) -> None:
    for label, errors_, style in zip(
        ("paper mode", "default", "scikit-learn"), found.T[:3], "o^s", strict=True
    ):
        ax.plot(sizes, errors_, f"{style}-", label=label, markersize=4)
