"""Links: from the outputs of the last layer to the predictions that are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit, softmax

from skinfo._core._typing import FloatArray
from skinfo.compression.models._activations import ArrayFunction, identity

# Means of predictions are moved this far from 0 and 1, so that their logits are finite.
_LEAST_MEAN = 1e-12


@dataclass(frozen=True, eq=False)
class OutputMetric:
    """The matrix `diag(scales) - directions directions'` of each sample.

    Both (n, n_outputs): a second derivative with respect to the outputs before the
    link. `directions` None stands for zeros.
    """

    scales: FloatArray
    directions: FloatArray | None = None

    def diagonal(self, derivatives: FloatArray) -> FloatArray:
        """Return `d' M d` for each column d: (n, n_outputs, m) to (n, m)."""
        found: FloatArray = np.einsum(
            "nk,nkm,nkm->nm", self.scales, derivatives, derivatives
        )
        if self.directions is not None:
            found -= np.einsum("nk,nkm->nm", self.directions, derivatives) ** 2
        return found


def _unit_curvature(raw: FloatArray, _p: FloatArray) -> OutputMetric:
    return OutputMetric(np.ones_like(raw))


@dataclass(frozen=True, eq=False)
class Link:
    """A link function and the derivatives of the loss through it.

    `raw`, `p` and `targets` are (n, n_outputs): the outputs before the link, the
    predictions `function(raw)`, and what these should be. The loss of a sample is the
    cross-entropy where the predictions are probabilities, and half the squared error
    otherwise; both have the derivative `slope(raw, p) * (p - targets)`. Defaults are
    those of the identity.

    Attributes
    ----------
    id : int
        Its number in files, 0 to 7. A number that was given out keeps its meaning.
    name : str
        The name in :data:`LINKS`, which messages show.
    function : callable
        raw -> p.
    inverse : callable
        Mean predictions (n_outputs,) -> constant raw outputs with about these
        predictions.
    slope : callable
        raw, p -> the factor in the derivative of the loss, an array or a number.
    curvature : callable
        raw, p -> OutputMetric, the second derivative of the KL divergence, or half
        that of the squared difference, between equal predictions.
    loss_curvature : callable or None
        raw, p, targets -> OutputMetric, the second derivative of the loss; None where
        it does not depend on the targets, and is `curvature`.
    probabilities : {None, "classes", "labels"}
        What each row of predictions is: no probabilities; one distribution over all
        classes; or for each output the probability of its positive label.
    ignores_shifts : bool
        Whether adding a constant to all outputs of a sample changes nothing.
    """

    id: int
    name: str
    function: ArrayFunction = identity
    inverse: ArrayFunction = identity
    slope: Callable[[FloatArray, FloatArray], FloatArray | float] = lambda *_: 1.0
    curvature: Callable[[FloatArray, FloatArray], OutputMetric] = _unit_curvature
    loss_curvature: (
        Callable[[FloatArray, FloatArray, FloatArray], OutputMetric] | None
    ) = None
    probabilities: Literal["classes", "labels"] | None = None
    ignores_shifts: bool = False

    def __reduce__(self) -> tuple[Callable[[str], Link], tuple[str]]:
        """Pickle the name alone: a link is one object, and its functions are here."""
        return link_named, (self.name,)

    @property
    def is_identity(self) -> bool:
        """Whether predictions are the raw outputs."""
        return self.function is identity

    @property
    def quadratic_factor(self) -> float:
        """The distortion of small changes d is this times d' M d, M the curvature."""
        return 0.5 if self.probabilities else 1.0

    def metric(self, raw: FloatArray) -> OutputMetric:
        """Return the curvature of the distortion by raw outputs."""
        return self.curvature(raw, self.function(raw))

    def loss_gradient(self, raw: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the derivative of the loss by raw outputs, (n, n_outputs)."""
        p = self.function(raw)
        return self.slope(raw, p) * (p - targets)

    def loss_metric(self, raw: FloatArray, targets: FloatArray) -> OutputMetric:
        """Return the second derivative of the loss by raw outputs."""
        if self.loss_curvature is None:
            return self.metric(raw)
        return self.loss_curvature(raw, self.function(raw), targets)


def link_named(name: str) -> Link:
    """Return the link with this name."""
    return LINKS[name]


def _log(means: FloatArray) -> FloatArray:
    found: FloatArray = np.log(np.maximum(means, _LEAST_MEAN))
    return found


def _logit(means: FloatArray) -> FloatArray:
    found: FloatArray = logit(np.clip(means, _LEAST_MEAN, 1 - _LEAST_MEAN))
    return found


def _one_versus_rest(raw: FloatArray) -> FloatArray:
    """Return a logistic function for each class, scaled to sum to 1."""
    scores: FloatArray = expit(raw)
    sums = scores.sum(axis=1, keepdims=True)
    probabilities = np.full_like(scores, 1 / scores.shape[1])
    np.divide(scores, sums, out=probabilities, where=sums > 0)
    return probabilities


def _one_versus_rest_curvature(raw: FloatArray, p: FloatArray) -> OutputMetric:
    rest = expit(-raw)  # d log p_k / dz_h = (1 - s_h) (1{h = k} - p_h)
    return OutputMetric(p * rest**2, p * rest)


def _one_versus_rest_loss_curvature(
    raw: FloatArray, p: FloatArray, targets: FloatArray
) -> OutputMetric:
    rest = expit(-raw)  # L = log sum_h s_h - log s_y
    scales = targets * rest * expit(raw) + p * rest * (2 * rest - 1)
    return OutputMetric(scales, p * rest)


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link(id=0, name="identity"),
        Link(
            id=1,
            name="exp",
            function=np.exp,
            inverse=_log,
            slope=lambda _, p: p,
            curvature=lambda raw, _: OutputMetric(np.exp(2 * raw)),
            # the second derivative of L = (e^z - y)^2 / 2 by z
            loss_curvature=lambda _, p, targets: OutputMetric(p * (2 * p - targets)),
        ),
        Link(
            id=2,
            name="softmax",
            function=lambda raw: softmax(raw, axis=1),
            inverse=_log,
            curvature=lambda _, p: OutputMetric(p, p),
            probabilities="classes",
            ignores_shifts=True,
        ),
        Link(
            id=3,
            name="logistic",
            function=expit,
            inverse=_logit,
            curvature=lambda _, p: OutputMetric(p * (1 - p)),
            probabilities="labels",
        ),
        Link(
            id=4,
            name="ovr",
            function=_one_versus_rest,
            inverse=_logit,
            slope=lambda raw, _: expit(-raw),
            curvature=_one_versus_rest_curvature,
            loss_curvature=_one_versus_rest_loss_curvature,
            probabilities="classes",
        ),
        # softmax of (-raw, raw): a binary "multinomial" of scikit-learn before 1.8
        Link(
            id=5,
            name="double_logistic",
            function=lambda raw: expit(2 * raw),
            inverse=lambda means: _logit(means) / 2,
            slope=lambda _, __: 2.0,
            curvature=lambda _, p: OutputMetric(4.0 * p * (1 - p)),
            probabilities="labels",
        ),
        # the decision function is compared, not the probabilities clipped from it
        Link(id=6, name="modified_huber"),
    )
}
