"""What all score-function estimators share."""

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

LARGEST = 1e100  # whose square is finite
_MATRICES = 8  # of a sample, that the objective needs at once


def check_sizes(name: str, values: FloatArray) -> None:
    """Raise where squares of the values, or of their spread, leave the floats."""
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
        """Return the gradient and the hessian of the log density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Where. None: at the samples of `fit`, each left out of its own estimate
            where the estimate is local.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            The first derivatives.
        hessian : ndarray of shape (n_samples, n_features, n_features)
            The second derivatives.
        """
        return self._finite_derivatives(X)

    def _finite_derivatives(self, X: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
        with np.errstate(over="ignore", invalid="ignore"):
            gradient, hessian = self._log_density_derivatives(self._read(X))
        _checked_finite(gradient, "The derivatives of the log density")
        return gradient, _checked_finite(hessian, "The derivatives of the log density")

    def _read(self, X: ArrayLike | None) -> FloatArray | None:
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
        """Return the score function of an order: (-1)^m grad^m p / p.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Where. None: at the samples of `fit`.
        order : {1, 2, 3, 4}, default=1
            The number of derivatives.

        Returns
        -------
        ndarray of shape (n_samples, n_features, ..., n_features)
            Symmetric tensors with `order` axes beside the first.
        """
        check_option("order", order, ORDERS)
        X = self._read(X)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self._score_function(X, order)
        return _checked_finite(scores, f"Score functions of order {order}")

    def contract(
        self, X: ArrayLike | None, vectors: ArrayLike, order: int
    ) -> FloatArray:
        """Return the score function along directions, S(v, ..., v).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or None
            Where. None: at the samples of `fit`.
        vectors : array-like of shape (n_vectors, n_features)
            The directions.
        order : {1, 2, 3, 4}
            The number of derivatives.

        Returns
        -------
        ndarray of shape (n_samples, n_vectors)
            The contractions, for which no tensor is formed.
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
            Where.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The score function, in the reciprocal units of the features.
        """
        return -self._finite_derivatives(X)[0]

    def score(self, X: ArrayLike | None = None, y: Any = None) -> float:
        r"""Return minus the Hyvarinen objective.

        The objective is the mean of
        :math:`|\nabla \log p|^2 / 2 + \Delta \log p`. Up to a constant of the
        true density it is half the mean squared error of the gradient: a larger score
        is better, and cross-validation chooses a bandwidth. It counts each feature in
        its own units, so that those that vary least count most: scale the features
        first.

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
        """Return how many samples need about the working memory for their matrices."""
        budget = float(get_config()["working_memory"]) * 2**20
        return max(1, int(budget / (8 * _MATRICES * self.n_features_in_**2)))
