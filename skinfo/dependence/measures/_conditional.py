"""Conditional mutual information of random vectors."""

from __future__ import annotations

from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._conditional import (
    IndexedTriple,
    conditional_terms,
    index_triple,
)
from skinfo.dependence.neighbors._pointwise import mean_term
from skinfo.dependence.variables._encoding import EncodedColumn, encode_columns
from skinfo.dependence.variables._residuals import residuals
from skinfo.dependence.variables._variable import Variable, make_variable

_ROUNDING = 1e-12  # in nats: what is no larger is 0


def prepare_triple(
    measure: MutualInformation, x: RandomVector, y: RandomVector, z: RandomVector
) -> IndexedTriple | None:
    """Return the indexed triple, or None where z is constant.

    With ranks, what is linear in z is taken from the normal scores of x and y.
    """
    given = _varying_columns(z, measure.scale)
    if not given:
        return None
    both = [encode_columns(vector, measure.scale) for vector in (x, y)]
    if measure.scale == "rank":
        left = residuals([*both[0], *both[1]], given, measure.n_neighbors)
        both = [left[: len(both[0])], left[len(both[0]) :]]
    of_x, of_y = map(make_variable, both)
    return index_triple(of_x, of_y, make_variable(given))


def prepare_condition(vector: RandomVector, scale: str | None) -> Variable | None:
    """Return what is conditioned on, without constant columns; None without others."""
    columns = _varying_columns(vector, scale)
    return make_variable(columns) if columns else None


def _varying_columns(vector: RandomVector, scale: str | None) -> list[EncodedColumn]:
    return [c for c in encode_columns(vector, scale) if len(c.levels) > 1]


def conditional_value(
    triple: IndexedTriple, measure: MutualInformation, n_jobs: int | None = None
) -> float:
    """Return the mean of the terms over the samples, 0 if it is so up to rounding."""
    terms = conditional_terms(
        triple, n_neighbors=measure.n_neighbors, ties=measure.ties, n_jobs=n_jobs
    )
    value = mean_term(triple.joint.variable, terms)
    return 0.0 if abs(value) <= _ROUNDING else value
