"""Rounding weights to multiples of steps, each error fed back into those to come.

For the distortion tr (W - Q)' H (W - Q) of weights W (d, k): with H^-1 = U' U, U upper
triangular, rows are rounded one after the other, and the error e_i of row i moves the
rows below, W_j -= U_ij e_i / U_ii. The distortion is then the sum of (e_i / U_ii)^2,
so that the best steps are proportional to U_ii.

The field calls this optimal brain quantisation (OBQ): it quantises where optimal brain
surgery [1]_ prunes. OBQ [2]_ chooses the next weight greedily; GPTQ [3]_ takes the rows
in one fixed order for all outputs and finds the updates by a Cholesky factor, as here.
With equal steps it is Babai's nearest plane algorithm [5]_ on the lattice of the
quantised weights with the metric H [4]_.

References
----------
.. [1] B. Hassibi, D. G. Stork, "Second Order Derivatives for Network Pruning: Optimal
   Brain Surgeon", NIPS 1992 (published 1993).
.. [2] E. Frantar, D. Alistarh, "Optimal Brain Compression: A Framework for Accurate
   Post-Training Quantization and Pruning", NeurIPS 2022.
.. [3] E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate Post-Training
   Quantization for Generative Pre-trained Transformers", arXiv:2210.17323, 2022.
.. [4] J. Chen, Y. Shabanzadeh, E. Crnčević, T. Hoefler, D. Alistarh, "The Geometry of
   LLM Quantization: GPTQ as Babai's Nearest Plane Algorithm", arXiv:2507.18553, 2025.
.. [5] L. Babai, "On Lovasz' Lattice Reduction and the Nearest Lattice Point Problem",
   Combinatorica 6, 1-13, 1986.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.file._coded_model import step_factors

# Rows beyond which no second order is tried: its Cholesky factor takes 0.1 s for 1000
# rows, and 0.6 s for 2000.
_MANY_ROWS = 1000
# Rows whose errors reach the rows below in one matrix product. 1000 rows of 50 outputs
# take 0.07 s in blocks of 8 to 64, 0.20 s one by one and 0.13 s in a single block.
_BLOCK = 64
LARGEST_CODE = 2.0**41  # keeps codes of tiny trial steps in int64; the coder's limit
_LOG2E = 1 / np.log(2)  # bits in a nat
_ROUNDING_VARIANCE = 1 / 12  # squared steps: that of a uniform rounding error


@dataclass(frozen=True, eq=False)
class FeedbackFactors:
    """Factors of the metric that the feedback of rounding errors uses.

    `row_order` (d,): the order in which rows are rounded. `factor` (d, d): U, for rows
    in this order. `log_scales` (d,): log2 U_ii of each row.
    """

    row_order: IntArray
    factor: FloatArray
    log_scales: FloatArray


def feedback_factors(metric: FloatArray) -> FeedbackFactors:
    """Return the factors of a positive definite metric (d, d).

    Rows are rounded by decreasing diagonal. Where they are not many, their given order
    is tried too, and taken if the best steps of the rows differ less then.
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
    """Return the codes (d, k) of weights (d, k), optimal brain quantisation.

    `exponents` (d,): the steps of the rows are `step * step_factors(exponents)`.
    `rdo_lambda`: the squared steps that one bit is worth. Of the nearest multiple and
    the next one towards 0, the one of lower squared error plus bits is taken.
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

    The bits of q are those of a normal distribution with the variance of the values, up
    to a constant: q^2 / (2 variance ln 2).
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
