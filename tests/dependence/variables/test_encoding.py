"""Levels and their coordinates, against scipy and exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from skinfo._core._columns import read_columns
from skinfo._core._vectors import read_vector
from skinfo.dependence.variables._encoding import (
    SCALES,
    NominalLevels,
    NumericLevels,
    encode,
    encode_columns,
    normal_scores,
    scale_levels,
)

SMALL = settings(derandomize=True, deadline=None, max_examples=50)
INT64, UINT64 = np.iinfo(np.int64), np.iinfo(np.uint64)


def encoded(values, *, nominal=False, scale=None):
    (column,) = read_columns(values, name="x")
    return encode(column, nominal=nominal, scale=scale)


def coordinates(values, scale):
    """Return the coordinate of each sample."""
    column = encoded(values, scale=scale)
    return column.levels.coordinates[column.codes]


def exact_standard_scores(values):
    """(value - smallest) / population standard deviation, in exact fractions."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    offsets = [value - min(exact) for value in exact]
    # the root of the squared ratio, as neither variance nor offset need fit a float
    return np.array([float(offset**2 / variance) ** 0.5 for offset in offsets])


# ranks


@SMALL
@given(hnp.arrays(int, st.integers(1, 40), elements=st.integers(-5, 5)))
def test_rank_coordinates_are_normal_scores_of_average_ranks(values):
    expected = norm.ppf(rankdata(values, method="average") / (len(values) + 1))
    np.testing.assert_allclose(coordinates(values, "rank"), expected, atol=1e-14)


def test_normal_scores_rise_and_are_symmetric():
    counts = np.random.default_rng(0).integers(1, 9, size=500)
    scores = normal_scores(counts)
    assert np.all(np.diff(scores) > 0)
    np.testing.assert_array_equal(normal_scores(counts[::-1]), -scores[::-1])


def test_normal_scores_of_many_samples_stay_distinct():
    scores = normal_scores(np.ones(10**6, dtype=int))
    assert np.all(np.diff(scores) > 0)
    assert np.all(np.isfinite(scores))


@pytest.mark.parametrize(
    "transform",
    [np.exp, lambda v: v**3, lambda v: 1e300 * v, lambda v: v.astype(object)],
)
def test_rank_coordinates_ignore_increasing_transforms(transform):
    values = np.round(np.random.default_rng(0).normal(size=200), 1)
    expected = coordinates(values, "rank")
    np.testing.assert_array_equal(coordinates(transform(values), "rank"), expected)


# the standard scale


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-5, 1.0, 1e5, 1e160, 1e300])
def test_standard_coordinates_have_unit_variance_at_every_scale(size):
    values = size * (np.random.default_rng(0).normal(size=300) + 5)
    result = coordinates(values, "standard")
    np.testing.assert_allclose(result, exact_standard_scores(values), rtol=1e-12)
    np.testing.assert_allclose(result.std(), 1, rtol=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        [INT64.min, 0, INT64.max],
        [INT64.max - 2, INT64.max - 1, INT64.max],
        [INT64.min, INT64.min + 1, INT64.min + 7],
        [2**62, 2**62 + 1, 2**62 + 3],
        [-(2**53) - 1, -(2**53), -(2**53) + 1],
    ],
)
def test_huge_integers_keep_their_distances(values):
    values = np.array(values, dtype=np.int64)
    offsets = np.array([int(value) - int(values[0]) for value in values], dtype=float)
    np.testing.assert_array_equal(coordinates(values, None), offsets)
    np.testing.assert_allclose(
        coordinates(values, "standard"),
        exact_standard_scores(map(int, values)),
        rtol=1e-14,
    )


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, UINT64.max],
        [UINT64.max - 2, UINT64.max - 1, UINT64.max],
        [2**63 - 1, 2**63, 2**63 + 1],
    ],
)
def test_huge_unsigned_integers_keep_their_distances(values):
    values = np.array(values, dtype=np.uint64)
    offsets = np.array([int(value) - int(values[0]) for value in values], dtype=float)
    np.testing.assert_array_equal(coordinates(values, None), offsets)
    np.testing.assert_allclose(
        coordinates(values, "standard"),
        exact_standard_scores(map(int, values)),
        rtol=1e-14,
    )


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint8, np.int32, np.uint32])
@pytest.mark.parametrize("scale", SCALES)
def test_narrow_integers_do_not_overflow(scale, dtype):
    values = np.array([np.iinfo(dtype).min, 3, np.iinfo(dtype).max, 3], dtype=dtype)
    expected = coordinates(values.astype(np.int64), scale)
    np.testing.assert_array_equal(coordinates(values, scale), expected)


@pytest.mark.parametrize("scale", SCALES)
def test_distinct_integers_never_get_equal_coordinates(scale):
    start = np.random.default_rng(0).integers(INT64.min, INT64.max - 1000)
    values = start + np.arange(1000)
    assert len(np.unique(coordinates(values, scale))) == 1000


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("scale", SCALES)
def test_short_floats_are_scaled_as_if_they_were_float64(scale, dtype):
    # offsets in the short type would round values near 0 together
    values = np.array([-3, 1e-4, 2e-4, 0.5, 4], dtype=dtype)
    expected = coordinates(values.astype(float), scale)
    np.testing.assert_array_equal(coordinates(values, scale), expected)


@pytest.mark.parametrize("scale", SCALES)
def test_a_constant_column_has_one_finite_coordinate(scale):
    for values in ([0.0, 0.0], [1e300] * 3, [-5e-324] * 2, np.array([2**62] * 2)):
        levels = encoded(values, scale=scale).levels
        assert len(levels) == 1
        assert np.isfinite(levels.coordinates).all()


@pytest.mark.parametrize("scale", SCALES)
def test_booleans_declared_numeric_are_two_levels(scale):
    result = coordinates(np.array([True, False, True]), scale)
    assert result[0] == result[2] > result[1]


@pytest.mark.parametrize("exponent", [-900, -30, 1, 900])
def test_powers_of_two_leave_standard_coordinates_bit_for_bit(exponent):
    values = np.round(np.random.default_rng(0).normal(size=100), 2)
    scaled = np.ldexp(values, exponent)
    np.testing.assert_array_equal(
        coordinates(scaled, "standard"), coordinates(values, "standard")
    )


def test_without_scale_floats_are_their_own_coordinates():
    values = np.random.default_rng(0).normal(size=50)
    np.testing.assert_array_equal(coordinates(values, None), values)


def test_fractions_keep_their_distances():
    values = [Fraction(i, 3) for i in (1, 2, 7)]
    np.testing.assert_allclose(coordinates(values, None), [0, 1 / 3, 2])
    np.testing.assert_allclose(
        coordinates(values, "standard"), exact_standard_scores(values)
    )


def test_levels_are_sorted_and_distinct():
    column = encoded(np.array([2.0, -0.0, 0.0, -1.0, 2.0]))
    assert column.levels.values.tolist() == [-1.0, 0.0, 2.0]
    assert column.codes.tolist() == [2, 1, 1, 0, 2]


def test_scale_levels_weighs_levels_by_their_counts():
    levels, counts = np.array([1.0, 2.0, 4.0]), np.array([3, 1, 2])
    for scale in SCALES:
        expected = coordinates(np.repeat(levels, counts), scale)
        np.testing.assert_array_equal(
            scale_levels(levels, counts, scale), np.unique(expected)
        )


# new values


@SMALL
@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=10, unique=True),
    st.lists(st.integers(-70, 70), min_size=1, max_size=10),
    st.sampled_from(list(SCALES)),
)
def test_new_values_are_interpolated_and_clamped(levels, values, scale):
    values = np.array(values) / 4
    levels = encoded(np.array(levels) / 4, scale=scale).levels
    np.testing.assert_allclose(
        levels.coordinates_of(values),
        np.interp(values, levels.values, levels.coordinates),
        rtol=1e-13,
        atol=1e-15,
    )


@pytest.mark.parametrize("scale", SCALES)
def test_training_values_get_exactly_their_coordinate(scale):
    values = np.random.default_rng(0).standard_cauchy(500)
    levels = encoded(values, scale=scale).levels
    np.testing.assert_array_equal(
        levels.coordinates_of(values), coordinates(values, scale)
    )


def test_values_between_huge_levels_of_opposite_sign_are_interpolated():
    levels = NumericLevels(np.array([-1.7e308, 1.7e308]), np.array([0.0, 1.0]))
    placed = levels.coordinates_of(np.array([-1.7e308, 0.0, 0.85e308, 1.7e308]))
    np.testing.assert_allclose(placed, [0, 0.5, 0.75, 1])


def test_values_between_tiny_levels_are_interpolated():
    levels = NumericLevels(np.array([1e-300, 3e-300]), np.array([0.0, 1.0]))
    placed = levels.coordinates_of(np.array([0, 1.5e-300, 2e-300, 1.0]))
    np.testing.assert_allclose(placed, [0, 0.25, 0.5, 1])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_values_between_huge_integers_are_interpolated(dtype):
    levels = NumericLevels(np.array([2**62, 2**62 + 4], dtype), np.array([0.0, 1.0]))
    placed = levels.coordinates_of(np.array([2**62 + 1, 2**62 + 2], dtype))
    np.testing.assert_allclose(placed, [0.25, 0.5])


def test_values_of_another_type_are_placed_by_value():
    levels = NumericLevels(np.array([1, 5], dtype=np.int8), np.array([0.0, 1.0]))
    placed = levels.coordinates_of(np.array([-300, 1, 2.5, 3, 5, 700]))
    np.testing.assert_allclose(placed, [0, 0, 0.375, 0.5, 1, 1])


def test_a_single_level_takes_every_value():
    levels = encoded(np.array([2.0, 2.0]), scale="rank").levels
    np.testing.assert_array_equal(levels.coordinates_of(np.array([-1, 2, 9])), 0)


# nominal columns


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a", "b"],
        np.array([2.5, -1, 2.5]),
        np.array([2**62 + 1, 2**62, 2**62 + 1]),
        [True, False, True],
    ],
)
def test_nominal_codes_tell_equality_alone(values):
    codes = encoded(values, nominal=True).codes
    equal = [[a == b for a in values] for b in values]
    np.testing.assert_array_equal(codes[:, np.newaxis] == codes, equal)


def test_unseen_categories_have_no_code():
    levels = encoded(["b", "a", "b"], nominal=True).levels
    new = np.array(["a", "c", "b"], dtype=object)
    assert isinstance(levels, NominalLevels)
    assert len(levels) == 2
    assert levels.codes_of(new).tolist() == [1, -1, 0]


def test_nominal_numbers_are_found_whatever_their_type():
    levels = encoded(np.array([3, 1, 2]), nominal=True).levels
    assert levels.codes_of(np.array([1.0, 2.5, 3.0])).tolist() == [0, -1, 2]


def test_entries_that_cannot_be_hashed_are_compared_by_value():
    values = np.empty(4, dtype=object)
    values[:] = [{"a": 1}, [1], {"a": 1}, {"a": 2}]
    column = encoded(values, nominal=True)
    assert column.codes.tolist() == [0, 1, 0, 2]
    new = np.empty(2, dtype=object)
    new[:] = [[1], [2]]
    assert column.levels.codes_of(new).tolist() == [1, -1]


def test_collections_are_compared_by_value_whatever_their_order():
    values = np.empty(6, dtype=object)
    values[:] = [{0, 8}, {8, 0}, {0}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, np.zeros(2)]
    assert encoded(values, nominal=True).codes.tolist() == [0, 0, 1, 2, 2, 3]


def test_columns_of_a_vector_are_encoded_by_their_kind():
    vector = read_vector(
        [["a", 1.5], ["b", 0.5]],
        name="x",
        discrete="auto",
        discrete_name="x_discrete",
        nan_policy="raise",
    )
    first, second = encode_columns(vector, "rank")
    assert isinstance(first.levels, NominalLevels)
    assert isinstance(second.levels, NumericLevels)
