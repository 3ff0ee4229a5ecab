"""Random vectors: reading, selecting, and leaving out rows with gaps."""

# ruff: noqa: PD011 (the values of a Column, not of a pandas object)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skinfo._core._vectors import (
    complete_pair,
    complete_vectors,
    read_pair,
    read_vector,
    read_vectors,
)


def read(data, *, name="x", discrete="auto", nan_policy="omit", **options):
    return read_vector(
        data,
        name=name,
        discrete=discrete,
        discrete_name=f"{name}_discrete",
        nan_policy=nan_policy,
        **options,
    )


FRAME = pd.DataFrame(
    {"a": [1.0, np.nan, 3.0, 4.0], "b": ["p", "q", None, "p"], "c": [5, 6, 7, 8]}
)


def test_vector_knows_its_columns_and_kinds():
    vector = read(FRAME)
    assert [column.name for column in vector.columns] == ["a", "b", "c"]
    assert vector.nominal.tolist() == [False, True, False]
    assert vector.n_samples == 4


def test_what_is_nominal_can_be_declared():
    assert read(FRAME, discrete=["c"]).nominal.tolist() == [False, True, True]
    assert read(FRAME, discrete=True).nominal.tolist() == [True, True, True]


def test_gaps_are_an_error_unless_omitted():
    with pytest.raises(ValueError, match=r"Input x contains NaN .*column 'a', 1 miss"):
        read(FRAME, nan_policy="raise")
    with pytest.raises(ValueError, match="nan_policy='drop' is not a known option"):
        read(FRAME[["c"]], nan_policy="drop")


def test_a_table_can_be_demanded():
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        read([1.0, 2.0], ensure_2d=True)
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        read(FRAME["c"], ensure_2d=True)
    assert read([[1.0], [2.0]], ensure_2d=True).n_samples == 2


def test_taken_rows_stay_in_their_order():
    taken = read(FRAME).take(np.array([True, False, False, True]))
    assert taken.n_samples == 2
    assert taken.columns[0].values.tolist() == [1.0, 4.0]
    assert taken.columns[1].values.tolist() == ["p", "p"]
    assert taken.nominal.tolist() == [False, True, False]


@pytest.mark.parametrize("positions", [[2, 1], np.array([2, 1]), (2, 1)])
def test_selected_columns_keep_their_kind(positions):
    selected = read(FRAME).select(positions)
    assert [column.name for column in selected.columns] == ["c", "b"]
    assert selected.nominal.tolist() == [False, True]


def test_a_copy_shares_no_memory():
    data = np.arange(6.0).reshape(3, 2)
    vector = read(data)
    copy = vector.copy()
    data[:] = -1
    assert copy.columns[1].values.tolist() == [1, 3, 5]
    assert vector.columns[1].values.tolist() == [-1, -1, -1]


def test_numbers_are_read_without_a_copy():
    data = np.arange(6.0).reshape(3, 2)
    assert np.shares_memory(read(data).columns[0].values, data)


def test_pair_without_gaps_is_left_as_it_is():
    x, y = read(FRAME[["c"]]), read([1, 2, 3, 4], name="y")
    assert complete_pair(x, y, minimum=4) == (x, y, None)


def test_rows_with_a_gap_in_either_are_left_out():
    x, y, rows = complete_pair(
        read(FRAME[["a", "c"]]), read(FRAME["b"], name="y"), minimum=2
    )
    assert rows.tolist() == [True, False, False, True]
    assert x.columns[1].values.tolist() == [5, 8]
    assert y.columns[0].values.tolist() == ["p", "p"]
    assert not any(column.missing.any() for column in (*x.columns, *y.columns))


def test_too_few_complete_rows_name_the_worst_column():
    x, y = read(FRAME), read([1.0, np.nan, np.nan, np.nan], name="y")
    with pytest.raises(ValueError, match=r"Only 1 rows remain .*column 'y' misses 3"):
        complete_pair(x, y, minimum=2)


def pair_of(x, y, **options):
    options = {
        "x_discrete": "auto",
        "y_discrete": "auto",
        "nan_policy": "omit",
    } | options
    return read_pair(x, y, **options)


def test_pair_is_read_as_its_vectors():
    x, y = pair_of(FRAME[["a", "b"]], FRAME["c"])
    assert [column.name for column in x.columns] == ["a", "b"]
    assert [column.name for column in y.columns] == ["c"]
    assert (x.n_samples, y.n_samples) == (4, 4)
    assert (x.nominal.tolist(), y.nominal.tolist()) == ([False, True], [False])


def test_each_of_a_pair_has_its_own_declaration_of_what_is_nominal():
    numbers = FRAME[["c"]]
    x, y = pair_of(numbers, numbers, x_discrete=True)
    assert (x.nominal.tolist(), y.nominal.tolist()) == ([True], [False])
    x, y = pair_of(numbers, numbers, y_discrete=["c"])
    assert (x.nominal.tolist(), y.nominal.tolist()) == ([False], [True])
    x, y = pair_of(numbers, FRAME["b"], is_nominal=lambda column: column.numeric)
    assert (x.nominal.tolist(), y.nominal.tolist()) == ([True], [False])


def test_errors_say_which_of_a_pair_is_meant():
    with pytest.raises(ValueError, match="Input y contains NaN"):
        pair_of([1.0, 2.0], [1.0, np.nan], nan_policy="raise")
    with pytest.raises(ValueError, match="x_discrete='yes'"):
        pair_of([1.0, 2.0], [1.0, 2.0], x_discrete="yes")
    with pytest.raises(ValueError, match="y_discrete holds the index 1"):
        pair_of([1.0, 2.0], [1.0, 2.0], y_discrete=[1])
    with pytest.raises(ValueError, match="x has 2, y has 3"):
        pair_of([1.0, 2.0], [1.0, 2.0, 3.0])


def test_new_samples_take_over_what_was_nominal_in_fit():
    fitted = read([1, 2, 1, 2], discrete=True)
    assert read([2, 1]).like(fitted).nominal.tolist() == [True]
    with pytest.raises(ValueError, match="held numbers in fit, but now holds text"):
        read(["a", "b"]).like(fitted)


def test_several_vectors_are_read_and_completed_together():
    z = pd.DataFrame({"z": [1.0, 2.0, 3.0, np.nan], "g": ["p", "q", "p", "q"]})
    vectors = read_vectors(
        {
            "x": ([np.inf, 1.0, 2.0, 3.0], "auto"),
            "y": ([5, 6, 7, 8], True),
            "z": (z, "auto"),
        },
        nan_policy="omit",
    )
    assert [v.nominal.tolist() for v in vectors] == [[False], [True], [False, True]]
    complete, rows = complete_vectors(vectors, minimum=2)
    assert rows.tolist() == [False, True, True, False]
    assert [v.columns[0].values.tolist() for v in complete] == [
        [1.0, 2.0],
        [6, 7],
        [2.0, 3.0],
    ]
    assert complete_vectors(complete, minimum=2)[1] is None
    with pytest.raises(ValueError, match="Only 2 rows remain"):
        complete_vectors(vectors, minimum=3)


def test_several_vectors_need_the_same_length():
    variables = {name: (np.zeros(n), "auto") for name, n in (("x", 3), ("z", 4))}
    with pytest.raises(ValueError, match="x has 3, z has 4"):
        read_vectors(variables, nan_policy="raise")
