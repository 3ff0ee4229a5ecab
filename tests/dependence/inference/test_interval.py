from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from skinfo import datasets, mutual_information, mutual_information_interval
from skinfo._core._permutation import draw_seeds, permuted_order

PARTS = (2, 3, 4, 5, 6, 8, 10)


def normals(n_samples, seed=0, correlation=0.6):
    x, noise = np.random.default_rng(seed).normal(size=(2, n_samples))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


def slow_interval(x, y, seed, confidence_level=0.95, **parameters):
    """Compute the interval by the formula of the Notes, step by step."""
    n = len(x)
    total = weight = 0.0
    for m, split in zip(PARTS, draw_seeds(seed, len(PARTS)).tolist(), strict=True):
        shuffled = permuted_order(split, n)
        estimates = [
            mutual_information(
                x[shuffled % m == part], y[shuffled % m == part], **parameters
            )
            for part in range(m)
        ]
        total += (m - 1) * (n / m) * np.var(estimates, ddof=1)
        weight += m - 1
    estimate = mutual_information(x, y, **parameters)
    half = norm.ppf((1 + confidence_level) / 2) * np.sqrt(total / weight / n)
    return estimate - half, estimate + half


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"confidence_level": 0.5},
        {"n_neighbors": 3, "scale": None, "ties": "gao"},
        {"x_discrete": True},
    ],
    ids=str,
)
def test_interval_is_that_of_the_formula(parameters):
    x, y = normals(500)
    x = np.round(x)
    interval = mutual_information_interval(x, y, random_state=1, **parameters)
    expected = slow_interval(x, y, 1, **parameters)
    np.testing.assert_allclose((interval.low, interval.high), expected, rtol=1e-9)
    assert interval.confidence_level == parameters.pop("confidence_level", 0.95)
    assert interval.estimate == mutual_information(x, y, **parameters)


def test_each_sample_is_in_one_part_of_about_the_same_size():
    for m in PARTS:
        sizes = np.bincount(permuted_order(5, 503) % m)
        assert sizes.sum() == 503
        assert np.ptp(sizes) <= 1


def test_higher_confidence_is_wider_round_the_same_estimate():
    x, y = normals(500)
    narrow, wide = (
        mutual_information_interval(x, y, confidence_level=level, random_state=0)
        for level in (0.8, 0.99)
    )
    assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high
    assert narrow.estimate == wide.estimate


def test_intervals_shrink_with_the_number_of_samples():
    widths = []
    for n_samples in (500, 2000, 4500):
        intervals = [
            mutual_information_interval(*normals(n_samples, seed), random_state=seed)
            for seed in range(3)
        ]
        widths.append(np.mean([each.high - each.low for each in intervals]))
    # 4 and 9 times the samples: about 1/2 and 1/3 of the width
    np.testing.assert_allclose(np.divide(widths[0], widths[1:]), [2, 3], rtol=0.35)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        datasets.make_discrete_plus_uniform,
        datasets.make_zero_inflated_poisson,
        partial(datasets.make_gaussian_dropout, dropout=0),
    ],
    ids=["experiment-2", "experiment-4", "normals"],
)
def test_intervals_cover_the_truth_as_often_as_they_say(make):
    covered = []
    for seed in range(200):
        data = make(1000, random_state=seed)
        interval = mutual_information_interval(data.x, data.y, random_state=seed)
        covered.append(interval.low <= data.mutual_information <= interval.high)
    assert np.mean(covered) >= 0.88


def test_an_interval_of_half_covers_the_truth_about_half_the_time():
    covered = []
    for seed in range(20):
        x, y = normals(500, seed)
        interval = mutual_information_interval(
            x, y, confidence_level=0.5, random_state=seed
        )
        covered.append(interval.low <= -np.log(0.8) <= interval.high)
    assert 0.2 <= np.mean(covered) <= 0.8


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_result_does_not_depend_on_the_jobs(n_jobs):
    x, y = normals(10_000)
    expected = mutual_information_interval(x, y, random_state=0)
    assert mutual_information_interval(x, y, random_state=0, n_jobs=n_jobs) == expected


def test_seeds_decide_the_splits_alone():
    x, y = normals(500)
    first, again, other = (
        mutual_information_interval(x, y, random_state=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first.low != other.low
    assert first.estimate == other.estimate


def test_rows_with_gaps_are_left_out():
    x, y = normals(600)
    frame = pd.DataFrame({"x": x, "y": y})
    frame.loc[:19, "x"], frame.loc[10:29, "y"] = np.nan, np.inf
    interval = mutual_information_interval(
        frame["x"], frame["y"], nan_policy="omit", random_state=0
    )
    assert interval == mutual_information_interval(x[30:], y[30:], random_state=0)


def test_vectors_and_strings_have_intervals_too():
    x, y = normals(600)
    names = np.where(y > 0, "plus", "minus")
    interval = mutual_information_interval(
        np.column_stack([x, x**2]), names, random_state=0
    )
    assert interval.low < interval.estimate < interval.high


def test_a_constant_has_an_interval_without_width():
    x, _ = normals(600)
    interval = mutual_information_interval(x, np.ones(600))
    assert (interval.low, interval.estimate, interval.high) == (0, 0, 0)


def test_few_complete_rows_are_warned_of():
    x, y = normals(510)
    mutual_information_interval(x[:500], y[:500])
    with pytest.warns(UserWarning, match="from 499 complete rows"):
        mutual_information_interval(x[:499], y[:499])
    x[:11] = np.nan
    with pytest.warns(UserWarning, match="from 499 complete rows"):
        mutual_information_interval(x, y, nan_policy="omit")


@pytest.mark.filterwarnings("ignore:The interval is from")  # few samples on purpose
def test_parts_must_be_larger_than_the_neighbourhoods():
    x, y = normals(60)
    mutual_information_interval(x, y, n_neighbors=5)
    message = r"which has 5 .*n_samples=59.*at least 60 samples"
    with pytest.raises(ValueError, match=message):
        mutual_information_interval(x[:59], y[:59], n_neighbors=5)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"confidence_level": 95}, ValueError, r"95 must lie .*confidence_level=0\.95"),
        ({"confidence_level": "high"}, TypeError, "must be a number"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"n_neighbors": 50}, ValueError, "smaller than a part of the samples"),
        ({"scale": "log"}, ValueError, "scale='log'"),
        ({"ties": "random"}, ValueError, "ties='random'"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop'"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        mutual_information_interval(*normals(500), **parameters)


def test_bad_data_are_refused():
    x, y = normals(500)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mutual_information_interval(x, y[:-1])
    x[0] = np.nan
    with pytest.raises(ValueError, match="Input x contains NaN"):
        mutual_information_interval(x, y)
