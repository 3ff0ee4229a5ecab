"""Gao, Liu, Wang and Oh 2019: rate and distortion of compressed models."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _samples import for_seeds
from _tables import fixed, print_table
from compression_rate import Fitted, network
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression

from skinfo import RDCompressor
from skinfo.compression.distortion._gaussian_bounds import water_filling
from skinfo.compression.distortion._importance import importance_of
from skinfo.compression.models._reading import read_stack

N_SEEDS, QUICK_SEEDS = 5, 2
OBJECTIVES = ("uniform", "kl", "gradient", "hessian", "gradient+hessian")
RATES = (2.0, 3.0, 4.0)
SHARES = (0.5, 0.2, 0.1)
N_LLOYD_STEPS = 30
MOST_LEVELS = 64
BITS_PER_LEVEL = 32
GAUSSIAN_RATES = (2.0, 4.0)
TICKS = (0.0001, 0.001, 0.01, 0.1)  # of the picture

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


# ----- the scheme as it was published


def lloyd(
    values: FloatArray, weights: FloatArray, n_levels: int
) -> tuple[FloatArray, IntArray]:
    """Return levels and labels by Lloyd's steps, from quantiles, as the authors do."""
    levels = np.quantile(values, (2 * np.arange(n_levels) + 1) / (2 * n_levels))
    for _ in range(N_LLOYD_STEPS):
        labels = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
        mass = np.bincount(labels, weights, n_levels)
        moment = np.bincount(labels, weights * values, n_levels)
        levels = np.where(mass > 0, moment / np.where(mass > 0, mass, 1), levels)
        levels = np.sort(levels)
    return levels, np.searchsorted((levels[1:] + levels[:-1]) / 2, values)


def published_size(labels: IntArray, n_levels: int) -> float:
    """Return the bits that the paper counts: entropy and codebook, nothing written."""
    counts = np.bincount(labels, minlength=n_levels)
    return float(len(labels) * entropy(counts, base=2) + BITS_PER_LEVEL * n_levels)


def published(case: Fitted, objective: str, rate: float) -> Any:
    """Return the network with as many levels in each layer as the rate allows."""
    stack = read_stack(case.model)
    weights = importance_of(stack, case.X, case.y, objective)
    values = [layer.ravel() for layer in case.model.coefs_]
    n_weights = sum(map(len, values))
    result = copy.deepcopy(case.model)
    for n_levels in range(2, MOST_LEVELS + 1):
        coded = [
            lloyd(each, weight.ravel() / weight.mean(), n_levels)
            for each, weight in zip(values, weights, strict=True)
        ]
        bits = sum(published_size(labels, n_levels) for _, labels in coded)
        if bits > rate * n_weights:
            break
        result.coefs_ = [
            levels[labels].reshape(layer.shape)
            for (levels, labels), layer in zip(coded, case.model.coefs_, strict=True)
        ]
    return result


# ----- networks


def scores(case: Fitted, other: Any) -> tuple[float, float]:
    """Return the KL divergence and the accuracy on test data."""
    return case.divergence(other), float(other.score(case.X_test, case.y_test))


def quantized(rates: Sequence[float], seed: int) -> list[list[tuple[float, float]]]:
    """Return the scores at each rate, by the methods of `quantizers`."""
    case = network(seed)
    return [
        [
            *(scores(case, published(case, each, rate)) for each in OBJECTIVES),
            *(
                scores(
                    case, case.compressed(rate=rate, method="kmeans", importance=each)
                )
                for each in OBJECTIVES
            ),
            scores(case, case.compressed(rate=rate)),
        ]
        for rate in rates
    ]


def quantizers() -> list[str]:
    return [
        *(f"Lloyd, {each}" for each in OBJECTIVES),
        *(f"paper mode, {each}" for each in OBJECTIVES),
        "default",
    ]


def pruned(shares: Sequence[float], seed: int) -> list[list[tuple[float, float]]]:
    """Return the scores at each share, by the objectives and with a refit."""
    case = network(seed)
    settings: list[dict[str, Any]] = [
        {"method": "prune", "importance": objective} for objective in OBJECTIVES
    ]
    settings.append({"method": "prune_refit"})
    return [
        [scores(case, case.compressed(sparsity=1 - share, **each)) for each in settings]
        for share in shares
    ]


def print_scores(
    title: str, names: Sequence[str], columns: Sequence[str], found: FloatArray
) -> None:
    """Print means over the seeds of (n_seeds, n_columns, n_methods, 2)."""
    header = ("method", *(f"KL, {each}" for each in columns),
              *(f"accuracy, {each}" for each in columns))  # fmt: skip
    means = found.mean(axis=0)
    print_table(
        f"{title}, digits MLP: mean KL divergence and accuracy on test data, "
        f"{len(found)} seeds",
        header,
        [
            [
                name,
                *(fixed(value, 5) for value in means[:, place, 0]),
                *(fixed(value, 3) for value in means[:, place, 1]),
            ]
            for place, name in enumerate(names)
        ],
    )


def print_orders(
    title: str, columns: Sequence[str], schemes: dict[str, FloatArray]
) -> None:
    """Print in how many seeds each objective is better than equal weights."""
    rows = []
    for name, found in schemes.items():
        divergence, accuracy = found[..., 0], found[..., 1]
        for place, objective in enumerate(OBJECTIVES[1:], start=1):
            nearer = divergence[:, :, place] < divergence[:, :, 0]
            better = accuracy[:, :, place] > accuracy[:, :, 0]
            rows.append(
                [
                    f"{name}, {objective}",
                    *(f"{count} of {len(found)}" for count in nearer.sum(axis=0)),
                    *(f"{count} of {len(found)}" for count in better.sum(axis=0)),
                ]
            )
    print_table(
        f"{title}: seeds in which an objective is better than equal weights",
        ("objective", *(f"KL, {each}" for each in columns),
         *(f"accuracy, {each}" for each in columns)),
        rows,
    )  # fmt: skip


# ----- the linear Gaussian model


def gaussian_gaps(rate: float, seed: int) -> list[float]:
    """Return the bits above the limit, of both k-means and of the default."""
    d, k, n = 64, 256, 4000
    rng = np.random.default_rng(seed)
    covariance = 0.95 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    X = rng.standard_normal((n, d)) @ np.linalg.cholesky(covariance).T
    model = LinearRegression().fit(X, X @ rng.standard_normal((d, k)))
    eigenvalues = np.linalg.eigvalsh(covariance)
    gaps = []
    for params in (
        {"method": "kmeans", "importance": "uniform"},
        {"method": "kmeans", "importance": "kl"},
        {},
    ):
        compressor = RDCompressor(FrozenEstimator(model), rate=rate, **params).fit(X)
        error = model.coef_ - compressor.compressed_estimator_.coef_
        distortion = float(np.sum((error @ covariance) * error)) / k
        limit = water_filling(eigenvalues, distortion=distortion).rate / d
        gaps.append(compressor.rate_ - limit)
    return gaps


def gaussian_row(rate: float, n_seeds: int) -> list[str]:
    found = np.array(for_seeds(partial(gaussian_gaps, rate), n_seeds))
    return [
        f"{rate:.0f} bits",
        *(fixed(value, 3) for value in found.mean(axis=0)),
        fixed(float(np.ptp(found, axis=0).max()), 3),
    ]


def print_tables(n_seeds: int, *, quick: bool) -> FloatArray:
    """Print the tables; return the scores of the quantizers."""
    rates, shares = (RATES[:1], SHARES[2:]) if quick else (RATES, SHARES)
    at_rates = [f"{rate:.0f} bits" for rate in rates]
    at_shares = [f"{share:.0%}" for share in shares]
    found = np.array(for_seeds(partial(quantized, rates), n_seeds))
    print_scores("Equal rate", quantizers(), at_rates, found)
    half = len(OBJECTIVES)
    print_orders(
        "Equal rate",
        at_rates,
        {"Lloyd": found[:, :, :half], "paper mode": found[:, :, half : 2 * half]},
    )
    sparse = np.array(for_seeds(partial(pruned, shares), n_seeds))
    names = [*(f"prune, {each}" for each in OBJECTIVES), "prune_refit"]
    print_scores("Weights that stay", names, at_shares, sparse)
    print_orders("Weights that stay", at_shares, {"prune": sparse})
    print_table(
        f"Linear model, 64 inputs AR(1) .95, 256 outputs: bits for each weight above "
        f"reverse water-filling at the same distortion, {n_seeds} seeds",
        ("rate", "kmeans, uniform", "kmeans, kl", "default", "range over seeds"),
        [gaussian_row(rate, n_seeds) for rate in GAUSSIAN_RATES],
    )
    return found


def draw(found: FloatArray, folder: Path) -> None:
    """Draw the divergence by the rate, of the published scheme and of ours."""
    rates = RATES[: found.shape[1]]
    means = found[..., 0].mean(axis=0)
    figure, axes = plt.subplots(
        1, 2, figsize=(9, 3.2), layout="constrained", sharey=True
    )
    half = len(OBJECTIVES)
    for ax, title, first in (
        (axes[0], "Lloyd's steps, as published", 0),
        (axes[1], "paper mode: exact k-means", half),
    ):
        for place, objective in enumerate(OBJECTIVES):
            style = "ko-" if place == 0 else "o--"
            if objective != "hessian":  # the same as kl
                ax.plot(rates, means[:, first + place], style, label=objective)
        ax.plot(rates, means[:, -1], "s-", color="C4", label="default")
        ax.set(title=title, yscale="log", xlabel="bits for each weight")
        ax.set_xticks(rates)
        ax.minorticks_off()
        ax.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes[0].set_ylabel("KL divergence in nats")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(folder / "compression.png", dpi=100)
    plt.close(figure)
