"""Rounding weights to multiples of steps, each error fed back into those to come.

For the distortion tr (W - Q)' H (W - Q) of weights W (d, k): with H^-1 = U' U, U upper
triangular, rows are rounded one after the other, and the error e_i of row i moves the
rows below, W_j -= U_ij e_i / U_ii. The distortion is then the sum of (e_i / U_ii)^2,
so that the best steps are proportional to U_ii.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.file._coded_model import step_factors

_MANY_ROWS = 1000  # for which another order takes long
_BLOCK = 64  # rows whose errors reach the rows below them in one product
LARGEST_CODE = 2.0**41  # what a search may meet; files hold smaller ones
_LOG2E = 1 / np.log(2)
_ROUNDING_VARIANCE = 1 / 12


@dataclass(frozen=True, eq=False)
class FeedbackFactors:
    """What rounding needs of the metric.

    `row_order` (d,): in which the rows are rounded. `factor` (d, d): U, in this order.
    `log_scales` (d,): log2 U_ii, by row.
    """

    row_order: IntArray
    factor: FloatArray
    log_scales: FloatArray


def feedback_factors(metric: FloatArray) -> FeedbackFactors:
    """Return the feedback for a positive definite metric (d, d).

    Rows come by decreasing diagonal, or, where they are not many, as they are, if the
    best steps differ less then.
    """
    orders = [np.argsort(-np.diag(metric), kind="stable")]
    if len(metric) <= _MANY_ROWS:
        orders.insert(0, np.arange(len(metric)))
    candidates = [_factors_in_order(metric, order) for order in orders]
    return min(candidates, key=lambda feedback: float(np.var(feedback.log_scales)))


def _factors_in_order(metric: FloatArray, row_order: IntArray) -> FeedbackFactors:
    # H = V V', V upper triangular, by rows and columns from the last to the first
    reverse = row_order[::-1]
    lower = cholesky(metric[np.ix_(reverse, reverse)], lower=True)
    factor = solve_triangular(lower[::-1, ::-1], np.eye(len(metric)))
    log_scales = np.empty(len(row_order))
    log_scales[row_order] = np.log2(np.diag(factor))
    return FeedbackFactors(row_order, factor, log_scales)


def round_with_feedback(
    weights: FloatArray,
    feedback: FeedbackFactors,
    step: float,
    *,
    rdo_lambda: float,
    exponents: IntArray | None,
) -> IntArray:
    """Return the codes (d, k) of weights.

    `exponents` (d,): of the steps of the rows, as in `step_factors`. `rdo_lambda`: how
    many squared steps one bit is worth: of the two nearest multiples, that with the
    smaller sum of squared error and bits is taken.
    """
    d = len(weights)
    steps = np.full(d, step)
    if exponents is not None:
        steps *= step_factors(exponents)
    steps = steps[feedback.row_order, np.newaxis]
    left = weights[feedback.row_order] / steps  # in units of the steps
    codes = np.empty(weights.shape, dtype=np.int64)
    scale = np.diag(feedback.factor)
    for start in range(0, d, _BLOCK):
        rows = slice(start, min(start + _BLOCK, d))
        errors = np.empty((rows.stop - start, weights.shape[1]))
        for i in range(start, rows.stop):
            codes[i] = _nearest(left[i], rdo_lambda)
            error = (left[i] - codes[i]) * (steps[i] / scale[i])
            within = feedback.factor[i, i + 1 : rows.stop, np.newaxis]
            left[i + 1 : rows.stop] -= within * error / steps[i + 1 : rows.stop]
            errors[i - start] = error
        below = slice(rows.stop, d)
        left[below] -= feedback.factor[rows, below].T @ errors / steps[below]
    result = np.empty_like(codes)
    result[feedback.row_order] = codes
    return result


def _nearest(values: FloatArray, rdo_lambda: float) -> IntArray:
    """Round, or towards 0 where this saves more bits than it costs.

    The bits of q are those of a normal law with the variance of the values, up to a
    constant: q^2 / (2 variance ln 2).
    """
    rounded = np.rint(values)
    if rdo_lambda > 0:
        variance = float((values**2).sum()) / values.size + _ROUNDING_VARIANCE
        price = rdo_lambda * _LOG2E / (2 * variance)
        smaller = rounded - np.sign(rounded)
        cost = (values - rounded) ** 2 + price * rounded**2
        saved = (values - smaller) ** 2 + price * smaller**2 < cost
        rounded[saved] = smaller[saved]
    return rounded.clip(-LARGEST_CODE, LARGEST_CODE).astype(np.int64)
