"""Potential correlation, by hypercontractivity, as a measure of dependence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, SupportsFloat

import numpy as np

from skinfo._core._checks import check_option, check_positive, check_real
from skinfo._core._columns import Column, nominal_by_kind, nominal_or_few_integers
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
from skinfo.dependence.measures._measure import DependenceMeasure

METHODS = ("kde", "paper")
DIRECTIONS = ("forward", "backward")

_TOLERANCE = 1e-6
_N_VERTICES = 5
_SLACK = 0.01  # of the value, for a tilt large enough to be seen on samples
_MINIMUM_SAMPLES = 5


@dataclass(frozen=True)
class PotentialCorrelation(DependenceMeasure[KernelVector]):
    """Hypercontractivity as a measure of dependence (`DependenceMeasure`)."""

    bandwidth_factor: float = 1.06
    min_fraction: float | None = 0.05
    method: str = "kde"

    symmetric: ClassVar[bool] = False

    def check_options(self) -> None:
        """Raise where a parameter is wrong whatever the data."""
        check_positive("bandwidth_factor", self.bandwidth_factor)
        _check_min_fraction(self.min_fraction)
        check_option("method", self.method, METHODS)

    @property
    def minimum_samples(self) -> int:
        return _MINIMUM_SAMPLES

    def check_samples(self, n_samples: int) -> None:
        if n_samples < _MINIMUM_SAMPLES:
            raise ValueError(
                f"n_samples={n_samples} must be at least {_MINIMUM_SAMPLES} to "
                "estimate a joint distribution. Pass more samples."
            )

    def is_nominal(self, column: Column) -> bool:
        if self.method == "paper":
            return nominal_by_kind(column)
        return nominal_or_few_integers(column)

    def prepare(self, vector: RandomVector) -> KernelVector:
        pooled = self.method == "paper"
        return kernel_vector(vector, self.bandwidth_factor, pooled=pooled)

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        return [self._maximum(x.smoothed, y.smoothed, order).value for order in orders]

    def maximum(self, x: KernelVector, y: KernelVector) -> Maximum:
        """Return the largest ratio, and the tilt of the source that reaches it."""
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
        """Return the kernel joint as a channel from the source to the target."""
        return self._channel(x.smoothed, y.smoothed)

    def _channel(
        self, x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
    ) -> Channel:
        make_joint = centred_joint if self.method == "paper" else kernel_joint
        return make_joint(x, y, order)

    def _cap(self, n_samples: int) -> float:
        """Return the largest tilt that is allowed."""
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
class Potential:
    """The potential correlation of a feature with the target, and what carries it.

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
class FeaturePotential(PotentialCorrelation):
    """Potential correlation that tells more in the order that the samples have."""

    direction: str = "forward"

    def check_options(self) -> None:
        super().check_options()
        check_option("direction", self.direction, DIRECTIONS)

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        permuted = [order for order in orders if order is not None]
        values = iter(super().values(x, y, permuted))
        return [
            self.potential(x, y) if order is None else next(values) for order in orders
        ]

    def _channel(
        self, x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
    ) -> Channel:
        channel = super()._channel(x, y, order)
        if self.direction == "backward":
            return Channel(np.ascontiguousarray(channel.joint.T))
        return channel

    def potential(self, x: KernelVector, y: KernelVector) -> Potential:
        """Return the potential correlation of a feature x with a target y."""
        maximum = self.maximum(x, y)
        source, target = (x, y) if self.direction == "forward" else (y, x)
        weights = maximum.tilt[source.cells.codes]
        images = maximum.output_tilt[target.cells.codes]
        # of the samples with the largest tilt, the one whose image is the largest
        witness = int(np.lexsort((images, weights))[-1])
        return Potential(
            maximum.value,
            maximum.lower_bound,
            self.value_without(witness, x, y),
            float(weights.sum() ** 2 / (weights @ weights)),
            column_tilt(x, maximum.tilt if source is x else maximum.output_tilt),
        )
