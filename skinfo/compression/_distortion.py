"""How far the predictions of two stacks are apart, and biases that keep them near."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, kl_div, logit

from skinfo._core._typing import FloatArray
from skinfo.compression._importance import distortion_metric
from skinfo.compression._layers import Stack, apply_link

_LEAST_PROBABILITY = 1e-300
_LEAST_MEAN = 1e-12  # probability, that a constant is fitted to
_ROUNDING = 1e-25  # of the squared predictions
_BINARY_LINKS = frozenset({"logistic", "double_logistic"})
_N_STEPS = 8  # of Gauss and Newton, for the biases
_LEAST_CURVATURE = 1e-9  # of the largest, that biases are fitted along


def distortion(stack: Stack, raw: FloatArray, changed: FloatArray) -> float:
    """Return the distortion from the outputs before the link, (n, n_outputs).

    The mean over samples of the KL divergence in nats, or of the squared difference,
    summed over the outputs.
    """
    return _between(stack, apply_link(stack.link, raw), apply_link(stack.link, changed))


def without_weights(stack: Stack, raw: FloatArray) -> float:
    """Return the distortion of the stack with all weights 0 and the best biases.

    It is what distortions are relative to: the best constant is the mean of what the
    stack predicts, for every link.
    """
    p = apply_link(stack.link, raw)
    found = _between(stack, p, np.broadcast_to(p.mean(axis=0), p.shape))
    return found if found > _ROUNDING * float(np.mean(p**2)) else 0.0


def _between(stack: Stack, p: FloatArray, q: FloatArray) -> float:
    """Return the distortion from p to q, (n, n_outputs)."""
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
    if stack.distortion == "kl":  # where all are sure, the means say little
        other = _best_constant(stack, raw) - changed.mean(axis=0)
        starts = (shift, other)
        shift = min(starts, key=lambda each: distortion(stack, raw, changed + each))
    best, least = shift, distortion(stack, raw, changed + shift)
    for _ in range(_N_STEPS):
        shift = shift - _newton_step(stack, raw, changed + shift)
        found = distortion(stack, raw, changed + shift)
        if not found < least:
            break
        best, least = shift, found
    return best


def _best_constant(stack: Stack, raw: FloatArray) -> FloatArray:
    """Return the constant outputs with the mean probabilities, (n_outputs,)."""
    means = apply_link(stack.link, raw).mean(axis=0)
    means = np.clip(means, _LEAST_MEAN, 1 - _LEAST_MEAN)
    raw_means: FloatArray = np.log(means) if stack.link == "softmax" else logit(means)
    return raw_means / 2 if stack.link == "double_logistic" else raw_means


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
