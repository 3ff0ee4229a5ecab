"""How far the predictions of two stacks are apart, and biases that keep them near."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, kl_div

from skinfo._core._typing import FloatArray
from skinfo.compression._importance import distortion_metric
from skinfo.compression._layers import Stack, apply_link

_LEAST_PROBABILITY = 1e-300
_BINARY_LINKS = frozenset({"logistic", "double_logistic"})
_N_STEPS = 8  # of Gauss and Newton, for the biases
_LEAST_CURVATURE = 1e-9  # of the largest, that biases are fitted along


def distortion(stack: Stack, raw: FloatArray, changed: FloatArray) -> float:
    """Return the distortion from the outputs before the link, (n, n_outputs).

    The mean over samples of the KL divergence in nats, or of the squared difference,
    summed over the outputs.
    """
    p, q = apply_link(stack.link, raw), apply_link(stack.link, changed)
    if stack.distortion == "squared":
        return float(np.mean(np.sum((p - q) ** 2, axis=1)))
    total = kl_div(p, np.maximum(q, _LEAST_PROBABILITY))
    if stack.link in _BINARY_LINKS:
        total += kl_div(1 - p, np.maximum(1 - q, _LEAST_PROBABILITY))
    return max(0.0, float(np.mean(np.sum(total, axis=1))))  # but for rounding


def refit_biases(stack: Stack, raw: FloatArray, changed: FloatArray) -> FloatArray:
    """Return what to add to the last biases, (n_outputs,), for the least distortion.

    `raw`, `changed` (n, n_outputs): the outputs before the link, as they were and are.
    """
    shift: FloatArray = (raw - changed).mean(axis=0)
    if stack.distortion == "squared" and stack.link != "exp":
        return shift
    best, least = shift, distortion(stack, raw, changed + shift)
    for _ in range(_N_STEPS):
        shift = shift - _newton_step(stack, raw, changed + shift)
        found = distortion(stack, raw, changed + shift)
        if not found < least:
            break
        best, least = shift, found
    return best


def _newton_step(stack: Stack, raw: FloatArray, changed: FloatArray) -> FloatArray:
    metric = distortion_metric(stack, changed)
    difference = apply_link(stack.link, changed) - apply_link(stack.link, raw)
    if stack.link == "exp":
        difference *= apply_link(stack.link, changed)
    elif stack.link == "ovr":
        difference *= expit(-changed)
    elif stack.link == "double_logistic":
        difference *= 2
    curvature = np.diag(metric.scales.mean(axis=0))
    if metric.directions is not None:
        curvature -= metric.directions.T @ metric.directions / len(raw)
    step, *_ = np.linalg.lstsq(
        curvature, difference.mean(axis=0), rcond=_LEAST_CURVATURE
    )
    result: FloatArray = step
    return result


def without_weights(stack: Stack, raw: FloatArray) -> float:
    """Return the distortion of the stack with all weights 0 and the last biases refit.

    It is what distortions are relative to. `raw` (n, n_outputs): the outputs before the
    link.
    """
    constant = np.tile(stack.layers[-1].biases, (len(raw), 1))
    return distortion(stack, raw, constant + refit_biases(stack, raw, constant))
