"""New samples in the coordinates and groups of the training samples."""

from __future__ import annotations

import numpy as np
import pytest

from skinfo._core._vectors import read_vector
from skinfo.dependence.variables._encoding import SCALES
from skinfo.dependence.variables._new_samples import training_vector


def read(rows):
    return read_vector(
        np.array(rows, dtype=object),
        name="x",
        discrete="auto",
        discrete_name="x_discrete",
        nan_policy="raise",
    )


ROWS = [["a", 1.0, "u"], ["b", 2.0, "u"], ["a", 4.0, "v"], ["b", 1.0, "u"]]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("columns", [[0], [1], [0, 2], [0, 1], [0, 1, 2]])
def test_training_samples_are_placed_where_they_are(columns, scale):
    vector = read(np.array(ROWS, dtype=object)[:, columns])
    training = training_vector(vector, scale)
    placed = training.place(vector)
    codes = training.variable.codes
    np.testing.assert_array_equal(placed.points, training.variable.points[codes])
    np.testing.assert_array_equal(placed.groups, training.variable.groups[codes])


def test_unseen_nominal_values_have_no_group():
    training = training_vector(read(ROWS), None)
    new = [["a", 1.0, "u"], ["c", 1.0, "u"], ["a", 1.0, "w"], ["b", 1.0, "v"]]
    groups = training.place(read(new)).groups
    assert groups[0] == training.variable.groups[training.variable.codes[0]]
    assert groups[1:].tolist() == [-1, -1, -1]  # b and v never occurred together


def test_new_numbers_lie_between_those_of_the_training():
    training = training_vector(read(ROWS), None)
    placed = training.place(read([["a", value, "u"] for value in (-5.0, 3.0, 1.5, 9)]))
    assert placed.points[:, 0].tolist() == [1, 3, 1.5, 4]


def test_taken_samples_keep_points_and_groups():
    placed = training_vector(read(ROWS), None).place(read(ROWS)).take(np.array([2, 0]))
    assert placed.points[:, 0].tolist() == [4, 1]
    assert placed.groups[0] != placed.groups[1]
