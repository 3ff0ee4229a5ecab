"""Checks that a stack is a model that scikit-learn could have fitted.

Stacks come from models and from files, which may be damaged or forged.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skinfo._core._typing import AnyArray
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._stack import (
    DTYPES,
    INTERCEPTS,
    LABELS,
    LAYOUTS,
    ModelSpec,
    Stack,
)


def check_stack(stack: Stack) -> None:
    """Raise a ValueError unless the stack is a model of its family."""
    spec, family = stack.spec, stack.spec.family
    family.model_class()
    _check_words(stack)
    _check_shapes(stack)
    _check_values(stack)
    if not family.is_classifier:
        _demand(spec.classes is None, f"{family.name} has no classes.")
        _demand(spec.labels == "single", f"{family.name} has no labels.")
        return
    classes = _checked_classes(spec)
    if spec.labels == "single":
        _check_single_label(stack, len(classes))
    else:
        _check_several_labels(stack, classes)


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _check_words(stack: Stack) -> None:
    spec = stack.spec
    words = [
        ("dtype", spec.dtype, DTYPES.values()),
        ("intercept_dtype", spec.intercept_dtype, DTYPES.values()),
        ("intercept", spec.intercept, INTERCEPTS.values()),
        ("labels", spec.labels, LABELS.values()),
        ("link", stack.link.name, spec.family.links),
        *(("layout", layout, LAYOUTS.values()) for layout in spec.layouts),
        *(("activation", each.activation, ACTIVATIONS) for each in stack.layers),
    ]
    for name, word, known in words:
        _demand(word in known, f"{name}={word!r} is unknown for a {spec.family.name}.")


def _check_shapes(stack: Stack) -> None:
    spec, layers = stack.spec, stack.layers
    is_network = spec.family.is_network
    _demand(bool(layers), "A model has at least one layer.")
    _demand(len(spec.layouts) == len(layers), "Each layer has one layout.")
    _demand(is_network or len(layers) == 1, f"{spec.family.name} has one layer.")
    for layer in layers:
        _demand(
            layer.weights.ndim == 2
            and layer.weights.size > 0
            and layer.biases.shape == layer.weights.shape[1:],
            f"Weights {layer.weights.shape} and biases {layer.biases.shape} make no "
            "layer.",
        )
    for first, second in pairwise(layers):
        _demand(
            len(first.biases) == len(second.weights),
            f"A layer with {len(first.biases)} outputs precedes one with "
            f"{len(second.weights)} inputs.",
        )
    hidden = {layer.activation for layer in layers[:-1]}
    _demand(
        len(hidden) <= 1 and layers[-1].activation == "identity",
        "Hidden layers share one activation, and the last layer has none.",
    )
    _demand(
        spec.n_dimensions == 2
        or (spec.n_dimensions == 1 and not is_network and stack.n_outputs == 1),
        f"n_dimensions={spec.n_dimensions} with {stack.n_outputs} outputs.",
    )
    _demand(
        "sparse" not in spec.layouts or spec.family.sparsifies,
        f"The weights of a {spec.family.name} are dense.",
    )
    _demand(
        not is_network or spec.intercept == "vector",
        f"The biases of a {spec.family.name} are vectors.",
    )


def _check_values(stack: Stack) -> None:
    spec = stack.spec
    for i, layer in enumerate(stack.layers):
        for name, values, dtype in (
            ("weights", layer.weights, spec.dtype),
            ("biases", layer.biases, spec.intercept_dtype),
        ):
            _demand(  # fails for NaN too
                bool(np.abs(values).max() <= np.finfo(dtype).max),
                f"The {name} of layer {i} contain NaN or infinity, as {dtype}. Fit the "
                "model again on clean data.",
            )
    _demand(np.isfinite(spec.power), f"power={spec.power} is not finite.")


def _check_single_label(stack: Stack, n_classes: int) -> None:
    family, link = stack.spec.family, stack.link
    _demand(
        n_classes >= family.least_classes,
        f"A {family.name} needs at least {family.least_classes} classes.",
    )
    n_outputs = 1 if n_classes <= 2 else n_classes
    _demand(
        stack.n_outputs == n_outputs,
        f"{n_classes} classes need {n_outputs} outputs, not {stack.n_outputs}.",
    )
    unfit = "classes" if n_classes <= 2 else "labels"
    _demand(
        link.probabilities != unfit, f"link={link.name!r} with {n_classes} classes."
    )


def _check_several_labels(stack: Stack, classes: AnyArray) -> None:
    family, link = stack.spec.family, stack.link
    _demand(
        family.negative_label is not None,
        f"{family.name} does not predict several labels.",
    )
    _demand(
        len(classes) >= 2 and np.array_equal(classes, np.arange(len(classes))),
        "A multilabel model has at least 2 labels, numbered by column.",
    )
    _demand(stack.n_outputs == len(classes), "Each label has one output.")
    _demand(link.probabilities != "classes", f"link={link.name!r} with several labels.")


def _checked_classes(spec: ModelSpec) -> AnyArray:
    """Return the labels, or raise unless they are sorted ints, floats, bools or str."""
    classes = spec.classes
    if classes is None or classes.ndim != 1 or len(classes) == 0:
        raise ValueError(f"A {spec.family.name} needs a list of classes.")
    dtype_kind = classes.dtype.kind
    is_string = dtype_kind == "O" and all(isinstance(each, str) for each in classes)
    _demand(
        dtype_kind in "biufU" or is_string,
        f"Class labels of dtype {classes.dtype} cannot be kept. Fit the model with "
        "labels that are int, float, bool or str.",
    )
    _demand(bool((classes[:-1] < classes[1:]).all()), "Classes are sorted, none twice.")
    _demand(
        dtype_kind != "f"
        or bool((np.isfinite(classes) & (classes == classes.round())).all()),
        "Class labels that are float must be whole numbers.",
    )
    return classes
