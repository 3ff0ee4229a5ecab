"""The measure: bandwidths, caps, directions, witnesses and permutations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from skinfo._core._vectors import read_vector
from skinfo.dependence.kernels._ascent import capped_tilts, maximise, start, step
from skinfo.dependence.kernels._cells import Cells
from skinfo.dependence.kernels._channel import centred_joint, kernel_joint, smooth_cells
from skinfo.dependence.kernels._kernel_vector import kernel_vector
from skinfo.dependence.measures._hypercontractivity import FeatureHypercontractivity

OPTIONS = {
    "bandwidth_factor": 1.06,
    "min_fraction": 0.05,
    "method": "kde",
    "direction": "forward",
}


def measure_with(**options):
    return FeatureHypercontractivity(**OPTIONS | options)


def vector(data, discrete=False):
    return read_vector(
        data, name="x", discrete=discrete, discrete_name="x", nan_policy="raise"
    )


def pair(n=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, 0.7 * x + 0.7 * rng.normal(size=n)


def prepared_pair(measure, n=300, seed=0):
    return [measure.prepare(vector(data)) for data in pair(n, seed)]


# ---- bandwidths


def coordinates(data, factor=1.06, discrete=False, **options):
    """Return the samples in bandwidths, each at the mean of its cell."""
    prepared = kernel_vector(vector(data, discrete), factor, **options)
    return prepared.cells.points[prepared.cells.codes]


@pytest.mark.parametrize("factor", [0.5, 1.06, 3.0])
@pytest.mark.parametrize("d", [2, 3])
def test_bandwidth_of_each_column_is_that_of_its_deviation(d, factor):
    X = np.random.default_rng(0).normal(size=(100, d)) * [1, 1e-6, 1e6][:d] + 7
    expected = (X - X.min(axis=0)) / (factor * X.std(axis=0) * 100 ** (-1 / (d + 4)))
    np.testing.assert_allclose(coordinates(X, factor), expected, rtol=1e-6)


def test_bandwidth_of_one_column_is_that_of_its_deviation():
    x = 5 * np.random.default_rng(0).normal(size=100) + 7
    expected = (x - x.min()) / (1.06 * x.std() * 100**-0.2)
    # samples are at the mean of their cell
    np.testing.assert_allclose(coordinates(x)[:, 0], expected, atol=1 / 8)
    assert np.mean(coordinates(x)[:, 0] == pytest.approx(expected)) < 1


def test_pooled_bandwidth_is_that_of_all_entries():
    X = np.random.default_rng(0).normal(size=(100, 2)) * [1, 10] + [0, 5]
    expected = (X - X.min(axis=0)) / (1.06 * X.std() * 100 ** (-1 / 6))
    found = coordinates(X, pooled=True)
    np.testing.assert_allclose(found - found.min(axis=0), expected, rtol=1e-9)


def test_nominal_columns_do_not_count_for_the_bandwidth():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 3, size=100) * 100, rng.normal(size=100)])
    expected = coordinates(X[:, 1])[:, 0]
    for pooled in (False, True):
        found = coordinates(X, discrete=[True, False], pooled=pooled)[:, 0]
        alone = coordinates(X[:, 1], pooled=pooled)[:, 0]
        # cells hold the samples of one group alone
        np.testing.assert_allclose(found, alone, atol=1 / 8)
    assert np.corrcoef(found, expected)[0, 1] > 0.999


@pytest.mark.parametrize("pooled", [False, True])
def test_constant_columns_are_one_cell(pooled):
    prepared = kernel_vector(vector(np.full(30, 4.5)), 1.06, pooled=pooled)
    assert len(prepared.cells) == 1
    assert np.isfinite(prepared.bandwidth)
    both = kernel_vector(vector(np.full((30, 2), 4.5)), 1.06, pooled=pooled)
    assert len(both.cells) == 1


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-600, 2.0**600, 2.0**1000])
def test_cells_do_not_depend_on_the_scale_of_a_column(scale, pooled):
    x = np.random.default_rng(0).normal(size=100)
    expected = kernel_vector(vector(x), 1.06, pooled=pooled).cells
    found = kernel_vector(vector(scale * x), 1.06, pooled=pooled).cells
    np.testing.assert_array_equal(found.codes, expected.codes)


def test_codes_lead_from_samples_to_cells():
    x = np.random.default_rng(0).normal(size=200).round(1)
    cells = kernel_vector(vector(x), 1.06).cells
    assert cells.n_samples == 200
    np.testing.assert_array_equal(np.bincount(cells.codes), cells.counts)
    order = np.argsort(cells.points[cells.codes, 0], kind="stable")
    assert np.all(np.diff(x[order]) > -1 / 8)


# ---- what is nominal, and options


@pytest.mark.parametrize(
    ("data", "by_kde", "by_paper"),
    [
        ([0, 1] * 10, True, False),
        ([0.0, 1.0] * 10, True, False),
        ([0.5, 1.5] * 10, False, False),
        (list(range(20)), False, False),
        (["a", "b"] * 10, True, True),
        ([True, False] * 10, True, True),
    ],
)
def test_integers_of_few_values_are_nominal_but_not_for_the_paper(
    data, by_kde, by_paper
):
    (column,) = vector(data, "auto").columns
    assert measure_with().is_nominal(column) is by_kde
    assert measure_with(method="paper").is_nominal(column) is by_paper


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bandwidth_factor": 0}, ValueError, "bandwidth_factor=0 must be positive"),
        ({"bandwidth_factor": -1.0}, ValueError, "bandwidth_factor=-1.0 must be pos"),
        ({"bandwidth_factor": math.inf}, ValueError, "must be positive and finite"),
        ({"bandwidth_factor": math.nan}, ValueError, "must be positive and finite"),
        ({"bandwidth_factor": "1"}, TypeError, "bandwidth_factor='1' must be a number"),
        ({"bandwidth_factor": True}, TypeError, "bandwidth_factor=True must be a numb"),
        (
            {"min_fraction": 0},
            ValueError,
            r"min_fraction=0 must lie in \(0, 1\]\. Pass",
        ),
        ({"min_fraction": 1.01}, ValueError, "min_fraction=1.01 must lie in"),
        ({"min_fraction": -0.1}, ValueError, "min_fraction=-0.1 must lie in"),
        ({"min_fraction": math.nan}, ValueError, "min_fraction=nan must lie in"),
        (
            {"min_fraction": "5%"},
            TypeError,
            "min_fraction='5%' must be a number, .* or None",
        ),
        (
            {"min_fraction": False},
            TypeError,
            "min_fraction=False must be a number, .* or None",
        ),
        ({"method": "mle"}, ValueError, "method='mle' .* one of: 'kde', 'paper'"),
        ({"direction": "both"}, ValueError, "direction='both' .*'forward', 'backward'"),
    ],
    ids=str,
)
def test_bad_options_are_named_with_their_remedy(options, error, message):
    with pytest.raises(error, match=message):
        measure_with(**options).check_options()


@pytest.mark.parametrize(
    "options",
    [
        {"min_fraction": None},
        {"min_fraction": 1},
        {"min_fraction": np.float32(0.25)},
        {"min_fraction": 1e-300},
        {"bandwidth_factor": 2},
        {"bandwidth_factor": np.float64(0.1)},
        {"method": "paper", "direction": "backward"},
    ],
    ids=str,
)
def test_good_options_pass(options):
    measure_with(**options).check_options()


def test_five_samples_are_enough():
    measure_with().check_samples(5)
    with pytest.raises(ValueError, match=r"n_samples=4 must be at least 5 .*Pass more"):
        measure_with().check_samples(4)
    assert measure_with().minimum_samples == 5


# ---- the cap


def isolated(n=400):
    """Return samples of which one, far off, would carry the dependence alone."""
    x, y = np.random.default_rng(0).normal(size=(2, n))
    x[0] = y[0] = 30
    return x, y


@pytest.mark.parametrize(
    ("options", "cap"),
    [
        ({}, 20),  # sqrt(400) and 1 / .05 alike
        ({"min_fraction": 0.1}, 10),
        ({"min_fraction": 0.25}, 4),
        ({"min_fraction": 0.001}, 20),  # the root of n is smaller
        ({"min_fraction": 0.5, "method": "paper"}, 20),
        ({"min_fraction": None, "method": "paper"}, 20),
    ],
    ids=str,
)
def test_the_tilt_of_an_isolated_sample_is_at_the_cap(options, cap):
    measure = measure_with(**options)
    x, y = (measure.prepare(vector(data)) for data in isolated())
    tilt = measure.maximum(x, y).tilt[x.cells.codes]
    # both marginals of the authors' joint are uniform up to what is cut
    assert tilt[0] == pytest.approx(cap, rel=0.05)
    assert tilt.max() <= cap * 1.05
    if options.get("method") != "paper":
        assert tilt[0] == pytest.approx(cap, rel=1e-9)


def test_without_a_cap_one_sample_can_have_almost_all_the_mass():
    measure = measure_with(min_fraction=None)
    x, y = (measure.prepare(vector(data)) for data in isolated())
    assert measure.maximum(x, y).tilt[x.cells.codes][0] > 100


@pytest.mark.parametrize("min_fraction", [1.0, 0.9, 0.75, 0.5, 0.05])
def test_tilts_never_exceed_the_cap(min_fraction):
    measure = measure_with(min_fraction=min_fraction)
    for seed in range(5):
        x, y = prepared_pair(measure, seed=seed)
        assert measure.maximum(x, y).tilt.max() <= (1 + 1e-12) / min_fraction


# ---- directions and methods


@pytest.mark.parametrize("method", ["kde", "paper"])
def test_backward_is_forward_of_the_swapped_pair(method):
    forward = measure_with(method=method)
    backward = measure_with(method=method, direction="backward")
    x, y = prepared_pair(forward)
    found, expected = backward.score(x, y), forward.score(y, x)
    assert found.value == pytest.approx(expected.value, rel=1e-6)
    assert found.lower_bound == pytest.approx(expected.lower_bound, rel=1e-9)
    assert found.value_without_witness == pytest.approx(
        expected.value_without_witness, rel=1e-5
    )
    assert found.effective_sample_size == pytest.approx(
        expected.effective_sample_size, rel=1e-2
    )
    # what the tilt of y makes of x
    maximum = forward.maximum(y, x)
    np.testing.assert_allclose(found.tilt.tilt.tilt, maximum.output_tilt, rtol=1e-2)
    assert forward.score(x, y).value != pytest.approx(found.value, rel=1e-3)


@pytest.mark.parametrize("method", ["kde", "paper"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_channel_is_the_joint_of_the_method(method, direction):
    measure = measure_with(method=method, direction=direction)
    x, y = prepared_pair(measure)
    make_joint = kernel_joint if method == "kde" else centred_joint
    joint = make_joint(x.smoothed, y.smoothed).joint
    expected = joint if direction == "forward" else joint.T
    np.testing.assert_allclose(measure.channel(x, y).joint, expected, atol=1e-18)
    maximum = maximise(
        measure.channel(x, y), cap=300**0.5, tol=1e-6, n_vertices=9, slack=0.01
    )
    found = measure.maximum(x, y)
    assert found.value == pytest.approx(maximum.value, rel=1e-5)
    assert found.lower_bound == pytest.approx(maximum.lower_bound, rel=1e-9)


# ---- what carries the value


@pytest.mark.parametrize("method", ["kde", "paper"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_value_without_the_witness_is_that_of_the_other_samples(direction, method):
    measure = measure_with(method=method, direction=direction)
    data = isolated(200)
    x, y = (measure.prepare(vector(values)) for values in data)
    result = measure.score(x, y)
    maximum = measure.maximum(x, y)
    source = x if direction == "forward" else y
    assert maximum.tilt[source.cells.codes].argmax() == 0

    others = []
    for part in (x, y):  # the others at the places of their cells
        points = part.cells.points[part.cells.codes][1:]
        values, codes, counts = np.unique(
            points, axis=0, return_inverse=True, return_counts=True
        )
        groups = np.zeros(len(values), dtype=np.int64)
        others.append(smooth_cells(Cells(codes.ravel(), counts, groups, values)))
    make_joint = kernel_joint if method == "kde" else centred_joint
    channel = make_joint(*(others if direction == "forward" else others[::-1]))
    expected = maximise(channel, cap=199**0.5, tol=1e-6, n_vertices=9, slack=0.01).value
    assert result.value_without_witness == pytest.approx(expected, rel=1e-5)
    assert result.value_without_witness < 0.5 * result.value


def test_of_equal_tilts_the_witness_is_the_sample_with_the_largest_image():
    x = np.array(["a"] * 6 + ["b"] * 54)
    y = np.array(list("vuuuuu") + ["u"] * 5 + ["v"] * 49)
    measure = measure_with(min_fraction=None)

    def prepare(*data):
        return [measure.prepare(vector(part, "auto")) for part in data]

    result, maximum = measure.score(*prepare(x, y)), measure.maximum(*prepare(x, y))
    assert maximum.tilt[0] > 5  # of "a", which the samples begin with
    without = {
        name: measure.maximum(*prepare(np.delete(x, i), np.delete(y, i))).value
        for name, i in (("v", 0), ("u", 1))
    }
    assert without["u"] != pytest.approx(without["v"], rel=0.05)
    assert result.value_without_witness == pytest.approx(without["u"], rel=1e-5)


def test_effective_sample_size_counts_the_samples_that_carry():
    measure = measure_with(min_fraction=None)
    x, y = (
        np.array(list(names)) for names in ("a" * 12 + "b" * 38, "u" * 12 + "v" * 38)
    )
    vectors = [measure.prepare(vector(data, "auto")) for data in (x, y)]
    result = measure.score(*vectors)
    assert result.value == pytest.approx(1, abs=1e-9)
    tilt = measure.maximum(*vectors).tilt[vectors[0].cells.codes]
    expected = tilt.sum() ** 2 / (tilt**2).sum()
    assert result.effective_sample_size == pytest.approx(expected, rel=1e-9)
    assert 12 - 1e-9 <= result.effective_sample_size <= 50


def test_effective_sample_size_is_at_least_the_fraction_of_the_samples():
    for min_fraction in (0.05, 0.2, 0.5):
        measure = measure_with(min_fraction=min_fraction)
        x, y = (measure.prepare(vector(data)) for data in isolated())
        size = measure.score(x, y).effective_sample_size
        assert 400 * min_fraction * (1 - 1e-9) <= size <= 400


# ---- the solver, on joints of samples


def climb_from_many(channel, cap, rng):
    """Return the largest ratio that is reached from random tilts and all inputs."""
    n_inputs = len(channel.input_pmf)
    logs = rng.normal(size=(n_inputs, 30)) * rng.choice([0.3, 2, 6], size=30)
    logs = np.column_stack([logs, 50 * np.eye(n_inputs)])
    ascent = start(channel, capped_tilts(logs, channel.input_pmf, cap))
    for _ in range(100):
        ascent = step(channel, ascent, cap)
    return ascent.ratios.max()


def draws(kind, rng, n=120):
    x, y = rng.normal(size=(2, n))
    if kind == "quadratic":
        return x, x**2 + y
    if kind == "lognormal":
        return np.exp(x), np.exp(y)
    if kind == "cauchy":
        return rng.standard_cauchy(size=(2, n))
    if kind == "blocks":
        return x + 5 * (x > 0), y + 5 * (x > 0)
    return x, y


@pytest.mark.parametrize(
    "kind", ["normal", "quadratic", "lognormal", "cauchy", "blocks"]
)
@pytest.mark.parametrize(
    "method", ["kde", pytest.param("paper", marks=pytest.mark.slow)]
)
def test_maximum_of_samples_is_not_below_that_of_many_starts(kind, method):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        measure = measure_with(method=method, min_fraction=0.05 if seed % 2 else None)
        pair = [measure.prepare(vector(data)) for data in draws(kind, rng)]
        cap = 120**0.5 if seed % 2 or method == "paper" else np.inf
        best = climb_from_many(measure.channel(*pair), cap, rng)
        assert measure.maximum(*pair).value >= best - 1e-3


@pytest.mark.parametrize(
    "kind", ["normal", "quadratic", "lognormal", "cauchy", "blocks"]
)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_tilt_loses_at_most_a_hundredth_of_the_value(kind, direction):
    for seed in range(8):
        measure = measure_with(direction=direction)
        data = draws(kind, np.random.default_rng(seed))
        pair = [measure.prepare(vector(part)) for part in data]
        found = measure.maximum(*pair)
        reached = start(measure.channel(*pair), found.tilt[:, np.newaxis]).ratios[0]
        assert 0.99 * found.value <= reached <= found.value * (1 + 1e-9)


# ---- permutations


@pytest.mark.parametrize("method", ["kde", "paper"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("kind", ["numbers", "vectors", "nominal"])
def test_permuted_values_are_those_of_permuted_samples(kind, direction, method):
    measure = measure_with(method=method, direction=direction)
    x, y = pair(120)
    if kind == "vectors":
        y = np.column_stack([y, y**2 + x])
    if kind == "nominal":
        y = pd.cut(y, 4, labels=list("abcd")).astype(object)
    rng = np.random.default_rng(0)
    orders = [None, *(rng.permutation(120) for _ in range(3))]
    read_x, read_y = vector(x), vector(y, kind == "nominal")
    found = measure.values(measure.prepare(read_x), measure.prepare(read_y), orders)
    for value, order in zip(found, orders, strict=True):
        moved = y if order is None else np.asarray(y)[order]
        alone = measure.prepare(vector(moved, kind == "nominal"))
        expected = measure.maximum(measure.prepare(read_x), alone).value
        # the categories are numbered as they come
        assert float(value) == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert found[0].value == float(found[0])
