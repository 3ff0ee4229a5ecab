"""Cells that stand for samples, against the samples themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from skinfo._core._vectors import read_vector
from skinfo.datasets import make_hidden_correlation
from skinfo.dependence.kernels import _cells
from skinfo.dependence.kernels._ascent import maximise
from skinfo.dependence.kernels._cells import (
    CELLS_PER_BANDWIDTH,
    MAX_CELLS,
    Cells,
    gather,
)
from skinfo.dependence.kernels._channel import kernel_joint, smooth_cells
from skinfo.dependence.kernels._kernel_vector import kernel_vector


def of_samples(points, groups=None, counts=None):
    """Gather rows, by default single samples of one group."""
    points = np.asarray(points, dtype=float)
    if groups is None:
        groups = np.zeros(len(points), dtype=np.int64)
    if counts is None:
        counts = np.ones(len(points), dtype=np.int64)
    return gather(np.asarray(groups), points, np.asarray(counts))


def assert_describes(cells, groups, points, counts):
    """Check counts, means and groups of cells, one cell after the other."""
    assert set(cells.codes) == set(range(len(cells)))
    for cell in range(len(cells)):
        rows = np.flatnonzero(cells.codes == cell)
        assert cells.counts[cell] == counts[rows].sum()
        means = np.average(points[rows], axis=0, weights=counts[rows])
        np.testing.assert_allclose(cells.points[cell], means, rtol=1e-13, atol=1e-12)
        assert set(groups[rows]) == {cells.groups[cell]}


@pytest.mark.parametrize("n_coordinates", [0, 1, 2, 3])
@pytest.mark.parametrize("n_groups", [1, 5])
@pytest.mark.parametrize("n_rows", [1, 40, 2500])
def test_cells_are_the_means_of_their_rows(n_rows, n_groups, n_coordinates):
    rng = np.random.default_rng(n_rows)
    groups = np.sort(rng.permutation(np.arange(n_rows) % n_groups))
    points = 3 * rng.normal(size=(n_rows, n_coordinates))
    counts = rng.integers(1, 5, size=n_rows)
    cells = gather(groups, points, counts)
    assert cells.points.shape == (len(cells), n_coordinates)
    assert_describes(cells, groups, points, counts)


def test_few_rows_of_several_coordinates_stay_apart():
    points = np.random.default_rng(0).normal(size=(MAX_CELLS, 2))
    cells = of_samples(points)
    np.testing.assert_array_equal(cells.points[cells.codes], points)
    assert len(cells) == MAX_CELLS
    assert len(of_samples(np.vstack([points, [9.0, 9.0]]))) < MAX_CELLS


def test_nominal_rows_are_their_groups():
    cells = of_samples(np.empty((6, 0)), groups=[2, 0, 1, 1, 0, 1])
    assert cells.codes.tolist() == [2, 0, 1, 1, 0, 1]
    assert cells.counts.tolist() == [2, 3, 1]
    assert cells.groups.tolist() == [0, 1, 2]
    assert cells.n_samples == 6
    assert len(cells) == 3


# ---- the grid of one coordinate


def test_cells_of_one_coordinate_are_sorted_and_narrow():
    rng = np.random.default_rng(0)
    points = rng.standard_t(3, size=(3000, 1))
    groups = np.sort(rng.integers(0, 3, size=3000))
    cells = of_samples(points, groups)
    order = np.lexsort([cells.points[:, 0], cells.groups])
    np.testing.assert_array_equal(order, np.arange(len(cells)))
    for cell in range(len(cells)):
        assert np.ptp(points[cells.codes == cell]) <= 1 / CELLS_PER_BANDWIDTH


def test_the_grid_gets_coarser_only_where_there_are_too_many_cells():
    points = np.linspace(0, 249.9, 30_000)[:, np.newaxis]
    assert 1999 <= len(of_samples(points)) <= MAX_CELLS  # 250 bandwidths of 8 cells
    cells = of_samples(2 * points)
    assert 999 <= len(cells) <= MAX_CELLS
    assert np.diff(cells.points[:, 0]).max() < 2.1 / CELLS_PER_BANDWIDTH


@pytest.mark.parametrize("outlier", [-1e6, 1e3, 1e6])
def test_an_isolated_number_has_a_cell_of_its_own(outlier):
    points = np.random.default_rng(0).normal(size=(20_000, 1))
    points[7] = outlier
    cells = of_samples(points)
    assert cells.counts[cells.codes[7]] == 1
    assert cells.points[cells.codes[7], 0] == outlier
    assert len(cells) <= MAX_CELLS


def test_equal_numbers_share_one_cell():
    cells = of_samples(np.full((50, 1), 0.3))
    assert cells.counts.tolist() == [50]
    assert cells.points[0, 0] == pytest.approx(0.3, abs=1e-15)


# ---- several coordinates


@pytest.mark.parametrize("n_coordinates", [2, 5])
def test_isolated_vectors_keep_their_cells_among_many(n_coordinates):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6000, n_coordinates)) * 2
    isolated = [5, 100, 3000, 5999]
    points[isolated] = [[40.0] * n_coordinates] * 4
    points[isolated, 0] *= [1, -1, 2, 30]
    cells = of_samples(points)
    assert cells.counts[cells.codes[isolated]].tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(cells.points[cells.codes[isolated]], points[isolated])


def test_isolated_vectors_share_no_cell_with_each_other():
    # the scatter of the two is smaller than that of a cell of the dense cloud
    points = np.random.default_rng(0).uniform(0, 20, size=(20_000, 2))
    points[:2] = [[30, 30], [32.5, 30]]
    cells = of_samples(points, counts=np.where(np.arange(20_000) < 2, 1, 10))
    assert cells.counts[cells.codes[:2]].tolist() == [1, 1]


def test_vectors_are_split_in_a_thousand_cells_near_their_points():
    points = np.random.default_rng(0).normal(size=(10_000, 2)) / 0.2
    cells = of_samples(points)
    assert len(cells) == 1000
    reach = [np.ptp(points[cells.codes == cell], axis=0).max() for cell in range(1000)]
    assert max(reach) < 3.5  # bandwidths: the area of 5000 in halves of 500 cells
    shift = points - cells.points[cells.codes]
    assert np.sqrt(np.mean(shift**2)) < 0.35


def test_weights_of_rows_decide_where_cells_are_split():
    rng = np.random.default_rng(0)
    points = rng.uniform(size=(4000, 2)) * 30
    counts = np.where(points[:, 0] < 15, 1, 50)
    cells = of_samples(points, counts=counts)
    assert np.sum(cells.points[:, 0] > 15) > 1.2 * np.sum(cells.points[:, 0] < 15)


def test_scatter_is_around_the_mean_of_the_samples():
    """Few samples beside many have little scatter: their cells are split last.

    Half of the 300 splits take the widest cell, a row of distant points; the others
    take those with the largest scatter, which are the pairs.
    """
    many_and_few = np.array([[0, 0], [1, 0], [1, 0], [1, 0]], dtype=float)
    pair = np.array([[0, 0], [0.5, 0]])
    distant = np.outer(10 * np.arange(151), [1, 0])
    points = np.vstack([*[many_and_few] * 549, *[pair] * 150, distant])
    counts = np.concatenate([[1000, 1, 1, 1] * 549, [100] * 300, [1] * 151])
    groups = np.repeat(np.arange(700), [4] * 549 + [2] * 150 + [151])
    cells = of_samples(points, groups, counts)
    sizes = np.bincount(cells.groups)
    assert sizes.tolist() == [1] * 549 + [2] * 150 + [151]


@pytest.mark.parametrize("n_distinct", [1, 2, 30])
@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-3, 1 / 3])
def test_many_equal_vectors_end_in_a_cell_for_each_value(scale, n_distinct):
    rng = np.random.default_rng(0)
    points = rng.integers(0, 4, size=(n_distinct, 2)) * scale + 0.3
    points[:, 0] += 10 * np.arange(n_distinct)
    points = points[rng.integers(0, n_distinct, size=2500)]
    cells = of_samples(points)
    np.testing.assert_allclose(cells.points[cells.codes], points, rtol=1e-12)
    assert len(cells) == n_distinct


def test_vectors_that_differ_in_the_last_bit_can_be_split():
    last_bits = np.nextafter(1, 2) + np.arange(51) * 2.0**-52
    points = np.array([(a, b) for a in last_bits for b in last_bits])
    cells = of_samples(np.vstack([points, [0.0, 0.0]]))
    assert len(cells) <= MAX_CELLS
    assert cells.counts[cells.codes[-1]] == 1


# ---- groups


@pytest.mark.parametrize("n_coordinates", [0, 1, 2])
def test_groups_never_share_a_cell(n_coordinates):
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, MAX_CELLS, size=9000))
    groups = np.unique(groups, return_inverse=True)[1]
    points = np.zeros((9000, n_coordinates))
    cells = of_samples(points, groups)
    assert len(cells) == groups.max() + 1
    np.testing.assert_array_equal(cells.groups[cells.codes], groups)


@pytest.mark.parametrize("n_coordinates", [0, 1, 2])
def test_of_too_many_groups_the_rarest_share_one(n_coordinates):
    rng = np.random.default_rng(0)
    counts = np.ones(3000, dtype=np.int64)
    frequent = rng.permutation(3000)[: MAX_CELLS - 1]
    counts[frequent] = 2
    points = rng.normal(size=(3000, n_coordinates)) * 1e-3
    cells = of_samples(points, np.arange(3000), counts)
    assert len(cells) <= MAX_CELLS
    labels = cells.groups[cells.codes]
    assert len(np.unique(labels[frequent])) == MAX_CELLS - 1
    rest = np.delete(labels, frequent)
    assert len(np.unique(rest)) == 1
    assert rest[0] not in labels[frequent]


def test_groups_of_one_size_share_a_fate():
    # else the order of the samples would decide which of them are kept apart
    counts = np.array([3] * 10 + [1] * 5000)
    cells = of_samples(np.empty((5010, 0)), np.arange(5010), counts)
    assert len(cells) == 11
    assert np.sort(cells.counts).tolist() == [3] * 10 + [5000]


@pytest.mark.parametrize("n_coordinates", [1, 2, 4])
@pytest.mark.parametrize("n_groups", [1, 300, 2000])
def test_there_are_never_more_than_the_most_cells(n_groups, n_coordinates):
    rng = np.random.default_rng(0)
    groups = np.sort(np.arange(12_000) % n_groups)
    points = rng.standard_cauchy(size=(12_000, n_coordinates)) * 10
    assert len(of_samples(points, groups)) <= MAX_CELLS


# ---- kernels, and samples left out


def test_kernel_is_that_of_the_distances_inside_groups():
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 3, size=60))
    points = rng.normal(size=(60, 2))
    cells = of_samples(points, groups)
    expected = np.exp(-(cdist(cells.points, cells.points) ** 2) / 2)
    expected *= cells.groups[:, np.newaxis] == cells.groups
    np.testing.assert_allclose(cells.kernel(), expected, atol=1e-15)
    assert np.any(expected == 0)


def test_kernel_of_one_group_reaches_all_cells():
    cells = of_samples([[0.0], [1.0], [3.0]], groups=[4, 4, 4])
    row = np.exp([0, -1 / 2, -9 / 2])
    np.testing.assert_allclose(cells.kernel()[0], row, rtol=1e-15)


def test_nominal_cells_have_no_kernel():
    assert of_samples(np.empty((5, 0)), groups=[0, 1, 0, 1, 2]).kernel() is None


@pytest.mark.parametrize("sample", [0, 3, 59, -1])
@pytest.mark.parametrize("n_coordinates", [0, 1, 2])
def test_cells_without_a_sample_are_counted_anew(n_coordinates, sample):
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 15, size=60))
    cells = of_samples(rng.normal(size=(60, n_coordinates)), groups)
    fewer = cells.without(sample)
    codes = np.delete(cells.codes, sample)
    kept, counts = np.unique(codes, return_counts=True)
    assert fewer.n_samples == 59
    np.testing.assert_array_equal(fewer.counts, counts)
    np.testing.assert_array_equal(fewer.points, cells.points[kept])
    np.testing.assert_array_equal(fewer.groups, cells.groups[kept])
    np.testing.assert_array_equal(kept[fewer.codes], codes)


def test_a_cell_that_loses_its_only_sample_is_gone():
    cells = of_samples([[0.0], [5.0], [5.0], [9.0]])
    assert cells.without(3).points[:, 0].tolist() == [0, 5]
    assert cells.without(1).points[:, 0].tolist() == [0, 5, 9]


# ---- cells instead of samples


def correlated(rng, n, correlation=0.6):
    x, noise = rng.normal(size=(2, n))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


def quadratic(rng, n):
    x, noise = rng.normal(size=(2, n))
    return x, x**2 + noise


def lognormal(rng, n):
    return [np.exp(values) for values in correlated(rng, n)]


def hidden(rng, n):
    data = make_hidden_correlation(n, noise=0.03, random_state=rng.integers(2**31))
    return data.x, data.y


def vector(data):
    return read_vector(
        data, name="x", discrete=False, discrete_name="x", nan_policy="raise"
    )


def one_cell_per_value(x):
    """Return the smoothed vector of all distinct values, without a grid."""
    points = x / (1.06 * len(x) ** -0.2 * np.std(x))
    values, codes, counts = np.unique(points, return_inverse=True, return_counts=True)
    groups = np.zeros(len(values), dtype=np.int64)
    return smooth_cells(Cells(codes, counts, groups, values[:, np.newaxis]))


def value_of(x, y):
    channel = kernel_joint(x, y)
    return maximise(channel, cap=20, tol=1e-6, n_vertices=3, slack=0.01).value


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("draw", [correlated, quadratic, hidden, lognormal])
def test_grid_and_single_values_agree(draw, seed):
    x, y = draw(np.random.default_rng(seed), 1500)
    dense = value_of(one_cell_per_value(x), one_cell_per_value(y))
    cells = value_of(*(kernel_vector(vector(v), 1.06).smoothed for v in (x, y)))
    assert cells == pytest.approx(dense, abs=2e-3)


@pytest.mark.parametrize("draw", [correlated, quadratic, hidden, lognormal])
def test_grid_and_single_values_agree_on_few_samples(draw):
    x, y = draw(np.random.default_rng(0), 400)
    dense = value_of(one_cell_per_value(x), one_cell_per_value(y))
    cells = value_of(*(kernel_vector(vector(v), 1.06).smoothed for v in (x, y)))
    assert cells == pytest.approx(dense, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [correlated, quadratic])
def test_landmarks_and_all_vectors_agree(draw, monkeypatch):
    rng = np.random.default_rng(0)
    first, second = draw(rng, 2000), draw(rng, 2000)
    x, y = (np.column_stack(parts) for parts in zip(first, second, strict=True))
    dense = value_of(*(kernel_vector(vector(v), 1.06).smoothed for v in (x, y)))
    monkeypatch.setattr(_cells, "MAX_CELLS", 1999)
    smoothed = [kernel_vector(vector(v), 1.06).smoothed for v in (x, y)]
    assert [len(part.cells) for part in smoothed] == [1000, 1000]
    assert value_of(*smoothed) == pytest.approx(dense, abs=0.02)
