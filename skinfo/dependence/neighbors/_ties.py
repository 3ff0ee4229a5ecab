"""The marginal terms where the k-th neighbour is one of several at its distance.

The estimate psi(k) + log N - psi(n_x) - psi(n_y) holds for a box that grows until it
holds k points. On rounded or lattice data it grows in jumps and may take in many points
at once. Noise would break such ties; the terms here are about those that random
breaking gives on average, without any randomness.

In its last jump the box grows from the shares (g_x, g_y) of its marginal counts to
(1, 1). Let it do so along (t^a_x, t^a_y), a_x + a_y = 1: then t is the share of its
mass, were x and y independent inside. Of the K points in the box, S < k are reached
before the jump, a truncated Binomial(K, g), g = g_x g_y, and the others evenly in the
course of it: the k-th at t = g + (1 - g) B, B ~ Beta(k - S, K - k + 1). Then

    n_x = k + R_x t^a_x + (K - k) (t^a_x - t) / (1 - t) + a_y

points are expected in the strip of x: k in the stopped box, those of the R_x outside
the full box and of the K - k in it that are in the strip by then, and the point itself,
which is counted where the k-th neighbour is on the edge of y; but no fewer than are
nearer than the radius. The mean of psi(n_x) over t is taken by a rule of two nodes, one
standard deviation on either side of the mean.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from skinfo._core._typing import FloatArray, IntArray


def tie_broken_terms(
    n_neighbors: IntArray,
    n_inside: IntArray,
    strict: tuple[IntArray, IntArray],
    closed: tuple[IntArray, IntArray],
) -> FloatArray:
    """Return the mean of psi(n_x) + psi(n_y) over the ways to break ties, (n_boxes,).

    `n_inside` >= `n_neighbors` points, without the centre, are not farther than the
    radius in x and y; `strict` and `closed` are the counts of x and of y, with the
    centre, that are nearer and that are not farther.
    """
    share_x, share_y = (
        (nearer - 0.5) / (not_farther - 0.5)
        for nearer, not_farther in zip(strict, closed, strict=True)
    )
    inner = share_x * share_y
    edge_x = np.log(share_x) / np.log(inner)
    mean, deviation = stopping_position(n_neighbors, n_inside, inner)
    terms = np.zeros_like(inner)
    for position in (mean - deviation, mean + deviation):
        beside = (n_inside - n_neighbors) / (1 - position)
        for n_nearer, n_closed, edge in zip(
            strict, closed, (edge_x, 1 - edge_x), strict=True
        ):
            strip = position**edge
            n_expected = (
                n_neighbors
                + (n_closed - 1 - n_inside) * strip
                + beside * (strip - position)
                + (1 - edge)
            )
            terms += digamma(np.maximum(n_expected, n_nearer)) / 2
    return terms


def stopping_position(
    n_neighbors: IntArray, n_inside: IntArray, inner: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of t, the k-th of K uniform points on (0, 1).

    Fewer than k = `n_neighbors` of the K = `n_inside` are below `inner`.
    """
    odds = inner / (1 - inner)
    share = np.ones_like(inner)  # P(S = s) / P(S <= s) of S ~ Binomial(K, inner)
    moments = np.zeros((2, *inner.shape))  # of B, the position within the jump
    for n_before in range(int(n_neighbors.max(initial=1))):
        if n_before > 0:
            # P(S = s) / P(S = s - 1), then relative to P(S <= s)
            ratio = odds * (n_inside - n_before + 1) / n_before * share
            share = ratio / (1 + ratio)
        missing = n_neighbors - n_before
        left = np.maximum(n_inside - n_before, 0)  # 0: has no weight below
        first = missing / (left + 1)
        second = first * (missing + 1) / (left + 2)
        weight = np.where(n_before < n_neighbors, share, 0)
        moments += weight * (np.stack([first, second]) - moments)
    variance = np.maximum(moments[1] - moments[0] ** 2, 0)
    return inner + (1 - inner) * moments[0], (1 - inner) * np.sqrt(variance)
