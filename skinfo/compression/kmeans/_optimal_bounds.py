"""Clusters of sorted points with the least inertia, as bounds between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from skinfo._core._typing import FloatArray, IntArray

_LARGEST_EXACT = 3000  # distinct values; bounds the table of costs to 72 MB
_MOST_CELLS = 2048  # cells; bounds the table of costs to 32 MiB
_MOST_CANDIDATES = 1 << 18  # candidates of all bounds together; bounds the memory
_ROUNDING = 1e-13  # relative rounding error of sums of costs

# Tried on four samples of 6000 and 20 000 values with 16 to 600 clusters.
# Cells in place of many values, on which clusters are exact: half or double, the same.
_FEWEST_CELLS = 512
# Cells, between these two bounds: half as many gave up to 5e-4 more inertia.
_CELLS_PER_CLUSTER = 8
# Iterations, each of which brings wide gaps closer to one cell: without, up to 2e-3
# more inertia; 2 to 16 were within 1e-4.
_LEVELLINGS = 8
# Candidates on each side of a bound, over one whole cluster: half gave the same,
# double up to 1e-5 less in 45% more time.
_WIDE = 96
# Candidates on each side in the passes thereafter: half gave up to 5e-6 more inertia.
_NARROW = 6
# Candidates of a bound, up to which all pairs are compared: without, 26% longer.
_MOST_DENSE = 16
_MOST_PASSES = 50  # over the bounds; 5 gave the same
# Rows are searched at strides of its powers, coarse to fine: 2 took 49% longer.
_BRANCHES = 4

Cost = Callable[[IntArray, IntArray], FloatArray]


def best_bounds(points: FloatArray, masses: FloatArray, n_clusters: int) -> IntArray:
    """Return the bounds (n_clusters + 1,) of the clusters: starts, and the end.

    `points` (n,) ascend strictly, in [-4, 4]; `masses` (n,) are positive, and
    `n_clusters` is at most n.
    """
    n_points = len(points)
    if n_points <= _LARGEST_EXACT or n_clusters == 1:
        return exact_bounds(points, masses, n_clusters)
    n_cells = min(max(_CELLS_PER_CLUSTER * n_clusters, _FEWEST_CELLS), _MOST_CELLS)
    cells = _cell_bounds(points, masses, max(n_cells, n_clusters))
    cell_masses = np.add.reduceat(masses, cells[:-1])
    cell_means, _ = from_means(points, masses, cells)
    bounds = cells[exact_bounds(cell_means, cell_masses, n_clusters)]
    return _refine(points, masses, bounds)


# ----- dynamic programming


def exact_bounds(points: FloatArray, masses: FloatArray, n_clusters: int) -> IntArray:
    """Return the bounds of the optimal clusters, by dynamic programming."""
    n_points = len(points)
    if n_clusters in {1, n_points}:
        return np.linspace(0, n_points, n_clusters + 1).astype(np.int64)
    table = _cost_table(points, masses)
    n_ends = n_points - n_clusters + 1  # places where the k-th cluster can end
    ends = np.arange(n_ends)
    costs = table[:n_ends, 0]
    pointers = []
    for k in range(1, n_clusters):
        cost = _shifted(table, k)
        costs, pointer = _add_cluster(costs, ends, cost)
        pointers.append(pointer)
    path = _trace(pointers, n_ends - 1)
    inner = path[:-1] + np.arange(1, n_clusters)
    return np.concatenate([[0], inner, [n_points]])


def _cost_table(points: FloatArray, masses: FloatArray) -> FloatArray:
    """Return the cost of one cluster of the points i to j, in row j and column i.

    Row by row the j-th point joins the clusters of all starts, which moves their means
    (Welford), measured from the starts; all terms are positive. Nothing is above the
    diagonal.
    """
    n_points = len(points)
    table = np.zeros((n_points, n_points))
    totals, means, inertias = np.zeros((3, n_points))
    for j, (point, mass) in enumerate(zip(points, masses, strict=True)):
        total, mean, inertia = (a[: j + 1] for a in (totals, means, inertias))
        total += mass
        difference = point - points[: j + 1] - mean
        move = difference * (mass / total)
        mean += move
        inertia += mass * difference * (difference - move)
        table[j, : j + 1] = inertia
    return table


def _shifted(table: FloatArray, shift: int) -> Cost:
    """Return the costs by row and column of the table from (shift, shift) on."""
    flat = table.ravel()
    n_points = len(table)
    corner = shift * n_points + shift

    def cost(rows: IntArray, columns: IntArray) -> FloatArray:
        return flat.take(corner + rows * n_points + columns)

    return cost


def _add_cluster(
    costs: FloatArray, limits: IntArray, cost: Cost
) -> tuple[FloatArray, IntArray]:
    """Return the least cost with one more cluster, and where that cluster starts.

    Row j is an end of the new cluster, column i a start of it, and `costs[i]` the least
    cost of the clusters before. The least costs[i] + cost(j, i) of each row and its i
    are returned, both (n_rows,). Row j may take the columns up to `limits[j]`, which do
    not decrease with j. Nor does the best column, so a row searches between those of
    the rows around it: a few rows far apart first, then those between, and so on.
    """
    n_rows = len(limits)
    best, found = np.empty(n_rows), np.empty(n_rows, dtype=np.int64)
    # the first and the last best column, of row j at j + 1: where the search of the
    # rows between begins and ends
    first = np.zeros(n_rows + 1, dtype=np.int64)
    last = np.full((_BRANCHES + 1) * n_rows + 1, len(costs))
    for places, before, after in _search_rounds(n_rows):
        rows = places - 1
        low = first[before]
        high = np.maximum(np.minimum(limits[rows], last[after]), low)
        found_here = _search(costs, cost, rows, low, high)
        best[rows], found[rows], first[places], last[places] = found_here
    return best, found


@lru_cache
def _search_rounds(n_rows: int) -> tuple[tuple[IntArray, IntArray, IntArray], ...]:
    """Return the places 1 to n_rows round by round, with those known around each."""
    rounds = []
    places = np.arange(1, n_rows + 1)
    stride = 1
    while stride <= n_rows:
        wide = _BRANCHES * stride
        new = places[(places % stride == 0) & (places % wide != 0)]
        before = new // wide * wide
        rounds.append((new, before, before + wide))
        stride = wide
    return tuple(rounds[::-1])


def _search(
    costs: FloatArray, cost: Cost, rows: IntArray, low: IntArray, high: IntArray
) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Return the minimum of each row over its columns low to high, and where it is.

    Then the first and the last column that rounding cannot tell from the best: beside
    a large cost small ones vanish, which must not mislead the rows around.
    """
    lengths = high - low + 1
    starts = np.cumsum(lengths) - lengths
    owners = np.repeat(np.arange(len(rows)), lengths)
    columns = np.arange(len(owners))
    columns += (low - starts).take(owners)
    sums = cost(rows.take(owners), columns)
    sums += costs.take(columns)
    minima = np.minimum.reduceat(sums, starts)
    near = np.flatnonzero(sums <= (minima * (1 + _ROUNDING)).take(owners))
    near_owners, near_columns = owners[near], columns[near]
    # of several values for one place, the last one written stays
    first, last, found = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    first[near_owners[::-1]] = near_columns[::-1]
    last[near_owners] = near_columns
    best = sums[near] == minima[near_owners]
    found[near_owners[best]] = near_columns[best]
    return minima, found, first, last


def _trace(pointers: list[IntArray], end: int) -> IntArray:
    """Follow the pointers of the layers back from an end; ascending."""
    path = [end]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    return np.array(path[::-1], dtype=np.int64)


# ----- many points: cells, then windows around the bounds


def _cell_bounds(points: FloatArray, masses: FloatArray, n_cells: int) -> IntArray:
    """Return the bounds (n_cells + 1,) of cells with the cube root of the density.

    A gap x between points of mass m takes (m / x)^(1/3) x = (m x^2)^(1/3), but not
    more than a cell.
    """
    shares = np.cbrt((masses[1:] + masses[:-1]) * np.diff(points) ** 2)
    for _ in range(_LEVELLINGS):
        shares = np.minimum(shares, shares.sum() / n_cells)
    positions = np.concatenate([[0.0], np.cumsum(shares)])
    targets = np.linspace(0, positions[-1], n_cells + 1)
    bounds = np.searchsorted(positions, targets)
    bounds[-1] = len(points)
    # no cell is empty
    numbers = np.arange(n_cells + 1)
    bounds = np.maximum.accumulate(bounds - numbers)
    result: IntArray = np.minimum(bounds, len(points) - n_cells) + numbers
    return result


def _refine(points: FloatArray, masses: FloatArray, bounds: IntArray) -> IntArray:
    """Move the bounds to the best of candidates around them, until none moves."""
    n_bounds = len(bounds) - 2
    half = max(min(_WIDE, _MOST_CANDIDATES // (2 * n_bounds)), _NARROW)
    choice = _choose(points, masses, bounds, _wide_candidates(bounds, half))
    bounds = np.concatenate([[0], choice, [len(points)]])
    sizes = np.diff(bounds)
    steps = np.maximum(np.minimum(sizes[:-1], sizes[1:]) // (2 * half), 1)
    offsets = np.arange(-_NARROW, _NARROW + 1)
    for _ in range(_MOST_PASSES):
        candidates = np.clip(
            bounds[1:-1, np.newaxis] + offsets * steps[:, np.newaxis],
            bounds[:-2, np.newaxis] + 1,
            bounds[2:, np.newaxis] - 1,
        )
        choice = _choose(points, masses, bounds, candidates)
        moves = np.abs(choice - bounds[1:-1])
        if steps.max() == 1 and moves.max() == 0:
            break
        bounds[1:-1] = choice
        far = moves == _NARROW * steps
        steps = np.where(far, 2 * steps, np.maximum(steps // 3, 1))
    return bounds


def _wide_candidates(bounds: IntArray, half: int) -> IntArray:
    """Return candidates over the clusters on both sides (n_bounds, 2 half + 1)."""
    parts = np.arange(1, half + 1) / (half + 1)
    room = np.diff(bounds)[:, np.newaxis] - 1
    inner = bounds[1:-1, np.newaxis]
    before = inner - np.rint(parts[::-1] * room[:-1]).astype(np.int64)
    after = inner + np.rint(parts * room[1:]).astype(np.int64)
    return np.concatenate([before, inner, after], axis=1)


def _choose(
    points: FloatArray, masses: FloatArray, bounds: IntArray, candidates: IntArray
) -> IntArray:
    """Return the candidate (n_bounds,) for each inner bound that are best together.

    `candidates` (n_bounds, n) ascend in each row, and lie between the bounds around.
    """
    whole, more, last = _window_moments(points, masses, bounds, candidates)
    floor = np.finfo(float).eps * float(masses.sum())
    costs = _inertia(whole[:, 0], floor)
    few = candidates.shape[1] <= _MOST_DENSE
    tables = _window_tables(candidates, whole, more, floor) if few else None
    pointers = []
    for i in range(1, len(candidates)):
        if tables is not None:
            sums = tables[i - 1] + costs
            costs, pointer = sums.min(axis=1), sums.argmin(axis=1)
        else:
            limits = np.searchsorted(candidates[i - 1], candidates[i]) - 1
            cost = _window_cost(more[:, i - 1], whole[:, i], floor)
            costs, pointer = _add_cluster(costs, limits, cost)
        pointers.append(pointer)
    end = int(np.argmin(costs + _inertia(last, floor)))
    path = _trace(pointers, end)
    chosen: IntArray = candidates[np.arange(len(candidates)), path]
    return chosen


def _window_tables(
    candidates: IntArray, whole: FloatArray, more: FloatArray, floor: float
) -> FloatArray:
    """Return the costs of all inner clusters (n_bounds - 1, n, n), by end and start."""
    ends, starts = candidates[1:, :, np.newaxis], candidates[:-1, np.newaxis, :]
    moments = whole[:, 1:, :, np.newaxis] + more[:, :-1, np.newaxis, :]
    tables = _inertia(moments, floor)
    tables[ends <= starts] = np.inf
    return tables


def _window_moments(
    points: FloatArray, masses: FloatArray, bounds: IntArray, candidates: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return sums of mass, mass x and mass x^2 (3, n_bounds, n), x from a local mean.

    The first: of the cluster before an inner bound if it ends at the candidate. The
    second: what the cluster after it has more if it starts there. The third (3, n):
    of the last cluster.
    """
    means, offsets = from_means(points, masses, bounds)
    sums = np.zeros((3, len(points) + 1))
    weighted = masses * offsets
    np.cumsum(masses, out=sums[0, 1:])
    np.cumsum(weighted, out=sums[1, 1:])
    np.cumsum(weighted * offsets, out=sums[2, 1:])
    inner = bounds[1:-1, np.newaxis]
    clusters = np.diff(sums[:, bounds], axis=1)[:, :, np.newaxis]
    moved = sums[:, candidates] - sums[:, inner]  # from the bound to the candidate
    left, right = means[:-1, np.newaxis], means[1:, np.newaxis]
    origin = np.where(candidates > inner, right, left)  # that moved is measured from
    whole = clusters[:, :-1] + _about(moved, origin - left)
    more = -_about(moved, origin - right)
    return whole, more, clusters[:, -1] + more[:, -1]


def _about(moments: FloatArray, shift: FloatArray) -> FloatArray:
    """Return the moments of x + shift."""
    mass, first, second = moments
    return np.stack(
        [mass, first + shift * mass, second + shift * (2 * first + shift * mass)]
    )


def _window_cost(more: FloatArray, whole: FloatArray, floor: float) -> Cost:
    """Return the cost of a cluster by the candidates of its end and its start."""

    def cost(rows: IntArray, columns: IntArray) -> FloatArray:
        moments = [
            of_end.take(rows) + of_start.take(columns)
            for of_end, of_start in zip(whole, more, strict=True)
        ]
        return _inertia(moments, floor)

    return cost


def _inertia(moments: Sequence[FloatArray] | FloatArray, floor: float) -> FloatArray:
    """Return the squared deviations from the mean; `floor` is the least mass."""
    mass, first, second = moments
    result: FloatArray = second - first * first / np.maximum(mass, floor)
    return np.maximum(result, 0, out=result)


def from_means(
    points: FloatArray, masses: FloatArray, bounds: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mean of each cluster, and how far each point is from it."""
    starts = bounds[:-1]
    means = np.add.reduceat(masses * points, starts)
    means /= np.add.reduceat(masses, starts)
    return means, points - np.repeat(means, np.diff(bounds))
