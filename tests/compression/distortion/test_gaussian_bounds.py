"""Reverse water-filling against closed forms, bisection and the laws of R(D)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import sqrtm
from scipy.optimize import brentq
from scipy.sparse import csr_array

from skinfo.compression.distortion._gaussian_bounds import (
    distortion_eigenvalues,
    gaussian_distortion_rate,
    gaussian_rate_distortion,
    water_filling,
)

EIGENVALUES = [
    pytest.param([4.0, 1.0, 0.25], id="distinct"),
    pytest.param([1.0, 1.0, 1.0, 1.0], id="equal"),
    pytest.param([3.0, 0.0, 1e-6, 3.0, 0.0], id="zeros"),
    pytest.param([2.0], id="one"),
    pytest.param(list(np.random.default_rng(0).exponential(size=50) ** 3), id="many"),
]


def random_covariance(rng, n_features, rank=None):
    factor = rng.standard_normal((n_features, rank or n_features))
    return factor @ factor.T


def slow_rate(eigenvalues, distortion):
    """Return R(D) with the water level from a root search."""
    eigenvalues = np.asarray(eigenvalues)
    level = brentq(
        lambda mu: np.minimum(mu, eigenvalues).sum() - distortion,
        0,
        eigenvalues.max(),
        xtol=1e-300,
        rtol=1e-14,
    )
    return sum(np.log2(max(value / level, 1)) / 2 for value in eigenvalues)


@pytest.mark.parametrize(
    ("eigenvalues", "distortion", "rate"),
    [
        ([4, 1, 0.25], 0.75, 3.0),
        ([1, 1, 1, 1], 1.0, 4.0),
        ([4, 1, 0.25], 1.25, 2.0),  # mu = 1/2
        ([4, 1, 0.25], 3.25, 0.5),  # mu = 2: one component is coded
    ],
)
def test_closed_forms_hold_in_both_directions(eigenvalues, distortion, rate):
    weight, inputs = np.eye(len(eigenvalues)), np.diag(eigenvalues)
    assert_allclose(
        gaussian_rate_distortion(weight, inputs, distortion), rate, rtol=1e-12
    )
    assert_allclose(
        gaussian_distortion_rate(weight, inputs, rate), distortion, rtol=1e-12
    )


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
def test_rate_is_that_of_a_root_search(eigenvalues):
    for part in (1e-9, 0.01, 0.3, 0.9):
        distortion = part * np.sum(eigenvalues)
        # rtol of the root search, which the logarithms of many components add up
        assert_allclose(
            water_filling(np.array(eigenvalues), distortion=distortion).rate,
            slow_rate(eigenvalues, distortion),
            rtol=1e-9,
        )


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
def test_rate_and_distortion_are_inverse(eigenvalues):
    eigenvalues = np.array(eigenvalues)
    for distortion in np.sum(eigenvalues) * np.geomspace(1e-200, 1, 40):
        rate = water_filling(eigenvalues, distortion=distortion).rate
        returned = water_filling(eigenvalues, rate=rate).distortion
        # a rounding of the rate, up to 1e4 bits, is a relative one of the distortion
        assert_allclose(returned, distortion, rtol=1e-11)


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
def test_allocations_add_up_to_what_was_asked(eigenvalues):
    eigenvalues = np.array(eigenvalues)
    filling = water_filling(eigenvalues, rate=3.0)
    assert_allclose(filling.rates.sum(), 3.0, rtol=1e-12)
    assert_allclose(filling.distortions, np.minimum(filling.level, eigenvalues))
    filling = water_filling(eigenvalues, distortion=0.1 * eigenvalues.sum())
    assert_allclose(filling.distortions.sum(), 0.1 * eigenvalues.sum(), rtol=1e-12)
    coded = filling.rates > 0
    assert_allclose(filling.distortions[coded], filling.level)


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
def test_rate_falls_and_is_convex(eigenvalues):
    eigenvalues = np.array(eigenvalues)
    distortions = np.linspace(1e-3, 1.2, 300) * eigenvalues.sum()
    rates = np.array(
        [water_filling(eigenvalues, distortion=d).rate for d in distortions]
    )
    slopes = np.diff(rates)
    below = distortions[1:] < eigenvalues.sum()
    assert np.all(slopes[below] < 0)
    assert np.all(np.diff(slopes) >= -1e-11)  # rounding of rates up to 1e3


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
def test_distortion_falls_and_is_convex(eigenvalues):
    eigenvalues = np.array(eigenvalues)
    rates = np.linspace(0, 40, 300)
    distortions = np.array(
        [water_filling(eigenvalues, rate=r).distortion for r in rates]
    )
    slopes = np.diff(distortions)
    assert np.all(slopes < 0)
    assert np.all(np.diff(slopes) >= -1e-12 * eigenvalues.sum())


def test_order_of_the_eigenvalues_is_kept():
    eigenvalues = np.array([1.0, 4.0, 0.0, 0.25])
    filling = water_filling(eigenvalues, distortion=0.75)
    assert_allclose(filling.distortions, [0.25, 0.25, 0, 0.25])
    assert_allclose(filling.rates, [1, 2, 0, 0])
    assert_array_equal(eigenvalues, [1, 4, 0, 0.25])


def test_water_filling_needs_a_distortion_or_a_rate():
    with pytest.raises(ValueError, match="Pass one of them"):
        water_filling(np.ones(2))


def test_eigenvalues_are_those_of_the_symmetric_product():
    rng = np.random.default_rng(0)
    weight, inputs = random_covariance(rng, 7), random_covariance(rng, 7)
    assert np.abs(weight @ inputs - inputs @ weight).max() > 1  # do not commute
    root = sqrtm(weight)
    assert_allclose(
        distortion_eigenvalues(weight, inputs),
        np.linalg.eigvalsh(root @ inputs @ root),
        rtol=1e-9,
    )


def test_covariances_are_exchangeable():
    rng = np.random.default_rng(1)
    weight, inputs = random_covariance(rng, 6), random_covariance(rng, 6, rank=4)
    assert_allclose(
        gaussian_rate_distortion(weight, inputs, 0.5),
        gaussian_rate_distortion(inputs, weight, 0.5),
        rtol=1e-9,
    )


def test_units_of_the_features_do_not_count():
    rng = np.random.default_rng(2)
    weight, inputs = random_covariance(rng, 6), random_covariance(rng, 6)
    units = 10.0 ** np.array([-12, -6, 0, 3, 9, 12])
    assert_allclose(
        distortion_eigenvalues(
            weight / np.outer(units, units), inputs * np.outer(units, units)
        ),
        distortion_eigenvalues(weight, inputs),
        rtol=1e-9,
    )


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_extreme_scales_change_only_the_distortion(scale):
    rng = np.random.default_rng(3)
    weight, inputs = random_covariance(rng, 5), random_covariance(rng, 5)
    rate = gaussian_rate_distortion(weight, inputs, 0.5)
    scaled = gaussian_rate_distortion(weight * scale, inputs * scale, 0.5 * scale**2)
    assert_allclose(scaled, rate, rtol=1e-9)


def test_singular_covariances_code_only_what_shows():
    """Of 8 weights in 5 dimensions and inputs in 4, one direction at least shows."""
    rng = np.random.default_rng(4)
    weight = random_covariance(rng, 8, rank=5)
    inputs = random_covariance(rng, 8, rank=4)
    eigenvalues = distortion_eigenvalues(weight, inputs)
    assert np.count_nonzero(eigenvalues) == 4
    rate = gaussian_rate_distortion(weight, inputs, 1e-30)
    expected = np.log2(eigenvalues[eigenvalues > 0] / (1e-30 / 4)).sum() / 2
    assert_allclose(rate, expected, rtol=1e-9)


def test_weights_that_no_input_sees_need_no_bits():
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    weight = rotation[:, :2] @ rotation[:, :2].T
    inputs = rotation[:, 2:] @ rotation[:, 2:].T
    assert gaussian_rate_distortion(weight, inputs, 0.0) == 0.0
    assert gaussian_distortion_rate(weight, inputs, 0.0) == 0.0


@pytest.mark.parametrize("zero", [np.zeros((3, 3)), np.diag([0.0, 0, 0])])
def test_nothing_to_code_costs_nothing(zero):
    assert gaussian_rate_distortion(zero, np.eye(3), 0.0) == 0.0
    assert gaussian_rate_distortion(np.eye(3), zero, 1.0) == 0.0
    assert gaussian_distortion_rate(np.eye(3), zero, 2.0) == 0.0


def test_distortion_beyond_the_total_needs_no_bits():
    for distortion in (3.0, 3.5, np.inf):
        assert gaussian_rate_distortion(np.eye(3), np.eye(3), distortion) == 0.0
    assert gaussian_distortion_rate(
        np.eye(3), np.diag([0.1, 0.7, 0]), 0
    ) == pytest.approx(0.8)


def test_no_distortion_needs_infinitely_many_bits():
    assert gaussian_rate_distortion(np.eye(3), np.diag([1, 1, 0]), 0) == np.inf
    assert gaussian_distortion_rate(np.eye(3), np.eye(3), np.inf) == 0.0
    assert gaussian_distortion_rate(np.eye(3), np.eye(3), 1e6) == 0.0  # underflows


@pytest.mark.parametrize("dtype", [np.float32, np.int64, list])
def test_other_numbers_are_read_as_floats(dtype):
    matrix = np.array([[4, 1], [1, 2]])
    inputs = matrix.tolist() if dtype is list else matrix.astype(dtype)
    expected = gaussian_rate_distortion(np.eye(2), matrix.astype(float), 0.3)
    assert gaussian_rate_distortion(
        np.eye(2), inputs, np.float32(0.3)
    ) == pytest.approx(expected, rel=1e-6)


def test_empirical_covariances_in_single_precision_are_accepted():
    X = np.random.default_rng(6).standard_normal((5, 20)).astype(np.float32)
    covariance = X.T @ X / np.float32(5)  # singular up to rounding
    assert gaussian_rate_distortion(np.eye(20), covariance, 1.0) > 0


@pytest.mark.parametrize("name", ["weight_covariance", "input_covariance"])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.5], [0.0, 1.0]], "is not symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "is not positive semidefinite.* eigenvalue -1"),
        ([[-1.0, 0.0], [0.0, 1.0]], "negative variance -1.0"),
        ([[0.0, 1.0], [1.0, 1.0]], "variance 0 has a covariance"),
        ([[np.nan, 0.0], [0.0, 1.0]], "contains NaN"),
        ([[np.inf, 0.0], [0.0, 1.0]], "contains infinity"),
        ([[1.0, 0.0]], "must be square"),
        ([1.0, 1.0], r"must have 2\. Pass a square matrix"),
        (1.0, r"must have 2\. Pass a square matrix"),
    ],
)
def test_what_is_no_covariance_is_an_error(name, matrix, message):
    arguments = {
        "weight_covariance": np.eye(2),
        "input_covariance": np.eye(2),
        name: matrix,
    }
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        gaussian_rate_distortion(**arguments, distortion=1.0)
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        gaussian_distortion_rate(**arguments, rate=1.0)


def test_shapes_that_differ_are_an_error():
    with pytest.raises(ValueError, match=r"shape \(3, 3\).*\(2, 2\).*same features"):
        gaussian_rate_distortion(np.eye(2), np.eye(3), 1.0)


def test_sparse_covariances_are_an_error():
    with pytest.raises(TypeError, match="dense data is required"):
        gaussian_rate_distortion(np.eye(2), csr_array(np.eye(2)), 1.0)


@pytest.mark.parametrize(
    ("function", "name"),
    [(gaussian_rate_distortion, "distortion"), (gaussian_distortion_rate, "rate")],
)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1e-9, ValueError),
        (np.nan, ValueError),
        ("1", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_amounts_must_be_numbers_of_at_least_0(function, name, value, error):
    with pytest.raises(error, match=rf"{name}=.*Pass a number of at least 0"):
        function(np.eye(2), np.eye(2), value)


def test_inputs_are_not_written_to():
    weight, inputs = np.eye(3), np.diag([4.0, 1.0, 0.25])
    for matrix in (weight, inputs):
        matrix.flags.writeable = False
    gaussian_rate_distortion(weight, inputs, 0.75)
    assert_array_equal(inputs, np.diag([4.0, 1.0, 0.25]))
