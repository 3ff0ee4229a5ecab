"""Greedy selection of features, against plain loops over public functions."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skinfo import MixedMutualInfo, mutual_information
from skinfo._core import _parallel
from skinfo.dependence.selection._redundancy import PairTerms

GREEDY = ("mrmr", "jmi", "cmim")


def make_mixed_table(n_samples=150, seed=0):
    """Return 12 columns of all kinds, most of which depend on each other."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_samples, 3))
    y = factors @ [1.0, 0.7, 0.4] + 0.5 * rng.normal(size=n_samples)
    columns = {
        f"sum {i}": factors @ rng.normal(size=3) + 0.3 * rng.normal(size=n_samples)
        for i in range(5)
    }
    columns |= {
        "rounded": columns["sum 0"].round(),
        "zeros": np.where(rng.random(n_samples) < 0.5, 0, np.exp(y)),
        "category": pd.Categorical(np.where(factors[:, 0] > 0.5, "high", "low")),
        "flag": factors[:, 1] > 0,
        "noise": rng.normal(size=n_samples),
        "tied noise": rng.normal(size=n_samples).round(1),
        "letter": rng.choice(list("abc"), n_samples),
    }
    return pd.DataFrame(columns), y


def make_repeated(n_samples, seed, *, binary=False):
    """Return 3 informative features, 2 sums and 4 copies of these, 3 of noise."""
    X, y = make_classification(
        n_samples,
        n_features=12,
        n_informative=3,
        n_redundant=2,
        n_repeated=4,
        random_state=seed,
    )
    X = np.median(X, axis=0) < X if binary else X
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(12)]), y.astype(str)


def plain_order(X, y, strategy, n_selected, **options):
    """Choose by the mean, sum or minimum of all terms, anew in every step."""

    @cache
    def information(*names):
        return mutual_information(X[list(names)], y, nan_policy="omit", **options)

    @cache
    def term(name, chosen):
        if strategy == "mrmr":
            known = pd.notna(y)  # two features, in the rows that have a target
            pair = X.loc[known, name], X.loc[known, chosen]
            return mutual_information(*pair, nan_policy="omit", **options)
        joint = information(name, chosen)
        if strategy == "jmi":
            return joint
        complete = X[[name, chosen]].notna().all(axis=1).to_numpy()
        x = X.loc[complete, chosen]
        return joint - mutual_information(x, y[complete], nan_policy="omit", **options)

    def criterion(name):
        terms = [term(name, chosen) for chosen in order]
        if strategy == "mrmr":
            return information(name) - np.mean(terms)
        return np.sum(terms) if strategy == "jmi" else min(terms)

    order = [max(X, key=information)]
    while len(order) < n_selected:
        order.append(max((name for name in X if name not in order), key=criterion))
    return order


def order_of(selector, X):
    """Return the names of the selected columns in the order of choice."""
    names = np.asarray(X.columns)[np.argsort(selector.ranking_, kind="stable")]
    return names[: selector.get_support().sum()].tolist()


def number_of_copies(X, names):
    return len(names) - len({X[name].to_numpy().tobytes() for name in names})


# ---- the order of choice


@pytest.mark.parametrize("strategy", GREEDY)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_order_is_that_of_plain_loops_over_all_terms(strategy, seed):
    X, y = make_mixed_table(seed=seed)
    selector = MixedMutualInfo(strategy=strategy).fit(X, y)
    assert order_of(selector, X) == plain_order(X, y, strategy, 12)
    expected = [mutual_information(X[name], y) for name in X]
    np.testing.assert_array_equal(selector.scores_, expected)


@pytest.mark.parametrize("strategy", GREEDY)
@pytest.mark.parametrize(
    "parameters",
    [{"n_neighbors": 3}, {"scale": None}, {"scale": "standard"}, {"ties": "gao"}],
    ids=str,
)
def test_parameters_of_the_estimate_reach_all_terms(strategy, parameters):
    X, y = make_mixed_table()
    selector = MixedMutualInfo(strategy=strategy, n_features_to_select=4, **parameters)
    expected = plain_order(X, y, strategy, 4, **parameters)
    assert order_of(selector.fit(X, y), X) == expected


def test_strategies_choose_differently():
    X, y = make_mixed_table()
    fits = [MixedMutualInfo(strategy=strategy).fit(X, y) for strategy in GREEDY]
    assert len({tuple(fit.ranking_) for fit in fits}) == 3


@pytest.mark.parametrize("strategy", GREEDY)
def test_nominal_classes_and_two_outputs_are_targets(strategy):
    X, y = make_mixed_table()
    classes = np.digitize(y, [-1, 1])
    selector = MixedMutualInfo(
        strategy=strategy, n_features_to_select=4, discrete_target=True
    )
    expected = plain_order(X, classes.astype(str), strategy, 4)
    assert order_of(selector.fit(X, classes), X) == expected
    both = np.column_stack([y, classes])
    order = order_of(MixedMutualInfo(strategy=strategy).fit(X, both), X)
    assert order[0] == max(X, key=lambda name: mutual_information(X[name], both))


@pytest.mark.parametrize("strategy", GREEDY)
def test_fewer_features_are_the_first_of_the_whole_order(strategy):
    X, y = make_mixed_table()
    whole = MixedMutualInfo(strategy=strategy).fit(X, y).ranking_
    np.testing.assert_array_equal(np.sort(whole), np.arange(1, 13))
    for number, n_selected in ((1, 1), (4, 4), (0.5, 6)):
        selector = MixedMutualInfo(strategy=strategy, n_features_to_select=number)
        selector.fit(X, y)
        expected = np.minimum(whole, n_selected + 1)
        np.testing.assert_array_equal(selector.ranking_, expected)
        np.testing.assert_array_equal(selector.get_support(), whole <= n_selected)


@pytest.mark.parametrize("strategy", GREEDY)
def test_each_term_is_computed_once(strategy, monkeypatch):
    pairs = []
    term = PairTerms.term

    def counted(self, candidate, chosen):
        pairs.append((id(candidate), id(chosen)))
        return term(self, candidate, chosen)

    monkeypatch.setattr(PairTerms, "term", counted)
    X, y = make_mixed_table()
    MixedMutualInfo(strategy=strategy, n_features_to_select=4).fit(X, y)
    assert len(set(pairs)) == len(pairs) == 11 + 10 + 9


def test_features_that_are_informative_only_together_are_found():
    rng = np.random.default_rng(0)
    n = 500
    first, weak = rng.random((2, n)) < 0.5
    second = rng.random(n) < 0.7  # so that first alone is slightly informative
    y = first ^ second
    X = np.column_stack([first, second, np.where(rng.random(n) < 0.8, y, weak)])
    marginal = MixedMutualInfo(n_features_to_select=2).fit(X, y)
    assert marginal.get_support()[2]
    for strategy in ("jmi", "cmim"):
        ranking = MixedMutualInfo(strategy=strategy).fit(X[:, :2], y).ranking_
        np.testing.assert_array_equal(ranking, [1, 2])


def test_mrmr_alone_prefers_noise_to_a_useful_feature_that_depends_on_another():
    rng = np.random.default_rng(0)
    factor, other, noise = rng.normal(size=(3, 500))
    y = factor + other
    X = np.column_stack([factor + 0.1 * other, factor - 0.3 * other, noise])
    rankings = {
        strategy: MixedMutualInfo(strategy=strategy).fit(X, y).ranking_.tolist()
        for strategy in GREEDY
    }
    assert rankings == {"mrmr": [1, 3, 2], "jmi": [1, 2, 3], "cmim": [1, 2, 3]}


# ---- copies


@pytest.mark.parametrize("strategy", GREEDY)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("n_samples", [150, pytest.param(500, marks=pytest.mark.slow)])
def test_first_five_features_hold_no_copies(strategy, binary, n_samples):
    for seed in range(3):
        X, y = make_repeated(n_samples, seed, binary=binary)
        selector = MixedMutualInfo(strategy=strategy, n_features_to_select=5)
        assert number_of_copies(X, order_of(selector.fit(X, y), X)) == 0
        assert number_of_copies(X, list(X)) == 4


def test_sums_alone_would_choose_copies():
    X, y = make_repeated(150, 0)
    assert number_of_copies(X, plain_order(X, y, "jmi", 5)) > 0


@pytest.mark.parametrize("strategy", GREEDY)
def test_copies_come_last_in_the_order_of_columns(strategy):
    X, y = make_mixed_table()
    tables = [X, X[["sum 0", "category", "letter"]], X[["sum 0", "category"]]]
    X = pd.concat(tables, axis=1).set_axis([f"x{j}" for j in range(17)], axis=1)
    ranking = MixedMutualInfo(strategy=strategy).fit(X, y).ranking_
    assert set(ranking[12:]) == set(range(13, 18))
    assert ranking[12] < ranking[15]
    assert ranking[13] < ranking[16]


@pytest.mark.parametrize("strategy", GREEDY)
def test_monotone_transforms_and_other_names_count_as_copies(strategy):
    X, y = make_mixed_table()
    copies = pd.DataFrame(
        {
            "exp": np.exp(X["sum 1"]),
            "negated": -X["zeros"],
            "renamed": X["letter"].map({"a": "x", "b": "c", "c": "a"}),
        }
    )
    table = pd.concat([X, copies], axis=1)
    ranking = MixedMutualInfo(strategy=strategy).fit(table, y).ranking_
    # either of the two can be the copy: both have the same terms
    assert set(ranking[12:]) == {13, 14, 15}


@pytest.mark.parametrize("strategy", GREEDY)
def test_constants_come_after_noise(strategy):
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    noise = rng.normal(size=(200, 4))
    X = np.column_stack([np.ones(200), y + noise[:, 0], noise[:, 1:]])
    ranking = MixedMutualInfo(strategy=strategy).fit(X, y).ranking_
    assert ranking[1] == 1
    assert ranking[0] == 5


# ---- missing values


@pytest.mark.parametrize("strategy", GREEDY)
@pytest.mark.parametrize("in_target", [False, True])
def test_each_term_leaves_out_its_own_gaps(strategy, in_target):
    X, y = make_mixed_table(250)
    X.loc[:49, "sum 0"] = np.nan
    X.loc[40:79, ["zeros", "noise"]] = np.nan
    X.loc[200:209, "letter"] = None
    if in_target:
        y[220:] = np.nan
    selector = MixedMutualInfo(
        strategy=strategy, nan_policy="omit", n_features_to_select=4
    )
    assert order_of(selector.fit(X, y), X) == plain_order(X, y, strategy, 4)


@pytest.mark.parametrize("strategy", GREEDY)
def test_copies_with_gaps_come_last(strategy):
    X, y = make_mixed_table()
    X.loc[:29, "sum 1"] = np.nan
    X["copy"] = X["sum 1"]
    selector = MixedMutualInfo(strategy=strategy, nan_policy="omit").fit(X, y)
    assert selector.ranking_[12] == 13


def test_too_few_common_rows_of_two_features_name_the_column():
    X, y = make_mixed_table()
    X = X[["sum 0", "sum 1"]].copy()
    X.loc[:70, "sum 0"] = np.nan
    X.loc[74:, "sum 1"] = np.nan
    selector = MixedMutualInfo(strategy="jmi", nan_policy="omit")
    with pytest.raises(ValueError, match=r"Only 3 rows remain .*'sum 1' .*n_neighbors"):
        selector.fit(X, y)
    assert not [name for name in vars(selector) if name == "scores_"]


# ---- parallel work


def test_terms_do_not_depend_on_the_number_of_features_in_a_task(monkeypatch):
    X, y = make_mixed_table()
    selector = MixedMutualInfo(strategy="cmim")
    expected = selector.fit(X, y).ranking_
    for n_features in (1, 5):
        monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 150 * n_features)
        np.testing.assert_array_equal(selector.fit(X, y).ranking_, expected)


# ---- what it is for


def accuracy(strategy, X, y, seed):
    """Return the accuracy on the five features that are chosen in each fold."""
    select = MixedMutualInfo(
        strategy=strategy, n_features_to_select=5, discrete_target=True
    )
    model = make_pipeline(select, StandardScaler(), KNeighborsClassifier())
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    return cross_val_score(model, X, y, cv=folds).mean()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["jmi", "cmim"])
def test_classifiers_are_no_worse_than_with_marginal_selection(strategy):
    gains = [
        accuracy(strategy, *data, seed) - accuracy("marginal", *data, seed)
        for seed, data in enumerate(make_repeated(500, seed) for seed in range(10))
    ]
    assert np.mean(gains) >= 0


@pytest.mark.slow
@pytest.mark.parametrize("strategy", GREEDY)
def test_classifiers_gain_where_features_depend_on_each_other(strategy):
    X, y = load_breast_cancer(return_X_y=True)
    gains = [
        accuracy(strategy, X, y, seed) - accuracy("marginal", X, y, seed)
        for seed in range(2)
    ]
    assert np.mean(gains) >= 0.0


@pytest.mark.parametrize("strategy", ["mrmr", "jmi", "cmim"])
@pytest.mark.parametrize("useless", ["constant", "identifier"])
def test_a_feature_without_information_is_never_chosen_first(strategy, useless):
    # the estimates of a and b are below 0, as they are informative only together
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, (2, 300))
    column = np.zeros(300) if useless == "constant" else np.arange(300)
    selector = MixedMutualInfo(
        strategy=strategy, discrete_features=True, discrete_target=True
    ).fit(np.column_stack([column, a, b]), a ^ b)
    assert (selector.scores_[1:] < 0).all()
    assert selector.ranking_[0] == 3
