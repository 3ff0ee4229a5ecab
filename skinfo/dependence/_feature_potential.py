"""The potential correlation of single features, with what carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np

from skinfo._core._typing import IntArray
from skinfo.dependence._potential import KernelVector, PotentialCorrelation
from skinfo.dependence._tilt import ColumnTilt, column_tilt


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

    def values(
        self, x: KernelVector, y: KernelVector, orders: Sequence[IntArray | None]
    ) -> Sequence[SupportsFloat]:
        permuted = [order for order in orders if order is not None]
        values = iter(super().values(x, y, permuted))
        return [
            self.potential(x, y) if order is None else next(values) for order in orders
        ]

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
