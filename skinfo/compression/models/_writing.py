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
from skinfo.compression.models._families import ModelFamily, family_of
from skinfo.compression.models._stack import AffineLayer, ModelSpec, Stack

# Attributes that only training reads, some of which hold the original weights.
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
    """Return a fitted model with the weights and all that its predictions depend on.

    Other parameters have their defaults. Raises a ValueError if the stack is not valid
    for its family, or the installed scikit-learn cannot hold it.
    """
    check_stack(stack)
    spec, family = stack.spec, stack.spec.family
    with _without_deprecation(family):
        model = family.model_class()()
    _set_parameters(model, _parameters(stack))
    if family.fit_makes_loss:
        model.fit(np.zeros((1, 1)), [1.0])  # makes the loss
        del model.n_iter_
    if family.is_network:
        model.n_layers_ = len(stack.layers) + 1
        model.n_outputs_ = stack.n_outputs
        model.out_activation_ = stack.link.name
    if spec.classes is not None:
        _set_classes(model, spec, spec.classes)
    model.n_features_in_ = stack.n_inputs
    if feature_names is not None:
        model.feature_names_in_ = _checked_names(feature_names, stack.n_inputs)
    _set_weights(model, stack)
    return model


def with_weights(model: Any, stack: Stack) -> Any:
    """Return a copy of the fitted model, with other weights and no training state."""
    family = stack.spec.family
    if family_of(model) is not family or model.n_features_in_ != stack.n_inputs:
        raise ValueError(f"The weights are not those of a {type(model).__name__}.")
    with _without_deprecation(family):
        copied = copy.copy(model)
        for name in (*_TRAINING_STATE, *_WEIGHTS):
            vars(copied).pop(name, None)
        copied = copy.deepcopy(copied)
    _set_weights(copied, stack)
    return copied


@contextmanager
def _without_deprecation(family: ModelFamily) -> Iterator[None]:
    """Silence the warning of a deprecated class when an instance is made.

    Warning filters are shared by all threads, so they are changed only where needed.
    """
    if not family.is_deprecated:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _parameters(stack: Stack) -> dict[str, Any]:
    """Return the parameters of the model that its predictions depend on."""
    family = stack.spec.family
    parameters = dict(family.links[stack.link.name])
    if family.has_power:
        parameters["power"] = stack.spec.power
    if family.is_network:
        hidden = stack.layers[:-1]
        parameters["hidden_layer_sizes"] = tuple(len(each.biases) for each in hidden)
        if hidden:
            parameters["activation"] = hidden[0].activation
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


def _set_classes(model: Any, spec: ModelSpec, classes: AnyArray) -> None:
    """Give the model its labels, and the binarizer that fit would leave."""
    negative = spec.family.negative_label
    if negative is not None:
        # each class twice: scikit-learn warns of classes with a single sample
        examples: Any = np.tile(classes, 2)
        if spec.labels != "single":
            examples = np.tile(np.arange(2)[:, None], len(classes))
        if spec.labels == "sparse_multilabel":
            examples = csr_matrix(examples)
        model._label_binarizer = LabelBinarizer(neg_label=negative).fit(examples)
    if not hasattr(model, "classes_"):  # a property of ridge classifiers before 1.9
        model.classes_ = classes.copy()


def _set_weights(model: Any, stack: Stack) -> None:
    spec = stack.spec
    if spec.family.is_network:
        model.coefs_ = [
            _lay_out(layer.weights, spec.dtype, layout)
            for layer, layout in zip(stack.layers, spec.layouts, strict=True)
        ]
        model.intercepts_ = [
            layer.biases.astype(spec.intercept_dtype) for layer in stack.layers
        ]
        return
    (layer,), (layout,) = stack.layers, spec.layouts
    coef = _lay_out(layer.weights.T, spec.dtype, layout)
    model.coef_ = coef[0] if spec.n_dimensions == 1 else coef
    model.intercept_ = _intercept(layer, spec)
    if layout == "sparse":
        model.sparsify()


def _lay_out(weights: FloatArray, dtype: str, layout: str) -> AnyArray:
    return np.array(weights, dtype=dtype, order="F" if layout == "F" else "C")


def _intercept(layer: AffineLayer, spec: ModelSpec) -> Any:
    """Return the biases as the model keeps them: a number only where one suffices."""
    biases = layer.biases.astype(spec.intercept_dtype)
    if spec.intercept == "vector" or (biases != biases[0]).any():
        return biases
    return float(biases[0]) if spec.intercept == "float" else biases[0]
