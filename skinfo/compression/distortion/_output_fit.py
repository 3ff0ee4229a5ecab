"""The scale and the biases of the last layer with the least distortion.

Rounded weights give outputs of about the right directions. Where a model is sure and
some outputs are far off, a smaller scale of all weights gives a much lower KL
divergence, which is convex in the scale and the biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.compression.distortion._distortion import between_predictions
from skinfo.compression.models._links import Link

_N_STEPS = 20  # Gauss-Newton steps at most
_STEP_SIZES = (1.0, 0.25, 0.05)  # step lengths, tried until the distortion falls
_LARGEST = 1e200  # distortion, above which slopes overflow
_CONVERGED = 1e-3  # share of the distortion that a step must save to go on
# share of the largest singular value of the curvature; smaller ones are rounding
_LEAST_CURVATURE = 1e-9
# Share of the constant's distortion, above which a second start is tried. To try it
# always took 50% longer in six fits, and changed none.
_POOR = 0.1
_LEAST_SCALE = 1e-9  # a smaller scale means that the rounded outputs are of no use


@dataclass(frozen=True, eq=False)
class OutputFit:
    """The fit `scale * (changed - changed.mean(axis=0)) + centre`.

    `tolerance`: the mean squared error of each output that would double the distortion.
    """

    scale: float
    centre: FloatArray
    tolerance: float


def fit_outputs(link: Link, raw: FloatArray, changed: FloatArray) -> OutputFit:
    """Return the scale and the biases of least distortion.

    `raw`, `changed` (n, n_outputs): the original outputs before the link, and those of
    rounded weights without biases.
    """
    centred = changed - changed.mean(axis=0)
    spread = float(np.sqrt(np.mean(centred**2)))
    problem = _Problem(link, raw, centred / spread if spread > 0 else centred)
    found = problem.descend(np.array([spread, *raw.mean(axis=0)]))
    constant = np.array([0.0, *link.inverse(problem.predictions.mean(axis=0))])
    if not problem.distortion(found) < _POOR * problem.distortion(constant):
        found = min(found, problem.descend(constant), key=problem.distortion)
    scale = found[0] / spread if spread > 0 else 1.0
    if scale < _LEAST_SCALE:  # nothing of it is of use
        scale, found = 1.0, np.array([spread, *found[1:]])
    outputs = problem.outputs(found)
    curvature = link.metric(outputs).scales.mean(axis=0).sum()
    added = link.quadratic_factor * curvature  # by outputs that change by 1
    tolerance = problem.distortion(found) / added if 0 < added < np.inf else np.inf
    return OutputFit(scale, found[1:], tolerance)


class _Problem:
    """The distortion as a function of a scale and biases, (1 + n_outputs,) together.

    Outputs are the scale times `unit` (n, n_outputs) plus the biases.
    """

    def __init__(self, link: Link, raw: FloatArray, unit: FloatArray) -> None:
        self.link, self.unit = link, unit
        self.predictions = link.function(raw)

    def outputs(self, parameters: FloatArray) -> FloatArray:
        return float(parameters[0]) * self.unit + parameters[1:]

    def distortion(self, parameters: FloatArray) -> float:
        changed = self.link.function(self.outputs(parameters))
        return between_predictions(self.link, self.predictions, changed)

    def descend(self, parameters: FloatArray) -> FloatArray:
        """Return parameters of lower distortion, by Gauss-Newton steps."""
        least = self.distortion(parameters)
        if not least < _LARGEST:
            return parameters
        for _ in range(_N_STEPS):
            step = self._newton_step(parameters)
            for size in _STEP_SIZES:
                other = parameters - size * step
                if not np.isfinite(other).all():
                    continue
                found = self.distortion(other)
                if found < least:
                    break
            else:
                return parameters
            saved, parameters, least = least - found, other, found
            if saved <= _CONVERGED * least:
                break
        return parameters

    def _newton_step(self, parameters: FloatArray) -> FloatArray:
        """Return the Gauss-Newton step to subtract, (1 + n_outputs,)."""
        outputs, unit = self.outputs(parameters), self.unit
        metric = self.link.metric(outputs)
        along = metric.scales * unit
        curvature = np.empty((len(parameters), len(parameters)))
        curvature[1:, 1:] = np.diag(metric.scales.mean(axis=0))
        if metric.directions is not None:
            directions = metric.directions
            along -= directions * np.sum(directions * unit, axis=1, keepdims=True)
            curvature[1:, 1:] -= directions.T @ directions / len(unit)
        curvature[0, 0] = np.sum(along * unit) / len(unit)
        curvature[0, 1:] = curvature[1:, 0] = along.mean(axis=0)
        by_output = self.link.loss_gradient(outputs, self.predictions)
        gradient = [np.sum(by_output * unit) / len(unit), *by_output.mean(axis=0)]
        step, *_ = np.linalg.lstsq(curvature, gradient, rcond=_LEAST_CURVATURE)
        return np.asarray(step)
