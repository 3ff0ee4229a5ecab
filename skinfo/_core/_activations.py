"""Activation functions of hidden units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from skinfo._core._typing import FloatArray


def _relu(z: FloatArray) -> FloatArray:
    return np.maximum(z, 0)


# By their names in scikit-learn's MLPRegressor. Each returns a new array.
ACTIVATIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "relu": _relu,
    "tanh": np.tanh,
    "logistic": expit,
}
