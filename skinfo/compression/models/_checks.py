"""Checks that a stack is one that scikit-learn could have made.

Stacks come from models and from files, which nobody vouches for.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skinfo._core._typing import AnyArray
from skinfo.compression.models._kinds import (
    CLASSIFIERS,
    DTYPES,
    INTERCEPTS,
    LABELS,
    LAYOUTS,
    NETWORKS,
    RIDGE_CLASSIFIERS,
    class_of,
    links_of,
)
from skinfo.compression.models._stack import ACTIVATION_FUNCTIONS, Form, Stack


def check_stack(stack: Stack) -> None:
    """Raise a ValueError unless the stack is a model of its kind."""
    class_of(stack.form.kind)
    _check_words(stack)
    _check_shapes(stack)
    _check_values(stack)
    if stack.form.name in CLASSIFIERS:
        _check_classifier(stack)
    else:
        _demand(stack.form.classes is None, f"{stack.form.name} has no classes.")
        _demand(stack.form.labels == "single", f"{stack.form.name} has no labels.")


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _check_words(stack: Stack) -> None:
    form = stack.form
    words = [
        ("dtype", form.dtype, DTYPES.values()),
        ("intercept_dtype", form.intercept_dtype, DTYPES.values()),
        ("intercept", form.intercept, INTERCEPTS.values()),
        ("labels", form.labels, LABELS.values()),
        ("link", stack.link, links_of(form.name)),
        *(("layout", layout, LAYOUTS.values()) for layout in form.layouts),
        *(
            ("activation", each.activation, ACTIVATION_FUNCTIONS)
            for each in stack.layers
        ),
    ]
    for name, word, known in words:
        _demand(word in known, f"{name}={word!r} is unknown for a {form.name}.")


def _check_shapes(stack: Stack) -> None:
    form, layers = stack.form, stack.layers
    is_network = form.name in NETWORKS
    _demand(bool(layers), "A model has at least one layer.")
    _demand(len(form.layouts) == len(layers), "Each layer has one layout.")
    _demand(is_network or len(layers) == 1, f"{form.name} has one layer.")
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
        form.n_dimensions == 2
        or (form.n_dimensions == 1 and not is_network and stack.n_outputs == 1),
        f"n_dimensions={form.n_dimensions} with {stack.n_outputs} outputs.",
    )
    _demand(
        "sparse" not in form.layouts or hasattr(class_of(form.kind), "sparsify"),
        f"The weights of a {form.name} are dense.",
    )
    _demand(
        not is_network or form.intercept == "vector",
        f"The biases of a {form.name} are vectors.",
    )


def _check_values(stack: Stack) -> None:
    form = stack.form
    for i, layer in enumerate(stack.layers):
        for name, values, dtype in (
            ("weights", layer.weights, form.dtype),
            ("biases", layer.biases, form.intercept_dtype),
        ):
            _demand(  # fails for NaN too
                bool(np.abs(values).max() <= np.finfo(dtype).max),
                f"The {name} of layer {i} contain NaN or infinity, as {dtype}. Fit the "
                "model again on clean data.",
            )
    _demand(np.isfinite(form.power), f"power={form.power} is not finite.")


def _check_classifier(stack: Stack) -> None:
    classes = _checked_classes(stack.form)
    if stack.form.labels == "single":
        _check_single_label(stack, len(classes))
    else:
        _check_several_labels(stack, classes)


def _check_single_label(stack: Stack, n_classes: int) -> None:
    name, link = stack.form.name, stack.link
    _demand(
        n_classes >= 2 or name == "MLPClassifier",
        f"A {name} needs at least 2 classes.",
    )
    n_outputs = 1 if n_classes <= 2 else n_classes
    _demand(
        stack.n_outputs == n_outputs,
        f"{n_classes} classes need {n_outputs} outputs, not {stack.n_outputs}.",
    )
    unfit = ("softmax", "ovr") if n_classes <= 2 else ("logistic", "double_logistic")
    _demand(link not in unfit, f"link={link!r} with {n_classes} classes.")


def _check_several_labels(stack: Stack, classes: AnyArray) -> None:
    name = stack.form.name
    _demand(
        name == "MLPClassifier" or name in RIDGE_CLASSIFIERS,
        f"{name} does not predict several labels.",
    )
    _demand(
        len(classes) >= 2 and np.array_equal(classes, np.arange(len(classes))),
        "Several labels are at least 2, numbered by column.",
    )
    _demand(stack.n_outputs == len(classes), "Each label has one output.")
    _demand(stack.link != "softmax", "link='softmax' with several labels.")


def _checked_classes(form: Form) -> AnyArray:
    """Return the labels, or raise unless they are sorted ints, floats, bools or str."""
    classes = form.classes
    if classes is None or classes.ndim != 1 or len(classes) == 0:
        raise ValueError(f"A {form.name} needs a list of classes.")
    kind = classes.dtype.kind
    is_string = kind == "O" and all(isinstance(each, str) for each in classes)
    _demand(
        kind in "biufU" or is_string,
        f"Class labels of dtype {classes.dtype} cannot be kept. Fit the model with "
        "labels that are int, float, bool or str.",
    )
    _demand(bool((classes[:-1] < classes[1:]).all()), "Classes are sorted, none twice.")
    _demand(
        kind != "f"
        or bool((np.isfinite(classes) & (classes == classes.round())).all()),
        "Class labels that are float must be whole numbers.",
    )
    return classes
