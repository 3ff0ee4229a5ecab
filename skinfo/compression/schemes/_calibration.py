"""The default scheme: layers rounded one after the other, towards original outputs.

The target T of a layer is its original pre-activation, and its inputs A are the outputs
of the layers before it, which are compressed already. What is rounded is
W + H^-1 A' (T - A W) / n with H = A'A / n, all centred. The biases restore the means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo.compression.distortion._importance import (
    gauss_newton_matrix,
    input_covariance,
    unit_importance,
)
from skinfo.compression.distortion._output_fit import fit_outputs
from skinfo.compression.file._coded_model import CodedLayer, is_float32, with_biases
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._stack import Stack, pre_activations
from skinfo.compression.rounding._lattice import ReducedLattice, reduce_lattice
from skinfo.compression.rounding._layer import Block, LayerRounding

# Weights of outputs that are rounded together; bounds their curvature matrix to 72 MB.
# One by one, three classifiers had 67% more distortion.
_MOST_JOINT_WEIGHTS = 3000
# Rows of a metric; nearly collinear ones take seconds to reduce. With no reduction,
# eight fits had 3% more distortion.
_MOST_REDUCED = 64
_LEAST_TOLERANCE = 1e-6  # share of the output variance; finer biases waste bits
_MOST_INPUTS = 2048  # inputs of one block; bounds its covariance to 32 MiB
_LEAST_IMPORTANCE = 1e-12  # share of the largest; keeps the steps of all layers finite
_FEW_WEIGHTS = 1000  # weights below which trial steps often give the same integers


@dataclass(frozen=True)
class Settings:
    """Settings of the default scheme, chosen by the distortion that they give.

    Attributes
    ----------
    damping : float
        Ridge of the curvature, in units of the squared reach of the inputs.
    step : float
        Step, in units in which a step costs the same distortion in all layers.
    last_ratio : float
        Step of the last layer, divided by that of the others.
    rdo_lambda : float
        Squared steps that one bit is worth in rounding.
    row_step_spacing : tuple of int
        Spacing of the individual steps of the inputs, in half octaves, in the hidden
        layers and in the last one. 0: all inputs have the same step.
    joint_outputs : bool
        Whether the outputs of a single layer with a link are rounded together, by the
        curvature at the samples, which is small where the model is sure.
    lattice_reduced : bool
        Whether a single layer is rounded in a reduced lattice basis, with one step for
        all inputs and `rdo_lambda` 0.
    """

    damping: float
    step: float = 1.0
    last_ratio: float = 1.0
    rdo_lambda: float = 0.0
    row_step_spacing: tuple[int, int] = (0, 0)
    joint_outputs: bool = False
    lattice_reduced: bool = False

    @property
    def metric_key(self) -> tuple[float, bool]:
        """The settings that the metric of the first layer depends on."""
        return self.damping, self.joint_outputs


class Calibration:
    """A stack and calibration samples, with what all settings have in common.

    `targets`: the original pre-activations (n, n_outputs) of each layer. `importance`
    (n_layers,): the mean of `unit_importance` over the outputs of each layer.
    """

    def __init__(self, stack: Stack, X: Any) -> None:
        self.stack, self.X = stack, X
        self.targets = list(pre_activations(stack, X))
        means = np.array([each.mean() for each in unit_importance(stack, X)])
        floor = _LEAST_IMPORTANCE * means.max()
        self.importance = np.maximum(means, floor) if floor > 0 else np.ones(len(means))
        self._first_roundings: dict[tuple[float, bool], LayerRounding] = {}
        self._lattices: dict[tuple[float, bool], ReducedLattice] = {}
        self._finished: dict[tuple[Any, ...], CodedLayer] = {}

    @property
    def n_varying(self) -> int:
        """The number of inputs that vary."""
        lowest, highest = _range(self.X)
        return int(np.count_nonzero(lowest < highest))

    @property
    def is_zero(self) -> BoolArray:
        """Which inputs are 0 in all samples, (n_inputs,)."""
        lowest, highest = _range(self.X)
        result: BoolArray = (lowest == 0) & (highest == 0)
        return result

    def size_of_weights(self, *, joint_outputs: bool) -> float:
        """Return the root mean square weight of the first layer, in units of steps."""
        settings = Settings(damping=1.0, joint_outputs=joint_outputs)
        rounding = self._rounding(0, self.X, settings)
        if not rounding.blocks:
            return 0.0
        mean = np.mean([np.mean(block.weights**2) for block in rounding.blocks])
        importance = 1.0 if joint_outputs else self.importance[0]
        return float(np.sqrt(mean * importance) * 2.0**-rounding.log_scale)

    def least_curvature(self) -> float:
        """Return the least eigenvalue of the inputs' covariance, in units of reach."""
        means, variances = _moments(self.X)
        rows = np.flatnonzero(variances > 0)
        if not 0 < len(rows) <= _MOST_INPUTS:
            return 1.0
        units = np.sqrt(_reach(self.X, means)[rows])
        scaled = input_covariance(self.X[:, rows])[0] / np.outer(units, units)
        return float(np.linalg.eigvalsh(scaled)[0])

    def coded(self, settings: Settings) -> list[CodedLayer]:
        """Return the layers as integers."""
        inputs, coded = self.X, []
        for number in range(len(self.stack.layers)):
            rounding = self._rounding(number, inputs, settings)
            rounded = self._rounded(number, rounding, settings)
            if self.is_small:
                return [self._known(rounded, rounding, settings)]
            found, inputs = self._completed(number, rounded, inputs, rounding)
            coded.append(found)
        return coded

    @property
    def is_small(self) -> bool:
        """Whether there are so few weights that many steps give the same integers."""
        return len(self.stack.layers) == 1 and self.stack.n_weights <= _FEW_WEIGHTS

    def _known(
        self, rounded: CodedLayer, rounding: LayerRounding, settings: Settings
    ) -> CodedLayer:
        """Return the one layer with biases, the same object for the same integers."""
        exponents = None if rounded.exponents is None else rounded.exponents.tobytes()
        integers = rounded.codes.tobytes(), exponents, rounded.spacing
        key = settings.metric_key, *integers
        if key not in self._finished:
            self._finished[key], _ = self._completed(0, rounded, self.X, rounding)
        return self._finished[key]

    def _rounding(self, number: int, inputs: Any, settings: Settings) -> LayerRounding:
        """Return what a layer with these inputs (n, d) needs to be rounded.

        The inputs of the first layer never change, so for it each metric is kept.
        """
        if number > 0:
            return self._new_rounding(number, inputs, settings)
        key = settings.metric_key
        if key not in self._first_roundings:
            self._first_roundings[key] = self._new_rounding(0, inputs, settings)
        return self._first_roundings[key]

    def _new_rounding(
        self, number: int, inputs: Any, settings: Settings
    ) -> LayerRounding:
        """Compute the blocks of a layer with these inputs (n, d).

        Only inputs that vary are in a block, and at most `_MOST_INPUTS` if its outputs
        are rounded separately.
        """
        means, variances = _moments(inputs)
        rows = np.flatnonzero(variances > 0)
        if len(rows) == 0:
            return LayerRounding(())
        reach = settings.damping * _reach(inputs, means)
        if len(self.stack.layers) > 1:
            # the inputs of a network are alike, also those that hardly vary here
            reach = np.maximum(reach, reach[rows].mean())
        if settings.joint_outputs:
            block = self._joint_block(rows, reach[rows], variances[rows])
            return LayerRounding((block,))
        blocks = [
            self._block(number, inputs, some, reach[some])
            for some in np.array_split(rows, -(-len(rows) // _MOST_INPUTS))
        ]
        return LayerRounding(tuple(blocks))

    def _block(
        self, number: int, inputs: Any, rows: IntArray, reach: FloatArray
    ) -> Block:
        """Return the block of the inputs `rows`, with one metric for all outputs.

        `reach` (n_rows,): the ridge of each input. The weights are corrected for
        changed inputs in later layers, and shrunk by the ridge in a single layer.
        """
        weights, target = self.stack.layers[number].weights[rows], self.targets[number]
        inputs = inputs[:, rows]
        covariance, _ = input_covariance(inputs)
        metric = covariance + np.diag(reach)
        if number > 0:
            weights = weights + _correction(inputs, weights, target, metric)
        elif len(self.stack.layers) == 1:
            weights = _shrunk(covariance, metric, weights)
        return Block(rows, weights, covariance, covariance, metric)

    @property
    def can_join_outputs(self) -> bool:
        """Whether outputs can be rounded together: in one layer with a link."""
        return (
            len(self.stack.layers) == 1
            and not self.stack.link.is_identity
            and self.stack.n_weights <= _MOST_JOINT_WEIGHTS
        )

    def can_reduce_lattice(self, *, joint_outputs: bool) -> bool:
        """Whether there is a single layer, small enough for lattice reduction."""
        rows = self.stack.n_weights if joint_outputs else self.stack.n_inputs
        return len(self.stack.layers) == 1 and rows <= _MOST_REDUCED

    def _lattice(
        self, rounding: LayerRounding, settings: Settings
    ) -> ReducedLattice | None:
        """Return the reduced basis of the one block, or None if no input varies."""
        if not rounding.blocks:
            return None
        key = settings.metric_key
        if key not in self._lattices:
            alike = (
                lattice
                for (_, joint_outputs), lattice in reversed(self._lattices.items())
                if joint_outputs == settings.joint_outputs
            )
            metric = rounding.blocks[0].metric
            self._lattices[key] = reduce_lattice(metric, start=next(alike, None))
        return self._lattices[key]

    @cached_property
    def _curvature(self) -> FloatArray:
        """The Gauss-Newton matrix of all weights of the one layer."""
        return gauss_newton_matrix(self.stack, self.X)

    def _joint_block(
        self, rows: IntArray, reach: FloatArray, variances: FloatArray
    ) -> Block:
        """Return the block of the inputs `rows`, with a metric across all outputs.

        `reach`, `variances` (n_rows,): the ridge and the variance of each input. The
        metric has n_rows * n_outputs rows.
        """
        k = self.stack.n_outputs
        curvature = self._curvature
        kept = (rows[:, np.newaxis] * k + np.arange(k)).ravel()
        curvature = curvature[np.ix_(kept, kept)]
        # the damping of an input is that share of its curvature for every output
        shares = np.repeat(reach / variances, k)
        metric = curvature + np.diag(shares * np.diag(curvature))
        flat = self.stack.layers[0].weights[rows].reshape(-1, 1)
        weights = _shrunk(curvature, metric, flat).reshape(-1, k)
        covariance, _ = input_covariance(self.X[:, rows])
        return Block(rows, weights, covariance, curvature, metric)

    def _rounded(
        self, number: int, rounding: LayerRounding, settings: Settings
    ) -> CodedLayer:
        """Return a layer as integers, without biases."""
        last = number == len(self.stack.layers) - 1
        step = settings.step * 2.0**rounding.log_scale
        if not settings.joint_outputs:  # otherwise the curvature has it
            step /= np.sqrt(self.importance[number])
        if last:
            step *= settings.last_ratio
        return rounding.rounded(
            step,
            self.stack.layers[number].weights.shape,
            spacing=settings.row_step_spacing[int(last)],
            rdo_lambda=settings.rdo_lambda,
            lattice=self._lattice(rounding, settings)
            if settings.lattice_reduced
            else None,
        )

    def _completed(
        self, number: int, coded: CodedLayer, inputs: Any, rounding: LayerRounding
    ) -> tuple[CodedLayer, FloatArray]:
        """Return a layer with its biases, and its outputs, (n, n_outputs)."""
        last = number == len(self.stack.layers) - 1
        weights, target = coded.weights(), self.targets[number]
        variance = rounding.error(weights) / target.shape[1]
        if last and self.stack.link.is_identity:
            biases = target.mean(axis=0) - _moments(inputs)[0] @ weights
            return with_biases(coded, biases, variance), target
        outputs = inputs @ weights
        if last:
            return self._fitted_layer(coded, target, outputs, variance), target
        biases = (target - outputs).mean(axis=0)
        coded = with_biases(coded, biases, variance)
        outputs += coded.biases()
        activation = self.stack.layers[number].activation
        return coded, ACTIVATIONS[activation].function(outputs)

    def _fitted_layer(
        self,
        coded: CodedLayer,
        target: FloatArray,
        outputs: FloatArray,
        variance: float,
    ) -> CodedLayer:
        """Return the last layer with the scale and the biases of least distortion.

        `outputs` (n, n_outputs): without biases. `variance`: their mean squared error.
        """
        fit = fit_outputs(self.stack.link, target, outputs)
        step = float(np.float32(coded.step * fit.scale))
        if is_float32(step):
            scale, coded = step / coded.step, replace(coded, step=step)
        else:
            scale = 1.0
        biases = fit.centre - scale * outputs.mean(axis=0)
        least = _LEAST_TOLERANCE * float(outputs.var(axis=0).mean())
        tolerance = min(scale**2 * variance, max(fit.tolerance, scale**2 * least))
        return with_biases(coded, biases, tolerance)


def _moments(inputs: Any) -> tuple[FloatArray, FloatArray]:
    """Return the means and variances of the inputs, (d,)."""
    if is_sparse(inputs):
        means, variances = mean_variance_axis(inputs, axis=0)
        return np.asarray(means), np.asarray(variances)
    return inputs.mean(axis=0), inputs.var(axis=0)


def _range(inputs: Any) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest value of each input, (d,)."""
    if is_sparse(inputs):
        lowest, highest = min_max_axis(inputs, axis=0)
        return np.asarray(lowest), np.asarray(highest)
    return inputs.min(axis=0), inputs.max(axis=0)


def _reach(inputs: Any, means: FloatArray) -> FloatArray:
    """Return the squared largest deviation of each input from its mean, over 9, (d,).

    For normal inputs it is about their variance. For inputs that seldom vary, such as
    rare indicators, it is much larger, so that they are damped more: few samples show
    their effect.
    """
    lowest, highest = _range(inputs)
    reach: FloatArray = np.maximum(highest - means, means - lowest) ** 2 / 9
    return reach


def _correction(
    inputs: FloatArray, weights: FloatArray, target: FloatArray, metric: FloatArray
) -> FloatArray:
    """Return H^-1 A' (T - A W) / n, which makes up for changed inputs."""
    left = target - inputs @ weights
    left -= left.mean(axis=0)
    centred = inputs - inputs.mean(axis=0)
    result: FloatArray = cho_solve(cho_factor(metric), centred.T @ left / len(left))
    return result


def _shrunk(
    curvature: FloatArray, metric: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return the v of the least (w - v)' H (w - v) + v' D v, with `metric` = H + D."""
    result: FloatArray = cho_solve(cho_factor(metric), curvature @ weights)
    return result
