"""Dates and durations as integers of a unit of time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from skinfo._core._typing import AnyArray, BoolArray, IntArray

_COARSE_UNITS = ("Y", "M", "W", "D", "h", "m")  # of numpy, stored as seconds here
# Negative decimal exponents of numpy's units of time, in seconds.
_EXPONENTS = {"s": 0, "ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15, "as": 18}


def as_dates(values: AnyArray, missing: BoolArray) -> AnyArray:
    """Convert objects if all present ones are dates, or all are durations."""
    present = values[~missing]
    for types, dtype in (
        ((dt.date, np.datetime64), "M8[us]"),
        ((dt.timedelta, np.timedelta64), "m8[us]"),
    ):
        if len(present) > 0 and all(isinstance(value, types) for value in present):
            dates: AnyArray = np.full(values.shape, "NaT", dtype=dtype)
            dates[~missing] = [_without_zone(value) for value in present]
            return dates
    return values


def _without_zone(value: Any) -> Any:
    if getattr(value, "tzinfo", None) is None:
        return value
    return value.astimezone(dt.UTC).replace(tzinfo=None)


def as_integers(dates: AnyArray) -> tuple[IntArray, str]:
    """Return dates or durations as integers, and their unit: seconds or finer."""
    unit = np.datetime_data(dates.dtype)[0]
    if unit in _COARSE_UNITS:
        unit = "s"
    return dates.astype(f"{dates.dtype.kind}8[{unit}]").astype(np.int64), unit


def change_unit(integers: IntArray, unit: str, new_unit: str) -> IntArray:
    """Convert integers of one unit to another; values out of range are clipped."""
    exponent = _EXPONENTS[new_unit] - _EXPONENTS[unit]
    factor = 10 ** abs(exponent)
    if exponent <= 0:
        coarser: IntArray = integers // factor
        return coarser
    limit = np.iinfo(np.int64).max // factor
    finer: IntArray = np.clip(integers, -limit, limit) * factor
    return finer
