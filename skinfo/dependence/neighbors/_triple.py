"""Random vectors x, y and z with the neighbour indices that their terms count in.

Without z, z is constant: (x, z) is then x, (y, z) is y, and z counts all samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.neighbors._index import (
    NeighborIndex,
    SideBySideIndex,
    build_index,
    group_spacing,
)
from skinfo.dependence.variables._variable import Variable, constant, join, resample


@dataclass(frozen=True)
class IndexedVector:
    """A random vector with its neighbour index."""

    variable: Variable
    index: NeighborIndex

    def nth_distance(self, rows: IntArray, n: int) -> tuple[FloatArray, IntArray]:
        """Return the distance from rows to the n-th sample, and the n reached."""
        return self.index.nth_distance(*self._at(rows), n)

    def counts(self, rows: IntArray, radius: FloatArray) -> tuple[IntArray, IntArray]:
        """Count the samples nearer than, and not farther than, a radius from rows."""
        return self.index.counts(*self._at(rows), radius)

    def closed_counts(self, rows: IntArray, radius: FloatArray) -> IntArray:
        """Count the samples not farther than a radius from rows."""
        return self.index.closed_counts(*self._at(rows), radius)

    def _at(self, rows: IntArray) -> tuple[FloatArray, IntArray]:
        return self.variable.points[rows], self.variable.groups[rows]


@dataclass(frozen=True)
class IndexedTriple:
    """Random vectors x, y and z, joined and indexed.

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

    @property
    def z_is_constant(self) -> bool:
        """Whether nothing is given."""
        return self.z.variable.n_rows == 1

    def reordered(self, order: IntArray) -> IndexedTriple:
        """Return the triple with y taken at these samples.

        Given z some samples may recur; without z it must be a permutation.
        """
        if self.z_is_constant:  # a permutation leaves y its rows, and so its index
            y = self.y.take(order)
            yz = replace(self.yz, variable=y)
        else:
            y = resample(self.y, order)
            yz = _index(join(y, self.z.variable)[0], self.spacing)
        return _join(
            self.x,
            y,
            self.xz,
            yz,
            self.z,
            spacing=self.spacing,
            digammas=self.digammas,
        )

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


def index_triple(x: Variable, y: Variable, z: Variable | None = None) -> IndexedTriple:
    """Join random vectors and build their indices; without z it is constant."""
    if z is None:
        spacing = group_spacing(x, y)
        z, xz, yz = constant(x.n_samples), x, y
    else:
        spacing = group_spacing(x, y, z)
        xz, yz = join(x, z)[0], join(y, z)[0]
    digammas: FloatArray = digamma(np.arange(x.n_samples + 1.0))
    return _join(
        x,
        y,
        _index(xz, spacing),
        _index(yz, spacing),
        _index(z, spacing),
        spacing=spacing,
        digammas=digammas,
    )


def _index(variable: Variable, spacing: float) -> IndexedVector:
    return IndexedVector(variable, build_index(variable, spacing))


def _join(
    x: Variable,
    y: Variable,
    xz: IndexedVector,
    yz: IndexedVector,
    z: IndexedVector,
    *,
    spacing: float,
    digammas: FloatArray,
) -> IndexedTriple:
    """Join (x, z) with y, and find the rows of the others in each joint row."""
    joint, rows_xz, rows_yz = join(xz.variable, y)
    if z.variable.n_rows == 1:
        rows_z = np.zeros_like(rows_yz)
    else:
        a_sample = np.empty(joint.n_rows, dtype=np.int64)
        a_sample[joint.codes] = np.arange(joint.n_samples)
        rows_yz, rows_z = yz.variable.codes[a_sample], z.variable.codes[a_sample]
    indexed = _index(joint, spacing)
    return IndexedTriple(
        x, y, xz, yz, z, indexed, rows_xz, rows_yz, rows_z, spacing, digammas
    )


def side_by_side(triples: Sequence[IndexedTriple]) -> IndexedTriple:
    """Return triples without z, of the same x and y in several orders, as one.

    Its joint rows are those of the first triple, then those of the second, and so on:
    a few calls for all of them take less time than many.
    """
    if len(triples) == 1:
        return triples[0]
    joints = [triple.joint.variable for triple in triples]
    n_groups = max(joint.n_groups for joint in joints)
    joint = replace(
        joints[0],
        counts=np.concatenate([joint.counts for joint in joints]),
        groups=np.concatenate([i * n_groups + j.groups for i, j in enumerate(joints)]),
        n_groups=n_groups * len(joints),
        points=np.vstack([joint.points for joint in joints]),
    )
    index = SideBySideIndex(
        [triple.joint.index for triple in triples],
        n_rows=[joint.n_rows for joint in joints],
        n_groups=n_groups,
    )
    return replace(
        triples[0],
        joint=IndexedVector(joint, index),
        rows_xz=np.concatenate([triple.rows_xz for triple in triples]),
        rows_yz=np.concatenate([triple.rows_yz for triple in triples]),
        rows_z=np.concatenate([triple.rows_z for triple in triples]),
    )
