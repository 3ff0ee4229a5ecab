"""Neighbour searches against all distances, computed one by one."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo import mutual_information
from skinfo._core._vectors import read_vector
from skinfo.dependence.neighbors import _index
from skinfo.dependence.neighbors._index import (
    GroupIndex,
    LineIndex,
    SideBySideIndex,
    TreeIndex,
    build_index,
    group_spacing,
)
from skinfo.dependence.variables._encoding import encode_columns
from skinfo.dependence.variables._variable import Variable, make_variable

SMALL = settings(derandomize=True, deadline=None, max_examples=50)


def variable_of(numeric, nominal=None, *, scale=None):
    """Make a variable of numeric columns and nominal ones, which come first."""
    numeric = np.asarray(numeric, dtype=float).reshape(len(numeric), -1)
    if nominal is None:
        nominal = np.empty((len(numeric), 0))
    nominal = np.asarray(nominal).reshape(len(numeric), -1)
    data = np.hstack([nominal, numeric])
    mask = np.arange(data.shape[1]) < nominal.shape[1]
    vector = read_vector(
        data, name="x", discrete=mask, discrete_name="x_discrete", nan_policy="raise"
    )
    return make_variable(encode_columns(vector, scale))


def all_distances(points, groups, variable):
    """Distances from each point to each sample, duplicates apart."""
    sample_points = variable.points[variable.codes]
    sample_groups = variable.groups[variable.codes]
    result = np.empty((len(points), variable.n_samples))
    for i, (point, group) in enumerate(zip(points, groups, strict=True)):
        for j in range(variable.n_samples):
            if group == sample_groups[j]:
                result[i, j] = max(np.abs(point - sample_points[j]), default=0)
            else:
                result[i, j] = np.inf
    return result


def assert_index_is_exact(index, variable, points, groups, ns):
    distances = all_distances(points, groups, variable)
    ordered = np.sort(distances, axis=1)
    sizes = np.isfinite(distances).sum(axis=1)
    radii = [np.zeros(len(points))]
    for n in ns:
        reached = np.minimum(n, sizes)
        expected = ordered[np.arange(len(points)), reached - 1]
        radius, found = index.nth_distance(points, groups, n)
        np.testing.assert_array_equal(radius, expected)
        np.testing.assert_array_equal(found, reached)
        radii.append(expected)
        radii.append(np.nextafter(expected, np.inf))
    for radius in radii:
        strict, closed = index.counts(points, groups, radius)
        np.testing.assert_array_equal(
            strict, (distances < radius[:, np.newaxis]).sum(axis=1)
        )
        np.testing.assert_array_equal(
            closed, (distances <= radius[:, np.newaxis]).sum(axis=1)
        )
        np.testing.assert_array_equal(
            index.closed_counts(points, groups, radius), closed
        )


def make_points(kind, n_samples, n_columns, rng):
    """Draw points; rounded ones have distances that are equal only up to rounding."""
    points = rng.normal(size=(n_samples, n_columns))
    if kind == "zero-inflated":
        return points * (rng.random(points.shape) < 0.5)
    if kind == "integers":
        return np.round(3 * points)
    if kind == "one decimal":
        return np.round(points, 1)
    if kind == "two decimals":
        return np.round(points, 2)
    return points


KINDS = ["continuous", "one decimal", "two decimals", "integers", "zero-inflated"]


@pytest.mark.parametrize("n_groups", [1, 4])
@pytest.mark.parametrize("n_columns", [1, 2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_distances_and_counts_equal_brute_force(kind, n_columns, n_groups):
    rng = np.random.default_rng(n_columns)
    n_samples = 130  # some leaves of 16 rows in every tree
    points = make_points(kind, n_samples, n_columns, rng)
    variable = variable_of(points, rng.integers(n_groups, size=n_samples))
    index = build_index(variable, group_spacing(variable))
    assert_index_is_exact(index, variable, variable.points, variable.groups, [1, 4, 11])


@pytest.mark.parametrize("n_groups", [1, 4])
@pytest.mark.parametrize("n_columns", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_points_that_are_no_samples_are_answered_exactly(kind, n_columns, n_groups):
    rng = np.random.default_rng(n_columns)
    variable = variable_of(
        make_points(kind, 100, n_columns, rng), rng.integers(n_groups, size=100)
    )
    index = build_index(variable, group_spacing(variable))
    points = make_points(kind, 60, n_columns, rng)
    low, high = variable.points.min(axis=0), variable.points.max(axis=0)
    points = np.clip(points, low, high)
    groups = rng.integers(n_groups, size=60)
    assert_index_is_exact(index, variable, points, groups, [1, 3, 6])


@st.composite
def small_tables(draw):
    """Draw up to 2 nominal and 3 numeric columns on a lattice with a decimal step."""
    n_samples = draw(st.integers(1, 14))
    n_nominal, n_numeric = draw(
        st.sampled_from(
            [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
        )
    )
    step = draw(st.sampled_from([1.0, 0.1, 0.01, 1 / 3]))
    numeric = draw(hnp.arrays(int, (n_samples, n_numeric), elements=st.integers(-9, 9)))
    nominal = draw(hnp.arrays(int, (n_samples, n_nominal), elements=st.integers(0, 2)))
    return numeric * step, nominal


@SMALL
@given(small_tables())
def test_any_small_table_is_indexed_exactly(table):
    variable = variable_of(*table)
    index = build_index(variable, group_spacing(variable))
    ns = {min(n, variable.n_samples) for n in (1, 2, 3, 20)}
    assert_index_is_exact(index, variable, variable.points, variable.groups, ns)


@SMALL
@given(small_tables())
def test_visiting_order_holds_every_row_once(table):
    variable = variable_of(*table)
    index = build_index(variable, group_spacing(variable))
    order = np.sort(index.visiting_order())
    np.testing.assert_array_equal(order, np.arange(variable.n_rows))


def test_visiting_order_of_a_large_tree_holds_every_row_once():
    variable = variable_of(np.random.default_rng(0).normal(size=(1000, 2)))
    order = TreeIndex(variable, group_spacing(variable)).visiting_order()
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_a_single_row_is_its_own_neighbour(n_columns):
    variable = variable_of(np.full((1, n_columns), 2.5))
    index = build_index(variable, group_spacing(variable))
    radius, reached = index.nth_distance(variable.points, variable.groups, 6)
    assert radius == [0]
    assert reached == [1]
    strict, closed = index.counts(variable.points, variable.groups, np.array([0.0]))
    assert (strict, closed) == ([0], [1])


@pytest.mark.parametrize("n_columns", [0, 1, 2])
def test_a_group_of_one_reaches_only_itself(n_columns):
    rng = np.random.default_rng(0)
    nominal = np.array([0] * 40 + [1])
    variable = variable_of(rng.normal(size=(41, n_columns)), nominal)
    index = build_index(variable, group_spacing(variable))
    alone = variable.codes[[40]]
    radius, reached = index.nth_distance(
        variable.points[alone], variable.groups[alone], 6
    )
    assert radius == [0]
    assert reached == [1]


@pytest.mark.parametrize(
    ("n_columns", "expected"), [(0, GroupIndex), (1, LineIndex), (2, TreeIndex)]
)
def test_index_fits_the_number_of_coordinates(n_columns, expected):
    variable = variable_of(np.zeros((5, n_columns)), np.zeros(5))
    assert type(build_index(variable, 1.0)) is expected


def test_no_points_have_no_counts():
    variable = variable_of(np.random.default_rng(0).normal(size=(20, 2)))
    index = TreeIndex(variable, group_spacing(variable))
    counts = index.closed_counts(np.empty((0, 2)), np.empty(0, dtype=int), np.empty(0))
    assert counts.shape == (0,)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_spacing_is_a_power_of_two_beyond_every_distance(size):
    rng = np.random.default_rng(0)
    x, y = (variable_of(size * rng.normal(size=(50, 2))) for _ in range(2))
    spacing = group_spacing(x, y)
    assert np.frexp(spacing)[0] == 0.5
    assert spacing > max(np.ptp(x.points, axis=0).max(), np.ptp(y.points, axis=0).max())


def test_spacing_of_constants_and_categories_is_positive():
    assert group_spacing(variable_of(np.zeros(5))) > 0
    assert group_spacing(variable_of(np.empty((5, 0)), np.arange(5))) > 0


@pytest.fixture
def trees(monkeypatch):
    """Record the rows that are handed to any kd-tree."""
    received = []

    def recording(tree):
        def build(rows, **options):
            received.append(np.array(rows))
            return tree(rows, **options)

        return build

    for name in ("KDTree", "CountingTree"):
        monkeypatch.setattr(_index, name, recording(getattr(_index, name)))
    return received


def assert_rows_distinct(trees):
    assert trees
    for rows in trees:
        assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("scale", ["rank", "standard", None])
@pytest.mark.parametrize("ties", ["adaptive", "gao"])
def test_no_tree_sees_duplicate_rows(trees, ties, scale):
    rng = np.random.default_rng(0)
    x = rng.poisson(1, size=(400, 2)).astype(float)
    y = np.column_stack([rng.integers(3, size=400), rng.poisson(2, size=400)])
    mutual_information(x, y, ties=ties, scale=scale)
    mutual_information(x, y, ties=ties, scale=scale, y_discrete=[0])
    mutual_information(x[:, 0], y[:, 1], ties=ties, scale=scale)
    assert_rows_distinct(trees)


def test_no_tree_sees_values_that_scaling_made_equal(trees):
    # beside an outlier of -1e17, float64 offsets cannot tell the others apart
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 200))
    x[0], y[0] = -1e17, -1e17
    mutual_information(x, y, scale="standard")
    assert_rows_distinct(trees)


@pytest.mark.parametrize("n_coordinates", [0, 1, 2])
def test_indices_side_by_side_answer_each_for_its_own_groups(n_coordinates):
    rng = np.random.default_rng(0)
    variables, spacing = [], 64.0
    for n_groups in (1, 3, 2):
        groups = np.sort(rng.integers(0, n_groups, 30))
        points = rng.normal(size=(30, n_coordinates)).round(1)
        rows = np.unique(np.column_stack([groups, points]), axis=0)
        counts = rng.integers(1, 4, len(rows))
        variables.append(
            Variable(
                np.repeat(np.arange(len(rows)), counts),
                counts,
                rows[:, 0].astype(int),
                n_groups,
                rows[:, 1:],
            )
        )
    indices = [build_index(variable, spacing) for variable in variables]
    together = SideBySideIndex(
        indices, n_rows=[v.n_rows for v in variables], n_groups=3
    )
    points = np.vstack([variable.points for variable in variables])
    groups = np.concatenate([3 * i + v.groups for i, v in enumerate(variables)])
    radius = rng.choice([0.0, 0.3, 1.0], len(points))

    def apart(ask):
        ends = np.cumsum([v.n_rows for v in variables])[:-1]
        parts = zip(indices, variables, np.split(radius, ends), strict=True)
        return [
            np.concatenate(found)
            for found in zip(*(ask(*p) for p in parts), strict=True)
        ]

    for found, expected in (
        (
            together.nth_distance(points, groups, 4),
            apart(lambda index, v, _: index.nth_distance(v.points, v.groups, 4)),
        ),
        (
            together.counts(points, groups, radius),
            apart(lambda index, v, r: index.counts(v.points, v.groups, r)),
        ),
        (
            [together.closed_counts(points, groups, radius)],
            apart(lambda index, v, r: [index.closed_counts(v.points, v.groups, r)]),
        ),
    ):
        for some, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(some, other)
    order = np.sort(together.visiting_order())
    np.testing.assert_array_equal(order, np.arange(len(points)))
