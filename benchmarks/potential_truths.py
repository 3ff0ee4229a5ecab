"""Hypercontractivity where the truth is known, its bounds, and the ascent to it."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from _estimators import kernel_pair
from _samples import for_seeds, gaussian_pair, independent_pair
from _tables import fixed, met, print_table, read_options
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import rel_entr, softmax
from sklearn.utils import Bunch

from skinfo import (
    HypercontractivityCoef,
    hypercontractivity,
    hypercontractivity_discrete,
    maximal_correlation,
)
from skinfo.dependence.kernels._ascent import (
    _plain_step,
    capped_tilts,
    divergence,
    start,
    step,
)
from skinfo.dependence.kernels._channel import Channel
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity

FloatArray = NDArray[np.float64]

LARGEST_ERROR = 1e-6
LARGEST_SHORTFALL = 1e-9
ROUNDING = 1e-12
N_RESTARTS = 30
SMALLEST_DIVERGENCE = 1e-5  # below, rounding shows in a ratio of divergences
N_SAMPLES = 320
N_WALKS = 12  # tilts that climb together
N_STEPS = 100


@dataclass(frozen=True)
class Truth:
    """A joint distribution with its hypercontractivity coefficient."""

    name: str
    joint: FloatArray
    value: float


def binary_symmetric(error: float, first: float) -> FloatArray:
    """Return the joint of a bit, 0 with probability `first`, and a noisy copy."""
    channel = np.array([[1 - error, error], [error, 1 - error]])
    return np.array([[first], [1 - first]]) * channel


def binary_erasure(erased: float) -> FloatArray:
    """Return the joint of a fair bit and itself, or nothing."""
    return 0.5 * np.array([[1 - erased, erased, 0], [0, erased, 1 - erased]])


def z_channel(fall: float, second: float) -> FloatArray:
    """Return the joint where 0 stays 0, and 1 (probability `second`) may fall to 0."""
    return np.array([[1 - second, 0], [second * fall, second * (1 - fall)]])


def hidden_discrete(rare: float, n_values: int) -> FloatArray:
    """Return the joint where Y = X with probability `rare`; else X = 0, Y is free."""
    free = np.full((1, n_values), (1 - rare) / n_values)
    return np.vstack([free, np.eye(n_values) * rare / n_values])


def z_truths(fall: float, second: float) -> list[Truth]:
    """Return the Z channel in both directions; backward it is a Z channel, too."""
    joint = z_channel(fall, second)
    forward = np.log(1 - second + second * fall) / np.log(1 - second)
    backward = np.log(second) / np.log(second * (1 - fall))
    name = f"Z channel, z = {fall}, q = {second}"
    return [
        Truth(f"{name}, X to Y", joint, float(forward)),
        Truth(f"{name}, Y to X", joint.T, float(backward)),
    ]


TRUTHS = [
    Truth("BSC(.1), fair input", binary_symmetric(0.1, 0.5), 0.8**2),
    Truth("BSC(.1), P(X=0) = .1", binary_symmetric(0.1, 0.1), 0.5520955864),
    Truth("BSC(.1), P(X=0) = .25", binary_symmetric(0.1, 0.25), 0.6169949993),
    Truth("BEC(.3)", binary_erasure(0.3), 0.7),
    *z_truths(0.3, 0.4),
    *z_truths(0.9, 0.01),
    Truth("hidden, a = .1, k = 4", hidden_discrete(0.1, 4), np.log(4) / np.log(40)),
    Truth(
        "hidden, a = .01, k = 10",
        hidden_discrete(0.01, 10),
        np.log(10) / np.log(1000),
    ),
    Truth("independent", np.outer([0.2, 0.8], [0.5, 0.3, 0.2]), 0.0),
]


def squared_maximal_correlation(joint: FloatArray) -> float:
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    matrix = joint / np.sqrt(np.outer(p, q))
    return float(np.linalg.svd(matrix, compute_uv=False)[1] ** 2)


def truth_row(truth: Truth) -> list[str]:
    result = hypercontractivity_discrete(truth.joint)
    error = abs(result.value - truth.value)
    return [
        truth.name,
        fixed(truth.value, 10),
        fixed(result.value, 10),
        fixed(squared_maximal_correlation(truth.joint), 10),
        f"{error:.1e}",
        f"<= {LARGEST_ERROR:.0e}",
        met(error <= LARGEST_ERROR),
    ]


def random_joint(rng: np.random.Generator, largest: int) -> FloatArray:
    """Draw a joint of 2 to `largest` values each, even or concentrated."""
    shape = rng.integers(2, largest + 1, size=2)
    concentration = rng.choice([0.2, 0.5, 1, 3])
    joint = rng.dirichlet(np.full(shape.prod(), concentration)).reshape(shape)
    joint = joint[joint.sum(axis=1) > 0][:, joint.sum(axis=0) > 0]
    return joint / joint.sum()


def best_of_restarts(joint: FloatArray, rng: np.random.Generator) -> float:
    """Return the largest ratio that L-BFGS finds from random starts."""
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    channel = joint / p[:, np.newaxis]

    def descend(logits: FloatArray) -> tuple[float, FloatArray]:
        r = np.maximum(softmax(logits), 1e-300)
        v = r @ channel
        below = rel_entr(r, p).sum()
        if below < SMALLEST_DIVERGENCE:
            return 0.0, np.zeros_like(r)
        ratio = rel_entr(v, q).sum() / below
        slope = (channel @ np.log(v / q) - ratio * np.log(r / p)) / below
        return -ratio, -r * (slope - r @ slope)

    starts = 3 * rng.standard_normal((N_RESTARTS, len(p)))
    return max(-minimize(descend, s, jac=True, method="L-BFGS-B").fun for s in starts)


def random_joint_checks(seed: int) -> tuple[float, float, float]:
    """Return how far one random joint misses its best, its bounds, and a bijection."""
    rng = np.random.default_rng(seed)
    joint = random_joint(rng, 6)
    value = hypercontractivity_discrete(joint).value
    rows, columns = (rng.permutation(size) for size in joint.shape)
    other_names = joint[rows][:, columns]
    return (
        best_of_restarts(joint, rng) - value,
        max(squared_maximal_correlation(joint) - value, value - 1),
        abs(hypercontractivity_discrete(other_names).value - value),
    )


def product_error(seed: int) -> float:
    """Return how far a product of two joints is from the larger of their values."""
    rng = np.random.default_rng(seed)
    joints = [random_joint(rng, 4) for _ in range(2)]
    values = [hypercontractivity_discrete(joint).value for joint in joints]
    product = np.kron(*joints)
    value = hypercontractivity_discrete(product / product.sum()).value
    return abs(value - max(values))


def property_rows(n_joints: int) -> list[list[str]]:
    missed, out_of_bounds, changed = np.transpose(
        for_seeds(random_joint_checks, n_joints)
    )
    products = for_seeds(product_error, max(2, n_joints // 4))
    cases = [
        (f"below the best of {N_RESTARTS} L-BFGS runs", missed, LARGEST_SHORTFALL),
        ("outside [squared maximal correlation, 1]", out_of_bounds, ROUNDING),
        ("change by other names of the values", changed, ROUNDING),
        ("product of two joints against the larger", products, LARGEST_ERROR),
    ]
    return [property_row(name, values, bound) for name, values, bound in cases]


def property_row(name: str, values: np.ndarray, bound: float) -> list[str]:
    largest = float(np.max(values))
    return [
        name,
        str(len(values)),
        f"{largest:.1e}",
        f"<= {bound:.0e}",
        met(largest <= bound),
    ]


def with_outliers(n_samples: int, seed: int) -> Bunch:
    """Independent normals with three far samples, one of them far in both."""
    pair = independent_pair(n_samples, seed, law="normal")
    pair.x[:2] = 1e6, -1e3
    pair.y[[0, 2]] = 1e6
    return pair


def with_duplicates(n_samples: int, seed: int) -> Bunch:
    """Correlated normals of few samples, each of them many times."""
    pair = gaussian_pair(n_samples // 20, seed, correlation=0.6)
    return Bunch(x=np.repeat(pair.x, 20), y=np.repeat(pair.y, 20))


def in_far_blocks(n_samples: int, seed: int) -> Bunch:
    """Three clusters, far from each other in x and y, normal within."""
    pair = independent_pair(n_samples, seed, law="normal")
    block = np.random.default_rng(seed).integers(3, size=n_samples)
    return Bunch(x=block + 1e-3 * pair.x, y=block + 1e-3 * pair.y)


def with_one_link(n_samples: int, seed: int) -> Bunch:
    """Two far clusters that a single sample links."""
    pair = independent_pair(n_samples, seed, law="normal")
    block = np.arange(n_samples) % 2
    linked = block.copy()
    linked[0] = 1
    return Bunch(x=100 * block + pair.x, y=100 * linked + pair.y)


def almost_constant(n_samples: int, seed: int) -> Bunch:
    """Normals against a column with one value that differs."""
    pair = independent_pair(n_samples, seed, law="normal")
    return Bunch(x=pair.x, y=np.where(np.arange(n_samples) == 0, 0.5, 0.0))


SAMPLES: Mapping[str, Callable[[int, int], Bunch]] = {
    "normals, rho = .6": partial(gaussian_pair, correlation=0.6),
    "lognormals": partial(independent_pair, law="lognormal"),
    "Cauchys": partial(independent_pair, law="Cauchy"),
    "outliers": with_outliers,
    "duplicates": with_duplicates,
    "far blocks": in_far_blocks,
    "far blocks, one link": with_one_link,
    "constant but for one": almost_constant,
}
MEASURES = {
    "default": Hypercontractivity(1.06, 0.05, "kde"),
    "uncapped": Hypercontractivity(1.06, None, "kde"),
    "paper": Hypercontractivity(1.06, 0.05, "paper"),
}


def kernel_channel(
    draw: Callable[[int, int], Bunch], measure: Hypercontractivity, seed: int
) -> Channel:
    sample = draw(N_SAMPLES, seed)
    return measure.channel(*kernel_pair(measure, sample.x, sample.y))


def random_channel(seed: int) -> Channel:
    return Channel(random_joint(np.random.default_rng(seed), 6))


def falls(
    make_channel: Callable[[int], Channel], cap: float, seed: int
) -> tuple[float, float]:
    """Walk from random tilts; return the largest falls of the plain step and of `step`.

    The plain step is that of Dinkelbach's method alone, counted where it does not end
    at a tilt of nearly 1. `step` keeps the best of two of them, a leap along them, and
    the tilt that it had.
    """
    channel = make_channel(seed)
    rng = np.random.default_rng(seed)
    p = channel.input_pmf
    logs = np.geomspace(0.1, 10, N_WALKS) * rng.standard_normal((len(p), N_WALKS))
    before = start(channel, capped_tilts(logs, p, cap))
    largest = np.zeros(2)
    for _ in range(N_STEPS):
        plain, after = _plain_step(channel, before, cap), step(channel, before, cap)
        counted = divergence(p, plain.tilts) > SMALLEST_DIVERGENCE
        of_plain = (before.ratios - plain.ratios)[counted].max(initial=0)
        of_step = (before.ratios - after.ratios).max()
        largest = np.maximum(largest, [of_plain, of_step])
        before = after
    return largest[0], largest[1]


def ascent_rows(n_seeds: int) -> list[list[str]]:
    cases: list[tuple[str, Callable[[int], Channel], float]] = [
        ("random joints, uncapped", random_channel, np.inf),
        ("random joints, cap 2", random_channel, 2.0),
    ]
    caps = {"default": np.sqrt(N_SAMPLES), "uncapped": np.inf}
    caps["paper"] = caps["default"]
    for sample, draw in SAMPLES.items():
        for name, cap in caps.items():
            make = partial(kernel_channel, draw, MEASURES[name])
            cases.append((f"{sample}, {name}", make, cap))
    return [ascent_row(name, make, cap, n_seeds) for name, make, cap in cases]


def ascent_row(
    name: str, make: Callable[[int], Channel], cap: float, n_seeds: int
) -> list[str]:
    plain, largest = np.max(for_seeds(partial(falls, make, cap), n_seeds), axis=0)
    return [
        name,
        f"{plain:.1e}",
        f"{largest:.1e}",
        f"<= {ROUNDING:.0e}",
        met(max(largest, plain) <= ROUNDING),
    ]


def sample_values(draw: Callable[[int, int], Bunch], seed: int) -> list[float]:
    """Return all estimates from one sample: those of the header of the table."""
    sample = draw(N_SAMPLES, seed)
    pair = sample.x, sample.y
    backward = HypercontractivityCoef(direction="backward")
    return [
        hypercontractivity(*pair),
        hypercontractivity(*pair, min_fraction=None),
        hypercontractivity(*pair, method="paper"),
        backward.fit(sample.x[:, np.newaxis], sample.y).scores_[0],
        maximal_correlation(*pair),
    ]


def bounds_row(name: str, draw: Callable[[int, int], Bunch], n_seeds: int) -> list[str]:
    values = np.array(for_seeds(partial(sample_values, draw), n_seeds))
    smallest, largest = values.min(axis=0), values.max(axis=0)
    cells = [f"{a:.3f} to {b:.3f}" for a, b in zip(smallest, largest, strict=True)]
    inside = smallest.min() >= 0 and largest.max() <= 1
    return [name, *cells, "0 to 1", met(inside)]


def main() -> None:
    options = read_options(__doc__, n_seeds=200, quick_seeds=20)
    print_table(
        "Discrete joints",
        ("case", "truth", "value", "sigma_2^2", "error", "target", "met"),
        [truth_row(truth) for truth in TRUTHS],
    )
    print_table(
        "Random joints, 2 to 6 values each (products of 2 to 4)",
        ("largest", "joints", "difference", "target", "met"),
        property_rows(options.n_seeds),
    )
    n_seeds = max(2, options.n_seeds // 20)
    print_table(
        f"Largest fall of the ratio along {N_STEPS} steps from {N_WALKS} random tilts, "
        f"n = {N_SAMPLES}, {n_seeds} seeds",
        ("case", "plain step", "step", "target", "met"),
        ascent_rows(n_seeds),
    )
    print_table(
        f"Estimates from samples, smallest and largest, n = {N_SAMPLES}, "
        f"{n_seeds} seeds",
        (
            "case",
            "default",
            "uncapped",
            "paper",
            "backward",
            "maximal",
            "target",
            "met",
        ),
        [bounds_row(name, draw, n_seeds) for name, draw in SAMPLES.items()],
    )


if __name__ == "__main__":
    main()
