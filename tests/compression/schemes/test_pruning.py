"""Pruning by size, and with least-squares compensation."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from itertools import combinations
from time import perf_counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skinfo import RDCompressor
from skinfo.compression.schemes import _pruning
from skinfo.compression.schemes._pruning import (
    allocation,
    prune,
    prune_refit,
    removal_path,
)
from tests.compression.stacks import (
    distortion_between,
    make_layers,
    make_linear_layer,
    make_stack,
    outputs_of,
)


def random_stack(sizes, link="identity"):
    return make_stack(make_layers(sizes), link)


def make_inputs(n_samples, n_inputs, seed=1):
    """Return correlated samples, (n_samples, n_inputs)."""
    rng = np.random.default_rng(seed)
    lags = np.abs(np.subtract.outer(np.arange(n_inputs), np.arange(n_inputs)))
    return rng.normal(size=(n_samples, n_inputs)) @ np.linalg.cholesky(0.8**lags).T + 1


def n_nonzero(stack):
    return sum(np.count_nonzero(layer.weights) for layer in stack.layers)


def linear_stack(weights):
    return make_stack([make_linear_layer(weights)])


def uniform_importance(stack):
    return [np.ones_like(layer.weights) for layer in stack.layers]


# Without compensation


def test_largest_importance_times_squared_weight_stays():
    stack = linear_stack(np.array([[1.0, -3.0], [2.0, 0.5]]))
    importance = [np.array([[10.0, 1.0], [1.0, 1.0]])]
    [layer] = prune(stack, importance, 0.5).layers
    assert_array_equal(layer.weights, [[1, -3], [0, 0]])


def test_each_layer_keeps_its_share_and_all_biases():
    stack = random_stack((20, 30, 10))
    pruned = prune(stack, uniform_importance(stack), 0.9)
    assert [np.count_nonzero(layer.weights) for layer in pruned.layers] == [60, 30]
    for before, after in zip(stack.layers, pruned.layers, strict=True):
        stays = after.weights != 0
        assert_array_equal(after.weights[stays], before.weights[stays])
        sizes = np.abs(before.weights)
        assert sizes[stays].min() >= sizes[~stays].max()
        assert_array_equal(after.biases, before.biases)


def test_each_layer_keeps_a_weight():
    stack = random_stack((20, 30, 2))
    pruned = prune(stack, uniform_importance(stack), 0.9999)
    assert [np.count_nonzero(layer.weights) for layer in pruned.layers] == [1, 1]


def test_the_first_of_equal_weights_stays():
    stack = linear_stack(np.array([[1.0, -1.0], [1.0, -1.0]]))
    [layer] = prune(stack, uniform_importance(stack), 0.25).layers
    assert_array_equal(layer.weights, [[1, -1], [1, 0]])


def test_prune_at_sparsity_0_changes_nothing():
    stack = random_stack((5, 4, 3))
    pruned = prune(stack, uniform_importance(stack), 0.0)
    for before, after in zip(stack.layers, pruned.layers, strict=True):
        assert_array_equal(after.weights, before.weights)


# The path of removals


def test_removal_of_one_of_two_weights_in_closed_form():
    hessian = np.array([[2.0, 1.0], [1.0, 2.0]])
    order, costs = removal_path(np.linalg.inv(hessian), np.array([1.0, 2.0]))
    assert_array_equal(order, [0, 1])
    # the second becomes 2.5: its own removal costs 2 x 2.5^2
    assert_allclose(costs, [1.5, 12.5], rtol=1e-12)


def test_refit_of_one_of_two_weights_in_closed_form():
    # samples with the second moments [[2, 1], [1, 2]] and mean 0
    X = np.array([[1.0, 2.0], [-1.0, -2.0], [np.sqrt(3), 0.0], [-np.sqrt(3), 0.0]])
    stack = linear_stack(np.array([[1.0], [2.0]]))
    pruned = prune_refit(stack, X, 0.5, damping=0)
    assert_allclose(pruned.layers[0].weights, [[0], [2.5]], rtol=1e-8)  # damping 1e-10
    assert distortion_between(stack, pruned, X) == pytest.approx(1.5, rel=1e-8)


@pytest.mark.parametrize("n_weights", [3, 40, 300])
def test_costs_add_up_to_the_loss_of_all_weights(n_weights):
    X = make_inputs(1000, n_weights)
    hessian = np.cov(X, rowvar=False) + 0.01 * np.eye(n_weights)
    weights = np.random.default_rng(0).normal(size=n_weights)
    order, costs = removal_path(np.linalg.inv(hessian), weights)
    assert_array_equal(np.sort(order), np.arange(n_weights))
    assert costs.sum() == pytest.approx(weights @ hessian @ weights, rel=1e-9)


def test_path_is_near_the_best_support():
    excess = []
    for seed in range(10):
        X = make_inputs(200, 8, seed)
        hessian = np.cov(X, rowvar=False)
        weights = np.random.default_rng(seed).normal(size=8)
        products = hessian @ weights
        losses = {}
        for support in combinations(range(8), 3):
            s = list(support)
            refitted = np.linalg.solve(hessian[np.ix_(s, s)], products[s])
            losses[support] = weights @ products - refitted @ products[s]
        order, costs = removal_path(np.linalg.inv(hessian), weights)
        found = tuple(sorted(order[-3:].tolist()))
        assert costs[:-3].sum() == pytest.approx(losses[found], rel=1e-9)
        excess.append(losses[found] / min(losses.values()))
    assert np.median(excess) < 1.1


def test_path_of_zero_weights_costs_nothing():
    order, costs = removal_path(np.eye(3), np.zeros(3))
    assert_array_equal(order, [0, 1, 2])
    assert_array_equal(costs, 0)


# Allocation


@pytest.mark.parametrize("exponent", [0, 1 / 3, 1])
@pytest.mark.parametrize("n_kept", [3, 4, 10, 500, 3000, 7399, 7400])
def test_allocation_adds_up_within_the_sizes(n_kept, exponent):
    sizes = np.array([6400, 990, 10])
    counts = allocation(sizes, n_kept, exponent)
    assert sum(counts) == n_kept
    assert (np.array(counts) >= 1).all()
    assert (np.array(counts) <= sizes).all()


def test_shares_are_powers_of_the_sizes():
    assert allocation(np.array([8000, 1000]), 900, 0) == (800, 100)
    assert allocation(np.array([8000, 1000]), 900, 1) == (450, 450)
    # shares of 1 to 4
    assert allocation(np.array([8000, 1000]), 900, 2 / 3) == (600, 300)


def test_full_layers_leave_the_rest_to_the_others():
    assert allocation(np.array([1000, 1000, 10]), 810, 1) == (400, 400, 10)


def test_allocation_keeps_one_weight_a_layer_where_fewer_are_asked():
    assert allocation(np.array([100, 100]), 1, 0.5) == (1, 1)


# With compensation


@pytest.mark.parametrize("sizes", [(12, 5), (12, 9, 4), (12, 9, 7, 3)])
@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.9])
def test_asked_share_is_kept(sizes, sparsity):
    stack = random_stack(sizes)
    pruned = prune_refit(stack, make_inputs(300, 12), sparsity)
    assert n_nonzero(pruned) == round((1 - sparsity) * stack.n_weights)


def test_sparsity_0_changes_nothing():
    stack = random_stack((6, 5, 3))
    assert prune_refit(stack, make_inputs(50, 6), 0.0) is stack


def test_nearly_all_weights_pruned_leaves_one_a_layer():
    stack = random_stack((6, 5, 3))
    X = make_inputs(50, 6)
    pruned = prune_refit(stack, X, 0.999)
    assert [np.count_nonzero(layer.weights) for layer in pruned.layers] == [1, 1]
    assert (
        distortion_between(stack, pruned, X)
        <= np.var(outputs_of(stack, X), axis=0).sum()
    )


def test_kept_weights_are_the_least_squares_fit():
    stack = random_stack((8, 4))
    X = make_inputs(100, 8)
    pruned = prune_refit(stack, X, 0.5, damping=0)
    outputs = outputs_of(stack, X)
    for j, column in enumerate(pruned.layers[0].weights.T):
        support = np.flatnonzero(column)
        design = np.column_stack([X[:, support], np.ones(100)])
        expected = np.linalg.lstsq(design, outputs[:, j], rcond=None)[0]
        found = np.append(column[support], pruned.layers[0].biases[j])
        assert_allclose(found, expected, rtol=1e-6)  # damping 1e-10


def test_damping_keeps_the_weights_near_the_original():
    stack = random_stack((8, 4))
    pruned = prune_refit(stack, make_inputs(100, 8), 0.5, damping=1e8)
    before, after = stack.layers[0].weights, pruned.layers[0].weights
    kept = after != 0
    assert_allclose(after[kept], before[kept], rtol=1e-6)


def test_mean_outputs_are_restored():
    stack = random_stack((8, 6, 4))
    X = make_inputs(200, 8)
    pruned = prune_refit(stack, X, 0.7)
    means = outputs_of(pruned, X).mean(axis=0)
    assert_allclose(means, outputs_of(stack, X).mean(axis=0), rtol=1e-10)


def test_compensation_beats_magnitude():
    stack = random_stack((30, 20, 5))
    X = make_inputs(500, 30)
    by_size = prune(stack, uniform_importance(stack), 0.7)
    magnitude = distortion_between(stack, by_size, X)
    assert distortion_between(stack, prune_refit(stack, X, 0.7), X) < magnitude / 3


def test_constant_inputs_keep_no_weights():
    stack = random_stack((8, 4))
    X = make_inputs(100, 8)
    X[:, [1, 5]] = 0.1  # its mean is not exact
    X[:, 6] = 0
    pruned = prune_refit(stack, X, 5 / 8)
    assert_array_equal(pruned.layers[0].weights[[1, 5, 6]], 0)
    assert n_nonzero(pruned) == 12
    few = prune_refit(stack, X, 1 / 16)  # fewer than are constant
    assert distortion_between(stack, few, X) < 1e-20


def test_one_of_two_equal_inputs_does_the_work_of_both():
    stack = random_stack((8, 3))
    X = np.repeat(make_inputs(100, 4), 2, axis=1)
    pruned = prune_refit(stack, X, 0.5, damping=0)
    pairs = (pruned.layers[0].weights != 0).reshape(4, 2, 3)
    assert_array_equal(pairs.sum(axis=1), 1)
    total = np.var(outputs_of(stack, X), axis=0).sum()
    assert (
        distortion_between(stack, pruned, X) < 1e-15 * total
    )  # damping 1e-10, squared


def test_weights_of_units_that_became_constant_go_to_other_layers():
    stack = random_stack((12, 9, 4))
    X = make_inputs(300, 12)
    pruned = prune_refit(stack, X, 0.3)
    assert n_nonzero(pruned) == round(0.7 * stack.n_weights)
    constant = np.ptp(np.maximum(first_outputs(pruned, X), 0), axis=0) == 0
    assert constant.any()
    assert_array_equal(pruned.layers[1].weights[constant], 0)


def first_outputs(stack, X):
    layer = stack.layers[0]
    return X @ layer.weights + layer.biases


def test_constant_inputs_of_sparse_samples_keep_no_weights():
    stack = random_stack((8, 4))
    X = make_inputs(1000, 8)
    X[:, [1, 5]] = 0.1
    pruned = prune_refit(stack, csr_matrix(X), 1 / 8)
    assert_array_equal(pruned.layers[0].weights[[1, 5]], 0)
    assert n_nonzero(pruned) == 24


def test_far_inputs_are_pruned_as_near_ones():
    stack = random_stack((8, 4))
    X = make_inputs(200, 8)
    far = 2.0**27
    layer = stack.layers[0]
    shifted = replace(layer, biases=layer.biases - far * layer.weights.sum(axis=0))
    found = prune_refit(replace(stack, layers=(shifted,)), X + far, 0.5)
    expected = prune_refit(stack, X, 0.5).layers[0].weights
    # inputs and outputs have lost 2^27, of 2^53
    assert_allclose(found.layers[0].weights, expected, rtol=1e-5)


@pytest.mark.parametrize("n_samples", [2, 20])
def test_fewer_samples_than_inputs_are_enough(n_samples):
    stack = random_stack((60, 4))
    X = make_inputs(n_samples, 60)
    pruned = prune_refit(stack, X, 0.6, damping=0)
    total = np.var(outputs_of(stack, X), axis=0).sum()
    assert (
        distortion_between(stack, pruned, X) < 1e-12 * total
    )  # damping 1e-10, squared
    assert np.abs(pruned.layers[0].weights).max() < 10


def test_one_sample_is_reproduced():
    stack = random_stack((5, 4, 3), "softmax")
    X = make_inputs(1, 5)
    pruned = prune_refit(stack, X, 0.5)
    assert_allclose(outputs_of(pruned, X), outputs_of(stack, X), rtol=1e-10)


def test_outputs_without_influence_keep_no_weights():
    stack = random_stack((8, 6, 3))
    first, last = stack.layers
    weights = last.weights.copy()
    weights[2] = 0
    stack = replace(stack, layers=(first, replace(last, weights=weights)))
    pruned = prune_refit(stack, make_inputs(200, 8), 0.6)
    assert_array_equal(pruned.layers[0].weights[:, 2], 0)


def test_scaled_inputs_keep_the_same_weights():
    stack = random_stack((8, 4))
    X = make_inputs(200, 8)
    scales = 2.0 ** np.arange(-4, 4)
    layer = stack.layers[0]
    scaled = replace(layer, weights=layer.weights / scales[:, np.newaxis])
    found = prune_refit(replace(stack, layers=(scaled,)), X * scales, 0.5)
    expected = prune_refit(stack, X, 0.5).layers[0].weights
    assert_allclose(
        found.layers[0].weights * scales[:, np.newaxis], expected, rtol=1e-9
    )


def test_sparse_samples_prune_as_dense_ones():
    stack = random_stack((8, 6, 3), "softmax")
    X = make_inputs(100, 8)
    X[X < 1] = 0
    dense = prune_refit(stack, X, 0.6)
    sparse = prune_refit(stack, csr_matrix(X), 0.6)
    for one, other in zip(sparse.layers, dense.layers, strict=True):
        assert_allclose(one.weights, other.weights, rtol=1e-9, atol=1e-12)
        assert_allclose(one.biases, other.biases, rtol=1e-9)


def test_original_and_samples_are_not_written_to():
    stack = random_stack((8, 6, 3), "softmax")
    X = make_inputs(100, 8)
    X.flags.writeable = False
    for layer in stack.layers:
        layer.weights.flags.writeable = False
        layer.biases.flags.writeable = False
    prune_refit(stack, X, 0.6)


def test_the_allocation_of_the_least_distortion_is_taken(monkeypatch):
    stack = random_stack((12, 20, 4), "softmax")
    X = make_inputs(300, 12)
    chosen = prune_refit(stack, X, 0.8)
    found = []
    for exponent in _pruning._EXPONENTS:
        monkeypatch.setattr(_pruning, "_EXPONENTS", (exponent,))
        found.append(distortion_between(stack, prune_refit(stack, X, 0.8), X))
    assert len(set(found)) == 3
    assert distortion_between(stack, chosen, X) == min(found)


def test_outputs_without_any_influence_count_alike():
    first, last = make_layers((6, 2, 1))
    stack = make_stack([first, replace(last, weights=np.zeros((2, 1)))])
    X = make_inputs(100, 6)
    found = prune_refit(stack, X, 0.6).layers[0].weights
    n_pruned = np.count_nonzero(found == 0)
    assert 0 < n_pruned < 12
    alone = make_stack([replace(first, activation="identity")])
    [expected] = prune_refit(alone, X, n_pruned / 12).layers
    assert_allclose(found, expected.weights, rtol=1e-12)


# Digits


def digits(seed):
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, test_size=0.4, stratify=y, random_state=seed)


@cache
def digits_network(seed):
    X, _, y, _ = digits(seed)
    network = MLPClassifier((100,), max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_tenth_of_the_digits_network_predicts_as_well_after_a_refit(seed):
    X, X_test, y, y_test = digits(seed)
    frozen = FrozenEstimator(digits_network(seed))
    refitted = RDCompressor(frozen, method="prune_refit", sparsity=0.9).fit(X)
    weights = refitted.compressed_estimator_.coefs_
    n_left = sum(np.count_nonzero(each) for each in weights)
    assert 730 < n_left <= 740  # some are below half a step
    assert refitted.score(X_test, y_test) >= 0.95
    for kind in ("uniform", "kl", "gradient", "hessian", "gradient+hessian"):
        pruned = RDCompressor(frozen, method="prune", sparsity=0.9, importance=kind)
        assert pruned.fit(X, y).score(X_test, y_test) < 0.7


@pytest.mark.slow
def test_wide_network_is_pruned_in_seconds():
    stack = random_stack((784, 256, 10), "softmax")
    X = make_inputs(3000, 784)
    start = perf_counter()
    pruned = prune_refit(stack, X, 0.9)
    assert perf_counter() - start < 60  # 6 seconds on one free core
    assert n_nonzero(pruned) == round(0.1 * stack.n_weights)
