"""Measures of dependence by their names, for functions that let the user choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, SupportsFloat

import numpy as np

from skinfo._core._typing import AnyArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity
from skinfo.dependence.measures._maximal_correlation import MaximalCorrelation
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.measures._mutual_information import MutualInformation

# What users can ask for by name. The fields of the class are its parameters.
MEASURES: Mapping[str, type[DependenceMeasure[Any]]] = {
    "mutual_information": MutualInformation,
    "hypercontractivity": Hypercontractivity,
    "maximal_correlation": MaximalCorrelation,
}


@dataclass(frozen=True)
class FunctionOfSamples(DependenceMeasure[AnyArray]):
    """A function of two arrays as a measure of dependence.

    It sees a single column as (n_samples,), several as (n_samples, n_columns).
    """

    function: Callable[[AnyArray, AnyArray], SupportsFloat]

    symmetric: ClassVar[bool] = False

    def check_options(self) -> None:
        pass

    @property
    def minimum_samples(self) -> int:
        return 2  # a single one depends on nothing

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

    `name`: its name, or that of the function. `reading`: the parameters that say how
    the data are read.
    """

    name: str
    measure: DependenceMeasure[Any]
    reading: Mapping[str, Any]


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
        return ChosenMeasure(name, FunctionOfSamples(measure), {})
    if not isinstance(measure, str) or measure not in MEASURES:
        known = ", ".join(map(repr, MEASURES))
        raise ValueError(
            f"measure={measure!r} is not a known measure. "
            f"Pass one of {known}, or a callable."
        )
    own_names = [field.name for field in fields(MEASURES[measure])]
    known_names = [*own_names, *extra]
    unknown = [name for name in params if name not in known_names]
    if unknown:
        raise ValueError(
            f"measure_params holds {unknown[0]!r}, which is no parameter of "
            f"measure={measure!r}. Pass some of: {', '.join(known_names)}."
        )
    made = MEASURES[measure](**{k: v for k, v in params.items() if k in own_names})
    made.check_options()
    reading = {name: params[name] for name in extra if name in params}
    return ChosenMeasure(measure, made, reading)


def _read_params(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise TypeError(
            f"measure_params={params!r} must be a dict or None, not "
            f"{type(params).__name__}. Pass, for example, {{'n_neighbors': 10}}."
        )
    return dict(params)
