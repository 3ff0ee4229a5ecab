"""The default scheme: layers rounded one after the other, each to what it should give.

The target T of a layer is its original pre-activation, and its inputs A are those of
the layers that are compressed already: W + H^-1 A' (T - A W) / n is what is rounded,
with H = A'A / n, all centred. The biases make up for the means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression._coded_layers import CodedLayer
from skinfo.compression._distortion import refit_biases
from skinfo.compression._feedback import (
    FeedbackPlan,
    make_plan,
    round_with_feedback,
    step_factors,
)
from skinfo.compression._importance import (
    gauss_newton_matrix,
    input_covariance,
    unit_importance,
)
from skinfo.compression._layers import (
    ACTIVATION_FUNCTIONS,
    AffineLayer,
    Stack,
    layer_inputs,
)

_MOST_COUPLED = 3000  # weights of one layer, of which the full curvature is taken
_BIAS_SHARE = 0.02  # of the distortion, that rounding the biases may add
_LARGEST_CODE = 1 << 40
_LEAST_IMPORTANCE = 1e-12  # of a layer, beside the largest


@dataclass(frozen=True)
class Settings:
    """What is chosen by the distortion that it gives.

    `step`: in units in which all layers cost as much. `last_ratio`: times that, for the
    last layer. `rate_weight`: how many squared steps a bit is worth. `exponents`:
    whether the inputs of the hidden layers, and of the last, have steps of their own.
    `damping`: what is added to the curvature, times the squared reach of the inputs.
    """

    step: float
    last_ratio: float
    rate_weight: float
    exponents: tuple[bool, bool]
    damping: float


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """The weights that a layer should have, and the curvature of what it gives.

    `rows`: the inputs that vary. `weights` (n_rows, k). `coupled`: whether the plan is
    that of all weights at once, (n_rows k), as outputs matter together.
    """

    rows: IntArray
    weights: FloatArray
    covariance: FloatArray
    plan: FeedbackPlan
    coupled: bool


@dataclass(eq=False)
class Calibration:
    """A stack, samples, and what the stack gives for them.

    `targets`: the pre-activations of each layer. `importance`: of the pre-activations
    of each layer, on average.
    """

    stack: Stack
    X: Any
    targets: list[FloatArray] = field(init=False)
    importance: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.targets = [
            inputs @ layer.weights + layer.biases
            for layer, inputs in zip(
                self.stack.layers, layer_inputs(self.stack, self.X), strict=False
            )
        ]
        means = np.array([each.mean() for each in unit_importance(self.stack, self.X)])
        floor = _LEAST_IMPORTANCE * means.max()
        self.importance = np.maximum(means, floor) if floor > 0 else np.ones(len(means))
        self._first_plans: dict[float, LayerPlan] = {}

    def size_of_weights(self) -> float:
        """Return the mean size of the weights of the first layer, in units of steps."""
        plan = self._plan(0, self.X, 1.0)
        if plan.weights.size == 0:
            return 0.0
        size = float(np.sqrt(np.mean(plan.weights**2) * self.importance[0]))
        return float(np.ldexp(size, -round(plan.plan.mean_log_scale)))

    def least_curvature(self) -> float:
        """Return the least eigenvalue of the inputs, in units of their reach."""
        covariance, means = input_covariance(self.X)
        rows = np.flatnonzero(np.diag(covariance) > 0)
        units = np.sqrt(_reach(self.X, means)[rows])
        scaled = covariance[np.ix_(rows, rows)] / np.outer(units, units)
        return float(np.linalg.eigvalsh(scaled)[0]) if len(rows) > 0 else 1.0

    def coded(self, settings: Settings) -> list[CodedLayer]:
        """Return the layers as integers."""
        inputs, coded = self.X, []
        for number, layer in enumerate(self.stack.layers):
            plan = self._plan(number, inputs, settings.damping)
            found, inputs = self._coded_layer(number, layer, inputs, plan, settings)
            coded.append(found)
        return coded

    def _plan(self, number: int, inputs: Any, damping: float) -> LayerPlan:
        if number > 0:
            return self._new_plan(number, inputs, damping)
        if damping not in self._first_plans:
            self._first_plans[damping] = self._new_plan(number, inputs, damping)
        return self._first_plans[damping]

    def _new_plan(self, number: int, inputs: Any, damping: float) -> LayerPlan:
        layer, target = self.stack.layers[number], self.targets[number]
        covariance, means = input_covariance(inputs)
        rows = np.flatnonzero(np.diag(covariance) > 0)
        covariance = covariance[np.ix_(rows, rows)]
        weights = layer.weights[rows]
        reach = damping * _reach(inputs, means)[rows]
        if len(self.stack.layers) > 1 and len(rows) > 0:
            # the inputs of a network are alike, also those that hardly vary here
            reach = np.maximum(reach, reach.mean())
        if self._is_coupled(weights):
            return self._coupled_plan(rows, weights, covariance, reach)
        metric = covariance + np.diag(reach)
        if number > 0:
            weights = weights + _correction(inputs[:, rows], weights, target, metric)
        else:
            weights = _shrunk(covariance, metric, weights)
        plan = make_plan(metric)
        return LayerPlan(rows, weights, covariance, plan, coupled=False)

    def _is_coupled(self, weights: FloatArray) -> bool:
        """Return whether outputs are not rounded apart: in one layer with a link."""
        squared = self.stack.distortion == "squared" and self.stack.link != "exp"
        return (
            len(self.stack.layers) == 1
            and not squared
            and 0 < weights.size <= _MOST_COUPLED
        )

    def _coupled_plan(
        self,
        rows: IntArray,
        weights: FloatArray,
        covariance: FloatArray,
        reach: FloatArray,
    ) -> LayerPlan:
        k = weights.shape[1]
        curvature = gauss_newton_matrix(self.stack, self.X)
        kept = (rows[:, np.newaxis] * k + np.arange(k)).ravel()
        curvature = curvature[np.ix_(kept, kept)]
        # the damping of an input is that share of its curvature for every output
        shares = np.repeat(reach / np.diag(covariance), k)
        metric = curvature + np.diag(shares * np.diag(curvature))
        flat = _shrunk(curvature, metric, weights.reshape(-1, 1))
        plan = make_plan(metric)
        return LayerPlan(rows, flat.reshape(-1, k), covariance, plan, coupled=True)

    def _coded_layer(
        self,
        number: int,
        layer: AffineLayer,
        inputs: Any,
        plan: LayerPlan,
        settings: Settings,
    ) -> tuple[CodedLayer, FloatArray]:
        """Return the layer as integers, and what it gives."""
        last = number == len(self.stack.layers) - 1
        step = settings.step * 2.0**plan.plan.mean_log_scale
        step /= np.sqrt(self.importance[number])
        if last:
            step *= settings.last_ratio
        exponents = None
        if settings.exponents[int(last)]:
            exponents = _exponents(plan)
        codes, step = _rounded(plan, step, settings.rate_weight, exponents)
        coded = _with_inputs(codes, step, exponents, plan.rows, layer.weights.shape)
        outputs = inputs @ coded.weights()
        biases = (self.targets[number] - outputs).mean(axis=0)
        if last:
            outputs_at_means = outputs + biases
            biases = biases + refit_biases(
                self.stack, self.targets[number], outputs_at_means
            )
        error = plan.weights - coded.weights()[plan.rows]
        spread = np.einsum("ij,ik,kj->", error, plan.covariance, error, optimize=True)
        coded = with_biases(coded, biases, float(spread) / len(biases))
        outputs += coded.biases()
        return coded, ACTIVATION_FUNCTIONS[layer.activation](outputs)


def _reach(inputs: Any, means: FloatArray) -> FloatArray:
    """Return the square of how far each input reaches from its mean, over 9, (d,).

    Of normal inputs it is about their variance. Of those that seldom vary, such as rare
    indicators, it is much larger: their few samples say little of others.
    """
    highest, lowest = (
        np.asarray(each.todense()).ravel() if hasattr(each, "todense") else each
        for each in (inputs.max(axis=0), inputs.min(axis=0))
    )
    reach: FloatArray = np.maximum(highest - means, means - lowest) ** 2 / 9
    return reach


def _correction(
    inputs: FloatArray, weights: FloatArray, target: FloatArray, metric: FloatArray
) -> FloatArray:
    """Return H^-1 A' (T - A W) / n, what the changed inputs ask for."""
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


def _exponents(plan: LayerPlan) -> IntArray:
    """Return the exponents of the steps of the inputs that vary."""
    found = plan.plan.exponents
    if plan.coupled:
        found = np.rint(found.reshape(plan.weights.shape).mean(axis=1)).astype(np.int64)
    return found


def _rounded(
    plan: LayerPlan, step: float, rate_weight: float, exponents: IntArray | None
) -> tuple[IntArray, float]:
    """Return the codes of the inputs that vary, and the step that suits them best."""
    weights = plan.weights
    of_rows = exponents
    if plan.coupled:
        weights = weights.reshape(-1, 1)
        if exponents is not None:
            of_rows = np.repeat(exponents, plan.weights.shape[1])
    codes = round_with_feedback(
        weights, plan.plan, step, rate_weight=rate_weight, exponents=of_rows
    ).reshape(plan.weights.shape)
    values = codes * step
    if exponents is not None:
        values = values * step_factors(exponents)[:, np.newaxis]
    # E[q' H (w - s q)] = 0
    turned = plan.covariance @ values
    size, along = np.sum(turned * values), np.sum(turned * plan.weights)
    scale = along / size if size > 0 and along > 0 else 1.0
    return codes, float(np.float32(step * scale))


def _with_inputs(
    codes: IntArray,
    step: float,
    exponents: IntArray | None,
    rows: IntArray,
    shape: tuple[int, ...],
) -> CodedLayer:
    """Return the layer with codes 0 for the inputs that do not vary."""
    whole = np.zeros(shape, dtype=np.int64)
    whole[rows] = codes
    if exponents is not None:
        of_all = np.zeros(len(whole), dtype=np.int64)
        of_all[rows] = exponents
        exponents = of_all
    return CodedLayer(
        whole, step, exponents, None, np.zeros(shape[1], dtype=np.int64), 0
    )


def with_biases(layer: CodedLayer, biases: FloatArray, variance: float) -> CodedLayer:
    """Return the layer with these biases, rounded.

    `variance`: the mean squared error of its outputs, of which rounding the biases may
    add a small share.
    """
    largest = float(np.abs(biases).max(initial=0))
    step = np.sqrt(12 * _BIAS_SHARE * variance)
    step = max(step, largest / _LARGEST_CODE, np.finfo(np.float64).tiny)
    exponent = int(np.floor(np.log2(step))) if largest > 0 else 0
    codes = np.rint(np.ldexp(biases, -exponent)).astype(np.int64)
    return CodedLayer(
        layer.codes, layer.step, layer.exponents, layer.codebook, codes, exponent
    )
