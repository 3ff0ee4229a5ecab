"""The terms where the k-th neighbour is one of several at its distance.

The estimate psi(k) - psi(n_xz) - psi(n_yz) + psi(n_z) is derived for a box that grows
until it holds k points. On rounded or lattice data it grows in jumps and may take in
many points at once. Noise would break such ties; the terms here are about those that
random breaking gives on average, without any randomness.

In its last jump the box grows from the shares g_xz, g_yz and g_z of its counts in
(x, z), (y, z) and z to 1. Were x and y independent given z inside, the share t of its
mass would grow from g = g_xz g_yz / g_z. Let the others grow along t^a_xz, t^a_yz and
t^a_z with it, a_xz + a_yz - a_z = 1. Of the K points in the box, S < k are reached
before the jump, a truncated Binomial(K, g), and the others evenly in the course of it:
the k-th at t = g + (1 - g) B, B ~ Beta(k - S, K - k + 1). Then

    n_xz = k + R_xz t^a_xz + (K - k) (t^a_xz - t) / (1 - t) + (a_yz - a_z)

points are expected in the strip of (x, z): k in the stopped box, those of the R_xz
outside the full box and of the K - k in it that are in the strip by then, and the point
itself, which is counted where the k-th neighbour is on an edge that the strip does not
have, that of y; but no fewer than are nearer than the radius. For z the correction is
1 - a_z, as the neighbour can be on an edge of x or of y. The mean of psi(n_xz) over t
is taken by a rule of two nodes, one standard deviation on either side of the mean.

Without z, g_z = 1 and a_z = 0, and n_z is N.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from skinfo._core._typing import FloatArray, IntArray


def tie_terms(
    n_neighbors: IntArray,
    n_inside: IntArray,
    strict: tuple[IntArray, IntArray, IntArray],
    closed: tuple[IntArray, IntArray, IntArray],
) -> FloatArray:
    """Return the mean of psi(n_xz) + psi(n_yz) - psi(n_z) over the ways to break ties.

    `n_inside` >= `n_neighbors` points, without the centre, are not farther than the
    radius in all of x, y and z; `strict` and `closed` are the counts in (x, z), (y, z)
    and z, with the centre, that are nearer and that are not farther. All (n_boxes,).
    """
    share_xz, share_yz, share_z = (
        (nearer - 0.5) / (not_farther - 0.5)
        for nearer, not_farther in zip(strict, closed, strict=True)
    )
    # the box that has more columns loses no smaller share
    share_xz, share_yz = np.minimum(share_xz, share_z), np.minimum(share_yz, share_z)
    inner = share_xz * share_yz / share_z
    log_inner = np.log(inner)
    edge_xz, edge_yz, edge_z = (
        np.log(share) / log_inner for share in (share_xz, share_yz, share_z)
    )
    strips = [
        (1, strict[0], closed[0], edge_xz, edge_yz - edge_z),
        (1, strict[1], closed[1], edge_yz, edge_xz - edge_z),
        (-1, strict[2], closed[2], edge_z, 1 - edge_z),
    ]
    terms = np.zeros_like(inner)
    if np.array_equal(strict[2], closed[2]):  # as without z: its strip does not grow
        strips.pop()
        terms -= digamma(closed[2])
    mean, deviation = stopping_position(n_neighbors, n_inside, inner)
    for position in (mean - deviation, mean + deviation):
        log_position = np.log(position)
        beside = (n_inside - n_neighbors) / (1 - position)
        for sign, n_nearer, n_closed, edge, other in strips:
            strip = np.exp(edge * log_position)
            n_expected = (
                n_neighbors
                + (n_closed - 1 - n_inside) * strip
                + beside * (strip - position)
                + other
            )
            terms += sign * digamma(np.maximum(n_expected, n_nearer)) / 2
    return terms


def stopping_position(
    n_neighbors: IntArray, n_inside: IntArray, inner: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of t, the k-th of K uniform points on (0, 1).

    Fewer than k = `n_neighbors` of the K = `n_inside` are below `inner`.
    """
    n_neighbors, n_inside = n_neighbors.astype(float), n_inside.astype(float)
    odds = inner / (1 - inner)
    share = np.ones_like(inner)  # P(S = s) / P(S <= s) of S ~ Binomial(K, inner)
    first, second = np.zeros_like(inner), np.zeros_like(inner)  # moments of B
    for n_before in range(int(n_neighbors.max(initial=1))):
        if n_before > 0:
            # P(S = s) / P(S = s - 1), then relative to P(S <= s)
            ratio = odds * (n_inside - n_before + 1) / n_before * share
            share = ratio / (1 + ratio)
        missing = n_neighbors - n_before
        left = np.maximum(n_inside - n_before, 0)  # 0: has no weight below
        first_here = missing / (left + 1)
        second_here = first_here * (missing + 1) / (left + 2)
        weight = np.where(n_before < n_neighbors, share, 0)
        first += weight * (first_here - first)
        second += weight * (second_here - second)
    variance = np.maximum(second - first**2, 0)
    return inner + (1 - inner) * first, (1 - inner) * np.sqrt(variance)
