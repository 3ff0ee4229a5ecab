"""The pointwise terms of mutual information, from nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.neighbors._index import (
    NeighborIndex,
    SideBySideIndex,
    build_index,
    group_spacing,
)
from skinfo.dependence.neighbors._ties import tie_broken_terms
from skinfo.dependence.variables._variable import Variable, join

TIES = ("adaptive", "gao")
_ROWS_PER_TASK = 1 << 15


@dataclass(frozen=True)
class IndexedPair:
    """Two random vectors and their joint one, each with its neighbour index.

    `rows_x` and `rows_y` (n_joint_rows,) are the rows of x and y in each joint row;
    `spacing` exceeds all distances; `digammas` (n_samples + 1,) is psi of each count.
    """

    x: Variable
    y: Variable
    joint: Variable
    rows_x: IntArray
    rows_y: IntArray
    index_x: NeighborIndex
    index_y: NeighborIndex
    index_joint: NeighborIndex
    spacing: float
    digammas: FloatArray

    def permuted(self, order: IntArray) -> IndexedPair:
        """Return the pair with the samples of y in another order."""
        y = self.y.take(order)
        joint, rows_x, rows_y = join(self.x, y)
        return replace(
            self,
            y=y,
            joint=joint,
            rows_x=rows_x,
            rows_y=rows_y,
            index_joint=build_index(joint, self.spacing),
        )


def side_by_side(pairs: Sequence[IndexedPair]) -> IndexedPair:
    """Return pairs of the same x and y in several orders as one, to save calls.

    Its joint rows are those of the first pair, then those of the second, and so on.
    """
    if len(pairs) == 1:
        return pairs[0]
    joints = [pair.joint for pair in pairs]
    n_groups = max(joint.n_groups for joint in joints)
    joint = replace(
        joints[0],
        counts=np.concatenate([joint.counts for joint in joints]),
        groups=np.concatenate([i * n_groups + j.groups for i, j in enumerate(joints)]),
        n_groups=n_groups * len(joints),
        points=np.vstack([joint.points for joint in joints]),
    )
    index = SideBySideIndex(
        [pair.index_joint for pair in pairs],
        n_rows=[joint.n_rows for joint in joints],
        n_groups=n_groups,
    )
    return replace(
        pairs[0],
        joint=joint,
        rows_x=np.concatenate([pair.rows_x for pair in pairs]),
        rows_y=np.concatenate([pair.rows_y for pair in pairs]),
        index_joint=index,
    )


def index_pair(x: Variable, y: Variable) -> IndexedPair:
    """Join two random vectors and build the three indices."""
    joint, rows_x, rows_y = join(x, y)
    spacing = group_spacing(x, y)
    index_x, index_y, index_joint = (
        build_index(variable, spacing) for variable in (x, y, joint)
    )
    digammas: FloatArray = digamma(np.arange(x.n_samples + 1.0))
    return IndexedPair(
        x, y, joint, rows_x, rows_y, index_x, index_y, index_joint, spacing, digammas
    )


def mean_term(joint: Variable, terms: FloatArray) -> float:
    """Return the mean over the samples of the terms of the joint rows.

    They are sorted first, so that the order of the rows leaves no trace in the sum.
    """
    return float(np.sort(terms * joint.counts).sum() / joint.n_samples)


def pointwise_terms(
    pair: IndexedPair, *, n_neighbors: int, ties: str, n_jobs: int | None = None
) -> FloatArray:
    """Return the terms of the distinct joint rows, in nats.

    Their mean over the samples is the estimate of mutual information.
    """
    terms = np.zeros(pair.joint.n_rows)
    if ties == "adaptive" and 1 in (pair.x.n_rows, pair.y.n_rows):
        return terms  # a constant carries no information
    if ties == "adaptive" and pair.joint.n_coordinates == 0:
        return _nominal_terms(pair)
    order = pair.index_joint.visiting_order()
    if len(order) <= _ROWS_PER_TASK:
        terms[order] = _terms_of_rows(pair, order, n_neighbors, ties)
        return terms
    blocks = [order[some] for some in gen_batches(len(order), _ROWS_PER_TASK)]
    if n_jobs == 1:  # not by joblib: a cluster takes tasks whatever n_jobs is
        for block in blocks:
            terms[block] = _terms_of_rows(pair, block, n_neighbors, ties)
        return terms
    results = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_terms_of_rows)(pair, block, n_neighbors, ties) for block in blocks
    )
    terms[order] = np.concatenate(results)
    return terms


def grassberger_log(counts: IntArray, digammas: FloatArray) -> FloatArray:
    """Return G(n) = psi(n) + (-1)^n (psi((n + 1) / 2) - psi(n / 2)) / 2.

    It estimates the log of the expected number with much less bias than psi where cells
    hold few samples (Grassberger 2003). `digammas` holds psi(n) at place n.
    """
    correction = (digamma((counts + 1) / 2) - digamma(counts / 2)) / 2
    return digammas[counts] + np.where(counts % 2, -correction, correction)


def _nominal_terms(pair: IndexedPair) -> FloatArray:
    """Return G(n_xy) + log N - psi(n_x) - psi(n_y), by the numbers of equal samples.

    A value that occurs once carries no information.
    """
    n_xy = pair.joint.counts
    n_x, n_y = pair.x.counts[pair.rows_x], pair.y.counts[pair.rows_y]
    psi = pair.digammas
    terms = grassberger_log(n_xy, psi) + np.log(pair.x.n_samples) - psi[n_x] - psi[n_y]
    return np.where((n_x > 1) & (n_y > 1), terms, 0.0)


def _terms_of_rows(
    pair: IndexedPair, rows: IntArray, n_neighbors: int, ties: str
) -> FloatArray:
    """Return psi(k~) + log N - psi(n_x) - psi(n_y) for some joint rows."""
    points, groups = pair.joint.points[rows], pair.joint.groups[rows]
    radius, reached = pair.index_joint.nth_distance(points, groups, n_neighbors + 1)
    at_x, at_y = pair.rows_x[rows], pair.rows_y[rows]
    strict_x, closed_x = pair.index_x.counts(
        pair.x.points[at_x], pair.x.groups[at_x], radius
    )
    strict_y, closed_y = pair.index_y.counts(
        pair.y.points[at_y], pair.y.groups[at_y], radius
    )
    # Gao et al. 2017, as in the authors' code: psi(k~) + log N - psi(n_x) - psi(n_y).
    # All counts include the point itself. rho = 0: k~, n_x and n_y count what
    # coincides; rho > 0: k~ = k, n_x and n_y count what is strictly nearer.
    atom = radius == 0
    k = np.where(atom, pair.joint.counts[rows], np.maximum(reached - 1, 1))
    n_x = np.where(atom, closed_x, strict_x)
    n_y = np.where(atom, closed_y, strict_y)
    psi = pair.digammas
    marginal_terms = psi[n_x] + psi[n_y]
    if ties == "adaptive":
        # several samples on the boundary: the k-th neighbour is one of many
        on_boundary = np.maximum(closed_x - strict_x, closed_y - strict_y)
        tied = np.flatnonzero(~atom & (on_boundary > 1))
        if len(tied) > 0:
            n_closed = pair.index_joint.closed_counts(
                points[tied], groups[tied], radius[tied]
            )
            marginal_terms[tied] = tie_broken_terms(
                k[tied],
                n_closed - 1,
                strict=(strict_x[tied], strict_y[tied]),
                closed=(closed_x[tied], closed_y[tied]),
            )
    terms = psi[k] + np.log(pair.x.n_samples) - marginal_terms
    return np.where(reached > 1, terms, 0.0)  # 0: nobody shares the nominal values
