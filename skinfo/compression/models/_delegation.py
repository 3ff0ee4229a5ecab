"""Predictions of a compressed model, delegated to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _model_has(name: str) -> Callable[[Any], bool]:
    """Return a check of whether the model has a method."""

    def check(self: Any) -> bool:
        model = getattr(self, "compressed_estimator_", self.estimator)
        getattr(model, name)  # raises AttributeError
        return True

    return check


class DelegatedPredictions:
    """The methods of `compressed_estimator_`, as far as the model has them."""

    compressed_estimator_: Any

    @available_if(_model_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: ArrayLike) -> Any:
        """Predict with the compressed model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions.
        """
        check_is_fitted(self)
        return self.compressed_estimator_.predict(X)

    @available_if(_model_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> Any:
        """Predict probabilities with the compressed model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The probabilities.
        """
        check_is_fitted(self)
        return self.compressed_estimator_.predict_proba(X)

    @available_if(_model_has("predict_log_proba"))  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: ArrayLike) -> Any:
        """Predict the logarithms of probabilities with the compressed model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The logarithms.
        """
        check_is_fitted(self)
        return self.compressed_estimator_.predict_log_proba(X)

    @available_if(_model_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: ArrayLike) -> Any:
        """Return the decision function of the compressed model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The decision function.
        """
        check_is_fitted(self)
        return self.compressed_estimator_.decision_function(X)

    @available_if(_model_has("score"))  # type: ignore[untyped-decorator]
    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the score of the compressed model, its accuracy or R^2.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. None: all 1.

        Returns
        -------
        float
            The score.
        """
        check_is_fitted(self)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self.compressed_estimator_.score(X, y, **weights))
