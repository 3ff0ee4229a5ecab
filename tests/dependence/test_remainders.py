"""Columns less what is linear in others, and what the estimate gains by it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm, rankdata

from skinfo import conditional_mutual_information
from skinfo._core._vectors import read_vector
from skinfo.dependence._conditional import index_triple, prepare_triple
from skinfo.dependence._mutual_info import MutualInformation
from skinfo.dependence._remainders import remainders
from skinfo.dependence._scaling import encode_columns


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
    [column] = remainders(encoded(x), encoded(z), 5)
    given = np.column_stack([*map(scores, z.T), np.ones(len(x))])
    left = scores(x) - given @ np.linalg.lstsq(given, scores(x), rcond=None)[0]
    assert_allclose(coordinates(column), scores(left), atol=1e-12)


def kept(x, z, most_ties=5):
    before = encoded(x)
    [after] = remainders(before, encoded(z), most_ties)
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


def test_functions_of_the_others_stay_as_they_are():
    x, z = make_samples()
    assert kept(np.exp(z[:, 0]), z)
    assert kept(x, np.column_stack([z, -x]))


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
    triple = prepare_triple(measure, *map(read, (x, x**2, z)))
    expected = index_triple(*(measure.prepare(read(part)) for part in (x, x**2, z)))
    for name in ("x", "y"):
        found, plain = getattr(triple, name), getattr(expected, name)
        assert_allclose(found.points[found.codes], plain.points[plain.codes], rtol=0)
