"""What the measures of dependence that use a kernel estimate have in common."""

from __future__ import annotations

from dataclasses import dataclass

from skinfo._core._checks import check_positive
from skinfo._core._columns import Column, nominal_or_few_integers
from skinfo._core._vectors import RandomVector
from skinfo.dependence.kernels._kernel_vector import KernelVector, kernel_vector
from skinfo.dependence.measures._measure import DependenceMeasure

_MINIMUM_SAMPLES = 5  # a convention; a density of fewer is not worth estimating


@dataclass(frozen=True)
class KernelMeasure(DependenceMeasure[KernelVector]):
    """A measure of the kernel estimate of a joint distribution, without its values."""

    bandwidth_factor: float = 1.06

    def check_options(self) -> None:
        check_positive("bandwidth_factor", self.bandwidth_factor)

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
        return nominal_or_few_integers(column)

    def prepare(self, vector: RandomVector) -> KernelVector:
        return kernel_vector(vector, self.bandwidth_factor)
