"""Hypercontractivity as a measure of dependence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, SupportsFloat

import numpy as np

from skinfo._core._checks import check_option, check_real
from skinfo._core._columns import Column, nominal_by_kind
from skinfo._core._typing import IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.kernels._ascent import Maximum, maximise
from skinfo.dependence.kernels._channel import (
    Channel,
    SmoothedVector,
    centred_joint,
    kernel_joint,
)
from skinfo.dependence.kernels._kernel_vector import KernelVector, kernel_vector
from skinfo.dependence.kernels._tilt import ColumnTilt, column_tilt
from skinfo.dependence.measures._kernel_measure import KernelMeasure

METHODS = ("kde", "paper")
DIRECTIONS = ("forward", "backward")

# How much the value changes is the largest change on 60 samples of six laws, n = 320
# and 1000, with and without a cap.
_TOLERANCE = 1e-6  # relative gain of a step; 1e-4: 6e-4 lower, 1e-8: 3e-6 higher
_N_VERTICES = 5  # point masses to start from; 1: 2e-6 lower, 20: up to 3e-8 higher
_SLACK = 0.01  # share of the value given up for a tilt that is visible on samples


@dataclass(frozen=True)
class Hypercontractivity(KernelMeasure):
    """Hypercontractivity as a measure of dependence.

    The driver x is the variable that is tilted, y the response.
    """

    min_fraction: float | None = 0.05
    method: str = "kde"

    symmetric: ClassVar[bool] = False

    def check_options(self) -> None:
        super().check_options()
        _check_min_fraction(self.min_fraction)
        check_option("method", self.method, METHODS)

    def is_nominal(self, column: Column) -> bool:
        if self.method == "paper":
            return nominal_by_kind(column)
        return super().is_nominal(column)

    def prepare(self, vector: RandomVector) -> KernelVector:
        pooled = self.method == "paper"
        return kernel_vector(vector, self.bandwidth_factor, pooled=pooled)

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        return [self._maximum(x.smoothed, y.smoothed, order).value for order in orders]

    def maximum(self, x: KernelVector, y: KernelVector) -> Maximum:
        """Return the largest ratio, and the tilt of the driver that reaches it."""
        return self._maximum(x.smoothed, y.smoothed)

    def value_without(self, sample: int, x: KernelVector, y: KernelVector) -> float:
        """Return the largest ratio with one sample left out, at the same bandwidth."""
        without = x.smoothed.without(sample), y.smoothed.without(sample)
        return self._maximum(*without).value

    def _maximum(
        self, x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
    ) -> Maximum:
        return maximise(
            self._channel(x, y, order),
            cap=self._cap(x.cells.n_samples),
            tol=_TOLERANCE,
            n_vertices=_N_VERTICES,
            slack=_SLACK,
        )

    def channel(self, x: KernelVector, y: KernelVector) -> Channel:
        """Return the kernel joint as a channel from the driver to the response."""
        return self._channel(x.smoothed, y.smoothed)

    def _channel(
        self, x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
    ) -> Channel:
        make_joint = centred_joint if self.method == "paper" else kernel_joint
        return make_joint(x, y, order)

    def _cap(self, n_samples: int) -> float:
        """Return the upper bound of the tilt."""
        if self.method == "paper":
            return math.sqrt(n_samples)
        if self.min_fraction is None:
            return math.inf
        return min(math.sqrt(n_samples), 1 / self.min_fraction)


def _check_min_fraction(value: Any) -> None:
    if value is None:
        return
    example = "Pass, for example, min_fraction=0.05, or None."
    if not 0 < check_real("min_fraction", value, example) <= 1:
        raise ValueError(
            f"min_fraction={value!r} must lie in (0, 1]. Pass, for example, "
            "min_fraction=0.05, or None to let a tilt concentrate on any sample."
        )


@dataclass(frozen=True)
class FeatureScore:
    """The hypercontractivity of a feature with the target, and what it rests on.

    `value_without_witness`: without the sample that the tilt raises most.
    `effective_sample_size`: of the tilt of the driver. `tilt`: of the feature.
    """

    value: float
    lower_bound: float
    value_without_witness: float
    effective_sample_size: float
    tilt: ColumnTilt

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class FeatureHypercontractivity(Hypercontractivity):
    """Hypercontractivity that gives a `FeatureScore` where y is not permuted.

    The driver is the feature x if `direction` is "forward", the target y if it is
    "backward".
    """

    direction: str = "forward"

    def check_options(self) -> None:
        super().check_options()
        check_option("direction", self.direction, DIRECTIONS)

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        permuted = [order for order in orders if order is not None]
        values = iter(super().values(x, y, permuted))
        return [self.score(x, y) if order is None else next(values) for order in orders]

    def _channel(
        self, x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
    ) -> Channel:
        channel = super()._channel(x, y, order)
        if self.direction == "backward":
            return Channel(np.ascontiguousarray(channel.joint.T))
        return channel

    def score(self, x: KernelVector, y: KernelVector) -> FeatureScore:
        """Return the score of a feature x with a target y."""
        maximum = self.maximum(x, y)
        driver, response = (x, y) if self.direction == "forward" else (y, x)
        weights = maximum.tilt[driver.cells.codes]
        images = maximum.output_tilt[response.cells.codes]
        # the largest tilt of the driver and, among equal ones, of the response
        witness = int(np.lexsort((images, weights))[-1])
        return FeatureScore(
            maximum.value,
            maximum.lower_bound,
            self.value_without(witness, x, y),
            float(weights.sum() ** 2 / (weights @ weights)),
            column_tilt(x, maximum.tilt if driver is x else maximum.output_tilt),
        )
