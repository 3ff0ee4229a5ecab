"""Columns as integer codes of their levels, and levels as coordinates.

The levels are the distinct values of a column, found once; ranks, distances and counts
are computed from them. `scale` maps numeric levels to coordinates. The map is
increasing, so mutual information stays the same, while its estimate can improve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from skinfo._core._columns import Column
from skinfo._core._typing import AnyArray, FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.variables._codes import distinct_values


@dataclass(frozen=True)
class NumericLevels:
    """The distinct values of a numeric column, ascending, and their coordinates."""

    values: AnyArray
    coordinates: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def coordinates_of(self, values: AnyArray) -> FloatArray:
        """Return coordinates of new values, interpolated between levels and clamped."""
        upper = np.clip(np.searchsorted(self.values, values), 0, len(self) - 1)
        lower = np.maximum(upper - 1, 0)
        low, high = self.values[lower], self.values[upper]
        with np.errstate(divide="ignore", invalid="ignore"):
            fraction = _half_difference(values, low) / _half_difference(high, low)
        between = (low < values) & (values < high)
        fraction = np.where(between, fraction, 1.0 * (values >= high))
        start, stop = self.coordinates[lower], self.coordinates[upper]
        coordinates: FloatArray = np.where(
            fraction < 1, start + fraction * (stop - start), stop
        )
        return coordinates


def _half_difference(larger: AnyArray, smaller: AnyArray) -> FloatArray:
    """Return half the difference, which never overflows and is exact for integers."""
    if larger.dtype.kind in "iu" and smaller.dtype.kind in "iu":
        # modulo 2^64 the differences are exact, also where int64 overflows
        return (larger.astype(np.uint64) - smaller.astype(np.uint64)) / 2
    difference: FloatArray = larger.astype(float) / 2 - smaller.astype(float) / 2
    return difference


@dataclass(frozen=True)
class NominalLevels:
    """The distinct values of a nominal column, which have no order."""

    codes: dict[Any, int]

    def __len__(self) -> int:
        return len(self.codes)

    def codes_of(self, values: AnyArray) -> IntArray:
        """Return the codes of new values; -1 for those that are not a level."""
        return np.fromiter(
            (self.codes.get(_key(value), -1) for value in values.tolist()),
            dtype=np.int64,
            count=len(values),
        )


@dataclass(frozen=True)
class EncodedColumn:
    """A column as the codes of its samples (n_samples,), which index its levels."""

    codes: IntArray
    levels: NumericLevels | NominalLevels


def encode(column: Column, *, nominal: bool, scale: str | None) -> EncodedColumn:
    """Encode a column without missing values."""
    if nominal and not column.numeric:
        return _encode_objects(column.values)
    values, codes, counts = distinct_values(column.values)
    if nominal:
        index = {value: code for code, value in enumerate(values.tolist())}
        return EncodedColumn(codes, NominalLevels(index))
    coordinates = scale_levels(values, counts, scale)
    return EncodedColumn(codes, NumericLevels(values, coordinates))


def encode_columns(vector: RandomVector, scale: str | None) -> list[EncodedColumn]:
    """Encode all columns of a vector without missing values."""
    return [
        encode(column, nominal=bool(nominal), scale=scale)
        for column, nominal in zip(vector.columns, vector.nominal, strict=True)
    ]


def _encode_objects(values: AnyArray) -> EncodedColumn:
    index: dict[Any, int] = {}
    codes = [index.setdefault(_key(value), len(index)) for value in values.tolist()]
    return EncodedColumn(np.array(codes, dtype=np.int64), NominalLevels(index))


def _key(value: Any) -> Any:
    """Return a key that represents a value in a dict, also if it is not hashable."""
    try:
        hash(value)
    except TypeError:
        if isinstance(value, np.ndarray):
            return (
                value.dtype.str,
                value.shape,
                tuple(map(_key, value.ravel().tolist())),
            )
        if isinstance(value, (list, tuple)):
            return type(value), tuple(map(_key, value))
        if isinstance(value, dict):
            return dict, frozenset((key, _key(entry)) for key, entry in value.items())
        if isinstance(value, set):
            return set, frozenset(value)
        return type(value), repr(value)
    return value


def scale_levels(values: AnyArray, counts: IntArray, scale: str | None) -> FloatArray:
    """Return the increasing coordinates of ascending distinct values with counts."""
    return SCALES[scale](values, counts)


def _ranked(_values: AnyArray, counts: IntArray) -> FloatArray:
    return normal_scores(counts)


def normal_scores(counts: IntArray) -> FloatArray:
    """Return the van der Waerden scores of levels, Phi^-1(average rank / (n + 1))."""
    last = np.cumsum(counts)
    doubled_rank, doubled_end = 2 * last - counts + 1, 2 * (last[-1] + 1)
    # the upper tail mirrors the lower one, so that -x has exactly the distances of x
    from_end = np.minimum(doubled_rank, doubled_end - doubled_rank)
    tail: FloatArray = ndtri(from_end / doubled_end)
    return np.where(2 * doubled_rank <= doubled_end, tail, -tail)


def _standardized(values: AnyArray, counts: IntArray) -> FloatArray:
    """Return the offsets from the smallest value in standard deviations."""
    if values.dtype.kind == "f":
        values = values.astype(float)
        # a power of two scales values near 1 without rounding
        _, exponent = np.frexp(np.abs(values).max())
        values = np.ldexp(values, -int(exponent) - 1)
    offsets = exact_offsets(values)
    mean = np.average(offsets, weights=counts)
    deviation = np.sqrt(np.average((offsets - mean) ** 2, weights=counts))
    return offsets / deviation if deviation > 0 else offsets


def _unscaled(values: AnyArray, _counts: IntArray) -> FloatArray:
    return values.astype(float) if values.dtype.kind == "f" else exact_offsets(values)


def exact_offsets(values: AnyArray) -> FloatArray:
    """Return ascending values minus the smallest, exact for integers of any size."""
    if values.dtype.kind in "iu":
        # modulo 2^64 the differences are exact, also where int64 overflows
        unsigned = values.astype(np.uint64)
        differences = unsigned - unsigned[0]
    elif values.dtype.kind == "b":
        differences = values
    else:
        differences = values - values[0]
    offsets: FloatArray = differences.astype(float)
    return offsets


# What the parameter `scale` can be: the function of the distinct values, ascending, and
# how often each occurs, to as many ascending coordinates.
SCALES: dict[str | None, Callable[[AnyArray, IntArray], FloatArray]] = {
    "rank": _ranked,
    "standard": _standardized,
    None: _unscaled,
}
