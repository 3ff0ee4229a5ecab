"""The terms of conditional mutual information, by nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo.dependence.neighbors._conditional_ties import conditional_tie_terms
from skinfo.dependence.neighbors._index import NeighborIndex, build_index, group_spacing
from skinfo.dependence.neighbors._pointwise import grassberger_log
from skinfo.dependence.variables._codes import factorize
from skinfo.dependence.variables._variable import Variable, join

_ROWS_PER_TASK = 1 << 15


@dataclass(frozen=True)
class IndexedVector:
    """A random vector with its neighbour index."""

    variable: Variable
    index: NeighborIndex

    def counts(self, rows: IntArray, radius: FloatArray) -> tuple[IntArray, IntArray]:
        """Count the samples nearer than, and not farther than, a radius from rows."""
        points, groups = self.variable.points[rows], self.variable.groups[rows]
        return self.index.counts(points, groups, radius)

    def closed_counts(self, rows: IntArray, radius: FloatArray) -> IntArray:
        """Count the samples not farther than a radius from some rows."""
        points, groups = self.variable.points[rows], self.variable.groups[rows]
        return self.index.closed_counts(points, groups, radius)


@dataclass(frozen=True)
class IndexedTriple:
    """Random vectors x, y and z, and what the estimate counts in, with its indices.

    `rows_xz`, `rows_yz` and `rows_z` (n_joint_rows,) are the rows of (x, z), (y, z) and
    z in each joint row; `spacing` exceeds all distances; `digammas` (n_samples + 1,) is
    psi of each count.
    """

    x: Variable
    y: Variable
    xz: IndexedVector
    yz: IndexedVector
    z: IndexedVector
    joint: IndexedVector
    rows_xz: IntArray
    rows_yz: IntArray
    rows_z: IntArray
    spacing: float
    digammas: FloatArray

    def reordered(self, order: IntArray) -> IndexedTriple:
        """Return the triple with y taken at these samples, of which some can recur."""
        return _join(self.x, _resample(self.y, order), self.xz, self.z, self.spacing)

    def exchanged(self) -> IndexedTriple:
        """Return the triple in which x is y and y is x."""
        return replace(
            self,
            x=self.y,
            y=self.x,
            xz=self.yz,
            yz=self.xz,
            rows_xz=self.rows_yz,
            rows_yz=self.rows_xz,
        )


def index_triple(x: Variable, y: Variable, z: Variable) -> IndexedTriple:
    """Join three random vectors and build the four indices."""
    spacing = group_spacing(x, y, z)
    xz, only_z = (_index(vector, spacing) for vector in (join(x, z)[0], z))
    return _join(x, y, xz, only_z, spacing)


def _index(variable: Variable, spacing: float) -> IndexedVector:
    return IndexedVector(variable, build_index(variable, spacing))


def _join(
    x: Variable, y: Variable, xz: IndexedVector, z: IndexedVector, spacing: float
) -> IndexedTriple:
    joint, yz = join(xz.variable, y)[0], join(y, z.variable)[0]
    a_sample = np.empty(joint.n_rows, dtype=np.int64)
    a_sample[joint.codes] = np.arange(joint.n_samples)
    digammas: FloatArray = digamma(np.arange(joint.n_samples + 1.0))
    return IndexedTriple(
        x,
        y,
        xz,
        _index(yz, spacing),
        z,
        _index(joint, spacing),
        xz.variable.codes[a_sample],
        yz.codes[a_sample],
        z.variable.codes[a_sample],
        spacing,
        digammas,
    )


def _resample(variable: Variable, order: IntArray) -> Variable:
    """Return a variable at these samples; rows that none of them has are dropped."""
    codes, kept, n_rows = factorize(variable.codes[order], variable.n_rows)
    return replace(
        variable,
        codes=codes,
        counts=np.bincount(codes, minlength=n_rows),
        groups=variable.groups[kept],
        points=variable.points[kept],
    )


def conditional_terms(
    triple: IndexedTriple, *, n_neighbors: int, ties: str, n_jobs: int | None = None
) -> FloatArray:
    """Return the terms of the distinct joint rows, in nats.

    Their mean over the samples is the estimate of conditional mutual information.
    """
    joint = triple.joint.variable
    terms = np.zeros(joint.n_rows)
    if ties == "adaptive" and 1 in (triple.x.n_rows, triple.y.n_rows):
        return terms  # a constant carries no information
    if ties == "adaptive" and joint.n_coordinates == 0:
        return np.where(_vary_in_stratum(triple), _nominal_terms(triple), 0.0)
    order = triple.joint.index.visiting_order()
    if len(order) <= _ROWS_PER_TASK or n_jobs == 1:
        terms[order] = _terms_of_rows(triple, order, n_neighbors, ties)
    else:
        results = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(_terms_of_rows)(triple, order[block], n_neighbors, ties)
            for block in gen_batches(len(order), _ROWS_PER_TASK)
        )
        terms[order] = np.concatenate(results)
    if ties == "adaptive" and triple.z.variable.n_coordinates == 0:
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


def _nominal_terms(triple: IndexedTriple) -> FloatArray:
    """Return G(n_xyz) + log n_z - psi(n_xz) - psi(n_yz), by numbers of equal samples.

    G is that of the terms of mutual information, which these are in each stratum of z.
    """
    n_xyz = triple.joint.variable.counts
    n_xz = triple.xz.variable.counts[triple.rows_xz]
    n_yz = triple.yz.variable.counts[triple.rows_yz]
    n_z = triple.z.variable.counts[triple.rows_z]
    psi = triple.digammas
    terms = grassberger_log(n_xyz, psi) + np.log(n_z) - (psi[n_xz] + psi[n_yz])
    return np.where((n_xz > 1) & (n_yz > 1), terms, 0.0)


def _terms_of_rows(
    triple: IndexedTriple, rows: IntArray, n_neighbors: int, ties: str
) -> FloatArray:
    """Return psi(k~) - psi(n_xz) - psi(n_yz) + psi(n_z) for some joint rows."""
    joint, z = triple.joint.variable, triple.z.variable
    radius, reached = triple.joint.index.nth_distance(
        joint.points[rows], joint.groups[rows], n_neighbors + 1
    )
    strict_xz, closed_xz = triple.xz.counts(triple.rows_xz[rows], radius)
    strict_yz, closed_yz = triple.yz.counts(triple.rows_yz[rows], radius)
    strict_z, closed_z = triple.z.counts(triple.rows_z[rows], radius)
    # As for mutual information, with n_z in place of N. All counts include the point
    # itself. rho = 0: all count what coincides; rho > 0: k~ = k, and the others count
    # what is strictly nearer.
    atom = radius == 0
    k = np.where(atom, joint.counts[rows], np.maximum(reached - 1, 1))
    n_xz = np.where(atom, closed_xz, strict_xz)
    n_yz = np.where(atom, closed_yz, strict_yz)
    n_z = np.where(atom, closed_z, strict_z)
    psi = triple.digammas
    # within a nominal z this is mutual information, which takes the log
    log_n_z = np.log(n_z) if z.n_coordinates == 0 else psi[n_z]
    terms = psi[k] + log_n_z - (psi[n_xz] + psi[n_yz])
    if ties == "adaptive":
        # several samples on the boundary: the k-th neighbour is one of many
        on_boundary = np.maximum(closed_xz - strict_xz, closed_yz - strict_yz)
        tied = np.flatnonzero(~atom & (on_boundary > 1))
        if len(tied) > 0:
            n_inside = triple.joint.closed_counts(rows[tied], radius[tied]) - 1
            tie_terms = conditional_tie_terms(
                k[tied],
                n_inside,
                strict=(strict_xz[tied], strict_yz[tied], strict_z[tied]),
                closed=(closed_xz[tied], closed_yz[tied], closed_z[tied]),
            )
            terms[tied] = psi[k[tied]] - tie_terms + (log_n_z - psi[n_z])[tied]
    return np.where(reached > 1, terms, 0.0)  # 0: nobody shares the nominal values
