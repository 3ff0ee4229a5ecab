"""Local likelihood: against plain loops, and the bandwidth that a grid search chooses.

The score function of 1024 samples, with the bandwidth that cross-validation chooses,
beside a kernel density at the bandwidth that is best for it, which the truth tells.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from _peers import kernel_density_score, local_likelihood_loops
from _samples import for_seeds
from _tables import at_most, fixed, met, print_table, read_options
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold

from skinfo import GaussianScore, LocalLikelihoodScore
from skinfo.score_functions.densities._grid import GridWeights
from skinfo.score_functions.densities._moments import LocalWeights

N_SAMPLES = 1024
FACTORS = np.geomspace(0.7, 20, 12)
KERNEL_BANDWIDTHS = np.geomspace(0.1, 2, 25)
LARGEST_DIFFERENCE = 1e-10
N_GRID = 20_000
GRID_BANDWIDTHS = (0.2, 0.4, 1.0)
FEWEST_BETTER = 0.7  # of the seeds, in which the kernel density is worse


def normals(n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return standard normal samples, and S_1 = x."""
    X = np.random.default_rng(seed).standard_normal((N_SAMPLES, n_features))
    return X, X


def mixture(n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return samples of two normals around +-(1, ..., 1), and S_1."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (N_SAMPLES, 1))
    X = rng.standard_normal((N_SAMPLES, n_features)) + signs
    return X, X - np.tanh(X.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Case:
    """Samples with their score function, and the largest error allowed.

    `n_seeds`: at most. `every`: whether each seed is judged, or the median.
    """

    draw: Callable[[int], tuple[np.ndarray, np.ndarray]]
    target: float
    n_seeds: int
    every: bool


CASES = {
    "d = 2, normal": Case(partial(normals, 2), 0.13, 10, every=False),
    "d = 2, mixture": Case(partial(mixture, 2), 0.32, 10, every=False),
    "d = 5, mixture": Case(partial(mixture, 5), 0.72, 5, every=True),
}


def rmse(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Return the root of the mean squared length of the error."""
    return float(np.sqrt(np.mean(np.sum((estimate - truth) ** 2, axis=1))))


def errors(case: Case, seed: int) -> tuple[float, float, float]:
    """Return the RMSE of local likelihood, of the kernel density, of one Gaussian."""
    X, truth = case.draw(seed)
    folds = KFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(
        LocalLikelihoodScore(), {"bandwidth_factor": FACTORS}, cv=folds
    )
    with warnings.catch_warnings():  # of the smallest bandwidths
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = search.fit(X).best_estimator_
        gradient, _ = best.log_density_derivatives()
    kernel = min(rmse(-kernel_density_score(X, h), truth) for h in KERNEL_BANDWIDTHS)
    return rmse(-gradient, truth), kernel, rmse(GaussianScore().fit_transform(X), truth)


def bandwidth_row(name: str, case: Case, n_seeds: int) -> list[str]:
    n_seeds = min(n_seeds, case.n_seeds)
    found = np.array(for_seeds(partial(errors, case), n_seeds))
    ours, kernel, _ = found.T
    judged = float(ours.max() if case.every else np.median(ours))
    better = int(np.sum(ours < kernel))
    return [
        name,
        str(n_seeds),
        *(fixed(value, 3) for value in (np.median(ours), ours.mean(), ours.max())),
        "largest" if case.every else "median",
        at_most(case.target, 2),
        met(judged <= case.target),
        fixed(kernel.mean(), 3),
        f"{better} of {n_seeds}",
        met(kernel.mean() > ours.mean() and better >= FEWEST_BETTER * n_seeds),
        fixed(found[:, 2].mean(), 3),
    ]


def loops_row(n_features: int, n_samples: int) -> list[str]:
    """Compare all derivatives with those of the loops, relative to the largest."""
    rng = np.random.default_rng(0)
    X = 3 * rng.standard_normal((n_samples, n_features)) + 5
    bandwidth = 4.0
    ours = LocalLikelihoodScore(bandwidth, regularization=0).fit(X)
    difference = max(
        float(np.abs(a - b).max() / np.abs(b).max())
        for a, b in zip(
            ours.log_density_derivatives(),
            local_likelihood_loops(X, bandwidth),
            strict=True,
        )
    )
    return [
        f"d = {n_features}",
        str(n_samples),
        f"{difference:.1e}",
        f"<= {LARGEST_DIFFERENCE:.0e}",
        met(difference <= LARGEST_DIFFERENCE),
    ]


def grid_row(n_features: int, bandwidth: float) -> list[str]:
    """Compare the convolution on a grid with the sums over all pairs of samples."""
    X = np.random.default_rng(0).standard_normal((N_GRID, n_features))
    rows = np.arange(0, N_GRID, 20)
    coarse, exact = (
        weights(X, X[rows], bandwidth, left_out=rows).moments()
        for weights in (GridWeights, LocalWeights)
    )
    mean = np.abs(coarse.offsets - exact.offsets).max() / bandwidth
    covariance = np.abs(coarse.covariances - exact.covariances).max() / bandwidth**2
    return [
        f"d = {n_features}, h = {bandwidth}",
        str(N_GRID),
        f"{mean:.1e}",
        f"{covariance:.1e}",
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=10, quick_seeds=2)
    print_table(
        "Largest relative difference from plain loops, each sample left out",
        ("case", "n", "difference", "target", "met"),
        [loops_row(d, 100 if options.quick else 300) for d in (1, 2, 3, 5)],
    )
    print_table(
        "Grid against sums over all pairs: largest difference of the local mean, in "
        "units of h, and of the local covariance, of h^2",
        ("case", "n", "mean", "covariance"),
        [grid_row(d, bandwidth) for d in (1, 2) for bandwidth in GRID_BANDWIDTHS],
    )
    print_table(
        f"RMSE of the score function, n = {N_SAMPLES}, 5-fold GridSearchCV; a kernel "
        "density at its best bandwidth; a Gaussian",
        (
            *("case", "seeds", "median", "mean", "largest", "judged", "target", "met"),
            *("kernel", "worse in", "met", "Gaussian"),
        ),
        [bandwidth_row(name, case, options.n_seeds) for name, case in CASES.items()],
    )


if __name__ == "__main__":
    main()
