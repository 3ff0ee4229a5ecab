"""Exact mutual information, in nats, of the laws that the generators draw from."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import entr, xlogy


def binary_entropy(probability: float) -> float:
    """Return H(p) = -p log p - (1 - p) log(1 - p), with 0 log 0 = 0."""
    return float(entr(probability) + entr(1 - probability))


def normal_information(correlation: float) -> float:
    """Return -log(1 - rho^2) / 2, of two jointly normal variables."""
    return 0.5 * math.log(1 / ((1 - correlation) * (1 + correlation)))


def mixture_information(
    correlation: float, agreement: float, discrete_fraction: float
) -> float:
    """Return p_c I_c + p_d I_d + H(p), of a discrete-continuous mixture.

    Each of x and y tells which part it comes from, as atoms have no density.
    """
    continuous = normal_information(correlation)
    discrete = math.log(2) - binary_entropy(agreement)
    return (
        (1 - discrete_fraction) * continuous
        + discrete_fraction * discrete
        + binary_entropy(discrete_fraction)
    )


def discrete_plus_uniform_information(n_values: int) -> float:
    """Return log m - (m - 1) log(2) / m, of X on m integers and Y in [X, X + 2].

    Y has the density 1/m, but 1/(2m) in the outer intervals of length 1; given X 1/2.
    """
    return math.log(n_values) - (n_values - 1) * math.log(2) / n_values


def zero_inflated_poisson_information(zero_probability: float) -> float:
    """Return H(Y) - H(Y|X), of X ~ Exp(1) and Y = 0 with probability p or Poisson(X).

    The Poisson variable alone is geometric, P(y) = 2^-(y+1), so that
    H(Y) = entr((1 + p) / 2) + entr(1 - p) / 2 + (1 - p) (3/2) log 2.
    In H(Y|X) the terms of y > 0 average to
    entr(1 - p) / 2 + (1 - p) (E[X (1 - e^-X)] - E[X log X] + E[log Y!]), that is,
    entr(1 - p) / 2 + (1 - p) (3/4 - (1 - gamma) + sum_k 2^-k log k).
    The term of y = 0 is the mean of entr(p + (1 - p) e^-X), where e^-X is uniform.
    """
    if zero_probability == 1:
        return 0.0
    p = zero_probability
    k = np.arange(2, 80)  # the rest of the series is below 1e-22
    mean_log_factorial = np.sum(np.log(k) / 2.0**k)
    positive = 1.5 * math.log(2) - 0.75 + (1 - np.euler_gamma) - mean_log_factorial
    zero_given_x = (1 + p) / 4 + xlogy(p * p, p) / (2 * (1 - p))
    information = float(entr((1 + p) / 2) + (1 - p) * positive - zero_given_x)
    return max(information, 0.0)  # rounding takes it below 0 where p is nearly 1


def dropout_information(correlation: float, dropout: tuple[float, float]) -> float:
    """Return (1 - p_1) (1 - p_2) I, with independent masks: only a full row tells."""
    return (1 - dropout[0]) * (1 - dropout[1]) * normal_information(correlation)


def shared_dropout_information(correlation: float, dropout: float) -> float:
    """Return H(p) + (1 - p) I, with one mask, which both variables show."""
    kept = 1 - dropout
    return binary_entropy(dropout) + kept * normal_information(correlation)
