"""Reports of a compressed model: bytes, distortion and the Gaussian bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._typing import FloatArray
from skinfo.compression.distortion._distortion import distortion, without_weights
from skinfo.compression.distortion._gaussian_bounds import water_filling
from skinfo.compression.distortion._importance import input_covariance, unit_importance
from skinfo.compression.file._coded_model import CodedModel, weight_bits
from skinfo.compression.models._stack import Stack, forward, layer_inputs

_SAMPLES_AT_A_TIME = 10_000  # rows of a forward pass; bounds the memory of hidden units
_MOST_INPUTS = 2048  # inputs per covariance matrix; bounds it to 32 MiB


@dataclass(frozen=True)
class Report:
    """Measures of a compressed model on some samples.

    They are the attributes of RDCompressor with the same names and an underscore.
    """

    distortion: float
    relative_distortion: float
    orthogonality_gap: float
    gaussian_rate: float


@dataclass(frozen=True)
class LayerReport:
    """Size and sparsity of one compressed layer.

    Attributes
    ----------
    shape : tuple of int
        The numbers of inputs and outputs.
    rate : float
        Bits per weight, the step or the codebook included.
    step : float or None
        The step of the weights; None if there is a codebook.
    n_levels : int
        The number of distinct integers, or the size of the codebook.
    sparsity : float
        The share of the weights that are 0.
    """

    shape: tuple[int, int]
    rate: float
    step: float | None
    n_levels: int
    sparsity: float


def make_report(stack: Stack, found: Stack, X: Any, some: Any) -> Report:
    """Compare a compressed stack with the original.

    `X` (n, n_inputs): the samples that the distortion is measured on. `some`: a subset
    of them, on which the Gaussian rate is computed.
    """
    raw, changed = _outputs(stack, X), _outputs(found, X)
    total = distortion(stack, raw, changed)
    scale = without_weights(stack, raw)
    return Report(
        distortion=total,
        relative_distortion=total / scale if scale > 0 else 0.0,
        orthogonality_gap=_orthogonality_gap(stack, raw, changed),
        gaussian_rate=gaussian_rate(stack, some, total),
    )


def _outputs(stack: Stack, X: Any) -> FloatArray:
    """Return the outputs before the link, (n, n_outputs)."""
    blocks = gen_batches(X.shape[0], _SAMPLES_AT_A_TIME)
    return np.concatenate([forward(stack, X[block]) for block in blocks])


def _orthogonality_gap(stack: Stack, raw: FloatArray, changed: FloatArray) -> float:
    """Return E[f^ (f - f^)] / E[f^2] of centred outputs."""
    if stack.link.ignores_shifts:  # constants that are added to all outputs
        raw, changed = (f - f.mean(axis=1, keepdims=True) for f in (raw, changed))
    raw, changed = raw - raw.mean(axis=0), changed - changed.mean(axis=0)
    size = float(np.sum(raw**2))
    return float(np.sum(changed * (raw - changed))) / size if size > 0 else 0.0


def gaussian_rate(stack: Stack, X: Any, total: float) -> float:
    """Return the bits per weight that normal weights need for a distortion.

    Reverse water-filling over all layers. The weights of a layer have its mean square
    as variance, and each output counts with its `unit_importance`. `total` is the
    distortion, `quadratic_factor` times a quadratic form in the errors.
    """
    eigenvalues = []
    importance = unit_importance(stack, X)
    inputs = layer_inputs(stack, X)
    for layer, of_units, A in zip(stack.layers, importance, inputs, strict=False):
        spread = _spectrum(A)
        variance = float(np.mean(layer.weights**2))
        eigenvalues.append(variance * np.outer(spread, of_units).ravel())
    quadratic = total / stack.link.quadratic_factor
    flat = np.concatenate(eigenvalues)
    quadratic = min(quadratic, float(flat.sum()))
    return water_filling(flat, distortion=quadratic).rate / stack.n_weights


def _spectrum(inputs: Any) -> FloatArray:
    """Return the eigenvalues of the covariance, (d,), in blocks where d is large."""
    d = inputs.shape[1]
    parts = []
    for block in gen_batches(d, _MOST_INPUTS):
        covariance, _ = input_covariance(inputs[:, block])
        parts.append(np.maximum(np.linalg.eigvalsh(covariance), 0))
    return np.concatenate(parts)


def report_layers(model: CodedModel) -> list[LayerReport]:
    """Return the report of each layer."""
    reports = []
    for layer in model.layers:
        codebook = layer.codebook
        n_values = len(np.unique(layer.codes)) if codebook is None else len(codebook)
        reports.append(
            LayerReport(
                shape=(layer.codes.shape[0], layer.codes.shape[1]),
                rate=weight_bits([layer]) / layer.codes.size,
                step=layer.step if codebook is None else None,
                n_levels=n_values,
                sparsity=float(np.mean(layer.weights() == 0)),
            )
        )
    return reports
