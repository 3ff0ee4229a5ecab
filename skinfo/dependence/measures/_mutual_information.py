"""Mutual information, of two random vectors or given a third, as a measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skinfo._core._checks import check_integer, check_n_neighbors, check_option
from skinfo._core._parallel import batches
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.neighbors._terms import TIES, mean_term, pointwise_terms
from skinfo.dependence.neighbors._triple import (
    IndexedTriple,
    index_triple,
    side_by_side,
)
from skinfo.dependence.variables._encoding import (
    SCALES,
    EncodedColumn,
    encode_columns,
)
from skinfo.dependence.variables._residuals import residuals
from skinfo.dependence.variables._variable import Variable, make_variable

# Samples of several permutations that one call searches, a quarter of a task: a
# permutation of 1000 takes a fifth less time in tens than alone, and larger batches
# gain nothing.
_SAMPLES_TOGETHER = 1 << 13
_ROUNDING = 1e-12  # nats; smaller conditional estimates are set to 0, as rounding


@dataclass(frozen=True)
class MutualInformation(DependenceMeasure[Variable]):
    """Mutual information by nearest neighbours."""

    n_neighbors: int = 5
    scale: str | None = "rank"
    ties: str = "adaptive"

    symmetric: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # integers of numpy would wrap round in n_neighbors + 1
        n_neighbors = check_integer("n_neighbors", self.n_neighbors, minimum=1)
        object.__setattr__(self, "n_neighbors", n_neighbors)

    def check_options(self) -> None:
        check_option("scale", self.scale, SCALES)
        check_option("ties", self.ties, TIES)

    def check_samples(self, n_samples: int) -> None:
        check_n_neighbors(self.n_neighbors, n_samples)

    @property
    def minimum_samples(self) -> int:
        return self.n_neighbors + 2

    @property
    def advice(self) -> str:
        return ", or pass a smaller n_neighbors"

    def prepare(self, vector: RandomVector) -> Variable:
        return make_variable(encode_columns(vector, self.scale))

    def values(
        self, x: Variable, y: Variable, orders: Sequence[IntArray | None]
    ) -> list[float]:
        triple = index_triple(x, y)
        results: list[float] = []
        for batch in batches(len(orders), max(1, _SAMPLES_TOGETHER // x.n_samples)):
            triples = [
                triple if order is None else triple.reordered(order)
                for order in orders[batch]
            ]
            # one job, as this runs in the tasks of others
            terms = self.terms(side_by_side(triples), n_jobs=1)
            joints = [each.joint.variable for each in triples]
            parts = np.split(terms, np.cumsum([joint.n_rows for joint in joints[:-1]]))
            results += map(mean_term, joints, parts)
        return results

    @property
    def conditional(self) -> MutualInformation:
        return self

    def triple(
        self, x: RandomVector, y: RandomVector, z: RandomVector | None = None
    ) -> IndexedTriple:
        """Prepare vectors without missing values; constant columns of z do not count.

        With ranks, what is linear in z is taken from the normal scores of x and y.
        """
        given = [] if z is None else varying_columns(z, self.scale)
        if not given:
            return index_triple(self.prepare(x), self.prepare(y))
        of_x, of_y = (encode_columns(vector, self.scale) for vector in (x, y))
        if self.scale == "rank":
            left = residuals([*of_x, *of_y], given, self.n_neighbors)
            of_x, of_y = left[: len(of_x)], left[len(of_x) :]
        return index_triple(*map(make_variable, (of_x, of_y, given)))

    def terms(self, triple: IndexedTriple, n_jobs: int | None = None) -> FloatArray:
        """Return the terms of the joint rows, in nats."""
        return pointwise_terms(
            triple, n_neighbors=self.n_neighbors, ties=self.ties, n_jobs=n_jobs
        )

    def value(self, triple: IndexedTriple, n_jobs: int | None = None) -> float:
        """Return the mean of the terms over the samples, in nats.

        Given z, what is 0 but for rounding is 0.
        """
        value = mean_term(triple.joint.variable, self.terms(triple, n_jobs))
        given = not triple.z_is_constant
        return 0.0 if given and abs(value) <= _ROUNDING else value


def varying_columns(vector: RandomVector, scale: str | None) -> list[EncodedColumn]:
    """Encode the columns that are not constant."""
    return [c for c in encode_columns(vector, scale) if len(c.levels) > 1]
