"""Targets of compression, and the samples that candidates are evaluated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import FloatArray
from skinfo.compression.distortion._distortion import distortion, without_weights
from skinfo.compression.file._coded_model import (
    CodedLayer,
    CodedModel,
    decoded,
    weight_bits,
)
from skinfo.compression.file._file import to_bytes
from skinfo.compression.models._stack import Stack, forward

_LARGEST_OUTPUT = 1e100  # in absolute value; sums of squares stay finite in float64
_MOST_SAMPLES = 20_000  # calibration samples; more would only take longer


@dataclass(frozen=True)
class Target:
    """The parameter of RDCompressor that sets the size of the model, and its value.

    "rate" in bits a weight, "n_bytes", "distortion" relative to that of a model without
    weights, or "sparsity".
    """

    name: str
    amount: float


@dataclass(frozen=True, eq=False)
class CompressionProblem:
    """A model, calibration samples and a target, with the parameters of RDCompressor.

    Each method uses what it needs: `y` may be None; `importance`, `damping` and `rdo`
    are as in RDCompressor; `generator` draws all that is random.
    """

    stack: Stack
    X: Any
    y: Any
    target: Target
    importance: str
    damping: float
    rdo: float
    generator: np.random.RandomState


@dataclass(frozen=True)
class EvaluationSamples:
    """Samples on which compressed stacks are compared with the original.

    For networks they include midpoints of pairs of samples: on its training samples, a
    network is so sure that changes hardly show. `raw` (n, n_outputs): the original
    outputs before the link. `scale`: the distortion without weights, by which
    distortions are divided.
    """

    stack: Stack
    X: Any
    raw: FloatArray
    scale: float

    def relative_distortion(self, model: CodedModel) -> float:
        """Return the distortion of a coded model, relative to one without weights."""
        changed = forward(decoded(model), self.X)
        found = distortion(self.stack, self.raw, changed)
        return found / self.scale if self.scale > 0 else 0.0


def coded_model(stack: Stack, layers: Sequence[CodedLayer]) -> CodedModel:
    """Return coded layers as a model, with all else taken from a stack."""
    activations = tuple(layer.activation for layer in stack.layers)
    return CodedModel(tuple(layers), activations, stack.link, stack.spec)


def bits_per_weight(model: CodedModel) -> float:
    """Return the ideal code length of the weights in bits per weight.

    One number for each layer is left out: the step, which every layer needs.
    """
    n_weights = sum(layer.codes.size for layer in model.layers)
    return (weight_bits(model.layers) - 32 * len(model.layers)) / n_weights


def n_bytes(model: CodedModel) -> int:
    """Return the size of the file."""
    return len(to_bytes(model))


def make_evaluation_samples(
    stack: Stack, X: Any, generator: np.random.RandomState, *, midpoints: bool
) -> EvaluationSamples:
    """Return evaluation samples: X, and for networks midpoints if asked for."""
    if midpoints and len(stack.layers) > 1:
        first, second = (
            generator.permutation(X.shape[0]),
            generator.permutation(X.shape[0]),
        )
        middle = (X[first] + X[second]) / 2
        X = middle if is_sparse(X) else np.vstack([X, middle])
    raw = forward(stack, X)
    check_outputs(stack, raw)
    return EvaluationSamples(stack, X, raw, without_weights(stack, raw))


def check_outputs(stack: Stack, raw: FloatArray) -> None:
    """Raise a ValueError if squares of the outputs would overflow."""
    with np.errstate(over="ignore"):
        largest = np.abs(stack.link.function(raw)).max()
    if not max(largest, np.abs(raw).max()) < _LARGEST_OUTPUT:
        raise ValueError(
            f"The predictions of the model on X exceed {_LARGEST_OUTPUT:g}. Pass "
            "samples like those that it was fitted with."
        )


def some_samples(X: Any, y: Any, generator: np.random.RandomState) -> tuple[Any, Any]:
    """Return all samples, or a random subset where there are very many."""
    if X.shape[0] <= _MOST_SAMPLES:
        return X, y
    rows = np.sort(generator.choice(X.shape[0], _MOST_SAMPLES, replace=False))
    return X[rows], None if y is None else np.asarray(y)[rows]


def checked_smallest(smallest: CodedModel, target: Target) -> CodedModel:
    """Return the smallest model, or raise a ValueError if `n_bytes` is below it."""
    if target.name == "n_bytes" and n_bytes(smallest) > target.amount:
        raise ValueError(
            f"n_bytes={target.amount:g} cannot be reached: the smallest file of this "
            f"model has about {n_bytes(smallest)} bytes. Pass a larger n_bytes."
        )
    return smallest


def fallback(smallest: CodedModel, target: Target) -> CodedModel:
    """Return the smallest model where no other meets a rate, or raise a ValueError."""
    if target.name == "distortion":
        raise ValueError(
            f"distortion={target.amount!r} cannot be reached. Pass a larger distortion."
        )
    return checked_smallest(smallest, target)
