"""The terms given z where the k-th neighbour is one of several at its distance.

As in `_ties`, of which this is the extension: a box that grows in jumps, on rounded or
lattice data, does so gradually where noise breaks the ties, and the terms here are
about those that random breaking gives on average.

In its last jump the box grows from the shares g_xz, g_yz and g_z of its counts in
(x, z), (y, z) and z to 1. Were x and y independent given z inside, the share of its
mass would grow from g = g_xz g_yz / g_z. Let the others grow along t^a_xz, t^a_yz and
t^a_z with it, a_xz + a_yz - a_z = 1. Of the K points in the box, the k-th is reached at
some t, as in `_ties`. Then

    n_xz = k + R_xz t^a_xz + (K - k) (t^a_xz - t) / (1 - t) + (a_yz - a_z)

points are expected in the strip of (x, z): k in the stopped box, those of the R_xz
outside the full box and of the K - k in it that are in the strip by then, and the point
itself, which is counted where the k-th neighbour is on an edge that the strip does not
have, that of y. For z it is so on the edges of x and of y, with 1 - a_z.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.neighbors._ties import stopping_position


def conditional_tie_terms(
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
    edge_xz, edge_yz, edge_z = (
        np.log(share) / np.log(inner) for share in (share_xz, share_yz, share_z)
    )
    others = (edge_yz - edge_z, edge_xz - edge_z, 1 - edge_z)
    mean, deviation = stopping_position(n_neighbors, n_inside, inner)
    terms = np.zeros_like(inner)
    for position in (mean - deviation, mean + deviation):
        beside = (n_inside - n_neighbors) / (1 - position)
        for sign, n_nearer, n_closed, edge, other in zip(
            (1, 1, -1), strict, closed, (edge_xz, edge_yz, edge_z), others, strict=True
        ):
            strip = position**edge
            n_expected = (
                n_neighbors
                + (n_closed - 1 - n_inside) * strip
                + beside * (strip - position)
                + other
            )
            terms += sign * digamma(np.maximum(n_expected, n_nearer)) / 2
    return terms
