"""Columns of arrays and dataframes: their values, gaps and kind.

The kind of a column: strings, categories and booleans are nominal (they are
compared by equality alone); an object column is numeric if every present entry
is a real number, otherwise nominal; numbers and dates are coordinates.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skinfo._core._checks import check_option
from skinfo._core._dates import as_dates, as_integers, change_unit
from skinfo._core._frames import is_table, labels_of, series_of
from skinfo._core._typing import AnyArray, BoolArray

NAN_POLICIES = ("raise", "omit")  # treatment of missing values


@dataclass(frozen=True)
class Column:
    """One column of data, as it was passed in.

    `values` (n_samples,) keeps the dtype of the data, so that large integers stay
    exact; entries where `missing` (NaN, None, NA, NaT or infinite) have no meaning.
    `numeric`: the values can be coordinates. `nominal`: by default they are categories
    instead. Dates and durations are integers of `unit`, which is None for other values.
    """

    name: str
    values: AnyArray
    missing: BoolArray
    numeric: bool
    nominal: bool
    unit: str | None = None

    def like(self, fitted: Column) -> Column:
        """Return the column in the unit of the one that was fitted, or raise."""
        if (self.kind, fitted.kind) == ("dates", "dates"):
            values = change_unit(self.values, str(self.unit), str(fitted.unit))
            return replace(self, values=values, unit=fitted.unit)
        if not fitted.nominal and self.kind != fitted.kind:
            raise ValueError(
                f"Column {self.name!r} held {fitted.kind} in fit, but now holds "
                f"{self.kind}. Pass data of the same kind as in fit."
            )
        return self

    @property
    def kind(self) -> str:
        """The type of the values, for messages."""
        if self.unit is not None:
            return "dates"
        return "numbers" if self.numeric else "text or other objects"

    def take(self, rows: BoolArray) -> Column:
        """Return the column with only these rows."""
        return replace(self, values=self.values[rows], missing=self.missing[rows])

    def copy(self) -> Column:
        """Return a column that shares no memory with the data."""
        return replace(self, values=self.values.copy(), missing=self.missing.copy())


def read_columns(X: Any, *, name: str, ensure_2d: bool = False) -> list[Column]:
    """Split a vector, matrix, dataframe or table into columns, not copying numbers.

    Raises ValueError or TypeError, with the words of scikit-learn, for sparse,
    complex, empty or more than two-dimensional input.
    """
    if is_table(X):
        if 0 in X.shape:
            _check_array(np.zeros(X.shape), None, name=name, ensure_2d=True)
        return [
            _read_series(series, str(label))
            for label, series in zip(labels_of(X), series_of(X), strict=True)
        ]
    if hasattr(X, "iloc") or hasattr(X, "is_null"):
        if ensure_2d:
            is_series = hasattr(X, "to_frame")
            remedy = f"{name}.to_frame()" if is_series else "a table with it"
            raise ValueError(
                f"{name} cannot be used. Expected 2D array, got 1D array instead: "
                f"{name} is a {type(X).__name__}. Pass {remedy}."
            )
        _check_array(np.zeros(len(X)), None, name=name, ensure_2d=False)
        label = "" if getattr(X, "name", None) is None else str(X.name)
        return [_read_series(X, label or name)]
    category = hasattr(X, "categories")  # a Categorical of pandas
    array = _as_array(X, name=name, ensure_2d=ensure_2d)
    gaps = np.ma.getmaskarray(X) if np.ma.isMaskedArray(X) else None
    if array.ndim == 1:
        return [_read_array(array, gaps, name, category=category)]
    return [
        _read_array(
            array[:, j], None if gaps is None else gaps[:, j], f"{name}[:, {j}]"
        )
        for j in range(array.shape[1])
    ]


def _as_array(X: Any, *, name: str, ensure_2d: bool) -> AnyArray:
    array = _check_array(X, None, name=name, ensure_2d=ensure_2d)
    if not hasattr(X, "dtype") and array.dtype.kind in "US":
        # numpy turns the numbers of a mixed list into strings: keep them apart
        array = _check_array(X, object, name=name, ensure_2d=ensure_2d)
    return array


def _check_array(X: Any, dtype: Any, *, name: str, ensure_2d: bool) -> AnyArray:
    """Call check_array, with the name of the input in every message."""
    try:
        array = check_array(
            X,
            dtype=dtype,
            ensure_all_finite=False,
            ensure_2d=ensure_2d,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} cannot be used. {error}") from error
    return np.asarray(array)


def _read_series(series: Any, name: str) -> Column:
    """Read a column of pandas, polars or Arrow.

    Missing values are removed first, as they may turn the others into objects.
    """
    if hasattr(series, "iloc"):
        missing = np.asarray(series.isna(), dtype=bool)
        category = str(series.dtype) == "category"
        present = series[~missing] if missing.any() else series
        if getattr(series.dtype, "tz", None) is not None:
            present = present.dt.tz_convert(None)
        present = np.asarray(present)
    elif hasattr(series, "drop_nulls"):
        missing = series.is_null().to_numpy()
        category = False
        present = series.drop_nulls().to_numpy()
    else:
        missing = np.asarray(series.is_null(), dtype=bool)
        category = hasattr(series.type, "index_type")  # a dictionary of Arrow
        present = np.asarray(series.drop_null() if missing.any() else series)
    if missing.any():
        values = np.zeros(missing.shape, dtype=present.dtype)
        values[~missing] = present
    else:
        values = present
    return _read_array(values, missing, name, category=category)


def _read_array(
    values: AnyArray, gaps: BoolArray | None, name: str, *, category: bool = False
) -> Column:
    if values.ndim > 1:
        raise TypeError(
            f"{name} holds {values[0]!r} in one entry. Split it into several columns."
        )
    missing = np.zeros(values.shape, dtype=bool) if gaps is None else gaps.copy()
    unit = None
    if values.dtype.kind in "OUST":
        values = values.astype(object)
        missing |= np.fromiter(map(_is_missing, values), bool, len(values))
        values = as_dates(values, missing)
    kind = values.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported: {name} is complex.")
    if kind in "mM":
        missing |= np.isnat(values)
        values, unit = as_integers(values)
    elif kind == "f":
        missing |= ~np.isfinite(values)
    elif kind == "O":
        numbers_only = _as_numbers(values, missing)
        if numbers_only is None:
            return Column(name, values, missing, numeric=False, nominal=True)
        values = numbers_only
    elif kind not in "biu":
        raise TypeError(
            f"{name} has dtype {values.dtype}, which is neither numbers, strings, "
            "dates nor objects. Convert it to one of these."
        )
    nominal = category or kind == "b"
    return Column(name, values, missing, numeric=True, nominal=nominal, unit=unit)


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        return bool(value != value) or (
            isinstance(value, (float, np.floating, Decimal)) and math.isinf(value)
        )
    except (TypeError, ValueError):  # entries that cannot be compared, as arrays
        return False


def _as_numbers(values: AnyArray, missing: BoolArray) -> AnyArray | None:
    """Convert objects to float64 if all present ones are real numbers, else None.

    Numbers that float64 would round (large integers, fractions) stay objects.
    """
    present = values[~missing]
    if not all(map(_is_real_number, present)):
        return None
    try:
        floats = np.array([float(value) for value in present])
    except OverflowError:
        return values
    if not all(map(_equal, floats.tolist(), present)):
        return values
    result = np.zeros(values.shape)
    result[~missing] = floats
    return result


def _is_real_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, Decimal)) and not isinstance(
        value, (bool, np.bool_)
    )


def _equal(a: Any, b: Any) -> bool:
    return bool(a == b)


def nominal_by_kind(column: Column) -> bool:
    """Return whether a column is nominal by the kind of its values."""
    return column.nominal


def nominal_or_few_integers(column: Column) -> bool:
    """Return whether a column is nominal, or holds integers of few distinct values.

    Few: no more than the square root of the number of values.
    """
    if column.nominal or column.unit is not None or column.values.dtype.kind == "O":
        return column.nominal
    present = column.values[~column.missing]
    if present.dtype.kind == "f" and not np.array_equal(present, np.floor(present)):
        return False
    return len(np.unique(present)) ** 2 <= len(present)


def nominal_mask(
    columns: Sequence[Column],
    discrete: Any,
    *,
    name: str,
    is_nominal: Callable[[Column], bool] = nominal_by_kind,
) -> BoolArray:
    """Decide which columns are nominal, (n_columns,).

    `discrete`: "auto" (what `is_nominal` says), a bool for all columns, a mask over
    them, or a list of the indices or names of those that are nominal beside the ones
    that "auto" finds.
    """
    automatic = np.array([is_nominal(column) for column in columns], dtype=bool)
    if isinstance(discrete, str):
        if discrete != "auto":
            raise ValueError(
                f"{name}={discrete!r} is not a known option. Pass 'auto', a bool, a "
                f"mask over the columns, or a list of indices or names: [{discrete!r}]."
            )
        return automatic
    if isinstance(discrete, (bool, np.bool_)):
        mask = np.full(len(columns), bool(discrete))
    else:
        items = _listed(discrete, name=name)
        if not _is_mask(discrete, items):
            positions = [_position(columns, item, name=name) for item in items]
            automatic[positions] = True
            return automatic
        mask = np.array(items, dtype=bool)
    if len(mask) != len(columns):
        raise ValueError(
            f"{name} is a mask of length {len(mask)}, but there are {len(columns)} "
            "columns. Pass one entry for each column."
        )
    for column, as_nominal in zip(columns, mask, strict=True):
        if not (as_nominal or column.numeric):
            raise ValueError(
                f"{name} says that column {column.name!r} is not discrete, but its "
                "values are not numbers. Mark it as discrete or encode it as numbers."
            )
    return mask


def _listed(discrete: Any, *, name: str) -> list[Any]:
    if isinstance(discrete, list) and any(isinstance(item, tuple) for item in discrete):
        return discrete  # names of several levels
    listed = np.asarray(discrete, dtype=object)
    if listed.ndim != 1:
        raise ValueError(
            f"{name}={discrete!r} must be 'auto', a bool, or one-dimensional. "
            "Pass a mask over the columns, or a list of indices or names."
        )
    items: list[Any] = listed.tolist()
    return items


def _is_mask(discrete: Any, items: list[Any]) -> bool:
    if np.asarray(discrete).dtype == bool:
        return True
    return len(items) > 0 and all(isinstance(item, (bool, np.bool_)) for item in items)


def _position(columns: Sequence[Column], item: Any, *, name: str) -> int:
    """Return the position of the column with this index or name."""
    if isinstance(item, numbers.Integral):
        position = int(item)
        if not -len(columns) <= position < len(columns):
            raise ValueError(
                f"{name} holds the index {item}, but there are {len(columns)} "
                f"columns. Pass indices from 0 to {len(columns) - 1}."
            )
        return position % len(columns)
    names = [column.name for column in columns]
    if names.count(str(item)) > 1:
        raise ValueError(
            f"{name} holds {item!r}, which names several columns. "
            "Pass indices or a mask, or give the columns names of their own."
        )
    if str(item) not in names:
        raise ValueError(
            f"{name} holds {item!r}, which names no column. "
            f"Pass names among {names[:10]}, indices or a mask."
        )
    return names.index(str(item))


def check_missing(columns: Sequence[Column], *, nan_policy: str, name: str) -> None:
    """Raise if values are missing and `nan_policy` is "raise"."""
    check_option("nan_policy", nan_policy, NAN_POLICIES)
    for column in columns:
        if nan_policy == "raise" and column.missing.any():
            raise ValueError(
                f"Input {name} contains NaN or infinity (column {column.name!r}, "
                f"{column.missing.sum()} missing or infinite values). "
                "Impute them, drop the rows, or pass nan_policy='omit'."
            )


def complete_rows(
    columns: Sequence[Column], *, minimum: int, advice: str = ""
) -> BoolArray | None:
    """Return the mask of rows in which every column has a value; None when all have.

    Raises ValueError where fewer than `minimum` rows remain, with `advice` on how fewer
    rows could do.
    """
    missing = np.zeros(columns[0].missing.shape, dtype=bool)
    for column in columns:
        missing |= column.missing
    if not missing.any():
        return None
    n_complete = len(missing) - int(missing.sum())
    if n_complete < minimum:
        worst = max(columns, key=lambda column: int(column.missing.sum()))
        if worst.missing.all():
            raise ValueError(
                f"Column {worst.name!r} has no values. "
                "Leave it out, or pass one that has values."
            )
        if n_complete == 0:
            raise ValueError(
                "No rows remain after leaving out missing values (column "
                f"{worst.name!r} misses {worst.missing.sum()}). "
                "Impute the values, or drop the column."
            )
        raise ValueError(
            f"Only {n_complete} rows remain after leaving out missing values (column "
            f"{worst.name!r} misses {worst.missing.sum()}), fewer than {minimum}. "
            f"Impute the values, or drop the column{advice}."
        )
    return ~missing
