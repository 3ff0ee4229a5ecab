"""Time and memory of compression, and whether files predict what was compressed."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import resource
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _tables import fixed, met, print_table, read_options
from mutual_info_speed import RUSAGE_UNIT, in_fresh_process
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skinfo import RDCompressor, load_compressed
from skinfo.compression.models._reading import read_stack
from skinfo.compression.schemes._calibration import Calibration, Settings

LARGEST_MEMORY = 2048.0  # MiB, of the whole process
METHODS = ("rate_distortion", "kmeans", "prune", "prune_refit")


@dataclass(frozen=True)
class Case:
    """How to make a model and its samples, and the seconds that are allowed."""

    make: Callable[[], tuple[Any, Any, Any]]
    fixed_step: float | None
    with_target: float


def images(n_pixels: int = 28) -> tuple[Any, Any]:
    """Return the digits enlarged to (n, n_pixels^2), with noise, and their labels."""
    X, y = load_digits(return_X_y=True)
    rows = np.arange(n_pixels) * 8 // n_pixels
    large = X.reshape(-1, 8, 8)[:, rows][:, :, rows].reshape(len(X), -1) / 16
    return large + 0.1 * np.random.default_rng(0).standard_normal(large.shape), y


def network(*sizes: int) -> tuple[Any, Any, Any]:
    X, y = images()
    model = MLPClassifier(sizes, max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y), X, y


def linear(n_features: int, n_outputs: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2 * n_features, n_features))
    Y = X @ rng.standard_normal((n_features, n_outputs))
    return LinearRegression().fit(X, Y), X, Y


CASES: Mapping[str, Case] = {
    "MLP 784-256-10": Case(partial(network, 256), None, 30.0),
    "MLP 784-1000-214-10": Case(partial(network, 1000, 214), 60.0, 180.0),
    "LinearRegression 1000-1000": Case(partial(linear, 1000, 1000), 60.0, 180.0),
}


def with_fixed_step(model: Any, X: Any) -> None:
    """Round all layers once."""
    calibration = Calibration(read_stack(model), X)
    step = calibration.size_of_weights(joint_outputs=False) / 8
    calibration.coded(
        Settings(damping=1e-2, step=step, rdo_lambda=0.1, row_step_spacing=(1, 1))
    )


def with_target(model: Any, X: Any) -> None:
    RDCompressor(FrozenEstimator(model), rate=3, random_state=0).fit(X)


def seconds_and_memory(name: str, call: Callable[[Any, Any], None]) -> Any:
    """Return the time of a call, and the peak resident set in MiB."""
    model, X, _ = CASES[name].make()
    start = time.perf_counter()
    call(model, X)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak * RUSAGE_UNIT / 2**20


def time_row(name: str, *, searched: bool) -> list[str]:
    case = CASES[name]
    target = case.with_target if searched else case.fixed_step
    call = with_target if searched else with_fixed_step
    seconds, memory = in_fresh_process(seconds_and_memory, name, call)
    good = memory <= LARGEST_MEMORY and (target is None or seconds <= target)
    return [
        f"{name}, {'3 bits' if searched else 'a fixed step'}",
        fixed(seconds, 1),
        "-" if target is None else f"<= {target:.0f}",
        fixed(memory, 0),
        f"<= {LARGEST_MEMORY:.0f}",
        met(good),
    ]


MODELS: Mapping[str, Any] = {
    "LogisticRegression": LogisticRegression(max_iter=1000),
    "RidgeClassifier": RidgeClassifier(),
    "SGDClassifier, hinge": SGDClassifier(random_state=0),
    "MLPClassifier": MLPClassifier((40,), max_iter=30, random_state=0),
    "MLPClassifier, tanh": MLPClassifier(
        (40, 20), activation="tanh", max_iter=30, random_state=0
    ),
    "LinearRegression": LinearRegression(),
    "PoissonRegressor": PoissonRegressor(),
    "MLPRegressor": MLPRegressor(hidden_layer_sizes=(40,), max_iter=30, random_state=0),
}


def identical_row(name: str) -> list[str]:
    """Compare the predictions of the file with those of the compressed model."""
    X, y = load_digits(return_X_y=True)
    alike, n_bytes = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = clone(MODELS[name]).fit(X / 16, y)
    for method in METHODS:
        compressor = RDCompressor(FrozenEstimator(model), method=method, random_state=0)
        compressor.fit(X / 16, y)
        found = load_compressed(compressor.to_bytes())
        n_bytes.append(compressor.n_bytes_)
        alike += [
            np.array_equal(
                getattr(compressor, each)(X / 16), getattr(found, each)(X / 16)
            )
            for each in ("predict", "predict_proba", "decision_function")
            if hasattr(found, each)
        ]
    return [name, *map(str, n_bytes), f"{sum(alike)} of {len(alike)}", met(all(alike))]


def main() -> None:
    options = read_options(__doc__)
    print_table(
        "Seconds of one call, and the peak memory of its process in MiB",
        ("model", "seconds", "target", "memory", "target", "met"),
        [
            time_row(name, searched=searched)
            for name in list(CASES)[: 1 if options.quick else None]
            for searched in (False, True)
        ],
    )
    print_table(
        "Bytes by method, and how many outputs of the file are those of the compressed "
        "model, bit for bit",
        ("model", *METHODS, "identical", "met"),
        [identical_row(name) for name in MODELS],
    )


if __name__ == "__main__":
    main()
