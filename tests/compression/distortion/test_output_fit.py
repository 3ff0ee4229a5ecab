"""The scale and biases of the last layer against a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, softmax

from skinfo.compression.distortion._distortion import distortion
from skinfo.compression.distortion._output_fit import fit_outputs
from tests.compression.stacks import make_linear_layer, make_stack, n_outputs_of

LINKS = ("exp", "softmax", "logistic", "ovr", "double_logistic")


def stack_with(link):
    """Return a layer with this link: only its outputs count here."""
    return make_stack([make_linear_layer(np.ones((2, n_outputs_of(link))))], link)


def outputs(stack, n=200, seed=0):
    """Return outputs before the link, and others near them."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(n, stack.n_outputs))
    return raw, raw + 0.3 * rng.normal(size=raw.shape) + 0.2


def fitted(fit, changed):
    return fit.scale * (changed - changed.mean(axis=0)) + fit.centre


def least_distortion(stack, raw, changed, start):
    """Return it by a quasi-Newton search over the scale and biases."""
    unit = changed - changed.mean(axis=0)

    def objective(parameters):
        return distortion(stack, raw, parameters[0] * unit + parameters[1:])

    return minimize(objective, start, method="BFGS", tol=1e-10).fun


@pytest.mark.parametrize("link", LINKS)
def test_fit_is_that_of_the_least_distortion(link):
    stack = stack_with(link)
    raw, changed = outputs(stack)
    fit = fit_outputs(stack.link, raw, changed)
    start = np.array([1.0, *raw.mean(axis=0)])
    least = least_distortion(stack, raw, changed, start)
    assert_allclose(distortion(stack, raw, fitted(fit, changed)), least, rtol=2e-3)


@pytest.mark.parametrize("link", ["softmax", "logistic"])
@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_outputs_of_a_sure_model_are_scaled_down(link, size):
    """Some of those that are sure are wrong, by more than any logit should be."""
    stack = stack_with(link)
    raw, changed = outputs(stack)
    raw, changed = size * raw, size * changed
    apply = expit if link == "logistic" else (lambda z: softmax(z, axis=1))
    fit = fit_outputs(stack.link, raw, changed)
    assert fit.scale < 100 / size
    found = distortion(stack, raw, fitted(fit, changed))
    # by far less than the mean probabilities, and than the outputs as they are
    constant = np.broadcast_to(np.log(apply(raw).mean(axis=0)), raw.shape)
    if link == "softmax":
        assert found < 0.3 * distortion(stack, raw, constant)
    assert found < 0.3 * distortion(stack, raw, changed - changed.mean(axis=0))
    unit = np.array([1 / size, *np.zeros(stack.n_outputs)])
    least = least_distortion(stack, raw, changed, unit)
    assert found <= 1.01 * least


@pytest.mark.parametrize("link", LINKS)
def test_fit_never_does_worse_than_the_means(link):
    stack = stack_with(link)
    for seed in range(5):
        raw, changed = outputs(stack, n=5, seed=seed)
        raw, changed = 8 * raw, 9 * changed
        found = fitted(fit_outputs(stack.link, raw, changed), changed)
        means = changed - changed.mean(axis=0) + raw.mean(axis=0)
        least = distortion(stack, raw, means)
        assert distortion(stack, raw, found) <= least * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("link", LINKS)
def test_fit_makes_up_for_a_shift_and_a_scale(link):
    stack = stack_with(link)
    raw, _ = outputs(stack)
    changed = 1.5 * (raw - np.arange(1.0, raw.shape[1] + 1) / 4)
    found = fitted(fit_outputs(stack.link, raw, changed), changed)
    assert distortion(stack, raw, found) < 1e-7


@pytest.mark.parametrize("link", LINKS)
def test_outputs_that_do_not_vary_or_point_away_keep_their_scale(link):
    stack = stack_with(link)
    raw, changed = outputs(stack)
    fit = fit_outputs(stack.link, raw, np.full_like(changed, 7.0))
    assert fit.scale == 1
    assert np.isfinite(fit.centre).all()
    fit = fit_outputs(stack.link, raw, -changed)
    assert fit.scale > 0
    assert np.isfinite(fit.centre).all()


@pytest.mark.parametrize("link", [each for each in LINKS if each != "ovr"])
def test_tolerance_is_the_noise_that_doubles_a_small_distortion(link):
    stack = stack_with(link)
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(20_000, stack.n_outputs))
    changed = raw + 0.01 * rng.normal(size=raw.shape)
    fit = fit_outputs(stack.link, raw, changed)
    near = fitted(fit, changed)
    noise = np.sqrt(fit.tolerance) * rng.normal(size=raw.shape)
    least = distortion(stack, raw, near)
    if link == "softmax":  # a shift of all outputs changes nothing
        noise *= np.sqrt(1 / (1 - np.mean(np.sum(softmax(raw, axis=1) ** 2, axis=1))))
    assert_allclose(distortion(stack, raw, near + noise), 2 * least, rtol=0.1)


@pytest.mark.parametrize("link", LINKS)
def test_outputs_are_not_written_to(link):
    stack = stack_with(link)
    raw, changed = outputs(stack)
    for array in (raw, changed):
        array.setflags(write=False)
    fit_outputs(stack.link, raw, changed)


def test_outputs_beyond_all_slopes_have_a_finite_fit():
    raw = np.array([[0.0], [0.1], [0.2], [0.3]])
    changed = np.array([[850.0], [-830.0], [890.0], [-910.0]])
    with np.errstate(over="ignore"):
        fit = fit_outputs(stack_with("exp").link, raw, changed)
    assert np.isfinite([fit.scale, *fit.centre]).all()
