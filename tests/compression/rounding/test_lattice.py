"""Lattice reduction against its definition, and against rounding row by row."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skinfo.compression.rounding._feedback import feedback_factors, round_with_feedback
from skinfo.compression.rounding._lattice import reduce_lattice


def make_metric(d, condition, seed=0):
    """Return a positive definite matrix with eigenvalues from 1 to 1 / condition."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return (axes * np.geomspace(1, 1 / condition, d)) @ axes.T


def cost(metric, error):
    return float(np.sum((metric @ error) * error))


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e10])
@pytest.mark.parametrize("d", [1, 2, 5, 30])
def test_basis_is_of_integers_and_its_inverse_too(d, condition):
    lattice = reduce_lattice(make_metric(d, condition))
    for matrix in (lattice.basis, lattice.inverse):
        assert_array_equal(matrix, np.rint(matrix))
    assert_array_equal(lattice.basis @ lattice.inverse, np.eye(d))


@pytest.mark.parametrize("d", [2, 3, 12])
def test_basis_is_reduced(d):
    metric = make_metric(d, 1e6)
    assert_reduced(metric, reduce_lattice(metric).basis)


def assert_reduced(metric, basis):
    """The definition of Lenstra, Lenstra and Lovasz, with the last vector first."""
    vectors = np.linalg.cholesky(metric, upper=True) @ basis
    d = len(metric)
    R = np.linalg.qr(vectors[:, ::-1], mode="r")
    diagonal = np.diag(R)
    shares = np.triu(R, 1) / diagonal[:, np.newaxis]
    assert np.abs(shares).max() <= 0.5 + 1e-6
    for i in range(1, d):
        outside = R[i - 1, i] ** 2 + R[i, i] ** 2
        assert outside >= (0.99 - 1e-6) * R[i - 1, i - 1] ** 2


def test_basis_from_that_of_another_metric_is_reduced_too():
    start = reduce_lattice(make_metric(12, 1e6) + 1e-4 * np.eye(12))
    metric = make_metric(12, 1e6)
    lattice = reduce_lattice(metric, start)
    assert_array_equal(lattice.basis @ lattice.inverse, np.eye(12))
    assert_reduced(metric, lattice.basis)


def test_first_vector_of_a_plane_is_the_shortest_of_the_lattice():
    for seed in range(20):
        metric = make_metric(2, 1e4, seed)
        shortest = reduce_lattice(metric).basis[:, -1]
        grid = np.stack(np.meshgrid(*[np.arange(-150, 151)] * 2), axis=-1).reshape(
            -1, 2
        )
        lengths = np.einsum("ij,jk,ik->i", grid, metric, grid)
        found = shortest @ metric @ shortest
        # .99 in place of 1 lets it be that much longer
        assert found <= lengths[lengths > 0].min() / 0.99 + 1e-12


def test_plan_is_that_of_the_metric_in_the_basis():
    metric = make_metric(8, 1e3)
    lattice = reduce_lattice(metric)
    turned = lattice.basis.T @ metric @ lattice.basis
    expected = feedback_factors((turned + turned.T) / 2)
    assert_array_equal(lattice.feedback.row_order, expected.row_order)
    assert_allclose(lattice.feedback.factor, expected.factor, rtol=1e-6, atol=1e-8)


def test_multiples_of_the_step_are_kept():
    codes = np.random.default_rng(0).integers(-99, 100, size=(12, 3))
    lattice = reduce_lattice(make_metric(12, 1e8))
    assert_array_equal(lattice.rounded(codes * 0.25, 0.25), codes)


def test_uncorrelated_rows_are_rounded_apart():
    weights = np.random.default_rng(0).normal(size=(6, 4))
    lattice = reduce_lattice(np.diag(np.arange(1.0, 7)))
    assert_array_equal(lattice.rounded(weights, 0.3), np.rint(weights / 0.3))


def test_points_are_nearer_than_by_rounding_row_by_row():
    metric = make_metric(20, 1e8)
    weights = 1e3 * np.random.default_rng(0).normal(size=(20, 50))
    reduced = reduce_lattice(metric).rounded(weights, 1.0)
    by_row = round_with_feedback(
        weights, feedback_factors(metric), 1.0, rdo_lambda=0.0, exponents=None
    )
    # the best step of all rows is the root of the determinant: 12 times that
    bound = 20 * 50 * np.exp(np.mean(np.log(np.linalg.eigvalsh(metric)))) / 12
    assert bound < cost(metric, weights - reduced) < 1.5 * bound
    assert cost(metric, weights - by_row) > 20 * bound


def test_codes_that_are_too_large_stay_finite():
    lattice = reduce_lattice(make_metric(4, 1e6))
    codes = lattice.rounded(np.full((4, 1), 1e30), 1e-9)
    assert codes.dtype == np.int64
    assert np.abs(codes).max() <= 2**41


def test_metric_that_is_not_positive_definite_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        reduce_lattice(np.ones((3, 3)) - 2 * np.eye(3))


def test_scales_that_differ_too_much_are_refused():
    metric = np.array([[1.0, 0.5e-13], [0.5e-13, 1e-26]])
    with pytest.raises(np.linalg.LinAlgError, match="differ too much"):
        reduce_lattice(metric)
