"""Random vectors as distinct rows with counts, against the samples themselves."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo._core._vectors import read_vector
from skinfo.dependence.variables._encoding import NumericLevels, encode_columns
from skinfo.dependence.variables._variable import Variable, join, make_variable

SMALL = settings(derandomize=True, deadline=None, max_examples=50)


def read(data, nominal):
    return read_vector(
        data, name="x", discrete=nominal, discrete_name="x_discrete", nan_policy="raise"
    )


def encoded(data, nominal):
    """Encode the columns of an array, unscaled."""
    return encode_columns(read(data, nominal), None)


def decoded_points(columns):
    """Return the coordinates of each sample, column by column."""
    numeric = [
        column.levels.coordinates[column.codes]
        for column in columns
        if isinstance(column.levels, NumericLevels)
    ]
    return np.array(numeric).reshape(len(numeric), len(columns[0].codes)).T


def assert_describes(variable, columns):
    """Check that a variable holds exactly the samples of encoded columns."""
    n_samples = len(columns[0].codes)
    assert variable.n_samples == n_samples
    assert variable.n_rows == len(variable.counts) == len(variable.groups)
    np.testing.assert_array_equal(
        variable.counts, np.bincount(variable.codes, minlength=variable.n_rows)
    )
    assert variable.counts.min() >= 1
    assert variable.counts.sum() == n_samples
    np.testing.assert_array_equal(
        variable.points[variable.codes], decoded_points(columns)
    )
    assert_same_partition(variable.groups[variable.codes], nominal_rows(columns))
    assert set(variable.groups) == set(range(variable.n_groups))
    rows = np.column_stack([variable.groups, variable.points])
    assert len(np.unique(rows, axis=0)) == variable.n_rows
    if variable.n_coordinates <= 1:
        order = np.lexsort(rows.T[::-1])
        np.testing.assert_array_equal(order, np.arange(variable.n_rows))


def nominal_rows(columns):
    """Return the tuple of nominal codes of each sample."""
    nominal = [c.codes for c in columns if not isinstance(c.levels, NumericLevels)]
    return [tuple(codes[i] for codes in nominal) for i in range(len(columns[0].codes))]


def assert_same_partition(labels, keys):
    pairs = set(zip(labels.tolist(), keys, strict=True))
    assert len(pairs) == len(set(labels.tolist())) == len(set(keys))


@st.composite
def tables(draw):
    """Draw a table of small integers and which of its columns are nominal."""
    n_samples = draw(st.integers(1, 12))
    n_columns = draw(st.integers(1, 4))
    table = draw(hnp.arrays(int, (n_samples, n_columns), elements=st.integers(-3, 3)))
    nominal = draw(hnp.arrays(bool, n_columns))
    return table, nominal


@SMALL
@given(tables())
def test_rows_decode_to_the_samples(table):
    columns = encoded(*table)
    assert_describes(make_variable(columns), columns)


@SMALL
@given(tables(), st.data())
def test_joint_rows_lead_back_to_both_variables(table, data):
    columns = encoded(*table)
    split = data.draw(st.integers(1, max(1, len(columns) - 1)))
    left, right = columns[:split], columns[split:] or columns
    x, y = make_variable(left), make_variable(right)
    joint, rows_x, rows_y = join(x, y)
    assert_describes(joint, [*left, *right])
    np.testing.assert_array_equal(rows_x[joint.codes], x.codes)
    np.testing.assert_array_equal(rows_y[joint.codes], y.codes)


@pytest.mark.parametrize("nominal", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("kind", ["distinct", "mixed", "repeated"])
def test_long_columns_decode_to_the_samples(kind, nominal):
    rng = np.random.default_rng(0)
    table = rng.permutation(1000).reshape(500, 2)
    if kind == "mixed":
        table[:, 1] %= 7
    if kind == "repeated":
        table %= 40
    columns = encoded(table, np.array(nominal, dtype=bool))
    assert_describes(make_variable(columns), columns)


@SMALL
@given(tables())
def test_rows_taken_in_another_order_are_the_samples_in_that_order(table):
    data, nominal = table
    order = np.random.default_rng(0).permutation(len(data))
    variable = make_variable(encoded(data, nominal)).take(order)
    assert_describes(variable, encoded(data[order], nominal))


def test_a_duplicated_column_adds_no_rows():
    x = make_variable(encoded(np.array([3, 1, 3, 2]), "auto"))
    joint, rows_x, rows_y = join(x, x)
    assert joint.n_rows == x.n_rows
    np.testing.assert_array_equal(rows_x, rows_y)


def test_single_numeric_column_is_sorted():
    variable = make_variable(encoded(np.array([2.0, -1.0, 2.0, 0.5]), "auto"))
    assert variable.points[:, 0].tolist() == [-1.0, 0.5, 2.0]
    assert variable.codes.tolist() == [2, 0, 2, 1]
    assert variable.counts.tolist() == [1, 1, 2]
    assert variable.n_groups == 1


def test_nominal_columns_have_one_group_for_each_combination_that_occurs():
    table = np.array([["a", "p"], ["b", "q"], ["a", "q"], ["a", "p"]])
    variable = make_variable(encoded(table, "auto"))
    assert variable.n_groups == variable.n_rows == 3
    assert variable.n_coordinates == 0
    assert variable.codes[0] == variable.codes[3]


def test_levels_that_scaling_makes_equal_are_one_row():
    values = np.array([-1e17, 0.25, 0.5, -1e17, 0.75])  # offsets of 1e17 are integers
    [column] = encode_columns(read(values, "auto"), "standard")
    variable = make_variable([column])
    assert len(column.levels) == 4
    assert variable.counts.tolist() == [2, 3]
    assert variable.codes.tolist() == [0, 1, 1, 0, 1]


def test_properties_are_the_sizes_of_the_arrays():
    variable = Variable(
        codes=np.array([0, 1, 1]),
        counts=np.array([1, 2]),
        groups=np.array([0, 0]),
        n_groups=1,
        points=np.zeros((2, 3)),
    )
    assert (variable.n_samples, variable.n_rows, variable.n_coordinates) == (3, 2, 3)
