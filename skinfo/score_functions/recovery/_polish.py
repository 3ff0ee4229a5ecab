"""Training of an MLP of scikit-learn that starts from a recovered network."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skinfo._core._typing import FloatArray
from skinfo.score_functions.recovery._head import Network
from skinfo.score_functions.recovery._whitening import Whitening

_BRIEF = 50  # steps of L-BFGS, to compare networks without a full training of each


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
