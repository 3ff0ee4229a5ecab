"""The distortion: KL divergence or squared error between predictions."""

from __future__ import annotations

import numpy as np
from scipy.special import kl_div

from skinfo._core._typing import FloatArray
from skinfo.compression.models._links import Link
from skinfo.compression.models._stack import Stack

_LEAST_PROBABILITY = 1e-300  # keeps the KL divergence finite; it counts 691 nats
_ROUNDING = 1e-25  # share of the squared predictions; a smaller variance is rounding


def distortion(stack: Stack, raw: FloatArray, changed: FloatArray) -> float:
    """Return the distortion from the outputs before the link, (n, n_outputs).

    The mean over samples of the KL divergence in nats, or of the squared difference,
    summed over the outputs.
    """
    link = stack.link
    return between_predictions(link, link.function(raw), link.function(changed))


def without_weights(stack: Stack, raw: FloatArray) -> float:
    """Return the distortion of the stack with all weights 0 and the best biases.

    Relative distortions are divided by it. The best constant prediction is the mean
    prediction, for every link.
    """
    p = stack.link.function(raw)
    found = between_predictions(stack.link, p, np.broadcast_to(p.mean(axis=0), p.shape))
    return found if found > _ROUNDING * float(np.mean(p**2)) else 0.0


def between_predictions(link: Link, p: FloatArray, q: FloatArray) -> float:
    """Return the distortion from p to q, (n, n_outputs)."""
    if link.probabilities is None:
        return float(np.mean(np.sum((p - q) ** 2, axis=1)))
    total = _divergence(p, q)
    if link.probabilities == "labels":
        total += _divergence(1 - p, 1 - q)
    return max(0.0, float(np.mean(np.sum(total, axis=1))))  # but for rounding


def _divergence(p: FloatArray, q: FloatArray) -> FloatArray:
    """Return p log(p / q) - p + q, finite where q is 0."""
    bounded = np.maximum(q, _LEAST_PROBABILITY)
    return np.where(p > 0, kl_div(p, bounded), q)
