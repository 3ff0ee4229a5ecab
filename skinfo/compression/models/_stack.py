"""A fitted linear model or multi-layer perceptron as a stack of affine layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from skinfo._core._typing import AnyArray, FloatArray
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._families import ModelFamily
from skinfo.compression.models._links import Link

# The words of a ModelSpec by their numbers in files, which keep their meaning.
LAYOUTS: dict[int, str] = {0: "C", 1: "F", 2: "sparse"}
DTYPES: dict[int, str] = {0: "float64", 1: "float32"}
INTERCEPTS: dict[int, str] = {0: "vector", 1: "scalar", 2: "float"}
LABELS: dict[int, str] = {0: "single", 1: "multilabel", 2: "sparse_multilabel"}


@dataclass(frozen=True, eq=False)
class AffineLayer:
    """Inputs X (n, n_inputs) to activation(X @ weights + biases), (n, n_outputs).

    `weights` (n_inputs, n_outputs) and `biases` (n_outputs,) are float64; `activation`
    is a name in ACTIVATIONS.
    """

    weights: FloatArray
    biases: FloatArray
    activation: str = "identity"


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """What makes a stack a model of scikit-learn again: all but its numbers.

    Attributes
    ----------
    family : ModelFamily
        The class of the model.
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
        The parameter of TweedieRegressor, else 0.
    """

    family: ModelFamily
    dtype: str
    intercept_dtype: str
    layouts: tuple[str, ...]
    intercept: str = "vector"
    n_dimensions: int = 2
    classes: AnyArray | None = None
    labels: str = "single"
    power: float = 0.0


@dataclass(frozen=True, eq=False)
class Stack:
    """Affine layers, and the link from the outputs of the last one to predictions."""

    layers: tuple[AffineLayer, ...]
    link: Link
    spec: ModelSpec

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
    def prediction_method(self) -> str:
        """The method of the model whose values the distortion compares."""
        if self.link.probabilities:
            return "predict_proba"
        return "decision_function" if self.spec.family.is_classifier else "predict"

    @property
    def n_predictions(self) -> int:
        """The number of columns that this method has, one where it returns a vector."""
        has_complement = self.link.probabilities and self.n_outputs == 1
        return 2 if has_complement else self.n_outputs


def layer_inputs(stack: Stack, X: Any) -> Iterator[FloatArray]:
    """Yield the inputs of each layer in turn, then the outputs of the last.

    `X` (n, n_inputs): an array or a sparse matrix.
    """
    yield X
    for layer in stack.layers:
        z = X @ layer.weights
        z += layer.biases
        X = ACTIVATIONS[layer.activation].function(z)
        yield X


def pre_activations(stack: Stack, X: Any) -> Iterator[FloatArray]:
    """Yield the pre-activations of each layer, (n, n_outputs)."""
    for layer, inputs in zip(stack.layers, layer_inputs(stack, X), strict=False):
        z: FloatArray = inputs @ layer.weights + layer.biases
        yield z


def forward(stack: Stack, X: Any) -> FloatArray:
    """Return the outputs before the link, (n, n_outputs)."""
    for inputs in layer_inputs(stack, X):
        outputs = inputs
    return outputs
