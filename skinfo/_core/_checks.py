"""Checks of parameters, with messages that give name, value, bound and remedy."""

from __future__ import annotations

import numbers
from collections.abc import Collection
from typing import Any

import numpy as np


def check_integer(name: str, value: Any, *, minimum: int) -> int:
    """Return `value` as an int, or raise if it is no integer >= `minimum`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(
            f"{name}={value!r} must be an integer, not {type(value).__name__}. "
            f"Pass an integer of at least {minimum}."
        )
    if value < minimum:
        raise ValueError(
            f"{name}={value!r} must be at least {minimum}. Pass a larger {name}."
        )
    return int(value)


def check_option(name: str, value: Any, options: Collection[Any]) -> None:
    """Raise unless `value` is one of `options`."""
    scalar = value is None or isinstance(value, (str, bool, int, np.generic))
    if not (scalar and value in options):
        known = ", ".join(repr(option) for option in options)
        raise ValueError(
            f"{name}={value!r} is not a known option. Pass one of: {known}."
        )


def check_real(name: str, value: Any, remedy: str) -> float:
    """Return `value` as a float, or raise unless it is a real number."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"{name}={value!r} must be a number, not {type(value).__name__}. {remedy}"
        )
    return float(value)


def check_bool(name: str, value: Any) -> bool:
    """Return `value` as a bool, or raise unless it is one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name}={value!r} must be a bool, not {type(value).__name__}. "
            "Pass True or False."
        )
    return bool(value)


def check_probability(name: str, value: Any, example: float = 0.1) -> float:
    """Return `value` as a float, or raise unless it lies strictly in (0, 1)."""
    remedy = f"Pass, for example, {name}={example:g}."
    probability = check_real(name, value, remedy)
    if not 0 < probability < 1:
        raise ValueError(
            f"{name}={value!r} must lie strictly between 0 and 1. {remedy}"
        )
    return probability


def check_positive(name: str, value: Any) -> float:
    """Return `value` as a float, or raise unless it is positive and finite."""
    remedy = "Pass a positive number."
    positive = check_real(name, value, remedy)
    if not 0 < positive < np.inf:
        raise ValueError(f"{name}={value!r} must be positive and finite. {remedy}")
    return positive


def check_nonnegative(name: str, value: Any, example: float) -> float:
    """Return `value` as a float, or raise unless it is finite and not negative."""
    remedy = f"Pass, for example, {name}={example:g}."
    number = check_real(name, value, remedy)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name}={value!r} must be at least 0 and finite. {remedy}")
    return number


def check_n_neighbors(n_neighbors: Any, n_samples: int) -> int:
    """Return `n_neighbors` as an int, or raise unless it is in [1, n_samples - 1]."""
    n_neighbors = check_integer("n_neighbors", n_neighbors, minimum=1)
    if n_neighbors >= n_samples:
        raise ValueError(
            f"n_neighbors={n_neighbors} must be smaller than the number of samples "
            f"(n_samples={n_samples}). Pass a smaller n_neighbors or more samples."
        )
    return n_neighbors


def check_same_length(lengths: dict[str, int]) -> None:
    """Raise unless all named inputs have the same number of samples."""
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(
            f"Inputs with inconsistent numbers of samples: {found}. "
            "Pass inputs with one row per sample, in the same order."
        )
