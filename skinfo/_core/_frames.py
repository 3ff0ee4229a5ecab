"""Dataframes of pandas and polars and tables of Arrow, without an import of any."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from skinfo._core._typing import AnyArray, IntArray


def is_dataframe(X: Any) -> bool:
    """Return whether `X` is a dataframe of pandas or polars."""
    return (hasattr(X, "iloc") and X.ndim == 2) or hasattr(X, "get_columns")


def is_table(X: Any) -> bool:
    """Return whether `X` is a dataframe of pandas or polars, or a table of Arrow."""
    return is_dataframe(X) or (hasattr(X, "column_names") and hasattr(X, "itercolumns"))


def labels_of(table: Any) -> list[Any]:
    """Return the names of the columns of a dataframe or a table."""
    return list(table.columns if is_dataframe(table) else table.column_names)


def series_of(table: Any) -> list[Any]:
    """Return the columns of a dataframe or a table as series of its library."""
    if hasattr(table, "iloc"):
        return [table.iloc[:, j] for j in range(table.shape[1])]
    return list(table.get_columns() if is_dataframe(table) else table.itercolumns())


def select_columns(frame: Any, positions: IntArray) -> Any:
    """Return these columns of a dataframe, as a dataframe of the same library."""
    if hasattr(frame, "iloc"):
        return frame.iloc[:, positions]
    return frame[:, positions.tolist()]


def frame_to_array(frame: Any, *, allow_nan: bool) -> AnyArray:
    """Return a dataframe as an array, of objects where no dtype holds all columns."""
    options = {"dtype": None, "ensure_min_features": 0}
    try:
        array = check_array(frame, ensure_all_finite=False, **options)
    except (TypeError, ValueError):
        array = np.empty(frame.shape, dtype=object)
        for j, series in enumerate(series_of(frame)):
            array[:, j] = np.fromiter(series.to_list(), dtype=object, count=len(series))
    return np.asarray(check_array(array, ensure_all_finite=not allow_nan, **options))
