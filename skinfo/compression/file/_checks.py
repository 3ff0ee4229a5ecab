"""Checks that a file can hold a coded model, and that a model can be made of it."""

from __future__ import annotations

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.compression.file._coded_model import (
    LARGEST_SPACING,
    CodedLayer,
    CodedModel,
    decoded,
)
from skinfo.compression.models._checks import check_stack
from skinfo.compression.models._stack import DTYPES, Stack

_MOST_LAYERS = 255  # the file has a byte for the number of layers
_LARGEST_EXPONENT = 1000  # of 2; keeps steps within the range of float64


def checked_stack(model: CodedModel) -> Stack:
    """Return the stack of the model, or raise a ValueError if no file can hold it."""
    family = model.spec.family
    with np.errstate(all="ignore"):  # the checks see what is not finite
        family.model_class()
        if not 1 <= len(model.layers) <= _MOST_LAYERS:
            raise ValueError(f"A file holds 1 to {_MOST_LAYERS} layers.")
        for i, layer in enumerate(model.layers):
            _check_layer(layer, f"layer {i}")
        if model.spec.power != 0 and not family.has_power:
            raise ValueError(f"A {family.name} has no power.")
        stack = decoded(model)
        _check_finite(stack)
    check_stack(stack)
    return stack


def _check_layer(layer: CodedLayer, name: str) -> None:
    """Raise a ValueError unless weights and biases can be computed."""
    _check_exponents([layer.bias_exponent], _LARGEST_EXPONENT, name)
    if layer.codes.ndim != 2 or layer.codes.size == 0:
        raise ValueError(f"The codes of {name} are no matrix.")
    if layer.bias_codes.shape != layer.codes.shape[1:]:
        raise ValueError(f"The biases of {name} are not one for each output.")
    if layer.exponents is not None:
        if layer.exponents.shape != layer.codes.shape[:1]:
            raise ValueError(f"The exponents of {name} are not one for each input.")
        if not 1 <= layer.spacing <= LARGEST_SPACING:
            raise ValueError(
                f"The spacing of {name} is not in 1 to {LARGEST_SPACING}: "
                f"{layer.spacing}."
            )
        ends = [int(layer.exponents.min()), int(layer.exponents.max())]
        largest = 2 * _LARGEST_EXPONENT // layer.spacing  # in halves
        _check_exponents(ends, largest, name)
    elif layer.spacing != 1:
        raise ValueError(f"{name} has a spacing of {layer.spacing}, but no exponents.")
    if layer.codebook is None:
        _check_step(layer.step, name)
    else:
        _check_codebook(layer, layer.codebook, name)


def _check_exponents(exponents: list[int], largest: int, name: str) -> None:
    if max(map(abs, exponents)) > largest:
        raise ValueError(
            f"An exponent of {name} is beyond {largest}: {max(exponents, key=abs)}."
        )


def _check_step(step: float, name: str) -> None:
    if not (0 < step < np.inf and float(np.float32(step)) == step):
        raise ValueError(f"The step of {name} is no positive float32: {step}.")


def _check_codebook(layer: CodedLayer, codebook: FloatArray, name: str) -> None:
    if layer.exponents is not None:
        raise ValueError(
            f"{name} has exponents and a codebook: one excludes the other."
        )
    is_single = np.isfinite(codebook) & (codebook.astype(np.float32) == codebook)
    if codebook.ndim != 1 or codebook.size == 0 or not is_single.all():
        raise ValueError(f"The codebook of {name} is no list of finite float32.")
    first = int(layer.codes.min()) + len(codebook) // 2
    last = int(layer.codes.max()) + len(codebook) // 2
    if first < 0 or last >= len(codebook):
        raise ValueError(
            f"{name} has indices from {first} to {last}, but a codebook of "
            f"{len(codebook)}."
        )


def _check_finite(stack: Stack) -> None:
    """Raise unless the numbers of the model are finite in its dtype."""
    for i, layer in enumerate(stack.layers):
        for values, dtype in (
            (layer.weights, stack.spec.dtype),
            (layer.biases, stack.spec.intercept_dtype),
        ):
            largest = np.finfo(dtype).max if dtype in DTYPES.values() else np.inf
            if not np.abs(values).max() <= largest:
                raise ValueError(f"Numbers of layer {i} are too large for {dtype}.")
