"""The searches on tensors whose decomposition is known."""

from __future__ import annotations

import numpy as np
import pytest

from skinfo.datasets import make_teacher_network
from skinfo.score_functions.recovery import _directions
from skinfo.score_functions.recovery._directions import Solver, recover_directions
from skinfo.score_functions.recovery._head import fit_head
from skinfo.score_functions.recovery._landscape import (
    designed_loss,
    orthonormal_directions,
    polynomial_residual,
    pseudo_orthonormal_directions,
    smallest_designed_loss,
    stochastic_descent,
)
from skinfo.score_functions.recovery._recovery import explained_share
from skinfo.score_functions.recovery._training import trained_briefly
from skinfo.score_functions.recovery._whitening import fit_whitening
from skinfo.score_functions.tensors._average import ExplicitTensor, QuadraticPart

MIXED = np.array([2.0, -1.0, 0.5, -3.0])


def orthonormal(k=4, seed=0):
    basis, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(k, k)))
    return basis


def tensor_of(rows, coefficients, order=4):
    """Return sum_i c_i a_i^order."""
    axes = "ijkl"[:order]
    terms = ",".join(f"v{axis}" for axis in axes)
    operands = [rows] * order
    entries = np.einsum(f"v,{terms}->{axes}", coefficients, *operands, optimize=True)
    return ExplicitTensor(entries)


def misfit(found, truth):
    """Return 1 - min_i max_j |cos|."""
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    truth = truth / np.linalg.norm(truth, axis=1, keepdims=True)
    return 1 - np.abs(truth @ found.T).max(axis=1).min()


@pytest.mark.parametrize("n_features", [2, 10])
def test_random_starts_are_not_the_directions_of_a_network_of_the_same_seed(n_features):
    errors = [
        misfit(
            _directions._random_start(
                n_features, n_features, np.random.RandomState(seed)
            ),
            make_teacher_network(20, n_features, random_state=seed).components,
        )
        for seed in range(20)
    ]
    assert np.median(errors) > 0.05


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("coefficients", [np.ones(4), MIXED, -np.ones(4)])
def test_orthonormal_directions_are_fixed_points(coefficients, order):
    truth = orthonormal()
    tensor = tensor_of(truth, coefficients, order)
    search = orthonormal_directions(
        tensor, truth, even=order == 4, max_iter=2, tol=1e-12
    )
    assert misfit(search.directions, truth) <= 1e-12
    assert search.objective == pytest.approx(np.abs(coefficients).sum())


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("coefficients", [np.ones(4), MIXED, -np.ones(4)])
def test_orthonormal_directions_are_found_from_random_starts(coefficients, order):
    truth = orthonormal()
    tensor = tensor_of(truth, coefficients, order)
    searches = [
        orthonormal_directions(
            tensor, orthonormal(seed=seed), even=order == 4, max_iter=500, tol=1e-14
        )
        for seed in range(1, 6)
    ]
    best = max(searches, key=lambda search: search.objective)
    assert misfit(best.directions, truth) <= 1e-12
    np.testing.assert_allclose(
        best.directions @ best.directions.T, np.eye(4), atol=1e-12
    )
    assert best.history[-1] == pytest.approx(best.objective)


@pytest.mark.parametrize("signature", [[1, 1, -1, -1], [1, -1, 1, 1], [-1, 1, -1, -1]])
def test_pseudo_orthonormal_directions_are_found(signature):
    signature = np.array(signature, dtype=float)
    rng = np.random.default_rng(0)
    # rows A of M = A' diag(c) A, in coordinates where M is the signature
    rows, c = rng.normal(size=(4, 4)), signature * rng.uniform(0.5, 2, size=4)
    values, vectors = np.linalg.eigh(rows.T * c @ rows)
    scale = np.sqrt(np.abs(values))
    turned = rows @ (vectors / scale)
    tensor = tensor_of(turned, -c)
    starts = rng.normal(size=(4, 20, 4))
    search = pseudo_orthonormal_directions(
        tensor, np.sign(values), starts, max_iter=1000, tol=1e-15
    )
    back = vectors * scale
    assert misfit(search.along(back).directions, rows) <= 1e-9


# ---- the designed loss


def test_designed_loss_is_the_published_sum():
    rng = np.random.default_rng(0)
    tensor = tensor_of(rng.normal(size=(6, 4)), rng.normal(size=6))
    A = rng.normal(size=(3, 4))

    def contracted(u, v):
        return np.einsum("ijkl,i,j,k,l->", tensor.entries, u, u, v, v)

    crossed = sum(contracted(A[i], A[j]) for i in range(3) for j in range(3) if i != j)
    powers = sum(contracted(a, a) for a in A)
    for sign in (1.0, -1.0):
        loss, _ = designed_loss(tensor, A, mu=7.0, sign=sign)
        assert loss == pytest.approx(sign * (crossed - 7 * powers))


def test_gradient_of_the_designed_loss_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    tensor = tensor_of(rng.normal(size=(6, 4)), rng.normal(size=6))
    A, step = rng.normal(size=(3, 4)), 1e-5
    _, gradient = designed_loss(tensor, A, mu=30.0, sign=-1.0)
    for index in np.ndindex(A.shape):
        shift = np.zeros_like(A)
        shift[index] = step
        above, _ = designed_loss(tensor, A + shift, mu=30.0, sign=-1.0)
        below, _ = designed_loss(tensor, A - shift, mu=30.0, sign=-1.0)
        expected = (above - below) / (2 * step)
        assert gradient[index] == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_the_smallest_designed_loss_is_at_the_directions():
    truth = orthonormal()
    tensor = tensor_of(truth, -np.array([2.0, 1.0, 0.5, 3.0]))
    searches = [
        smallest_designed_loss(
            tensor,
            orthonormal(seed=seed),
            mu=30.0,
            sign=-1.0,
            max_iter=500,
            tol=1e-15,
        )
        for seed in range(1, 6)
    ]
    best = max(searches, key=lambda search: search.objective)
    assert misfit(best.directions, truth) <= 1e-6
    assert min(best.history) == pytest.approx(
        designed_loss(tensor, best.directions, mu=30.0, sign=-1.0)[0]
    )


def test_stochastic_descent_keeps_unit_rows_and_lowers_the_loss():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2048, 3))
    truth = orthonormal(3)
    y = polynomial_residual(X, np.maximum(X @ truth.T, 0).sum(axis=1)[:, None], 2)
    part = QuadraticPart(y[:, 0] / len(X), X, -np.eye(3))
    search = stochastic_descent(
        [part],
        orthonormal(3, seed=2),
        mu=30.0,
        sign=-1.0,
        n_epochs=10,
        generator=np.random.RandomState(0),
    )
    np.testing.assert_allclose(np.linalg.norm(search.directions, axis=1), 1)
    assert len(search.history) == 10
    assert search.history[-1] < search.history[0]


# ---- the whole recovery, from exact scores


@pytest.mark.parametrize("name", ["fixed_point", "lbfgs"])
def test_orthogonal_relu_directions_are_recovered(name):
    rng = np.random.default_rng(0)
    X, truth = rng.normal(size=(8192, 4)), orthonormal(4)
    y = np.maximum(X @ truth.T, 0).sum(axis=1)
    residual = polynomial_residual(X, y[:, np.newaxis], 2)[:, 0]
    search = recover_directions(
        [QuadraticPart(np.ones(len(X)), X, -np.eye(4))],
        y - y.mean(),
        residual,
        n_components=4,
        solver=Solver(name, 4, 30.0, 5, 300, 1e-12),
        generator=np.random.RandomState(0),
    )
    assert misfit(search.directions, truth) <= 0.05
    np.testing.assert_allclose(np.linalg.norm(search.directions, axis=1), 1)


def test_few_directions_of_order_three_lie_in_their_span():
    rng = np.random.default_rng(0)
    X, truth = rng.normal(size=(8192, 6)), orthonormal(6)[:2]
    y = np.tanh(X @ truth.T).sum(axis=1)
    search = recover_directions(
        [QuadraticPart(np.ones(len(X)), X, -np.eye(6))],
        y,
        y,
        n_components=2,
        solver=Solver("fixed_point", 3, 30.0, 5, 300, 1e-12),
        generator=np.random.RandomState(0),
    )
    inside = truth @ search.directions.T
    assert np.linalg.svd(inside, compute_uv=False).min() >= 0.95


# ---- residuals, whitening and the head


@pytest.mark.parametrize("degree", [1, 2])
def test_residuals_are_orthogonal_to_the_polynomials(degree):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(100, 3)), rng.normal(size=(100, 2))
    residual = polynomial_residual(X, Y, degree)
    np.testing.assert_allclose(X.T @ residual, 0, atol=1e-10)
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=1e-10)
    products = np.einsum("ni,nj,no->ijo", X, X, residual)
    assert (np.abs(products).max() < 1e-10) == (degree == 2)
    exact = (X**degree) @ np.ones((3, 2)) + 5
    np.testing.assert_allclose(polynomial_residual(X, exact, degree), 0, atol=1e-11)


def test_whitened_samples_are_white():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + [5, 0, -7]
    whitening = fit_whitening(X)
    Z = whitening.apply(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.T @ Z / 50, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(Z @ whitening.root.T + whitening.mean, X, atol=1e-12)


def test_whitening_leaves_out_directions_without_variance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 4))
    whitening = fit_whitening(X)
    assert whitening.rank == 2
    np.testing.assert_allclose(
        whitening.apply(X) @ whitening.root.T + whitening.mean, X, atol=1e-12
    )
    constant = fit_whitening(np.ones((5, 3)))
    np.testing.assert_array_equal(constant.apply(np.ones((5, 3))), np.zeros((5, 1)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_the_head_finds_signs_and_weights_of_known_directions(activation):
    rng = np.random.default_rng(0)
    X, truth = rng.normal(size=(3000, 3)), orthonormal(3)
    g = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
    }[activation]
    Y = g(X @ truth.T) @ np.array([[1.0, -2.0], [0.5, 1.0], [-1.5, 0.0]])
    network = fit_head(X, Y, truth * [[-1], [1], [-1]], activation, 1e-9)
    left = Y - network.predict(X)
    # the steepness of a unit that saturates comes from a coarse list
    bound = 1e-6 if activation == "relu" else 0.01
    assert (left.var(axis=0) / Y.var(axis=0)).max() <= bound


def test_a_brief_training_repairs_directions_that_are_nearly_right():
    data = make_teacher_network(1000, 4, random_state=0)
    rng = np.random.default_rng(0)
    directions = data.components + 0.3 * rng.normal(size=(4, 4))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    Y = (data.y - data.y.mean())[:, np.newaxis] / data.y.std()
    head = fit_head(data.X, Y, directions, "relu", 1e-2)
    trained = trained_briefly(head, data.X, Y)
    assert explained_share(head, data.X, Y) <= 0.9
    assert explained_share(trained, data.X, Y) >= 0.998
