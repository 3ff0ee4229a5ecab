"""Rounding with feedback against plain loops and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skinfo.compression.rounding._feedback import feedback_factors, round_with_feedback


def make_metric(d, seed=0):
    """Return a positive definite matrix of which the rows differ in scale."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(d + 3, d)) * np.exp(rng.normal(size=d))
    return factors.T @ factors / d


def make_weights(d, k, seed=1):
    return np.random.default_rng(seed).normal(size=(d, k))


def steps_of(step, exponents, d):
    return step * (np.ones(d) if exponents is None else 2.0 ** (exponents / 2))


def round_in_loops(weights, feedback, steps, rdo_lambda):
    """Round row by row, each error fed back to all rows below at once."""
    codes = np.zeros(weights.shape, dtype=np.int64)
    left = weights[feedback.row_order].copy()
    for i, row in enumerate(feedback.row_order):
        values = left[i] / steps[row]
        variance = np.mean(values**2) + 1 / 12
        for h, value in enumerate(values):
            nearest = np.rint(value)
            choices = [nearest, nearest - np.sign(nearest)]
            costs = [
                (value - q) ** 2 + rdo_lambda * q**2 / (2 * variance * np.log(2))
                for q in choices
            ]
            codes[row, h] = choices[int(costs[1] < costs[0])]
        error = (left[i] - codes[row] * steps[row]) / feedback.factor[i, i]
        for j in range(i + 1, len(left)):
            left[j] -= feedback.factor[i, j] * error
    return codes


# The feedback


@pytest.mark.parametrize("d", [1, 2, 7, 90])
def test_plan_factors_the_inverse_of_the_ordered_metric(d):
    metric = make_metric(d)
    feedback = feedback_factors(metric)
    ordered = metric[np.ix_(feedback.row_order, feedback.row_order)]
    assert_array_equal(np.sort(feedback.row_order), np.arange(d))
    assert_array_equal(feedback.factor, np.triu(feedback.factor))
    # to rounding, times the condition of the metric
    assert_allclose(feedback.factor.T @ feedback.factor @ ordered, np.eye(d), atol=1e-6)


def test_log_scales_are_by_row_and_not_by_place_in_the_order():
    # in this metric the rows come by decreasing diagonal
    metric = np.array([[1.0, 0.9, 0.0], [0.9, 4.0, 0.0], [0.0, 0.0, 2.0]])
    feedback = feedback_factors(metric)
    assert_allclose(
        feedback.log_scales[feedback.row_order], np.log2(np.diag(feedback.factor))
    )


def test_scales_of_uncorrelated_rows_are_one_over_the_roots_of_the_diagonal():
    diagonal = np.array([4.0, 0.25, 1.0])
    assert_allclose(
        feedback_factors(np.diag(diagonal)).log_scales, [-1, 1, 0], atol=1e-12
    )


def test_order_is_that_in_which_scales_differ_less():
    metric = make_metric(12)
    spread = np.var(feedback_factors(metric).log_scales)
    for order in (np.arange(12), np.argsort(-np.diag(metric))):
        ordered = np.linalg.cholesky(
            np.linalg.inv(metric[np.ix_(order, order)]), upper=True
        )
        assert spread <= np.var(np.log2(np.diag(ordered))) + 1e-9


def test_metric_that_is_not_positive_definite_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        feedback_factors(np.ones((3, 3)) - 2 * np.eye(3))


# Rounding


@pytest.mark.parametrize("with_exponents", [False, True])
@pytest.mark.parametrize("d", [1, 3, 64, 65, 150])
def test_distortion_is_the_sum_of_squared_errors_over_the_scales(d, with_exponents):
    metric, weights = make_metric(d), make_weights(d, 4)
    feedback = feedback_factors(metric)
    exponents = None
    if with_exponents:
        exponents = np.rint(2 * (feedback.log_scales - feedback.log_scales.mean()))
        exponents = exponents.astype(np.int64)
    steps = steps_of(0.3, exponents, d)
    codes = round_with_feedback(
        weights, feedback, 0.3, rdo_lambda=0.0, exponents=exponents
    )
    error = weights - codes * steps[:, np.newaxis]
    # U'^-1 E, of which the i-th row is e_i / U_ii
    own = np.linalg.solve(feedback.factor.T, error[feedback.row_order])
    distortion = np.sum((metric @ error) * error)
    assert_allclose(np.sum(own**2), distortion, rtol=1e-6)
    # without a price of bits, each e_i is at most half a step
    bound = steps[feedback.row_order] / np.diag(feedback.factor) / 2
    assert np.all(np.abs(own) <= bound[:, np.newaxis] * (1 + 1e-6))


@pytest.mark.parametrize("rdo_lambda", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("d", [1, 63, 64, 65, 90, 130, 200])
def test_rounding_equals_a_plain_loop(d, rdo_lambda):
    weights, feedback = make_weights(d, 3), feedback_factors(make_metric(d))
    exponents = np.arange(d) % 5 - 2
    codes = round_with_feedback(
        weights, feedback, 0.25, rdo_lambda=rdo_lambda, exponents=exponents
    )
    expected = round_in_loops(
        weights, feedback, steps_of(0.25, exponents, d), rdo_lambda
    )
    assert codes.dtype == np.int64
    assert_array_equal(codes, expected)


def test_uncorrelated_rows_are_rounded_apart():
    weights, feedback = make_weights(6, 8), feedback_factors(np.diag(np.arange(1.0, 7)))
    codes = round_with_feedback(weights, feedback, 0.4, rdo_lambda=0, exponents=None)
    assert_array_equal(codes, np.rint(weights / 0.4))


def test_feedback_is_better_than_rounding_apart():
    lags = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    metric, weights = 0.95**lags, make_weights(40, 50)
    codes = round_with_feedback(
        weights, feedback_factors(metric), 0.5, rdo_lambda=0.0, exponents=None
    )
    fed_back = weights - 0.5 * codes
    apart = weights - 0.5 * np.rint(weights / 0.5)
    # as 1 - .95^2 is to 1, about, without the first row
    ratio = np.sum((metric @ fed_back) * fed_back) / np.sum((metric @ apart) * apart)
    assert ratio < 0.2


def test_multiples_of_the_step_are_kept():
    codes = np.random.default_rng(0).integers(-9, 10, size=(30, 4))
    found = round_with_feedback(
        codes * 0.5,
        feedback_factors(make_metric(30)),
        0.5,
        rdo_lambda=0,
        exponents=None,
    )
    assert_array_equal(found, codes)


def test_price_of_bits_makes_codes_smaller():
    # in a metric of which the errors of few rows move others far
    metric = np.eye(50) + 0.1 * make_metric(50) / np.trace(make_metric(50))
    weights, feedback = make_weights(50, 20), feedback_factors(metric)
    sizes = [
        np.abs(
            round_with_feedback(
                weights, feedback, 0.5, rdo_lambda=rdo_lambda, exponents=None
            )
        ).sum()
        for rdo_lambda in (0.0, 0.1, 1.0)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_weights_are_not_written_to():
    weights = make_weights(70, 3)
    weights.setflags(write=False)
    codes = round_with_feedback(
        weights, feedback_factors(make_metric(70)), 0.5, rdo_lambda=0.1, exponents=None
    )
    assert codes.any()
