"""Ascents: divergences, capped tilts, and ratios that never fall."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import rel_entr

from skinfo._core._vectors import read_vector
from skinfo.datasets import make_hidden_correlation
from skinfo.dependence.kernels._ascent import (
    ascend,
    capped_tilts,
    divergence,
    maximise,
    start,
    step,
)
from skinfo.dependence.kernels._channel import Channel, centred_joint, kernel_joint
from skinfo.dependence.kernels._kernel_vector import kernel_vector

SMALL = settings(derandomize=True, deadline=None, max_examples=100)


def exact_ratio(channel, tilt):
    """Return D(r_y || p_y) / D(r_x || p_x) by the formula."""
    p, q = channel.joint.sum(axis=1), channel.joint.sum(axis=0)
    r = p * tilt
    outputs = r @ (channel.joint / p[:, np.newaxis])
    return rel_entr(outputs, q).sum() / rel_entr(r, p).sum()


# ---- divergence


def test_divergence_is_that_of_kullback_and_leibler():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(6))
    tilts = rng.gamma(0.3, size=(6, 50))
    tilts[0, :10] = 0
    tilts /= p @ tilts
    expected = rel_entr(p[:, np.newaxis] * tilts, p[:, np.newaxis]).sum(axis=0)
    np.testing.assert_allclose(divergence(p, tilts), expected, rtol=1e-12)


def test_divergence_of_the_law_itself_and_of_point_masses():
    p = np.array([0.1, 0.4, 0.5])
    tilts = np.column_stack([np.ones(3), *(np.eye(3) / p)])
    expected = [0, np.log(10), np.log(2.5), np.log(2)]
    np.testing.assert_allclose(divergence(p, tilts), expected, rtol=1e-14)


@pytest.mark.parametrize("size", [0.5, 1.1e-2, 9e-3, 1e-3, 1e-4, 2e-5])
def test_divergence_of_small_tilts_does_not_cancel(size):
    tilt = np.array([1 + size, 1 - size])
    with localcontext() as context:
        context.prec = 50
        exact = sum(w * w.ln() for w in map(Decimal, tilt.tolist())) / 2
    found = divergence(np.full(2, 0.5), tilt[:, np.newaxis])[0]
    # the terms are of the order size^2, each rounded by about 1e-16 size
    assert found == pytest.approx(float(exact), rel=1e-15 / size)


# ---- capped tilts


def best_capped_tilt(logs, p, cap):
    """Find t by bisection such that min(c, t e^z) has mean 1."""

    def excess(log_t):
        return p @ np.minimum(cap, np.exp(np.minimum(logs + log_t, 50))) - 1

    if cap * p.sum() <= 1 + 1e-12:
        return np.ones(len(p))
    width = np.ptp(logs) + np.log(cap) + 5
    lowest = -logs.max() - width
    log_t = brentq(excess, lowest, -logs.min() + width, xtol=1e-14, rtol=1e-15)
    return np.minimum(cap, np.exp(np.minimum(logs + log_t, 50)))


@SMALL
@given(
    hnp.arrays(float, st.integers(2, 12), elements=st.floats(-30, 30)),
    st.floats(1.01, 30),
    st.integers(0, 1000),
)
def test_capped_tilts_are_found_by_bisection_too(logs, cap, seed):
    p = np.random.default_rng(seed).dirichlet(np.ones(len(logs)))
    found = capped_tilts(logs[:, np.newaxis], p, cap)[:, 0]
    np.testing.assert_allclose(found, best_capped_tilt(logs, p, cap), atol=1e-9)


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds")  # scipy 1.13
@pytest.mark.parametrize("cap", [1.2, 2.0, 3.5, 1000.0])
def test_capped_tilts_maximise_their_objective(cap):
    rng = np.random.default_rng(0)
    for _ in range(5):
        p, logs = rng.dirichlet(np.ones(5)), 2 * rng.normal(size=5)

        def loss(r, p=p, logs=logs):
            return rel_entr(r, p).sum() - r @ logs

        result = minimize(
            loss,
            p,
            method="SLSQP",
            bounds=[(1e-12, cap * probability) for probability in p],
            constraints={"type": "eq", "fun": lambda r: r.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        found = capped_tilts(logs[:, np.newaxis], p, cap)[:, 0]
        assert p @ found == pytest.approx(1, abs=1e-12)
        assert loss(p * found) <= result.fun + 1e-10
        np.testing.assert_allclose(p * found, result.x, atol=1e-5)


@pytest.mark.parametrize("cap", [1.0, 1.5, 4.4, 20.0, np.inf])
@pytest.mark.parametrize("exponent", [-3, 0, 2, 6, 10, 14])
def test_capped_tilts_have_mean_one_up_to_the_cap(exponent, cap):
    rng = np.random.default_rng(0)
    for n_values in (1, 2, 3, 50, 400):
        p = rng.dirichlet(np.ones(n_values))
        logs = rng.normal(size=(n_values, 20)) * 10.0**exponent
        tilts = capped_tilts(logs, p, cap)
        np.testing.assert_allclose(p @ tilts, 1, atol=1e-12)
        assert tilts.min() >= 0
        assert tilts.max() <= cap * (1 + 1e-12)


def test_every_column_is_capped_by_itself():
    rng = np.random.default_rng(0)
    p, logs = rng.dirichlet(np.ones(8)), rng.normal(size=(8, 6)) * np.logspace(-2, 2, 6)
    together = capped_tilts(logs, p, 2.0)
    for column, tilt in zip(logs.T, together.T, strict=True):
        alone = capped_tilts(column[:, np.newaxis], p, 2.0)[:, 0]
        np.testing.assert_allclose(alone, tilt, rtol=1e-12)


def test_a_constant_in_the_exponent_does_not_count():
    rng = np.random.default_rng(0)
    p, logs = rng.dirichlet(np.ones(8)), rng.normal(size=(8, 3))
    for shift in (-1e4, 700, 1e5):
        np.testing.assert_allclose(
            capped_tilts(logs + shift, p, 3.0), capped_tilts(logs, p, 3.0), rtol=1e-9
        )


def test_equal_inputs_share_what_the_cap_leaves():
    p = np.full(4, 0.25)
    tilts = capped_tilts(np.array([[5.0], [5.0], [0.0], [0.0]]), p, 1.5)
    np.testing.assert_allclose(tilts[:, 0], [1.5, 1.5, 0.5, 0.5], rtol=1e-14)
    full = capped_tilts(np.array([[900.0], [800.0], [0.0], [-800.0]]), p, 2.0)
    np.testing.assert_allclose(full[:, 0], [2, 2, 0, 0], atol=1e-14)


# ---- the walk


def vector(data, discrete=False):
    return read_vector(
        data, name="x", discrete=discrete, discrete_name="x", nan_policy="raise"
    )


def all_samples():
    """Return pairs of samples of which the joint is hard on a solver."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 150))
    side = np.sign(x)
    data = make_hidden_correlation(150, noise=0.03, random_state=0)
    return {
        "normal": (x, 0.6 * x + 0.8 * noise),
        "outliers": (
            np.where(np.arange(150) < 3, 1e6, x),
            np.where(noise > 1.8, 1e6, noise),
        ),
        "duplicates": (x.round(), (x + noise).round()),
        "one duplicated": (np.repeat(x[:15], 10), noise),
        "blocks": (1e3 * side + x, 1e3 * side + noise),
        "near blocks": (8 * side + x, 8 * side + noise),
        "heavy tails": rng.standard_cauchy(size=(2, 150)),
        "hidden": (data.x, data.y),
    }


SAMPLES = all_samples()


def channel_of(name, make_joint):
    x, y = (kernel_vector(vector(data), 1.06).smoothed for data in SAMPLES[name])
    return make_joint(x, y)


def first_tilts(channel, cap, seed=0, n_tilts=6):
    """Return tilts of every size, up to the cap."""
    n_inputs = len(channel.input_pmf)
    logs = np.random.default_rng(seed).normal(size=(n_inputs, n_tilts))
    return capped_tilts(logs * np.logspace(-3, 1, n_tilts), channel.input_pmf, cap)


def assert_never_falls(channel, cap, n_steps=40):
    """Walk: the ratio never falls, and every tilt is one."""
    ascent = start(channel, first_tilts(channel, cap))
    for _ in range(n_steps):
        after = step(channel, ascent, cap)
        assert np.all(after.ratios >= ascent.ratios - 1e-12)
        ascent = after
        np.testing.assert_allclose(channel.input_pmf @ ascent.tilts, 1, atol=1e-12)
        assert ascent.tilts.max() <= cap * (1 + 1e-12)
        assert ascent.tilts.min() >= 0
        np.testing.assert_allclose(
            ascent.outputs, channel.output_tilts(ascent.tilts), rtol=1e-12
        )
        assert ascent.ratios.max() <= 1 + 1e-12
    return ascent


@pytest.mark.parametrize("cap", [1.5, 12.0, np.inf])
@pytest.mark.parametrize("make_joint", [kernel_joint, centred_joint])
@pytest.mark.parametrize("name", SAMPLES)
def test_ratio_never_falls_for_joints_of_samples(name, make_joint, cap):
    assert_never_falls(channel_of(name, make_joint), cap)


@pytest.mark.parametrize("cap", [1.5, 20.0, np.inf])
@pytest.mark.parametrize("concentration", [0.1, 1, 10])
def test_ratio_never_falls_for_random_channels(concentration, cap):
    rng = np.random.default_rng(0)
    for _ in range(10):
        n_x, n_y = rng.integers(2, 9, size=2)
        joint = rng.dirichlet(np.full(n_x * n_y, concentration)).reshape(n_x, n_y)
        joint = np.maximum(joint, 1e-12)
        assert_never_falls(Channel(joint / joint.sum()), cap, n_steps=15)


def test_ratio_never_falls_where_it_is_tiny():
    rng = np.random.default_rng(0)
    product = np.outer(rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4)))
    for size in (0, 1e-14, 1e-9, 1e-6, 1e-3):
        joint = product * (1 + size * rng.normal(size=(5, 4)))
        assert_never_falls(Channel(joint / joint.sum()), 2.0)


def plain_step(channel, tilt, cap):
    """Maximise the linearised divergence by the formulas."""
    p = channel.input_pmf
    ratio = exact_ratio(channel, tilt)
    pull = channel.conditional() @ np.log(channel.output_tilts(tilt[:, np.newaxis]))
    return best_capped_tilt(pull[:, 0] / ratio, p, cap)


@pytest.mark.parametrize("name", ["normal", "outliers", "near blocks"])
@pytest.mark.parametrize("cap", [2.0, 12.0])
def test_a_step_is_no_worse_than_two_of_the_formula(name, cap):
    channel = channel_of(name, kernel_joint)
    tilts = first_tilts(channel, cap)[:, 2:]  # the first hardly differ from 1
    after = step(channel, start(channel, tilts), cap)
    for tilt, ratio in zip(tilts.T, after.ratios, strict=True):
        once = plain_step(channel, tilt, cap)
        assert exact_ratio(channel, once) >= exact_ratio(channel, tilt) - 1e-12
        twice = plain_step(channel, once, cap)
        assert ratio >= exact_ratio(channel, twice) - 1e-9


def test_start_and_step_know_the_ratio_of_their_tilts():
    channel = channel_of("hidden", kernel_joint)
    ascent = start(channel, first_tilts(channel, 12.0)[:, 1:])
    for _ in range(3):
        expected = [exact_ratio(channel, tilt) for tilt in ascent.tilts.T]
        np.testing.assert_allclose(ascent.ratios, expected, rtol=1e-6)
        ascent = step(channel, ascent, 12.0)


def test_an_ascent_ends_where_no_step_gains():
    channel = channel_of("normal", kernel_joint)
    ascent = start(channel, first_tilts(channel, 12.0))
    ends = ascend(channel, ascent, cap=12.0, tol=1e-9)
    assert np.all(ends.ratios >= ascent.ratios)
    best = ends.ratios.argmax()
    after = step(channel, ends, 12.0)
    assert after.ratios[best] <= ends.ratios[best] * (1 + 2e-9)


def test_tilts_climb_as_well_together_as_alone():
    channel = channel_of("normal", kernel_joint)
    tilts = first_tilts(channel, 12.0)
    together = ascend(channel, start(channel, tilts), cap=12.0, tol=1e-8)
    alone = [
        ascend(channel, start(channel, tilt[:, np.newaxis]), cap=12.0, tol=1e-8)
        for tilt in tilts.T
    ]
    best = max(end.ratios[0] for end in alone)
    assert together.ratios.max() == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", [2, 18, 35, 38])
def test_a_tilt_that_starts_behind_may_overtake_the_others(seed):
    """Without a horizon, the value of these channels is 2e-4 to 8e-2 lower."""
    rng = np.random.default_rng(seed)
    joint = np.maximum(rng.dirichlet(np.full(40, 0.1)).reshape(5, 8), 1e-9)
    channel = Channel(joint / joint.sum())
    tilts = first_tilts(channel, np.inf, seed=seed)
    together = ascend(channel, start(channel, tilts), cap=np.inf, tol=1e-9)
    alone = [
        ascend(channel, start(channel, tilt[:, np.newaxis]), cap=np.inf, tol=1e-9)
        for tilt in tilts.T
    ]
    best = max(end.ratios[0] for end in alone)
    assert together.ratios.max() == pytest.approx(best, rel=1e-6)


def test_a_step_does_not_see_a_constant_in_the_exponents():
    channel = channel_of("normal", kernel_joint)
    ascent = start(channel, first_tilts(channel, 12.0))
    shifts = np.linspace(-100, 100, ascent.exponents.shape[1])
    shifted = replace(ascent, exponents=ascent.exponents + shifts)
    ratios = step(channel, ascent, 12.0).ratios
    np.testing.assert_allclose(step(channel, shifted, 12.0).ratios, ratios, rtol=1e-9)


# ---- the maximum


def brute_force_maximum(channel, cap, n_starts, seed=0):
    """Climb from many random tilts and from every input by small steps of SLSQP."""
    p = channel.input_pmf
    conditional = channel.conditional()
    q = channel.output_pmf

    def loss(r):
        r = np.maximum(r, 0)
        below = rel_entr(r, p).sum()
        return -rel_entr(r @ conditional, q).sum() / max(below, 1e-6)

    rng = np.random.default_rng(seed)
    logs = 3 * rng.normal(size=(len(p), n_starts))
    starts = p[:, np.newaxis] * capped_tilts(logs, p, cap)
    results = [
        minimize(
            loss,
            r,
            method="SLSQP",
            bounds=[(1e-10, min(1.0, cap * probability)) for probability in p],
            constraints={"type": "eq", "fun": lambda r: r.sum() - 1},
            options={"ftol": 1e-12, "maxiter": 300},
        )
        for r in starts.T
    ]
    feasible = [r.x for r in results if abs(r.x.sum() - 1) < 1e-9]
    return max(-loss(r) for r in feasible)


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds")  # scipy 1.13
@pytest.mark.parametrize("cap", [1.5, 3.0, np.inf])
def test_maximum_is_not_below_that_of_a_general_solver(cap):
    rng = np.random.default_rng(0)
    for _ in range(6):
        n_x, n_y = rng.integers(2, 5, size=2)
        joint = rng.dirichlet(np.ones(n_x * n_y)).reshape(n_x, n_y) + 1e-3
        channel = Channel(joint / joint.sum())
        found = maximise(channel, cap=cap, tol=1e-10, n_vertices=50, slack=1e-6)
        # SLSQP holds its bounds and its sum up to 1e-9
        assert found.value >= brute_force_maximum(channel, cap, 8) - 1e-6


@pytest.mark.parametrize("seed", [0, 1, 1048])  # 1048: the best input leads too low
def test_maximum_is_not_below_an_ascent_from_any_single_input(seed):
    rng = np.random.default_rng(seed)
    n_x, n_y = rng.integers(3, 7, size=2)
    joint = rng.dirichlet(np.full(n_x * n_y, 0.3)).reshape(n_x, n_y) + 1e-4
    channel = Channel(joint / joint.sum())
    inputs = capped_tilts(50 * np.eye(n_x), channel.input_pmf, np.inf)
    ends = ascend(channel, start(channel, inputs), cap=np.inf, tol=1e-10)
    found = maximise(channel, cap=np.inf, tol=1e-10, n_vertices=n_x, slack=1e-6)
    assert found.value >= ends.ratios.max() - 1e-9


@pytest.mark.parametrize("make_joint", [kernel_joint, centred_joint])
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("cap", [1.2, 12.0, np.inf])
def test_the_tilt_of_the_maximum_reaches_it_under_the_cap(name, cap, make_joint):
    channel = channel_of(name, make_joint)
    found = maximise(channel, cap=cap, tol=1e-6, n_vertices=3, slack=0.01)
    assert 0 <= found.lower_bound <= found.value <= 1
    assert channel.input_pmf @ found.tilt == pytest.approx(1, abs=1e-12)
    assert found.tilt.max() <= cap * (1 + 1e-12)
    reached = exact_ratio(channel, found.tilt)
    assert found.value * 0.99 - 1e-6 <= reached <= found.value + 1e-6  # up to slack
    np.testing.assert_allclose(
        found.output_tilt, channel.output_tilts(found.tilt[:, np.newaxis])[:, 0]
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_looser_cap_never_lowers_the_maximum(name):
    channel = channel_of(name, kernel_joint)
    values = [
        maximise(channel, cap=cap, tol=1e-8, n_vertices=3, slack=0.01).value
        for cap in (1.2, 2.0, 5.0, 12.0, np.inf)
    ]
    # tol is the gain of a last step, not the distance to the top
    assert np.all(np.diff(values) >= -1e-5)


@pytest.mark.parametrize("cap", [1.2, 20.0, np.inf])
def test_independent_variables_have_no_tilt(cap):
    rng = np.random.default_rng(0)
    for sizes in ((2, 2), (3, 4), (6, 5)):
        pmfs = [rng.dirichlet(np.ones(size)) for size in sizes]
        channel = Channel(np.outer(*pmfs))
        found = maximise(channel, cap=cap, tol=1e-6, n_vertices=3, slack=0.01)
        assert found.value == pytest.approx(0, abs=1e-12)
        assert channel.input_pmf @ found.tilt == pytest.approx(1, abs=1e-12)
        assert channel.output_pmf @ found.output_tilt == pytest.approx(1, abs=1e-12)
        assert found.tilt.min() >= 0
        assert found.tilt.max() <= cap * (1 + 1e-12)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1)])
def test_a_constant_has_the_value_zero_and_the_tilt_one(shape):
    channel = Channel(np.full(shape, 0.25))
    found = maximise(channel, cap=20.0, tol=1e-6, n_vertices=3, slack=0.01)
    assert (found.value, found.lower_bound) == (0, 0)
    assert found.tilt.tolist() == [1] * shape[0]
    assert found.output_tilt.tolist() == [1] * shape[1]


@pytest.mark.parametrize("slack", [1e-6, 1e-2])
def test_the_tilt_is_as_large_as_the_slack_allows(slack):
    channel = Channel(np.array([[0.45, 0.05], [0.05, 0.45]]))
    found = maximise(channel, cap=np.inf, tol=1e-10, n_vertices=9, slack=slack)
    assert found.value == pytest.approx(0.64, abs=1e-12)  # the limit of small tilts
    assert exact_ratio(channel, found.tilt) >= 0.64 * (1 - 1.01 * slack)
    twice = 1 + 2 * (found.tilt - 1)
    assert exact_ratio(channel, twice) < 0.64 * (1 - slack)


def test_of_tilts_that_reach_the_value_the_largest_is_given():
    # whatever the tilt of the rest, y is a function of x
    channel = Channel(np.diag([0.05, 0.35, 0.6]))
    found = maximise(channel, cap=np.inf, tol=1e-10, n_vertices=9, slack=1e-6)
    assert found.value == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(found.tilt, [20, 0, 0], atol=1e-3)
