"""How the distortion of a compressed model falls with its rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skinfo._core._checks import check_positive
from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.schemes._methods import METHODS


@dataclass(frozen=True, eq=False)
class RateDistortionCurve:
    """Size and distortion of a model at several rates.

    Attributes
    ----------
    rates : ndarray of shape (n_rates,)
        The rates that were reached, in bits per weight.
    n_bytes : ndarray of shape (n_rates,)
        The size of each file.
    distortions : ndarray of shape (n_rates,)
        The distortion, as `distortion_` of :class:`skinfo.RDCompressor`.
    relative_distortions : ndarray of shape (n_rates,)
        The distortion relative to that of a model whose weights are all 0.
    gaussian_rates : ndarray of shape (n_rates,)
        Bits per weight that normal weights would need for each distortion.
    """

    rates: FloatArray
    n_bytes: IntArray
    distortions: FloatArray
    relative_distortions: FloatArray
    gaussian_rates: FloatArray


def rate_distortion_curve(
    compressor: Any, X: ArrayLike, rates: ArrayLike, y: ArrayLike | None = None
) -> RateDistortionCurve:
    """Compress the model of a fitted compressor at each of several rates.

    Parameters
    ----------
    compressor : RDCompressor
        A fitted compressor with a method that takes a rate. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The calibration samples, on which the distortion is measured too.
    rates : array-like of shape (n_rates,)
        The rates in bits per weight, in any order.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The targets, required for some values of `importance`.

    Returns
    -------
    RateDistortionCurve
        One entry for each rate, in the order of `rates`.

    Raises
    ------
    NotFittedError
        If the compressor is not fitted.
    ValueError
        If there is no rate, one is not positive, or the method takes no rate.
    """
    return make_curve(list(compressors_at(compressor, X, rates, y)))


def compressors_at(
    compressor: Any, X: ArrayLike, rates: ArrayLike, y: ArrayLike | None = None
) -> Iterator[Any]:
    """Yield a compressor of the same model at each rate, fitted to the samples."""
    check_is_fitted(compressor)
    targets = METHODS[compressor.method].targets
    if "rate" not in targets:
        others = [name for name, each in METHODS.items() if "rate" in each.targets]
        raise ValueError(
            f"method={compressor.method!r} is set by {targets[0]}, and has no curve of "
            f"rates. Pass a compressor with method={' or '.join(map(repr, others))}."
        )
    frozen = FrozenEstimator(compressor.estimator_)
    for rate in _check_rates(rates):
        other = clone(compressor).set_params(
            estimator=frozen, rate=rate, n_bytes=None, distortion=None
        )
        yield other.fit(X, y)


def make_curve(compressors: list[Any]) -> RateDistortionCurve:
    """Collect the attributes of fitted compressors."""

    def collected(name: str) -> FloatArray:
        return np.array([getattr(each, name) for each in compressors], dtype=float)

    return RateDistortionCurve(
        rates=collected("rate_"),
        n_bytes=collected("n_bytes_").astype(np.int64),
        distortions=collected("distortion_"),
        relative_distortions=collected("relative_distortion_"),
        gaussian_rates=collected("gaussian_rate_"),
    )


def _check_rates(rates: ArrayLike) -> list[float]:
    found = np.ravel(np.asarray(rates)).tolist()
    if not found:
        raise ValueError("rates is empty. Pass at least one rate, in bits a weight.")
    return [check_positive("rates", rate) for rate in found]
