"""Hypercontractivity and maximal correlation of samples: what changes them."""

from __future__ import annotations

import datetime as dt
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skinfo import (
    hypercontractivity,
    hypercontractivity_discrete,
    maximal_correlation,
)
from skinfo.datasets import make_hidden_correlation

MEASURES = [
    hypercontractivity,
    lambda x, y, **options: hypercontractivity(x, y, method="paper", **options),
    lambda x, y, **options: hypercontractivity(x, y, min_fraction=None, **options),
    maximal_correlation,
]
all_measures = pytest.mark.parametrize(
    "measure", MEASURES, ids=["kde", "paper", "uncapped", "maximal"]
)


def pair(n=200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, x**2 + rng.normal(size=n)


def names(seed=0, n=300, n_x=4, n_y=3):
    """Return dependent names."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, n_x, size=n)
    y = np.where(rng.random(n) < 0.4, x % n_y, rng.integers(0, n_y, size=n))
    return np.array(list("abcdefg"))[x], np.array(list("uvwxyz"))[y]


# ---- always a number from 0 to 1


COLUMNS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "ties": lambda rng, n: rng.normal(size=n).round(1),
    "outliers": lambda rng, n: rng.normal(size=n) * rng.choice([1, 1, 1, 1e6], size=n),
    "duplicates": lambda rng, n: rng.choice(rng.normal(size=max(2, n // 5)), size=n),
    "constant": lambda _, n: np.full(n, 0.1),
    "blocks": lambda rng, n: rng.normal(size=n) + 30 * rng.integers(0, 3, size=n),
    "few": lambda rng, n: rng.integers(0, 3, size=n),
    "names": lambda rng, n: rng.choice(list("abc"), size=n),
    "integers": lambda rng, n: rng.integers(-50, 50, size=n),
    "float32": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "cauchy": lambda rng, n: rng.standard_cauchy(size=n),
}


@st.composite
def columns(draw, n):
    """Draw a column of one of the kinds that are hard on kernels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return COLUMNS[draw(st.sampled_from(list(COLUMNS)))](rng, n)


@st.composite
def tables(draw, n):
    """Draw one column, or two that depend on each other in part."""
    first = draw(columns(n))
    if draw(st.booleans()):
        return first
    return pd.DataFrame({"first": first, "second": draw(columns(n))})


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.data())
def test_values_lie_between_the_bound_and_one(data):
    n = data.draw(st.integers(5, 60))
    x = data.draw(tables(n))
    y = x if data.draw(st.booleans()) else data.draw(tables(n))
    options = {
        "min_fraction": data.draw(st.sampled_from([None, 0.05, 0.3, 1.0])),
        "bandwidth_factor": data.draw(st.sampled_from([0.01, 1.06, 20.0])),
    }
    for method in ("kde", "paper"):
        assert 0 <= hypercontractivity(x, y, method=method, **options) <= 1
    value = hypercontractivity(x, y, **options)
    bound = maximal_correlation(x, y, bandwidth_factor=options["bandwidth_factor"])
    assert 0 <= bound <= 1
    assert value >= bound**2 - 1e-12


@all_measures
@pytest.mark.parametrize("n", [5, 6, 7])
def test_very_few_samples_have_a_value(measure, n):
    for seed in range(5):
        assert 0 <= measure(*pair(n, seed)) <= 1


# ---- scale and place


@all_measures
@pytest.mark.parametrize("power", [-1000, -60, -3, 5, 60, 1000])
def test_powers_of_two_leave_the_value_to_the_last_bit(measure, power):
    x, y = pair()
    expected = measure(x, y)
    assert measure(x * 2.0**power, y) == expected
    assert measure(x, y * 2.0**power) == expected


@all_measures
@pytest.mark.parametrize("factor", [3.7, 1e-12, 1e300, 1e-300])
def test_other_factors_leave_the_value_too(measure, factor):
    x, y = pair()
    assert measure(x * factor, y) == pytest.approx(measure(x, y), abs=1e-9)
    assert measure(x, factor * y) == pytest.approx(measure(x, y), abs=1e-9)


@all_measures
@pytest.mark.parametrize("shift", [1.0, -(2.0**20)])
def test_shifts_leave_the_value(measure, shift):
    x, y = np.round(np.array(pair()) * 2**20) / 2**20  # so that no shift rounds
    expected = measure(x, y)
    # "paper" takes the deviation of the values as they are
    assert measure(x + shift, y) == pytest.approx(expected, abs=1e-9)
    assert measure(x, y + shift) == pytest.approx(expected, abs=1e-9)


@all_measures
def test_affine_maps_leave_the_value(measure):
    x, y = pair()
    expected = measure(x, y)
    assert measure(2.5 * x + 9, 0.3 * y - 4) == pytest.approx(expected, abs=1e-9)


@all_measures
def test_mirrored_columns_have_nearly_the_same_value(measure):
    # the cells begin at the other end
    x, y = pair()
    assert measure(-x, y) == pytest.approx(measure(x, y), abs=2e-3)


@all_measures
def test_each_column_of_a_vector_has_a_scale_of_its_own(measure):
    x, y = pair()
    X = np.column_stack([x, np.random.default_rng(1).normal(size=200)])
    scaled = X * [1e9, 1e-9] if measure is not MEASURES[1] else X * 1e9
    assert measure(scaled, y) == pytest.approx(measure(X, y), abs=1e-9)


@all_measures
def test_order_of_samples_does_not_count(measure):
    x, y = pair()
    order = np.random.default_rng(1).permutation(200)
    assert measure(x[order], y[order]) == pytest.approx(measure(x, y), rel=1e-5)
    X, Y = np.column_stack([x, y]), y
    expected = pytest.approx(measure(X, Y), rel=1e-5)
    assert measure(X[order], Y[order]) == expected


@all_measures
def test_order_of_columns_does_not_count(measure):
    x, y = pair()
    X = np.column_stack([x, np.random.default_rng(1).normal(size=200)])
    assert measure(X[:, ::-1], y) == pytest.approx(measure(X, y), rel=1e-5)


@all_measures
def test_names_of_categories_do_not_count(measure):
    x, y = names()
    renamed = np.array([{"a": "p", "b": "a", "c": "b", "d": "zz"}[name] for name in x])
    assert measure(renamed, y) == pytest.approx(measure(x, y), rel=1e-5)
    numbers = np.array([{"a": 9, "b": -2, "c": 0, "d": 4}[name] for name in x])
    options = {"x_discrete": True}
    assert measure(numbers, y, **options) == pytest.approx(measure(x, y), rel=1e-5)


def test_values_are_deterministic():
    data = pair(), names()
    for measure in MEASURES:
        for x, y in data:
            assert measure(x, y) == measure(x, y)


def test_maximal_correlation_is_symmetric_and_below_the_root_of_the_value():
    for x, y in (pair(), names(), (pair()[0], names(n=200)[0])):
        found = maximal_correlation(x, y)
        assert maximal_correlation(y, x) == pytest.approx(found, rel=1e-9)
        for min_fraction in (None, 0.05):
            for direction in ((x, y), (y, x)):
                value = hypercontractivity(*direction, min_fraction=min_fraction)
                assert found**2 <= value + 1e-12


def test_hypercontractivity_is_directed():
    # a rare name that is always the same in y, where it is frequent
    x, y = np.array(["a"] * 10 + ["b"] * 90), np.array(["u"] * 55 + ["v"] * 45)
    assert hypercontractivity(x, y) > 1.3 * hypercontractivity(y, x)


# ---- nominal values


def table_of(x, y):
    """Return the relative frequencies of pairs of names."""
    return pd.crosstab(x, y).to_numpy() / len(x)


@pytest.mark.parametrize("seed", range(12))
def test_nominal_pairs_have_the_value_of_their_table(seed):
    rng = np.random.default_rng(seed)
    x, y = names(seed, 300, *rng.integers(2, 7, size=2))
    exact = hypercontractivity_discrete(table_of(x, y))
    # ascents from samples are not polished
    found = hypercontractivity(x, y, min_fraction=None)
    assert found == pytest.approx(exact.value, abs=1e-4)
    assert maximal_correlation(x, y) ** 2 == pytest.approx(exact.lower_bound, abs=1e-12)


@pytest.mark.parametrize("strength", [0.1, 0.01])
def test_weak_dependence_of_names_has_its_value_too(strength):
    rng = np.random.default_rng(0)
    counts = 1000 * rng.dirichlet(np.ones(12)).reshape(4, 3).round(2)
    counts = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / 10
    counts = (counts * (1 + strength * rng.normal(size=(4, 3)))).round().astype(int)
    x = np.repeat(list("abcd"), counts.sum(axis=1))
    y = np.concatenate([np.repeat(list("uvw"), row) for row in counts])
    exact = hypercontractivity_discrete(counts / counts.sum()).value
    assert exact < 0.1 * strength
    assert hypercontractivity(x, y, min_fraction=None) == pytest.approx(exact, rel=1e-4)


def test_where_the_cap_does_not_bind_it_does_not_count():
    x, y = names()
    exact = hypercontractivity_discrete(table_of(x, y))
    assert np.nanmax(exact.tilt) < 300**0.5
    for min_fraction in (None, 1e-9, 0.05):
        found = hypercontractivity(x, y, min_fraction=min_fraction)
        assert found == pytest.approx(exact.value, abs=1e-4)


def test_a_cap_that_binds_lowers_the_value():
    # the symmetric channel of P(X = a) = .1, whose best tilt of "a" is 9
    x = np.array(["a"] * 100 + ["b"] * 900)
    y = np.array(["u"] * 90 + ["v"] * 10 + ["u"] * 90 + ["v"] * 810)
    values = [
        hypercontractivity(x, y, min_fraction=fraction)
        for fraction in (None, 0.05, 0.2, 0.5, 0.9)
    ]
    assert values[0] == pytest.approx(0.5520955864, abs=1e-6)
    assert values[1] == pytest.approx(0.5520955864, abs=1e-6)
    assert np.all(np.diff(values[1:]) < -0.005)
    assert values[-1] > 0.3902  # the squared maximal correlation


@pytest.mark.parametrize(
    "convert",
    [
        lambda codes: codes,
        lambda codes: codes.astype(float),
        lambda codes: codes.astype(np.uint8),
        lambda codes: codes.astype(str),
        lambda codes: codes > 1,
        pd.Categorical,
        lambda codes: pd.Series(codes, dtype="Int64"),
        pl.Series,
    ],
    ids=["int", "float", "uint8", "str", "bool", "category", "nullable", "polars"],
)
def test_integers_of_few_values_are_names(convert):
    codes = np.random.default_rng(0).integers(0, 4, size=100)
    y = np.random.default_rng(1).normal(size=100) + (codes == 2)
    found = hypercontractivity(convert(codes), y)
    expected = hypercontractivity(convert(codes), y, x_discrete=True)
    assert found == pytest.approx(expected, rel=1e-9)


def test_few_means_up_to_the_root_of_the_number_of_samples():
    y = np.random.default_rng(0).normal(size=100)
    for n_values, nominal in ((10, True), (11, False)):
        x = np.arange(100) % n_values
        found = hypercontractivity(x, y)
        same = hypercontractivity(x, y, x_discrete=nominal)
        other = hypercontractivity(x, y, x_discrete=not nominal)
        assert found == same
        assert found != pytest.approx(other, rel=1e-3)


def test_integers_are_coordinates_for_the_paper():
    x = np.random.default_rng(0).integers(0, 4, size=100)
    y = np.random.default_rng(1).normal(size=100) + x
    found, as_numbers, as_names = (
        hypercontractivity(x, y, method="paper", x_discrete=discrete)
        for discrete in ("auto", False, True)
    )
    assert found == as_numbers
    assert found != pytest.approx(as_names, rel=1e-3)


def test_masks_indices_and_names_declare_what_is_nominal():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"code": rng.integers(0, 30, 100), "size": rng.normal(size=100)})
    y = rng.normal(size=100) + (X["code"] > 15)
    found = [
        hypercontractivity(X, y, x_discrete=discrete)
        for discrete in ([True, False], [0], ["code"], np.array([True, False]))
    ]
    assert found[1:] == found[:-1]
    assert found[0] != hypercontractivity(X, y)
    assert hypercontractivity(y, X, y_discrete=["code"]) != hypercontractivity(y, X)


@pytest.mark.parametrize("min_fraction", [None, 0.05])
def test_names_that_tell_nothing_are_no_trouble(min_fraction):
    # "a" and "b" leave the law of y exactly as it is
    x = np.repeat(list("abcd"), [8, 4, 4, 4])
    y = np.array(list("uuuuvvvv" + "uuvv" + "uuuv" + "uvvv"))
    value = hypercontractivity(x, y, min_fraction=min_fraction)
    exact = hypercontractivity_discrete(table_of(x, y)).value
    assert value == pytest.approx(exact, abs=1e-4)


def test_more_categories_than_cells_share_one():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4000, size=6000).astype(str)
    y = rng.normal(size=6000)
    assert 0 <= hypercontractivity(x, y) <= 1
    assert 0 <= maximal_correlation(x, y) <= 1


# ---- columns of all kinds


def test_x_can_have_several_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, 1, -1) + 0.3 * rng.normal(size=400)
    both = hypercontractivity(X, y)
    assert both > 3 * max(hypercontractivity(X[:, j], y) for j in range(2))
    assert hypercontractivity(X[:, [0]], y) == hypercontractivity(X[:, 0], y)


@all_measures
def test_a_constant_column_adds_a_coordinate_and_nothing_else(measure):
    # the bandwidth is that of two coordinates
    x, y = pair()
    X = np.column_stack([x, np.full(200, 3.5)])
    assert 0 < measure(X, y) < 1


def test_nominal_and_numeric_columns_are_one_vector():
    rng = np.random.default_rng(0)
    sign = rng.choice(["plus", "minus"], size=400)
    size = rng.uniform(-1, 1, size=400)
    y = np.where(sign == "plus", size, -size) + 0.1 * rng.uniform(-1, 1, size=400)
    frame = pd.DataFrame({"sign": sign, "size": size})
    both = hypercontractivity(frame, y)
    assert both > 1.5 * max(hypercontractivity(sign, y), hypercontractivity(size, y))
    assert hypercontractivity(frame[["size", "sign"]], y) == pytest.approx(
        both, rel=1e-5
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_are_coordinates(unit):
    days = np.random.default_rng(0).integers(0, 5000, size=200)
    y = np.sin(days / 500) + 0.1 * np.random.default_rng(1).normal(size=200)
    dates = (np.datetime64("2000-01-01") + days).astype(f"M8[{unit}]")
    expected = hypercontractivity(days, y)
    assert hypercontractivity(dates, y) == pytest.approx(expected, rel=1e-9)
    assert hypercontractivity(pd.Series(dates), y) == pytest.approx(expected, rel=1e-9)
    durations = (dates - dates[0]).astype(f"m8[{unit}]")
    assert hypercontractivity(durations, y) == pytest.approx(expected, rel=1e-9)
    objects = [dt.datetime(2000, 1, 1) + dt.timedelta(int(day)) for day in days]
    assert hypercontractivity(objects, y) == pytest.approx(expected, rel=1e-9)


def test_dates_of_few_days_are_coordinates_all_the_same():
    days = np.random.default_rng(0).integers(0, 4, size=100)
    y = np.random.default_rng(1).normal(size=100) + days
    dates = np.datetime64("2000-01-01") + days
    assert hypercontractivity(dates, y) == hypercontractivity(days, y, x_discrete=False)


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        pd.Series,
        pl.Series,
        lambda values: values[:, np.newaxis],
        lambda values: pd.DataFrame({"a": values}),
        lambda values: pl.DataFrame({"a": values}),
        lambda values: values.astype(object),
    ],
    ids=["list", "tuple", "Series", "polars", "column", "frame", "polars frame", "obj"],
)
@all_measures
def test_containers_of_the_same_data_agree(container, measure):
    x, y = pair(60)
    expected = measure(x, y)
    assert measure(container(x), y) == expected
    assert measure(x, container(y)) == expected


def test_short_floats_have_nearly_the_value_of_long_ones():
    x, y = pair()
    for dtype, tolerance in ((np.float32, 1e-5), (np.float16, 5e-3)):
        short = hypercontractivity(x.astype(dtype), y.astype(dtype))
        assert short == pytest.approx(hypercontractivity(x, y), abs=tolerance)


def test_inputs_are_left_as_they_are():
    x, y = pair()
    X = np.column_stack([x, y])
    before = X.copy()
    for measure in MEASURES:
        measure(X, y)
        np.testing.assert_array_equal(X, before)
    X.setflags(write=False)
    assert hypercontractivity(X, X) == hypercontractivity(before, before)


OVERLAPPING_CALLS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from threadpoolctl import threadpool_info

from skinfo import hypercontractivity
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity

inside, leave = [Event(), Event()], [Event(), Event()]
numbers = iter(range(2))
maximum = Hypercontractivity.maximum


def wait_inside(*arguments):
    number = next(numbers)
    inside[number].set()
    leave[number].wait(10)
    return maximum(*arguments)


def blas_threads():
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas"]
    return {one["filepath"]: one["num_threads"] for one in libraries}


Hypercontractivity.maximum = wait_inside
x = [0.1, 0.3, 0.4, 0.9, 1.6, 2.5]
before = blas_threads()
with ThreadPoolExecutor(2) as executor:
    calls = []
    for number in range(2):
        calls.append(executor.submit(hypercontractivity, x, x))
        assert inside[number].wait(10)
    for number in range(2):  # who came first leaves first
        leave[number].set()
        calls[number].result(10)
assert blas_threads() == before, (before, blas_threads())
"""


def test_overlapping_calls_leave_the_number_of_threads_as_it_was():
    threads = {"OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    result = subprocess.run(
        [sys.executable, "-c", OVERLAPPING_CALLS],
        env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


# ---- extremes


@all_measures
@pytest.mark.parametrize("largest", [1.7e308, 1e300, 1e-300, 1e-308])
def test_numbers_of_any_size_have_a_value(measure, largest):
    x, y = pair()
    x = x / np.abs(x).max()
    # numbers below the smallest normal one are rounded
    tolerance = 1e-9 if largest >= 1e-300 else 1e-5
    assert measure(largest * x, y) == pytest.approx(measure(x, y), abs=tolerance)
    X = np.column_stack([x, y / np.abs(y).max()])
    assert 0 <= measure(largest * X, y) <= 1


@all_measures
def test_integers_of_any_size_have_a_value(measure):
    limits = np.iinfo(np.int64)
    rng = np.random.default_rng(0)
    x = rng.integers(limits.min, limits.max, size=200)
    x[:2] = limits.min, limits.max
    y = x / 2.0**63 + 0.3 * rng.normal(size=200)
    expected = measure(x / 2.0**63, y)
    assert measure(x, y) == pytest.approx(expected, abs=1e-6)
    unsigned = (x.astype(np.uint64) + np.uint64(2**63)).astype(np.uint64)
    assert measure(unsigned, y) == pytest.approx(expected, abs=1e-6)


def test_differences_of_large_integers_are_not_rounded():
    x, y = pair()
    offsets = np.round(1000 * x).astype(np.int64)
    expected = hypercontractivity(offsets, y)
    assert hypercontractivity(2**62 + offsets, y) == expected


@all_measures
@pytest.mark.parametrize("factor", [5e-324, 1e-300, 1e-30, 1e-18, 1e-9, 1e9, 1e300])
def test_any_bandwidth_has_a_value(measure, factor):
    x, y = pair(50)
    value = measure(x, y, bandwidth_factor=factor)
    # either each sample is apart from all others, or all are at one place
    assert value == pytest.approx(1 if factor < 1 else 0, abs=1e-6)


def test_functions_of_x_have_a_value_for_narrow_kernels():
    # the correlations of 400 cells, all of them nearly 1
    x = np.random.default_rng(5).normal(size=500)
    value = hypercontractivity(x, x, bandwidth_factor=0.01)
    assert value == pytest.approx(1, abs=1e-6)


def test_a_larger_bandwidth_smooths_the_value_away():
    x, y = pair(500)
    values = [
        hypercontractivity(x, y, bandwidth_factor=factor) for factor in (0.3, 1, 3, 30)
    ]
    assert np.all(np.diff(values) < 0)


# ---- constants


@all_measures
@pytest.mark.parametrize(
    "constant",
    [
        np.full(50, 0.1),
        np.full(50, 3),
        np.full(50, "a"),
        np.full(50, True),
        np.full((50, 2), 0.1),
        np.full(50, np.datetime64("2024-01-01")),
        np.full(50, 1e300),
        np.zeros(50),
    ],
    ids=["float", "int", "name", "bool", "vector", "date", "huge", "zero"],
)
def test_constants_have_the_value_zero_and_no_warning(measure, constant):
    x = np.random.default_rng(0).normal(size=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure(constant, x) == 0.0
        assert measure(x, constant) == 0.0
        assert measure(constant, constant) == 0.0


# ---- missing values


@all_measures
def test_rows_with_gaps_are_left_out_where_that_is_asked_for(measure):
    x, y = pair()
    expected = measure(x[20:], y[20:])
    x[:10], y[10:20] = np.nan, np.inf
    assert measure(x, y, nan_policy="omit") == expected
    frame = pd.DataFrame({"x": x, "y": y}).replace(np.inf, np.nan).convert_dtypes()
    assert measure(frame["x"], frame["y"], nan_policy="omit") == expected
    with pytest.raises(ValueError, match="Input x contains NaN or infinity"):
        measure(x, y)
    with pytest.raises(ValueError, match=r"Input y contains NaN or inf.*policy='omit'"):
        measure(x[10:], y[10:])


def test_missing_names_are_left_out():
    x, y = names()
    expected = hypercontractivity(x[5:], y[5:])
    x = x.astype(object)
    x[:5] = None
    assert hypercontractivity(x, y, nan_policy="omit") == pytest.approx(
        expected, rel=1e-9
    )
    with pytest.raises(ValueError, match="contains NaN"):
        hypercontractivity(x, y)


@all_measures
def test_four_complete_rows_are_too_few(measure):
    x, y = pair(8)
    x[:4] = np.nan
    with pytest.raises(ValueError, match="Only 4 rows remain"):
        measure(x, y, nan_policy="omit")


def test_gaps_do_not_advise_parameters_that_are_not_there():
    x, y = pair(8)
    x[:4] = np.nan
    with pytest.raises(ValueError, match="Only 4 rows remain") as error:
        hypercontractivity(x, y, nan_policy="omit")
    assert "n_neighbors" not in str(error.value)


# ---- bad input


@all_measures
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bandwidth_factor": 0}, ValueError, "bandwidth_factor=0 must be positive"),
        ({"bandwidth_factor": -1}, ValueError, "bandwidth_factor=-1 must be positive"),
        ({"bandwidth_factor": "rule"}, TypeError, "bandwidth_factor='rule' must be a"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop' is not a known option"),
        ({"x_discrete": "all"}, ValueError, "x_discrete='all'"),
        ({"y_discrete": [3]}, ValueError, "y_discrete holds the index 3"),
    ],
    ids=str,
)
def test_bad_options_are_named_with_their_remedy(measure, options, error, message):
    with pytest.raises(error, match=message):
        measure(*pair(), **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"min_fraction": 0}, ValueError, r"min_fraction=0 must lie in \(0, 1\]"),
        ({"min_fraction": 1.5}, ValueError, r"min_fraction=1.5 must .* None to let"),
        ({"min_fraction": -0.05}, ValueError, "min_fraction=-0.05 must lie in"),
        ({"min_fraction": math.nan}, ValueError, "min_fraction=nan must lie in"),
        (
            {"min_fraction": "rare"},
            TypeError,
            "min_fraction='rare' must be a number, .* or None",
        ),
        ({"method": "ace"}, ValueError, "method='ace' .* one of: 'kde', 'paper'"),
        ({"method": None}, ValueError, "method=None .* one of: 'kde', 'paper'"),
    ],
    ids=str,
)
def test_bad_caps_and_methods_are_named_with_their_remedy(options, error, message):
    with pytest.raises(error, match=message):
        hypercontractivity(*pair(), **options)


@all_measures
@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.ones(4), np.ones(4), ValueError, "n_samples=4 must be at least 5 .*Pass m"),
        (np.ones(9), np.ones(8), ValueError, "x has 9, y has 8"),
        (np.ones(0), np.ones(0), ValueError, "x cannot be used. .*0 sample"),
        (np.ones((9, 0)), np.ones(9), ValueError, "x cannot be used. .*0 feature"),
        (np.ones((9, 1, 1)), np.ones(9), ValueError, "x cannot be used. .*dim 3"),
        (np.ones(9), 1j * np.ones(9), ValueError, "Complex data not supported"),
        (sparse.eye_array(9), np.ones(9), TypeError, "Sparse data .*toarray"),
    ],
    ids=["few", "lengths", "no rows", "no columns", "3-D", "complex", "sparse"],
)
def test_bad_data_are_named_with_their_remedy(measure, x, y, error, message):
    with pytest.raises(error, match=message):
        measure(x, y)


# ---- what it is for


@pytest.mark.parametrize("shape", ["linear", "sine"])
def test_dependence_in_a_rare_segment_is_seen(shape):
    found, null = [], []
    for seed in range(8):
        data = make_hidden_correlation(1000, shape=shape, noise=0.03, random_state=seed)
        found.append(hypercontractivity(data.x, data.y))
        y = np.random.default_rng(seed).permutation(data.y)
        null.append(hypercontractivity(data.x, y))
    assert np.median(found) > 3 * np.median(null)
    assert min(found) > np.median(null)
