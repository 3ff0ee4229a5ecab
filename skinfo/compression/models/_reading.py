"""Fitted models of scikit-learn, read into stacks of affine layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import AnyArray, FloatArray
from skinfo.compression.models._checks import check_stack
from skinfo.compression.models._kinds import (
    DTYPES,
    GENERALIZED,
    KINDS,
    LOGISTIC_REGRESSIONS,
    NETWORKS,
    kind_of,
)
from skinfo.compression.models._stack import AffineLayer, Form, Stack


def read_stack(model: Any) -> Stack:
    """Return the fitted model as a stack, with copies of its numbers.

    Raises a TypeError for a model that is not supported, NotFittedError for one without
    weights, a ValueError for weights that are not finite.
    """
    kind = kind_of(model)
    if KINDS[kind] in NETWORKS:
        check_is_fitted(model, "coefs_")
        stack = _read_network(model, kind)
    else:
        check_is_fitted(model, "coef_")
        stack = _read_linear_model(model, kind)
    check_stack(stack)
    return stack


def _read_network(model: Any, kind: int) -> Stack:
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
    form = Form(
        kind=kind,
        dtype=_common_dtype("coefs_", model.coefs_),
        intercept_dtype=_common_dtype("intercepts_", model.intercepts_),
        layouts=tuple(_layout(weights) for weights in model.coefs_),
        classes=_read_classes(model),
        labels=_read_labels(model),
    )
    return Stack(layers, model.out_activation_, form)


def _read_linear_model(model: Any, kind: int) -> Stack:
    coef, intercept = model.coef_, model.intercept_
    dense = coef.toarray() if is_sparse(coef) else coef
    weights = _as_float64(np.atleast_2d(dense).T)
    biases = np.empty(weights.shape[1])
    biases[:] = intercept
    dtype = _common_dtype("coef_", [coef])
    is_float = not isinstance(intercept, (np.ndarray, np.generic))
    form = Form(
        kind=kind,
        dtype=dtype,
        intercept_dtype=dtype if is_float else np.result_type(intercept, "f4").name,
        layouts=(_layout(coef),),
        intercept="float" if is_float else "vector" if np.ndim(intercept) else "scalar",
        n_dimensions=coef.ndim,
        classes=_read_classes(model),
        labels=_read_labels(model),
        power=float(model.power) if KINDS[kind] == "TweedieRegressor" else 0.0,
    )
    return Stack((AffineLayer(weights, biases),), _read_link(model, form), form)


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


def _read_classes(model: Any) -> AnyArray | None:
    classes = getattr(model, "classes_", None)
    return None if classes is None else np.array(classes)


def _read_labels(model: Any) -> str:
    binarizer = getattr(model, "_label_binarizer", None)
    if binarizer is None or not binarizer.y_type_.startswith("multilabel"):
        return "single"
    return "sparse_multilabel" if binarizer.sparse_input_ else "multilabel"


def _read_link(model: Any, form: Form) -> str:
    """Return the link of a linear model, from the parameters that predictions heed."""
    if form.name in LOGISTIC_REGRESSIONS:
        return _read_logistic_link(model)
    if form.name == "SGDClassifier" and model.loss == "log_loss":
        return "logistic" if len(model.classes_) <= 2 else "ovr"
    if form.name == "SGDClassifier" and model.loss == "modified_huber":
        return "modified_huber"
    if form.name == "TweedieRegressor" and model.link == "auto":
        return "exp" if model.power > 0 else "identity"
    if form.name == "TweedieRegressor":
        return "exp" if model.link == "log" else "identity"
    return "exp" if form.name in GENERALIZED else "identity"


def _read_logistic_link(model: Any) -> str:
    is_binary = len(model.classes_) <= 2
    if not hasattr(model, "multi_class"):  # since 1.8
        return "logistic" if is_binary else "softmax"
    by_default = model.multi_class in ("auto", "deprecated")
    is_ovr = model.multi_class in ("ovr", "warn") or (
        by_default and (is_binary or model.solver == "liblinear")
    )
    if is_binary:
        return "logistic" if is_ovr else "double_logistic"
    return "ovr" if is_ovr else "softmax"
