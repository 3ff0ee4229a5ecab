"""Estimates against exact mutual information, on average over seeds.

A tolerance is 4 standard errors of the mean of the estimates, as they spread over the
seeds, plus the bias that the method is known to have at this sample size.
"""

from __future__ import annotations

import numpy as np
import pytest

from skinfo import mutual_information

N_SAMPLES = 1000
N_SEEDS = 20


def assert_unbiased(draw, truth, *, bias, **options):
    estimates = [
        mutual_information(*draw(np.random.default_rng(seed), N_SAMPLES), **options)
        for seed in range(N_SEEDS)
    ]
    error = np.mean(estimates) - truth
    standard_error = np.std(estimates, ddof=1) / np.sqrt(N_SEEDS)
    assert abs(error) <= 4 * standard_error + bias


def normals(correlation):
    def draw(rng, n):
        x, noise = rng.normal(size=(2, n))
        return x, correlation * x + np.sqrt(1 - correlation**2) * noise

    return draw


def transformed(draw, function):
    return lambda rng, n: tuple(function(part) for part in draw(rng, n))


def of_normals(correlation):
    return -0.5 * np.log(1 - correlation**2)


def entropy(probability):
    p = np.array([probability, 1 - probability])
    return -np.sum(p * np.log(p))


@pytest.mark.parametrize("scale", ["rank", "standard", None])
@pytest.mark.parametrize("correlation", [0, 0.6, 0.9])
def test_correlated_normals_have_their_exact_information(correlation, scale):
    assert_unbiased(
        normals(correlation), of_normals(correlation), bias=0.015, scale=scale
    )


@pytest.mark.parametrize("n_neighbors", [3, 10, 20])
def test_any_number_of_neighbours_is_right_for_normals(n_neighbors):
    draw = normals(0.6)
    assert_unbiased(draw, of_normals(0.6), bias=0.015, n_neighbors=n_neighbors)


@pytest.mark.parametrize("function", [np.exp, lambda v: v**3, lambda v: -np.exp(-v)])
def test_skewed_and_heavy_tailed_transforms_lose_nothing(function):
    draw = transformed(normals(0.75), function)
    assert_unbiased(draw, of_normals(0.75), bias=0.015)


def test_normal_vectors_have_the_information_of_their_columns():
    def draw(rng, n):
        x, noise = rng.normal(size=(2, n, 2))
        return x, 0.6 * x + 0.8 * noise

    assert_unbiased(draw, 2 * of_normals(0.6), bias=0.02)


@pytest.mark.parametrize("kind", [int, bool, str])
@pytest.mark.parametrize("flip", [0.1, 0.3, 0.5])
def test_binary_symmetric_channel_has_its_capacity(flip, kind):
    def draw(rng, n):
        x = rng.integers(2, size=n)
        return x.astype(kind), (x ^ (rng.random(n) < flip)).astype(kind)

    assert_unbiased(draw, np.log(2) - entropy(flip), bias=0.003)


@pytest.mark.parametrize("kind", [int, str])
@pytest.mark.parametrize("n_atoms", [2, 10])
def test_independent_discrete_variables_score_zero(n_atoms, kind):
    def draw(rng, n):
        return rng.integers(n_atoms, size=(2, n)).astype(kind)

    assert_unbiased(draw, 0, bias=0.005)


@pytest.mark.parametrize("ties", ["adaptive", "gao"])
@pytest.mark.parametrize("kind", [int, str])
@pytest.mark.parametrize("n_atoms", [2, 7, 20])
def test_a_copy_of_a_discrete_variable_has_its_entropy(n_atoms, kind, ties):
    def draw(rng, n):
        x = rng.integers(n_atoms, size=n).astype(kind)
        return x, x

    # psi(n) is log n - 1 / (2 n): each of the atoms adds 1 / (2 N)
    bias = n_atoms / (2 * N_SAMPLES)
    assert_unbiased(draw, np.log(n_atoms), bias=bias, ties=ties)


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_independent_rounded_normals_score_zero(decimals):
    draw = transformed(normals(0), lambda v: np.round(v, decimals))
    assert_unbiased(draw, 0, bias=0.005)


@pytest.mark.parametrize("decimals", [1, 2])
@pytest.mark.parametrize("correlation", [0.6, 0.9])
def test_rounded_normals_keep_their_information(correlation, decimals):
    draw = transformed(normals(correlation), lambda v: np.round(v, decimals))
    # rounding to tenths costs less than .01
    assert_unbiased(draw, of_normals(correlation), bias=0.02)


def test_the_paper_overestimates_rounded_normals():
    draw = transformed(normals(0), lambda v: np.round(v, 1))
    x, y = draw(np.random.default_rng(0), N_SAMPLES)
    assert mutual_information(x, y, scale=None, ties="gao") > 0.5
    assert abs(mutual_information(x, y, scale=None)) < 0.08


def test_independent_columns_that_are_half_zero_score_zero():
    def draw(rng, n):
        return rng.normal(size=(2, n)) * (rng.random((2, n)) < 0.5)

    assert_unbiased(draw, 0, bias=0.003)


@pytest.mark.parametrize(
    ("share", "truth"),
    [(0, 0.3012447733), (0.15, 0.229775959), (0.3, 0.175676975), (0.5, 0.116383941)],
)
def test_zero_inflated_poisson_has_its_exact_information(share, truth):
    def draw(rng, n):
        x = rng.exponential(size=n)
        return x, rng.poisson(x) * (rng.random(n) >= share)

    assert_unbiased(draw, truth, bias=0.005)


@pytest.mark.parametrize("kind", [int, str])
def test_discrete_plus_uniform_has_its_exact_information(kind):
    def draw(rng, n):
        x = rng.integers(5, size=n)
        return x.astype(kind), x + 2 * rng.random(n)

    assert_unbiased(draw, np.log(5) - 4 * np.log(2) / 5, bias=0.01)


def test_mixture_of_continuous_and_discrete_has_its_exact_information():
    def draw(rng, n):
        continuous = normals(0.9)(rng, n)
        signs = rng.choice([-1, 1], size=n)
        flipped = np.where(rng.random(n) < 0.9, signs, -signs)
        discrete = rng.random(n) < 0.5
        return (
            np.where(discrete, signs, continuous[0]),
            np.where(discrete, flipped, continuous[1]),
        )

    discrete_part = np.log(2) - entropy(0.1)
    truth = 0.5 * (of_normals(0.9) + discrete_part) + np.log(2)
    assert truth == pytest.approx(1.2923620858496068)
    assert_unbiased(draw, truth, bias=0.015)


def test_shared_dropout_adds_the_entropy_of_the_mask():
    def draw(rng, n):
        return np.array(normals(0.9)(rng, n)) * (rng.random(n) >= 0.3)

    assert_unbiased(draw, entropy(0.3) + 0.7 * of_normals(0.9), bias=0.015)


def test_a_category_that_determines_the_sign_has_one_bit():
    def draw(rng, n):
        x = rng.normal(size=n)
        return np.where(x > 0, "up", "down"), x

    assert_unbiased(draw, np.log(2), bias=0.005)


def test_a_copy_of_a_continuous_variable_reaches_the_ceiling():
    # Y = X continuous has infinite information: log N - psi(k) is the most there is
    x = np.random.default_rng(0).normal(size=N_SAMPLES)
    assert 4.5 < mutual_information(x, x) < np.log(N_SAMPLES)
