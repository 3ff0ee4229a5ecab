"""The mass of a ball whose radius was chosen by a neighbour among ties.

A ball grows round a point until it holds `n_neighbors` others. Without ties it stops
at one of them, and psi(n_neighbors) is the expected log of the mass it holds, up to
the log of the sample size (Kozachenko and Leonenko). On rounded or lattice data it
grows in jumps and takes in several points at once: `n_inside` of them. Seen in the
coordinate "mass", those are uniform on (0, m), and all that is known of the neighbour
that stopped the ball is that it lies beyond the mass m' of the ball one jump before.
So the expected log mass is psi(n_neighbors) plus the expectation, given t > m' / m, of
-log t, where t ~ Beta(n_neighbors, n_inside - n_neighbors + 1).

Two known cases are its limits: psi(n_neighbors) where jumps are small (m' / m to 1,
Kraskov et al. 2004), psi(n_inside + 1) where all points coincide (m' = 0, Gao et al.
2017). Counts below `n_neighbors` never pass for typical: that is why neither
psi(n_neighbors), as in Gao et al., nor psi(n_inside), as in Mesner and Shalizi 2019,
is unbiased between them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, exp1

from skinfo._core._typing import FloatArray, IntArray

_SMALLEST_SHARE = 1e-12
_N_FIRST_TERMS = 8


def log_mass(
    n_neighbors: IntArray, n_inside: IntArray, inner_share: FloatArray
) -> FloatArray:
    """Return the expected log of n_samples x mass of balls that stopped at ties.

    `n_inside` >= `n_neighbors` points, without the centre, are not farther than the
    radius; `inner_share` is the share of the mass that is nearer. All (n_balls,).
    """
    beyond = np.maximum(inner_share, _SMALLEST_SHARE)
    odds = beyond / (1 - beyond)
    # Integrated by parts, with P(t > s) = P(Binomial(n_inside, s) < n_neighbors):
    # E = -log s - sum_(i < n_neighbors) a_i / P(t > s), a_i = P(Binomial < i) / i,
    # a_0 = sum_(m > n_inside) (1 - s)^m / m. All divided by (1 - s)^n_inside.
    numerator = _tail_of_log_series(n_inside, beyond)
    binomial_term = np.ones_like(beyond)
    survival = np.ones_like(beyond)
    for i in range(1, int(n_neighbors.max(initial=1))):
        more = i < n_neighbors
        numerator += np.where(more, survival / i, 0)
        binomial_term = binomial_term * odds * (n_inside - i + 1) / i
        survival += np.where(more, binomial_term, 0)
    result: FloatArray = digamma(n_neighbors) - np.log(beyond) - numerator / survival
    return result


def _tail_of_log_series(n: IntArray, share: FloatArray) -> FloatArray:
    """Return the sum over m >= 1 of (1 - share)^m / (n + m), to about 1e-10."""
    total = np.zeros_like(share)
    power = np.ones_like(share)
    for m in range(1, _N_FIRST_TERMS + 1):
        power = power * (1 - share)
        total += power / (n + m)
    # the rest is the integral of exp(-n s) / (exp(s + a) - 1) over s > 0, with
    # 1 / (exp(u) - 1) = 1 / u - 1 / 2 + u / 12 - u^3 / 720 + ...
    a = -np.log1p(-share)
    n_rest = n.astype(float) + _N_FIRST_TERMS
    linear = a / n_rest + 1 / n_rest**2
    cubic = a**3 / n_rest + 3 * a**2 / n_rest**2 + 6 * a / n_rest**3 + 6 / n_rest**4
    rest = _scaled_exp1(n_rest * a) - 0.5 / n_rest + linear / 12 - cubic / 720
    result: FloatArray = total + power * rest
    return result


def _scaled_exp1(x: FloatArray) -> FloatArray:
    """Return exp(x) E_1(x), by a continued fraction where the factors overflow."""
    small = np.minimum(x, 40)
    fraction = x + 11
    for i in range(5, 0, -1):
        fraction = x + 2 * i - 1 - i**2 / fraction
    result: FloatArray = np.where(x < 40, np.exp(small) * exp1(small), 1 / fraction)
    return result
