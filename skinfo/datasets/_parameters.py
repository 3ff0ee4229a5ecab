"""Checks of the parameters that only generators have."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from skinfo._core._checks import check_integer, check_real
from skinfo._core._typing import FloatArray


def check_fraction(name: str, value: Any) -> float:
    """Return `value` as a float, or raise unless it lies in [0, 1]."""
    fraction = check_real(name, value, "Pass a number between 0 and 1.")
    if not 0 <= fraction <= 1:
        raise ValueError(
            f"{name}={value!r} must lie between 0 and 1, both included. "
            f"Pass, for example, {name}=0.5."
        )
    return fraction


def check_scale(name: str, value: Any) -> float:
    """Return `value` as a float, or raise unless it is finite and at least 0."""
    scale = check_real(name, value, "Pass a number of at least 0.")
    if not (scale >= 0 and math.isfinite(scale)):
        raise ValueError(
            f"{name}={value!r} must be finite and at least 0. "
            f"Pass, for example, {name}=0.1."
        )
    return scale


def check_noise(value: Any) -> float:
    """Return `value` as a float, or raise unless it is finite and at least 0."""
    return check_scale("noise", value)


def check_correlation(value: Any) -> float:
    """Return `value` as a float, or raise unless it lies strictly in (-1, 1)."""
    correlation = check_real(
        "correlation", value, "Pass a number strictly between -1 and 1."
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


def check_n_components(value: Any, n_features: int, *, orthogonal: bool) -> int:
    """Return the number of directions, None as `n_features`, or raise if too many."""
    if value is None:
        return n_features
    n_components = check_integer("n_components", value, minimum=1)
    if orthogonal and n_components > n_features:
        raise ValueError(
            f"n_components={n_components} must be at most n_features={n_features} if "
            "orthogonal=True: there are no more orthogonal directions than features. "
            "Pass a smaller n_components, or orthogonal=False."
        )
    return n_components


def check_output_weights(value: Any, n_components: int) -> FloatArray | str:
    """Return "ones" or "mixed", or a new array of one finite weight or row per unit."""
    if isinstance(value, str):
        return _check_weights_name(value)
    weights = _real_array("output_weights", value)
    if weights.ndim not in (1, 2) or len(weights) != n_components or not weights.size:
        raise ValueError(
            f"output_weights of shape {weights.shape} must have the shape "
            f"({n_components},) or ({n_components}, n_outputs), as "
            f"n_components={n_components}. Pass one weight or row of weights per unit."
        )
    if not np.isfinite(weights).all():
        raise ValueError(
            "output_weights must be finite. Pass weights without NaN and infinity."
        )
    return weights


def _check_weights_name(name: str) -> str:
    """Return `name`, or raise unless it is "ones" or "mixed"."""
    if name not in ("ones", "mixed"):
        raise ValueError(
            f"output_weights={name!r} is not a known option. Pass one of: 'ones', "
            "'mixed', or an array of weights."
        )
    return name


def _real_array(name: str, value: Any) -> FloatArray:
    """Return a new array of floats, or raise unless `value` holds real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} must hold real numbers, not values of dtype {array.dtype}. "
            f"Pass {name} as an array of floats."
        )
    return array.astype(np.float64)
