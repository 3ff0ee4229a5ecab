"""Samples of pairs with a known mutual information, beside those of skinfo.datasets.

Each `*_pair` returns a Bunch with `x`, `y` (n_samples,) and `mutual_information`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import norm
from sklearn.utils import Bunch

from skinfo.datasets import make_hidden_correlation

LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
}

_N_JOBS = 2
_FARTHEST = 8.0  # standard deviations: what lies beyond has a probability of 1e-15
_NODES_PER_CELL = 20


def for_seeds(call: Callable[[int], Any], n_seeds: int, *, first: int = 0) -> list[Any]:
    """Return what a function gives for each seed, in two processes."""
    seeds = range(first, first + n_seeds)
    results: list[Any] = Parallel(n_jobs=_N_JOBS)(delayed(call)(seed) for seed in seeds)
    return results


def gaussian_information(correlation: float) -> float:
    """Return the mutual information of two correlated normals."""
    return -0.5 * float(np.log1p(-(correlation**2)))


def gaussian_pair(n_samples: int, seed: int, *, correlation: float) -> Bunch:
    """Two normals."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n_samples)
    noise = rng.standard_normal(n_samples)
    y = correlation * x + np.sqrt(1 - correlation**2) * noise
    return Bunch(x=x, y=y, mutual_information=gaussian_information(correlation))


def cubed_gaussian_pair(n_samples: int, seed: int, *, correlation: float) -> Bunch:
    """Two normals, each to the power of 3: heavy tails."""
    pair = gaussian_pair(n_samples, seed, correlation=correlation)
    return Bunch(x=pair.x**3, y=pair.y**3, mutual_information=pair.mutual_information)


def independent_pair(n_samples: int, seed: int, *, law: str) -> Bunch:
    """Two independent columns of one of the `LAWS`."""
    x, y = LAWS[law](np.random.default_rng(seed), (2, n_samples))
    return Bunch(x=x, y=y, mutual_information=0.0)


def hidden_pair(n_samples: int, seed: int, *, shape: str, noise: float) -> Bunch:
    """Two columns that depend on each other in 5% of the samples, those of `rare`."""
    return make_hidden_correlation(
        n_samples, shape=shape, noise=noise, random_state=seed
    )


def permuted_hidden_pair(
    n_samples: int, seed: int, *, shape: str, noise: float
) -> Bunch:
    """The hidden pair with the `y` of its rare samples permuted: independent."""
    sample = hidden_pair(n_samples, seed, shape=shape, noise=noise)
    rare = np.flatnonzero(sample.rare)
    y = sample.y.copy()
    y[rare] = y[np.random.default_rng(seed).permutation(rare)]
    return Bunch(x=sample.x, y=y, rare=sample.rare, mutual_information=0.0)


def half_zero_pair(n_samples: int, seed: int) -> Bunch:
    """Two independent columns, each normal with probability 1/2 and otherwise 0."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n_samples)) * rng.integers(2, size=(2, n_samples))
    return Bunch(x=x, y=y, mutual_information=0.0)


def integer_pair(n_samples: int, seed: int, *, n_levels: int) -> Bunch:
    """Two independent columns of uniform integers."""
    x, y = np.random.default_rng(seed).integers(n_levels, size=(2, n_samples))
    return Bunch(x=x, y=y, mutual_information=0.0)


def rounded_gaussian_pair(
    n_samples: int, seed: int, *, correlation: float, step: float
) -> Bunch:
    """Two normals, rounded to multiples of a step.

    Also has `mean_log_ratio`, the mean of log p(x, y) / (p(x) p(y)) over the samples:
    what an estimate would be that knew the law.
    """
    pair = gaussian_pair(n_samples, seed, correlation=correlation)
    x, y = (np.round(values / step).astype(int) for values in (pair.x, pair.y))
    cells, log_ratios = _rounded_law(correlation, step)
    center = len(cells) // 2
    return Bunch(
        x=x * step,
        y=y * step,
        mutual_information=float(np.sum(cells * log_ratios)),
        mean_log_ratio=float(log_ratios[x + center, y + center].mean()),
    )


@cache
def _rounded_law(
    correlation: float, step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities of the cells, and log p(x, y) / (p(x) p(y)) in them."""
    cells = _cell_probabilities(correlation, step)
    independent = np.outer(cells.sum(axis=1), cells.sum(axis=0))
    ratio = np.divide(cells, independent, out=np.ones_like(cells), where=cells > 0)
    return cells, np.log(ratio)


def _cell_probabilities(correlation: float, step: float) -> NDArray[np.float64]:
    """Return the probabilities of the cells of the grid, (n_cells, n_cells).

    Given x, y is normal: its cells are exact, and x is integrated within each cell.
    """
    last = np.ceil(_FARTHEST / step)
    edges = (np.arange(-last, last + 2) - 0.5) * step
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_PER_CELL)
    x = edges[:-1, np.newaxis] + (nodes + 1) * step / 2
    density = norm.pdf(x) * weights * step / 2
    deviation = np.sqrt(1 - correlation**2)
    below = ndtr((edges - correlation * x[..., np.newaxis]) / deviation)
    result: NDArray[np.float64] = np.einsum(
        "in,inj->ij", density, np.diff(below, axis=-1)
    )
    return result
