"""Maximal correlation as a measure of dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from skinfo._core._typing import IntArray
from skinfo.dependence.kernels._channel import kernel_joint
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.measures._kernel_measure import KernelMeasure


@dataclass(frozen=True)
class MaximalCorrelation(KernelMeasure):
    """Maximal correlation as a measure of dependence."""

    symmetric: ClassVar[bool] = True

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> list[float]:
        return [
            kernel_joint(x.smoothed, y.smoothed, order).leading_pair()[0]
            for order in orders
        ]
