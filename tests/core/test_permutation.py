"""Permutation p-values against counting, and reproducible permutations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo._core._permutation import (
    draw_seeds,
    permutation_pvalues,
    permuted_order,
    reaches,
)

SMALL = settings(derandomize=True, deadline=None, max_examples=50)
values = st.sampled_from([-1.5, -0.3, 0.0, 0.1, 0.30000000000000004, 0.3, 2.0])


@SMALL
@given(values, st.lists(values, max_size=12))
def test_pvalue_counts_the_null_values_that_reach_the_statistic(statistic, null):
    # 0.3 and 0.1 + 0.2 are a tie
    reaching = sum(v > statistic or np.isclose(v, statistic, 1e-12, 0) for v in null)
    pvalues = permutation_pvalues(np.array([statistic]), np.array([null]))
    assert pvalues == [(1 + reaching) / (1 + len(null))]


def test_each_feature_has_its_own_pvalue():
    null = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [5.0, 5.0, 5.0]])
    pvalues = permutation_pvalues(np.array([0.25, 1.0, 1.0]), null)
    np.testing.assert_allclose(pvalues, [0.5, 0.25, 1.0])


@pytest.mark.parametrize("statistic", [0.7, -0.7, 0.0])
def test_ties_count_against(statistic):
    null = np.full((1, 9), statistic)
    assert permutation_pvalues(np.array([statistic]), null) == [1.0]


@pytest.mark.parametrize("statistic", [0.7, -0.7, 1e-300, -1e300])
@pytest.mark.parametrize("rounding", [1 - 2e-16, 1 + 2e-16])
def test_null_values_equal_up_to_rounding_are_ties(statistic, rounding):
    null = np.full((1, 9), statistic * rounding)
    assert permutation_pvalues(np.array([statistic]), null) == [1.0]


@pytest.mark.parametrize("statistic", [0.7, -0.7, 1e-300, -1e300])
def test_null_values_below_the_statistic_are_no_ties(statistic):
    null = np.full((1, 9), statistic - 1e-9 * abs(statistic))
    assert permutation_pvalues(np.array([statistic]), null) == [0.1]


def test_a_statistic_of_nan_has_no_pvalue_and_null_values_of_nan_count_against():
    null = np.array([[0.1, 0.2, 0.3], [0.1, np.nan, 0.3]])
    found = permutation_pvalues(np.array([np.nan, 1.0]), null)
    np.testing.assert_array_equal(found, [np.nan, 0.5])


def test_null_values_reach_a_statistic_unless_they_are_below():
    null = np.array([0.3, 0.1 + 0.2, 0.3 * (1 - 1e-13), 0.3 * (1 - 1e-9), 0.4, np.nan])
    expected = [True, True, True, False, True, True]
    assert reaches(0.3, null).tolist() == expected
    assert reaches(np.array([[0.3], [0.5]]), null).sum(axis=1).tolist() == [5, 1]


def test_pvalues_of_exchangeable_statistics_are_valid():
    # the probability of p <= alpha is at most alpha, and alpha itself where it can be
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(20_000, 20))
    pvalues = permutation_pvalues(draws[:, 0], draws[:, 1:])
    for alpha in (0.05, 0.1, 0.5):
        # 4 standard errors of a share of 20000
        error = 4 * np.sqrt(alpha * (1 - alpha) / 20_000)
        assert np.mean(pvalues <= alpha + 1e-9) == pytest.approx(alpha, abs=error)
    lattice = np.round(draws)
    pvalues = permutation_pvalues(lattice[:, 0], lattice[:, 1:])
    assert np.mean(pvalues <= 0.05 + 1e-9) < 0.05


def test_one_seed_belongs_to_each_task():
    seeds = draw_seeds(0, 1000)
    assert seeds.shape == (1000,)
    assert len(np.unique(seeds)) > 990
    assert np.all(seeds >= 0)
    np.testing.assert_array_equal(seeds, draw_seeds(0, 1000))
    np.testing.assert_array_equal(seeds[:10], draw_seeds(0, 10))
    assert np.any(seeds != draw_seeds(1, 1000))


def test_a_generator_is_drawn_from():
    generator = np.random.RandomState(3)
    first, second = draw_seeds(generator, 5), draw_seeds(generator, 5)
    np.testing.assert_array_equal(first, draw_seeds(3, 5))
    assert np.any(first != second)


def test_permutations_hold_every_sample_once_and_repeat():
    order = permuted_order(5, 100)
    np.testing.assert_array_equal(np.sort(order), np.arange(100))
    np.testing.assert_array_equal(order, permuted_order(5, 100))
    assert np.any(order != permuted_order(6, 100))


def test_permutations_are_uniform():
    counts = np.zeros((4, 4))
    n_draws = 4000
    for seed in range(n_draws):
        counts[np.arange(4), permuted_order(seed, 4)] += 1
    # 4.5 standard deviations of a binomial count, for 16 cells
    assert np.all(np.abs(counts - n_draws / 4) < 4.5 * np.sqrt(n_draws * 3 / 16))
