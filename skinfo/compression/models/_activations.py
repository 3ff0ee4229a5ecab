"""Activation functions of networks, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from skinfo._core._typing import FloatArray

ArrayFunction = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation function.

    Attributes
    ----------
    id : int
        Its number in files, 0 to 3. A number that was given out keeps its meaning.
    function : callable
        From pre-activations to values, elementwise.
    first, second : callable
        The derivatives, elementwise, from the value of the function: a = f(z).
    is_piecewise_linear : bool
        Whether the second derivative is 0 everywhere.
    """

    id: int
    function: ArrayFunction
    first: ArrayFunction
    second: ArrayFunction = np.zeros_like
    is_piecewise_linear: bool = False


def identity(z: FloatArray) -> FloatArray:
    """Return the argument itself."""
    return z


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(0, identity, np.ones_like),
    "logistic": Activation(
        1, expit, lambda a: a * (1 - a), lambda a: a * (1 - a) * (1 - 2 * a)
    ),
    "tanh": Activation(2, np.tanh, lambda a: 1 - a**2, lambda a: -2 * a * (1 - a**2)),
    "relu": Activation(
        3,
        lambda z: np.maximum(z, 0),
        lambda a: (a > 0).astype(np.float64),
        is_piecewise_linear=True,
    ),
}
