"""Checks of parameters: what passes, and messages that name what does not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from skinfo._core._checks import (
    check_integer,
    check_n_neighbors,
    check_option,
    check_positive,
    check_probability,
    check_same_length,
)


@pytest.mark.parametrize("value", [2, 5, np.int8(5), np.uint64(7), np.int64(2)])
def test_integers_of_every_kind_become_int(value):
    result = check_integer("k", value, minimum=2)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize(
    "value", [2.0, np.float64(3), "5", None, True, np.True_, [3], Fraction(3)]
)
def test_what_is_no_integer_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^k=.* must be an integer, not .* at least 2"):
        check_integer("k", value, minimum=2)


@pytest.mark.parametrize("value", [1, 0, -7, np.int64(1)])
def test_integers_below_the_minimum_are_a_value_error(value):
    with pytest.raises(ValueError, match=r"^k=.* must be at least 2\. Pass a larger k"):
        check_integer("k", value, minimum=2)


@pytest.mark.parametrize("value", ["a", np.str_("a"), None, 3])
def test_known_options_pass(value):
    check_option("mode", value, ["a", None, 3])


@pytest.mark.parametrize("value", ["A", "", False, 0, ["a"], "ab"])
def test_unknown_options_are_told_the_known_ones(value):
    with pytest.raises(ValueError, match=r"^mode=.* one of: 'a', None, 3\.$"):
        check_option("mode", value, ["a", None, 3])


@pytest.mark.parametrize("value", [0.05, np.float32(0.5), Fraction(1, 3)])
def test_probabilities_become_float(value):
    result = check_probability("alpha", value)
    assert result == float(value)
    assert type(result) is float


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_numbers_outside_the_unit_interval_are_a_value_error(value):
    with pytest.raises(ValueError, match=r"^alpha=.* strictly between 0 and 1"):
        check_probability("alpha", value)


def test_the_example_of_a_probability_is_the_remedy():
    with pytest.raises(ValueError, match=r"Pass, for example, level=0\.95\.$"):
        check_probability("level", 95, 0.95)
    with pytest.raises(TypeError, match=r"Pass, for example, level=0\.95\.$"):
        check_probability("level", "high", 0.95)


@pytest.mark.parametrize("value", ["0.05", None, True, [0.05], 0.5j])
def test_what_is_no_number_is_no_probability(value):
    with pytest.raises(TypeError, match=r"^alpha=.* must be a number, not "):
        check_probability("alpha", value)


@pytest.mark.parametrize(
    "value", [1, 1.06, 5e-324, 1e308, np.float32(0.5), np.int8(3), Fraction(1, 3)]
)
def test_positive_numbers_become_float(value):
    result = check_positive("factor", value)
    assert result == float(value)
    assert type(result) is float


@pytest.mark.parametrize(
    "value", [0, 0.0, -0.0, -1, -1e-300, float("nan"), float("inf"), -float("inf")]
)
def test_numbers_that_are_not_positive_and_finite_are_a_value_error(value):
    message = r"^factor=.* must be positive and finite\. Pass a positive number\.$"
    with pytest.raises(ValueError, match=message):
        check_positive("factor", value)


@pytest.mark.parametrize("value", ["1", None, True, np.True_, [1.0], 1j, np.ones(1)])
def test_what_is_no_number_is_not_positive(value):
    message = r"(?s)^factor=.* must be a number, not .*\. Pass a positive number\.$"
    with pytest.raises(TypeError, match=message):
        check_positive("factor", value)


@pytest.mark.parametrize("n_neighbors", [1, 9, np.int64(9)])
def test_fewer_neighbours_than_samples_pass(n_neighbors):
    assert check_n_neighbors(n_neighbors, 10) == n_neighbors


@pytest.mark.parametrize("n_neighbors", [10, 200])
def test_as_many_neighbours_as_samples_are_an_error(n_neighbors):
    message = rf"^n_neighbors={n_neighbors} must be smaller .*n_samples=10.* Pass a"
    with pytest.raises(ValueError, match=message):
        check_n_neighbors(n_neighbors, 10)


def test_no_or_half_a_neighbour_is_an_error():
    with pytest.raises(ValueError, match="n_neighbors=0 must be at least 1"):
        check_n_neighbors(0, 10)
    with pytest.raises(TypeError, match=r"n_neighbors=0\.5 must be an integer"):
        check_n_neighbors(0.5, 10)


def test_equal_lengths_pass():
    check_same_length({"x": 5, "y": 5, "z": 5})


def test_unequal_lengths_are_all_named():
    with pytest.raises(ValueError, match="x has 5, y has 6, z has 5"):
        check_same_length({"x": 5, "y": 6, "z": 5})
