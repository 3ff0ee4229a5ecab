"""How a layer is rounded: its weights in blocks of inputs, with feedback of errors."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Some inputs of a layer, the weights that they should have, and the curvature.

    `rows` (d,): the inputs. `weights` (d, k). `covariance` (d, d): of the inputs.
    `curvature`: the same, or, where outputs matter together, that of all d k weights.
    `metric`: this curvature with damping.
    """

    rows: IntArray
    weights: FloatArray
    covariance: FloatArray
    curvature: FloatArray
    metric: FloatArray

    @cached_property
    def feedback(self) -> FeedbackFactors:
        """How errors are fed back."""
        return feedback_factors(self.metric)

    @property
    def log_scales(self) -> FloatArray:
        """The logarithms of the best steps of the inputs, (d,)."""
        logs = self.feedback.log_scales.reshape(len(self.rows), -1)
        return np.asarray(logs.mean(axis=1), dtype=np.float64)

    def rounded(
        self, step: float, exponents: IntArray | None, rdo_lambda: float
    ) -> IntArray:
        """Return the codes, (d, k). `exponents`: in half octaves."""
        weights = self._as_columns(self.weights)
        if exponents is not None:
            exponents = np.repeat(exponents, len(weights) // len(self.rows))
        codes = round_with_feedback(
            weights, self.feedback, step, rdo_lambda=rdo_lambda, exponents=exponents
        )
        return codes.reshape(self.weights.shape)

    def rounded_in(self, lattice: ReducedLattice, step: float) -> IntArray:
        """Return the codes, (d, k), by a reduced basis of the metric."""
        codes = lattice.rounded(self._as_columns(self.weights), step)
        return codes.reshape(self.weights.shape)

    def products(self, values: FloatArray) -> FloatArray:
        """Return q' H q and q' H w of other weights q (d, k)."""
        q, w = self._as_columns(values), self._as_columns(self.weights)
        turned = self.curvature @ q
        return np.array([np.sum(turned * q), np.sum(turned * w)])

    def _as_columns(self, values: FloatArray) -> FloatArray:
        return values.reshape(len(self.curvature), -1)


@dataclass(frozen=True, eq=False)
class LayerRounding:
    """The inputs that vary, in blocks that are taken for uncorrelated."""

    blocks: tuple[Block, ...]
    log_scale: float = field(init=False)

    def __post_init__(self) -> None:
        logs = [block.log_scales for block in self.blocks]
        mean = float(np.mean(np.concatenate(logs))) if logs else 0.0
        object.__setattr__(self, "log_scale", mean)

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

        `spacing`: of the steps of the inputs; 0: they have the same. The step is
        changed a little, so that E[q' H (w - q)] = 0 for the weights w and the
        multiples q. `lattice`: by which the one block is rounded.
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
            found = (
                block.rounded(step, own, rdo_lambda)
                if lattice is None
                else block.rounded_in(lattice, step)
            )
            codes[block.rows] = found
            values = found * np.float64(step)
            if own is not None:
                values *= step_factors(own)[:, np.newaxis]
            products += block.products(values)
        size, along = products
        step *= along / size if size > 0 and along > 0 else 1.0
        if not codes.any():  # whatever it is
            step, spacing = 1.0, 0
        if not is_float32(step):  # what no float32 can be
            spacing = spacing or LARGEST_SPACING
            shift = int(2 * np.log2(step) / spacing)
            exponents += shift
            step /= float(step_factors(np.array(spacing * shift)))
        step = float(np.float32(step))
        zeros = np.zeros(shape[1], dtype=np.int64)
        if spacing == 0:
            return CodedLayer(codes, step, None, None, zeros, 0)
        return CodedLayer(codes, step, exponents, None, zeros, 0, spacing)

    def error(self, weights: FloatArray) -> float:
        """Return the mean squared error that weights add to the outputs, summed."""
        total = 0.0
        for block in self.blocks:
            left = block.weights - weights[block.rows]
            total += float(np.sum((block.covariance @ left) * left))
        return total
