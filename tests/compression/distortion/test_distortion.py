"""The distortion against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, rel_entr, softmax

from skinfo.compression.distortion._distortion import distortion, without_weights
from tests.compression.stacks import (
    LINK_NAMES,
    make_linear_layer,
    make_stack,
    n_outputs_of,
)


def stack_with(link):
    """Return a layer with this link: only its outputs count here."""
    return make_stack([make_linear_layer(np.ones((2, n_outputs_of(link))))], link)


def plain_distortion(link, raw, changed):
    if link in ("identity", "modified_huber"):
        return np.mean(np.sum((raw - changed) ** 2, axis=1))
    if link == "exp":
        return np.mean(np.sum((np.exp(raw) - np.exp(changed)) ** 2, axis=1))
    if link in ("logistic", "double_logistic"):
        factor = 2 if link == "double_logistic" else 1
        p, q = expit(factor * raw), expit(factor * changed)
        return np.mean(np.sum(rel_entr(p, q) + rel_entr(1 - p, 1 - q), axis=1))
    if link == "softmax":
        p, q = softmax(raw, axis=1), softmax(changed, axis=1)
    else:
        p, q = (expit(z) / expit(z).sum(axis=1, keepdims=True) for z in (raw, changed))
    return np.mean(np.sum(rel_entr(p, q), axis=1))


def outputs(link, n=200, seed=0):
    """Return outputs before the link, and others near them."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(n, n_outputs_of(link)))
    return raw, raw + 0.3 * rng.normal(size=raw.shape) + 0.2


@pytest.mark.parametrize("link", LINK_NAMES)
def test_distortion_is_the_plain_formula(link):
    raw, changed = outputs(link)
    found = distortion(stack_with(link), raw, changed)
    assert_allclose(found, plain_distortion(link, raw, changed), rtol=1e-10)


@pytest.mark.parametrize("link", LINK_NAMES)
def test_distortion_of_the_same_outputs_is_zero(link):
    raw, _ = outputs(link)
    assert distortion(stack_with(link), raw, raw) == 0


@pytest.mark.parametrize("link", ["softmax", "logistic", "double_logistic", "ovr"])
def test_distortion_of_certain_outputs_is_finite(link):
    raw, _ = outputs(link)
    with np.errstate(all="raise", under="ignore"):
        found = distortion(stack_with(link), 900 * raw, -900 * raw)
    assert 0 < found < np.inf


def test_distortion_of_certain_and_equal_outputs_is_zero():
    raw = np.array([[900.0, -900.0, 0.0], [-900.0, 0.0, 900.0]])
    changed = raw + np.array([5.0, -9.0, 2.0])
    assert distortion(stack_with("softmax"), raw, changed) == 0


def test_distortion_of_several_labels_is_summed_over_them():
    raw, changed = outputs("softmax")
    stack = make_stack([make_linear_layer(np.ones((2, 3)))], "logistic")
    apart = [
        plain_distortion("logistic", raw[:, [k]], changed[:, [k]]) for k in range(3)
    ]
    assert_allclose(distortion(stack, raw, changed), sum(apart), rtol=1e-10)


def test_distortion_without_weights_is_the_variance_of_the_outputs():
    raw, _ = outputs("identity")
    found = without_weights(stack_with("identity"), raw)
    assert_allclose(found, raw.var(axis=0).sum(), rtol=1e-10)


def test_distortion_without_weights_is_to_the_mean_probabilities():
    raw, _ = outputs("softmax")
    p = softmax(raw, axis=1)
    expected = np.mean(np.sum(rel_entr(p, p.mean(axis=0)), axis=1))
    found = without_weights(stack_with("softmax"), raw)
    assert_allclose(found, expected, rtol=1e-10)
