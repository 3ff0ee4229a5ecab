import itertools
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from scipy.stats import false_discovery_control
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    permutation_test_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skinfo import MixedMutualInfo, mixed_mutual_info, mutual_information


def make_table(n_samples=200, seed=0):
    """Return a table of all kinds of columns, and a numeric target."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_samples)
    amount = np.exp(y + rng.normal(size=n_samples))
    return pd.DataFrame(
        {
            "number": y + 0.5 * rng.normal(size=n_samples),
            "zeros": np.where(rng.random(n_samples) < 0.5, 0, amount),
            "category": pd.Categorical(np.where(y > 0, "high", "low")),
            "flag": y > 1,
            "noise": rng.normal(size=n_samples).round(1),
            "letter": rng.choice(list("abc"), n_samples),
        }
    ), y


# ---- scores


def test_scores_are_the_mutual_information_of_each_feature():
    X, y = make_table()
    expected = [mutual_information(X[name], y) for name in X]
    np.testing.assert_array_equal(MixedMutualInfo().fit(X, y).scores_, expected)
    np.testing.assert_array_equal(mixed_mutual_info(X, y), expected)


def test_many_short_features_score_as_if_alone(monkeypatch):
    monkeypatch.setattr("skinfo._core._parallel._SAMPLES_PER_TASK", 2000)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 250)), rng.normal(size=20)
    scores = MixedMutualInfo(n_jobs=2).fit(X, y).scores_
    for j in (0, 1, 98, 99, 100, 101, 249):  # 100 features are one task
        assert scores[j] == mutual_information(X[:, j], y)


def test_several_outputs_are_one_target():
    X, y = make_table()
    Y = np.column_stack([y, X["noise"]])
    score = MixedMutualInfo().fit(X[["number"]], Y).scores_[0]
    assert score == mutual_information(X["number"], Y)


@pytest.mark.parametrize(
    "parameters",
    [{"n_neighbors": 3}, {"scale": None}, {"scale": "standard"}, {"ties": "gao"}],
    ids=str,
)
def test_parameters_reach_the_estimate(parameters):
    X, y = make_table()
    X = X[["zeros", "noise"]]
    expected = [mutual_information(X[name], y, **parameters) for name in X]
    scores = MixedMutualInfo(**parameters).fit(X, y).scores_
    np.testing.assert_array_equal(scores, expected)
    assert not np.array_equal(scores, MixedMutualInfo().fit(X, y).scores_)


@pytest.mark.parametrize(
    "discrete", [["noise"], [4], np.array([0, 0, 1, 1, 1, 1], dtype=bool)], ids=str
)
def test_discrete_features_are_given_by_name_index_or_mask(discrete):
    X, y = make_table()
    selector = MixedMutualInfo(discrete_features=discrete).fit(X, y)
    expected = [False, False, True, True, True, True]
    np.testing.assert_array_equal(selector.discrete_features_, expected)
    assert selector.scores_[4] == mutual_information(X["noise"], y, x_discrete=True)


def test_names_of_classes_do_not_matter():
    X, _ = load_iris(return_X_y=True)
    y = load_iris().target
    scores = MixedMutualInfo(discrete_target=True).fit(X, y).scores_
    for names in (np.array(["c", "a", "b"]), np.array([7, -1, 100])):
        renamed = MixedMutualInfo(discrete_target=True).fit(X, names[y])
        np.testing.assert_array_equal(renamed.scores_, scores)


@pytest.mark.parametrize("k", [3, 5, 10])
@pytest.mark.parametrize("discrete_target", [True, "auto"])
def test_iris_never_exceeds_the_entropy_of_the_class(k, discrete_target):
    X, y = load_iris(return_X_y=True)
    selector = MixedMutualInfo(k, discrete_target=discrete_target).fit(X, y)
    assert selector.scores_.max() < np.log(3)


@pytest.mark.parametrize("k", [np.uint8(255), np.int8(127), np.uint64(5)])
def test_short_integers_are_numbers_of_neighbors(k):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 1)), rng.normal(size=400)
    found, expected = (MixedMutualInfo(n).fit(X[:300], y[:300]) for n in (k, int(k)))
    np.testing.assert_array_equal(found.scores_, expected.scores_)
    assert found.score(X[300:], y[300:]) == expected.score(X[300:], y[300:])


def test_constant_feature_scores_zero_with_a_rare_class():
    y = np.zeros(10_000, dtype=int)
    y[:10] = 1
    X = np.ones((10_000, 1))
    assert MixedMutualInfo(discrete_target=True).fit(X, y).scores_[0] == 0


# ---- containers


@pytest.mark.parametrize(
    "container", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas]
)
def test_dataframes_of_all_libraries_agree(container):
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=9, random_state=0)
    expected = clone(selector).fit(X, y)
    found = clone(selector).fit(container(X), y)
    np.testing.assert_array_equal(found.scores_, expected.scores_)
    np.testing.assert_array_equal(found.pvalues_, expected.pvalues_)
    np.testing.assert_array_equal(found.feature_names_in_, X.columns)
    assert found.score(container(X), y) == expected.score(X, y)


def test_the_target_may_be_a_column_of_arrow():
    X, y = make_table()
    target = pa.table({"y": y})["y"]
    expected = MixedMutualInfo().fit(X, y).scores_
    found = MixedMutualInfo().fit(pa.Table.from_pandas(X), target).scores_
    np.testing.assert_array_equal(found, expected)


def test_object_arrays_keep_the_kinds_of_columns():
    X, y = make_table()
    selector = MixedMutualInfo().fit(X.to_numpy(dtype=object), y)
    np.testing.assert_array_equal(selector.scores_, MixedMutualInfo().fit(X, y).scores_)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_keeps_names_and_kinds(library):
    X, y = make_table()
    selector = MixedMutualInfo(n_features_to_select=2).set_output(transform=library)
    table = X if library == "pandas" else pl.from_pandas(X)
    selected = selector.fit(table, y).transform(table)
    assert list(selected.columns) == list(selector.get_feature_names_out())
    if library == "pandas":
        pd.testing.assert_frame_equal(selected, X[selected.columns])


def test_memory_maps_serve_as_input(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    joblib.dump((X, y), tmp_path / "data")
    X_map, y_map = joblib.load(tmp_path / "data", mmap_mode="r")
    selector = MixedMutualInfo(n_permutations=5, random_state=0, n_jobs=2)
    found = clone(selector).fit(X_map, y_map)
    expected = clone(selector).fit(X, y)
    np.testing.assert_array_equal(found.null_distribution_, expected.null_distribution_)


def test_what_was_fitted_does_not_follow_later_changes_of_the_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X[:, 0] + rng.normal(size=200)
    X_new, y_new = X[100:].copy(), y[100:].copy()
    selector = MixedMutualInfo().fit(X[:100], y[:100])
    before = selector.score(X_new, y_new)
    X[:], y[:] = 0, 0
    assert selector.score(X_new, y_new) == before


def test_pickled_estimator_gives_the_same_scores():
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=9, n_features_to_select=3).fit(X, y)
    restored = pickle.loads(pickle.dumps(selector))
    assert restored.score(X, y) == selector.score(X, y)
    pd.testing.assert_frame_equal(
        restored.set_output(transform="pandas").transform(X),
        selector.set_output(transform="pandas").transform(X),
    )


# ---- permutations


def test_random_state_decides_the_permutations_and_nothing_else():
    X, y = make_table()
    fits = [
        MixedMutualInfo(n_permutations=20, random_state=seed).fit(X, y)
        for seed in (0, 0, 1, np.random.RandomState(0))
    ]
    nulls = [fit.null_distribution_ for fit in fits]
    np.testing.assert_array_equal(nulls[0], nulls[1])
    np.testing.assert_array_equal(nulls[0], nulls[3])
    assert not np.array_equal(nulls[0], nulls[2])
    np.testing.assert_array_equal(fits[0].scores_, fits[2].scores_)


def test_pvalues_count_the_null_draws_that_reach_the_score():
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=50, random_state=0).fit(X, y)
    assert selector.null_distribution_.shape == (6, 50)
    reached = selector.null_distribution_ >= selector.scores_[:, np.newaxis]
    np.testing.assert_allclose(selector.pvalues_, (1 + reached.sum(axis=1)) / 51)
    assert selector.pvalues_[0] == 1 / 51
    assert selector.pvalues_[4] > 0.05


def test_without_permutations_there_are_no_pvalues():
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=5).fit(X, y)
    assert hasattr(selector, "pvalues_")
    selector.set_params(n_permutations=0).fit(X, y)
    assert not hasattr(selector, "pvalues_")
    assert not hasattr(selector, "null_distribution_")


def draw(kind, rng):
    """Return an independent pair of 100 samples."""
    x, y = rng.normal(size=(2, 100))
    if kind == "zero-inflated":
        x, y = (np.where(rng.random(100) < 0.5, 0, values) for values in (x, y))
    elif kind == "rounded":
        x, y = np.round(2 * x), np.round(2 * y)
    elif kind == "binary":
        x, y = (x > 0).astype(int), (y > 0).astype(int)
    return x[:, np.newaxis], y


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["continuous", "zero-inflated", "rounded", "binary"], ids=str
)
def test_independent_data_are_rejected_in_five_percent_at_most(kind):
    rejected = []
    for seed in range(400):
        x, y = draw(kind, np.random.default_rng(seed))
        selector = MixedMutualInfo(n_permutations=199, random_state=seed)
        rejected.append(selector.fit(x, y).pvalues_[0] <= 0.05)
    # .05 and 2.75 standard deviations of a binomial share of 400
    assert np.mean(rejected) <= 0.08
    if kind == "continuous":
        assert np.mean(rejected) >= 0.02


def test_pvalues_of_independent_binary_data_are_valid():
    rejected = []
    for seed in range(100):
        x, y = draw("binary", np.random.default_rng(seed))
        selector = MixedMutualInfo(n_permutations=39, random_state=seed)
        rejected.append(selector.fit(x[:40], y[:40]).pvalues_[0] <= 0.05)
    # .05 and 3 standard deviations of a binomial share of 100
    assert np.mean(rejected) <= 0.115


# ---- selection


def test_best_features_are_selected():
    X, y = make_table()
    selector = MixedMutualInfo(n_features_to_select=2).fit(X, y)
    best = np.sort(np.argsort(-selector.scores_)[:2])
    np.testing.assert_array_equal(selector.get_support(indices=True), best)
    assert selector.transform(X).shape == (200, 2)


@pytest.mark.parametrize(("share", "number"), [(0.5, 3), (1.0, 6), (0.01, 1), (0.4, 2)])
def test_fraction_of_features_is_selected(share, number):
    X, y = make_table()
    selector = MixedMutualInfo(n_features_to_select=share).fit(X, y)
    assert selector.get_support().sum() == number


def test_equal_scores_are_selected_in_the_order_of_columns():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 50))
    X = np.column_stack([x, x, x])
    selector = MixedMutualInfo(n_features_to_select=2).fit(X, y)
    np.testing.assert_array_equal(selector.get_support(), [True, True, False])


def test_alpha_selects_at_the_false_discovery_rate():
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=199, alpha=0.05, random_state=0)
    selector.fit(X, y)
    expected = false_discovery_control(selector.pvalues_) <= 0.05
    np.testing.assert_array_equal(selector.get_support(), expected)
    assert list(selector.get_feature_names_out()) == list(X.columns[:4])
    selector.set_params(n_features_to_select=1).fit(X, y)
    assert selector.get_support().sum() == 1


def test_nothing_significant_selects_no_columns():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    selector = MixedMutualInfo(n_permutations=99, alpha=0.02, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="No features were selected"):
        assert selector.transform(X).shape == (60, 0)
    assert selector.score(X, y) == 0.0


def test_too_few_permutations_for_alpha_are_warned_of():
    X, y = make_table()
    selector = MixedMutualInfo(n_permutations=118, alpha=0.05, random_state=0)
    with pytest.warns(UserWarning, match="Pass n_permutations=119 or more"):
        selector.fit(X, y)
    selector.set_params(n_permutations=119).fit(X, y)


# ---- strategies


def test_greedy_strategies_rank_and_select():
    X, y = make_table()
    X["copy"] = 2 * X["number"]
    selector = MixedMutualInfo(n_features_to_select=2).fit(X, y)
    assert list(selector.get_feature_names_out()) == ["number", "copy"]
    assert not hasattr(selector, "ranking_")
    selector.set_params(strategy="jmi").fit(X, y)
    np.testing.assert_array_equal(selector.ranking_ <= 2, selector.get_support())
    assert selector.ranking_.tolist().count(3) == 5
    assert selector.ranking_[0] == 1
    assert selector.ranking_[6] == 3
    selector.set_params(strategy="marginal").fit(X, y)
    assert not hasattr(selector, "ranking_")


def test_score_judges_what_a_greedy_strategy_selects():
    X, y = make_table(400)
    X["copy"] = 2 * X["number"]
    greedy = MixedMutualInfo(strategy="mrmr", n_features_to_select=2)
    names = list(greedy.fit(X[:300], y[:300]).get_feature_names_out())
    assert names[0] == "number"
    assert names[1] != "copy"
    alone = MixedMutualInfo().fit(X.loc[:299, names], y[:300])
    assert greedy.score(X[300:], y[300:]) == alone.score(X.loc[300:, names], y[300:])


@pytest.mark.parametrize("parameters", [{"n_permutations": 9}, {"alpha": 0.05}])
@pytest.mark.parametrize("strategy", ["mrmr", "jmi", "cmim"])
def test_pvalues_of_a_greedy_selection_are_refused(strategy, parameters):
    X, y = make_table()
    selector = MixedMutualInfo(strategy=strategy, **parameters)
    message = (
        rf"with strategy='{strategy}'.* not be valid. "
        r"Pass strategy='marginal', or .*permutation_test_score"
    )
    with pytest.raises(ValueError, match=message):
        selector.fit(X, y)
    assert not [name for name in vars(selector) if name.endswith("_")]


# ---- missing values


def test_rows_with_gaps_are_left_out_pair_by_pair():
    X, y = make_table()
    X.loc[:49, "number"] = np.nan
    X.loc[100:120, "letter"] = None
    y[:10] = np.inf
    selector = MixedMutualInfo(nan_policy="omit", n_permutations=9, random_state=0)
    selector.fit(X, y)
    for name, score in zip(X, selector.scores_, strict=True):
        rows = X[name].notna() & np.isfinite(y)
        assert score == mutual_information(X[name][rows], y[rows])
    assert np.isfinite(selector.null_distribution_).all()
    assert np.isfinite(selector.score(X, y))


def test_gaps_in_features_that_are_not_selected_do_not_shorten_the_score():
    X, y = make_table()
    X["noise"] = np.nan
    X.loc[:29, "noise"] = range(30)
    selector = MixedMutualInfo(nan_policy="omit", n_features_to_select=1).fit(X, y)
    other = MixedMutualInfo(n_features_to_select=1).fit(X.drop(columns="noise"), y)
    assert selector.score(X, y) == other.score(X.drop(columns="noise"), y)


def test_too_few_complete_rows_name_the_column():
    X, y = make_table()
    X.loc[6:, "zeros"] = np.nan
    with pytest.raises(ValueError, match=r"Only 6 rows remain .*'zeros'"):
        MixedMutualInfo(nan_policy="omit").fit(X, y)


# ---- the held-out score in the tools of scikit-learn


def test_score_functions_of_scikit_learn_take_the_helper():
    X, y = make_table()
    numbers = X[["number", "zeros", "noise"]]
    selector = SelectKBest(mixed_mutual_info, k=2).fit(numbers, y)
    assert list(selector.get_feature_names_out()) == ["number", "zeros"]


def test_selector_works_inside_pipelines_and_column_transformers():
    X, y = make_table()
    encode = make_column_transformer(
        (OneHotEncoder(), ["category", "letter"]),
        (MixedMutualInfo(n_features_to_select=1), ["number", "noise"]),
    )
    assert (
        cross_val_score(make_pipeline(encode, Ridge()), X, y, cv=KFold(3)).min() > 0.5
    )
    select = MixedMutualInfo(n_features_to_select=3).set_output(transform="pandas")
    model = make_pipeline(select, OneHotEncoder(handle_unknown="ignore"), Ridge())
    assert cross_val_score(model, X, y, cv=KFold(3)).min() > 0


def test_grid_search_chooses_neighbors_and_features():
    X, y = make_table(300)
    grid = {"n_neighbors": [1, 10], "n_features_to_select": [1, 2]}
    folds = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(MixedMutualInfo(), grid, cv=folds).fit(X, y)
    assert search.best_params_["n_neighbors"] == 10
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_grid_search_inside_a_pipeline():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(MixedMutualInfo(), LogisticRegression(max_iter=1000))
    grid = {"mixedmutualinfo__n_features_to_select": [1, 3]}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, grid, cv=folds).fit(X, y.astype(str))
    assert search.best_score_ > 0.9


def test_grid_search_over_strategies_inside_a_pipeline():
    X, y = load_iris(return_X_y=True)
    X = np.column_stack([X, X[:, 3]])  # marginal selection of two takes both copies
    select = MixedMutualInfo(discrete_target=True)
    pipeline = make_pipeline(select, LogisticRegression(max_iter=1000))
    grid = {
        "mixedmutualinfo__strategy": ["marginal", "mrmr", "jmi", "cmim"],
        "mixedmutualinfo__n_neighbors": [3, 10],
        "mixedmutualinfo__n_features_to_select": [1, 2],
    }
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, grid, cv=folds, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.95
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["mixedmutualinfo__strategy"] != "marginal"
    alone = GridSearchCV(select, {"strategy": ["marginal", "jmi"]}, cv=folds)
    alone.set_params(estimator__n_features_to_select=2).fit(X, y)
    assert alone.best_params_ == {"strategy": "jmi"}


def test_permutation_test_score_detects_dependence():
    X, y = make_table(120)
    folds = KFold(3, shuffle=True, random_state=0)
    for names, expected in ((["number"], True), (["noise"], False)):
        _, _, pvalue = permutation_test_score(
            MixedMutualInfo(10),
            X[names],
            y,
            cv=folds,
            n_permutations=19,
            random_state=0,
        )
        assert (pvalue <= 0.05) == expected


# ---- bad input


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_neighbors": 200}, ValueError, "n_neighbors=200 must be smaller"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"n_neighbors": 2.0}, TypeError, "n_neighbors=2.0 must be an integer"),
        ({"n_neighbors": True}, TypeError, "n_neighbors=True must be an integer"),
        ({"scale": "minmax"}, ValueError, "scale='minmax' .* 'rank', 'standard', None"),
        ({"ties": "noise"}, ValueError, "ties='noise' .* 'adaptive', 'gao'"),
        ({"strategy": "mRMR"}, ValueError, "strategy='mRMR' .* 'mrmr', 'jmi', 'cmim'"),
        ({"strategy": None}, ValueError, "strategy=None is not a known option"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop' .* 'raise', 'omit'"),
        (
            {"alpha": 0.05},
            ValueError,
            "alpha=0.05 needs p-values, .*n_permutations=999",
        ),
        (
            {"alpha": 1.5, "n_permutations": 9},
            ValueError,
            "alpha=1.5 must lie strictly",
        ),
        (
            {"alpha": "5%", "n_permutations": 9},
            TypeError,
            "alpha='5%' must be a number",
        ),
        ({"n_permutations": -1}, ValueError, "n_permutations=-1 must be at least 0"),
        ({"n_permutations": 9.5}, TypeError, "n_permutations=9.5 must be an integer"),
        ({"n_features_to_select": 7}, ValueError, "n_features_to_select=7 must be at"),
        ({"n_features_to_select": 0}, ValueError, "n_features_to_select=0 must be at"),
        ({"n_features_to_select": 1.5}, ValueError, "n_features_to_select=1.5 is a fr"),
        ({"n_features_to_select": "2"}, TypeError, "n_features_to_select='2' must be"),
        ({"n_features_to_select": True}, TypeError, "n_features_to_select=True must"),
        ({"discrete_features": "all"}, ValueError, "discrete_features='all'"),
        ({"discrete_features": [9]}, ValueError, "discrete_features holds the index 9"),
        ({"discrete_features": ["age"]}, ValueError, "discrete_features holds 'age'"),
        ({"discrete_features": False}, ValueError, "column 'category' is not discrete"),
        ({"discrete_features": [True]}, ValueError, "mask of length 1"),
        ({"discrete_target": "no"}, ValueError, "discrete_target='no'"),
    ],
    ids=str,
)
def test_bad_parameters_are_named_with_their_remedy(parameters, error, message):
    X, y = make_table()
    with pytest.raises(error, match=message):
        MixedMutualInfo(**parameters).fit(X, y)


@pytest.mark.parametrize("parameters", [{"n_neighbors": 0}, {"alpha": 0.05}], ids=str)
def test_bad_parameters_leave_no_fitted_attributes(parameters):
    X, y = make_table()
    selector = MixedMutualInfo(**parameters)
    with pytest.raises(ValueError, match=r"must be at least 1|needs p-values"):
        selector.fit(X, y)
    assert not [name for name in vars(selector) if name.endswith("_")]


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (np.ones((9, 1)), np.ones(8), ValueError, "X has 9, y has 8"),
        (np.ones((0, 1)), np.ones(0), ValueError, "0 sample"),
        (np.ones((9, 0)), np.ones(9), ValueError, "0 feature"),
        (np.ones(9), np.ones(9), ValueError, "Expected 2D array"),
        (np.ones((9, 1)) * 1j, np.ones(9), ValueError, "Complex data not supported"),
        (np.full((9, 1), np.nan), np.ones(9), ValueError, "X contains NaN or infinity"),
        (np.ones((9, 1)), np.full(9, np.inf), ValueError, "y contains NaN or infinity"),
        (sparse.eye_array(9), np.ones(9), TypeError, "Sparse data .*toarray"),
        (np.ones((9, 1)), None, ValueError, "requires y to be passed"),
    ],
    ids=[
        "lengths",
        "no rows",
        "no columns",
        "1-D",
        "complex",
        "NaN",
        "y",
        "sparse",
        "None",
    ],
)
def test_bad_data_are_named_with_their_remedy(X, y, error, message):
    with pytest.raises(error, match=message):
        MixedMutualInfo().fit(X, y)


def test_text_in_a_column_that_was_numeric_is_an_error_of_score():
    X, y = make_table()
    selector = MixedMutualInfo().fit(X, y)
    with pytest.raises(ValueError, match=r"'number' held numbers .* now holds text"):
        selector.score(X.assign(number="text"), y)
    with pytest.raises(ValueError, match="y has 2 columns, but had 1 in fit"):
        selector.score(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="feature names should match"):
        selector.score(X.rename(columns={"number": "count"}), y)


# ---- columns of different kinds in one frame


MIXED = {
    "number": [0.5, 1.5, 2.5] * 20,
    "date": pd.date_range("2024-01-01", periods=60),
    "category": pd.Categorical(list("abc") * 20),
    "flag": [True, False, True] * 20,
    "whole": pd.array([1, 2, 3] * 20, dtype="Int64"),
    "text": list("xyz") * 20,
}


@pytest.mark.parametrize("container", [pd.DataFrame, pl.from_pandas], ids=["pd", "pl"])
@pytest.mark.parametrize("names", list(itertools.combinations(MIXED, 2)), ids="-".join)
def test_frames_of_any_two_kinds_are_transformed(container, names):
    frame = container(pd.DataFrame({name: MIXED[name] for name in names}))
    selector = MixedMutualInfo().fit(frame, np.arange(60.0))
    assert selector.transform(frame).shape == (60, 2)
    assert isinstance(selector.transform(frame), np.ndarray)


def test_polars_frames_keep_their_dtypes():
    frame = pl.DataFrame({name: MIXED[name] for name in ("number", "date", "text")})
    selector = MixedMutualInfo(n_features_to_select=2).set_output(transform="polars")
    selected = selector.fit(frame, np.arange(60.0)).transform(frame)
    assert selected.dtypes == frame[selected.columns].dtypes


def test_only_selected_columns_are_searched_for_gaps():
    X, y = make_table()
    selector = MixedMutualInfo(n_features_to_select=1).fit(X[["number", "noise"]], y)
    X.loc[0, "noise"] = np.nan
    assert selector.transform(X[["number", "noise"]]).shape == (200, 1)
    X.loc[0, "number"] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        selector.transform(X[["number", "noise"]])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("as_object", [True, False])
def test_dates_are_scored_in_the_unit_of_fit(unit, as_object):
    dates = pd.date_range("2024-01-01", periods=120).to_numpy()
    y = np.arange(120.0)
    for fitted in ("s", "us", "ns"):
        train = pd.DataFrame({"date": dates.astype(f"M8[{fitted}]")})
        new = pd.DataFrame({"date": dates.astype(f"M8[{unit}]")})
        if as_object:
            new = new.astype(object)
        selector = MixedMutualInfo().fit(train, y)
        assert selector.score(new, y) == selector.score(train, y)
    with pytest.raises(ValueError, match="held dates in fit, but now holds numbers"):
        selector.score(pd.DataFrame({"date": y}), y)


# ---- the false discovery rate


def test_raw_significance_is_not_enough_among_many_features():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 20)), rng.normal(size=60)
    selector = MixedMutualInfo(n_permutations=399, alpha=0.05, random_state=0)
    selector.fit(X, y)
    assert selector.pvalues_.min() <= 0.05  # one of 20 by chance
    assert not selector.get_support().any()


@pytest.mark.parametrize(
    ("alpha", "n_features"),
    [(0.15, 12), (0.03, 9), (0.072, 9)],  # 9 / 0.072 is rounded up to more than 125
)
def test_advised_permutations_are_enough_for_a_single_feature(alpha, n_features):
    rng = np.random.default_rng(0)
    y = rng.normal(size=100)
    X = np.column_stack([y, *rng.normal(size=(n_features - 1, 100))])
    n_permutations = round(n_features / alpha) - 1
    selector = MixedMutualInfo(
        n_permutations=n_permutations, alpha=alpha, random_state=0
    ).fit(X, y)
    assert selector.pvalues_[0] == 1 / (1 + n_permutations)
    assert selector.get_support()[0]


def test_negated_features_score_the_same():
    rng = np.random.default_rng(0)
    for n_samples in (29, 30):
        X, y = rng.normal(size=(n_samples, 3)), rng.normal(size=n_samples)
        scores = MixedMutualInfo().fit(X, y).scores_
        np.testing.assert_array_equal(MixedMutualInfo().fit(-X, y).scores_, scores)


def test_frames_of_which_nothing_is_selected_become_empty():
    frame = pd.DataFrame({"text": MIXED["text"], "date": MIXED["date"]})
    y = np.random.default_rng(1).normal(size=60)
    selector = MixedMutualInfo(n_permutations=39, alpha=0.05, random_state=0)
    selector.fit(frame, y)
    with pytest.warns(UserWarning, match=r"No features were selected: .*alpha=0\.05"):
        assert selector.transform(frame).shape == (60, 0)


@pytest.mark.parametrize(
    ("equal", "other"),
    [
        ([[1.0, 2.0], [1.0, 2.0]], [1.0, 2.0 + 1e-12]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], {"a": 1, "b": 3}),
        ([{1, 2}, {2, 1}], {1, 3}),
        ([np.arange(2000.0), np.arange(2000.0)], np.r_[:1000, -1, 1001:2000] / 1.0),
        ([bytearray(b"x"), bytearray(b"x")], bytearray(b"y")),
        ([([1],), ([1],)], ([2],)),
    ],
    ids=["list", "dict", "set", "array", "bytearray", "tuple"],
)
def test_objects_that_cannot_be_hashed_are_compared_by_equality(equal, other):
    x = np.empty(40, dtype=object)
    for i in range(40):
        x[i] = equal[i % 2] if i < 20 else other
    y = np.array(["a"] * 20 + ["b"] * 20)
    names = np.where(np.arange(40) < 20, "first", "second")
    assert mutual_information(x, y) == mutual_information(names, y)


def test_columns_of_a_multi_index_are_named_by_tuples():
    columns = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    X = pd.DataFrame(
        np.round(np.random.default_rng(0).normal(size=(60, 2))), None, columns
    )
    y = X[("a", "x")].to_numpy()
    found = mixed_mutual_info(X, y, discrete_features=[("a", "y")])
    assert found[1] == mutual_information(X[("a", "y")], y, x_discrete=True)


def test_names_of_several_columns_are_refused():
    X = pd.DataFrame(np.ones((60, 3)), columns=["a", "a", "b"])
    with pytest.raises(ValueError, match="holds 'a', which names several columns"):
        mixed_mutual_info(X, np.arange(60), discrete_features=["a"])
