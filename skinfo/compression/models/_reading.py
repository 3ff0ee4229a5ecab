"""Fitted models of scikit-learn, read into stacks of affine layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import AnyArray, FloatArray
from skinfo.compression.models._checks import check_stack
from skinfo.compression.models._families import ModelFamily, family_of
from skinfo.compression.models._links import LINKS
from skinfo.compression.models._stack import DTYPES, AffineLayer, ModelSpec, Stack


def read_stack(model: Any) -> Stack:
    """Return the fitted model as a stack, with copies of its numbers.

    Raises a TypeError for a model that is not supported, NotFittedError for one without
    weights, a ValueError for weights that are not finite.
    """
    family = family_of(model)
    check_is_fitted(model, "coefs_" if family.is_network else "coef_")
    read = _read_network if family.is_network else _read_linear_model
    layers, spec = read(model, family)
    stack = Stack(layers, LINKS[family.read_link(model)], spec)
    check_stack(stack)
    return stack


def _read_network(
    model: Any, family: ModelFamily
) -> tuple[tuple[AffineLayer, ...], ModelSpec]:
    last = len(model.coefs_) - 1
    layers = tuple(
        AffineLayer(
            _as_float64(weights),
            _as_float64(biases),
            "identity" if i == last else model.activation,
        )
        for i, (weights, biases) in enumerate(
            zip(model.coefs_, model.intercepts_, strict=True)
        )
    )
    spec = ModelSpec(
        family=family,
        dtype=_common_dtype("coefs_", model.coefs_),
        intercept_dtype=_common_dtype("intercepts_", model.intercepts_),
        layouts=tuple(_layout(weights) for weights in model.coefs_),
        classes=_read_classes(model, family),
        labels=_read_labels(model, family),
    )
    return layers, spec


def _read_linear_model(
    model: Any, family: ModelFamily
) -> tuple[tuple[AffineLayer, ...], ModelSpec]:
    coef, intercept = model.coef_, model.intercept_
    dense = coef.toarray() if is_sparse(coef) else coef
    weights = _as_float64(np.atleast_2d(dense).T)
    biases = np.empty(weights.shape[1])
    biases[:] = intercept
    dtype = _common_dtype("coef_", [coef])
    is_float = not isinstance(intercept, (np.ndarray, np.generic))
    spec = ModelSpec(
        family=family,
        dtype=dtype,
        intercept_dtype=dtype if is_float else np.result_type(intercept, "f4").name,
        layouts=(_layout(coef),),
        intercept="float" if is_float else "vector" if np.ndim(intercept) else "scalar",
        n_dimensions=coef.ndim,
        classes=_read_classes(model, family),
        labels=_read_labels(model, family),
        power=float(model.power) if family.has_power else 0.0,
    )
    return (AffineLayer(weights, biases),), spec


def _as_float64(values: AnyArray) -> FloatArray:
    return np.array(values, dtype=np.float64, order="C")


def _common_dtype(name: str, arrays: list[AnyArray]) -> str:
    """Return the name of the arrays' dtype, or raise if they cannot be kept exactly."""
    found = sorted({array.dtype.name for array in arrays})
    if len(found) > 1 or found[0] not in DTYPES.values():
        raise ValueError(
            f"{name} has dtype {' and '.join(found)}, but must be float32 or float64 "
            "throughout. Convert it with astype."
        )
    return found[0]


def _layout(weights: Any) -> str:
    if is_sparse(weights):
        return "sparse"
    is_fortran = weights.ndim == 2 and weights.strides[0] < weights.strides[1]
    return "F" if is_fortran and not weights.flags.c_contiguous else "C"


def _read_classes(model: Any, family: ModelFamily) -> AnyArray | None:
    return np.array(model.classes_) if family.is_classifier else None


def _read_labels(model: Any, family: ModelFamily) -> str:
    if family.negative_label is None:
        return "single"
    binarizer = model._label_binarizer  # noqa: SLF001 (has no public name)
    if not binarizer.y_type_.startswith("multilabel"):
        return "single"
    return "sparse_multilabel" if binarizer.sparse_input_ else "multilabel"
