"""Bytes and distortion of compressed models, beside the paper's methods and the limit.

Models are compressed on their training data and measured on the rest. Bytes are those
of the whole file.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _samples import for_seeds
from _tables import fixed, met, print_table, read_options
from numpy.typing import NDArray
from scipy import special
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skinfo import RDCompressor, gaussian_distortion_rate
from skinfo.compression.distortion._gaussian_bounds import water_filling

# bytes, and the largest KL divergence and drop of accuracy
NETWORK_TARGETS = ((2200, 0.0015, 0.005), (1850, 0.003, None), (1500, 0.006, 0.008))
TIMES_BELOW = 15  # the KL divergence of k-means, at 1850 bytes
REGRESSION_TARGET = (300, 0.003, 0.012)
DIABETES_TARGET = (45, 0.01)
LARGEST_GAPS = {4.0: 0.30, 2.0: 0.37}  # bits for each weight, by rate
LARGEST_DROP = 0.001  # of R^2, at 6 bits where the condition is 10^9
CONDITION = 1e9

METHODS: dict[str, dict[str, Any]] = {
    "rate_distortion": {},
    "kmeans, uniform": {"method": "kmeans", "importance": "uniform"},
    "kmeans, kl": {"method": "kmeans", "importance": "kl"},
    "kmeans, gradient": {"method": "kmeans", "importance": "gradient"},
    "kmeans, hessian": {"method": "kmeans", "importance": "hessian"},
    "kmeans, gradient+hessian": {
        "method": "kmeans",
        "importance": "gradient+hessian",
    },
}
SIZES = (1000, 1500, 1850, 2200, 3000, 4000)


@dataclass(frozen=True)
class Fitted:
    """A model, its training data, and others."""

    model: Any
    X: NDArray[np.float64]
    y: NDArray[Any]
    X_test: NDArray[np.float64]
    y_test: NDArray[Any]

    def compressed(self, **params: Any) -> RDCompressor:
        compressor = RDCompressor(FrozenEstimator(self.model), random_state=0, **params)
        return compressor.fit(self.X, self.y)

    def divergence(self, other: Any) -> float:
        """Return the mean KL divergence on the test data."""
        p, q = (each.predict_proba(self.X_test) for each in (self.model, other))
        return float(special.rel_entr(p, np.maximum(q, 1e-300)).sum(axis=1).mean())

    def drop(self, other: Any) -> float:
        """Return how far the score falls on the test data."""
        scores = [each.score(self.X_test, self.y_test) for each in (self.model, other)]
        return float(scores[0] - scores[1])


def fitted_to_digits(model: Any, seed: int) -> Fitted:
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X / 16, y, test_size=0.4, stratify=y, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Fitted(model.fit(X, y), X, y, X_test, y_test)


def network(seed: int) -> Fitted:
    return fitted_to_digits(
        MLPClassifier((100,), max_iter=300, random_state=seed), seed
    )


def bound(value: float | None, digits: int) -> str:
    return "-" if value is None else f"<= {value:.{digits}f}"


def digits_row(
    name: str,
    case: Fitted,
    target: tuple[int, float, float | None],
    *,
    times_below: float | None = None,
) -> list[str]:
    """Write the divergence and the drop at a number of bytes, ours and of k-means."""
    n_bytes, largest, largest_drop = target
    ours = case.compressed(n_bytes=n_bytes)
    peer = case.compressed(n_bytes=n_bytes, **METHODS["kmeans, uniform"])
    found, drop = case.divergence(ours), case.drop(ours)
    ratio = case.divergence(peer) / found
    good = ours.n_bytes_ <= n_bytes and found <= largest
    good &= largest_drop is None or drop <= largest_drop
    good &= times_below is None or ratio >= times_below
    return [
        name,
        f"{ours.n_bytes_} <= {n_bytes}",
        fixed(found, 5),
        bound(largest, 4),
        fixed(drop, 4),
        bound(largest_drop, 3),
        fixed(ratio, 1),
        "-" if times_below is None else f">= {times_below:.0f}",
        met(good),
    ]


def network_rows(seed: int) -> list[list[str]]:
    case = network(seed)
    return [
        digits_row(
            f"MLP, seed {seed}",
            case,
            target,
            times_below=TIMES_BELOW if target[0] == 1850 else None,
        )
        for target in NETWORK_TARGETS
    ]


def regression_row(seed: int) -> list[str]:
    case = fitted_to_digits(LogisticRegression(max_iter=1000), seed)
    return digits_row(f"LogisticRegression, seed {seed}", case, REGRESSION_TARGET)


def size_rows(seed: int) -> list[list[str]]:
    """Write what else a model takes."""
    case = network(seed)
    n_bytes = case.compressed(n_bytes=2200).n_bytes_
    pickled = len(pickle.dumps(case.model))
    return [
        [f"MLP, seed {seed}", str(pickled), str(n_bytes), fixed(pickled / n_bytes, 0)]
    ]


def curve_rows(n_bytes: Sequence[int], seed: int) -> list[list[str]]:
    """Write the divergence of every method at several sizes."""
    rows, case = [], network(seed)
    for name, params in METHODS.items():
        found = [case.compressed(n_bytes=each, **params) for each in n_bytes]
        divergences = [fixed(case.divergence(each), 5) for each in found]
        rows.append([f"{name}, seed {seed}", *divergences])
    return rows


def gaussian_row(rate: float, seed: int) -> list[str]:
    """Write the bits above reverse water-filling, for normal inputs and weights."""
    d, k, n = 64, 256, 4000
    rng = np.random.default_rng(seed)
    covariance = 0.95 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    X = rng.standard_normal((n, d)) @ np.linalg.cholesky(covariance).T
    weights = rng.standard_normal((d, k))
    model = LinearRegression().fit(X, X @ weights)
    compressor = RDCompressor(FrozenEstimator(model), rate=rate).fit(X)
    error = model.coef_ - compressor.compressed_estimator_.coef_
    distortion = float(np.sum((error @ covariance) * error)) / k
    eigenvalues = np.linalg.eigvalsh(covariance)
    limit = water_filling(eigenvalues, distortion=distortion).rate / d
    least = gaussian_distortion_rate(np.eye(d), covariance, rate * d)
    gap = compressor.rate_ - limit
    return [
        f"{rate:.0f} bits, seed {seed}",
        fixed(compressor.rate_, 3),
        fixed(distortion / d, 5),
        fixed(least / d, 5),
        fixed(gap, 3),
        bound(LARGEST_GAPS[rate], 2),
        met(gap <= LARGEST_GAPS[rate]),
    ]


def diabetes_row() -> list[str]:
    X, y = load_diabetes(return_X_y=True)
    case = Fitted(Ridge().fit(X, y), X, y, X, y)
    n_bytes, largest = DIABETES_TARGET
    ours = case.compressed(n_bytes=n_bytes)
    drop = case.drop(ours)
    return [
        "Ridge on load_diabetes",
        f"{ours.n_bytes_} <= {n_bytes}",
        fixed(ours.rate_, 2),
        fixed(drop, 5),
        bound(largest, 3),
        met(ours.n_bytes_ <= n_bytes and drop <= largest),
    ]


def ill_conditioned_row(seed: int) -> list[str]:
    n, d = 500, 30
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.standard_normal((n, d)))
    right, _ = np.linalg.qr(rng.standard_normal((d, d)))
    X = left * np.logspace(0, -np.log10(CONDITION), d) @ right.T
    y = X @ rng.standard_normal(d) + 0.01 * rng.standard_normal(n)
    case = Fitted(LinearRegression().fit(X, y), X, y, X, y)
    ours = case.compressed(rate=6)
    drop = case.drop(ours)
    return [
        f"condition 10^9, seed {seed}",
        str(ours.n_bytes_),
        fixed(ours.rate_, 2),
        fixed(drop, 6),
        bound(LARGEST_DROP, 3),
        met(drop <= LARGEST_DROP),
    ]


def units_row(rate: float, seed: int) -> list[str]:
    """Write the drop for inputs of different units, as they are and scaled."""
    n, d = 1000, 30
    rng = np.random.default_rng(seed)
    units = 10.0 ** rng.uniform(0, 4, d)
    X = rng.standard_normal((n, d)) * units
    y = X @ (rng.standard_normal(d) / units) + 0.1 * rng.standard_normal(n)
    drops = []
    for samples in (X, X / X.std(axis=0)):
        case = Fitted(LinearRegression().fit(samples, y), samples, y, samples, y)
        drops.append(case.drop(case.compressed(rate=rate)))
    return [f"{rate:.0f} bits, seed {seed}", *(fixed(drop, 5) for drop in drops)]


def main() -> None:
    options = read_options(__doc__, n_seeds=3, quick_seeds=2)
    n_seeds = options.n_seeds
    print_table(
        "Digits: bytes, mean KL divergence on test data, drop of accuracy, and the "
        "divergence of uniform k-means at these bytes, divided by ours",
        ("model", "bytes", "KL", "target", "drop", "target", "ratio", "target", "met"),
        [
            *(row for rows in for_seeds(network_rows, n_seeds) for row in rows),
            *for_seeds(regression_row, n_seeds),
        ],
    )
    print_table(
        "Bytes beside pickle",
        ("model", "pickle", "ours", "ratio"),
        [row for rows in for_seeds(size_rows, n_seeds) for row in rows],
    )
    sizes = SIZES[1:4] if options.quick else SIZES
    curves = for_seeds(partial(curve_rows, sizes), 1 if options.quick else n_seeds)
    print_table(
        "Mean KL divergence of the digits MLP on test data, by the bytes of the file",
        ("method", *map(str, sizes)),
        [row for rows in curves for row in rows],
    )
    print_table(
        "Linear model, 64 inputs AR(1) .95, 256 outputs: bits for each weight above "
        "reverse water-filling, distortion for each weight and its least value",
        ("rate", "spent", "distortion", "least", "gap", "target", "met"),
        [row for rate in LARGEST_GAPS for row in _gaussian_rows(rate, n_seeds)],
    )
    print_table(
        "Regression: bits for each weight, drop of R^2",
        ("model", "bytes", "rate", "drop", "target", "met"),
        [diabetes_row(), *for_seeds(ill_conditioned_row, 2 if options.quick else 5)],
    )
    print_table(
        "Inputs of different units: drop of R^2",
        ("rate", "as they are", "scaled"),
        [row for rate in (6, 8) for row in for_seeds(partial(units_row, rate), 5)],
    )


def _gaussian_rows(rate: float, n_seeds: int) -> list[list[str]]:
    return for_seeds(partial(gaussian_row, rate), n_seeds)


if __name__ == "__main__":
    main()
