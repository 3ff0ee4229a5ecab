"""Columns less what is linear in others, and what the estimate gains by it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm, rankdata

from skinfo import conditional_mutual_information
from skinfo._core._vectors import read_vector
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._triple import index_triple
from skinfo.dependence.variables._encoding import encode_columns
from skinfo.dependence.variables._residuals import residuals


def read(data):
    return read_vector(
        data, name="x", discrete="auto", discrete_name="d", nan_policy="raise"
    )


def encoded(data):
    return encode_columns(read(data), "rank")


def scores(values):
    return norm.ppf(rankdata(values) / (len(values) + 1))


def coordinates(column):
    return column.levels.coordinates[column.codes]


def make_samples(n=200, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    return np.exp(z @ [1.0, -2.0] + rng.normal(size=n)), z


def test_remainder_is_that_of_least_squares_between_normal_scores():
    x, z = make_samples()
    [column] = residuals(encoded(x), encoded(z), 5)
    given = np.column_stack([*map(scores, z.T), np.ones(len(x))])
    left = scores(x) - given @ np.linalg.lstsq(given, scores(x), rcond=None)[0]
    assert_allclose(coordinates(column), scores(left), atol=1e-12)


def kept(x, z, most_ties=5):
    before = encoded(x)
    [after] = residuals(before, encoded(z), most_ties)
    return after is before[0]


def test_columns_with_ties_stay_as_they_are():
    x, z = make_samples()
    tied = x.copy()
    tied[:6] = 1.0
    assert kept(tied, z)
    assert not kept(tied, z, most_ties=6)
    assert kept(np.round(np.log(x)), z)
    assert kept(np.where(x > 1, x, 0), z)


def test_nominal_columns_stay_as_they_are_and_take_nothing():
    x, z = make_samples()
    assert kept(x.astype(str), z)
    assert kept(x, z.astype(int).astype(str))


def test_all_columns_are_reduced_or_none():
    x, z = make_samples()
    constant = np.zeros(len(x))
    smooth, with_ties = x**2 + np.arange(len(x)), np.round(x)
    for other, as_it_is in [(smooth, False), (constant, False), (with_ties, True)]:
        before = [*encoded(x), *encoded(other)]
        after = residuals(before, encoded(z), 5)
        assert (after[0] is before[0]) is as_it_is
        assert (after[1] is before[1]) is (other is not smooth)


@pytest.mark.parametrize("n_neighbors", [5, 6, 7])
def test_ties_in_one_of_both_do_not_draw_the_estimate_to_zero(n_neighbors):
    """The truth is -log(1 - .6^2) / 2 = .223; x has at most 6 equal values, y 7."""
    rng = np.random.default_rng(0)
    z, noise = rng.normal(size=(2, 1000))
    x = 20 * z + noise
    y = 20 * z + 0.6 * noise + 0.8 * rng.normal(size=1000)
    for one, other in [(x, y.round(1)), (x.round(1), y), (x.round(1), y.round(1))]:
        found = conditional_mutual_information(one, other, z, n_neighbors=n_neighbors)
        assert found > 0.15


@pytest.mark.parametrize("n_columns", [1, 7, 10])
def test_order_of_rows_and_of_columns_of_z_does_not_matter(n_columns):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, n_columns))
    x, y = z.sum(axis=1) + rng.normal(size=(2, 300))
    repeated = np.r_[:300, 0:300:2, 0:300:3]  # equal rows must stay so
    expected = conditional_mutual_information(x[repeated], y[repeated], z[repeated])
    for seed in range(4):
        generator = np.random.default_rng(seed)
        rows = generator.permutation(repeated)
        given = z[rows][:, generator.permutation(n_columns)]
        assert conditional_mutual_information(x[rows], y[rows], given) == expected


def test_residuals_that_are_equal_by_symmetry_stay_equal():
    # (x, u, v) and (x, v, u): rounding gives u and v slightly different weights
    rng = np.random.default_rng(0)
    u, v, noise = rng.normal(size=(3, 500))
    x = np.tile(u + v + noise, 2)
    [column] = residuals(
        encoded(x), encoded(np.column_stack([np.r_[u, v], np.r_[v, u]])), 5
    )
    np.testing.assert_array_equal(column.codes[:500], column.codes[500:])


def test_functions_of_the_others_stay_as_they_are():
    x, z = make_samples()
    assert kept(np.exp(z[:, 0]), z)
    assert kept(x, np.column_stack([z, -x]))
    # what is left are errors of ranks
    assert kept(1000 * z[:, 0] + np.random.default_rng(1).normal(size=len(x)), z)


def test_many_columns_take_nothing_from_few_samples():
    x, _ = make_samples(n=100)
    z = np.random.default_rng(1).normal(size=(100, 6))
    assert kept(x, z)
    assert not kept(x, z[:, :5])


@pytest.mark.parametrize("loadings", [(1, 1), (1, -1), (2, -2), (3, 0)])
def test_strong_dependence_is_seen_beside_what_z_explains(loadings):
    """-log(1 - .9^2) / 2 = .830, of which -.1 or -.2 would be lost without."""
    estimates = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=1000)
        both = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 1000)
        x, y = (both + np.outer(z, loadings)).T
        estimates.append(conditional_mutual_information(x, y, z))
    assert abs(np.mean(estimates) + np.log(1 - 0.81) / 2) < 0.05


@pytest.mark.parametrize("scale", ["standard", None])
def test_other_scales_take_nothing(scale):
    x, z = make_samples()
    measure = MutualInformation(5, scale, "adaptive")
    triple = measure.triple(*map(read, (x, x**2, z)))
    expected = index_triple(*(measure.prepare(read(part)) for part in (x, x**2, z)))
    for name in ("x", "y"):
        found, plain = getattr(triple, name), getattr(expected, name)
        assert_allclose(found.points[found.codes], plain.points[plain.codes], rtol=0)
