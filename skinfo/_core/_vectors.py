"""Random vectors: columns that belong together, of any kind, with their gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from skinfo._core._checks import check_same_length
from skinfo._core._columns import (
    Column,
    check_missing,
    complete_rows,
    nominal_by_kind,
    nominal_mask,
    read_columns,
)
from skinfo._core._typing import BoolArray, IntArray


@dataclass(frozen=True)
class RandomVector:
    """Columns that form one random vector, and which of them are nominal."""

    columns: Sequence[Column]
    nominal: BoolArray

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.columns[0].values)

    def take(self, rows: BoolArray) -> RandomVector:
        """Return the vector with only these rows."""
        columns = [column.take(rows) for column in self.columns]
        return RandomVector(columns, self.nominal)

    def select(self, positions: Sequence[int] | IntArray) -> RandomVector:
        """Return the vector with only these columns."""
        columns = [self.columns[position] for position in positions]
        return RandomVector(columns, self.nominal[list(positions)])

    def like(self, fitted: RandomVector) -> RandomVector:
        """Return new samples of a vector that was fitted, in its units, or raise."""
        pairs = zip(self.columns, fitted.columns, strict=True)
        return RandomVector([new.like(old) for new, old in pairs], fitted.nominal)

    def copy(self) -> RandomVector:
        """Return a vector that shares no memory with the data."""
        return RandomVector([column.copy() for column in self.columns], self.nominal)


def read_vector(
    data: Any,
    *,
    name: str,
    discrete: Any,
    discrete_name: str,
    nan_policy: str,
    ensure_2d: bool = False,
    is_nominal: Callable[[Column], bool] = nominal_by_kind,
) -> RandomVector:
    """Read an array or dataframe, decide what is nominal, and look for gaps."""
    columns = read_columns(data, name=name, ensure_2d=ensure_2d)
    nominal = nominal_mask(columns, discrete, name=discrete_name, is_nominal=is_nominal)
    check_missing(columns, nan_policy=nan_policy, name=name)
    return RandomVector(columns, nominal)


def read_pair(
    x: Any,
    y: Any,
    *,
    x_discrete: Any,
    y_discrete: Any,
    nan_policy: str,
    is_nominal: Callable[[Column], bool] = nominal_by_kind,
) -> tuple[RandomVector, RandomVector]:
    """Read two variables with one row per sample each."""
    vectors = [
        read_vector(
            data,
            name=name,
            discrete=discrete,
            discrete_name=f"{name}_discrete",
            nan_policy=nan_policy,
            is_nominal=is_nominal,
        )
        for name, data, discrete in (("x", x, x_discrete), ("y", y, y_discrete))
    ]
    check_same_length({"x": vectors[0].n_samples, "y": vectors[1].n_samples})
    return vectors[0], vectors[1]


def complete_pair(
    x: RandomVector, y: RandomVector, *, minimum: int, advice: str = ""
) -> tuple[RandomVector, RandomVector, BoolArray | None]:
    """Leave out the rows in which either has a gap; also return those that stay."""
    rows = complete_rows([*x.columns, *y.columns], minimum=minimum, advice=advice)
    if rows is None:
        return x, y, None
    return x.take(rows), y.take(rows), rows
