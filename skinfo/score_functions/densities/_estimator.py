"""Base class of the estimators of score functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skinfo._core._checks import check_option
from skinfo._core._typing import FloatArray
from skinfo.score_functions.tensors._pointwise import ORDERS

LARGEST = 1e100  # size of a value whose square, and that of its inverse, are floats
# Standard deviation along a principal axis of standardised columns, below which the
# axis is a linear dependence up to rounding, and is left out. In correlation matrices
# of exactly dependent columns, the least eigenvalue was up to 1.2e-14 of the largest
# (10^6 samples, means of 10^6 standard deviations).
SMALLEST_DEVIATION = 1e-6
_MATRICES = 8  # (d, d) matrices of a sample, at most, that the objective holds at once


def check_sizes(name: str, values: FloatArray) -> None:
    """Raise if squares of the values, or of the range of a column, are no floats."""
    spans = np.ptp(values, axis=0)
    spans = spans[spans > 0]
    if np.abs(values).max() <= LARGEST and spans.min(initial=1) >= 1 / LARGEST:
        return
    raise ValueError(
        f"{name} has values beyond {LARGEST:g}, or columns that vary by less than "
        f"{1 / LARGEST:g}, whose squares are not representable. Scale it, for example "
        "by StandardScaler."
    )


def _checked_finite(values: FloatArray, what: str) -> FloatArray:
    """Return the values, or raise if some are infinite or NaN."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"{what} overflow at some points of X. Pass points nearer to the samples "
            "of fit, or scale the features."
        )
    return values


class ScoreFunctionEstimator(
    OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC
):
    """Base class of estimators of the score functions of a density.

    It has the public methods, which validate their input and check that the results are
    finite. A subclass implements `_fit`, `_score_function` and `_contract`, which are
    exact up to order 4; an approximation by a locally quadratic log density is a
    :class:`LocallyQuadraticScore`. In these methods, X (n, d) is validated, and None
    stands for the samples of `fit`.
    """

    @abstractmethod
    def _fit(self, X: FloatArray) -> None:
        """Fit the density, and store what `X=None` stands for."""

    @abstractmethod
    def _score_function(self, X: FloatArray | None, order: int) -> FloatArray:
        """Return S_order at each sample, order 1 to 4, (n, d, ..., d)."""

    @abstractmethod
    def _contract(
        self, X: FloatArray | None, vectors: FloatArray, order: int
    ) -> FloatArray:
        """Return S_order(v, ..., v) of each sample and vector, (n, n_vectors)."""

    def _log_density_derivatives(
        self, X: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gradient (n, d) and the Hessian (n, d, d) of log p."""
        gradient = -self._score_function(X, 1)
        hessian = self._score_function(X, 2)  # S_2 = aa + B
        hessian -= gradient[:, :, np.newaxis] * gradient[:, np.newaxis]
        return gradient, hessian

    def _objective(self, X: FloatArray | None) -> FloatArray:
        """Return |grad log p|^2 / 2 + div grad log p of each sample, (n,)."""
        gradient, hessian = self._log_density_derivatives(X)
        objective: FloatArray = (gradient**2).sum(axis=1) / 2
        objective += np.einsum("nii->n", hessian)
        return objective

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit the density of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        check_sizes("X", X)
        self._fit(X)
        return self

    def log_density_derivatives(
        self, X: ArrayLike | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gradient and the Hessian of the log density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Points to evaluate. None: the samples of `fit`; a local estimate leaves each
            of them out of its own estimate.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            The first derivatives, in the reciprocal units of the features.
        hessian : ndarray of shape (n_samples, n_features, n_features)
            The second derivatives.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            gradient, hessian = self._log_density_derivatives(self._read(X))
        _checked_finite(gradient, "The derivatives of the log density")
        return gradient, _checked_finite(hessian, "The derivatives of the log density")

    def _read(self, X: ArrayLike | None) -> FloatArray | None:
        """Return validated samples; None, for the samples of `fit`, stays None."""
        check_is_fitted(self)
        if X is None:
            return None
        checked: FloatArray = validate_data(self, X, dtype=np.float64, reset=False)
        if np.abs(checked).max() > LARGEST:
            raise ValueError(
                f"X has values beyond {LARGEST:g}, where the score functions are not "
                "representable. Pass points nearer to the samples of fit."
            )
        return checked

    def score_function(self, X: ArrayLike | None = None, order: int = 1) -> FloatArray:
        """Return the score function (-1)^m grad^m p / p of order m.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Points to evaluate. None: the samples of `fit`.
        order : {1, 2, 3, 4}, default=1
            The order of the derivative of the density.

        Returns
        -------
        ndarray of shape (n_samples, n_features, ..., n_features)
            One symmetric tensor with `order` axes for each sample.
        """
        check_option("order", order, ORDERS)
        X = self._read(X)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self._score_function(X, order)
        return _checked_finite(scores, f"Score functions of order {order}")

    def contract(
        self, X: ArrayLike | None, vectors: ArrayLike, order: int
    ) -> FloatArray:
        """Return the score function applied to vectors, S(v, ..., v).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or None
            Points to evaluate. None: the samples of `fit`.
        vectors : array-like of shape (n_vectors, n_features)
            The vectors v.
        order : {1, 2, 3, 4}
            The order of the derivative of the density.

        Returns
        -------
        ndarray of shape (n_samples, n_vectors)
            The contractions. They are computed without forming the tensor.
        """
        check_option("order", order, ORDERS)
        X = self._read(X)
        vectors = check_array(vectors, dtype=np.float64, input_name="vectors")
        if vectors.shape[1] != self.n_features_in_:
            raise ValueError(
                f"vectors has {vectors.shape[1]} columns, but X has "
                f"{self.n_features_in_} features. Pass one row per direction."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self._contract(X, vectors, order)
        return _checked_finite(scores, f"Score functions of order {order}")

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the first score function, -grad log p.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points to evaluate.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The score function, in the reciprocal units of the features.
        """
        return -self.log_density_derivatives(X)[0]

    def score(self, X: ArrayLike | None = None, y: Any = None) -> float:
        r"""Return minus the Hyvarinen objective.

        The objective is the mean of
        :math:`|\nabla \log p|^2 / 2 + \Delta \log p`. Up to a constant that only
        depends on the true density, it is half the mean squared error of the estimated
        gradient. So a larger score is better, and cross-validation can choose a
        bandwidth. The gradient has the reciprocal units of the features, so that the
        features that vary least dominate. Scale the features first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            New samples. None: the samples of `fit`.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        float
            Minus the objective.
        """
        X = self._read(X)
        with np.errstate(over="ignore", invalid="ignore"):
            if X is None:
                objective = self._objective(None)
            else:
                batches = gen_batches(len(X), self._n_rows_at_a_time())
                objective = np.concatenate(
                    [self._objective(X[each]) for each in batches]
                )
        return -float(np.mean(_checked_finite(objective, "The objective")))

    def _n_rows_at_a_time(self) -> int:
        """Return the number of samples whose matrices fit into the working memory."""
        budget = float(get_config()["working_memory"]) * 2**20
        return max(1, int(budget / (8 * _MATRICES * self.n_features_in_**2)))
