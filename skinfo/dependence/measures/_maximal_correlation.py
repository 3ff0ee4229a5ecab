"""Maximal correlation, by the kernel joint of potential correlation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from skinfo._core._columns import Column
from skinfo._core._typing import IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.kernels._channel import kernel_joint
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.measures._hypercontractivity import PotentialCorrelation
from skinfo.dependence.measures._measure import DependenceMeasure


@dataclass(frozen=True)
class MaximalCorrelation(DependenceMeasure[KernelVector]):
    """Maximal correlation as a measure of dependence (`DependenceMeasure`).

    It is the second singular value of the same kernel joint.
    """

    bandwidth_factor: float = 1.06

    symmetric: ClassVar[bool] = True

    @property
    def _potential(self) -> PotentialCorrelation:
        """The measure whose kernel joint this one takes."""
        return PotentialCorrelation(self.bandwidth_factor, None, "kde")

    def check_options(self) -> None:
        """Raise where a parameter is wrong whatever the data."""
        self._potential.check_options()

    @property
    def minimum_samples(self) -> int:
        return self._potential.minimum_samples

    def check_samples(self, n_samples: int) -> None:
        """Raise where there are too few samples."""
        self._potential.check_samples(n_samples)

    def is_nominal(self, column: Column) -> bool:
        return self._potential.is_nominal(column)

    def prepare(self, vector: RandomVector) -> KernelVector:
        return self._potential.prepare(vector)

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> list[float]:
        return [
            kernel_joint(x.smoothed, y.smoothed, order).leading_pair()[0]
            for order in orders
        ]
