"""Mutual information as a measure of dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._checks import check_integer, check_n_neighbors, check_option
from skinfo._core._columns import Column, nominal_by_kind
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.neighbors._pointwise import (
    TIES,
    IndexedPair,
    index_pair,
    mean_term,
    pointwise_terms,
    side_by_side,
)
from skinfo.dependence.variables._encoding import SCALES, encode_columns
from skinfo.dependence.variables._variable import Variable, make_variable

_SAMPLES_TOGETHER = 10_000  # of several permutations, to save calls


@dataclass(frozen=True)
class MutualInformation:
    """Mutual information as a measure of dependence (`DependenceMeasure`)."""

    n_neighbors: int
    scale: str | None
    ties: str

    def __post_init__(self) -> None:
        # integers of numpy would wrap round in n_neighbors + 1
        n_neighbors = check_integer("n_neighbors", self.n_neighbors, minimum=1)
        object.__setattr__(self, "n_neighbors", n_neighbors)

    def check_options(self) -> None:
        """Raise where a parameter is wrong whatever the data."""
        check_option("scale", self.scale, SCALES)
        check_option("ties", self.ties, TIES)

    def check_samples(self, n_samples: int) -> None:
        """Raise where there are too few samples."""
        check_n_neighbors(self.n_neighbors, n_samples)

    @property
    def minimum_samples(self) -> int:
        return self.n_neighbors + 2

    @property
    def advice(self) -> str:
        return ", or pass a smaller n_neighbors"

    def is_nominal(self, column: Column) -> bool:
        return nominal_by_kind(column)

    def prepare(self, vector: RandomVector) -> Variable:
        return make_variable(encode_columns(vector, self.scale))

    def values(
        self, x: Variable, y: Variable, orders: Sequence[IntArray | None]
    ) -> list[float]:
        pair = index_pair(x, y)
        results: list[float] = []
        for batch in gen_batches(len(orders), max(1, _SAMPLES_TOGETHER // x.n_samples)):
            pairs = [
                pair if order is None else pair.permuted(order)
                for order in orders[batch]
            ]
            # one job, as this runs in the tasks of others
            terms = self.terms(side_by_side(pairs), n_jobs=1)
            ends = np.cumsum([pair.joint.n_rows for pair in pairs[:-1]])
            parts = np.split(terms, ends)
            results += [
                mean_term(pair.joint, terms)
                for pair, terms in zip(pairs, parts, strict=True)
            ]
        return results

    def terms(self, pair: IndexedPair, n_jobs: int | None = None) -> FloatArray:
        """Return the terms of the joint rows, in nats."""
        return pointwise_terms(
            pair, n_neighbors=self.n_neighbors, ties=self.ties, n_jobs=n_jobs
        )
