"""Potential correlation, by hypercontractivity, as a measure of dependence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np

from skinfo._core._checks import check_option, check_positive, check_real
from skinfo._core._columns import Column, nominal_by_kind, nominal_or_few_integers
from skinfo._core._typing import IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence._ascent import Maximum, maximise
from skinfo.dependence._cells import Cells, gather
from skinfo.dependence._channel import (
    Channel,
    SmoothedVector,
    centred_joint,
    kernel_joint,
    smooth_cells,
)
from skinfo.dependence._placement import TrainingVector, training_vector

METHODS = ("kde", "paper")
DIRECTIONS = ("forward", "backward")

_TOLERANCE = 1e-6
_N_VERTICES = 5
_SLACK = 0.01  # of the value, for a tilt large enough to be seen on samples
_MINIMUM_SAMPLES = 5
_SMALLEST_BANDWIDTH = 1e-100  # of the deviation, so that squares stay finite


@dataclass(frozen=True)
class KernelVector:
    """A random vector with its cells, the kernel between them, and its scales.

    `schema`: the vector without its samples. `bandwidth`: of the coordinates.
    """

    schema: RandomVector
    training: TrainingVector
    bandwidth: float
    smoothed: SmoothedVector

    @property
    def cells(self) -> Cells:
        """The cells of the samples."""
        return self.smoothed.cells


@dataclass(frozen=True)
class PotentialCorrelation:
    """Hypercontractivity as a measure of dependence (`DependenceMeasure`)."""

    bandwidth_factor: float
    min_fraction: float | None
    method: str
    direction: str = "forward"

    def check_options(self) -> None:
        """Raise where a parameter is wrong whatever the data."""
        check_positive("bandwidth_factor", self.bandwidth_factor)
        _check_min_fraction(self.min_fraction)
        check_option("method", self.method, METHODS)
        check_option("direction", self.direction, DIRECTIONS)

    @property
    def minimum_samples(self) -> int:
        return _MINIMUM_SAMPLES

    @property
    def advice(self) -> str:
        return ""

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
        channel = make_joint(x, y, order)
        if self.direction == "backward":
            return Channel(np.ascontiguousarray(channel.joint.T))
        return channel

    def _cap(self, n_samples: int) -> float:
        """Return the largest tilt that is allowed."""
        if self.method == "paper":
            return math.sqrt(n_samples)
        if self.min_fraction is None:
            return math.inf
        return min(math.sqrt(n_samples), 1 / self.min_fraction)


def kernel_vector(
    vector: RandomVector, bandwidth_factor: float, *, pooled: bool = False
) -> KernelVector:
    """Gather the samples in cells, with the bandwidth c std n^(-1 / (d + 4)).

    `pooled`: one standard deviation for all columns together, as in the authors' code;
    else each column has its own.
    """
    training = training_vector(vector, None if pooled else "standard")
    variable = training.variable
    n, d = variable.n_samples, variable.n_coordinates
    deviation = _pooled_deviation(vector) if pooled else 1.0
    bandwidth = bandwidth_factor * deviation * n ** (-1 / (d + 4))
    bandwidth = max(bandwidth, _SMALLEST_BANDWIDTH * deviation)
    cells = gather(variable.groups, variable.points / bandwidth, variable.counts)
    of_samples = Cells(
        cells.codes[variable.codes], cells.counts, cells.groups, cells.points
    )
    schema = vector.take(np.zeros(n, dtype=bool))
    return KernelVector(schema, training, bandwidth, smooth_cells(of_samples))


def _pooled_deviation(vector: RandomVector) -> float:
    """Return the standard deviation of the entries of all numeric columns; 1 for 0."""
    values = [
        column.values.astype(float)
        for column, nominal in zip(vector.columns, vector.nominal, strict=True)
        if not nominal
    ]
    largest = float(np.abs(values).max(initial=0))
    if largest == 0:
        return 1.0
    return float(np.std(np.array(values) / largest)) * largest or 1.0


def _check_min_fraction(value: Any) -> None:
    if value is None:
        return
    example = "Pass, for example, min_fraction=0.05, or None."
    if not 0 < check_real("min_fraction", value, example) <= 1:
        raise ValueError(
            f"min_fraction={value!r} must lie in (0, 1]. Pass, for example, "
            "min_fraction=0.05, or None to let a tilt concentrate on any sample."
        )
