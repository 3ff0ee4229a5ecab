"""The samples of the generators follow the laws that they are said to follow."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import chisquare, kstest

from skinfo.datasets import (
    make_discrete_continuous_mixture,
    make_discrete_plus_uniform,
    make_gaussian_dropout,
    make_zero_inflated_poisson,
)

N_SAMPLES = 20_000
SMALLEST_PVALUE = 1e-6  # of a test of a true law with a fixed seed


def assert_fraction(events, expected):
    """Assert that events have the expected frequency, to 5 standard errors."""
    standard_error = math.sqrt(expected * (1 - expected) / np.size(events))
    assert abs(np.mean(events) - expected) <= 5 * standard_error


def assert_correlation(x, y, expected):
    """Assert that normal samples have this correlation, to 5 standard errors."""
    standard_error = (1 - expected**2) / math.sqrt(len(x))
    assert abs(np.corrcoef(x, y)[0, 1] - expected) <= 5 * standard_error


def assert_law(values, cdf, **parameters):
    assert kstest(values, cdf, **parameters).pvalue > SMALLEST_PVALUE


# Experiment I


@pytest.mark.parametrize(("agreement", "discrete_fraction"), [(0.9, 0.5), (0.2, 0.1)])
def test_mixture_has_both_parts_as_said(agreement, discrete_fraction):
    data = make_discrete_continuous_mixture(
        N_SAMPLES,
        correlation=-0.6,
        agreement=agreement,
        discrete_fraction=discrete_fraction,
        random_state=0,
    )
    discrete = np.abs(data.x) == 1
    assert_array_equal(discrete, np.abs(data.y) == 1)
    assert_fraction(discrete, discrete_fraction)
    assert_fraction(data.x[discrete] == data.y[discrete], agreement)
    assert_fraction(data.x[discrete] == 1, 0.5)
    assert_fraction(data.y[discrete] == 1, 0.5)
    assert_law(data.x[~discrete], "norm")
    assert_law(data.y[~discrete], "norm")
    assert_correlation(data.x[~discrete], data.y[~discrete], -0.6)


def test_mixture_fraction_zero_has_no_atoms():
    data = make_discrete_continuous_mixture(
        N_SAMPLES, discrete_fraction=0, random_state=0
    )
    assert len(np.unique(data.x)) == len(np.unique(data.y)) == N_SAMPLES


def test_mixture_fraction_one_has_atoms_alone():
    data = make_discrete_continuous_mixture(discrete_fraction=1, random_state=0)
    assert_array_equal(np.unique(data.x), [-1, 1])
    assert_array_equal(np.unique(data.y), [-1, 1])


@pytest.mark.parametrize(("agreement", "sign"), [(1, 1), (0, -1)])
def test_full_and_no_agreement_are_exact(agreement, sign):
    data = make_discrete_continuous_mixture(
        agreement=agreement, discrete_fraction=1, random_state=0
    )
    assert_array_equal(data.y, sign * data.x)


def test_mixture_of_correlation_zero_is_uncorrelated():
    data = make_discrete_continuous_mixture(
        N_SAMPLES, correlation=0, discrete_fraction=0, random_state=0
    )
    assert_correlation(data.x, data.y, 0)


# Experiments II and III


@pytest.mark.parametrize("n_values", [2, 5])
def test_discrete_plus_uniform_has_both_laws(n_values):
    data = make_discrete_plus_uniform(N_SAMPLES, n_values=n_values, random_state=0)
    values, counts = np.unique(data.x, return_counts=True)
    assert_array_equal(values, np.arange(n_values))
    assert chisquare(counts).pvalue > SMALLEST_PVALUE
    noise = data.y - data.x
    assert_law(noise, "uniform", args=(0, 2))
    for value in values:
        assert_law(noise[data.x == value], "uniform", args=(0, 2))


def test_single_value_is_zero():
    data = make_discrete_plus_uniform(n_values=1, random_state=0)
    assert_array_equal(data.x, np.zeros(1000))
    assert_law(data.y, "uniform", args=(0, 2))


def test_pairs_are_independent_and_alike():
    data = make_discrete_plus_uniform(N_SAMPLES, n_pairs=3, random_state=0)
    for column in range(3):
        assert_law(data.y[:, column] - data.x[:, column], "uniform", args=(0, 2))
    correlation = np.corrcoef(np.hstack([data.x, data.y]), rowvar=False)
    # x has variance 2 and y 2 + 1/3 (n_values=5): of a pair sqrt(6/7), else 0
    of_pair = np.kron([[0, 1], [1, 0]], np.eye(3)) * math.sqrt(6 / 7)
    assert np.abs(correlation - np.eye(6) - of_pair).max() <= 5 / math.sqrt(N_SAMPLES)


def test_mixture_is_the_last_column():
    data = make_discrete_plus_uniform(N_SAMPLES, with_mixture=True, random_state=0)
    x, y = data.x[:, 1], data.y[:, 1]
    discrete = np.abs(x) == 1
    assert_array_equal(discrete, np.abs(y) == 1)
    assert_fraction(discrete, 0.5)
    assert_fraction(x[discrete] == y[discrete], 0.9)
    assert_correlation(x[~discrete], y[~discrete], 0.9)
    assert abs(np.corrcoef(data.x[:, 0], x)[0, 1]) <= 5 / math.sqrt(N_SAMPLES)
    assert_law(data.y[:, 0] - data.x[:, 0], "uniform", args=(0, 2))


# Experiment IV


@pytest.mark.parametrize("zero_probability", [0, 0.15, 0.6])
def test_zero_inflated_poisson_has_both_laws(zero_probability):
    data = make_zero_inflated_poisson(
        N_SAMPLES, zero_probability=zero_probability, random_state=0
    )
    assert_law(data.x, "expon")
    assert_array_equal(data.y, np.floor(data.y))
    assert_fraction(data.y == 0, (1 + zero_probability) / 2)
    for count in (1, 2, 5):
        assert_fraction(data.y == count, (1 - zero_probability) / 2 ** (count + 1))


def test_counts_follow_their_rate():
    data = make_zero_inflated_poisson(N_SAMPLES, zero_probability=0.15, random_state=0)
    # Given x: mean (1 - p) x, variance (1 - p) x + p (1 - p) x^2
    residual = data.y - 0.85 * data.x
    variance = 0.85 * data.x + 0.15 * 0.85 * data.x**2
    standardized = residual / np.sqrt(variance)
    assert abs(standardized.mean()) <= 5 / math.sqrt(N_SAMPLES)
    standard_error = np.std(standardized**2) / math.sqrt(N_SAMPLES)
    assert abs(np.mean(standardized**2) - 1) <= 5 * standard_error


def test_zero_probability_one_leaves_zeros_alone():
    data = make_zero_inflated_poisson(zero_probability=1, random_state=0)
    assert_array_equal(data.y, np.zeros(1000))


# Gaussian dropout


@pytest.mark.parametrize("dropout", [0.3, (0.6, 0.1), [0.6, 0.1], np.array([0.6, 0.1])])
def test_dropout_loses_values_independently(dropout):
    data = make_gaussian_dropout(N_SAMPLES, dropout=dropout, random_state=0)
    of_x, of_y = np.broadcast_to(dropout, 2)
    lost_x, lost_y = data.x == 0, data.y == 0
    assert_fraction(lost_x, of_x)
    assert_fraction(lost_y, of_y)
    assert_fraction(lost_x & lost_y, of_x * of_y)
    kept = ~lost_x & ~lost_y
    assert_law(data.x[~lost_x], "norm")
    assert_law(data.y[~lost_y], "norm")
    assert_correlation(data.x[kept], data.y[kept], 0.8)


def test_shared_mask_loses_the_same_samples():
    data = make_gaussian_dropout(
        N_SAMPLES, correlation=-0.5, shared_mask=True, random_state=0
    )
    lost = data.x == 0
    assert_array_equal(lost, data.y == 0)
    assert_fraction(lost, 0.3)
    assert_law(data.x[~lost], "norm")
    assert_law(data.y[~lost], "norm")
    assert_correlation(data.x[~lost], data.y[~lost], -0.5)


@pytest.mark.parametrize("shared_mask", [False, True])
def test_dropout_zero_and_one_are_exact(shared_mask):
    full = make_gaussian_dropout(dropout=0, shared_mask=shared_mask, random_state=0)
    assert (full.x != 0).all()
    assert (full.y != 0).all()
    empty = make_gaussian_dropout(dropout=1, shared_mask=shared_mask, random_state=0)
    assert_array_equal(empty.x, np.zeros(1000))
    assert_array_equal(empty.y, np.zeros(1000))


def test_dropout_of_one_variable_leaves_the_other():
    data = make_gaussian_dropout(dropout=(1, 0), random_state=0)
    assert_array_equal(data.x, np.zeros(1000))
    assert_law(data.y, "norm")
