"""A fitted linear model or multi-layer perceptron as a stack of affine layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from skinfo._core._typing import AnyArray, FloatArray
from skinfo.compression.models._kinds import KINDS


def _identity(z: FloatArray) -> FloatArray:
    return z


def _relu(z: FloatArray) -> FloatArray:
    return np.maximum(z, 0)


def _one_versus_rest(raw: FloatArray) -> FloatArray:
    """Return a logistic function for each class, scaled to sum to 1."""
    scores: FloatArray = expit(raw)
    sums = scores.sum(axis=1, keepdims=True)
    probabilities = np.full_like(scores, 1 / scores.shape[1])
    np.divide(scores, sums, out=probabilities, where=sums > 0)
    return probabilities


ACTIVATION_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "identity": _identity,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": _relu,
}
_LINK_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "identity": _identity,
    "exp": np.exp,
    "softmax": lambda raw: softmax(raw, axis=1),
    "logistic": expit,
    "ovr": _one_versus_rest,
    # softmax of (-raw, raw): a binary "multinomial" of scikit-learn before 1.8
    "double_logistic": lambda raw: expit(2 * raw),
    # its decision function counts, not the probabilities that are clipped from it
    "modified_huber": _identity,
}
_LINKS_OF_PROBABILITIES = frozenset({"softmax", "logistic", "ovr", "double_logistic"})


@dataclass(frozen=True, eq=False)
class AffineLayer:
    """Inputs X (n, n_inputs) to activation(X @ weights + biases), (n, n_outputs).

    `weights` (n_inputs, n_outputs) and `biases` (n_outputs,) are float64.
    """

    weights: FloatArray
    biases: FloatArray
    activation: str = "identity"


@dataclass(frozen=True, eq=False)
class Form:
    """What makes a stack a model of scikit-learn again: all but its numbers.

    Attributes
    ----------
    kind : int
        The number of the class, in KINDS.
    dtype, intercept_dtype : str
        "float32" or "float64".
    layouts : tuple of str
        How each matrix of weights lies in memory, on which the rounding of products
        depends: "C", "F", or "sparse".
    intercept : str
        "vector" (n_outputs,), "scalar" (of numpy), or "float" (of Python).
    n_dimensions : int
        Of `coef_`, 1 or 2; networks have 2.
    classes : array (n_classes,) or None
        The sorted labels of a classifier.
    labels : str
        "single", "multilabel" or "sparse_multilabel": what predict returns.
    power : float
        Of TweedieRegressor, else 0.
    """

    kind: int
    dtype: str
    intercept_dtype: str
    layouts: tuple[str, ...]
    intercept: str = "vector"
    n_dimensions: int = 2
    classes: AnyArray | None = None
    labels: str = "single"
    power: float = 0.0

    @property
    def name(self) -> str:
        """The name of the class."""
        return KINDS[self.kind]


@dataclass(frozen=True, eq=False)
class Stack:
    """Affine layers, and the link from the last outputs to what the model predicts."""

    layers: tuple[AffineLayer, ...]
    link: str
    form: Form

    @property
    def n_inputs(self) -> int:
        """The number of features."""
        return len(self.layers[0].weights)

    @property
    def n_outputs(self) -> int:
        """The number of outputs before the link."""
        return len(self.layers[-1].biases)

    @property
    def n_weights(self) -> int:
        """The number of weights, without the biases."""
        return sum(layer.weights.size for layer in self.layers)

    @property
    def distortion(self) -> str:
        """What counts: "kl" of probabilities, or "squared" differences of outputs."""
        return "kl" if self.link in _LINKS_OF_PROBABILITIES else "squared"


def layer_inputs(stack: Stack, X: Any) -> Iterator[FloatArray]:
    """Yield the inputs of each layer in turn, then the outputs of the last.

    `X` (n, n_inputs): an array or a sparse matrix.
    """
    yield X
    for layer in stack.layers:
        z = X @ layer.weights
        z += layer.biases
        X = ACTIVATION_FUNCTIONS[layer.activation](z)
        yield X


def pre_activations(stack: Stack, X: Any) -> Iterator[FloatArray]:
    """Yield what each layer gives before its activation."""
    for layer, inputs in zip(stack.layers, layer_inputs(stack, X), strict=False):
        z: FloatArray = inputs @ layer.weights + layer.biases
        yield z


def forward(stack: Stack, X: Any) -> FloatArray:
    """Return the outputs before the link, (n, n_outputs)."""
    for inputs in layer_inputs(stack, X):
        outputs = inputs
    return outputs


def apply_link(link: str, raw: FloatArray) -> FloatArray:
    """Return what the distortion is measured on, (n, n_outputs), from raw outputs.

    Where it is the KL divergence, these are probabilities: of the classes, or, for
    "logistic" and "double_logistic", of the positive label of each output. Otherwise
    they are the decision function of a classifier or the prediction of a regressor.
    """
    return _LINK_FUNCTIONS[link](raw)
