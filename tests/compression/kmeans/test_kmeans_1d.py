"""Weighted k-means of scalars against enumeration, a dense program and scikit-learn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

from skinfo.compression.kmeans import _optimal_bounds
from skinfo.compression.kmeans._kmeans_1d import weighted_kmeans_1d

LAWS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "Laplace": lambda rng, n: rng.laplace(size=n),
    "Student t3": lambda rng, n: rng.standard_t(3, size=n),
    "Cauchy cubed": lambda rng, n: rng.standard_cauchy(n) ** 3,
    "integers": lambda rng, n: rng.integers(40, size=n).astype(float),
    "two far groups": lambda rng, n: (
        rng.standard_normal(n) + rng.choice([-1e6, 1e6], size=n)
    ),
}
small_integers = st.lists(st.integers(-50, 50), min_size=2, max_size=30)


def one_cluster(values, weights):
    """Return the cost of one cluster."""
    if weights.sum() == 0:
        return 0.0
    return weights @ (values - np.average(values, weights=weights)) ** 2


def enumerated_inertia(values, weights, n_clusters):
    """Return the least inertia over all partitions of the sorted values."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    n = len(values)
    return min(
        sum(
            one_cluster(values[i:j], weights[i:j])
            for i, j in zip((0, *cuts), (*cuts, n), strict=True)
        )
        for cuts in combinations(range(1, n), min(n_clusters, n) - 1)
    )


def dense_inertia(values, weights, n_clusters):
    """Return the least inertia by the full table of costs and all splits."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    n = len(values)
    costs = np.full((n, n + 1), np.inf)  # of the values i to j - 1
    for i in range(n):
        x, w = values[i:] - values[i], weights[i:]
        first, second = np.cumsum(w * x), np.cumsum(w * x**2)
        costs[i, i + 1 :] = second - first**2 / np.cumsum(w)
    best = costs[0].copy()
    for _ in range(n_clusters - 1):
        best[1:] = np.min(best[:-1, np.newaxis] + costs[:, 1:][: len(best) - 1], axis=0)
    return best[n]


def inertia_of(result, values, weights):
    """Return the inertia from the definition."""
    return weights @ (values - result.centers[result.labels]) ** 2


@pytest.mark.parametrize("seed", range(30))
def test_inertia_is_the_least_of_all_partitions(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 11)
    law = list(LAWS.values())[seed % len(LAWS)]
    values, weights = law(rng, n), rng.exponential(size=n) ** 2
    for n_clusters in range(1, n + 1):
        result = weighted_kmeans_1d(values, weights, n_clusters)
        expected = enumerated_inertia(values, weights, n_clusters)
        # 1e-16 of the largest squares is rounding of the enumeration
        assert_allclose(
            result.inertia, expected, rtol=1e-9, atol=1e-16 * np.ptp(values)
        )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n_clusters", [2, 7, 30])
def test_inertia_is_that_of_a_dense_program(law, n_clusters):
    rng = np.random.default_rng(0)
    values, weights = LAWS[law](rng, 300), rng.exponential(size=300)
    result = weighted_kmeans_1d(values, weights, n_clusters)
    expected = dense_inertia(values, weights, n_clusters)
    assert_allclose(result.inertia, expected, rtol=1e-9)


@pytest.mark.parametrize("law", ["normal", "Laplace", "Student t3"])
def test_inertia_of_2000_values_is_exact(law):
    rng = np.random.default_rng(1)
    values, weights = LAWS[law](rng, 2000), rng.exponential(size=2000)
    result = weighted_kmeans_1d(values, weights, 12)
    assert_allclose(result.inertia, dense_inertia(values, weights, 12), rtol=1e-9)


@pytest.mark.parametrize(
    ("law", "tolerance"), [("normal", 1e-4), ("Laplace", 1e-4), ("Student t3", 1e-3)]
)
def test_many_values_are_near_the_optimum(law, tolerance, monkeypatch):
    rng = np.random.default_rng(2)
    values = LAWS[law](rng, 4000)
    found = weighted_kmeans_1d(values, None, 64)
    monkeypatch.setattr(_optimal_bounds, "_LARGEST_EXACT", 4000)
    optimum = weighted_kmeans_1d(values, None, 64)
    assert optimum.inertia * (1 - 1e-12) <= found.inertia
    assert found.inertia <= optimum.inertia * (1 + tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["normal", "Laplace", "Student t3"])
def test_many_values_are_clustered_better_than_by_lloyd(law):
    values = LAWS[law](np.random.default_rng(3), 100_000)
    result = weighted_kmeans_1d(values, None, 64)
    peer = KMeans(64, n_init=1, random_state=0).fit(values[:, np.newaxis])
    assert result.inertia < peer.inertia_


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [50, 5000])
def test_result_is_consistent(law, n):
    rng = np.random.default_rng(4)
    values, weights = LAWS[law](rng, n), rng.exponential(size=n)
    result = weighted_kmeans_1d(values, weights, 8)
    assert result.centers.shape == (8,)
    assert np.all(np.diff(result.centers) > 0)
    assert result.labels.dtype == np.int64
    assert result.labels.shape == values.shape
    # rounding of centers of 1e6 beside values within 1 of them
    assert_allclose(inertia_of(result, values, weights), result.inertia, rtol=1e-8)
    nearest = np.abs(values[:, np.newaxis] - result.centers).argmin(axis=1)
    assert_array_equal(result.labels, nearest)
    means = [
        np.average(values[result.labels == k], weights=weights[result.labels == k])
        for k in range(8)
    ]
    assert_allclose(result.centers, means, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [100, 5000])
@pytest.mark.parametrize("offset", [1e8, -1e8])
def test_offsets_move_only_the_centers(n, offset):
    rng = np.random.default_rng(5)
    values = np.round(rng.standard_normal(n) * 2**20) / 2**20  # exact beside the offset
    plain = weighted_kmeans_1d(values, None, 6)
    moved = weighted_kmeans_1d(values + offset, None, 6)
    assert_array_equal(moved.labels, plain.labels)
    assert_allclose(moved.inertia, plain.inertia, rtol=1e-12)
    assert_allclose(moved.centers - offset, plain.centers, atol=2e-8)  # spacing at 1e8


@pytest.mark.parametrize("n", [40, 4000])
def test_fine_structure_of_far_groups_is_seen(n):
    rng = np.random.default_rng(6)
    group = np.round(rng.standard_normal(n) * 2**20) / 2**20
    alone = weighted_kmeans_1d(group, None, 5)
    both = weighted_kmeans_1d(np.concatenate([group - 1e8, group + 1e8]), None, 10)
    assert_allclose(both.inertia, 2 * alone.inertia, rtol=1e-4 if n > 3000 else 1e-9)


@pytest.mark.parametrize("n", [60, 5000])
@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e153])
def test_scales_change_neither_labels_nor_shape(n, scale):
    rng = np.random.default_rng(7)
    values, weights = rng.standard_normal(n), rng.exponential(size=n)
    plain = weighted_kmeans_1d(values, weights, 5)
    scaled = weighted_kmeans_1d(values * scale, weights, 5)
    assert_array_equal(scaled.labels, plain.labels)
    assert_allclose(scaled.centers, plain.centers * scale, rtol=1e-12)
    assert_allclose(scaled.inertia, plain.inertia * scale * scale, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-8, 1e306])
def test_scales_of_the_weights_change_only_the_inertia(scale):
    rng = np.random.default_rng(8)
    values, weights = rng.standard_normal(200), rng.exponential(size=200)
    plain = weighted_kmeans_1d(values, weights, 5)
    scaled = weighted_kmeans_1d(values, weights * scale, 5)
    assert_allclose(scaled.centers, plain.centers, rtol=1e-12)
    assert_allclose(scaled.inertia, plain.inertia * scale, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(values=small_integers, n_clusters=st.integers(1, 8), data=st.data())
def test_whole_weights_are_repetitions(values, n_clusters, data):
    sizes = st.lists(st.integers(1, 4), min_size=len(values), max_size=len(values))
    weights = np.array(data.draw(sizes))
    weighted = weighted_kmeans_1d(values, weights, n_clusters)
    repeated = weighted_kmeans_1d(np.repeat(values, weights), None, n_clusters)
    assert_allclose(weighted.inertia, repeated.inertia, rtol=1e-9, atol=1e-12)
    assert len(weighted.centers) == min(n_clusters, len(set(values)))


@settings(max_examples=60, deadline=None)
@given(values=small_integers, n_clusters=st.integers(1, 8))
def test_reflection_and_order_do_not_count(values, n_clusters):
    values = np.array(values)
    plain = weighted_kmeans_1d(values, None, n_clusters)
    for other in (-values, values[::-1], np.sort(values)):
        result = weighted_kmeans_1d(other, None, n_clusters)
        assert_allclose(result.inertia, plain.inertia, rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(values=small_integers)
def test_more_clusters_never_cost_more(values):
    costs = [weighted_kmeans_1d(values, None, k).inertia for k in range(1, 9)]
    assert np.all(np.diff(costs) <= 1e-9)
    assert np.all(np.diff(costs, 2) >= -1e-9 * max(costs))  # and gain less and less


def test_values_of_weight_0_have_no_influence():
    rng = np.random.default_rng(9)
    values, weights = rng.standard_normal(60), rng.exponential(size=60)
    weights[::3] = 0
    values[0] = 1e9
    result = weighted_kmeans_1d(values, weights, 4)
    counted = weights > 0
    alone = weighted_kmeans_1d(values[counted], weights[counted], 4)
    assert_array_equal(result.centers, alone.centers)
    assert result.inertia == alone.inertia
    nearest = np.abs(values[:, np.newaxis] - result.centers).argmin(axis=1)
    assert_array_equal(result.labels, nearest)


def test_weights_that_are_all_0_count_alike():
    values = [3.0, 1.0, 2.0, 7.0]
    zero = weighted_kmeans_1d(values, np.zeros(4), 2)
    assert_array_equal(zero.labels, weighted_kmeans_1d(values, None, 2).labels)


def test_enough_clusters_reproduce_the_values():
    values = np.array([0.3, 0.1, 0.3, -7.7, 1e8])
    for n_clusters in (4, 5, 1000):
        result = weighted_kmeans_1d(values, [1, 2, 0.5, 1, 1], n_clusters)
        assert_array_equal(result.centers, [-7.7, 0.1, 0.3, 1e8])
        assert_array_equal(result.centers[result.labels], values)
        assert result.inertia == 0.0


def test_clusters_of_one_value_reproduce_it():
    result = weighted_kmeans_1d([0.1, 5.3, 5.4, 9.7], None, 3)
    assert result.centers[0] == 0.1
    assert result.centers[2] == 9.7


@pytest.mark.parametrize("value", [0.0, -2.5, 1e-310, 1.7e308])
def test_constant_values_are_one_cluster(value):
    result = weighted_kmeans_1d(np.full(20, value), None, 3)
    assert_array_equal(result.centers, [value])
    assert_array_equal(result.labels, np.zeros(20))
    assert result.inertia == 0.0


def test_the_whole_range_of_floats_is_clustered():
    values = np.array([-1.7e308, -1.6e308, 0.0, 1e-320, 1.7e308])
    result = weighted_kmeans_1d(values, np.full(5, 1e308), 3)
    assert_array_equal(result.labels, [0, 0, 1, 1, 2])
    assert_allclose(result.centers[[0, 2]], [-1.65e308, 1.7e308])
    values = np.array([0.0, 1.0, 10.0]) * 5e-324  # spacing of the smallest floats
    assert_array_equal(weighted_kmeans_1d(values, None, 2).labels[[0, 2]], [0, 1])


def test_neighbouring_floats_are_told_apart():
    values = np.array([1e8, np.nextafter(1e8, np.inf), 2e8])
    result = weighted_kmeans_1d(values, None, 3)
    assert_array_equal(result.labels, [0, 1, 2])


def test_one_cluster_is_the_mean():
    rng = np.random.default_rng(10)
    values, weights = rng.standard_normal(4000), rng.exponential(size=4000)
    result = weighted_kmeans_1d(values, weights, 1)
    assert_allclose(result.centers, [np.average(values, weights=weights)], rtol=1e-12)
    assert_allclose(result.inertia, one_cluster(values, weights), rtol=1e-12)


@pytest.mark.parametrize(
    "n_clusters",
    [2, 900, *(pytest.param(each, marks=pytest.mark.slow) for each in (2500, 4990))],
)
def test_many_values_allow_any_number_of_clusters(n_clusters):
    values = np.random.default_rng(11).standard_normal(5000)
    result = weighted_kmeans_1d(values, None, n_clusters)
    assert len(np.unique(result.labels)) == len(result.centers) == n_clusters
    assert_allclose(
        inertia_of(result, values, np.ones(5000)), result.inertia, rtol=1e-9
    )


def test_many_values_with_an_atom_keep_it():
    rng = np.random.default_rng(12)
    values = np.concatenate([np.zeros(20_000), rng.standard_normal(5000)])
    result = weighted_kmeans_1d(values, None, 16)
    assert np.abs(result.centers).min() < 1e-3


def test_weights_of_any_size_are_clustered():
    rng = np.random.default_rng(13)
    values, weights = rng.standard_normal(4000), 10.0 ** rng.uniform(-300, 0, size=4000)
    result = weighted_kmeans_1d(values, weights, 20)
    heavy = weights > 1e-20 * weights.max()
    alone = weighted_kmeans_1d(values[heavy], weights[heavy], 20)
    assert_allclose(result.inertia, alone.inertia, rtol=1e-4)


def test_results_are_the_same_in_every_run():
    values = np.random.default_rng(14).standard_normal(5000)
    first, second = (weighted_kmeans_1d(values, None, 32) for _ in range(2))
    assert_array_equal(first.centers, second.centers)
    assert_array_equal(first.labels, second.labels)
    assert first.inertia == second.inertia


@pytest.mark.parametrize(
    "converted",
    [
        np.array([3, 1, 2, 7, 8], dtype=np.float32),
        np.array([3, 1, 2, 7, 8]),
        [3, 1, 2, 7, 8],
        pd.Series([3, 1, 2, 7, 8], index=[5, 4, 3, 2, 1]),
    ],
    ids=["float32", "int64", "list", "Series"],
)
def test_values_of_any_type_are_read(converted):
    values = np.array([3.0, 1.0, 2.0, 7.0, 8.0])
    result = weighted_kmeans_1d(converted, converted, 2)
    expected = weighted_kmeans_1d(values, values, 2)
    assert_array_equal(result.centers, expected.centers)
    assert result.centers.dtype == np.float64


def test_inputs_are_not_written_to():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 0.0, 2.0])
    values.flags.writeable = weights.flags.writeable = False
    weighted_kmeans_1d(values, weights, 1)
    assert_array_equal(values, [3, 1, 2])


@pytest.mark.parametrize(
    ("values", "weights", "n_clusters", "error", "message"),
    [
        ([], None, 1, ValueError, "values cannot be used"),
        ([[1.0]], None, 1, ValueError, r"values has 2 dim.*np\.ravel\(values\)"),
        (1.0, None, 1, ValueError, "values has 0 dimensions"),
        ([1, np.nan], None, 1, ValueError, "values cannot be used.*NaN"),
        ([1, np.inf], None, 1, ValueError, "values cannot be used.*infinity"),
        ([1, 2], [1, np.nan], 1, ValueError, "weights cannot be used.*NaN"),
        ([1, 2], [1, np.inf], 1, ValueError, "weights cannot be used.*infinity"),
        ([1, 2], [1, -0.5], 1, ValueError, "weights has the negative entry -0.5"),
        ([1, 2], [1], 1, ValueError, "values has 2, weights has 1"),
        ([1, 2], [[1, 2]], 1, ValueError, "weights has 2 dimensions"),
        ([1, 2], None, 0, ValueError, "n_clusters=0 must be at least 1"),
        ([1, 2], None, 1.5, TypeError, "n_clusters=1.5 must be an integer"),
        ([1, 2], None, True, TypeError, "n_clusters=True must be an integer"),
        (csr_array([[1.0]]), None, 1, ValueError, "values has 2 dimensions"),
    ],
)
def test_bad_input_is_an_error(values, weights, n_clusters, error, message):
    with pytest.raises(error, match=message):
        weighted_kmeans_1d(values, weights, n_clusters)
