"""The designed loss of given directions on the data of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._score_parts import score_parts
from skinfo.score_functions.recovery._landscape import designed_loss, unit_rows
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._whitening import Whitening
from skinfo.score_functions.tensors._average import (
    MOST_EXPLICIT,
    AverageTensor,
    Parts,
    QuadraticPart,
    average_tensor,
)


@dataclass(frozen=True)
class FittedLoss:
    """The designed loss of order 4, ready to be evaluated.

    `score`: the fitted score estimator. `weights` (n,): weights of the samples in T.
    `tensor`: T in white coordinates; None if it would be large or slow to form, and is
    computed along the directions of each call instead. `sign`: as in `designed_loss`.
    """

    score: Any
    whitening: Whitening
    weights: FloatArray
    mu: float
    tensor: AverageTensor | None
    sign: float

    def of(self, components: FloatArray) -> float:
        """Return the loss of directions (k, d), in the units of X."""
        directions = _white_directions(components, self.whitening)
        tensor = self.tensor
        if tensor is None:
            shape = len(self.weights), components.shape[1]
            parts = [
                part.along(self.whitening.root)
                for part in score_parts(self.score, shape)
            ]
            tensor, directions = _along(parts, self.weights, directions)
        loss, _ = designed_loss(tensor, directions, mu=self.mu, sign=self.sign)
        return loss


def fit_loss(
    problem: Problem,
    score: Any,
    parts: Parts,
    residual: FloatArray,
    components: FloatArray,
) -> tuple[FittedLoss, float]:
    """Return the loss, and its value at the recovered directions (k, d).

    `parts`: the scores of the samples, in white coordinates. `residual` (n,): the
    output that weights the samples in T.
    """
    whitening, mu = problem.whitening, problem.solver.mu
    weights = residual / len(residual)
    directions = _white_directions(components, whitening)
    kept = None
    samplewise = all(isinstance(part, QuadraticPart) for part in parts)
    if samplewise and parts[0].n_columns <= MOST_EXPLICIT:
        kept = tensor = average_tensor([part.weighted(weights) for part in parts], 4)
    else:
        tensor, directions = _along(parts, weights, directions)
    powers = float(np.sum(tensor.powers(directions) * directions))
    sign = -1.0 if powers < 0 else 1.0
    loss, _ = designed_loss(tensor, directions, mu=mu, sign=sign)
    return FittedLoss(score, whitening, weights, mu, kept, sign), loss


def _white_directions(components: FloatArray, whitening: Whitening) -> FloatArray:
    """Return unit directions in white coordinates."""
    return unit_rows(components @ whitening.root)


def _along(
    parts: Parts, weights: FloatArray, directions: FloatArray
) -> tuple[AverageTensor, FloatArray]:
    """Return T in coordinates along the directions, and their unit vectors there."""
    along = [part.along(directions.T).weighted(weights) for part in parts]
    return average_tensor(along, 4), np.eye(len(directions))
