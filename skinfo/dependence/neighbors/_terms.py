"""The pointwise terms of (conditional) mutual information, from nearest neighbours.

Mutual information is the conditional one with nothing given: n_z is then N.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from skinfo._core._parallel import batches, items_per_task, run_tasks
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo.dependence.neighbors._ties import tie_terms
from skinfo.dependence.neighbors._triple import IndexedTriple
from skinfo.dependence.variables._variable import Variable

TIES = ("adaptive", "gao")


def mean_term(joint: Variable, terms: FloatArray) -> float:
    """Return the mean over the samples of the terms of the joint rows.

    They are sorted first, so that the order of the rows leaves no trace in the sum.
    """
    return float(np.sort(terms * joint.counts).sum() / joint.n_samples)


def pointwise_terms(
    triple: IndexedTriple, *, n_neighbors: int, ties: str, n_jobs: int | None = None
) -> FloatArray:
    """Return the terms of the distinct joint rows, in nats.

    Their mean over the samples is the estimate of I(X; Y | Z).
    """
    terms = np.zeros(triple.joint.variable.n_rows)
    adaptive = ties == "adaptive"
    if adaptive and 1 in (triple.x.n_rows, triple.y.n_rows):
        return terms  # a constant carries no information
    if adaptive and triple.joint.variable.n_coordinates == 0:
        terms = _nominal_terms(triple)
    else:
        order = triple.joint.index.visiting_order()
        blocks = [
            (triple, order[some], n_neighbors, ties)
            for some in batches(len(order), items_per_task(1))
        ]
        if n_jobs == 1 or len(blocks) == 1:  # also inside the tasks of others
            results = [_terms_of_rows(*block) for block in blocks]
        else:
            results = run_tasks(_terms_of_rows, blocks, n_jobs=n_jobs)
        terms[order] = np.concatenate(results)
    if adaptive and triple.z.variable.n_coordinates == 0 and not triple.z_is_constant:
        return np.where(_vary_in_stratum(triple), terms, 0.0)
    return terms


def _vary_in_stratum(triple: IndexedTriple) -> BoolArray:
    """Tell for each joint row whether x and y take several values where z is equal."""
    z = triple.z.variable
    vary = np.ones(z.n_rows, dtype=bool)
    for vector in (triple.xz.variable, triple.yz.variable):
        z_of_row = np.empty(vector.n_rows, dtype=np.int64)
        z_of_row[vector.codes] = z.codes
        vary &= np.bincount(z_of_row, minlength=z.n_rows) > 1
    return vary[triple.rows_z]


def grassberger_log(counts: IntArray, digammas: FloatArray) -> FloatArray:
    """Return G(n) = psi(n) + (-1)^n (psi((n + 1) / 2) - psi(n / 2)) / 2.

    It estimates the log of the expected number with much less bias than psi where cells
    hold few samples (Grassberger 2003). `digammas` holds psi(n) at place n.
    """
    correction = (digamma((counts + 1) / 2) - digamma(counts / 2)) / 2
    return digammas[counts] + np.where(counts % 2, -correction, correction)


def _nominal_terms(triple: IndexedTriple) -> FloatArray:
    """Return G(n_xyz) + log n_z - psi(n_xz) - psi(n_yz), by numbers of equal samples.

    A value that occurs once where z is equal carries no information.
    """
    n_xyz = triple.joint.variable.counts
    n_xz = triple.xz.variable.counts[triple.rows_xz]
    n_yz = triple.yz.variable.counts[triple.rows_yz]
    n_z = triple.z.variable.counts[triple.rows_z]
    psi = triple.digammas
    terms = grassberger_log(n_xyz, psi) + np.log(n_z) - psi[n_xz] - psi[n_yz]
    return np.where((n_xz > 1) & (n_yz > 1), terms, 0.0)


def _terms_of_rows(
    triple: IndexedTriple, rows: IntArray, n_neighbors: int, ties: str
) -> FloatArray:
    """Return psi(k~) - psi(n_xz) - psi(n_yz) + psi(n_z) for some joint rows."""
    joint, z = triple.joint, triple.z
    radius, reached = joint.nth_distance(rows, n_neighbors + 1)
    strict_xz, closed_xz = triple.xz.counts(triple.rows_xz[rows], radius)
    strict_yz, closed_yz = triple.yz.counts(triple.rows_yz[rows], radius)
    # Gao et al. 2017, as in the authors' code: psi(k~) + log N - psi(n_x) - psi(n_y);
    # given z as in Mesner and Shalizi 2021. All counts include the point itself.
    # rho = 0: all count what coincides; rho > 0: k~ = k, and the others count what is
    # strictly nearer.
    psi = triple.digammas
    atom = radius == 0
    k = np.where(atom, joint.variable.counts[rows], np.maximum(reached - 1, 1))
    n_xz = np.where(atom, closed_xz, strict_xz)
    n_yz = np.where(atom, closed_yz, strict_yz)
    rows_z = triple.rows_z[rows]
    if z.variable.n_coordinates == 0:
        # within each value of z it is the estimate of Gao et al., with their log
        n_z = strict_z = closed_z = z.variable.counts[rows_z]
        log_n_z = np.log(z.variable.counts)[rows_z]
    else:
        strict_z, closed_z = z.counts(rows_z, radius)
        n_z = np.where(atom, closed_z, strict_z)
        log_n_z = psi[n_z]
    terms = psi[k] + log_n_z - (psi[n_xz] + psi[n_yz])
    if ties == "adaptive":
        # several samples on the boundary: the k-th neighbour is one of many
        on_boundary = np.maximum(closed_xz - strict_xz, closed_yz - strict_yz)
        tied = np.flatnonzero(~atom & (on_boundary > 1))
        if len(tied) > 0:
            n_inside = joint.closed_counts(rows[tied], radius[tied]) - 1
            broken = tie_terms(
                k[tied],
                n_inside,
                strict=(strict_xz[tied], strict_yz[tied], strict_z[tied]),
                closed=(closed_xz[tied], closed_yz[tied], closed_z[tied]),
            )
            terms[tied] = psi[k[tied]] - broken + (log_n_z - psi[n_z])[tied]
    return np.where(reached > 1, terms, 0.0)  # 0: nobody shares the nominal values
