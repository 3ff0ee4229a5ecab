"""Stacks and specs of models, as the tests of compression build them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from skinfo.compression.distortion._distortion import distortion
from skinfo.compression.file._coded_model import CodedModel
from skinfo.compression.models._families import FAMILIES
from skinfo.compression.models._links import LINKS
from skinfo.compression.models._stack import AffineLayer, ModelSpec, Stack, forward

LINK_NAMES = tuple(LINKS)
FAMILY_OF_NAME = {  # of the classes that this version of scikit-learn has
    family.name: family for family in FAMILIES.values() if family.find_class()
}
SINGLE_OUTPUT_LINKS = ("exp", "logistic", "double_logistic")
# the number of a linear model that has the link
FAMILY_OF_LINK = {
    "identity": 1,
    "exp": 27,
    "softmax": 64,
    "logistic": 64,
    "ovr": 68,
    "double_logistic": 64,
    "modified_huber": 68,
}


def n_outputs_of(link):
    """Return 1 for links that have a single output in linear models, and else 3."""
    return 1 if link in SINGLE_OUTPUT_LINKS else 3


def make_layers(sizes, activation="relu", *, scale_biases=1.0, seed=0):
    """Return random layers between these numbers of units; the last is affine."""
    rng = np.random.default_rng(seed)
    last = len(sizes) - 2
    return tuple(
        AffineLayer(
            rng.normal(size=(n_inputs, n_outputs)) / np.sqrt(n_inputs),
            scale_biases * rng.normal(size=n_outputs),
            "identity" if i == last else activation,
        )
        for i, (n_inputs, n_outputs) in enumerate(pairwise(sizes))
    )


def make_linear_layer(weights):
    """Return a layer with these weights and no biases."""
    return AffineLayer(weights, np.zeros(weights.shape[1]))


def make_spec(family, n_layers=1, **changes):
    """Return the spec of a family: float64 in C order, except for the changes."""
    spec = ModelSpec(FAMILIES[family], "float64", "float64", ("C",) * n_layers)
    return replace(spec, **changes)


def make_stack(layers, link="identity"):
    """Return layers and a link as a stack, of a family that has this link."""
    n_outputs = len(layers[-1].biases)
    is_classifier = FAMILY_OF_LINK[link] >= 64
    family = FAMILY_OF_LINK[link]
    if len(layers) > 1:
        family = 129 if is_classifier else 128
    classes = np.arange(max(2, n_outputs)) if is_classifier else None
    spec = make_spec(family, len(layers), classes=classes)
    return Stack(tuple(layers), LINKS[link], spec)


def make_coded_model(layers, spec, link="identity", activation="identity"):
    """Return coded layers as a model, with one activation between all of them."""
    activations = (activation,) * (len(layers) - 1) + ("identity",)
    return CodedModel(tuple(layers), activations, LINKS[link], spec)


def outputs_of(stack, X):
    """Return the outputs before the link, (n, n_outputs)."""
    return forward(stack, X)


def distortion_between(stack, other, X):
    """Return the distortion of the predictions of another stack on the samples."""
    return distortion(stack, forward(stack, X), forward(other, X))
