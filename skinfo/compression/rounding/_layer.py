"""Rounding of a layer, in blocks of inputs that count as uncorrelated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.file._coded_model import (
    LARGEST_SPACING,
    CodedLayer,
    is_float32,
    step_factors,
)
from skinfo.compression.rounding._feedback import (
    FeedbackFactors,
    feedback_factors,
    round_with_feedback,
)
from skinfo.compression.rounding._lattice import ReducedLattice


@dataclass(frozen=True, eq=False)
class Block:
    """Some inputs of a layer, their target weights, and the curvature.

    `rows` (d,): the indices of the inputs. `weights` (d, k): the real weights to round.
    `covariance` (d, d): of the inputs. `curvature`: the covariance, or, where outputs
    are rounded together, the matrix (d k, d k) of all weights. `metric`: the curvature
    plus damping.
    """

    rows: IntArray
    weights: FloatArray
    covariance: FloatArray
    curvature: FloatArray
    metric: FloatArray

    @cached_property
    def feedback(self) -> FeedbackFactors:
        """The factors of the metric, by which errors are fed back."""
        return feedback_factors(self.metric)

    @property
    def log_scales(self) -> FloatArray:
        """The base-2 logarithms of the best steps of the inputs, (d,)."""
        logs = self.feedback.log_scales.reshape(len(self.rows), -1)
        return np.asarray(logs.mean(axis=1), dtype=np.float64)

    def rounded(
        self,
        step: float,
        exponents: IntArray | None,
        rdo_lambda: float,
        lattice: ReducedLattice | None,
    ) -> IntArray:
        """Return the codes, (d, k). `exponents` (d,): of the steps, in half octaves.

        `lattice`: a reduced basis of the metric, in which all steps are the same.
        """
        weights = self._as_columns(self.weights)
        if lattice is not None:
            return lattice.rounded(weights, step).reshape(self.weights.shape)
        if exponents is not None:
            exponents = np.repeat(exponents, len(weights) // len(self.rows))
        codes = round_with_feedback(
            weights, self.feedback, step, rdo_lambda=rdo_lambda, exponents=exponents
        )
        return codes.reshape(self.weights.shape)

    def products(self, values: FloatArray) -> FloatArray:
        """Return q' H q and q' H w, (2,), for the weights w and quantised weights q."""
        q, w = self._as_columns(values), self._as_columns(self.weights)
        turned = self.curvature @ q
        return np.array([np.sum(turned * q), np.sum(turned * w)])

    def _as_columns(self, values: FloatArray) -> FloatArray:
        return values.reshape(len(self.curvature), -1)


@dataclass(frozen=True, eq=False)
class LayerRounding:
    """The inputs that vary, in blocks that count as uncorrelated."""

    blocks: tuple[Block, ...]

    @cached_property
    def log_scale(self) -> float:
        """The mean of `log_scales` over all inputs."""
        logs = [block.log_scales for block in self.blocks]
        return float(np.mean(np.concatenate(logs))) if logs else 0.0

    def rounded(
        self,
        step: float,
        shape: tuple[int, ...],
        *,
        spacing: int,
        rdo_lambda: float,
        lattice: ReducedLattice | None,
    ) -> CodedLayer:
        """Return the layer without biases; inputs that do not vary have codes 0.

        `spacing`: of the individual steps of the inputs, in half octaves; 0: all have
        the same step. After rounding, the step is scaled so that q' H (w - q) = 0 for
        the weights w and the quantised weights q. `lattice`: the basis in which the one
        block is rounded, or None.
        """
        codes = np.zeros(shape, dtype=np.int64)
        exponents = np.zeros(shape[0], dtype=np.int64)
        products = np.zeros(2)
        for block in self.blocks:
            own = None
            if spacing > 0:
                logs = block.log_scales - self.log_scale
                exponents[block.rows] = np.rint(2 * logs / spacing).astype(np.int64)
                own = spacing * exponents[block.rows]
            found = block.rounded(step, own, rdo_lambda, lattice)
            codes[block.rows] = found
            values = found * np.float64(step)
            if own is not None:
                values *= step_factors(own)[:, np.newaxis]
            products += block.products(values)
        size, along = products
        step *= along / size if size > 0 and along > 0 else 1.0
        if not codes.any():  # any step will do
            step, spacing = 1.0, 0
        if not is_float32(step):  # exponents take what a float32 cannot hold
            spacing = spacing or LARGEST_SPACING
            shift = int(2 * np.log2(step) / spacing)
            exponents += shift
            step /= float(step_factors(np.array(spacing * shift)))
        step = float(np.float32(step))
        if spacing == 0:
            return CodedLayer(codes, step)
        return CodedLayer(codes, step, exponents, spacing=spacing)

    def error(self, weights: FloatArray) -> float:
        """Return the mean squared error of the outputs, summed over them."""
        total = 0.0
        for block in self.blocks:
            left = block.weights - weights[block.rows]
            total += float(np.sum((block.covariance @ left) * left))
        return total
