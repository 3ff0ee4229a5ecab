"""Mutual information on new samples, by a density ratio that others have fitted.

The ratio r(x, y) = dP_XY / d(P_X P_Y) is read off the training samples; on new samples
it gives the Donsker-Varadhan bound E log r - log E' r <= I(X; Y), E' with x and y drawn
apart. For a ratio that is independent of the new samples it is a lower bound, whatever
the ratio.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from skinfo._core._parallel import batches, items_per_task, run_tasks
from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.neighbors._triple import IndexedTriple, index_triple
from skinfo.dependence.variables._new_samples import NewSamples
from skinfo.dependence.variables._variable import Variable

_ALL_PAIRS_UP_TO = 200  # samples: 40 000 pairs, 0.1 s; above, shifts of them
# With 32 shifts of 500 samples the score differs by .005 nats (root mean square over 12
# seeds) from that of all pairs, with 4 by .015; it varies by .034 from seed to seed.
_MAX_SHIFTS = 32
_MAX_PAIRS = 320_000  # 32 shifts of 10 000 samples: more samples need fewer shifts
_MIN_SHIFTS = 4
_SHUFFLING_SEED = 0  # the score of a sample does not depend on random_state


class DensityRatio:
    """The ratio of the joint density to the product of the marginal ones."""

    def __init__(self, x: Variable, y: Variable, n_neighbors: int) -> None:
        self._indexed: IndexedTriple = index_triple(x, y)
        self._n_neighbors = n_neighbors
        joint = self._indexed.joint.variable
        keys = self._joint_keys(
            x.groups[self._indexed.rows_xz], y.groups[self._indexed.rows_yz]
        )
        self._seen_keys, first = np.unique(keys, return_index=True)
        self._group_of_seen = joint.groups[first]

    def _joint_keys(self, groups_x: IntArray, groups_y: IntArray) -> IntArray:
        return groups_x * self._indexed.y.n_groups + groups_y

    def log_ratio(self, x: NewSamples, y: NewSamples) -> FloatArray:
        """Return log r of pairs of new samples, (n,)."""
        result = np.zeros(len(x.groups))  # r = 1 where a nominal value is new
        known = (x.groups >= 0) & (y.groups >= 0)
        keys = self._joint_keys(x.groups, y.groups)
        at = np.minimum(
            np.searchsorted(self._seen_keys, keys), len(self._seen_keys) - 1
        )
        together = known & (self._seen_keys[at] == keys)
        rows = np.flatnonzero(together)
        result[rows] = self._log_ratio_near(
            x.take(rows), y.take(rows), self._group_of_seen[at[rows]]
        )
        rows = np.flatnonzero(known & ~together)
        result[rows] = self._log_ratio_apart(x.groups[rows], y.groups[rows])
        return result

    def _log_ratio_near(
        self, x: NewSamples, y: NewSamples, groups: IntArray
    ) -> FloatArray:
        """Return log(k~ N / (n_x n_y)), counted in the ball of the k-th neighbour."""
        indexed = self._indexed
        points = np.hstack([x.points, y.points])
        joint = indexed.joint.index
        radius, _ = joint.nth_distance(points, groups, self._n_neighbors)
        k = joint.closed_counts(points, groups, radius)
        n_x = indexed.xz.index.closed_counts(x.points, x.groups, radius)
        n_y = indexed.yz.index.closed_counts(y.points, y.groups, radius)
        result: FloatArray = np.log(k * (indexed.x.n_samples / n_x) / n_y)
        return result

    def _log_ratio_apart(self, groups_x: IntArray, groups_y: IntArray) -> FloatArray:
        """Return log r of nominal values that were seen, but never together.

        They count as half a sample, and as independent where that is the likelier.
        """
        x, y = self._indexed.x, self._indexed.y
        expected = _group_sizes(x)[groups_x] * _group_sizes(y)[groups_y] / x.n_samples
        result: FloatArray = np.minimum(0.0, np.log(0.5 / expected))
        return result


def _group_sizes(variable: Variable) -> FloatArray:
    sizes = np.bincount(variable.groups, variable.counts, minlength=variable.n_groups)
    return sizes.astype(float)


def donsker_varadhan_bound(
    ratio: DensityRatio, x: NewSamples, y: NewSamples, *, n_jobs: int | None = None
) -> float:
    """Return mean log r(x_i, y_i) - log mean r(x_i, y_j), in nats.

    j runs over all samples where they are few, else over some cyclic shifts of the
    shuffled samples (sorted samples that are merely shifted stay dependent).
    """
    n = len(x.groups)
    if n <= _ALL_PAIRS_UP_TO:
        shifts = np.arange(n)
    else:
        order = np.random.default_rng(_SHUFFLING_SEED).permutation(n)
        x, y = x.take(order), y.take(order)
        n_shifts = np.clip(_MAX_PAIRS // n, _MIN_SHIFTS, _MAX_SHIFTS)
        shifts = np.linspace(1, n - 1, n_shifts).round().astype(np.int64)
    joint = ratio.log_ratio(x, y)
    apart = run_tasks(
        _log_ratio_of_shifts,
        [
            (ratio, x, y, shifts[some])
            for some in batches(len(shifts), items_per_task(n))
        ],
        n_jobs=n_jobs,
    )
    return float(joint.mean() - logsumexp(apart) + np.log(n * len(shifts)))


def _log_ratio_of_shifts(
    ratio: DensityRatio, x: NewSamples, y: NewSamples, shifts: IntArray
) -> float:
    """Return the log of the sum of r over all pairs of these shifts."""
    n = len(x.groups)
    rows_x = np.tile(np.arange(n), len(shifts))
    rows_y = (rows_x + np.repeat(shifts, n)) % n
    return float(logsumexp(ratio.log_ratio(x.take(rows_x), y.take(rows_y))))
