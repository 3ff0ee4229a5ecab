"""What a measure of dependence is, and its values for many features at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, SupportsFloat

from skinfo._core._columns import Column
from skinfo._core._typing import IntArray
from skinfo._core._vectors import RandomVector


class DependenceMeasure(Protocol):
    """A number for the dependence of two random vectors, and how to compute it."""

    @property
    def minimum_samples(self) -> int:
        """The number of samples that the measure needs."""

    @property
    def advice(self) -> str:
        """How fewer samples could do, as the end of a sentence."""

    def check_samples(self, n_samples: int) -> None:
        """Raise where there are too few samples."""

    def is_nominal(self, column: Column) -> bool:
        """Return whether a column is nominal where the user does not say."""

    def prepare(self, vector: RandomVector) -> Any:
        """Turn a vector without missing values into what `values` takes."""

    def values(
        self, x: Any, y: Any, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        """Return the dependence of x with y in each order of its samples.

        None is the order that the samples have. What it gives there can hold more
        than the value, which float() then takes out of it.
        """
