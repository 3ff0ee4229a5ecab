"""Hypercontractivity of samples: its size where the truth is known, and what it costs.

A scalar is gathered in the cells of a grid, and several columns around landmarks; the
last tables count the cells, and compare both with a kernel between all samples.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
from _estimators import kernel_pair
from _samples import LAWS, for_seeds, gaussian_pair, hidden_pair, independent_pair
from _tables import at_most, fixed, met, print_table, read_options
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.utils import Bunch

from skinfo import HypercontractivityCoef, hypercontractivity
from skinfo.dependence.kernels import _cells
from skinfo.dependence.kernels._cells import Cells, gather
from skinfo.dependence.kernels._channel import smooth_cells
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity

CORRELATION = 0.6
SMALLEST, LARGEST = 0.25, 0.40
LARGEST_OF_INDEPENDENT = 0.01
FEW_SEEDS = 3  # of the largest samples
PAPER_UP_TO = 1000  # samples
N_TARGET = 1000  # samples, the fewest that are judged
N_TAILED = 200
N_HIDDEN = 10_000
MIN_FRACTIONS = (0.05, 0.01, None)
QUANTILE = 0.95
N_GRID = 1500
LARGEST_GRID_ERROR = 2e-3
N_VECTORS = 2000
MEASURE = Hypercontractivity(1.06, 0.05, "kde")

ESTIMATES = ("default", "without top witness", "sigma_2^2", "uncapped", "paper")


def estimates(
    draw: Callable[[int, int], Bunch], n_samples: int, seed: int
) -> list[float]:
    """Return all estimates from one sample; NaN for "paper" where it is large."""
    sample = draw(n_samples, seed)
    selector = HypercontractivityCoef().fit(sample.x[:, np.newaxis], sample.y)
    paper = np.nan
    if n_samples <= PAPER_UP_TO:
        paper = hypercontractivity(sample.x, sample.y, method="paper")
    return [
        selector.scores_[0],
        selector.scores_without_witness_[0],
        selector.lower_bounds_[0],
        hypercontractivity(sample.x, sample.y, min_fraction=None),
        paper,
    ]


def cells_of(values: np.ndarray) -> list[str]:
    return ["-" if np.isnan(value) else fixed(value) for value in values]


def median_row(
    name: str,
    draw: Callable[[int, int], Bunch],
    n_samples: int,
    n_seeds: int,
    target: tuple[float, float] | None,
) -> list[str]:
    """Take medians over seeds, and the largest of the default."""
    values = np.array(for_seeds(partial(estimates, draw, n_samples), n_seeds))
    medians = np.median(values, axis=0)
    is_met = "-"
    if target is not None:
        is_met = met(target[0] <= medians[0] <= target[1])
    return [
        name,
        str(n_samples),
        str(n_seeds),
        *cells_of(medians),
        fixed(values[:, 0].max()),
        "-" if target is None else f"{target[0]:.2f} to {target[1]:.2f}",
        is_met,
    ]


def median_rows(sizes: list[int], n_seeds: int) -> list[list[str]]:
    gaussian = partial(gaussian_pair, correlation=CORRELATION)
    independent = partial(gaussian_pair, correlation=0.0)
    rows = []
    for n_samples in sizes:
        few = FEW_SEEDS if n_samples >= 1_000_000 else n_seeds
        name = f"normals, rho^2 = {CORRELATION**2:.2f}"
        target = (SMALLEST, LARGEST) if n_samples >= N_TARGET else None
        rows.append(median_row(name, gaussian, n_samples, few, target))
    for n_samples in sizes[:5]:
        target = (0.0, LARGEST_OF_INDEPENDENT) if n_samples == 10_000 else None
        name = "independent normals"
        rows.append(median_row(name, independent, n_samples, n_seeds, target))
    return rows


def same_pair(n_samples: int, seed: int) -> Bunch:
    """Two columns that are the same normals."""
    x = np.random.default_rng(seed).standard_normal(n_samples)
    return Bunch(x=x, y=x)


def normal_scores(n_samples: int, seed: int, *, law: str) -> Bunch:
    """Independent columns of one of the `LAWS`, each as its normal scores."""
    pair = independent_pair(n_samples, seed, law=law)
    x, y = (ndtri(rankdata(values) / (n_samples + 1)) for values in (pair.x, pair.y))
    return Bunch(x=x, y=y)


TAILED: Mapping[str, Callable[[int, int], Bunch]] = {
    **{law: partial(independent_pair, law=law) for law in LAWS},
    "Cauchy, normal scores": partial(normal_scores, law="Cauchy"),
}


def tail_row(name: str, draw: Callable[[int, int], Bunch], n_seeds: int) -> list[str]:
    values = np.array(for_seeds(partial(estimates, draw, N_TAILED), n_seeds))
    quantiles = np.quantile(values, QUANTILE, axis=0)
    return [f"independent, {name}", str(N_TAILED), str(n_seeds), *cells_of(quantiles)]


def of_vectors(n_columns: int, seed: int) -> float:
    """Return the estimate of two independent normal vectors."""
    x, y = np.random.default_rng(seed).standard_normal((2, N_TARGET, n_columns))
    return hypercontractivity(x, y)


def vectors_row(n_columns: int, n_seeds: int) -> list[str]:
    values = for_seeds(partial(of_vectors, n_columns), n_seeds)
    name = f"{n_columns} + {n_columns} columns"
    return [name, str(N_TARGET), fixed(np.median(values), 3)]


def of_fractions(draw: Callable[[int, int], Bunch], seed: int) -> list[float]:
    sample = draw(N_HIDDEN, seed)
    return [
        hypercontractivity(sample.x, sample.y, min_fraction=fraction)
        for fraction in MIN_FRACTIONS
    ]


def permuted(n_samples: int, seed: int) -> Bunch:
    sample = hidden_pair(n_samples, seed, shape="linear", noise=0.03)
    return Bunch(x=sample.x, y=np.random.default_rng(seed).permutation(sample.y))


HIDDEN: Mapping[str, Callable[[int, int], Bunch]] = {
    "hidden linear, noise .03": partial(hidden_pair, shape="linear", noise=0.03),
    "hidden linear, noise 0": partial(hidden_pair, shape="linear", noise=0.0),
    "noise .03, all of y permuted": permuted,
}


def fractions_row(
    name: str, draw: Callable[[int, int], Bunch], n_seeds: int
) -> list[str]:
    medians = np.median(for_seeds(partial(of_fractions, draw), n_seeds), axis=0)
    return [name, str(N_HIDDEN), *(fixed(value, 3) for value in medians)]


def cells_row(n_samples: int) -> list[str]:
    """Count the cells of a column of normals, of the default bandwidth."""
    pair = gaussian_pair(n_samples, 0, correlation=CORRELATION)
    counts = [len(vector.cells) for vector in kernel_pair(MEASURE, pair.x, pair.y)]
    return ["normals", str(n_samples), *map(str, counts)]


def quadratic_pair(n_samples: int, seed: int) -> Bunch:
    """A uniform column, and its square with some noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n_samples)
    return Bunch(x=x, y=x**2 + 0.1 * rng.standard_normal(n_samples))


def lognormal_pair(n_samples: int, seed: int) -> Bunch:
    """Correlated normals, exponentiated."""
    pair = gaussian_pair(n_samples, seed, correlation=CORRELATION)
    return Bunch(x=np.exp(pair.x), y=np.exp(pair.y))


GRID_CASES: Mapping[str, Callable[[int, int], Bunch]] = {
    "normals": partial(gaussian_pair, correlation=CORRELATION),
    "quadratic": quadratic_pair,
    "hidden linear": partial(hidden_pair, shape="linear", noise=0.03),
    "hidden sine": partial(hidden_pair, shape="sine", noise=0.1),
    "lognormals": lognormal_pair,
}


def regrouped(vector: KernelVector, *, on_landmarks: bool) -> KernelVector:
    """Return a vector with a cell for each sample, or with cells around landmarks."""
    variable = vector.training.variable
    points, counts = variable.points / vector.bandwidth, variable.counts
    if on_landmarks:
        with patch.object(_cells, "MAX_CELLS", len(points) - 1):
            cells = gather(variable.groups, points, counts)
        codes = cells.codes[variable.codes]
        cells = Cells(codes, cells.counts, cells.groups, cells.points)
    else:
        cells = Cells(variable.codes, counts, variable.groups, points)
    return replace(vector, smoothed=smooth_cells(cells))


def grid_and_dense(draw: Callable[[int, int], Bunch], seed: int) -> tuple[float, float]:
    sample = draw(N_GRID, seed)
    pair = kernel_pair(MEASURE, sample.x, sample.y)
    dense = [regrouped(vector, on_landmarks=False) for vector in pair]
    return MEASURE.maximum(*pair).value, MEASURE.maximum(*dense).value


def grid_row(name: str, draw: Callable[[int, int], Bunch], n_seeds: int) -> list[str]:
    values = np.array(for_seeds(partial(grid_and_dense, draw), n_seeds))
    largest = float(np.abs(values[:, 0] - values[:, 1]).max())
    return [
        name,
        str(N_GRID),
        *cells_of(np.median(values, axis=0)),
        f"{largest:.1e}",
        f"<= {LARGEST_GRID_ERROR:.0e}",
        met(largest <= LARGEST_GRID_ERROR),
    ]


def vector_pair(
    n_samples: int, seed: int, *, dependent: bool, summed: bool, outlier: bool
) -> Bunch:
    """Normal vectors of 2 and 2 columns, or of 3 columns and 1 that is their sum."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_samples, 3 if summed else 2))
    noise = rng.standard_normal((n_samples, 1 if summed else 2))
    signal = x.sum(axis=1, keepdims=True) / np.sqrt(3) if summed else x
    y = CORRELATION * signal + np.sqrt(1 - CORRELATION**2) * noise
    if not dependent:
        y = noise
    if outlier:
        x[0], y[0] = 7.0, -7.0
    return Bunch(x=x, y=y)


def landmarks_and_dense(
    draw: Callable[[int, int], Bunch], seed: int
) -> tuple[float, float, int]:
    """Return both estimates, and how many samples share the landmark of the first."""
    sample = draw(N_VECTORS, seed)
    pair = kernel_pair(MEASURE, sample.x, sample.y)
    coarse = [
        regrouped(vector, on_landmarks=True)
        if vector.training.variable.n_coordinates > 1
        else vector
        for vector in pair
    ]
    codes = coarse[0].cells.codes
    companions = int(np.sum(codes == codes[0]))
    return MEASURE.maximum(*coarse).value, MEASURE.maximum(*pair).value, companions


def landmark_row(
    n_seeds: int, *, summed: bool, dependent: bool, outlier: bool
) -> list[str]:
    draw = partial(vector_pair, dependent=dependent, summed=summed, outlier=outlier)
    results = for_seeds(partial(landmarks_and_dense, draw), n_seeds)
    landmarks, dense, companions = np.transpose(results)
    columns = "3 + 1 columns" if summed else "2 + 2 columns"
    law = "rho^2 = .36" if dependent else "independent"
    return [
        f"{columns}, {law}{', an outlier' if outlier else ''}",
        str(N_VECTORS),
        *cells_of(np.array([np.median(landmarks), np.median(dense)])),
        fixed(np.abs(landmarks - dense).max()),
        fixed(companions.max(), 0) if outlier else "-",
        at_most(1, 0) if outlier else "-",
        met(companions.max() == 1) if outlier else "-",
    ]


def print_sizes(sizes: list[int], n_seeds: int) -> None:
    """Print what estimates are like, by the number of samples and the law."""
    case = ("case", "n", "seeds")
    print_table(
        "Median over seeds, and the largest of the default",
        (*case, *ESTIMATES, "largest", "target", "met"),
        median_rows(sizes, n_seeds),
    )
    print_table(
        "Y = X, where the truth is 1: median over seeds, and the largest",
        (*case, *ESTIMATES, "largest", "target", "met"),
        [
            median_row("same normals", same_pair, n, n_seeds, None)
            for n in sizes
            if n <= 100_000
        ],
    )
    print_table(
        f"{QUANTILE:.0%} quantile of independent pairs, by their law",
        (*case, *ESTIMATES),
        [tail_row(name, draw, 10 * n_seeds) for name, draw in TAILED.items()],
    )
    print_table(
        f"Independent normal vectors, median of {n_seeds} seeds",
        ("case", "n", "default"),
        [vectors_row(n_columns, n_seeds) for n_columns in (1, 2, 3)],
    )


def print_costs(n_seeds: int) -> None:
    """Print what the cap, the grid and the landmarks take from the estimate."""
    print_table(
        f"By min_fraction, median of {n_seeds} seeds",
        ("case", "n", *map(str, MIN_FRACTIONS)),
        [fractions_row(name, draw, n_seeds) for name, draw in HIDDEN.items()],
    )
    print_table(
        "Cells of the grid",
        ("case", "n", "of x", "of y"),
        [cells_row(n_samples) for n_samples in (1000, 10_000, 100_000)],
    )
    medians = ("landmarks", "dense", "largest difference")
    print_table(
        f"Grid against a kernel between all samples, median of {n_seeds} seeds",
        ("case", "n", "grid", *medians[1:], "target", "met"),
        [grid_row(name, draw, n_seeds) for name, draw in GRID_CASES.items()],
    )
    print_table(
        "Landmarks against a kernel between all samples, "
        f"median of {n_seeds} seeds, and samples at the landmark of the outlier",
        ("case", "n", *medians, "at outlier", "target", "met"),
        [
            landmark_row(n_seeds, summed=summed, dependent=dependent, outlier=outlier)
            for summed in (False, True)
            for dependent in (True, False)
            for outlier in (False, True)
        ],
    )


def main() -> None:
    options = read_options(__doc__, n_seeds=20, quick_seeds=3)
    sizes = [40, 100, 1000, 10_000]
    if not options.quick:
        sizes += [100_000, 1_000_000]
    print_sizes(sizes, options.n_seeds)
    print_costs(max(2, options.n_seeds // 4))


if __name__ == "__main__":
    main()
