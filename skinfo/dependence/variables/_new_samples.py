"""New samples of a random vector in the coordinates and groups of the training ones."""

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
    """New samples, in the coordinates and groups of a training vector.

    `points` (n, n_coordinates), `groups` (n,): -1 for unseen nominal values.
    """

    points: FloatArray
    groups: IntArray

    def take(self, rows: IntArray) -> NewSamples:
        """Return the selected samples."""
        return NewSamples(self.points[rows], self.groups[rows])


@dataclass(frozen=True)
class TrainingVector:
    """The training samples of a random vector, as columns and joined."""

    columns: Sequence[EncodedColumn]
    variable: Variable

    def place(self, vector: RandomVector) -> NewSamples:
        """Return new samples of the same columns as `NewSamples`."""
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
    """Encode and join the columns of the training samples."""
    columns = encode_columns(vector, scale)
    return TrainingVector(columns, make_variable(columns))
