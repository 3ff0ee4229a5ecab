"""The importances against explicit Jacobians, finite differences and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier

from skinfo.compression.distortion._importance import (
    gauss_newton_matrix,
    input_covariance,
    loss_targets,
    unit_importance,
    weight_importance,
)
from skinfo.compression.models._reading import read_stack
from tests.compression.stacks import (
    LINK_NAMES,
    make_layers,
    make_stack,
    outputs_of,
)

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
PROBABILITIES = ("softmax", "logistic", "ovr", "double_logistic")


def random_stack(sizes, link, activation="tanh"):
    return make_stack(make_layers(sizes, activation), link)


def make_samples(stack, n_samples=6, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, stack.n_inputs))
    if stack.link.name in ("softmax", "ovr"):
        targets = np.eye(stack.n_outputs)[rng.integers(stack.n_outputs, size=n_samples)]
    elif stack.link.name in PROBABILITIES:
        targets = rng.integers(2, size=(n_samples, stack.n_outputs)).astype(float)
    else:
        targets = rng.normal(size=(n_samples, stack.n_outputs))
    return X, targets


def losses(stack, X, targets):
    """Return the loss of each sample, (n,)."""
    p = stack.link.function(outputs_of(stack, X))
    if stack.link.name in ("softmax", "ovr"):
        return -np.log(p[targets == 1])
    if stack.link.name in PROBABILITIES:
        return -np.log(np.where(targets == 1, p, 1 - p)).sum(axis=1)
    return 0.5 * ((p - targets) ** 2).sum(axis=1)


def divergences(stack, raw, changed):
    """Return the distortion of each sample: KL, or half the squared difference."""
    p, q = stack.link.function(raw), stack.link.function(changed)
    if stack.link.name in ("softmax", "ovr"):
        return np.sum(p * np.log(p / q), axis=1)
    if stack.link.name in PROBABILITIES:
        other = (1 - p) * np.log((1 - p) / (1 - q))
        return np.sum(p * np.log(p / q) + other, axis=1)
    return 0.5 * np.sum((p - q) ** 2, axis=1)


def moved(stack, i, at, step):
    """Return the stack with one weight of layer i changed."""
    weights = stack.layers[i].weights.copy()
    weights[at] += step
    layers = list(stack.layers)
    layers[i] = replace(layers[i], weights=weights)
    return replace(stack, layers=tuple(layers))


def all_weights(stack):
    for i, layer in enumerate(stack.layers):
        for at in np.ndindex(layer.weights.shape):
            yield i, at


def finite_differences(function, stack, step):
    """Return f' and f'' of each weight for each sample, two dicts of (n,)."""
    first, second = {}, {}
    for i, at in all_weights(stack):
        below, here, above = (
            function(moved(stack, i, at, change)) for change in (-step, 0, step)
        )
        first[i, at] = (above - below) / (2 * step)
        second[i, at] = (above - 2 * here + below) / step**2
    return first, second


def as_arrays(stack, values):
    found = [np.zeros_like(layer.weights) for layer in stack.layers]
    for (i, at), value in values.items():
        found[i][at] = value
    return found


def assert_all_close(found, expected, rtol=1e-4):
    # differences with a step of 1e-4 have errors of 1e-8, relative to losses of 1 to 10
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=rtol, atol=1e-6)


NETWORKS = [
    *(((4, 3), link, "identity") for link in LINK_NAMES),
    *(((3, 4, 3, 2), link, "tanh") for link in LINK_NAMES),
    *(((3, 4, 3, 2), "softmax", activation) for activation in ACTIVATIONS),
    ((3, 4, 3, 5, 1), "logistic", "logistic"),
]


@pytest.mark.parametrize(("sizes", "link", "activation"), NETWORKS)
def test_gradient_is_the_mean_squared_derivative(sizes, link, activation):
    stack = random_stack(sizes, link, activation)
    X, targets = make_samples(stack)
    first, _ = finite_differences(lambda s: losses(s, X, targets), stack, 1e-4)
    expected = {key: np.mean(value**2) for key, value in first.items()}
    found = weight_importance(stack, X, targets, "gradient")
    assert_all_close(found, as_arrays(stack, expected))


@pytest.mark.parametrize(("sizes", "link", "activation"), NETWORKS)
def test_hessian_is_the_positive_mean_second_derivative(sizes, link, activation):
    stack = random_stack(sizes, link, activation)
    X, targets = make_samples(stack)
    _, second = finite_differences(lambda s: losses(s, X, targets), stack, 1e-4)
    expected = {key: max(0, np.mean(value)) for key, value in second.items()}
    found = weight_importance(stack, X, targets, "hessian")
    # rounding of 1e-15 in losses of 10 over the squared step
    for one, other in zip(found, as_arrays(stack, expected), strict=True):
        assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("sizes", "link", "activation"), NETWORKS)
def test_quartic_term_counts_the_weight_once(sizes, link, activation):
    stack = random_stack(sizes, link, activation)
    X, targets = make_samples(stack)
    first, second = finite_differences(lambda s: losses(s, X, targets), stack, 1e-4)
    expected = {
        (i, at): np.mean(first[i, at] ** 2)
        + stack.layers[i].weights[at] ** 2 * np.mean(second[i, at] ** 2) / 4
        for i, at in first
    }
    found = weight_importance(stack, X, targets, "gradient+hessian")
    assert_all_close(found, as_arrays(stack, expected), rtol=1e-3)


@pytest.mark.parametrize(("sizes", "link", "activation"), NETWORKS)
def test_kl_is_the_curvature_of_the_distortion(sizes, link, activation):
    stack = random_stack(sizes, link, activation)
    X, _ = make_samples(stack)
    raw = outputs_of(stack, X)
    _, second = finite_differences(
        lambda s: divergences(stack, raw, outputs_of(s, X)), stack, 1e-3
    )
    expected = {key: np.mean(value) for key, value in second.items()}
    found = weight_importance(stack, X, None, "kl")
    # third derivatives cancel, fourth ones are relative errors of 1e-6 to 1e-4
    assert_all_close(found, as_arrays(stack, expected), rtol=1e-3)


def test_kl_of_softmax_is_the_diagonal_of_explicit_jacobians():
    stack = random_stack((3, 5, 4), "softmax", "tanh")
    X, _ = make_samples(stack)
    probabilities = softmax(outputs_of(stack, X), axis=1)
    jacobians, _ = finite_differences(lambda s: outputs_of(s, X), stack, 1e-5)
    expected = {
        key: np.mean(
            [
                row @ (np.diag(p) - np.outer(p, p)) @ row
                for row, p in zip(jacobian, probabilities, strict=True)
            ]
        )
        for key, jacobian in jacobians.items()
    }
    found = weight_importance(stack, X, None, "kl")
    assert_all_close(found, as_arrays(stack, expected), rtol=1e-6)


@pytest.mark.parametrize("link", ["softmax", "logistic", "double_logistic", "identity"])
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_hessian_is_kl_without_curved_activations(link, activation):
    stack = random_stack((4, 6, 5, 3), link, activation)
    X, targets = make_samples(stack, n_samples=20)
    found = weight_importance(stack, X, targets, "hessian")
    for one, other in zip(found, weight_importance(stack, X, None, "kl"), strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_mean_over_labels_of_the_gradient_kind_is_kl():
    stack = random_stack((3, 4, 3), "softmax")
    X, _ = make_samples(stack, n_samples=1)
    probabilities = softmax(outputs_of(stack, X), axis=1)[0]
    by_label = [weight_importance(stack, X, y[None], "gradient") for y in np.eye(3)]
    found = weight_importance(stack, X, None, "kl")
    for i, importance in enumerate(found):
        mean = sum(p * each[i] for p, each in zip(probabilities, by_label, strict=True))
        assert_allclose(importance, mean, rtol=1e-9, atol=1e-12)


def test_uniform_is_one():
    stack = random_stack((3, 4, 2), "softmax")
    found = weight_importance(stack, np.zeros((1, 3)), None, "uniform")
    assert [importance.shape for importance in found] == [(3, 4), (4, 2)]
    assert all((importance == 1).all() for importance in found)


# "hessian" is cut at 0 after the mean
@pytest.mark.parametrize("kind", ["kl", "gradient", "gradient+hessian"])
def test_importance_is_the_mean_over_samples_and_not_of_means(kind):
    stack = random_stack((3, 4, 2), "softmax")
    X, targets = make_samples(stack, n_samples=5)
    one_by_one = [
        weight_importance(stack, X[i : i + 1], targets[i : i + 1], kind)
        for i in range(5)
    ]
    whole = weight_importance(stack, X, targets, kind)
    for i, importance in enumerate(whole):
        mean = np.mean([each[i] for each in one_by_one], axis=0)
        assert_allclose(importance, mean, rtol=1e-10)


def with_recorded_blocks(stack):
    """Return the stack, and a list that gets the number of samples of each block."""
    sizes = []

    def function(raw):
        sizes.append(len(raw))
        return stack.link.function(raw)

    return replace(stack, link=replace(stack.link, function=function)), sizes


@pytest.mark.parametrize("kind", ["kl", "gradient", "hessian", "gradient+hessian"])
def test_blocks_do_not_change_the_importance(kind):
    stack, sizes = with_recorded_blocks(random_stack((4, 5, 4, 3), "softmax"))
    X, targets = make_samples(stack, n_samples=50)
    whole = weight_importance(stack, X, targets, kind)
    assert max(sizes) == 50
    sizes.clear()
    with sklearn.config_context(working_memory=0.005):
        found = weight_importance(stack, X, targets, kind)
    assert max(sizes) < 20
    for one, other in zip(found, whole, strict=True):
        assert_allclose(one, other, rtol=1e-12)


def test_working_memory_bounds_the_blocks():
    stack, sizes = with_recorded_blocks(random_stack((4, 5, 3), "softmax"))
    with sklearn.config_context(working_memory=0.01):
        weight_importance(stack, np.zeros((1000, 4)), None, "kl")
    assert len(sizes) > 10
    assert sum(sizes) == 1000


@pytest.mark.parametrize("kind", ["kl", "gradient", "hessian", "gradient+hessian"])
def test_sparse_samples_have_the_importance_of_dense_ones(kind):
    stack = random_stack((4, 3), "softmax")
    X, targets = make_samples(stack)
    X[X < 0] = 0
    [dense] = weight_importance(stack, X, targets, kind)
    [sparse] = weight_importance(stack, csr_matrix(X), targets, kind)
    assert_allclose(sparse, dense, rtol=1e-12)


@pytest.mark.parametrize("link", PROBABILITIES)
@pytest.mark.parametrize("kind", ["kl", "gradient", "hessian", "gradient+hessian"])
def test_certain_predictions_have_finite_importances_of_at_least_zero(link, kind):
    stack = random_stack((3, 4, 3), link)
    last = stack.layers[-1]
    stack = replace(
        stack, layers=(stack.layers[0], replace(last, weights=last.weights * 1e4))
    )
    X, targets = make_samples(stack, n_samples=30)
    for importance in weight_importance(stack, X, targets, kind):
        assert np.isfinite(importance).all()
        assert (importance >= 0).all()


def test_supervised_importance_without_targets_is_an_error():
    stack = random_stack((3, 2), "softmax")
    with pytest.raises(ValueError, match=r"importance='hessian' needs .* Pass y"):
        weight_importance(stack, np.zeros((2, 3)), None, "hessian")


@pytest.mark.parametrize("link", LINK_NAMES)
def test_unit_importance_is_that_of_the_biases(link):
    stack = random_stack((3, 4, 2), link)
    X, _ = make_samples(stack)
    ones = np.ones((len(X), 1))
    # the weight of a constant input is a bias
    first = stack.layers[0]
    wider = replace(first, weights=np.vstack([first.weights, np.zeros(4)]))
    widened = replace(stack, layers=(wider, stack.layers[1]))
    found = weight_importance(widened, np.hstack([X, ones]), None, "kl")
    assert_allclose(unit_importance(stack, X)[0], found[0][-1], rtol=1e-10)


# Targets


def test_labels_of_a_classifier_become_indicators():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.repeat(["a", "b", "c"], 20)
    stack = read_stack(LogisticRegression().fit(X, y))
    found = loss_targets(stack, np.array(["c", "a", "b"]))
    assert_array_equal(found, [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_binary_labels_become_one_column():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.repeat([3, 7], 20)
    logistic = read_stack(LogisticRegression().fit(X, y))
    assert_array_equal(loss_targets(logistic, [7, 3, 3]), [[1], [0], [0]])
    margins = read_stack(RidgeClassifier().fit(X, y))
    assert_array_equal(loss_targets(margins, [7, 3, 3]), [[1], [-1], [-1]])


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("make", [np.asarray, csr_matrix])
def test_multilabel_targets_are_taken_as_they_are(make):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 2)), rng.integers(2, size=(40, 3))
    network = MLPClassifier((3,), max_iter=2, random_state=0).fit(X, make(Y))
    assert_array_equal(loss_targets(read_stack(network), make(Y)), Y)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_values_of_a_regressor_are_taken_as_they_are(n_outputs):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, n_outputs)).squeeze()
    stack = read_stack(LinearRegression().fit(X, Y))
    assert_array_equal(loss_targets(stack, Y), Y.reshape(20, n_outputs))


def test_a_label_that_the_model_does_not_know_is_an_error():
    rng = np.random.default_rng(0)
    stack = read_stack(LogisticRegression().fit(rng.normal(size=(9, 2)), [0, 1, 2] * 3))
    with pytest.raises(ValueError, match="y contains 5, which is none of the classes"):
        loss_targets(stack, [0, 5])


# The whole matrix of one layer


def explicit_matrix(stack, X):
    """Return the Schur complement from one Jacobian a sample."""
    metric = stack.link.metric(outputs_of(stack, X))
    k, d = stack.n_outputs, stack.n_inputs
    whole = np.zeros(((d + 1) * k, (d + 1) * k))
    for i, x in enumerate(X):
        matrix = np.diag(metric.scales[i])
        if metric.directions is not None:
            matrix -= np.outer(metric.directions[i], metric.directions[i])
        jacobian = np.kron(np.append(x, 1)[np.newaxis], np.eye(k))
        whole += jacobian.T @ matrix @ jacobian / len(X)
    n = d * k
    of_biases = np.linalg.pinv(whole[n:, n:], rcond=1e-12, hermitian=True)
    return whole[:n, :n] - whole[:n, n:] @ of_biases @ whole[n:, :n]


@pytest.mark.parametrize("link", LINK_NAMES)
def test_gauss_newton_matrix_is_the_schur_complement(link):
    stack = random_stack((4, 3), link)
    X, _ = make_samples(stack, n_samples=30)
    found = gauss_newton_matrix(stack, X)
    assert_allclose(found, explicit_matrix(stack, X), rtol=1e-8, atol=1e-10)
    assert_array_equal(found, found.T)


def test_gauss_newton_matrix_predicts_the_divergence_after_a_refit_of_the_biases():
    stack = random_stack((3, 3), "softmax")
    X, _ = make_samples(stack, n_samples=200)
    rng = np.random.default_rng(5)
    change = 1e-3 * rng.normal(size=(3, 3))
    raw = outputs_of(stack, X)
    metric = stack.link.metric(raw)
    # the best biases, of the quadratic form, by least squares over the samples
    of_biases = np.diag(metric.scales.sum(axis=0))
    of_biases -= metric.directions.T @ metric.directions
    moves = X @ change
    pulled = metric.scales * moves
    pulled -= metric.directions * np.sum(metric.directions * moves, axis=1)[:, None]
    biases = -np.linalg.pinv(of_biases) @ pulled.sum(axis=0)
    found = divergences(stack, raw, raw + moves + biases).mean()
    delta = change.ravel()
    expected = delta @ gauss_newton_matrix(stack, X) @ delta / 2
    assert found == pytest.approx(expected, rel=1e-2)  # third order: 1e-3


def test_far_inputs_lose_no_digits():
    stack = random_stack((3, 2), "softmax")
    X, _ = make_samples(stack, n_samples=50)
    far = 2.0**20
    weights = stack.layers[0].weights
    shifted = replace(
        stack.layers[0], biases=stack.layers[0].biases - far * weights.sum(axis=0)
    )
    found = gauss_newton_matrix(replace(stack, layers=(shifted,)), X + far)
    # the inputs and outputs have lost 2^20, of 2^53
    assert_allclose(found, gauss_newton_matrix(stack, X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("link", ["identity", "exp", "softmax"])
def test_sparse_samples_have_the_matrix_of_dense_ones(link):
    stack = random_stack((4, 3), link)
    X, _ = make_samples(stack, n_samples=20)
    X[X < 0] = 0
    found = gauss_newton_matrix(stack, csr_matrix(X))
    assert_allclose(found, gauss_newton_matrix(stack, X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [np.asarray, csr_matrix])
def test_input_covariance_is_that_of_numpy(make):
    X = np.random.default_rng(0).normal(size=(20, 4))
    covariance, means = input_covariance(make(X))
    assert_allclose(covariance, np.cov(X, rowvar=False, bias=True), atol=1e-14)
    assert_allclose(means, X.mean(axis=0), atol=1e-14)
