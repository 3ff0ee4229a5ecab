"""Exact mutual information, in nats, of the laws that the generators draw from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import entr, xlogy

from skinfo._core._typing import FloatArray

_REACH = 8.0  # standard deviations, beyond which a normal variable has mass 1e-15
_SMALLEST_NOISE = 1e-15  # deviation, below which h(Y) is within 1e-7 of its limit at 0


def binary_entropy(probability: float) -> float:
    """Return H(p) = -p log p - (1 - p) log(1 - p), with 0 log 0 = 0."""
    return float(entr(probability) + entr(1 - probability))


def normal_information(correlation: float) -> float:
    """Return -log(1 - rho^2) / 2, for two jointly normal variables."""
    return 0.5 * math.log(1 / ((1 - correlation) * (1 + correlation)))


def mixture_information(
    correlation: float, agreement: float, discrete_fraction: float
) -> float:
    """Return p_c I_c + p_d I_d + H(p) for a discrete-continuous mixture.

    Each of x and y determines its part, as the atoms have probability 0 in the other.
    """
    continuous = normal_information(correlation)
    discrete = math.log(2) - binary_entropy(agreement)
    return (
        (1 - discrete_fraction) * continuous
        + discrete_fraction * discrete
        + binary_entropy(discrete_fraction)
    )


def discrete_plus_uniform_information(n_values: int) -> float:
    """Return log m - (m - 1) log(2) / m for X on m integers and Y in [X, X + 2].

    Y has the density 1/m, but 1/(2m) in the outer intervals of length 1; given X 1/2.
    """
    return math.log(n_values) - (n_values - 1) * math.log(2) / n_values


def zero_inflated_poisson_information(zero_probability: float) -> float:
    """Return H(Y) - H(Y|X) for X ~ Exp(1) and Y = 0 with probability p or Poisson(X).

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
    """Return (1 - p_1) (1 - p_2) I, for independent masks; only full rows count."""
    return (1 - dropout[0]) * (1 - dropout[1]) * normal_information(correlation)


def shared_dropout_information(correlation: float, dropout: float) -> float:
    """Return H(p) + (1 - p) I, for one mask, which both variables determine."""
    kept = 1 - dropout
    return binary_entropy(dropout) + kept * normal_information(correlation)


def hidden_correlation_information(shape: str, noise: float, fraction: float) -> float:
    """Return p I(U; Y): X determines its segment; Y depends on X in the rare one."""
    if fraction == 0:
        return 0.0
    information = shape_information(shape, noise)
    return fraction * max(information, 0.0)  # rounding takes it below 0 in much noise


def shape_information(shape: str, noise: float) -> float:
    """Return I(U; Y) for U uniform on [0, 1] and Y = f(U) + s Z, Z standard normal.

    It is h(Y) - h(s Z); for the circle, with its sign S, h(Y) - h(s Z) - I(S; Y | U).
    """
    if noise == 0:
        return math.log(2) if shape == "step" else math.inf
    if shape == "step":
        return math.log(2) - float(_lost_information(np.array(0.5 / noise)))
    resolved = max(noise, _SMALLEST_NOISE)
    entropy = _scaled_entropy(_LAWS[shape], resolved) - math.log(noise / resolved)
    information = entropy - 0.5 * math.log(2 * math.pi * math.e)
    if shape == "circle":
        information -= _circle_sign_information(noise)
    return information


class _Law(NamedTuple):
    """The law of f(U): its width, and its density at a distance from either end.

    The distance is at most half the width, and a density grows no faster towards its
    end than an inverse square root. In each half it is smooth.
    """

    width: float
    from_lower: Callable[[FloatArray], FloatArray]
    from_upper: Callable[[FloatArray], FloatArray]


def _arcsine_density(distance: FloatArray) -> FloatArray:
    """Return the density of sin(2 pi k U), k an integer, on [-1, 1]."""
    density: FloatArray = 1 / (np.pi * np.sqrt(distance * (2 - distance)))
    return density


def _circle_density(distance: FloatArray) -> FloatArray:
    """Return the density |v| / (2 sqrt(1 - v^2)) of a height of the circle."""
    density: FloatArray = (1 - distance) / (2 * np.sqrt(distance * (2 - distance)))
    return density


def _cubic_density(distance: FloatArray) -> FloatArray:
    """Return the density of (1 + T_3(2 U - 1)) / 2.

    The sum over the three branches, as P(T_3 > cos a) = 1/2 - cos((a + pi) / 3).
    """
    of_angle = np.sin((2 * np.arcsin(np.sqrt(distance)) + np.pi) / 3) / 3
    density: FloatArray = of_angle / np.sqrt(distance * (1 - distance))
    return density


# The law of f(U) of each shape but the step, whose law is discrete.
_LAWS = {
    "linear": _Law(1, np.ones_like, np.ones_like),
    "quadratic": _Law(1, lambda d: 0.5 / np.sqrt(d), lambda d: 0.5 / np.sqrt(1 - d)),
    "cubic": _Law(1, _cubic_density, _cubic_density),
    "sine": _Law(2, _arcsine_density, _arcsine_density),
    "fast_sine": _Law(2, _arcsine_density, _arcsine_density),
    "fourth_root": _Law(1, lambda d: 4 * d**3, lambda d: 4 * (1 - d) ** 3),
    "circle": _Law(2, _circle_density, _circle_density),
}


def _scaled_entropy(law: _Law, noise: float) -> float:
    """Return h(V / s + Z) for V of this law and noise s, by Gaussian quadrature.

    Points are given by their distance in units of s from the nearer end of the law, so
    that no noise is too small to be resolved.
    """
    half = law.width / 2 / noise
    near, weights = _gauss_legendre(_graded_edges(half), 16)
    far = 2 * half - near
    lower = _half_density(near, half, law.from_lower, noise)
    lower += _half_density(far, half, law.from_upper, noise)
    upper = _half_density(near, half, law.from_upper, noise)
    upper += _half_density(far, half, law.from_lower, noise)
    return float(weights @ (entr(lower) + entr(upper)))


def _half_density(
    distance: FloatArray,
    half: float,
    density: Callable[[FloatArray], FloatArray],
    noise: float,
) -> FloatArray:
    """Return the density of V / s + Z that comes from one half of the law of V.

    At points of that distance from the end of this half, (n,); `half` is its length,
    both in units of s. It is the integral of s density(s (distance + z)) phi(z) over z,
    where distance + z = q^2 takes away the inverse square root at q = 0.
    """
    first_z = np.maximum(-distance, -_REACH)
    # The overlap of [-distance, half - distance] and [-8, 8], also for a tiny half
    overlap = np.minimum(_REACH + distance, _REACH + half - distance)
    overlap = np.clip(overlap, 0, min(2 * _REACH, half))
    first_q = np.sqrt(distance + first_z)
    width = overlap / (first_q + np.sqrt(distance + first_z + overlap))
    nodes, weights = _gauss_legendre(np.array([0.0, 1.0]), 48)
    steps = np.multiply.outer(width, nodes)
    q = first_q[:, np.newaxis] + steps
    z = first_z[:, np.newaxis] + steps * (first_q[:, np.newaxis] + q)
    inside = np.minimum(q**2, half)  # beyond it are points out of reach, of width 0
    integrand = density(noise * inside) * _normal_density(z) * 2 * q
    part: FloatArray = noise * width * (integrand @ weights)
    return part


def _graded_edges(half: float) -> FloatArray:
    """Return edges from -8 to `half`, at 0 and at `half` apart by 1, wider between."""
    outside = np.arange(-_REACH, 0)
    doublings = max(math.ceil(math.log2(half)), 0)
    inside = 2.0 ** np.arange(doublings)
    inside = inside[inside <= half / 2]
    return np.concatenate([outside, [0], inside, half - inside[::-1], [half]])


def _gauss_legendre(edges: FloatArray, n_nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the rule with `n_nodes` between adjacent edges."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    widths = np.diff(edges)[:, np.newaxis]
    points = edges[:-1, np.newaxis] + widths * (nodes + 1) / 2
    return points.ravel(), (widths * weights / 2).ravel()


def _circle_sign_information(noise: float) -> float:
    """Return I(S; Y | U) for Y = S sin(a) + s Z and a with density sin(a)."""
    last = math.asin(min(_REACH * noise, 1))  # above it the sign is never lost
    angles, weights = _gauss_legendre(np.array([0, last]), 48)
    lost = _lost_information(np.sin(angles) / noise)
    return math.log(2) - float(weights @ (np.sin(angles) * lost))


def _lost_information(amplitudes: FloatArray) -> FloatArray:
    """Return log 2 - I(S; m S + Z), for a random sign S and each amplitude m >= 0.

    E[log(1 + exp(-2 m (m + Z)))], by the trapezoidal rule, exact to rounding here.
    """
    z, step = np.linspace(-_REACH, _REACH, 401, retstep=True)
    m = np.minimum(amplitudes, 100)[..., np.newaxis]  # there nothing is lost
    lost: FloatArray = np.logaddexp(0, -2 * m * (m + z)) @ (_normal_density(z) * step)
    return lost


def _normal_density(z: FloatArray) -> FloatArray:
    """Return the density phi(z) of the standard normal law."""
    density: FloatArray = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return density
