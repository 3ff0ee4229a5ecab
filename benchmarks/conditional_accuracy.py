"""Bias and root mean square error of conditional mutual information, in nats."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from _samples import gaussian_information, rounded_gaussian_pair
from _tables import at_most, fixed, met, print_table, read_options, standard_error
from sklearn.utils import Bunch

from skinfo import conditional_mutual_information, mutual_information

N_SAMPLES = 1000
LARGEST_BIAS = 0.05
ROUNDING_STEPS = (1.0, 0.5, 0.25, 0.1)
ROUNDED = ("z", "x and y", "x, y and z")
CORRELATIONS = (0.0, 0.6, 0.9)


@dataclass(frozen=True)
class Case:
    """Samples with a known truth, the largest bias allowed, and what is nominal."""

    name: str
    draw: Callable[[int], Bunch]  # from a seed
    target: float = LARGEST_BIAS
    nominal: Sequence[str] = ()


def exclusive_or(seed: int) -> Bunch:
    x, y = np.random.default_rng(seed).integers(2, size=(2, N_SAMPLES))
    return Bunch(x=x, y=y, z=x ^ y, conditional_information=float(np.log(2)))


def exclusive_or_of_clusters(seed: int) -> Bunch:
    """Return an exclusive or of which each value is spread a little."""
    sample = exclusive_or(seed)
    noise = 0.1 * np.random.default_rng([seed, 1]).standard_normal((3, N_SAMPLES))
    clusters = {name: sample[name] + noise[i] for i, name in enumerate("xyz")}
    return Bunch(**clusters, conditional_information=sample.conditional_information)


def normal_fork(seed: int, *, correlation: float, n_columns: int = 1) -> Bunch:
    """Normals x <- z -> y, of which the noises correlate."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((N_SAMPLES, n_columns))
    noise_x, noise = rng.standard_normal((2, N_SAMPLES))
    noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
    cause = z.mean(axis=1)
    return Bunch(
        x=cause + noise_x,
        y=cause + noise_y,
        z=z,
        conditional_information=gaussian_information(correlation),
    )


def discrete_fork(seed: int, *, binary: bool = False) -> Bunch:
    """Return x <- z -> y with z of 4 levels; y can be cut to two values."""
    rng = np.random.default_rng(seed)
    z = rng.integers(4, size=N_SAMPLES)
    x, y = z + rng.standard_normal((2, N_SAMPLES))
    return Bunch(x=x, y=y > 1.5 if binary else y, z=z, conditional_information=0.0)


def half_zero_fork(seed: int) -> Bunch:
    """Return x <- z -> y with z and x 0 in about half of the samples."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(N_SAMPLES) * rng.integers(2, size=N_SAMPLES)
    x, y = z + rng.standard_normal((2, N_SAMPLES))
    return Bunch(x=np.maximum(x, 0), y=y, z=z, conditional_information=0.0)


def rounded_fork(seed: int, *, correlation: float, step: float, rounded: str) -> Bunch:
    """Return x <- z -> y of which some are rounded to multiples of a step.

    What is added to z is rounded, so that the truth is that of a rounded pair.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(N_SAMPLES)
    noise_x, noise = rng.standard_normal((2, N_SAMPLES))
    noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise

    def on_grid(values: np.ndarray, name: str) -> np.ndarray:
        return np.round(values / step) if name in rounded else values / step

    cause = np.round(z / step)
    x, y = on_grid(noise_x, "x") + cause, on_grid(noise_y, "y") + cause
    return Bunch(x=x, y=y, z=cause if "z" in rounded else z / step)


CASES = [
    Case("exclusive or", exclusive_or, 0.02),
    Case("exclusive or of categories", exclusive_or, 0.02, nominal="xyz"),
    *(
        Case(f"normals, {r}", partial(normal_fork, correlation=r))
        for r in (0.0, 0.3, 0.6, 0.9)
    ),
    Case(
        "normals, .6, z of 3 columns",
        partial(normal_fork, correlation=0.6, n_columns=3),
        0.1,
    ),
    Case("z of 4 integers", discrete_fork),
    Case("z of 4 categories", discrete_fork, nominal="z"),
    Case("z of 4 categories, y binary", partial(discrete_fork, binary=True), 0.05, "z"),
    Case("z and x with zeros", half_zero_fork),
]


def estimate(
    sample: Bunch, nominal: Sequence[str] = (), ties: str = "adaptive"
) -> float:
    kinds = {f"{name}_discrete": True for name in nominal}
    return conditional_mutual_information(
        sample.x, sample.y, sample.z, ties=ties, **kinds
    )


def accuracy_row(case: Case, n_seeds: int) -> list[str]:
    samples = [case.draw(seed) for seed in range(n_seeds)]
    errors = np.array(
        [estimate(s, case.nominal) - s.conditional_information for s in samples]
    )
    return [
        case.name,
        fixed(samples[0].conditional_information),
        fixed(errors.mean()),
        fixed(standard_error(errors)),
        fixed(np.sqrt(np.mean(errors**2))),
        at_most(case.target),
        met(abs(errors.mean()) <= case.target),
    ]


def constant_row(n_seeds: int) -> list[str]:
    """Compare the estimate given a constant with the one that nothing is given."""
    differences = []
    for seed in range(n_seeds):
        sample = normal_fork(seed, correlation=0.6)
        given_constant = estimate(Bunch(x=sample.x, y=sample.y, z=np.ones(N_SAMPLES)))
        differences.append(given_constant - mutual_information(sample.x, sample.y))
    largest = float(np.abs(differences).max())
    bound = 2 / N_SAMPLES
    return ["constant z", f"{largest:.1e}", at_most(bound), met(largest <= bound)]


def rounding_row(
    correlation: float, step: float, rounded: str, n_seeds: int
) -> list[str]:
    """Compare the bias on rounded data with and without the rule for ties."""
    if rounded == "z":
        truth = gaussian_information(correlation)
    else:
        pair = rounded_gaussian_pair(2, 0, correlation=correlation, step=step)
        truth = pair.mutual_information
    samples = [
        rounded_fork(seed, correlation=correlation, step=step, rounded=rounded)
        for seed in range(n_seeds)
    ]
    ours, plain = (
        np.array([estimate(sample, ties=ties) for sample in samples])
        for ties in ("adaptive", "gao")
    )
    return [
        f"rho = {correlation}, {rounded} rounded to {step}",
        fixed(truth),
        fixed(ours.mean()),
        fixed(standard_error(ours)),
        fixed(plain.mean()),
        met(abs(ours.mean() - truth) <= max(LARGEST_BIAS, 0.1 * truth)),
    ]


def scale_row(scale: str, n_seeds: int) -> list[str]:
    samples = [exclusive_or_of_clusters(seed) for seed in range(n_seeds)]
    values = np.array(
        [
            conditional_mutual_information(sample.x, sample.y, sample.z, scale=scale)
            for sample in samples
        ]
    )
    truth = samples[0].conditional_information
    return [scale, fixed(truth), fixed(values.mean()), fixed(standard_error(values))]


def main() -> None:
    options = read_options(__doc__, n_seeds=20, quick_seeds=4)
    print_table(
        f"Bias and RMSE in nats, n = {N_SAMPLES}, {options.n_seeds} seeds",
        ("case", "truth", "bias", "s.e.", "RMSE", "target", "met"),
        [accuracy_row(case, options.n_seeds) for case in CASES],
    )
    print_table(
        f"Largest difference from mutual information, {options.n_seeds} seeds",
        ("case", "difference", "target", "met"),
        [constant_row(options.n_seeds)],
    )
    print_table(
        f"Mean estimate on clusters, n = {N_SAMPLES}, {options.n_seeds} seeds",
        ("scale", "truth", "ours", "s.e."),
        [scale_row(scale, options.n_seeds) for scale in ("rank", "standard")],
    )
    print_table(
        f"Mean estimate on rounded data, n = {N_SAMPLES}, {options.n_seeds} seeds; "
        f"target: the truth within {LARGEST_BIAS} nats or a tenth of it",
        ("case", "truth", "ours", "s.e.", "ties='gao'", "met"),
        [
            rounding_row(*case, options.n_seeds)
            for case in product(CORRELATIONS, ROUNDING_STEPS, ROUNDED)
        ],
    )


if __name__ == "__main__":
    main()
