"""Permutations that keep what z says: each sample takes the y of one that is near in z.

The local permutation of Runge (2018): y exchanges its samples only among neighbours in
z, so that it keeps its dependence on z and loses the one on x that is left given z.
Where several samples share a value of z, they are exactly exchangeable, and a plain
permutation among them is taken.

Neighbours are so only if what they exchange hardly depends on where in the
neighbourhood they are. Where it follows z closely, an exchange moves it by more than it
varies given z, and the permuted samples are less dependent than any that z allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.neighbors._index import group_spacing
from skinfo.dependence.variables._variable import Variable

N_NEIGHBORS = 5  # that a sample chooses from, itself included
# By how many more neighbourhoods follow z than do not: a share of all, and standard
# deviations of what it is by chance.
_CLEAR_SHARE, _CLEAR_DEVIATIONS = 0.1, 3.0


@dataclass(frozen=True)
class LocalPermutation:
    """Which samples can exchange their y.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,)
        The distinct row of z of each sample.
    untied : ndarray of shape (n_untied,)
        The samples whose row of z too few others share.
    neighbors : ndarray of shape (n_untied, N_NEIGHBORS)
        What each of them chooses from, nearest first; where there are not so many, they
        recur in this order.
    """

    codes: IntArray
    untied: IntArray
    neighbors: IntArray

    def order(self, seed: int) -> IntArray:
        """Return the sample whose y each sample takes, (n_samples,).

        Samples that share z are permuted. The others are visited in random order; each
        takes a random neighbour that is not yet taken, else the last one it tried.
        """
        generator = np.random.default_rng(seed)
        in_strata = np.argsort(self.codes, kind="stable")
        shuffled = np.lexsort((generator.random(len(self.codes)), self.codes))
        order = np.empty_like(in_strata)
        order[in_strata] = shuffled
        visits = generator.permutation(len(self.untied))
        choices = generator.permuted(self.neighbors[visits], axis=1)
        order[self.untied[visits]] = self._take(choices)
        return order

    def trend(self, variable: Variable) -> float:
        """Return how clearly a variable follows z within the neighbourhoods.

        That is in how many of them the nearest with another z is nearer in the
        variable, too, than the last, less those where it is farther. About 0 where the
        variable does not depend on the place in the neighbourhood; above 1 if that is
        clearly not so.
        """
        elsewhere = self.codes[self.neighbors] != self.codes[self.untied, np.newaxis]
        first, last = self.neighbors[:, 0], self.neighbors[:, -1]
        nearest = self.neighbors[np.arange(len(first)), elsewhere.argmax(axis=1)]
        to_nearest = _distances(variable, first, nearest)
        to_last = _distances(variable, first, last)
        counted = (nearest != first) & (last != first)  # else they recur
        n_nearer = int(np.sum(counted & (to_nearest < to_last)))
        n_farther = int(np.sum(counted & (to_nearest > to_last)))
        n_cases = max(n_nearer + n_farther, 1)
        clear = max(_CLEAR_SHARE * n_cases, _CLEAR_DEVIATIONS * n_cases**0.5)
        return float((n_nearer - n_farther) / clear)

    def among_equals(self) -> LocalPermutation:
        """Return that in which only samples that share z exchange their y."""
        return replace(self, untied=self.untied[:0], neighbors=self.neighbors[:0])

    def _take(self, choices: IntArray) -> list[int]:
        """Return what is taken of the choices (n_untied, N_NEIGHBORS), row by row."""
        taken = bytearray(b"\1") * len(self.codes)  # those that share z take each other
        for sample in self.untied.tolist():
            taken[sample] = False
        result = []
        choice = -1
        for some in choices.tolist():
            for choice in some:
                if not taken[choice]:
                    break
            taken[choice] = True
            result.append(choice)
        return result


def _distances(variable: Variable, samples: IntArray, others: IntArray) -> FloatArray:
    """Return the distances of samples to others, infinite where groups differ."""
    rows, other_rows = variable.codes[samples], variable.codes[others]
    differences = np.abs(variable.points[rows] - variable.points[other_rows])
    same_group = variable.groups[rows] == variable.groups[other_rows]
    return np.where(same_group, differences.max(axis=1, initial=0.0), np.inf)


def local_permutation(z: Variable) -> LocalPermutation:
    """Find for each sample those that are nearest in z.

    Nominal values of z never mix. Where z has no other, or `N_NEIGHBORS` samples share
    its row, only those that share it exchange their y.
    """
    untied_rows = np.flatnonzero(z.counts < N_NEIGHBORS)
    if z.n_coordinates == 0:
        untied_rows = untied_rows[:0]
    is_untied = np.zeros(z.n_rows, dtype=bool)
    is_untied[untied_rows] = True
    untied = np.flatnonzero(is_untied[z.codes])
    neighbors = np.empty((z.n_rows, N_NEIGHBORS), dtype=np.int64)
    if len(untied_rows) > 0:
        neighbors[untied_rows] = _nearest_samples(z, untied_rows)
    return LocalPermutation(z.codes, untied, neighbors[z.codes[untied]])


def _nearest_samples(z: Variable, rows: IntArray) -> IntArray:
    """Return the samples nearest to some rows of z, (n_rows, N_NEIGHBORS)."""
    near_rows, n_samples = _nearest_rows(z, rows)
    # of several samples at a row any can be the one that is taken first
    shuffled = np.random.default_rng(0).permutation(z.n_samples)
    samples = shuffled[np.argsort(z.codes[shuffled], kind="stable")]
    first = np.cumsum(z.counts) - z.counts
    ends = np.cumsum(n_samples, axis=1)
    at = np.arange(len(rows))
    result = np.empty((len(rows), N_NEIGHBORS), dtype=np.int64)
    for slot in range(N_NEIGHBORS):
        rank = slot % ends[:, -1]  # starts again where there are not so many
        column = np.sum(ends <= rank[:, np.newaxis], axis=1)
        offset = rank - ends[at, column] + n_samples[at, column]
        result[:, slot] = samples[first[near_rows[at, column]] + offset]
    return result


def _nearest_rows(z: Variable, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the nearest rows of some rows of z and their numbers of samples.

    Rows of other groups have none.
    """
    spacing = group_spacing(z)
    places = np.column_stack([z.points, z.groups * spacing])
    nearest = np.arange(1, min(N_NEIGHBORS, z.n_rows) + 1)
    distances, near_rows = KDTree(places).query(places[rows], k=nearest, p=np.inf)
    in_group = np.asarray(distances) < spacing
    return np.asarray(near_rows), np.where(in_group, z.counts[near_rows], 0)
