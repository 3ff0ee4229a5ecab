"""Tilts at new samples, and the ratio they reach there, against loops."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skinfo._core._vectors import read_vector
from skinfo.dependence.kernels._cells import CELLS_PER_BANDWIDTH
from skinfo.dependence.kernels._kernel_vector import kernel_vector
from skinfo.dependence.kernels._tilt import (
    CellTilt,
    cell_tilt,
    column_tilt,
    held_out_ratio,
    tilt_at,
)
from skinfo.dependence.measures._hypercontractivity import (
    FeatureHypercontractivity,
)
from skinfo.dependence.variables._new_samples import NewSamples, training_vector


def vector(data, discrete="auto"):
    return read_vector(
        data, name="x", discrete=discrete, discrete_name="x", nan_policy="raise"
    )


def prepared(data, discrete="auto"):
    return kernel_vector(vector(data, discrete), 1.06)


def new_samples(points, groups=None):
    points = np.asarray(points, dtype=float).reshape(len(points), -1)
    if groups is None:
        groups = np.zeros(len(points), dtype=np.int64)
    return NewSamples(points, np.asarray(groups))


# ---- the tilt of cells, at new points


def test_tilt_of_one_coordinate_lies_on_lines_between_the_cells():
    tilt = CellTilt(
        points=np.array([[0.0], [1.0], [3.0], [0.0], [2.0]]),
        groups=np.array([0, 0, 0, 2, 2]),
        counts=np.array([1, 5, 1, 1, 1]),
        tilt=np.array([1.0, 3.0, 0.0, 7.0, 9.0]),
    )
    points = np.array([[-5.0], [0.5], [1.0], [2.0], [8.0], [1.0], [9.0], [0.5]])
    groups = np.array([0, 0, 0, 0, 0, 2, 2, 0])
    np.testing.assert_allclose(
        tilt.at(points, groups), [1, 2, 3, 1.5, 0, 8, 9, 2], atol=1e-15
    )


def test_groups_without_a_cell_have_the_tilt_one():
    tilt = CellTilt(np.zeros((2, 1)), np.array([0, 3]), np.ones(2), np.array([5.0, 6]))
    found = tilt.at(np.zeros((5, 1)), np.array([-1, 0, 1, 3, 4]))
    assert found.tolist() == [1, 5, 1, 6, 1]


def test_nominal_tilt_is_looked_up():
    tilt = CellTilt(np.empty((3, 0)), np.arange(3), np.ones(3), np.array([0.5, 2, 4]))
    found = tilt.at(np.empty((5, 0)), np.array([2, 0, -1, 1, 2]))
    assert found.tolist() == [4, 0.5, 1, 2, 4]


@pytest.mark.parametrize("distances_per_batch", [1, 100, 1 << 20])
def test_tilt_of_vectors_is_a_regression_on_the_cells(distances_per_batch, monkeypatch):
    monkeypatch.setattr(
        "skinfo.dependence.kernels._tilt._DISTANCES_PER_BATCH", distances_per_batch
    )
    rng = np.random.default_rng(0)
    known, groups = rng.normal(size=(30, 2)), np.sort(rng.integers(0, 2, size=30))
    counts, tilt = rng.integers(1, 9, size=30), rng.gamma(1, size=30)
    points, new_groups = rng.normal(size=(25, 2)), rng.integers(0, 2, size=25)
    expected = []
    for point, group in zip(points, new_groups, strict=True):
        # the weights of half the bandwidth
        weights = counts * np.exp(-2 * np.sum((known - point) ** 2, axis=1))
        weights *= groups == group
        expected.append(weights @ tilt / weights.sum())
    found = CellTilt(known, groups, counts, tilt).at(points, new_groups)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_far_away_vectors_have_the_tilt_of_the_nearest_cell():
    tilt = CellTilt(
        np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros(2), np.ones(2), np.array([3.0, 5])
    )
    found = tilt.at(np.array([[1e8, 0.0], [-1e8, 7.0]]), np.zeros(2))
    np.testing.assert_allclose(found, [5, 3], rtol=1e-12)


# ---- the tilt of a column, without its samples


def column_tilt_of(data, discrete="auto"):
    """Return the tilt of a column whose value at a sample is its position."""
    read = vector(data, discrete)
    smoothed = kernel_vector(read, 1.06)
    cells = smoothed.cells
    tilt = np.bincount(cells.codes, np.arange(len(cells.codes))) / cells.counts
    return column_tilt(smoothed, tilt), tilt[cells.codes]


def at(tilt, data):
    return tilt.at(vector(data).columns[0])


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9, 2.0**900])
def test_new_numbers_are_found_as_in_fit(scale):
    x = scale * np.random.default_rng(0).normal(size=60)
    tilt, expected = column_tilt_of(x)
    smoothed = prepared(x)
    coordinates = smoothed.training.variable.points / smoothed.bandwidth
    alone = smoothed.cells.counts[smoothed.cells.codes] == 1
    assert alone.sum() > 10
    # those that are alone in their cell are at its mean
    np.testing.assert_allclose(at(tilt, x)[alone], expected[alone], rtol=1e-9)
    assert np.ptp(coordinates) > 5
    low, high = at(tilt, [-100 * scale, 100 * scale])
    assert (low, high) == (tilt.tilt.tilt[0], tilt.tilt.tilt[-1])


def test_large_integers_are_found_exactly():
    limits = np.iinfo(np.int64)
    x = np.array([limits.min + i * 2**59 for i in range(32)])
    x[-1] = limits.max
    tilt, expected = column_tilt_of(x, discrete=False)
    assert len(tilt.tilt.tilt) == 32
    np.testing.assert_allclose(at(tilt, x), expected, rtol=1e-9, atol=1e-9)


def test_categories_are_found_again_and_new_ones_have_the_tilt_one():
    data = np.array(list("abcab"), dtype=object)
    tilt, expected = column_tilt_of(data)
    np.testing.assert_allclose(at(tilt, data), expected)
    assert at(tilt, np.array(["z", "c"], dtype=object)).tolist() == [1, 2]


def test_few_integers_are_found_as_floats_too():
    tilt, _ = column_tilt_of(np.array([1, 2, 1, 2, 3]), discrete=True)
    assert at(tilt, [3.0, 1.0, 1.5]).tolist() == [4, 1, 1]


def test_categories_that_were_merged_keep_their_tilt():
    names = np.array([f"name {i}" for i in range(2500)], dtype=object)
    data = np.concatenate([names, names[:100]])
    tilt, expected = column_tilt_of(data)
    np.testing.assert_allclose(at(tilt, data), expected)
    assert at(tilt, np.array(["name 2500"], dtype=object)) == 1


def test_a_column_tilt_holds_no_samples():
    x = np.random.default_rng(0).normal(size=20_000)
    tilt, _ = column_tilt_of(x)
    assert len(pickle.dumps(tilt)) < x.nbytes / 4
    assert tilt.fitted.values.base is not x


@pytest.mark.parametrize("discrete", [True, False])
def test_a_constant_column_has_one_tilt(discrete):
    tilt, _ = column_tilt_of(np.full(6, 3), discrete)
    assert at(tilt, [3, 3]).tolist() == [2.5, 2.5]
    if not discrete:
        assert at(tilt, [-9, 9]).tolist() == [2.5, 2.5]


# ---- the tilt of a vector, at new samples


MIXED = {
    "numbers": np.random.default_rng(0).normal(size=(80, 1)),
    "names": np.array([list("aabcb") * 16], dtype=object).T,
    "two names": np.array([list("aabcb") * 16, list("uv") * 40], dtype=object).T,
    "name and number": np.array(
        [list("aabcb") * 16, np.random.default_rng(0).normal(size=80)], dtype=object
    ).T,
}


@pytest.mark.parametrize("name", MIXED)
def test_training_samples_have_the_tilt_of_their_cells(name):
    smoothed = prepared(MIXED[name])
    cells = smoothed.cells
    # the position of a cell, smooth in its coordinate
    tilt = np.ones(len(cells)) + cells.groups
    if cells.points.shape[1] == 1:
        tilt = tilt + 0.01 * cells.points[:, 0]
    new = smoothed.training.place(vector(MIXED[name]))
    # the place of a sample in its cell is known up to its width
    np.testing.assert_allclose(
        tilt_at(smoothed, tilt, new),
        tilt[cells.codes],
        atol=0.01 / CELLS_PER_BANDWIDTH,
    )


def test_names_that_were_never_seen_together_have_the_tilt_one():
    smoothed = prepared(MIXED["two names"])
    new = np.array([["a", "u"], ["z", "u"], ["a", "w"]], dtype=object)
    tilt = np.full(len(smoothed.cells), 7.0)
    found = tilt_at(smoothed, tilt, smoothed.training.place(vector(new)))
    assert found.tolist() == [7, 1, 1]


def test_merged_groups_are_found_among_new_samples():
    names = np.array([f"name {i}" for i in range(2500)], dtype=object)
    smoothed = prepared(np.concatenate([names, names[:100]]))
    tilt = np.arange(len(smoothed.cells)) + 2.0
    found = tilt_at(smoothed, tilt, smoothed.training.place(vector(names)))
    np.testing.assert_array_equal(found, tilt[smoothed.cells.codes[:2500]])


def test_cell_tilt_takes_the_cells_of_the_vector():
    smoothed = prepared(MIXED["numbers"])
    tilt = cell_tilt(smoothed, np.arange(len(smoothed.cells)) * 1.0)
    found = tilt.at(smoothed.cells.points, smoothed.cells.groups)
    np.testing.assert_array_equal(found, np.arange(len(smoothed.cells)))


# ---- the ratio on new samples


def brute_force_ratio(weights, target, bandwidth):
    """Return [mean(w log q) - log mean q] / mean(w log w), with q by a loop."""
    w = weights / np.mean(weights)
    q = np.ones(len(w))
    for i in range(len(w)):
        distances = np.sum((target.points - target.points[i]) ** 2, axis=1)
        kernel = np.exp(-distances / (2 * bandwidth**2))
        kernel *= target.groups == target.groups[i]
        kernel[i] = 0
        if kernel.sum() > 1e-10:
            q[i] = max(kernel @ w / kernel.sum(), 1e-8)
    entropy = sum(value * np.log(value) for value in w if value > 0) / len(w)
    gained = np.mean(w * np.log(q)) - np.log(np.mean(q))
    return gained / max(entropy, 1e-9)


@pytest.mark.parametrize("n_coordinates", [0, 1, 2])
@pytest.mark.parametrize("n_groups", [1, 4])
def test_held_out_ratio_is_that_of_a_loop(n_groups, n_coordinates):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(90, n_coordinates))
    groups = rng.integers(0, n_groups, size=90) - (n_groups > 1)  # -1: never seen
    target = new_samples(points, groups)
    signal = points.sum(axis=1) + groups
    weights = np.exp(signal + rng.normal(size=90))
    weights[:5] = 0
    found = held_out_ratio(weights, target, 0.5)
    expected = brute_force_ratio(weights, target, 0.5)
    # one coordinate: up to cells of an eighth of the bandwidth
    tolerance = 5e-3 if n_coordinates == 1 else 1e-9
    assert found == pytest.approx(expected, abs=tolerance)


def test_samples_apart_from_all_others_tell_nothing():
    target = new_samples([0.0, 100.0, 200.0, 300.0])
    assert held_out_ratio(np.array([1.0, 2.0, 3.0, 2.0]), target, 1.0) == 0


def test_others_as_far_as_rounding_reaches_tell_nothing():
    # seven bandwidths: a weight of 2e-11
    target = new_samples([0.0, 7.0, 14.0, 21.0])
    assert held_out_ratio(np.array([1.0, 20.0, 0.1, 7.0]), target, 1.0) == 0


def test_weight_among_samples_without_any_is_held_against_the_tilt():
    target = new_samples(np.empty((8, 0)), [0, 0, 0, 0, 1, 1, 1, 1])
    weights = np.array([6.0, 0, 0, 0, 1, 0, 0, 1])
    found = held_out_ratio(weights, target, 1.0)
    assert found == pytest.approx(brute_force_ratio(weights, target, 1.0))
    assert found < -1


@pytest.mark.parametrize("factor", [2.0**-40, 3.0, 1e12])
def test_scaled_weights_reach_the_same_ratio(factor):
    rng = np.random.default_rng(0)
    weights, target = rng.gamma(1, size=50), new_samples(rng.normal(size=50))
    expected = held_out_ratio(weights, target, 0.7)
    assert held_out_ratio(factor * weights, target, 0.7) == pytest.approx(
        expected, rel=1e-9
    )


def test_constant_weights_reach_nothing():
    target = new_samples(np.random.default_rng(0).normal(size=50))
    for weight in (0.0, 1.0, 7.0):
        assert held_out_ratio(np.full(50, weight), target, 0.7) == pytest.approx(
            0, abs=1e-6
        )


@pytest.mark.parametrize("n_samples", [1, 2])
def test_one_or_two_samples_have_a_finite_ratio(n_samples):
    weights = np.arange(1.0, n_samples + 1)
    target = new_samples(np.arange(float(n_samples)))
    assert np.isfinite(held_out_ratio(weights, target, 1.0))


def test_heavy_weights_on_the_target_reach_at_most_one():
    rng = np.random.default_rng(0)
    y = np.repeat([0.0, 50.0], [950, 50])
    weights = np.where(y > 0, 20.0, 0.0)
    found = held_out_ratio(weights, new_samples(y), 1.0)
    assert found == pytest.approx(1, abs=1e-6)  # y shows the weight of each sample
    shuffled = held_out_ratio(rng.permutation(weights), new_samples(y), 1.0)
    assert shuffled < 0.05


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.7])
def test_many_rounded_vectors_reach_a_ratio_too(scale):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2500, 2)).round() * scale + 0.05
    target = new_samples(points)
    weights = np.exp(points[:, 0] / scale)
    found = held_out_ratio(weights, target, 0.3 * scale)
    expected = brute_force_ratio(weights, target, 0.3 * scale)
    assert found == pytest.approx(expected, abs=1e-9)


# ---- the tilt that is fitted


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_tilt_of_training_samples_as_new_samples_is_that_of_the_maximum(direction):
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = 0.8 * x + 0.6 * rng.normal(size=300)
    measure = FeatureHypercontractivity(direction=direction)
    vectors = [measure.prepare(vector(data)) for data in (x, y)]
    maximum = measure.maximum(*vectors)
    source, data = (vectors[0], x) if direction == "forward" else (vectors[1], y)
    found = tilt_at(source, maximum.tilt, source.training.place(vector(data)))
    expected = maximum.tilt[source.cells.codes]
    # the tilt changes by less than this over a cell of an eighth of the bandwidth
    assert np.max(np.abs(found - expected)) < 0.12 * maximum.tilt.max()
    assert np.corrcoef(found, expected)[0, 1] > 0.999


def test_training_samples_as_new_samples_keep_their_places():
    smoothed = prepared(MIXED["name and number"])
    training = training_vector(vector(MIXED["name and number"]), "standard")
    new = training.place(vector(MIXED["name and number"]))
    variable = smoothed.training.variable
    np.testing.assert_allclose(new.points, variable.points[variable.codes], atol=1e-14)
    np.testing.assert_array_equal(new.groups, variable.groups[variable.codes])
