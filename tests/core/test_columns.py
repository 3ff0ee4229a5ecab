"""Columns of arrays and dataframes: values, gaps, kinds and names."""

# ruff: noqa: PD011 (the values of a Column, not of a pandas object)

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from skinfo._core._columns import (
    Column,
    check_missing,
    complete_rows,
    nominal_by_kind,
    nominal_mask,
    nominal_or_few_integers,
    read_columns,
)
from skinfo._core._frames import is_dataframe, is_table


def read(data):
    """Read data that are one column."""
    (column,) = read_columns(data, name="x")
    return column


def objects(*entries):
    result = np.empty(len(entries), dtype=object)
    result[:] = entries
    return result


# numeric and nominal

NUMERIC = {
    "floats": [1.5, 2.0],
    "integers": [1, 2],
    "mixed numbers": [1, 2.5],
    "object numbers": objects(1, 2.5, np.float32(3), np.int8(4)),
    "object numbers and None": objects(1, None, 2.5),
    "decimals": objects(Decimal("1.5"), Decimal("0.1")),
    "fractions": objects(Fraction(1, 3), 2),
    "int8": np.array([1, 2], dtype=np.int8),
    "float16": np.array([1, 2], dtype=np.float16),
    "dates": np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"),
    "durations": np.array([1, 2], dtype="timedelta64[h]"),
    "pandas integers": pd.Series([1, 2]),
    "pandas nullable": pd.Series([1, None], dtype="Int64"),
    "pandas dates": pd.Series(pd.to_datetime(["2024-01-01", None])),
    "pandas dates with zone": pd.Series(pd.to_datetime(["2024-01-01"], utc=True)),
    "pandas durations": pd.Series(pd.to_timedelta([1, 2], unit="h")),
    "pandas sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1.5])),
    "polars floats": pl.Series([1.5, None]),
    "polars decimals": pl.Series([Decimal("1.5")]),
    "polars dates": pl.Series([dt.date(2024, 1, 1), None]),
    "polars durations": pl.Series([dt.timedelta(hours=1), None]),
    "arrow integers": pa.array([2**60 + 1, None]),
    "arrow chunks": pa.chunked_array([[1.5], [None]]),
    "arrow dates": pa.array([dt.date(2024, 1, 1), None]),
}

NOMINAL = {
    "strings": ["a", "b"],
    "digits": ["1", "2"],
    "bytes": np.array([b"a", b"b"]),
    "booleans": [True, False],
    "numpy booleans": np.array([True, False]),
    "strings and numbers": ["a", 1],
    "booleans and numbers": objects(True, 2),
    "strings and None": ["a", None],
    "dictionaries": objects({"a": 1}, {"a": 2}),
    "arrays": objects(np.arange(3), np.arange(2)),
    "pandas strings": pd.Series(["a", None]),
    "pandas booleans": pd.Series([True, None], dtype="boolean"),
    "pandas categories": pd.Series(["a", "b"], dtype="category"),
    "pandas integer categories": pd.Series([3, 1]).astype("category"),
    "pandas intervals": pd.Series(pd.interval_range(0, 2)),
    "polars strings": pl.Series(["a", None]),
    "polars booleans": pl.Series([True, None]),
    "polars categories": pl.Series(["a", None], dtype=pl.Categorical),
    "polars lists": pl.Series([[1], [2, 3]]),
    "arrow strings": pa.chunked_array([["a"], [None]]),
    "arrow booleans": pa.array([True, None]),
    "arrow integer categories": pa.array([3, 1]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", NUMERIC)
def test_numbers_and_dates_are_coordinates(kind):
    column = read(NUMERIC[kind])
    assert column.numeric
    assert not column.nominal


@pytest.mark.parametrize("kind", NOMINAL)
def test_names_and_truth_values_are_nominal(kind):
    assert read(NOMINAL[kind]).nominal


@pytest.mark.parametrize(
    "kind", ["booleans", "pandas booleans", "pandas integer categories"]
)
def test_coded_categories_may_be_declared_numeric(kind):
    assert read(NOMINAL[kind]).numeric


@pytest.mark.parametrize("kind", ["strings", "digits", "booleans and numbers"])
def test_names_cannot_be_declared_numeric(kind):
    assert not read(NOMINAL[kind]).numeric


# values


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int64, np.float32, float])
def test_numbers_keep_their_type_and_memory(dtype):
    data = np.array([[1, 2], [3, 4]], dtype=dtype)
    columns = read_columns(data, name="x")
    for j, column in enumerate(columns):
        assert column.values.dtype == dtype
        assert np.shares_memory(column.values, data)
        np.testing.assert_array_equal(column.values, data[:, j])


@pytest.mark.parametrize(
    "wrap",
    [
        np.array,
        list,
        lambda v: np.array(v, dtype=object),
        pd.Series,
        lambda v: pd.Series(v, dtype="Int64"),
        lambda v: pd.Series([*v, None], dtype="Int64"),
        lambda v: pd.DataFrame({"a": v}),
        pl.Series,
        lambda v: pl.Series([*v, None]),
        lambda v: np.array([*v, None], dtype=object),
    ],
)
def test_large_integers_stay_exact(wrap):
    values = [2**62, 2**62 + 1, -(2**62)]
    column = read(wrap(values))
    assert [int(value) for value in column.values[:3]] == values
    assert column.missing.tolist() == [False] * 3 + [True] * (len(column.missing) - 3)


def test_numbers_that_no_float_holds_stay_objects():
    values = [Fraction(1, 3), 10**400, Decimal("0.1")]
    assert read(objects(*values)).values.tolist() == values
    assert read(objects(2**53 + 1, 1)).values.tolist() == [2**53 + 1, 1]


def test_objects_that_are_floats_become_floats():
    column = read(objects(1, None, 2.5, Fraction(1, 2)))
    assert column.values.dtype == float
    np.testing.assert_array_equal(column.values[[0, 2, 3]], [1, 2.5, 0.5])


def test_numbers_in_a_mixed_list_are_not_turned_into_strings():
    first, second = read_columns([["a", 1.5], ["b", 2]], name="x")
    assert first.values.tolist() == ["a", "b"]
    assert second.values.tolist() == [1.5, 2.0]
    assert read(["a", 1, 1.0]).values.tolist() == ["a", 1, 1.0]


def test_dates_become_integers_in_their_order():
    dates = np.array(["2024-03-01", "NaT", "1960-01-01"], dtype="datetime64[s]")
    column = read(dates)
    assert column.values.dtype == np.int64
    assert column.values[0] > column.values[2]
    assert column.missing.tolist() == [False, True, False]


# missing values


@pytest.mark.parametrize(
    "gap",
    [
        None,
        np.nan,
        np.float32("nan"),
        np.inf,
        -np.inf,
        np.float32("inf"),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT"),
        Decimal("nan"),
        Decimal("inf"),
    ],
    ids=repr,
)
def test_every_kind_of_gap_in_objects_is_missing(gap):
    column = read(objects(1, gap, 2))
    assert column.missing.tolist() == [False, True, False]
    assert column.numeric


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT], ids=repr)
def test_every_kind_of_gap_among_names_is_missing(gap):
    column = read(objects("a", gap, "b"))
    assert column.missing.tolist() == [False, True, False]
    assert column.nominal


@pytest.mark.parametrize(
    "data",
    [
        [1.0, np.nan, 2.0],
        np.array([1, -np.inf, 2], dtype=np.float16),
        np.ma.array([1, 2, 3], mask=[0, 1, 0]),
        np.ma.array(["a", "b", "c"], mask=[0, 1, 0]),
        pd.Series([1.0, None, 2.0]),
        pd.Series([1.0, np.inf, 2.0]),
        pd.Series([1, None, 2], dtype="Int64"),
        pd.Series([1.0, None, 2.0], dtype="Float64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series(["a", None, "b"]),
        pd.Series(["a", None, "b"], dtype="string"),
        pd.Series(["a", None, "b"], dtype="category"),
        pd.Series([1, None, 2]).astype("category"),
        pd.Series([1, None, 2], dtype="int64[pyarrow]"),
        pd.Series(["a", None, "b"], dtype="string[pyarrow]"),
        pd.Series(pd.to_datetime(["2024", None, "2025"])),
        pl.Series([1, None, 2]),
        pl.Series([1.0, float("nan"), 2.0]),
        pl.Series([True, None, False]),
        pl.Series(["a", None, "b"]),
        pl.Series(["a", None, "b"], dtype=pl.Categorical),
        pl.Series([dt.date(2024, 1, 1), None, dt.date(2025, 1, 1)]),
        pa.array([1, None, 2]),
        pa.array([1.0, float("nan"), 2.0]),
        pa.chunked_array([["a", None], ["b"]]),
        pa.array(["a", None, "b"]).dictionary_encode(),
        pa.table({"a": pa.array(["a", None, "b"]).dictionary_encode()}),
    ],
)
def test_gaps_of_every_container_are_found(data):
    assert read(data).missing.tolist() == [False, True, False]


def test_gaps_do_not_make_numbers_nominal():
    assert read(pl.Series([1, None])).values.dtype == np.int64
    assert read(pd.Series([1, None], dtype="Int64")).values.dtype == np.int64
    assert read(pa.array([2**60 + 1, None])).values[0] == 2**60 + 1
    assert read(objects(None, None)).missing.all()
    assert read(pl.Series([None, None])).missing.all()


def test_masks_of_masked_matrices_belong_to_their_columns():
    data = np.ma.array(np.ones((3, 2)), mask=[[0, 0], [0, 1], [0, 0]])
    first, second = read_columns(data, name="x")
    assert not first.missing.any()
    assert second.missing.tolist() == [False, True, False]


# names


def test_columns_of_frames_have_their_names():
    for frame in (
        pd.DataFrame({"a": [1], "b": ["p"]}),
        pl.DataFrame({"a": [1], "b": ["p"]}),
        pa.table({"a": [1], "b": ["p"]}),
        pa.record_batch({"a": [1], "b": ["p"]}),
    ):
        assert [column.name for column in read_columns(frame, name="X")] == ["a", "b"]
    frame = pd.DataFrame([[1, 2]], columns=[3, 4])
    assert [column.name for column in read_columns(frame, name="X")] == ["3", "4"]


def test_columns_without_a_name_are_called_after_the_input():
    assert [c.name for c in read_columns(np.ones((2, 2)), name="X")] == [
        "X[:, 0]",
        "X[:, 1]",
    ]
    assert read([1, 2]).name == "x"
    assert read(pd.Series([1, 2])).name == "x"
    assert read(pd.Series([1, 2], name="age")).name == "age"
    assert read(pl.Series("age", [1, 2])).name == "age"
    assert read(pl.Series([1, 2])).name == "x"
    assert read(pa.array([1, 2])).name == "x"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pd.DataFrame({"a": [1]}), True),
        (pl.DataFrame({"a": [1]}), True),
        (pd.Series([1]), False),
        (pl.Series([1]), False),
        (np.ones((2, 2)), False),
        ([[1]], False),
    ],
)
def test_dataframes_are_told_from_series_and_arrays(data, expected):
    assert is_dataframe(data) is expected
    assert is_table(data) is expected


def test_tables_of_arrow_are_told_from_their_columns():
    table = pa.table({"a": [1]})
    assert is_table(table)
    assert not is_dataframe(table)
    assert not is_table(table["a"])


# what cannot be read


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], ValueError, r"0 sample\(s\)"),
        (np.empty((3, 0)), ValueError, r"0 feature\(s\)"),
        (pd.DataFrame({"a": []}), ValueError, r"0 sample\(s\)"),
        (pl.DataFrame({"a": []}), ValueError, r"0 sample\(s\)"),
        (pd.Series([], dtype=float), ValueError, r"0 sample\(s\)"),
        (pa.array([], pa.float64()), ValueError, r"0 sample\(s\)"),
        (pa.table({"a": []}), ValueError, r"0 sample\(s\)"),
        (np.ones((2, 2, 2)), ValueError, "dim 3"),
        (np.array([1j]), ValueError, "Complex data not supported"),
        (pd.Series([1j]), ValueError, "Complex data not supported: x is complex"),
        (scipy.sparse.csr_array(np.eye(3)), TypeError, "Sparse data"),
        (np.zeros(3, dtype=[("a", int)]), TypeError, "x has dtype .* neither numbers"),
    ],
)
def test_what_is_no_column_of_values_is_an_error(data, error, message):
    with pytest.raises(error, match=message):
        read_columns(data, name="x")


@pytest.mark.parametrize("data", [[1, 2], pd.Series([1, 2]), pl.Series([1, 2])])
def test_a_vector_is_an_error_where_a_table_is_needed(data):
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        read_columns(data, name="X", ensure_2d=True)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (pd.Series([1, 2]), r"a Series\. Pass X\.to_frame\(\)"),
        (pl.Series([1, 2]), r"a Series\. Pass X\.to_frame\(\)"),
        (pa.chunked_array([[1, 2]]), r"a ChunkedArray\. Pass a table with it"),
    ],
)
def test_a_series_in_place_of_a_table_is_told_its_remedy(data, found):
    message = rf"Expected 2D array, got 1D array instead: X is {found}\.$"
    with pytest.raises(ValueError, match=message):
        read_columns(data, name="X", ensure_2d=True)


# which columns are nominal

COLUMNS = read_columns(
    pd.DataFrame({"age": [1.5, 2], "sex": ["f", "m"], "rank": [1, 2]}), name="X"
)


@pytest.mark.parametrize(
    ("discrete", "expected"),
    [
        ("auto", [False, True, False]),
        (True, [True, True, True]),
        (np.True_, [True, True, True]),
        ([True, True, False], [True, True, False]),
        (np.array([False, True, True]), [False, True, True]),
        (np.array([False, True, True], dtype=object), [False, True, True]),
        ([2], [False, True, True]),
        ([-1], [False, True, True]),
        ((0, 2), [True, True, True]),
        (["age"], [True, True, False]),
        (pd.Index(["age"]), [True, True, False]),
        ([], [False, True, False]),
    ],
)
def test_nominal_columns_are_chosen(discrete, expected):
    assert nominal_mask(COLUMNS, discrete, name="discrete").tolist() == expected


@pytest.mark.parametrize(
    ("discrete", "message"),
    [
        ("all", r"discrete='all' is not a known option.*'auto'"),
        (False, r"column 'sex' is not discrete, but its values are not numbers"),
        ([True, False, True], r"column 'sex' is not discrete"),
        ([True, False], r"discrete is a mask of length 2, but there are 3 columns"),
        ([3], r"the index 3, but there are 3 columns. Pass indices from 0 to 2"),
        ([-4], r"the index -4, but there are 3 columns"),
        (["income"], r"income.*names no column.*\['age', 'sex', 'rank'\]"),
        ([0.5], r"0\.5.*names no column"),
        (None, r"discrete=None must be 'auto', a bool, or one-dimensional"),
        (2, r"discrete=2 must be 'auto', a bool, or one-dimensional"),
        ([[0]], r"discrete=\[\[0\]\] must be 'auto', a bool, or one-dimensional"),
    ],
)
def test_wrong_choices_of_nominal_columns_are_named(discrete, message):
    with pytest.raises(ValueError, match=message):
        nominal_mask(COLUMNS, discrete, name="discrete")


def test_a_given_mask_is_not_written_to():
    mask = np.array([False, True, False])
    nominal_mask(COLUMNS, mask, name="discrete")[:] = True
    assert mask.tolist() == [False, True, False]


# rows


def column_with_gaps(name, missing):
    missing = np.array(missing, dtype=bool)
    return Column(name, np.zeros(len(missing)), missing, numeric=True, nominal=False)


def test_gaps_raise_by_the_policy():
    columns = [column_with_gaps("a", [0, 0]), column_with_gaps("b", [1, 1])]
    check_missing(columns, nan_policy="omit", name="X")
    check_missing(columns[:1], nan_policy="raise", name="X")
    with pytest.raises(ValueError, match=r"Input X contains NaN .*column 'b', 2 miss"):
        check_missing(columns, nan_policy="raise", name="X")
    with pytest.raises(ValueError, match=r"nan_policy='ignore' .*'raise', 'omit'"):
        check_missing(columns, nan_policy="ignore", name="X")


def test_complete_rows_have_a_value_in_every_column():
    columns = [column_with_gaps("a", [1, 0, 0, 0]), column_with_gaps("b", [1, 0, 1, 0])]
    assert complete_rows(columns, minimum=2).tolist() == [False, True, False, True]
    with pytest.raises(ValueError, match=r"Only 2 rows .*'b' misses 2\), fewer than 3"):
        complete_rows(columns, minimum=3)


def test_columns_without_values_in_common_are_told_no_smaller_need():
    columns = [column_with_gaps("a", [1, 1, 0]), column_with_gaps("b", [0, 0, 1])]
    message = r"No rows remain .*'a' misses 2\)\. Impute .* drop the column\.$"
    with pytest.raises(ValueError, match=message):
        complete_rows(columns, minimum=1, advice=", or need less")
    columns.append(column_with_gaps("c", [1, 1, 1]))
    with pytest.raises(ValueError, match=r"^Column 'c' has no values\. Leave it out"):
        complete_rows(columns, minimum=1, advice=", or need less")


def test_all_rows_complete_need_no_mask():
    assert complete_rows([column_with_gaps("a", [0, 0])], minimum=5) is None


def test_taken_and_copied_columns_are_their_own():
    values = np.array([1.0, 2.0, 3.0])
    column = read(values)
    taken, copy = column.take(np.array([True, False, True])), column.copy()
    values[:] = 0
    assert taken.values.tolist() == [1, 3]
    assert copy.values.tolist() == [1, 2, 3]
    assert (taken.name, copy.name) == ("x", "x")
    assert len(taken.missing) == 2


def test_nested_columns_are_named_with_their_remedy():
    nested = pl.Series("pairs", [[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2))
    with pytest.raises(TypeError, match=r"pairs holds array\(\[1, 2\]\) in one entry"):
        read_columns(nested, name="x")
    with pytest.raises(TypeError, match=r"x holds array\(\[1, 2\]\) in one entry"):
        read_columns(nested.rename(""), name="x")


# integers of few values

FEW = {
    "integers": np.arange(100) % 10,
    "whole floats": np.arange(100) % 10 - 5.0,
    "large floats": (np.arange(100) % 10) * 1e300,
    "a constant": np.full(9, 7),
    "one sample": np.array([3.0]),
    "large integers": np.repeat(np.iinfo(np.int64).max - np.arange(3), 3),
    "unsigned": np.repeat(np.array([2**64 - 1, 0], dtype=np.uint64), 2),
    "with gaps": np.array([1.0, 2.0, 1.0, 2.0, np.nan, np.inf]),
    "nullable": pd.Series([1, 2, 1, 2, None], dtype="Int64"),
    "polars": pl.Series([1, 2, 1, 2, None]),
    "object integers": objects(1, 2, 1, 2),
    "booleans": np.array([True, False]),
    "names": np.array(["a", "b"]),
    "categories": pd.Series([1.5, 2.5], dtype="category"),
}

MANY = {
    "integers": np.arange(100) % 11,
    "halves": np.arange(100) % 2 + 0.5,
    "one half": np.where(np.arange(100) == 50, 0.5, 1.0),
    "a constant half": np.full(100, 0.5),
    "dates": np.repeat(np.array(["2024-01-01"], dtype="M8[D]"), 100),
    "durations": np.repeat(np.array([1], dtype="m8[h]"), 100),
    "with gaps": np.array([1.0, 2.0, 1.0, np.nan, np.nan]),
    "halves as objects": objects(0.5, 1, 0.5, 1),
    "integers that floats would round": objects(*([2**80 + 1] * 100)),
}


@pytest.mark.parametrize("name", FEW)
def test_integers_of_few_values_are_nominal(name):
    assert nominal_or_few_integers(read(FEW[name])) is True


@pytest.mark.parametrize("name", MANY)
def test_integers_of_many_values_and_fractions_are_not_nominal(name):
    assert nominal_or_few_integers(read(MANY[name])) is False


def test_masks_ask_for_what_is_nominal():
    columns = read_columns(np.column_stack([np.arange(9) % 3, np.arange(9)]), name="x")
    found = nominal_mask(columns, "auto", name="d", is_nominal=nominal_or_few_integers)
    assert found.tolist() == [True, False]
    assert nominal_mask(columns, "auto", name="d").tolist() == [False, False]
    added = nominal_mask(columns, [1], name="d", is_nominal=nominal_or_few_integers)
    assert added.tolist() == [True, True]
    declared = nominal_mask(
        columns, [False, False], name="d", is_nominal=nominal_or_few_integers
    )
    assert declared.tolist() == [False, False]
    assert [nominal_by_kind(column) for column in columns] == [False, False]
