"""Recovery of the hidden layer of a network, before and after the polish.

The error is that of the worst direction, 1 - min_i max_j |cos(a_i, found_j)|. Beside
it: the same training from random starts, and the settings of the paper.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import resource
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from _samples import for_seeds
from _tables import at_most, fixed, met, print_table, read_options
from mutual_info_speed import RUSAGE_UNIT, in_fresh_process
from scipy.optimize import linear_sum_assignment
from scipy.stats import ortho_group
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.utils import Bunch

from skinfo import GaussianScore, ScoreFunctionLoss
from skinfo.datasets import make_teacher_network

PAPER = {"solver": "sgd", "residual_degree": None, "polish": False}
N_STARTS = 3
RECOVERED = 0.01
N_RANDOM = 100


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def weight_error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(1 - np.abs(unit(truth) @ unit(found).T).max(axis=1).min())


def mean_error(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over the directions, each with one of those found."""
    cosines = np.abs(unit(truth) @ unit(found).T)
    return float(1 - cosines[linear_sum_assignment(-cosines)].mean())


def unexplained(model: Any, data: Bunch) -> float:
    """Return 1 - R^2 against the targets without noise."""
    return float(1 - model.score(data.X, data.noiseless))


def recover(data: Bunch, seed: int, **options: Any) -> ScoreFunctionLoss:
    options = {"score_estimator": GaussianScore(), "random_state": seed} | options
    model = ScoreFunctionLoss(n_components=len(data.components), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(data.X, data.y)


def random_start(data: Bunch, seed: int, n_starts: int = 1) -> MLPRegressor:
    """Return the network that the same training reaches from the best random start."""
    networks = [
        MLPRegressor(
            hidden_layer_sizes=(len(data.components),),
            solver="lbfgs",
            alpha=1e-6,
            max_iter=1000,
            max_fun=1_000_000,
            tol=1e-10,
            random_state=n_starts * seed + start,
        )
        for start in range(n_starts)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for network in networks:
            network.fit(data.X, data.y)
    return max(networks, key=lambda network: network.score(data.X, data.y))


def relu_errors(n_samples: int, seed: int) -> list[float]:
    """Return what is printed of ten units of ten normal inputs."""
    exact, noisy = (
        make_teacher_network(n_samples, 10, noise=noise, random_state=seed)
        for noise in (0.0, 0.1)
    )
    model, noisy_model = recover(exact, seed), recover(noisy, seed)
    head = recover(exact, seed, polish=False)
    start = random_start(exact, seed)
    raw = recover(exact, seed, residual_degree=None, polish=False)
    paper = recover(exact, seed, **PAPER)
    truth = exact.components
    return [
        weight_error(model.init_components_, truth),
        1 - unexplained(head, exact),
        weight_error(model.components_, truth),
        unexplained(model, exact),
        weight_error(noisy_model.components_, noisy.components),
        unexplained(noisy_model, noisy),
        weight_error(start.coefs_[0].T, truth),
        1 - unexplained(start, exact),
        weight_error(raw.components_, truth),
        weight_error(paper.components_, truth),
        1 - unexplained(paper, exact),
    ]


def print_relu(n_samples: int, n_seeds: int) -> None:
    rows = for_seeds(partial(relu_errors, n_samples), n_seeds)
    print_table(
        f"relu, 10 units of 10 normal inputs, n = {n_samples}, GaussianScore",
        (
            *("seed", "before", "R2 head", "after", "1 - R2", "noise .1", "1 - R2"),
            *("random start", "R2", "no residual", "paper", "R2"),
        ),
        [
            [
                str(seed),
                fixed(row[0]),
                fixed(row[1], 3),
                *(f"{value:.1e}" for value in row[2:6]),
                *(fixed(value, 3) for value in row[6:]),
            ]
            for seed, row in enumerate(rows)
        ],
    )
    largest, median = np.max(rows, axis=0), np.median(rows, axis=0)
    print_table(
        "The median error of the seeds",
        ("case", "median"),
        [
            [name, f"{median[place]:.1e}"]
            for name, place in (
                ("before the polish", 0),
                ("after", 2),
                ("noise .1, after", 4),
                ("random start", 6),
                ("no residual", 8),
                ("paper", 9),
            )
        ],
    )
    print_table(
        "The largest of the seeds",
        ("case", "largest", "target", "met"),
        [
            judged(name, largest[place], target)
            for name, place, target in (
                ("before the polish", 0, 0.05),
                ("after", 2, 1e-3),
                ("1 - R^2", 3, 1e-3),
                ("noise .1, after", 4, 5e-3),
                ("noise .1, 1 - R^2", 5, 1e-3),
            )
        ],
    )


def judged(name: str, value: float, target: float) -> list[str]:
    return [name, f"{value:.1e}", at_most(target), met(value <= target)]


def law_row(law: str, n_samples: int, n_seeds: int) -> list[str]:
    """Recover five units by local likelihood; beside it, the best of three starts."""

    def errors(seed: int) -> tuple[float, float, float]:
        data = make_teacher_network(
            n_samples, 5, input_law=law, noise=0.1, random_state=seed
        )
        model = recover(data, seed, score_estimator=None)
        started = random_start(data, seed, N_STARTS)
        return (
            weight_error(model.init_components_, data.components),
            weight_error(model.components_, data.components),
            weight_error(started.coefs_[0].T, data.components),
        )

    before, after, started = np.array(for_seeds(errors, n_seeds)).T
    return [
        law,
        *(fixed(value, 3) for value in (np.median(before), before.max())),
        f"{after[:3].max():.1e}",
        at_most(RECOVERED, 2),
        met(after[:3].max() <= RECOVERED),
        *(f"{np.sum(each <= RECOVERED)} of {n_seeds}" for each in (after, started)),
    ]


def shape_row(
    name: str,
    draw: Callable[[int], Bunch],
    n_seeds: int,
    *,
    before_target: float | None = None,
    r2_target: float | None = None,
    **options: Any,
) -> list[str]:
    """Recover other networks; print the worst of the seeds."""

    def errors(seed: int) -> tuple[float, float, float]:
        data = draw(seed)
        model = recover(data, seed, **options)
        return (
            weight_error(model.init_components_, data.components),
            weight_error(model.components_, data.components),
            unexplained(model, data),
        )

    before, after, left = np.array(for_seeds(errors, n_seeds)).max(axis=0)
    judged_before = before_target is None or before <= before_target
    judged_r2 = r2_target is None or left <= 1 - r2_target
    promised = before_target is not None or r2_target is not None
    return [
        name,
        str(n_seeds),
        fixed(before),
        at_most(before_target, 2),
        f"{after:.1e}",
        f"{left:.1e}",
        "-" if r2_target is None else f"<= {1 - r2_target:.0e}",
        met(judged_before and judged_r2) if promised else "-",
    ]


def ill_conditioned(n_samples: int, seed: int) -> Bunch:
    """Draw a network whose directions are near one of them: a condition near 30."""
    rng = np.random.default_rng(seed)
    components = unit(np.ones(10) / np.sqrt(10) + 0.1 * rng.standard_normal((10, 10)))
    X = rng.standard_normal((n_samples, 10))
    y = np.maximum(X @ components.T, 0).sum(axis=1)
    return Bunch(X=X, y=y, noiseless=y, components=components)


def print_shapes(n_samples: int, n_seeds: int) -> None:
    def mixed(seed: int) -> Bunch:
        return make_teacher_network(
            n_samples,
            20,
            n_components=5,
            orthogonal=False,
            output_weights="mixed",
            random_state=seed,
        )

    def tanh(seed: int) -> Bunch:
        return make_teacher_network(n_samples, 10, activation="tanh", random_state=seed)

    print_table(
        f"Other networks, n = {n_samples}, GaussianScore: the worst of the seeds",
        ("case", "seeds", "before", "target", "after", "1 - R2", "target", "met"),
        [
            shape_row("k = 5 < d = 20, weights of both signs, not orthogonal", mixed,
                      n_seeds, r2_target=0.999),
            shape_row("tanh, d = k = 10", tanh, n_seeds, before_target=0.02,
                      activation="tanh"),
            shape_row("d = k = 10, nearly parallel",
                      partial(ill_conditioned, n_samples), n_seeds),
        ],
    )  # fmt: skip


def shuffled_errors(n_samples: int, seed: int) -> tuple[float, float]:
    data = make_teacher_network(n_samples, 10, random_state=seed)
    y = np.random.default_rng(seed).permutation(data.y)
    model = recover(Bunch(X=data.X, y=y, components=data.components), seed,
                    polish=False)  # fmt: skip
    error = weight_error(model.components_, data.components)
    return error, model.score(data.X, y)


def rotation_difference(n_samples: int, seed: int) -> float:
    """Return how far the directions of rotated inputs are from the rotated ones."""
    data = make_teacher_network(n_samples, 10, random_state=seed)
    rotation = ortho_group.rvs(10, random_state=seed)
    plain, turned = (
        recover(Bunch(X=X, y=data.y, components=data.components), 0, polish=False,
                tol=1e-15).components_
        for X in (data.X, data.X @ rotation.T)
    )  # fmt: skip
    back = turned @ rotation
    return max(
        min(np.abs(row - sign * other).max() for other in plain for sign in (-1, 1))
        for row in back
    )


def print_controls(n_samples: int, n_seeds: int) -> None:
    errors, explained = np.array(
        for_seeds(partial(shuffled_errors, n_samples), n_seeds)
    ).T
    rotation = max(for_seeds(partial(rotation_difference, n_samples), n_seeds))
    chance = [
        weight_error(ortho_group.rvs(10, random_state=draw), np.eye(10))
        for draw in range(N_RANDOM)
    ]
    print_table(
        f"Controls, d = k = 10, n = {n_samples}, {n_seeds} seeds, no polish",
        ("case", "value", "target", "met"),
        [
            ["shuffled labels: smallest error", fixed(errors.min(), 3), ">= .35",
             met(errors.min() >= 0.35)],
            ["shuffled labels: largest R^2 of the head", fixed(explained.max(), 3),
             at_most(0.05, 2), met(explained.max() <= 0.05)],
            [f"{N_RANDOM} random orthogonal sets: smallest and largest error",
             f"{min(chance):.2f} to {max(chance):.2f}", "-", "-"],
            ["rotated inputs: largest difference", f"{rotation:.1e}", "<= 1e-06",
             met(rotation <= 1e-6)],
        ],
    )  # fmt: skip


def large_problem(n_features: int, n_samples: int, seed: int) -> list[float]:
    """Recover as many units as features; return errors, seconds and peak MiB."""
    data = make_teacher_network(n_samples, n_features, random_state=seed)
    start = time.perf_counter()
    model = recover(data, seed)
    seconds = time.perf_counter() - start
    return [
        mean_error(model.init_components_, data.components),
        weight_error(model.init_components_, data.components),
        weight_error(model.components_, data.components),
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RUSAGE_UNIT / 2**20,
    ]


def large_row(n_features: int, n_samples: int, seed: int) -> list[str]:
    mean, before, after, seconds, memory = in_fresh_process(
        large_problem, n_features, n_samples, seed
    )
    done = mean <= 0.05 and after <= 1e-3 and seconds <= 180 and memory <= 4096
    return [
        f"d = k = {n_features}, seed {seed}",
        fixed(mean),
        fixed(before, 3),
        f"{after:.1e}",
        fixed(seconds, 0),
        fixed(memory, 0),
        met(done),
    ]


def print_large(n_features: int, n_samples: int, seeds: Sequence[int]) -> None:
    print_table(
        f"Many units, n = {n_samples}; targets: mean <= .05, after <= .001, 180 s, "
        "4096 MiB for the whole process",
        ("case", "mean", "before", "after", "seconds", "MiB", "met"),
        [large_row(n_features, n_samples, seed) for seed in seeds],
    )


def main() -> None:
    options = read_options(__doc__, n_seeds=10, quick_seeds=2)
    n_samples = 4096 if options.quick else 8192
    few = min(options.n_seeds, 3)
    if options.quick:
        print_large(20, 8192, range(1))
    else:
        print_large(50, 32_768, range(few))
    print_relu(n_samples, options.n_seeds)
    print_table(
        "Local likelihood, five units of five inputs, noise .1, n = 4096, "
        f"{options.n_seeds} seeds; the largest error of the first three; recovered, "
        f"beside the best of {N_STARTS} random starts",
        (
            *("law", "before", "largest", "after, of three", "target", "met"),
            *("recovered", "starts"),
        ),
        [
            law_row(law, 4096, options.n_seeds)
            for law in ("laplace", "logistic", "student", "mixture")
        ],
    )
    print_shapes(n_samples, options.n_seeds)
    print_controls(n_samples, few)


if __name__ == "__main__":
    main()
