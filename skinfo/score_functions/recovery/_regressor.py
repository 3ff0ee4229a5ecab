"""The wrapped regressor, started from a network that was recovered."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.neural_network import MLPRegressor

from skinfo._core._typing import FloatArray
from skinfo.score_functions.recovery._head import hidden_features
from skinfo.score_functions.recovery._polish import network_in_mlp, rescale_mlp
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._recovery import Recovery

_MOST_EVALUATIONS = 1_000_000  # evaluations of the loss, so that max_iter stops first


def check_regressor(estimator: Any) -> None:
    """Raise unless an estimator is a regressor, and of squared error if a network."""
    has_tags = hasattr(estimator, "__sklearn_tags__")
    is_estimator = has_tags and not isinstance(estimator, type)
    if is_estimator and is_classifier(estimator):
        raise ValueError(f"estimator={estimator!r} is a classifier. Pass a regressor.")
    if not (is_estimator and hasattr(estimator, "predict") and is_regressor(estimator)):
        raise TypeError(
            f"estimator={estimator!r} must be a regressor, not "
            f"{type(estimator).__name__}. Pass, for example, Ridge(), or None."
        )
    loss = getattr(estimator, "loss", "squared_error")
    if has_hidden_layers(estimator) and loss != "squared_error":
        raise ValueError(
            f"loss={loss!r} of the estimator must be 'squared_error', which the "
            "recovered layer starts from. Pass an MLPRegressor with that loss."
        )


def has_hidden_layers(regressor: Any) -> bool:
    """Return whether a regressor is a network, which starts from the recovered one."""
    return hasattr(regressor, "hidden_layer_sizes")


def trains_layer(estimator: Any) -> bool:
    """Return whether an estimator trains the hidden layer; None stands for an MLP."""
    return estimator is None or has_hidden_layers(estimator)


def fit_regressor(
    estimator: Any,
    problem: Problem,
    recovery: Recovery,
    *,
    alpha: float,
    polish: bool,
    one_dimensional: bool,
) -> tuple[Any, FloatArray, FloatArray]:
    """Return the fitted regressor, and the hidden layer that it uses, (k, d) and (k,).

    `estimator`: None for a network that is trained by L-BFGS with the ridge `alpha`. A
    network starts from the recovered one, and is trained from there if `polish`. Any
    other regressor is fitted on the hidden features; if `one_dimensional`, with y (n,).
    """
    regressor = _default_network(alpha) if estimator is None else clone(estimator)
    if not has_hidden_layers(regressor):
        layer = recovery.components, recovery.intercepts
        outputs = problem.outputs[:, 0] if one_dimensional else problem.outputs
        hidden = hidden_features(problem.X, *layer, problem.activation)
        return regressor.fit(hidden, outputs), *layer
    regressor.set_params(
        hidden_layer_sizes=(problem.n_components,), activation=problem.activation
    )
    network_in_mlp(
        regressor, recovery.network, problem.white, problem.targets, polish=polish
    )
    rescale_mlp(regressor, problem.whitening, problem.center, problem.scale)
    return regressor, regressor.coefs_[0].T, regressor.intercepts_[0]


def _default_network(alpha: float) -> MLPRegressor:
    """Return an MLP that L-BFGS trains to convergence."""
    return MLPRegressor(
        solver="lbfgs",
        alpha=alpha,
        max_iter=1000,
        max_fun=_MOST_EVALUATIONS,
        tol=1e-10,
        random_state=0,
    )
