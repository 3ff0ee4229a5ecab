"""Stacks of affine layers, written back into fitted models of scikit-learn."""

# ruff: noqa: SLF001 (predict reads the label binarizer, which has no public name)

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import csr_matrix
from sklearn.preprocessing import LabelBinarizer

from skinfo._core._typing import AnyArray, FloatArray
from skinfo.compression.models._checks import check_stack
from skinfo.compression.models._kinds import (
    DEPRECATED,
    GENERALIZED,
    LOGISTIC_REGRESSIONS,
    NETWORKS,
    RIDGE_CLASSIFIERS,
    class_of,
    kind_of,
)
from skinfo.compression.models._stack import AffineLayer, Form, Stack

# What only training reads, and what else holds weights of the original.
_TRAINING_STATE = (
    "_optimizer",
    "_best_coefs",
    "_best_intercepts",
    "_random_state",
    "_standard_coef",
    "_standard_intercept",
    "_average_coef",
    "_average_intercept",
    "coef_path_",
    "coefs_paths_",
)
_WEIGHTS = ("coef_", "intercept_", "coefs_", "intercepts_")


def write_model(stack: Stack, feature_names: Sequence[str] | None = None) -> Any:
    """Return a fitted model with these weights and what its predictions depend on.

    Other parameters have their defaults. Raises a ValueError if the stack is no model
    of its kind, or none that the installed scikit-learn can hold.
    """
    check_stack(stack)
    form = stack.form
    with _without_deprecation(form.name):
        model = class_of(form.kind)()
    _set_parameters(model, _parameters(stack))
    if form.name in GENERALIZED:
        model.fit(np.zeros((1, 1)), [1.0])  # makes the loss
        del model.n_iter_
    if form.name in NETWORKS:
        model.n_layers_ = len(stack.layers) + 1
        model.n_outputs_ = stack.n_outputs
        model.out_activation_ = stack.link
    if form.classes is not None:
        _set_classes(model, form, form.classes)
    model.n_features_in_ = stack.n_inputs
    if feature_names is not None:
        model.feature_names_in_ = _checked_names(feature_names, stack.n_inputs)
    _set_weights(model, stack)
    return model


def with_weights(model: Any, stack: Stack) -> Any:
    """Return a copy of the fitted model, with other weights and no training state."""
    if kind_of(model) != stack.form.kind or model.n_features_in_ != stack.n_inputs:
        raise ValueError(f"The weights are not those of a {type(model).__name__}.")
    with _without_deprecation(stack.form.name):
        copied = copy.copy(model)
        for name in (*_TRAINING_STATE, *_WEIGHTS):
            vars(copied).pop(name, None)
        copied = copy.deepcopy(copied)
    _set_weights(copied, stack)
    return copied


@contextmanager
def _without_deprecation(name: str) -> Iterator[None]:
    """Let a class that scikit-learn deprecates be made in silence.

    Filters of warnings belong to all threads: they are changed only where needed.
    """
    if name not in DEPRECATED:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _parameters(stack: Stack) -> dict[str, Any]:
    """Return the parameters of the model that its predictions depend on."""
    name, link = stack.form.name, stack.link
    if name in NETWORKS:
        return _network_parameters(stack)
    if name in LOGISTIC_REGRESSIONS and link == "ovr":
        return {"multi_class": "deprecated", "solver": "liblinear"}
    if name in LOGISTIC_REGRESSIONS and link == "double_logistic":
        return {"multi_class": "multinomial"}
    if name == "SGDClassifier" and link != "identity":
        return {"loss": "modified_huber" if link == "modified_huber" else "log_loss"}
    if name == "TweedieRegressor":
        return {
            "power": stack.form.power,
            "link": "log" if link == "exp" else "identity",
        }
    return {}


def _network_parameters(stack: Stack) -> dict[str, Any]:
    hidden = stack.layers[:-1]
    sizes = tuple(len(layer.biases) for layer in hidden)
    parameters: dict[str, Any] = {"hidden_layer_sizes": sizes}
    if hidden:
        parameters["activation"] = hidden[0].activation
    if stack.link == "exp":
        parameters["loss"] = "poisson"
    return parameters


def _set_parameters(model: Any, parameters: dict[str, Any]) -> None:
    missing = parameters.keys() - model.get_params()
    if missing:
        raise ValueError(
            f"{type(model).__name__} of scikit-learn {sklearn.__version__} has no "
            f"parameter {', '.join(sorted(missing))}, on which the predictions depend. "
            "Read the model with a version that has it."
        )
    model.set_params(**parameters)


def _checked_names(feature_names: Sequence[str], n_features: int) -> AnyArray:
    if len(feature_names) != n_features:
        raise ValueError(f"{n_features} features, not {len(feature_names)} names.")
    return np.array(feature_names, dtype=object)


def _set_classes(model: Any, form: Form, classes: AnyArray) -> None:
    """Give the model its labels, and the binarizer that fit would leave."""
    if form.name == "MLPClassifier" or form.name in RIDGE_CLASSIFIERS:
        negative = -1 if form.name in RIDGE_CLASSIFIERS else 0
        examples: Any = np.tile(
            classes, 2
        )  # twice, or there is a warning of rare classes
        if form.labels != "single":
            examples = np.tile(np.arange(2)[:, None], len(classes))
        if form.labels == "sparse_multilabel":
            examples = csr_matrix(examples)
        model._label_binarizer = LabelBinarizer(neg_label=negative).fit(examples)
    if not hasattr(model, "classes_"):  # a property of ridge classifiers before 1.9
        model.classes_ = classes.copy()


def _set_weights(model: Any, stack: Stack) -> None:
    form = stack.form
    if form.name in NETWORKS:
        model.coefs_ = [
            _lay_out(layer.weights, form.dtype, layout)
            for layer, layout in zip(stack.layers, form.layouts, strict=True)
        ]
        model.intercepts_ = [
            layer.biases.astype(form.intercept_dtype) for layer in stack.layers
        ]
        return
    (layer,), (layout,) = stack.layers, form.layouts
    coef = _lay_out(layer.weights.T, form.dtype, layout)
    model.coef_ = coef[0] if form.n_dimensions == 1 else coef
    model.intercept_ = _intercept(layer, form)
    if layout == "sparse":
        model.sparsify()


def _lay_out(weights: FloatArray, dtype: str, layout: str) -> AnyArray:
    return np.array(weights, dtype=dtype, order="F" if layout == "F" else "C")


def _intercept(layer: AffineLayer, form: Form) -> Any:
    """Return the biases as the model keeps them: a number only where one suffices."""
    biases = layer.biases.astype(form.intercept_dtype)
    if form.intercept == "vector" or (biases != biases[0]).any():
        return biases
    return float(biases[0]) if form.intercept == "float" else biases[0]
