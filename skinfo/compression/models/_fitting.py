"""The model that RDCompressor compresses: frozen, or a clone that it fits."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator


def check_is_estimator(estimator: Any) -> None:
    """Raise a TypeError unless this is an instance with a method `fit`."""
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(
            f"estimator={estimator!r} must be an estimator. Pass, for "
            "example, LogisticRegression(), or FrozenEstimator(model)."
        )


def fitted_model(estimator: Any, X: ArrayLike, y: ArrayLike | None) -> Any:
    """Return the model inside a FrozenEstimator, or a clone fitted to the data."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if y is None:
        raise ValueError(
            "RDCompressor fits a clone of the estimator, which requires y to be "
            "passed, but the target y is None. To compress a model as it is, pass "
            "RDCompressor(FrozenEstimator(model)), or use compress(model, X)."
        )
    return clone(estimator).fit(X, y)
