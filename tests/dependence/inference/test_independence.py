"""Independence tests: null distributions by hand, validity, input, errors."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from skinfo import (
    conditional_mutual_information,
    hypercontractivity,
    independence_test,
    maximal_correlation,
    mutual_information,
)
from skinfo._core._permutation import draw_seeds
from skinfo._core._vectors import read_vector
from skinfo.dependence.inference import _independence
from skinfo.dependence.inference._local_permutation import local_permutation
from skinfo.dependence.measures._mutual_information import (
    MutualInformation,
    varying_columns,
)
from skinfo.dependence.variables._variable import make_variable


def fork(n_samples=100, seed=0, correlation=0.0):
    """Return normals x <- z -> y; the noises of x and y correlate."""
    rng = np.random.default_rng(seed)
    z, noise_x, noise = rng.normal(size=(3, n_samples))
    noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
    return z + noise_x, z + noise_y, z


def covariance(x, y):
    return np.mean((x - x.mean()) * (y - y.mean()))


def first_of_y(_, y):
    """Return y[0], whose null distribution is uniform on the values of y."""
    return y[0]


def orders_of(random_state, n_permutations, n_samples):
    """Return the permutations of y, as a measure sees them."""
    orders = []

    def record(_, y):
        orders.append(y.copy())
        return 0.0

    positions = np.arange(n_samples)
    options = {"n_permutations": n_permutations, "random_state": random_state}
    independence_test(positions, positions, measure=record, **options)
    return orders[1:]


def read(data):
    return read_vector(
        data, name="z", discrete="auto", discrete_name="z_discrete", nan_policy="raise"
    )


def triple_of(x, y, z, scale):
    """Return the coordinates of x, y and z, as the estimate uses them."""
    triple = MutualInformation(5, scale).triple(*map(read, (x, y, z)))
    return [
        variable.points[variable.codes, 0]
        for variable in (triple.x, triple.y, triple.z.variable)
    ]


# statistic and null distribution, by hand


@pytest.mark.parametrize(
    ("measure", "function", "params"),
    [
        ("mutual_information", mutual_information, {}),
        ("mutual_information", mutual_information, {"n_neighbors": 8, "scale": None}),
        ("mutual_information", mutual_information, {"ties": "gao"}),
        ("mutual_information", mutual_information, {"x_discrete": True}),
        ("hypercontractivity", hypercontractivity, {}),
        ("hypercontractivity", hypercontractivity, {"min_fraction": 0.2}),
        ("hypercontractivity", hypercontractivity, {"method": "paper"}),
        ("maximal_correlation", maximal_correlation, {"bandwidth_factor": 2.0}),
        (covariance, covariance, {}),
    ],
)
def test_statistic_and_null_are_those_of_the_measure(measure, function, params):
    x, y, _ = np.round(fork(60), 1)
    result = independence_test(
        x, y, measure=measure, measure_params=params, n_permutations=3, random_state=5
    )
    assert result.statistic == function(x, y, **params)
    null = [function(x, y[order], **params) for order in orders_of(5, 3, 60)]
    np.testing.assert_allclose(result.null_distribution, null, rtol=0, atol=1e-12)


@pytest.mark.parametrize("params", [{}, {"n_neighbors": 8}, {"z_discrete": True}])
def test_statistic_given_z_is_conditional_mutual_information(params):
    x, y, z = np.round(fork(), 1)
    result = independence_test(x, y, z, measure_params=params, n_permutations=1)
    assert result.statistic == conditional_mutual_information(x, y, z, **params)


@pytest.mark.parametrize("scale", ["rank", None])
@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("follower", ["x", "y"])
def test_null_given_z_is_that_of_local_permutations(scale, decimals, follower):
    noisy, _, z = fork(150)
    close = z + 0.01 * fork(150, seed=1)[0]  # follows z, so that it is not permuted
    pair = (close, noisy) if follower == "x" else (noisy, close)
    x, y, z = (np.round(part, decimals) for part in (*pair, z))
    # the normal scores are permuted, not the data
    scores = triple_of(x, y, z, scale)
    permutation = local_permutation(make_variable(varying_columns(read(z), "rank")))
    result = independence_test(
        x, y, z, measure_params={"scale": scale}, n_permutations=3, random_state=5
    )
    permuted = 0 if follower == "y" and decimals > 0 else 1
    for seed, value in zip(draw_seeds(5, 3), result.null_distribution, strict=True):
        taken = scores.copy()
        taken[permuted] = scores[permuted][permutation.order(seed)]
        expected = conditional_mutual_information(*taken, scale=None)
        assert value == pytest.approx(expected, rel=0, abs=1e-12)


def test_pvalue_counts_the_null_values_that_reach_the_statistic():
    x, y, _ = fork(correlation=0.3)
    result = independence_test(x, y, n_permutations=99, random_state=0)
    reached = np.sum(result.null_distribution >= result.statistic)
    assert result.pvalue == (1 + reached) / 100
    statistic, pvalue = result
    assert (statistic, pvalue) == (result.statistic, result.pvalue)


def test_pvalue_is_small_where_y_depends_on_x():
    x, y, z = fork(200, correlation=0.9)
    options = {"n_permutations": 99, "random_state": 0}
    assert independence_test(x, y, **options).pvalue == 0.01
    assert independence_test(x, y, z, **options).pvalue == 0.01


@pytest.mark.parametrize("kind", ["normal", "strings"])
def test_common_cause_is_seen_only_without_it(kind):
    options = {"n_permutations": 99, "stop_early": True, "random_state": 0}
    pvalues = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=200) if kind == "normal" else rng.integers(3, size=200)
        x, y = 2 * z + rng.normal(size=(2, 200))
        given = z if kind == "normal" else np.array(["a", "b", "c"])[z]
        assert independence_test(x, y, **options).pvalue == 0.01
        pvalues.append(independence_test(x, y, given, **options).pvalue)
    # under independence, more than 2 of 6 tests reject once in 450 times
    assert np.sum(np.array(pvalues) <= 0.05) <= 2


def test_constants_are_independent_of_everything():
    x, y, z = fork()
    for pair in ((np.zeros(100), y), (x, np.zeros(100))):
        assert independence_test(*pair, n_permutations=9).pvalue == 1
        assert independence_test(*pair, z, n_permutations=9).pvalue == 1


def celsius(n_samples=200, seed=0):
    """Return an independent variable, and temperatures in Fahrenheit and Celsius."""
    rng = np.random.default_rng(seed)
    temperature = 15 + 8 * rng.normal(size=n_samples)
    return rng.normal(size=n_samples), 1.8 * temperature + 32, temperature


FUNCTIONS_OF_Z = {
    "exact": lambda x, y, z: (x, y, z),
    "curved": lambda x, _, z: (x + z, np.exp(z / 8), z),
    "with noise": lambda x, y, z: (x, y + 1e-3 * fork(len(z))[0], z),
    "rounded": lambda x, y, z: (x, y.round(1), z.round(1)),
    "binary x": lambda x, y, z: ((x > 0).astype(str), y, z),
    "y of two columns": lambda x, y, z: (x, np.column_stack([y, z**2]), z),
    "one column of z": lambda x, y, z: (x, y, np.column_stack([z, fork(len(z))[0]])),
}


@pytest.mark.parametrize("kind", FUNCTIONS_OF_Z)
def test_function_of_z_is_independent_in_any_order(kind):
    pvalues = []
    for seed in range(3):
        x, y, z = FUNCTIONS_OF_Z[kind](*celsius(120, seed))
        options = {"n_permutations": 19, "random_state": seed}
        result = independence_test(x, y, z, **options)
        assert independence_test(y, x, z, **options).pvalue == result.pvalue
        pvalues.append(result.pvalue)
    # under independence, more than one of 3 tests rejects once in 140 times
    assert np.sum(np.array(pvalues) <= 0.05) <= 1


def test_function_of_z_leaves_nothing_to_test():
    x, y, z = celsius()
    result = independence_test(x, y, z, n_permutations=19, random_state=0)
    assert tuple(result) == (0, 1)
    np.testing.assert_array_equal(result.null_distribution, 0)


@pytest.mark.parametrize("noise", [0, 1e-3])
def test_two_that_are_nearly_functions_of_z_are_never_called_dependent(noise):
    z, *noises = np.random.default_rng(0).normal(size=(3, 200))
    x, y = z**2 + noise * noises[0], np.sin(2 * z) + noise * noises[1]
    result = independence_test(x, y, z, n_permutations=9, random_state=0)
    assert result.pvalue == 1
    np.testing.assert_array_equal(result.null_distribution, result.statistic)


def test_two_that_are_nearly_functions_of_z_are_tested_where_samples_share_it():
    rng = np.random.default_rng(0)
    z, side = rng.normal(size=60).repeat(4), rng.choice([-1, 1], size=240)
    other = rng.permuted(side.reshape(60, 4), axis=1).ravel()
    x, y, independent = (
        function + 1e-4 * sides
        for function, sides in ((z, side), (z**2, side), (z**2, other))
    )
    options = {
        "measure_params": {"n_neighbors": 2},
        "n_permutations": 19,
        "random_state": 0,
    }
    assert independence_test(x, y, z, **options).pvalue == 0.05
    assert independence_test(x, independent, z, **options).pvalue > 0.05


@pytest.mark.parametrize("kind", ["normal", "binary", "curved"])
def test_direct_effect_beside_a_common_cause_is_seen_in_any_order(kind):
    rng = np.random.default_rng(0)
    z = rng.normal(size=300)
    x = z + rng.normal(size=300)
    y = x + z**2 + rng.normal(size=300)
    y = {"normal": y, "binary": (y > 1).astype(str), "curved": y**2}[kind]
    for pair in ((x, y), (y, x)):
        result = independence_test(*pair, z, n_permutations=19, random_state=0)
        assert result.pvalue == 0.05


@pytest.mark.parametrize("constant", [np.zeros(100), np.ones((100, 2)), ["a"] * 100])
def test_constant_z_gives_the_test_without_it(constant):
    x, y, _ = fork()
    options = {"n_permutations": 19, "random_state": 0}
    result = independence_test(x, y, constant, **options)
    expected = independence_test(x, y, **options)
    assert tuple(result) == tuple(expected)
    np.testing.assert_array_equal(result.null_distribution, expected.null_distribution)


# validity


def pvalues_of_uniform_statistics(n_tests, **options):
    """Return the p-values of a statistic that has no ties and no dependence."""
    rng = np.random.default_rng(0)
    x = np.zeros(25)
    return np.array(
        [
            independence_test(
                x, rng.random(25), measure=first_of_y, random_state=seed, **options
            ).pvalue
            for seed in range(n_tests)
        ]
    )


@pytest.mark.parametrize("stop_early", [False, True])
def test_pvalues_under_independence_are_valid(stop_early):
    n_tests = 300
    pvalues = pvalues_of_uniform_statistics(
        n_tests, n_permutations=49, stop_early=stop_early
    )
    for alpha in (0.04, 0.1, 0.2, 0.5, 0.8):
        error = 3 * np.sqrt(alpha * (1 - alpha) / n_tests)
        assert np.mean(pvalues <= alpha + 1e-9) <= alpha + error
    assert np.mean(pvalues <= 0.2) > 0.12


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "binary y", "strata", "counts"])
def test_size_given_z_is_that_of_the_level(kind):
    rejected = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        z = {"strata": rng.integers(4, size=300), "counts": rng.poisson(3, size=300)}
        z = z.get(kind, rng.normal(size=300))
        x, y = z + rng.normal(size=(2, 300))
        result = independence_test(
            x,
            y > 0 if kind == "binary y" else y,
            z,
            measure_params={"z_discrete": kind == "strata"},
            n_permutations=99,
            stop_early=True,  # which changes no decision at this level
            random_state=seed,
        )
        rejected.append(result.pvalue <= 0.05)
    # 3 standard errors above the level
    assert np.mean(rejected) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FUNCTIONS_OF_Z)
def test_size_is_that_of_the_level_where_y_is_a_function_of_z(kind):
    rejected = []
    for seed in range(100):
        result = independence_test(
            *FUNCTIONS_OF_Z[kind](*celsius(300, seed)),
            n_permutations=99,
            stop_early=True,
            random_state=seed,
        )
        rejected.append(result.pvalue <= 0.05)
    assert np.mean(rejected) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


# stopping early


@pytest.mark.parametrize("rank", [1, 20, 60, 99, 100])
@pytest.mark.parametrize("first_draws", [1, 7, 40, 10**6])
def test_stopped_test_ends_at_the_tenth_value_that_reaches(
    monkeypatch, rank, first_draws
):
    y = np.arange(100.0)
    y[[0, rank - 1]] = y[[rank - 1, 0]]  # the statistic has this rank
    options = {"measure": first_of_y, "n_permutations": 199, "random_state": 1}
    full = independence_test(y, y, **options)
    monkeypatch.setattr(_independence, "_FIRST_DRAWS", first_draws)
    stopped = independence_test(y, y, **options, stop_early=True)
    assert stopped.statistic == full.statistic == rank - 1
    n_draws = len(stopped.null_distribution)
    np.testing.assert_array_equal(
        stopped.null_distribution, full.null_distribution[:n_draws]
    )
    n_reaching = np.sum(stopped.null_distribution >= rank - 1)
    if np.sum(full.null_distribution >= rank - 1) >= 10:
        assert stopped.null_distribution[-1] >= rank - 1
        assert n_reaching == 10
        assert stopped.pvalue == 10 / n_draws
    else:
        assert n_draws == 199
        assert stopped.pvalue == full.pvalue


def test_stopped_test_without_dependence_needs_few_draws():
    x, y, z = fork(300)
    result = independence_test(
        x, y, z, n_permutations=9999, stop_early=True, random_state=0
    )
    assert len(result.null_distribution) < 200
    assert result.pvalue == 10 / len(result.null_distribution)


# random state and verbosity


def test_a_generator_is_drawn_from():
    x, y, _ = fork()
    generator = np.random.RandomState(3)
    options = {"n_permutations": 9, "random_state": generator}
    first, second = (independence_test(x, y, **options) for _ in range(2))
    again = independence_test(x, y, n_permutations=9, random_state=3)
    np.testing.assert_array_equal(first.null_distribution, again.null_distribution)
    assert np.any(first.null_distribution != second.null_distribution)


def test_progress_is_printed(capsys):
    x, y, _ = fork()
    independence_test(x, y, measure=covariance, n_permutations=9, verbose=10)
    captured = capsys.readouterr()
    assert "Done" in captured.out + captured.err


# kinds of input, missing values


@pytest.mark.parametrize("given_z", [False, True])
def test_omitted_rows_are_as_if_they_were_not_there(given_z):
    x, y, z = fork()
    complete = np.ones(100, dtype=bool)
    for part, row in ((x, 3), (y, 50), (z, 99)):
        part[row] = np.nan
        complete[row] = given_z or part is not z
    complete[[3, 50]] = False
    complete[99] = not given_z
    data = (x, y, z) if given_z else (x, y)
    options = {"n_permutations": 9, "random_state": 0}
    result = independence_test(*data, nan_policy="omit", **options)
    expected = independence_test(*(part[complete] for part in data), **options)
    assert tuple(result) == tuple(expected)


def test_frames_and_vectors_are_fine():
    x, y, z = fork()
    frame = pd.DataFrame({"z": z, "group": np.where(x > 0, "a", "b")})
    result = independence_test(
        np.column_stack([x, y]), pd.Series(y > 0), frame, n_permutations=9
    )
    assert result.pvalue == 0.1
    assert result.null_distribution.shape == (9,)


def test_inputs_are_not_written_to():
    data = fork()
    for part in data:
        part.flags.writeable = False
    independence_test(*data, n_permutations=3)


# bad input


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_permutations": 0}, ValueError, "n_permutations=0 must be at least 1"),
        ({"n_permutations": 9.5}, TypeError, "n_permutations=9.5 must be an integer"),
        ({"stop_early": "yes"}, TypeError, "stop_early='yes' must be a bool"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop' is not a known"),
        (
            {"measure": "correlation"},
            ValueError,
            "measure='correlation' is not a known",
        ),
        (
            {"measure": "hypercontractivity"},
            ValueError,
            "measure='hypercontractivity' cannot be used with z",
        ),
        ({"measure": covariance}, ValueError, "cannot be used with z"),
        ({"measure_params": {"k": 3}}, ValueError, "measure_params holds 'k'"),
        (
            {"measure_params": {"z_discrete": True}, "z": None},
            ValueError,
            "measure_params holds 'z_discrete'",
        ),
        ({"measure_params": {"ties": "noise"}}, ValueError, "ties='noise' is not"),
        ({"measure_params": {"n_neighbors": 20}}, ValueError, "n_neighbors=20 must be"),
        ({"measure_params": [5]}, TypeError, "measure_params=[5] must be a dict"),
        ({"z": np.arange(19)}, ValueError, "x has 20, y has 20, z has 19"),
        ({"y": [np.nan] * 20}, ValueError, "Input y contains NaN"),
        (
            {"measure": lambda *_: "much", "z": None},
            TypeError,
            "measure returned 'much', which is not a number",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_bad_input_is_named(options, error, message):
    data = dict(zip("xyz", np.arange(60.0).reshape(3, 20), strict=True))
    with pytest.raises(error, match=re.escape(message)):
        independence_test(**(data | options))
