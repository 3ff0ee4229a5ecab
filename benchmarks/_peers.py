"""Other measures of dependence, other score functions, and plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from _tables import print_skipped
from numpy.typing import NDArray
from scipy import stats
from scipy.special import xlogy

try:
    import dcor
except ImportError:
    dcor = None

FloatArray = NDArray[np.float64]

_BANDWIDTH_FACTOR = 1.06
_N_STARTS = 10
_N_STEPS = 100
_STEP_LENGTH = 0.5  # the Euclidean norm of the change of the weights
_SMALLEST_WEIGHT = 1e-8


def distance_correlation(x: Any, y: Any) -> float:
    """Return the distance correlation, in O(n log n)."""
    return float(dcor.distance_correlation(x, y, method="mergesort"))


def xi(x: Any, y: Any) -> float:
    """Return Chatterjee's xi of y as a function of x."""
    return float(stats.chatterjeexi(x, y).statistic)


def pearson(x: Any, y: Any) -> float:
    """Return the absolute value of Pearson's correlation."""
    return float(np.abs(np.corrcoef(x, y)[0, 1]))


def available_peers() -> dict[str, Callable[[Any, Any], float]]:
    """Return the other measures; print which of them are not installed."""
    peers: dict[str, Callable[[Any, Any], float]] = {}
    if dcor is None:
        print_skipped("distance correlation", "dcor is not installed")
    else:
        peers["dCor"] = distance_correlation
    if hasattr(stats, "chatterjeexi"):
        peers["xi"] = xi
    else:
        print_skipped("xi", "scipy is older than 1.15")
    peers["Pearson"] = pearson
    return peers


def authors_loops(x: FloatArray, y: FloatArray, seed: int = 0) -> float:
    """Return the hypercontractivity as the authors' code computes it.

    Kernels by two loops over the samples, which may be vectors, doubly centred; then 10
    random starts of 100 gradient steps of fixed length. The result is the largest of
    the last ratios. Written out from a description: it takes as long as theirs, and
    need not give the same last digits.
    """
    transition = _centred(_smoother(_rows(y)) @ _smoother(_rows(x)).T)
    rng = np.random.default_rng(seed)
    return max(_climb(transition, rng) for _ in range(_N_STARTS))


def _rows(values: FloatArray) -> FloatArray:
    return values.reshape(len(values), -1)


def _smoother(rows: FloatArray) -> FloatArray:
    """Return the Gaussian kernel between the samples, each row scaled to sum 1."""
    n, d = rows.shape
    bandwidth = _BANDWIDTH_FACTOR * float(np.std(rows)) * n ** (-1 / (d + 4))
    kernel = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            distance = np.linalg.norm(rows[i] - rows[j]) / bandwidth
            kernel[i, j] = np.exp(-0.5 * distance**2)
    return kernel / kernel.sum(axis=1, keepdims=True)


def _centred(joint: FloatArray) -> FloatArray:
    """Shift rows and columns to the sum 1; negative entries become 0."""
    n = len(joint)
    rows, columns = joint.sum(axis=1, keepdims=True), joint.sum(axis=0)
    return np.maximum(joint + 1 / n + joint.sum() / n**2 - (rows + columns) / n, 0)


def _climb(transition: FloatArray, rng: np.random.Generator) -> float:
    """Return the last ratio of one climb over the weights w = r / p of the samples."""
    n = len(transition)
    weights = _feasible(rng.uniform(size=n), n)
    for _ in range(_N_STEPS):
        gradient = _gradient(transition, weights)
        step = _STEP_LENGTH * gradient / np.linalg.norm(gradient)
        weights = _feasible(weights + step, n)
    return _ratio(transition, weights)


def _feasible(weights: FloatArray, n: int) -> FloatArray:
    clipped = np.clip(weights, _SMALLEST_WEIGHT, math.sqrt(n))
    return clipped / clipped.mean()


def _ratio(transition: FloatArray, weights: FloatArray) -> float:
    outputs = transition @ weights
    outputs /= outputs.mean()
    return float(np.sum(xlogy(outputs, outputs)) / np.sum(xlogy(weights, weights)))


def _gradient(transition: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the gradient of the ratio, without its part along the vector of ones."""
    log_outputs = np.log(np.maximum(transition @ weights, _SMALLEST_WEIGHT))
    ratio = _ratio(transition, weights)
    gradient = transition.T @ log_outputs - ratio * np.log(weights)
    result: FloatArray = gradient - gradient.mean()
    return result


def local_likelihood_loops(X: FloatArray, bandwidth: float) -> tuple[Any, Any]:
    """Return grad and hess of log p at each sample but for itself, by plain loops.

    grad log p = Sigma^-1 mu and hess log p = I / h^2 - Sigma^-1, where mu and Sigma are
    the weighted mean and covariance of x_j - x_i.
    """
    identity = np.eye(X.shape[1])
    gradients, hessians = [], []
    for i, query in enumerate(X):
        total, first, second = 0.0, np.zeros(len(query)), np.zeros_like(identity)
        for j, sample in enumerate(X):
            if j == i:
                continue
            step = sample - query
            weight = math.exp(-(step @ step) / (2 * bandwidth**2))
            total += weight
            first += weight * step
            second += weight * np.outer(step, step)
        mean = first / total
        precision = np.linalg.inv(second / total - np.outer(mean, mean))
        gradients.append(precision @ mean)
        hessians.append(identity / bandwidth**2 - precision)
    return np.array(gradients), np.array(hessians)


def kernel_density_score(X: FloatArray, bandwidth: float) -> FloatArray:
    """Return grad log p at each sample but for itself, of a Gaussian kernel density."""
    distances = ((X[:, np.newaxis] - X) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    distances -= distances.min(axis=1, keepdims=True)
    weights = np.exp(-distances / (2 * bandwidth**2))
    means = weights @ X / weights.sum(axis=1, keepdims=True)
    result: FloatArray = (means - X) / bandwidth**2
    return result
