"""What a measure of dependence is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, SupportsFloat, TypeVar

from skinfo._core._columns import Column, nominal_by_kind
from skinfo._core._typing import IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.neighbors._triple import IndexedTriple

Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class DependenceMeasure(ABC, Generic[Prepared]):
    """A number for the dependence of two random vectors, and how to compute it.

    A subclass is a frozen dataclass. Its fields are the parameters of the measure, with
    their defaults. `Prepared` is what it makes of a random vector once, to be used in
    all permutations and pairs.
    """

    symmetric: ClassVar[bool] = False
    """Whether the dependence of x with y is that of y with x."""

    @abstractmethod
    def check_options(self) -> None:
        """Raise where a parameter is wrong whatever the data."""

    @property
    @abstractmethod
    def minimum_samples(self) -> int:
        """The number of samples that the measure needs."""

    @property
    def advice(self) -> str:
        """What else than more samples could help, as the end of a sentence."""
        return ""

    def check_samples(self, n_samples: int) -> None:
        """Raise where there are too few samples."""
        if n_samples < self.minimum_samples:
            raise ValueError(
                f"n_samples={n_samples} must be at least {self.minimum_samples}. "
                "Pass more samples."
            )

    def is_nominal(self, column: Column) -> bool:
        """Return whether a column is nominal where the user does not say."""
        return nominal_by_kind(column)

    @abstractmethod
    def prepare(self, vector: RandomVector) -> Prepared:
        """Turn a vector without missing values into what `values` takes."""

    @abstractmethod
    def values(
        self, x: Prepared, y: Prepared, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        """Return the dependence of x with y in each order of the samples of y.

        None is the order that the samples have. The result for it may be an object that
        holds more than the value, which `float` returns.
        """

    @property
    def conditional(self) -> ConditionalMeasure | None:
        """The same measure given a third variable, None where there is none."""
        return None


class ConditionalMeasure(Protocol):
    """A number for the dependence of x and y given z, by nearest neighbours."""

    def triple(
        self, x: RandomVector, y: RandomVector, z: RandomVector | None = None
    ) -> IndexedTriple:
        """Prepare three vectors without missing values."""

    def value(self, triple: IndexedTriple, n_jobs: int | None = None) -> float:
        """Return the dependence of x and y given z."""
