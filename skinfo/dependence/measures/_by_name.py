"""Measures of dependence by their names, for functions that let the user choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np

from skinfo._core._columns import Column, nominal_by_kind
from skinfo._core._typing import AnyArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity
from skinfo.dependence.measures._maximal_correlation import MaximalCorrelation
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.measures._mutual_information import MutualInformation

_MINIMUM_SAMPLES_OF_FUNCTIONS = 2

_MUTUAL_INFORMATION_DEFAULTS = {"n_neighbors": 5, "scale": "rank", "ties": "adaptive"}
_HYPERCONTRACTIVITY_DEFAULTS = {
    "bandwidth_factor": 1.06,
    "min_fraction": 0.05,
    "method": "kde",
}
_MAXIMAL_CORRELATION_DEFAULTS = {"bandwidth_factor": 1.06}


@dataclass(frozen=True)
class FunctionOfSamples:
    """A function of two arrays as a measure of dependence (`DependenceMeasure`).

    It sees a single column as (n_samples,), several as (n_samples, n_columns).
    """

    function: Callable[[AnyArray, AnyArray], SupportsFloat]

    @property
    def minimum_samples(self) -> int:
        return _MINIMUM_SAMPLES_OF_FUNCTIONS

    @property
    def advice(self) -> str:
        return ""

    def check_samples(self, n_samples: int) -> None:
        """Raise where there are too few samples."""
        if n_samples < self.minimum_samples:
            raise ValueError(
                f"n_samples={n_samples} must be at least {self.minimum_samples}. "
                "Pass more samples."
            )

    def is_nominal(self, column: Column) -> bool:
        return nominal_by_kind(column)

    def prepare(self, vector: RandomVector) -> AnyArray:
        if len(vector.columns) == 1:
            values = vector.columns[0].values.view()
        else:
            values = np.column_stack([column.values for column in vector.columns])
        values.flags.writeable = False  # it is the user's, or serves other calls too
        return values

    def values(
        self, x: AnyArray, y: AnyArray, orders: Sequence[IntArray | None]
    ) -> list[float]:
        return [self._value(x, y if order is None else y[order]) for order in orders]

    def _value(self, x: AnyArray, y: AnyArray) -> float:
        value = self.function(x, y)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"measure returned {value!r}, which is not a number. "
                "Pass a function of two arrays that returns a float."
            ) from None


@dataclass(frozen=True)
class ChosenMeasure:
    """A measure that was chosen, and what functions that take it need to know.

    `name`: its name, or that of the function. `symmetric`: x and y can be swapped.
    `reading`: the parameters that say how the data are read.
    """

    name: str
    measure: DependenceMeasure
    symmetric: bool
    reading: Mapping[str, Any]


@dataclass(frozen=True)
class _Kind:
    """How to make a measure: its class, its parameters, and whether it is symmetric."""

    make: Callable[..., Any]
    defaults: Mapping[str, Any]
    symmetric: bool


_KINDS = {
    "mutual_information": _Kind(MutualInformation, _MUTUAL_INFORMATION_DEFAULTS, True),
    "hypercontractivity": _Kind(
        Hypercontractivity, _HYPERCONTRACTIVITY_DEFAULTS, False
    ),
    "maximal_correlation": _Kind(
        MaximalCorrelation, _MAXIMAL_CORRELATION_DEFAULTS, True
    ),
}
MEASURES = tuple(_KINDS)


def make_measure(
    measure: Any, params: Mapping[str, Any] | None, *, extra: Sequence[str] = ()
) -> ChosenMeasure:
    """Return the measure of this name with these parameters, or raise.

    `extra` names the parameters that are not of the measure, but say how the data are
    read; those that were passed are in `reading`. A function takes no parameters.
    """
    params = _read_params(params)
    if callable(measure):
        if params:
            raise ValueError(
                f"measure_params={params!r} cannot be used with a callable. Bind its "
                "parameters with functools.partial, and pass measure_params=None."
            )
        name = str(getattr(measure, "__name__", type(measure).__name__))
        return ChosenMeasure(name, FunctionOfSamples(measure), False, {})
    if not isinstance(measure, str) or measure not in _KINDS:
        known = ", ".join(map(repr, _KINDS))
        raise ValueError(
            f"measure={measure!r} is not a known measure. "
            f"Pass one of {known}, or a callable."
        )
    kind = _KINDS[measure]
    known_names = [*kind.defaults, *extra]
    unknown = [name for name in params if name not in known_names]
    if unknown:
        raise ValueError(
            f"measure_params holds {unknown[0]!r}, which is no parameter of "
            f"measure={measure!r}. Pass some of: {', '.join(known_names)}."
        )
    own = {name: params.get(name, value) for name, value in kind.defaults.items()}
    made = kind.make(**own)
    made.check_options()
    reading = {name: params[name] for name in extra if name in params}
    return ChosenMeasure(measure, made, kind.symmetric, reading)


def _read_params(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise TypeError(
            f"measure_params={params!r} must be a dict or None, not "
            f"{type(params).__name__}. Pass, for example, {{'n_neighbors': 10}}."
        )
    return dict(params)
