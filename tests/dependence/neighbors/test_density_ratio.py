import numpy as np
import pytest

from skinfo import MixedMutualInfo
from skinfo._core import _parallel
from skinfo._core._vectors import read_vector
from skinfo.datasets import make_zero_inflated_poisson
from skinfo.dependence.neighbors._density_ratio import (
    DensityRatio,
    donsker_varadhan_bound,
)
from skinfo.dependence.variables._new_samples import NewSamples, training_vector


def vector(data):
    return read_vector(
        data, name="x", discrete="auto", discrete_name="x", nan_policy="raise"
    )


def fitted(x, y, n_neighbors=5, scale=None):
    """Return both training vectors and their ratio."""
    train_x, train_y = (
        training_vector(vector(x), scale),
        training_vector(vector(y), scale),
    )
    return (
        train_x,
        train_y,
        DensityRatio(train_x.variable, train_y.variable, n_neighbors),
    )


def brute_force_log_ratio(x, y, new_x, new_y, k):
    """Return log(k~ N / (n_x n_y)) with closed counts, for one number in x and in y."""
    result = []
    for a, b in zip(new_x, new_y, strict=True):
        dx, dy = np.abs(x - a), np.abs(y - b)
        joint = np.maximum(dx, dy)
        rho = np.sort(joint)[k - 1]
        counts = [np.sum(distance <= rho) for distance in (joint, dx, dy)]
        result.append(np.log(counts[0] * len(x) / counts[1] / counts[2]))
    return np.array(result)


@pytest.mark.parametrize("decimals", [0, 1, 15])
def test_ratio_equals_brute_force(decimals):
    rng = np.random.default_rng(0)
    x, y, new_x, new_y = rng.normal(size=(4, 80)).round(decimals)
    new_x, new_y = (
        np.clip(new, old.min(), old.max()) for new, old in ((new_x, x), (new_y, y))
    )
    train_x, train_y, ratio = fitted(x, y)
    found = ratio.log_ratio(train_x.place(vector(new_x)), train_y.place(vector(new_y)))
    expected = brute_force_log_ratio(x, y, new_x, new_y, 5)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_ratio_of_nominal_pairs_is_that_of_their_frequencies():
    x = ["a"] * 30 + ["b"] * 70
    y = ["u"] * 20 + ["v"] * 10 + ["v"] * 70
    train_x, train_y, ratio = fitted(x, y)
    place = train_x.place(vector(["a", "a", "b", "b", "c", "a"]))
    found = ratio.log_ratio(
        place, train_y.place(vector(["u", "v", "v", "u", "u", "w"]))
    )
    # b and u were never together: half a sample, where 14 would be expected
    expected = np.log([20 / 6, 10 / 24, 70 / 56, 0.5 / 14, 1, 1])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_values_seen_apart_only_count_as_independent_where_few_are_expected():
    x, y = [*"ab", *"c" * 98], [*"uv", *"w" * 98]
    train_x, train_y, ratio = fitted(x, y)
    found = ratio.log_ratio(train_x.place(vector(["a"])), train_y.place(vector(["v"])))
    assert found == [0]


def test_new_values_take_the_rank_of_equal_ones_or_lie_between():
    train = training_vector(vector([1.0, 2.0, 4.0]), "rank")
    scores = train.variable.points[:, 0]
    placed = train.place(vector([2, 3, 4, 1.5, -9, 9])).points[:, 0]
    expected = [
        scores[1],
        (scores[1] + scores[2]) / 2,
        scores[2],
        (scores[0] + scores[1]) / 2,
        scores[0],
        scores[2],
    ]
    np.testing.assert_allclose(placed, expected, atol=1e-15)


def test_groups_of_several_nominal_columns_are_found_again():
    train = training_vector(
        vector(
            np.array([["a", "u"], ["a", "v"], ["b", "u"], ["a", "u"]], dtype=object)
        ),
        None,
    )
    groups = train.variable.groups[train.variable.codes]
    new = vector(
        np.array([["b", "u"], ["b", "v"], ["a", "x"], ["a", "u"]], dtype=object)
    )
    assert train.place(new).groups.tolist() == [groups[2], -1, -1, groups[0]]


class TableRatio:
    """A ratio that is known: r(x, y) of two coordinates."""

    def log_ratio(self, x, y):
        return np.sin(3 * x.points[:, 0]) * y.points[:, 0]


@pytest.mark.parametrize("n_samples", [1, 2, 200])
def test_bound_of_few_samples_takes_all_pairs(n_samples):
    rng = np.random.default_rng(0)
    x, y = (
        NewSamples(rng.normal(size=(n_samples, 1)), np.zeros(n_samples, dtype=int))
        for _ in range(2)
    )
    table = np.exp(np.sin(3 * x.points) * y.points.T)
    expected = np.log(np.diag(table)).mean() - np.log(table.mean())
    assert donsker_varadhan_bound(TableRatio(), x, y) == pytest.approx(
        expected, abs=1e-12
    )


def test_bound_of_many_samples_is_near_that_of_all_pairs():
    rng = np.random.default_rng(0)
    x, y = (
        NewSamples(
            np.sort(rng.normal(size=(2000, 1)), axis=0), np.zeros(2000, dtype=int)
        )
        for _ in range(2)
    )
    table = np.exp(np.sin(3 * x.points) * y.points.T)
    expected = np.log(np.diag(table)).mean() - np.log(table.mean())
    found = donsker_varadhan_bound(TableRatio(), x, y)
    # 32 of 2000 shifts: a relative error of about 1 / sqrt(32 * 2000)
    assert found == pytest.approx(expected, abs=0.015)
    assert found == donsker_varadhan_bound(TableRatio(), x, y, n_jobs=2)


@pytest.mark.parametrize("n_samples", [201, 5000, 300_000])
def test_cyclic_shifts_pair_no_sample_with_itself(monkeypatch, n_samples):
    received = []

    class Recorder:
        def log_ratio(self, x, y):
            received.append(np.abs(x.points - y.points).min())
            return np.zeros(len(x.groups))

    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 1)
    points = np.arange(float(n_samples))[:, np.newaxis]
    placed = NewSamples(points, np.zeros(n_samples, dtype=int))
    donsker_varadhan_bound(Recorder(), placed, placed)
    joint, *shifts = received
    assert joint == 0
    assert min(shifts) > 0
    assert len(shifts) == (4 if n_samples == 300_000 else 32)


def test_sorted_and_shuffled_samples_have_the_same_bound():
    rng = np.random.default_rng(0)
    X = np.sort(rng.normal(size=1500))[:, np.newaxis]
    y = X[:, 0] + rng.normal(size=1500)
    selector = MixedMutualInfo(10).fit(X[::3], y[::3])
    X, y = np.delete(X, np.s_[::3], axis=0), np.delete(y, np.s_[::3])
    in_order = selector.score(X, y)
    for _ in range(3):
        order = rng.permutation(1000)
        assert selector.score(X[order], y[order]) == pytest.approx(in_order, abs=0.01)


def gaussian(correlation):
    def draw(rng):
        x, noise = rng.normal(size=(2, 1000))
        return x, correlation * x + np.sqrt(1 - correlation**2) * noise

    return draw, -0.5 * np.log(1 - correlation**2)


def poisson(rng):
    data = make_zero_inflated_poisson(1000, random_state=rng.integers(2**31))
    return data.x, data.y


@pytest.mark.parametrize("k", [pytest.param(3, marks=pytest.mark.slow), 20])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        gaussian(0),
        pytest.param(*gaussian(0.6), marks=pytest.mark.slow),
        gaussian(0.9),
        (poisson, 0.229775959),
    ],
    ids=["rho=0", "rho=.6", "rho=.9", "Poisson"],
)
def test_held_out_score_stays_below_the_truth(draw, truth, k):
    scores = []
    for seed in range(6):
        x, y = draw(np.random.default_rng(seed))
        selector = MixedMutualInfo(k).fit(x[:800, np.newaxis], y[:800])
        scores.append(selector.score(x[800:, np.newaxis], y[800:]))
    standard_error = np.std(scores, ddof=1) / np.sqrt(len(scores))
    assert np.mean(scores) <= truth + 2 * standard_error
    if k == 20:  # and is not trivially low
        assert np.mean(scores) >= 0.65 * truth - 0.05


def test_identifiers_carry_nothing_to_new_samples():
    names = [[f"row {i}"] for i in range(100)]
    y = np.arange(100.0)
    selector = MixedMutualInfo().fit(names[:50], y[:50])
    assert selector.score(names[50:], y[50:]) == 0
