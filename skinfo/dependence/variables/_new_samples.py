"""New samples of a random vector, placed among those it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.variables._codes import factorize
from skinfo.dependence.variables._encoding import (
    EncodedColumn,
    NumericLevels,
    encode_columns,
)
from skinfo.dependence.variables._variable import Variable, make_variable


@dataclass(frozen=True)
class NewSamples:
    """New samples among the training samples of a variable.

    `points` (n, n_coordinates), `groups` (n,): -1 for nominal values never seen.
    """

    points: FloatArray
    groups: IntArray

    def take(self, rows: IntArray) -> NewSamples:
        """Return these samples."""
        return NewSamples(self.points[rows], self.groups[rows])


@dataclass(frozen=True)
class TrainingVector:
    """A random vector as the training samples show it."""

    columns: Sequence[EncodedColumn]
    variable: Variable

    def place(self, vector: RandomVector) -> NewSamples:
        """Place new samples of the same columns."""
        n_new = vector.n_samples
        coordinates = []
        keys = np.zeros(self.variable.n_samples + n_new, dtype=np.int64)
        unseen = np.zeros(n_new, dtype=bool)
        n_keys = 1
        for encoded, column in zip(self.columns, vector.columns, strict=True):
            levels = encoded.levels
            if isinstance(levels, NumericLevels):
                coordinates.append(levels.coordinates_of(column.values))
                continue
            codes = levels.codes_of(column.values)
            unseen |= codes < 0
            both = np.concatenate([encoded.codes, np.maximum(codes, 0)])
            keys, _, n_keys = factorize(keys * len(levels) + both, n_keys * len(levels))
        group_of_key = np.full(n_keys, -1)
        groups = self.variable.groups[self.variable.codes]
        group_of_key[keys[: len(groups)]] = groups
        new_groups = np.where(unseen, -1, group_of_key[keys[len(groups) :]])
        points = np.column_stack(coordinates) if coordinates else np.empty((n_new, 0))
        return NewSamples(points, new_groups)


def training_vector(vector: RandomVector, scale: str | None) -> TrainingVector:
    """Encode the columns of the training samples and join them."""
    columns = encode_columns(vector, scale)
    return TrainingVector(columns, make_variable(columns))
