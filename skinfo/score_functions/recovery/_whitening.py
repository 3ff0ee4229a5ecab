"""Coordinates in which the samples are white, or scaled to unit variance on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfo._core._scales import centers_and_scales
from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._estimator import SMALLEST_DEVIATION


@dataclass(frozen=True)
class Whitening:
    """Coordinates z of mean 0 and covariance I, with x = mean + root z.

    `root` and `inverse` (d, rank): z = inverse' (x - mean). For `fit_scaling` only the
    mean of the diagonal of the covariance of z is 1.
    """

    mean: FloatArray
    root: FloatArray
    inverse: FloatArray

    @property
    def rank(self) -> int:
        """The number of directions in which the samples vary."""
        return int(self.root.shape[1])

    def apply(self, X: FloatArray) -> FloatArray:
        """Return z of samples, (n, rank)."""
        white: FloatArray = (X - self.mean) @ self.inverse
        return white


def fit_whitening(X: FloatArray) -> Whitening:
    """Return the whitening of samples (n, d); constant samples are mapped to 0."""
    n_samples, n_features = X.shape
    mean, scale = centers_and_scales(X)
    scale = np.where(np.isfinite(scale), scale, 1.0)
    _, deviations, axes = np.linalg.svd((X - mean) / scale, full_matrices=False)
    deviations = deviations / np.sqrt(n_samples)
    kept = deviations > SMALLEST_DEVIATION
    if not kept.any():
        return Whitening(mean, np.zeros((n_features, 1)), np.zeros((n_features, 1)))
    root = scale[:, np.newaxis] * axes[kept].T * deviations[kept]
    inverse = axes[kept].T / scale[:, np.newaxis] / deviations[kept]
    return Whitening(mean, root, inverse)


def fit_scaling(X: FloatArray) -> Whitening:
    """Return X divided by one number, without directions in which it is constant.

    Directions that are orthogonal in X stay orthogonal.
    """
    white = fit_whitening(X)
    variance = float(np.sum(white.root**2)) / white.rank
    if variance == 0:
        return white
    full = white.rank == X.shape[1]
    axes = np.eye(white.rank) if full else np.linalg.qr(white.root)[0]
    deviation = np.sqrt(variance)
    return Whitening(white.mean, deviation * axes, axes / deviation)
