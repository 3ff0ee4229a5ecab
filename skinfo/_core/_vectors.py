"""Random vectors: columns of any kind, with missing values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    def singles(self) -> list[RandomVector]:
        """Return each column as a vector of its own."""
        return [self.select([position]) for position in range(len(self.columns))]

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
    """Read an array or dataframe, decide what is nominal, and check missing values."""
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
    first, second = read_vectors(
        {"x": (x, x_discrete), "y": (y, y_discrete)},
        nan_policy=nan_policy,
        is_nominal=is_nominal,
    )
    return first, second


def read_vectors(
    variables: Mapping[str, tuple[Any, Any]],
    *,
    nan_policy: str,
    is_nominal: Callable[[Column], bool] = nominal_by_kind,
) -> list[RandomVector]:
    """Read variables with one row per sample each: names to (data, discrete)."""
    vectors = {
        name: read_vector(
            data,
            name=name,
            discrete=discrete,
            discrete_name=f"{name}_discrete",
            nan_policy=nan_policy,
            is_nominal=is_nominal,
        )
        for name, (data, discrete) in variables.items()
    }
    check_same_length({name: vector.n_samples for name, vector in vectors.items()})
    return list(vectors.values())


def complete_pair(
    x: RandomVector, y: RandomVector, *, minimum: int, advice: str = ""
) -> tuple[RandomVector, RandomVector, BoolArray | None]:
    """Drop the rows in which a value is missing; also return the mask of the others."""
    (x, y), rows = complete_vectors([x, y], minimum=minimum, advice=advice)
    return x, y, rows


def complete_vectors(
    vectors: Sequence[RandomVector], *, minimum: int, advice: str = ""
) -> tuple[list[RandomVector], BoolArray | None]:
    """Drop the rows in which a value is missing; also return the mask of the others."""
    columns = [column for vector in vectors for column in vector.columns]
    rows = complete_rows(columns, minimum=minimum, advice=advice)
    if rows is None:
        return list(vectors), None
    return [vector.take(rows) for vector in vectors], rows
