"""Samples of one variable as they go on an axis: numbers, dates or categories."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from skinfo._core._columns import Column, read_columns
from skinfo._core._frames import is_table, series_of
from skinfo._core._typing import AnyArray, BoolArray, FloatArray, IntArray
from skinfo.inspection._dependence import shortened

if TYPE_CHECKING:
    from matplotlib.axis import Axis

LONGEST_LABEL = 24  # characters of a label, so that the data keep their room
# Labels along an axis, and characters of all labels that fit beside each other.
_MOST_LABELS, _LONGEST_ROW = 20, 45
_SPREAD = 0.6  # width of a category, in distances between two categories


@dataclass(frozen=True)
class Samples:
    """Samples of one variable, as matplotlib draws them.

    `values`, `missing` (n,): numbers or dates. `categories`: their names,
    at the positions 0, 1, 2, ... `unit`: of durations.
    """

    values: AnyArray
    missing: BoolArray
    categories: tuple[str, ...] = ()
    unit: str = ""

    def label(self, axis: Axis, name: str) -> None:
        """Write the name of the variable and its values along an axis."""
        axis.set_label_text(name + self.unit, parse_math=False)
        if self.values.dtype.kind == "M":
            from matplotlib.dates import ConciseDateFormatter

            locator = axis.get_major_locator()
            axis.set_major_formatter(
                ConciseDateFormatter(locator)  # type: ignore[no-untyped-call] # no types
            )
        if self.categories:
            _label_categories(axis, self.categories)


def _label_categories(axis: Axis, names: tuple[str, ...]) -> None:
    """Write the names of categories, or every few of them if they are many."""
    some = range(0, len(names), -(-len(names) // _MOST_LABELS))
    labels = [shortened(names[position], LONGEST_LABEL) for position in some]
    crowded = any(
        (len(left) + len(right)) / 2 > _LONGEST_ROW / len(labels)
        for left, right in pairwise(labels)
    )
    rotation = 90 if crowded and axis is axis.axes.xaxis else 0
    axis.set_ticks(list(some), labels, rotation=rotation, parse_math=False)


def column_of(X: Any, j: int) -> Any:
    """Return one column of a matrix or dataframe, with its type."""
    if is_table(X):
        return series_of(X)[j]
    return X[:, j] if hasattr(X, "shape") else [row[j] for row in X]


def _read_column(data: Any, name: str) -> tuple[Any, Column]:
    """Return the only column of `data`, as it was passed in and as it was read."""
    columns = read_columns(data, name=name)
    if len(columns) > 1:
        raise ValueError(
            f"{name} has {len(columns)} columns, but only one can be shown. "
            "Pass one of them."
        )
    two_dimensional = is_table(data) or np.ndim(data) == 2
    return column_of(data, 0) if two_dimensional else data, columns[0]


def read_tilt(data: Any) -> tuple[FloatArray, BoolArray]:
    """Return the tilt, and where it is missing."""
    _, column = _read_column(data, "tilt")
    if not column.numeric:
        raise TypeError("tilt must consist of numbers. Pass what estimator.tilt gives.")
    return column.values.astype(float), column.missing


def read_samples(data: Any, name: str, step: float) -> Samples:
    """Read numbers, dates or categories; `step` says how categories are spread."""
    data, column = _read_column(data, name)
    missing = column.missing
    if column.unit is not None:
        present = np.asarray(data)[~missing]
        if len(present) > 0 and isinstance(present[0], (dt.timedelta, np.timedelta64)):
            durations = column.values.astype(f"m8[{column.unit}]")
            return Samples(durations / np.timedelta64(1, "D"), missing, unit=" (days)")
        return Samples(column.values.astype(f"M8[{column.unit}]"), missing)
    if not column.nominal:
        values = np.where(missing, 0, column.values)
        return Samples(values.astype(float), missing)
    categories, positions = _categories(data, column)
    shift = step * np.arange(len(positions)) % 1 - 0.5
    return Samples(positions + _SPREAD * shift, missing, categories)


def _categories(data: Any, column: Column) -> tuple[tuple[str, ...], IntArray]:
    """Return the categories that occur, and the position of each sample, (n,)."""
    present = column.values[~column.missing]
    names = [str(value) for value in present]
    ordered = getattr(getattr(data, "cat", None), "categories", None)  # of pandas
    if ordered is None:
        ordered = np.unique(present) if column.numeric else sorted(set(names))
    occurring = set(names)
    categories = [str(value) for value in ordered if str(value) in occurring]
    position_of = {name: position for position, name in enumerate(categories)}
    positions = np.zeros(len(column.values), dtype=np.int64)
    positions[~column.missing] = [position_of[name] for name in names]
    return tuple(categories), positions
