"""The recipes of doc/contributing.rst for dependence, followed word for word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from skinfo import (
    MixedMutualInfo,
    independence_test,
    mutual_information,
    pairwise_dependence,
)
from skinfo.dependence.measures._by_name import MEASURES
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.variables._encoding import SCALES, exact_offsets


def monotone_pair(n_samples=200, seed=0):
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n_samples))
    return x, np.exp(x + noise)


# ---- add a measure


def rank_correlation(ranks_x, ranks_y):
    """The squared correlation of two arrays of ranks."""
    return np.corrcoef(ranks_x, ranks_y)[0, 1] ** 2


@dataclass(frozen=True)
class RankCorrelation(DependenceMeasure[np.ndarray]):
    """The squared rank correlation of two columns of numbers."""

    power: float = 1.0

    symmetric: ClassVar[bool] = True

    def check_options(self):
        if not self.power > 0:
            raise ValueError(f"power={self.power!r} must be positive. Pass 1.0.")

    @property
    def minimum_samples(self):
        return 3

    def prepare(self, vector):
        if len(vector.columns) > 1 or vector.nominal.any():
            raise ValueError(
                "rank_correlation takes one column of numbers for x and y each. Pass "
                "one, or measure='mutual_information'."
            )
        [column] = vector.columns
        return np.argsort(np.argsort(column.values)).astype(float)

    def values(self, x, y, orders):
        return [
            rank_correlation(x, y if order is None else y[order]) ** self.power
            for order in orders
        ]


@pytest.fixture
def with_rank_correlation(monkeypatch):
    monkeypatch.setitem(MEASURES, "rank_correlation", RankCorrelation)


@pytest.mark.usefixtures("with_rank_correlation")
@pytest.mark.parametrize("params", [None, {"power": 2.0}])
def test_one_row_adds_a_measure_to_the_test(params):
    x, y = monotone_pair()
    options = {"measure": "rank_correlation", "measure_params": params}
    found = independence_test(x, y, **options, n_permutations=99, random_state=0)
    ranks = [np.argsort(np.argsort(each)) for each in (x, y)]
    power = 1.0 if params is None else params["power"]
    expected = np.corrcoef(*ranks)[0, 1] ** (2 * power)
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.pvalue == pytest.approx(0.01)
    stopped = independence_test(
        x, y[::-1], **options, n_permutations=99, stop_early=True, random_state=0
    )
    assert stopped.pvalue > 0.05


@pytest.mark.usefixtures("with_rank_correlation")
def test_one_row_adds_a_measure_to_the_table_of_pairs():
    X = np.column_stack([*monotone_pair(), *monotone_pair(seed=1)])
    X[:20, 0] = np.nan
    options = {"nan_policy": "omit", "n_permutations": 19, "random_state": 0}
    one, two = (
        pairwise_dependence(X, measure="rank_correlation", n_jobs=n_jobs, **options)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.values, one.values.T)
    assert one.values[2, 3] > 0.3 > one.values[0, 3]
    np.testing.assert_array_equal(one.pvalues, two.pvalues)


@pytest.mark.usefixtures("with_rank_correlation")
def test_wrong_parameters_and_too_few_samples_are_named():
    x, y = monotone_pair()
    test = {"measure": "rank_correlation"}
    with pytest.raises(ValueError, match=r"power=-1 must be positive"):
        independence_test(x, y, measure_params={"power": -1}, **test)
    with pytest.raises(ValueError, match=r"'root'.* some of: power, x_discrete"):
        independence_test(x, y, measure_params={"root": 2}, **test)
    with pytest.raises(ValueError, match=r"n_samples=2 must be at least 3"):
        independence_test(x[:2], y[:2], **test)
    with pytest.raises(ValueError, match=r"cannot be used with z"):
        independence_test(x, y, x, **test)
    for wrong in (np.column_stack([x, y]), x.astype(str)):
        with pytest.raises(ValueError, match=r"takes one column of numbers"):
            independence_test(wrong, y, **test)


def test_a_measure_is_not_symmetric_unless_it_says_so(monkeypatch):
    @dataclass(frozen=True)
    class Directed(RankCorrelation):
        symmetric: ClassVar[bool] = DependenceMeasure.symmetric

        def values(self, x, y, orders):
            return [each * x[0] for each in super().values(x, y, orders)]

    monkeypatch.setitem(MEASURES, "directed", Directed)
    X = np.column_stack(monotone_pair())
    values = pairwise_dependence(X, measure="directed").values
    assert values[0, 1] != values[1, 0]


def test_a_measure_that_lacks_a_member_cannot_be_made():
    @dataclass(frozen=True)
    class Incomplete(DependenceMeasure[np.ndarray]):
        def check_options(self):
            pass

    with pytest.raises(TypeError, match=r"abstract.*minimum_samples.*prepare.*values"):
        Incomplete()


# ---- add a preprocessing step: a scale of numeric columns


def robust(values, counts):
    """Return coordinates in units of the interquartile range, if that is not 0."""
    offsets = exact_offsets(values)
    low, high = np.quantile(np.repeat(offsets, counts), [0.25, 0.75])
    return offsets / (high - low) if high > low else offsets


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match=r"scale='sturdy' is not .*'rank', 'standard'"):
        mutual_information(*monotone_pair(), scale="sturdy")


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0.0],
        [1e300] * 3,
        np.array([2**62] * 2),
        np.arange(-(2**63), -(2**63) + 1000),
        np.array([0, 0, 0, 0, 1]),
        np.array([-3, 1e-4, 2e-4, 0.5, 4], dtype=np.float32),
        np.array([True, False]),
    ],
    ids=["zeros", "large", "integers", "large integers", "rare", "float32", "bool"],
)
def test_the_example_does_what_step_1_asks_for(values):
    coordinates = robust(*np.unique(values, return_counts=True))
    assert coordinates.dtype == np.float64
    assert np.isfinite(coordinates).all()
    assert (np.diff(coordinates) > 0).all()


def test_one_row_adds_a_scale(monkeypatch):
    monkeypatch.setitem(SCALES, "robust", robust)
    x, y = monotone_pair()
    scaled = [each / np.subtract(*np.quantile(each, [0.75, 0.25])) for each in (x, y)]
    expected = mutual_information(*scaled, scale=None)
    found = mutual_information(x, y, scale="robust")
    assert found == pytest.approx(expected, rel=1e-9)
    # outliers set the unit of "standard", and leave this one as it is
    x[0] = 1e6
    assert mutual_information(x, y, scale="robust") == pytest.approx(found, abs=0.05)
    assert mutual_information(x, y, scale="standard") < found - 0.1


def test_an_added_scale_serves_estimators(monkeypatch):
    monkeypatch.setitem(SCALES, "robust", robust)
    x, y = monotone_pair()
    X = np.column_stack([x, monotone_pair(seed=1)[0]])
    selector = MixedMutualInfo(scale="robust", n_features_to_select=1).fit(X, y)
    np.testing.assert_array_equal(selector.get_support(), [True, False])
    assert selector.score(*(each[::-1] for each in (X, y))) > 0
