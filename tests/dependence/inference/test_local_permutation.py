"""Local permutations: which samples exchange their y, against plain sorting."""

from __future__ import annotations

import numpy as np
import pytest

from skinfo._core._vectors import read_vector
from skinfo.dependence.inference._local_permutation import (
    N_NEIGHBORS,
    local_permutation,
)
from skinfo.dependence.variables._encoding import encode_columns
from skinfo.dependence.variables._variable import make_variable

SEEDS = range(30)


def variable_of(z, *, nominal="auto"):
    vector = read_vector(
        z, name="z", discrete=nominal, discrete_name="z_discrete", nan_policy="raise"
    )
    return make_variable(encode_columns(vector, None))


def normals(n_samples=80, n_columns=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, n_columns))


def nearest(z):
    """Return the sets of the nearest samples of each sample, by plain sorting."""
    distances = np.abs(z[:, np.newaxis] - z).max(axis=2)
    return [set(row) for row in np.argsort(distances, axis=1)[:, :N_NEIGHBORS]]


@pytest.mark.parametrize("n_columns", [1, 3])
def test_each_sample_takes_one_of_its_nearest(n_columns):
    z = normals(n_columns=n_columns)
    permutation, neighbors = local_permutation(variable_of(z)), nearest(z)
    taken = [set() for _ in z]
    for seed in range(200):
        for sample, choice in enumerate(permutation.order(seed)):
            taken[sample].add(choice)
    assert taken == neighbors  # no others, and each of them sometimes


def test_a_sample_is_taken_twice_only_where_nothing_else_is_left():
    z = normals()
    permutation, neighbors = local_permutation(variable_of(z)), nearest(z)
    n_twice = 0
    for seed in SEEDS:
        order = permutation.order(seed)
        taken, counts = np.unique(order, return_counts=True)
        for sample in taken[counts > 1]:
            takers = np.flatnonzero(order == sample)
            # for all but the first of them, all neighbours were taken
            stuck = [neighbors[taker] <= set(taken) for taker in takers]
            assert sum(stuck) >= len(takers) - 1
            n_twice += len(takers) - 1
    assert 0 < n_twice < 0.12 * len(SEEDS) * len(z)


def test_same_seed_gives_the_same_order():
    permutation = local_permutation(variable_of(normals()))
    np.testing.assert_array_equal(permutation.order(3), permutation.order(3))
    assert np.any(permutation.order(3) != permutation.order(4))


@pytest.mark.parametrize("kind", ["strings", "numbers that recur"])
def test_samples_that_share_z_are_permuted_among_themselves(kind):
    codes = np.repeat([2, 0, 1], [20, 7, 13])
    z = np.array(["a", "b", "c"])[codes] if kind == "strings" else codes / 4
    permutation = local_permutation(variable_of(z))
    for seed in SEEDS:
        order = permutation.order(seed)
        np.testing.assert_array_equal(np.sort(order), np.arange(40))
        np.testing.assert_array_equal(codes[order], codes)


def test_permutations_of_a_stratum_are_uniform():
    permutation = local_permutation(variable_of(["a"] * 4 + ["b"]))
    counts = np.zeros((4, 4))
    n_draws = 4000
    for seed in range(n_draws):
        order = permutation.order(seed)
        assert order[4] == 4
        counts[np.arange(4), order[:4]] += 1
    # 4.5 standard deviations of a binomial count, for 16 cells
    assert np.all(np.abs(counts - n_draws / 4) < 4.5 * np.sqrt(n_draws * 3 / 16))


def test_few_samples_of_a_nominal_value_stay_there():
    z = ["a"] * 2 + ["b"] * 30
    permutation = local_permutation(variable_of(z))
    orders = np.array([permutation.order(seed)[:2] for seed in SEEDS])
    assert {tuple(order) for order in orders.tolist()} == {(0, 1), (1, 0)}


def test_nominal_values_never_mix():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2, 3], [1, 3, 30, 46])
    z = np.column_stack([rng.normal(size=80), groups])
    permutation = local_permutation(variable_of(z, nominal=[1]))
    orders = np.array([permutation.order(seed) for seed in SEEDS])
    np.testing.assert_array_equal(groups[orders], np.tile(groups, (len(SEEDS), 1)))
    assert np.all(orders[:, 0] == 0)
    # in a group of fewer than N_NEIGHBORS samples, each is taken
    assert set(orders[:, 1]) == {1, 2, 3}
    assert len(np.unique(orders[:, 40])) == N_NEIGHBORS


def test_untied_samples_beside_an_atom_prefer_each_other():
    z = np.concatenate([np.zeros(40), 1 + normals(40)[:, 0] ** 2])
    permutation = local_permutation(variable_of(z))
    np.testing.assert_array_equal(permutation.untied, np.arange(40, 80))
    for seed in SEEDS:
        order = permutation.order(seed)
        np.testing.assert_array_equal(np.sort(order[:40]), np.arange(40))
        assert np.mean(order[40:] >= 40) > 0.9


def test_values_that_few_share_reach_to_the_next_ones():
    z = np.repeat([0.0, 1.0, 2.0, 10.0, 11.0], [2, 2, 2, 3, 4])
    permutation = local_permutation(variable_of(z))
    orders = np.array([permutation.order(seed) for seed in SEEDS])
    assert set(z[orders[:, 0]]) == {0.0, 1.0, 2.0}
    assert set(z[orders[:, -1]]) == {10.0, 11.0}


def test_samples_beyond_the_neighbourhood_are_not_left_out_by_position():
    # 3 samples at each value: the neighbourhood of 5 holds 2 of those at the next one
    z, position = np.repeat(normals(30)[:, 0], 3), np.tile([0, 1, 2], 30)
    permutation = local_permutation(variable_of(z))
    orders = np.array([permutation.order(seed) for seed in SEEDS])
    counts = np.bincount(position[orders[z[orders] != z]], minlength=3)
    assert counts.min() > 0.2 * counts.sum()


def test_fewer_samples_than_neighbours_are_enough():
    permutation = local_permutation(variable_of([0.0, 1.0, 3.0]))
    orders = [permutation.order(seed) for seed in SEEDS]
    assert set(np.ravel(orders)) == {0, 1, 2}


# trends within neighbourhoods


@pytest.mark.parametrize("n_columns", [1, 3])
def test_trend_counts_how_often_the_nearest_is_nearer_than_the_last(n_columns):
    z, y = normals(n_columns=n_columns), normals(seed=1)
    permutation = local_permutation(variable_of(z))
    n_nearer = 0
    for sample, place in enumerate(z):
        order = np.argsort(np.abs(z - place).max(axis=1))
        to_second, to_last = np.abs(y[order[[1, N_NEIGHBORS - 1]], 0] - y[sample, 0])
        n_nearer += to_second < to_last
    # 80 neighbourhoods: three standard deviations are more than a tenth of all
    expected = (2 * n_nearer - 80) / (3 * np.sqrt(80))
    assert permutation.trend(variable_of(y)) == pytest.approx(expected)


def test_trend_is_clear_for_functions_and_not_for_noise():
    z, noise = normals(300), normals(300, seed=1)
    trend = local_permutation(variable_of(z)).trend
    assert trend(variable_of(np.exp(z))) > 4
    assert trend(variable_of(z + 1e-3 * noise)) > 3
    assert trend(variable_of(np.column_stack([z, z**2]))) > 2
    assert abs(trend(variable_of(z + noise))) < 1
    assert abs(trend(variable_of((z + noise > 0).astype(str)))) < 1


def test_trend_of_many_samples_is_a_share():
    z, noise = normals(3000), normals(3000, seed=1)
    permutation = local_permutation(variable_of(z))
    assert 9 < permutation.trend(variable_of(z)) <= 10
    assert abs(permutation.trend(variable_of(noise))) < 0.5


def test_duplicate_rows_make_no_trend():
    twice = np.r_[np.arange(200), np.arange(60)]
    z, y = normals(200)[twice], normals(200, seed=1)[twice]
    assert abs(local_permutation(variable_of(z)).trend(variable_of(y))) < 1


@pytest.mark.parametrize(
    "z",
    [["a", "b"] * 20, np.repeat([0.0, 1.0], 20), np.arange(40) // 2 * 1.0],
    ids=["strings", "strata", "pairs"],
)
def test_trend_of_a_constant_is_zero(z):
    constant = variable_of(np.zeros(40))
    assert local_permutation(variable_of(z)).trend(constant) == 0


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4])
def test_repeated_neighbors_make_no_trend(n_samples):
    z = np.column_stack([np.arange(n_samples), np.zeros(n_samples)])
    z = np.vstack([z, [[0.0, 1.0], [1.0, 1.0]]])  # another group
    permutation = local_permutation(variable_of(z, nominal=[1]))
    assert permutation.trend(variable_of(z[:, 0])) == 0


def test_trends_are_found_among_tied_samples():
    z = np.repeat(normals(200)[:, 0], 2)
    trend = local_permutation(variable_of(z)).trend
    assert abs(trend(variable_of(normals(400, seed=1)))) < 1
    assert trend(variable_of(np.exp(z))) > 3


def test_among_equals_only_samples_that_share_z_change_places():
    z = np.repeat([0.0, 1.0, 2.0, 3.0], [1, 2, 7, 1])
    permutation = local_permutation(variable_of(z)).among_equals()
    orders = np.array([permutation.order(seed) for seed in SEEDS])
    np.testing.assert_array_equal(z[orders], np.tile(z, (len(SEEDS), 1)))
    np.testing.assert_array_equal(np.sort(orders), np.tile(np.arange(11), (30, 1)))
    assert set(orders[:, 1]) == {1, 2}
    assert set(orders[:, 5]) == set(range(3, 10))
