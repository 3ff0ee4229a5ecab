"""Layers as integers, as a file holds them, and the weights that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.coding._range_coder import code_length, encode_integers
from skinfo.compression.models._links import Link
from skinfo.compression.models._stack import AffineLayer, ModelSpec, Stack

_SQRT_2 = 1.4142135623730951  # the float64 nearest to it; decoded weights depend on it

LARGEST_SPACING = 16  # half octaves; the file has 4 bits for it
# Share of the squared error that rounding the biases may add. In twelve fits, half as
# much gave 0.6% less distortion for 0.3% more bytes, twice as much 0.8% more for 0.2%
# fewer.
_BIAS_SHARE = 0.02
_LARGEST_CODE = 1 << 40  # magnitude of a bias code; the coder takes those below 2^41
_FINE = 2.0**-24  # share of the largest bias, float32 precision, if weights are exact
_LEAST_STEP = 2.0**-999  # keeps the exponent of the biases above the least of the file
_FLOATS = (1e-37, 1e38)  # steps in this range are normal numbers of float32


@dataclass(frozen=True, eq=False)
class CodedLayer:
    """One affine layer as integers, with what turns them into weights and biases.

    Attributes
    ----------
    codes : ndarray of shape (n_inputs, n_outputs)
        Multiples of the steps, or indices into the codebook less its middle.
    step : float
        The step of the weights: a positive float32.
    exponents : ndarray of shape (n_inputs,) or None
        The step of input i is `step * 2 ** (spacing * exponents[i] / 2)`, see
        `step_factors`. None: all inputs have the same step.
    codebook : ndarray of shape (n_centers,) or None
        The centers that indices stand for, each a float32. None: codes are multiples
        of steps.
    bias_codes : ndarray of shape (n_outputs,)
        Multiples of `2 ** bias_exponent`. Empty until `with_biases`.
    bias_exponent : int
        The step of the biases is `2 ** bias_exponent`.
    spacing : int
        Spacing of the steps of the inputs, in half octaves: 1 to `LARGEST_SPACING`.
    """

    codes: IntArray
    step: float
    exponents: IntArray | None = None
    codebook: FloatArray | None = None
    bias_codes: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    bias_exponent: int = 0
    spacing: int = 1

    def weights(self) -> FloatArray:
        """Return the weights, (n_inputs, n_outputs)."""
        if self.codebook is not None:
            chosen: FloatArray = self.codebook[self.codes + len(self.codebook) // 2]
            return chosen
        if self.exponents is None:
            return self.codes * np.float64(self.step)
        factors = step_factors(self.spacing * self.exponents)
        return self.codes * self.step * factors[:, np.newaxis]

    def biases(self) -> FloatArray:
        """Return the biases, (n_outputs,)."""
        return self.bias_codes * np.float64(2.0**self.bias_exponent)

    def weight_groups(self) -> list[IntArray]:
        """Return the integers of the weights in groups, as the range coder takes them.

        With exponents, they are the first group, and the codes of the rows of each
        distinct exponent, ascending, are the others.
        """
        if self.exponents is None:
            return [self.codes.ravel()]
        return [
            self.exponents,
            *(
                self.codes[self.exponents == exponent].ravel()
                for exponent in np.unique(self.exponents)
            ),
        ]

    @property
    def n_bytes_of_numbers(self) -> int:
        """The bytes of the step or the codebook."""
        return 4 * (1 if self.codebook is None else len(self.codebook))


@dataclass(frozen=True, eq=False)
class CodedModel:
    """A model as integers: its coded layers, activations, link and spec."""

    layers: tuple[CodedLayer, ...]
    activations: tuple[str, ...]
    link: Link
    spec: ModelSpec


def weight_bytes(layers: Sequence[CodedLayer]) -> int:
    """Return the bytes of the coded weights with their steps or codebooks."""
    groups = [group for layer in layers for group in layer.weight_groups()]
    return len(encode_integers(groups)) + sum(
        each.n_bytes_of_numbers for each in layers
    )


def weight_bits(layers: Sequence[CodedLayer]) -> float:
    """Return the ideal code length of `weight_bytes` in bits, without coding."""
    groups = [group for layer in layers for group in layer.weight_groups()]
    return code_length(groups) + 8 * sum(each.n_bytes_of_numbers for each in layers)


def decoded(model: CodedModel) -> Stack:
    """Return the stack that a coded model stands for."""
    layers = tuple(
        AffineLayer(layer.weights(), layer.biases(), activation)
        for layer, activation in zip(model.layers, model.activations, strict=True)
    )
    return Stack(layers, model.link, model.spec)


def is_float32(step: float) -> bool:
    """Return whether float32 can hold a step with full precision."""
    return _FLOATS[0] < step < _FLOATS[1]


def with_biases(layer: CodedLayer, biases: FloatArray, variance: float) -> CodedLayer:
    """Return the layer with these biases, rounded.

    `variance`: the mean squared error of the outputs. Rounding the biases adds a small
    share of it.
    """
    largest = float(np.abs(biases).max(initial=0))
    step = np.sqrt(12 * _BIAS_SHARE * variance) if variance > 0 else largest * _FINE
    step = max(step, largest / _LARGEST_CODE, _LEAST_STEP)
    exponent = int(np.floor(np.log2(step))) if largest > 0 else 0
    codes = np.rint(np.ldexp(biases, -exponent)).astype(np.int64)
    return replace(layer, bias_codes=codes, bias_exponent=exponent)


def step_factors(exponents: IntArray) -> FloatArray:
    """Return sqrt(2) to these powers: 2 to half of them, times sqrt(2) where odd."""
    halves, odd = np.divmod(exponents, 2)
    return np.exp2(halves).astype(np.float64) * np.where(odd, _SQRT_2, 1.0)
