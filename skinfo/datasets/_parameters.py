"""Checks of the parameters that only generators have."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any


def check_fraction(name: str, value: Any) -> float:
    """Return `value` as a float, or raise unless it lies in [0, 1]."""
    fraction = _check_number(name, value, "a number between 0 and 1")
    if not 0 <= fraction <= 1:
        raise ValueError(
            f"{name}={value!r} must lie between 0 and 1, both included. "
            f"Pass, for example, {name}=0.5."
        )
    return fraction


def check_noise(value: Any) -> float:
    """Return `value` as a float, or raise unless it is finite and at least 0."""
    noise = _check_number("noise", value, "a number of at least 0")
    if not (noise >= 0 and math.isfinite(noise)):
        raise ValueError(
            f"noise={value!r} must be finite and at least 0. "
            "Pass, for example, noise=0.1."
        )
    return noise


def check_correlation(value: Any) -> float:
    """Return `value` as a float, or raise unless it lies strictly in (-1, 1)."""
    correlation = _check_number(
        "correlation", value, "a number strictly between -1 and 1"
    )
    if not -1 < correlation < 1:
        raise ValueError(
            f"correlation={value!r} must lie strictly between -1 and 1: at the ends "
            "mutual information is infinite. Pass, for example, correlation=0.9."
        )
    return correlation


def check_dropout(value: Any, *, shared_mask: bool) -> tuple[float, float]:
    """Return the dropout of x and of y, or raise unless both lie in [0, 1]."""
    if not isinstance(value, Iterable):
        dropout = check_fraction("dropout", value)
        return dropout, dropout
    if shared_mask:
        raise ValueError(
            f"dropout={value!r} must be one number if shared_mask=True. "
            "Pass one number, or shared_mask=False."
        )
    values = tuple(value)
    if len(values) != 2:
        raise ValueError(
            f"dropout={value!r} must be one number or a pair of numbers, not "
            f"{len(values)} of them. Pass, for example, dropout=(0.3, 0.1)."
        )
    return check_fraction("dropout", values[0]), check_fraction("dropout", values[1])


def _check_number(name: str, value: Any, expected: str) -> float:
    """Return `value` as a float, or raise unless it is a real number."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"{name}={value!r} must be a number, not {type(value).__name__}. "
            f"Pass {expected}."
        )
    return float(value)
