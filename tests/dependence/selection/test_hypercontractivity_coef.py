"""The selector: what it tells of each feature, on new samples and in scikit-learn."""

from __future__ import annotations

import gc
import pickle
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import binom, false_discovery_control
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    cross_val_score,
    permutation_test_score,
)
from sklearn.pipeline import make_pipeline

from skinfo import HypercontractivityCoef, hypercontractivity, maximal_correlation
from skinfo._core._vectors import read_vector
from skinfo.datasets import make_hidden_correlation
from skinfo.dependence.measures._hypercontractivity import (
    FeatureHypercontractivity,
    Hypercontractivity,
)


def make_table(n_samples=200, seed=0):
    """Return a table of all kinds of columns, and a numeric target."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_samples)
    return pd.DataFrame(
        {
            "number": y + 0.5 * rng.normal(size=n_samples),
            "square": y**2 + 0.3 * rng.normal(size=n_samples),
            "category": pd.Categorical(np.where(y > 0, "high", "low")),
            "flag": y > 1,
            "noise": rng.normal(size=n_samples).round(1),
            "few": rng.integers(0, 4, size=n_samples),
        }
    ), y


def hidden(seed, n_samples=1000, shape="linear"):
    return make_hidden_correlation(
        n_samples, shape=shape, noise=0.03, random_state=seed
    )


def as_column(values):
    return np.asarray(values)[:, np.newaxis]


# ---- what is told of each feature


OPTIONS = [
    {},
    {"method": "paper"},
    {"bandwidth_factor": 2.0},
    {"min_fraction": 0.3},
    {"min_fraction": None},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_scores_are_those_of_each_feature(options):
    X, y = make_table()
    scores = HypercontractivityCoef(**options).fit(X, y).scores_
    expected = [hypercontractivity(X[name], y, **options) for name in X]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_backward_scores_are_those_of_swapped_arguments(options):
    X, y = make_table()
    backward = HypercontractivityCoef(direction="backward", **options).fit(X, y)
    expected = [hypercontractivity(y, X[name], **options) for name in X]
    np.testing.assert_allclose(backward.scores_, expected, rtol=1e-5)
    forward = HypercontractivityCoef(**options).fit(X, y)
    assert not np.allclose(forward.scores_, backward.scores_, rtol=0.01)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_lower_bounds_are_squared_maximal_correlations(direction):
    X, y = make_table()
    selector = HypercontractivityCoef(direction=direction).fit(X, y)
    expected = [maximal_correlation(X[name], y) ** 2 for name in X]
    np.testing.assert_allclose(selector.lower_bounds_, expected, rtol=1e-9)
    assert np.all(selector.lower_bounds_ <= selector.scores_)


def test_all_attributes_have_one_entry_for_each_feature():
    X, y = make_table()
    selector = HypercontractivityCoef(n_permutations=3).fit(X, y)
    for name in (
        "scores_",
        "scores_without_witness_",
        "lower_bounds_",
        "effective_sample_sizes_",
        "pvalues_",
    ):
        values = getattr(selector, name)
        assert values.shape == (6,)
        assert values.dtype == float
        assert np.isfinite(values).all()
    assert selector.null_distribution_.shape == (6, 3)
    kinds = [False, False, True, True, False, True]
    assert selector.discrete_features_.tolist() == kinds
    paper = HypercontractivityCoef(method="paper").fit(X, y)
    assert paper.discrete_features_.tolist() == [*kinds[:5], False]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_effective_sample_sizes_are_those_of_the_tilt(direction):
    X, y = make_table()
    measure = FeatureHypercontractivity(direction=direction)
    selector = HypercontractivityCoef(direction=direction).fit(X, y)
    for name, found in zip(X, selector.effective_sample_sizes_, strict=True):
        pair = [
            measure.prepare(
                read_vector(
                    data,
                    name="x",
                    discrete="auto",
                    discrete_name="x",
                    nan_policy="raise",
                    is_nominal=measure.is_nominal,
                )
            )
            for data in (X[name], y)
        ]
        source = pair[0] if direction == "forward" else pair[1]
        weights = measure.maximum(*pair).tilt[source.cells.codes]
        assert found == pytest.approx(weights.sum() ** 2 / np.sum(weights**2))
    assert np.all(selector.effective_sample_sizes_ >= 10 * (1 - 1e-9))  # 5% of 200
    assert np.all(selector.effective_sample_sizes_ <= 200 * (1 + 1e-9))


@pytest.mark.parametrize("method", ["kde", "paper"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_planted_pair_is_what_the_score_without_its_witness_lacks(direction, method):
    x, y = np.random.default_rng(0).normal(size=(2, 300))
    planted_x, planted_y = np.append(x, 25), np.append(y, 25)
    selector = HypercontractivityCoef(direction=direction, method=method)
    selector.fit(as_column(planted_x), planted_y)
    assert selector.scores_[0] > 0.5
    assert selector.scores_without_witness_[0] < 0.1
    selector.fit(as_column(x), y)
    assert selector.scores_without_witness_[0] > 0.4 * selector.scores_[0]


# ---- tilts


def gaussian(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return as_column(x), 0.8 * x + 0.6 * rng.normal(size=n)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_tilts_of_the_training_samples_have_mean_one(direction):
    X, y = make_table(400)
    tilts = HypercontractivityCoef(direction=direction).fit(X, y).tilt(X)
    assert tilts.shape == X.shape
    assert tilts.min() >= 0
    # the mean is over the marginal of the kernel joint, which is not that of samples
    np.testing.assert_allclose(tilts.mean(axis=0), 1, atol=0.1)
    names = HypercontractivityCoef(direction=direction).fit(X[["few"]], y > 0)
    assert names.tilt(X[["few"]]).mean() == pytest.approx(1, abs=1e-12)


def test_tilt_is_that_of_the_cells_up_to_interpolation():
    X, y = gaussian()
    measure = Hypercontractivity(1.06, 0.05, "kde")
    x, target = (
        measure.prepare(
            read_vector(
                data, name="x", discrete=False, discrete_name="x", nan_policy="raise"
            )
        )
        for data in (X, y)
    )
    expected = measure.maximum(x, target).tilt[x.cells.codes]
    found = HypercontractivityCoef().fit(X, y).tilt(X)[:, 0]
    assert np.max(np.abs(found - expected)) < 0.12 * expected.max()
    alone = x.cells.counts[x.cells.codes] == 1  # at the mean of its cell
    np.testing.assert_allclose(found[alone], expected[alone], rtol=1e-9)


def test_tilt_of_new_samples_is_interpolated_and_clamped():
    X, y = gaussian()
    selector = HypercontractivityCoef().fit(X, y)
    order = np.argsort(X[:, 0])
    low, high = X[order[0], 0], X[order[-1], 0]
    ends = selector.tilt([[low - 1e9], [low], [high], [high + 1e9]])[:, 0]
    assert ends[0] == ends[1]
    assert ends[2] == ends[3]
    line = np.linspace(low, high, 2000)
    tilts = selector.tilt(as_column(line))[:, 0]
    assert np.abs(np.diff(tilts)).max() < 0.05 * tilts.max()
    assert tilts.max() <= selector.tilt(X).max() * 1.2


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900])
def test_tilt_of_scaled_features_is_the_same(scale):
    X, y = gaussian()
    expected = HypercontractivityCoef().fit(X, y).tilt(X)
    found = HypercontractivityCoef().fit(scale * X, y).tilt(scale * X)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_categories_that_were_not_seen_have_the_tilt_one():
    X, y = make_table()
    selector = HypercontractivityCoef().fit(X[["category", "few"]], y)
    new = pd.DataFrame({"category": ["high", "medium"], "few": [17, 2]})
    tilt = selector.tilt(new)
    assert tilt[1, 0] == tilt[0, 1] == 1
    assert tilt[0, 0] == selector.tilt(X[["category", "few"]])[y > 0][0, 0] != 1


def test_missing_values_have_no_tilt_where_they_are_omitted():
    X, y = make_table()
    selector = HypercontractivityCoef(nan_policy="omit").fit(X, y)
    gaps = X.astype({"few": float})
    gaps.loc[0, ["number", "few"]] = np.nan
    gaps.loc[1, "category"] = None
    tilt = selector.tilt(gaps)
    assert np.argwhere(np.isnan(tilt)).tolist() == [[0, 0], [0, 5], [1, 2]]
    expected = selector.tilt(X)
    present = ~np.isnan(tilt)
    np.testing.assert_array_equal(tilt[present], expected[present])
    with pytest.raises(ValueError, match=r"Input X contains NaN .*policy='omit'"):
        HypercontractivityCoef().fit(X, y).tilt(gaps)


def test_a_feature_that_is_missing_throughout_has_no_tilt():
    X, y = np.random.default_rng(0).normal(size=(2, 50))
    selector = HypercontractivityCoef(nan_policy="omit").fit(as_column(X), y)
    assert np.isnan(selector.tilt(np.full((3, 1), np.nan))).all()


def test_tilt_takes_the_columns_of_fit():
    X, y = make_table()
    selector = HypercontractivityCoef().fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        selector.tilt(X.rename(columns={"noise": "sound"}))
    with pytest.raises(ValueError, match="held numbers in fit, but now holds text"):
        selector.tilt(X.assign(number="text"))
    with pytest.raises(ValueError, match="features"):
        HypercontractivityCoef().fit(X[["number"]].to_numpy(), y).tilt(np.ones((3, 2)))


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates_have_a_tilt_in_any_unit(unit):
    days = np.random.default_rng(0).integers(0, 900, size=300)
    dates = np.datetime64("2024-01-01") + days
    y = np.sin(days / 100)
    selector = HypercontractivityCoef().fit(pd.DataFrame({"d": dates}), y)
    expected = HypercontractivityCoef().fit(as_column(days), y).tilt(as_column(days))
    found = selector.tilt(pd.DataFrame({"d": dates.astype(f"M8[{unit}]")}))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_constant_feature_has_the_tilt_one():
    selector = HypercontractivityCoef().fit(np.full((30, 2), 0.5), np.arange(30.0))
    assert selector.scores_.tolist() == [0, 0]
    assert selector.scores_without_witness_.tolist() == [0, 0]
    assert selector.effective_sample_sizes_.tolist() == [30, 30]
    assert selector.tilt([[0.5, 99.0]]).tolist() == [[1, 1]]


def test_the_tilt_lies_on_the_rare_segment():
    data = hidden(0)
    tilt = (
        HypercontractivityCoef().fit(as_column(data.x), data.y).tilt(as_column(data.x))
    )
    excess = np.maximum(tilt[:, 0] - 1, 0)
    assert excess[data.rare].sum() >= 0.8 * excess.sum()


def test_backward_tilt_is_what_that_of_the_target_makes_of_the_feature():
    x, y = (
        np.array(list(names)) for names in ("a" * 20 + "b" * 80, "uv" * 10 + "v" * 80)
    )
    selector = HypercontractivityCoef(direction="backward", min_fraction=None)
    tilt = selector.fit(as_column(x), y).tilt(as_column(x))[:, 0]
    # y = u implies x = a, so that the tilt of the target goes there
    assert selector.scores_[0] == pytest.approx(
        hypercontractivity(y, x, min_fraction=None), rel=1e-5
    )
    assert tilt[0] == pytest.approx(5, rel=1e-3)
    assert tilt[-1] == pytest.approx(0, abs=1e-3)


# ---- what is stored


def test_what_was_fitted_does_not_follow_later_changes_of_the_data():
    X, y = gaussian()
    new = gaussian(seed=1)
    selector = HypercontractivityCoef().fit(X, y)
    before = selector.score(*new), selector.tilt(new[0]).tolist()
    X[:], y[:] = 0, 0
    assert (selector.score(*new), selector.tilt(new[0]).tolist()) == before


def test_pickled_estimator_gives_the_same_results():
    X, y = make_table()
    selector = HypercontractivityCoef(n_permutations=3, n_features_to_select=2)
    selector.fit(X, y)
    restored = pickle.loads(pickle.dumps(selector))
    assert restored.score(X, y) == selector.score(X, y)
    np.testing.assert_array_equal(restored.tilt(X), selector.tilt(X))
    np.testing.assert_array_equal(restored.pvalues_, selector.pvalues_)
    pd.testing.assert_frame_equal(
        restored.set_output(transform="pandas").transform(X),
        selector.set_output(transform="pandas").transform(X),
    )


def test_clones_are_not_fitted_and_keep_their_parameters():
    X, y = make_table()
    parameters = {
        "bandwidth_factor": 0.8,
        "min_fraction": None,
        "method": "paper",
        "direction": "backward",
        "n_features_to_select": 3,
    }
    selector = HypercontractivityCoef(**parameters).fit(X, y)
    copy = clone(selector)
    assert not hasattr(copy, "scores_")
    assert parameters.items() <= copy.get_params().items()
    np.testing.assert_array_equal(copy.fit(X, y).scores_, selector.scores_)


def fitted_bytes(n_features):
    """Return how many bytes the fit of this many features takes at most."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, n_features)), rng.normal(size=5000)
    gc.collect()
    tracemalloc.start()
    HypercontractivityCoef().fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_features_do_not_pile_up_their_kernels():
    per_feature = (fitted_bytes(24) - fitted_bytes(4)) / 20
    column = 5000 * 8
    assert per_feature < 6 * column  # a kernel of 300 cells alone takes 18


def test_a_fitted_estimator_is_not_much_larger_than_the_selected_columns():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 20)), rng.normal(size=5000)
    selector = HypercontractivityCoef(n_features_to_select=1).fit(X, y)
    # of one feature and the target the samples, of all others cells alone
    assert len(pickle.dumps(selector)) < 0.5 * X.nbytes


# ---- permutations


def test_results_are_identical_in_two_threads(monkeypatch):
    monkeypatch.setattr("skinfo._core._parallel._SAMPLES_PER_TASK", 200)
    X, y = make_table()
    selector = HypercontractivityCoef(n_permutations=12, random_state=0)
    expected = clone(selector).fit(X, y)
    found = clone(selector).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(found.scores_, expected.scores_)
    np.testing.assert_array_equal(found.null_distribution_, expected.null_distribution_)


def test_random_state_decides_the_permutations_and_nothing_else():
    X, y = make_table()
    fits = [
        HypercontractivityCoef(n_permutations=5, random_state=seed).fit(X, y)
        for seed in (0, 0, 1)
    ]
    nulls = [fit.null_distribution_ for fit in fits]
    np.testing.assert_array_equal(nulls[0], nulls[1])
    assert not np.array_equal(nulls[0], nulls[2])
    np.testing.assert_array_equal(fits[0].scores_, fits[2].scores_)


def test_null_draws_are_the_values_of_permuted_targets():
    X, y = make_table(100)
    selector = HypercontractivityCoef(n_permutations=60, random_state=0)
    (draws,) = selector.fit(X[["number"]], y).null_distribution_
    seeds = np.random.RandomState(0).randint(2**31 - 1, size=60)
    for seed, draw in list(zip(seeds, draws, strict=True))[:10]:
        order = np.random.default_rng(seed).permutation(100)
        expected = hypercontractivity(X["number"], y[order])
        assert draw == pytest.approx(expected, rel=1e-5)
    rng = np.random.default_rng(1)
    others = [hypercontractivity(X["number"], rng.permutation(y)) for _ in range(60)]
    # 5 standard errors of the difference of two means of 60
    error = 5 * np.sqrt((np.var(draws) + np.var(others)) / 60)
    assert np.mean(draws) == pytest.approx(np.mean(others), abs=error)


def test_pvalues_count_the_null_draws_that_reach_the_score():
    X, y = make_table()
    selector = HypercontractivityCoef(n_permutations=39, random_state=0).fit(X, y)
    reached = selector.null_distribution_ >= selector.scores_[:, np.newaxis]
    np.testing.assert_allclose(selector.pvalues_, (1 + reached.sum(axis=1)) / 40)
    assert selector.pvalues_[0] == 1 / 40
    assert selector.pvalues_[4] > 0.05


def test_without_permutations_there_are_no_pvalues():
    X, y = make_table(60)
    selector = HypercontractivityCoef(n_permutations=2).fit(X, y)
    assert hasattr(selector, "pvalues_")
    selector.set_params(n_permutations=0).fit(X, y)
    assert not hasattr(selector, "pvalues_")
    assert not hasattr(selector, "null_distribution_")


def independent(kind, rng, n=100):
    if kind == "lognormal":
        return np.exp(rng.normal(size=(2, n)))
    if kind == "cauchy":
        return rng.standard_cauchy(size=(2, n))
    if kind == "discrete":
        return rng.integers(0, 3, size=(2, n))
    return rng.normal(size=(2, n))


def rejected_share(kind, n_seeds, n_permutations, n=100):
    """Return the share of independent pairs that are rejected at 5%."""
    rejected = []
    for seed in range(n_seeds):
        x, y = independent(kind, np.random.default_rng(seed), n)
        selector = HypercontractivityCoef(
            n_permutations=n_permutations, random_state=seed
        )
        rejected.append(selector.fit(as_column(x), y).pvalues_[0] <= 0.05)
    return np.mean(rejected)


@pytest.mark.slow
def test_pvalues_of_few_independent_samples_are_valid():
    # the binomial law exceeds this with a probability below 1e-3
    bound = binom.isf(1e-3, 40, 0.05) / 40
    assert rejected_share("cauchy", 40, 19, n=30) <= bound


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "lognormal", "cauchy", "discrete"])
def test_independent_data_are_rejected_in_five_percent(kind):
    share = rejected_share(kind, 300, 199)
    # .05 and 2.4 standard deviations of a binomial share of 300
    assert share <= 0.08
    if kind != "discrete":
        assert share >= 0.02


# ---- selection and containers


def test_best_features_are_selected():
    X, y = make_table()
    for number in (1, 3):
        selector = HypercontractivityCoef(n_features_to_select=number).fit(X, y)
        best = np.sort(np.argsort(-selector.scores_)[:number])
        np.testing.assert_array_equal(selector.get_support(indices=True), best)
        assert selector.transform(X).shape == (200, number)
    half = HypercontractivityCoef(n_features_to_select=0.5).fit(X, y)
    assert half.get_support().sum() == 3


def test_alpha_selects_at_the_false_discovery_rate():
    X, y = make_table()
    X = X[["number", "noise"]]
    selector = HypercontractivityCoef(n_permutations=59, alpha=0.05, random_state=0)
    selector.fit(X, y)
    expected = false_discovery_control(selector.pvalues_) <= 0.05
    np.testing.assert_array_equal(selector.get_support(), expected)
    assert list(selector.get_feature_names_out()) == ["number"]


def test_nothing_significant_scores_zero():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    selector = HypercontractivityCoef(n_permutations=39, alpha=0.05, random_state=0)
    selector.fit(X, y)
    assert not selector.get_support().any()
    assert selector.score(X, y) == 0.0


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_keeps_names_and_kinds(library):
    X, y = make_table()
    selector = HypercontractivityCoef(n_features_to_select=3)
    selector.set_output(transform=library)
    table = X if library == "pandas" else pl.from_pandas(X)
    selected = selector.fit(table, y).transform(table)
    assert list(selected.columns) == list(selector.get_feature_names_out())
    assert selected.shape == (200, 3)
    if library == "pandas":
        pd.testing.assert_frame_equal(selected, X[selected.columns])


@pytest.mark.parametrize("container", [pd.DataFrame, pl.from_pandas])
def test_dataframes_of_all_libraries_agree(container):
    X, y = make_table()
    selector = HypercontractivityCoef(n_permutations=3, random_state=0)
    expected, found = clone(selector).fit(X, y), clone(selector).fit(container(X), y)
    np.testing.assert_array_equal(found.null_distribution_, expected.null_distribution_)
    np.testing.assert_array_equal(found.tilt(container(X)), expected.tilt(X))
    assert found.score(container(X), y) == expected.score(X, y)


def test_memory_maps_serve_as_input(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    joblib.dump((X, y), tmp_path / "data")
    X_map, y_map = joblib.load(tmp_path / "data", mmap_mode="r")
    selector = HypercontractivityCoef(n_permutations=3, random_state=0, n_jobs=2)
    found, expected = clone(selector).fit(X_map, y_map), clone(selector).fit(X, y)
    np.testing.assert_array_equal(found.null_distribution_, expected.null_distribution_)
    assert found.score(X_map, y_map) == expected.score(X, y)
    np.testing.assert_array_equal(found.tilt(X_map), expected.tilt(X))


def test_several_outputs_are_one_target():
    X, y = make_table()
    Y = np.column_stack([y, X["noise"]])
    selector = HypercontractivityCoef().fit(X[["number"]], Y)
    assert selector.scores_[0] == pytest.approx(hypercontractivity(X["number"], Y))
    assert np.isfinite(selector.score(X[["number"]], Y))


def test_names_and_masks_declare_what_is_nominal():
    X, y = make_table()
    found = HypercontractivityCoef(discrete_features=["noise"]).fit(X, y)
    assert found.discrete_features_.tolist() == [False, False, True, True, True, True]
    assert found.scores_[4] == pytest.approx(
        hypercontractivity(X["noise"], y, x_discrete=True)
    )
    codes = np.arange(200) % 7
    selector = HypercontractivityCoef(discrete_target=False).fit(X, codes)
    assert selector.scores_[0] == pytest.approx(
        hypercontractivity(X["number"], codes, y_discrete=False)
    )


def test_rows_with_gaps_are_left_out_pair_by_pair():
    X, y = make_table()
    X.loc[:49, "number"] = np.nan
    X.loc[100:120, "category"] = None
    y[:10] = np.inf
    selector = HypercontractivityCoef(nan_policy="omit", n_permutations=3).fit(X, y)
    for name, score in zip(X, selector.scores_, strict=True):
        rows = X[name].notna() & np.isfinite(y)
        expected = hypercontractivity(X[name][rows], y[rows])
        assert score == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(selector.null_distribution_).all()
    assert np.isfinite(selector.score(X, y))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"bandwidth_factor": 0}, ValueError, "bandwidth_factor=0 must be positive"),
        ({"bandwidth_factor": "1"}, TypeError, "bandwidth_factor='1' must be a num"),
        ({"min_fraction": 0}, ValueError, r"min_fraction=0 must lie in \(0, 1\]"),
        ({"min_fraction": 2}, ValueError, "min_fraction=2 must lie in"),
        ({"method": "knn"}, ValueError, "method='knn' .* one of: 'kde', 'paper'"),
        ({"direction": "up"}, ValueError, "direction='up' .* 'forward', 'backward'"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop' .* 'raise', 'omit'"),
        ({"n_permutations": -1}, ValueError, "n_permutations=-1 must be at least 0"),
        ({"alpha": 0.05}, ValueError, "alpha=0.05 needs p-values"),
        ({"n_features_to_select": 9}, ValueError, "n_features_to_select=9 must be at"),
        ({"discrete_features": "no"}, ValueError, "discrete_features='no'"),
        ({"discrete_target": [4]}, ValueError, "discrete_target holds the index 4"),
    ],
    ids=str,
)
def test_bad_parameters_are_named_with_their_remedy(parameters, error, message):
    X, y = make_table(30)
    selector = HypercontractivityCoef(**parameters)
    with pytest.raises(error, match=message):
        selector.fit(X, y)
    assert not hasattr(selector, "scores_")


def test_four_samples_are_too_few():
    with pytest.raises(ValueError, match="n_samples=4 must be at least 5"):
        HypercontractivityCoef().fit(np.ones((4, 1)), np.ones(4))


# ---- the score on new samples


def halves(draw, seed, n):
    """Fit on one half of the samples, score on the other."""
    x, y = draw(np.random.default_rng(seed), n)
    selector = HypercontractivityCoef().fit(as_column(x[: n // 2]), y[: n // 2])
    return selector.score(as_column(x[n // 2 :]), y[n // 2 :])


def permuted_hidden(rng, n):
    data = hidden(rng.integers(2**31), n)
    y = data.y.copy()
    y[data.rare] = rng.permutation(y[data.rare])
    return data.x, y


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: independent("normal", rng, n),
        lambda rng, n: independent("lognormal", rng, n),
        lambda rng, n: independent("cauchy", rng, n),
        permuted_hidden,
    ],
    ids=["normal", "lognormal", "cauchy", "hidden"],
)
def test_independent_data_score_zero_or_below_on_average(draw):
    scores = [halves(draw, seed, 400) for seed in range(20)]
    assert np.mean(scores) <= 0.01


@pytest.mark.parametrize("shape", ["linear", "sine"])
def test_hidden_dependence_scores_above_zero_by_its_rare_samples(shape):
    positive = []
    for seed in range(10):
        data = hidden(seed, 2000, shape)
        x, y = as_column(data.x), data.y
        selector = HypercontractivityCoef().fit(x[:1000], y[:1000])
        positive.append(selector.score(x[1000:], y[1000:]) > 0)
        excess = np.maximum(selector.tilt(x[:1000])[:, 0] - 1, 0)
        if positive[-1]:
            assert excess[data.rare[:1000]].sum() >= 0.8 * excess.sum()
    assert np.mean(positive) >= 0.9


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_score_of_normals_is_below_their_squared_correlation(direction):
    scores = []
    for seed in range(8):
        X, y = gaussian(2000, seed)
        selector = HypercontractivityCoef(direction=direction).fit(X[:1000], y[:1000])
        scores.append(selector.score(X[1000:], y[1000:]))
    error = np.std(scores, ddof=1) / np.sqrt(8)
    assert 0.45 <= np.mean(scores) <= 0.64 + 2 * error


def test_backward_score_is_that_of_the_swapped_pair():
    X, y = gaussian(400)
    new_X, new_y = gaussian(400, seed=1)
    backward = HypercontractivityCoef(direction="backward").fit(X, y)
    forward = HypercontractivityCoef().fit(as_column(y), X[:, 0])
    assert backward.score(new_X, new_y) == pytest.approx(
        forward.score(as_column(new_y), new_X[:, 0]), rel=1e-3
    )


def test_selected_features_are_scored_as_one_vector():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1200, 3))
    y = np.sign(X[:, 0] * X[:, 1]) + 0.3 * rng.normal(size=1200)
    train, test = (X[:600], y[:600]), (X[600:], y[600:])
    both = HypercontractivityCoef().fit(train[0][:, :2], train[1])
    alone = HypercontractivityCoef().fit(train[0][:, :1], train[1])
    assert both.score(test[0][:, :2], test[1]) > 0.3
    assert alone.score(test[0][:, :1], test[1]) < 0.1
    selected = HypercontractivityCoef(n_features_to_select=2).fit(*train)
    support = selected.get_support()
    other = HypercontractivityCoef().fit(train[0][:, support], train[1])
    assert selected.score(*test) == other.score(test[0][:, support], test[1])


def test_mixed_features_and_nominal_targets_have_a_score():
    X, y = make_table(400)
    names = np.where(y > 0.5, "u", "v")
    for direction in ("forward", "backward"):
        selector = HypercontractivityCoef(direction=direction)
        score = selector.fit(X[:200], names[:200]).score(X[200:], names[200:])
        assert 0.1 < score <= 1
    X["category"] = ["also"] * 100 + list(X["category"])[:100] + ["never seen"] * 200
    selector = HypercontractivityCoef().fit(X[:200], names[:200])
    assert np.isfinite(selector.score(X[200:], names[200:]))


def test_values_that_were_never_seen_carry_nothing():
    names = as_column([f"row {i}" for i in range(100)])
    y = np.arange(100.0)
    selector = HypercontractivityCoef().fit(names[:50], y[:50])
    assert selector.score(names[50:], y[50:]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_many_rounded_samples_of_several_columns_have_a_score(direction):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 2)).round() + 0.05
    Y = (X + rng.normal(size=(6000, 2))).round() + 0.05
    selector = HypercontractivityCoef(direction=direction).fit(X[:3000], Y[:3000])
    assert -1 < selector.score(X[3000:], Y[3000:]) < 1


def test_score_takes_the_columns_of_fit():
    X, y = make_table()
    selector = HypercontractivityCoef().fit(X, y)
    with pytest.raises(ValueError, match="y has 2 columns, but had 1 in fit"):
        selector.score(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"'number' held numbers .* now holds text"):
        selector.score(X.assign(number="text"), y)
    with pytest.raises(ValueError, match="X has 200, y has 199"):
        selector.score(X, y[:-1])


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_very_few_new_samples_have_a_score(n_samples):
    X, y = gaussian()
    selector = HypercontractivityCoef().fit(X, y)
    assert np.isfinite(selector.score(X[:n_samples], y[:n_samples]))


# ---- in the tools of scikit-learn


def test_grid_search_chooses_the_bandwidth():
    X, y = gaussian(600)
    splits = ShuffleSplit(3, test_size=0.4, random_state=0)
    grid = {"bandwidth_factor": [0.05, 1.06, 30.0]}
    search = GridSearchCV(HypercontractivityCoef(), grid, cv=splits).fit(X, y)
    assert search.best_params_ == {"bandwidth_factor": 1.06}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.slow
def test_grid_search_in_parallel_has_the_same_scores():
    X, y = gaussian(300)
    splits = ShuffleSplit(3, test_size=0.4, random_state=0)
    grid = {"bandwidth_factor": [0.5, 1.06], "min_fraction": [0.05, 0.2]}
    one, two = (
        GridSearchCV(HypercontractivityCoef(), grid, cv=splits, n_jobs=n_jobs)
        .fit(X, y)
        .cv_results_["mean_test_score"]
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_grid_search_chooses_the_number_of_features():
    X, y = make_table(400)
    X = X[["number", "noise"]]
    splits = ShuffleSplit(4, test_size=0.5, random_state=0)
    grid = {"n_features_to_select": [1, 2]}
    search = GridSearchCV(HypercontractivityCoef(), grid, cv=splits).fit(X, y)
    assert search.best_params_ == {"n_features_to_select": 1}


@pytest.mark.slow
def test_permutation_test_score_tells_dependence_from_none():
    X, y = make_table(150)
    folds = KFold(3, shuffle=True, random_state=0)
    for name, expected in (("number", True), ("noise", False)):
        _, _, pvalue = permutation_test_score(
            HypercontractivityCoef(),
            X[[name]],
            y,
            cv=folds,
            n_permutations=19,
            random_state=0,
        )
        assert (pvalue <= 0.05) == expected


def test_selector_works_inside_pipelines():
    X, y = make_table(300)
    numbers = X[["number", "square", "noise"]]
    model = make_pipeline(HypercontractivityCoef(n_features_to_select=2), Ridge())
    folds = KFold(3, shuffle=True, random_state=0)
    assert cross_val_score(model, numbers, y, cv=folds).min() > 0.5
    classifier = make_pipeline(
        HypercontractivityCoef(n_features_to_select=1), LogisticRegression()
    )
    names = np.where(y > 0, "u", "v")
    grid = {"hypercontractivitycoef__min_fraction": [0.05, 0.2]}
    search = GridSearchCV(classifier, grid, cv=folds).fit(numbers, names)
    assert search.best_score_ > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("method", ["kde", "paper"])
@pytest.mark.parametrize("shape", ["linear", "sine"])
def test_hidden_dependence_is_significant(shape, method):
    pvalues = []
    for seed in range(6):
        data = hidden(seed, 1000, shape)
        selector = HypercontractivityCoef(
            method=method, n_permutations=99, random_state=0
        )
        pvalues.append(selector.fit(as_column(data.x), data.y).pvalues_[0])
    assert np.median(pvalues) <= 0.05
