"""The wrapped regressor: an MLP that starts from a recovered network, or any other."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skinfo._core._typing import FloatArray
from skinfo.score_functions.recovery._head import Network, hidden_features
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._whitening import Whitening

# Evaluations of the loss by the default network, so that max_iter stops first.
_MOST_EVALUATIONS = 1_000_000
_BRIEF = 50  # steps of L-BFGS, to compare networks without a full training of each


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


def fit_regressor(
    estimator: Any,
    problem: Problem,
    network: Network,
    layer: tuple[FloatArray, FloatArray],
    *,
    alpha: float,
    polish: bool,
    one_dimensional: bool,
) -> tuple[Any, FloatArray, FloatArray]:
    """Return the fitted regressor, and the hidden layer that it uses, (k, d) and (k,).

    `network`: the recovered one, in white coordinates; `layer`: its hidden weights and
    biases in the units of X. `estimator`: None for a network that is trained by L-BFGS
    with the ridge `alpha`. A network starts from the recovered one, and is trained from
    there if `polish`. Any other regressor is fitted on the hidden features; if
    `one_dimensional`, with y (n,).
    """
    regressor = _default_network(alpha) if estimator is None else clone(estimator)
    if not has_hidden_layers(regressor):
        outputs = problem.outputs[:, 0] if one_dimensional else problem.outputs
        hidden = hidden_features(problem.X, *layer, problem.activation)
        return regressor.fit(hidden, outputs), *layer
    regressor.set_params(
        hidden_layer_sizes=(problem.n_components,), activation=problem.activation
    )
    network_in_mlp(regressor, network, problem.white, problem.targets, polish=polish)
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


def network_in_mlp(
    mlp: Any, network: Network, Z: FloatArray, targets: FloatArray, *, polish: bool
) -> None:
    """Set the weights of an MLP to those of the network; train it further if `polish`.

    `mlp`: unfitted, with one hidden layer of the right size. `Z` (n, d), `targets`
    (n, n_outputs): white samples and standardised outputs.
    """
    if targets.shape[1] == 1:
        targets = targets[:, 0]
    max_iter = mlp.max_iter
    warm_start = mlp.warm_start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.set_params(warm_start=True, max_iter=1).fit(Z, targets)  # makes the arrays
    mlp.coefs_ = [network.components.T.copy(), network.weights.copy()]
    mlp.intercepts_ = [network.intercepts.copy(), network.offsets.copy()]
    mlp.set_params(max_iter=max_iter)
    if polish:
        mlp.fit(Z, targets)
    mlp.set_params(warm_start=warm_start)


def trained_briefly(network: Network, Z: FloatArray, targets: FloatArray) -> Network:
    """Return the network after a few steps of L-BFGS."""
    mlp = MLPRegressor(
        hidden_layer_sizes=(len(network.components),),
        activation=network.activation,
        solver="lbfgs",
        max_iter=_BRIEF,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network_in_mlp(mlp, network, Z, targets, polish=True)
    return Network(
        network.activation,
        mlp.coefs_[0].T,
        mlp.intercepts_[0],
        mlp.coefs_[1],
        mlp.intercepts_[1],
    )


def rescale_mlp(
    mlp: Any, whitening: Whitening, center: FloatArray, scale: FloatArray
) -> None:
    """Convert the weights of an MLP from white x and standardised y to their units."""
    first = whitening.inverse @ mlp.coefs_[0]
    mlp.intercepts_[0] = mlp.intercepts_[0] - whitening.mean @ first
    mlp.coefs_[0] = np.ascontiguousarray(first)
    mlp.coefs_[1] = mlp.coefs_[1] * scale
    mlp.intercepts_[1] = mlp.intercepts_[1] * scale + center
    mlp.n_features_in_ = len(first)
