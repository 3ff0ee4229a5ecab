"""Bias and root mean square error of mutual information, in nats, beside the peers."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from _estimators import (
    authors_formula,
    mesner_shalizi,
    npeet,
    npeet_plus,
    scikit_learn,
)
from _samples import (
    cubed_gaussian_pair,
    gaussian_pair,
    half_zero_pair,
    integer_pair,
    rounded_gaussian_pair,
)
from _tables import (
    at_most,
    fixed,
    met,
    print_skipped,
    print_table,
    read_options,
    standard_error,
)
from sklearn.utils import Bunch

from skinfo import mutual_information
from skinfo.datasets import (
    make_discrete_continuous_mixture,
    make_discrete_plus_uniform,
    make_gaussian_dropout,
    make_zero_inflated_poisson,
)

N_NEIGHBORS = 5
ROUNDING_STEPS = (1.0, 0.5, 0.25, 0.1, 0.05)
CORRELATIONS = (0.0, 0.6, 0.9)
VECTOR_SIZES = (1, 2, 3, 5, 8)  # columns on each side


@dataclass(frozen=True)
class Case:
    """Samples with a known truth, and the largest error that is allowed, if any.

    `x_discrete` and `y_discrete` are the flags that the peers need; `nominal`: skinfo,
    too, is told that both are discrete. `vector`: scikit-learn cannot do it.
    """

    name: str
    draw: Callable[[int, int], Bunch]  # from a number of samples and a seed
    target: float | None
    n_samples: int = 1000
    x_discrete: bool = False
    y_discrete: bool = False
    nominal: bool = False
    vector: bool = False


def from_dataset(make: Callable[..., Bunch], **parameters: Any) -> Callable[..., Bunch]:
    """Turn a generator of skinfo.datasets into what `Case.draw` takes."""
    return lambda n_samples, seed: make(n_samples, random_state=seed, **parameters)


def with_larger_y(n_samples: int, seed: int) -> Bunch:
    """Experiment II with y times 1000."""
    sample = make_discrete_plus_uniform(n_samples, random_state=seed)
    return Bunch(**{**sample, "y": sample.y * 1000})


CASES = [
    Case("Experiment I", from_dataset(make_discrete_continuous_mixture), 0.040),
    Case(
        "Experiment II",
        from_dataset(make_discrete_plus_uniform),
        0.020,
        x_discrete=True,
    ),
    Case("Experiment II, y x 1000", with_larger_y, 0.020, x_discrete=True),
    Case(
        "Experiment III (2 + 2 columns)",
        from_dataset(make_discrete_plus_uniform, n_pairs=2),
        0.250,
        vector=True,
    ),
    Case(
        "Experiment IV, p = .15",
        from_dataset(make_zero_inflated_poisson),
        0.025,
        y_discrete=True,
    ),
    Case("independent, 50% zeros", half_zero_pair, 0.016),
    Case(
        "independent normals rounded to .1",
        partial(rounded_gaussian_pair, correlation=0.0, step=0.1),
        0.028,
    ),
    Case("normals, rho = .999", partial(gaussian_pair, correlation=0.999), 0.050),
    Case(
        "cubed normals, rho = .75",
        partial(cubed_gaussian_pair, correlation=0.75),
        0.045,
    ),
    Case(
        "shared dropout, p = .3",
        from_dataset(make_gaussian_dropout, dropout=0.3, shared_mask=True),
        0.025,
        n_samples=2000,
    ),
    Case(
        "10 x 10 independent integers",
        partial(integer_pair, n_levels=10),
        0.025,
        x_discrete=True,
        y_discrete=True,
    ),
    Case(
        "10 x 10 independent categories",
        partial(integer_pair, n_levels=10),
        0.025,
        x_discrete=True,
        y_discrete=True,
        nominal=True,
    ),
    Case(
        "30 x 30 independent categories",
        partial(integer_pair, n_levels=30),
        None,
        x_discrete=True,
        y_discrete=True,
        nominal=True,
    ),
    Case(
        "50 x 50 independent categories",
        partial(integer_pair, n_levels=50),
        None,
        n_samples=500,
        x_discrete=True,
        y_discrete=True,
        nominal=True,
    ),
]


def errors(
    samples: Sequence[Bunch], estimate: Callable[[Any, Any], float]
) -> np.ndarray:
    """Return estimate minus truth for each sample."""
    return np.array([estimate(s.x, s.y) - s.mutual_information for s in samples])


def root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def told_peers() -> dict[str, Callable[..., float]]:
    """Return the peers that are told which variables are discrete, if installed."""
    peers: dict[str, Callable[..., float]] = {"scikit-learn": scikit_learn}
    if npeet_plus is None:
        print_skipped("NPEET", "npeet-plus is not installed")
    else:
        peers["NPEET"] = npeet
    return peers


def accuracy_row(
    case: Case, peers: Mapping[str, Callable[..., float]], n_seeds: int
) -> list[str]:
    samples = [case.draw(case.n_samples, seed) for seed in range(n_seeds)]
    kind = True if case.nominal else "auto"
    default = partial(
        mutual_information, n_neighbors=N_NEIGHBORS, x_discrete=kind, y_discrete=kind
    )
    ours = errors(samples, default)
    authors = errors(samples, partial(authors_formula, n_neighbors=N_NEIGHBORS))
    error = root_mean_square(ours)
    return [
        case.name,
        str(case.n_samples),
        fixed(samples[0].mutual_information),
        *bias_and_error(ours),
        *(cell for peer in peers.values() for cell in peer_cells(peer, case, samples)),
        *bias_and_error(authors),
        at_most(case.target),
        "-" if case.target is None else met(error <= case.target),
    ]


def peer_cells(
    peer: Callable[..., float], case: Case, samples: Sequence[Bunch]
) -> list[str]:
    if case.vector and peer is scikit_learn:
        return ["n/a", "n/a"]
    estimate = partial(
        peer,
        x_discrete=case.x_discrete,
        y_discrete=case.y_discrete,
        n_neighbors=N_NEIGHBORS,
    )
    return bias_and_error(errors(samples, estimate))


def bias_and_error(values: np.ndarray) -> list[str]:
    return [fixed(values.mean()), fixed(root_mean_square(values))]


def scale_row(n_seeds: int) -> list[str]:
    """Compare the estimates of Experiment II with and without the factor."""
    differences = []
    for seed in range(n_seeds):
        sample = make_discrete_plus_uniform(random_state=seed)
        larger = with_larger_y(1000, seed)
        differences.append(
            mutual_information(larger.x, larger.y)
            - mutual_information(sample.x, sample.y)
        )
    largest = float(np.abs(differences).max())
    return [
        "Experiment II, y x 1000",
        f"{largest:.1e}",
        "<= 1e-12",
        met(largest < 1e-12),
    ]


def rounding_errors(
    samples: Sequence[Bunch], estimate: Callable[[Any, Any], float]
) -> np.ndarray:
    """Return estimate minus what it would be if the law were known, for each sample.

    The mean is the bias, with less noise than that of `errors`.
    """
    return np.array([estimate(s.x, s.y) - s.mean_log_ratio for s in samples])


TIE_RULES: Mapping[str, Callable[[Any, Any], float]] = {
    "ours": mutual_information,
    "authors'": authors_formula,
    "authors' on ranks": partial(mutual_information, ties="gao"),
    "Mesner-Shalizi": mesner_shalizi,
    "M-S on ranks": partial(mesner_shalizi, scale="rank"),
}


def rounding_rows(n_samples: int, n_seeds: int) -> list[list[str]]:
    """Compare the bias of the rules for ties; the last row has the largest of each."""
    rows, all_biases = [], []
    for correlation, step in product(CORRELATIONS, ROUNDING_STEPS):
        samples = [
            rounded_gaussian_pair(n_samples, seed, correlation=correlation, step=step)
            for seed in range(n_seeds)
        ]
        of_rules = [rounding_errors(samples, rule) for rule in TIE_RULES.values()]
        biases = np.mean(of_rules, axis=1)
        case = [f"rho = {correlation}, step {step}", str(n_samples)]
        truth = samples[0].mutual_information
        rows.append(rounding_row(case, truth, biases, 2 * standard_error(of_rules[0])))
        all_biases.append(biases)
    largest = np.max(np.abs(all_biases), axis=0)
    rows.append(rounding_row(["largest of these", str(n_samples)], None, largest, None))
    return rows


def rounding_row(
    case: Sequence[str], truth: float | None, biases: np.ndarray, noise: float | None
) -> list[str]:
    bound = max(noise or 0.0, np.abs(biases[1:]).min())
    return [
        *case,
        fixed(truth),
        *map(fixed, biases),
        fixed(noise),
        at_most(bound, digits=4),
        met(abs(biases[0]) <= bound),
    ]


def vector_row(n_columns: int, n_seeds: int) -> list[str]:
    """Measure vectors of normals, of which each column of x has its own in y."""
    errors_of_seeds = []
    for seed in range(n_seeds):
        pair = gaussian_pair(1000 * n_columns, seed, correlation=0.6)
        x, y = (values.reshape(1000, n_columns) for values in (pair.x, pair.y))
        truth = n_columns * pair.mutual_information
        errors_of_seeds.append(mutual_information(x, y) - truth)
    return [
        f"{n_columns} + {n_columns} columns",
        fixed(truth),
        *bias_and_error(np.array(errors_of_seeds)),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=50, quick_seeds=4)
    peers = told_peers()
    print_table(
        f"Bias and RMSE in nats, k = {N_NEIGHBORS}, {options.n_seeds} seeds",
        (
            *("case", "N", "truth", "bias", "RMSE"),
            *(name for peer in peers for name in (f"{peer} bias", "RMSE")),
            *("authors' bias", "RMSE", "target", "met"),
        ),
        [accuracy_row(case, peers, options.n_seeds) for case in CASES],
    )
    print_table(
        f"Largest change of the estimate, {options.n_seeds} seeds",
        ("case", "change", "target", "met"),
        [scale_row(options.n_seeds)],
    )
    n_seeds = min(options.n_seeds, 10)
    print_table(
        f"Vectors of normals, rho = .6 of each pair of columns, n = 1000, "
        f"{n_seeds} seeds",
        ("case", "truth", "bias", "RMSE"),
        [vector_row(n_columns, n_seeds) for n_columns in VECTOR_SIZES],
    )
    sizes = (1000,) if options.quick else (1000, 10_000)
    print_table(
        f"Bias on rounded normals, {options.n_seeds} seeds; "
        "target: the least of the peers, or 2 standard errors of ours",
        ("case", "N", "truth", *TIE_RULES, "2 s.e.", "target", "met"),
        [row for n in sizes for row in rounding_rows(n, options.n_seeds)],
    )


if __name__ == "__main__":
    main()
