import itertools

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skinfo import (
    ChowLiuTree,
    MixedMutualInfo,
    mutual_information,
    pairwise_dependence,
)
from skinfo.dependence.inference._tree import maximum_spanning_tree

EDGES = {(0, 1), (1, 2), (1, 3), (0, 4)}


def draw(n_samples=600, seed=0):
    """Draw columns of several kinds whose dependence is the tree of EDGES."""
    rng = np.random.default_rng(seed)

    def noise():
        return rng.normal(size=n_samples)

    root = noise()
    child = np.maximum(root + 0.5 * noise(), -0.5)  # a quarter at the bound
    return pd.DataFrame(
        {
            "root": root,
            "bounded": child,
            "sign": np.where(child + 0.3 * noise() > 0, "plus", "minus"),
            "steps": np.round(2 * child + 0.5 * noise()),
            "cube": (root + 0.4 * noise()) ** 3,
        }
    )


def edges_of(tree):
    return {tuple(edge) for edge in tree.edges_.tolist()}


# the tree


def all_trees(n_nodes):
    """Yield the edges of all trees on a few nodes."""
    pairs = list(itertools.combinations(range(n_nodes), 2))
    for edges in itertools.combinations(pairs, n_nodes - 1):
        reached = {0}
        for _ in edges:
            for edge in edges:
                if reached & set(edge):
                    reached |= set(edge)
        if len(reached) == n_nodes:
            yield edges


@pytest.mark.parametrize("seed", range(5))
def test_no_tree_has_a_larger_sum(seed):
    values = np.random.default_rng(seed).normal(size=(5, 5))
    values += values.T
    np.fill_diagonal(values, np.nan)
    edges = maximum_spanning_tree(values)
    sums = {tree: sum(values[i, j] for i, j in tree) for tree in all_trees(5)}
    assert len(sums) == 5**3  # Cayley
    assert set(map(tuple, edges.tolist())) == set(max(sums, key=sums.get))


def test_edges_are_sorted_by_their_values():
    values = np.random.default_rng(0).normal(size=(9, 9))
    values += values.T
    edges = maximum_spanning_tree(values)
    assert np.all(np.diff(values[*edges.T]) <= 0)
    assert np.all(edges[:, 0] < edges[:, 1])
    assert edges.dtype == np.int64


def test_equal_values_make_a_tree_too():
    edges = maximum_spanning_tree(np.zeros((6, 6)))
    assert edges.shape == (5, 2)
    assert set(edges.ravel().tolist()) == set(range(6))


def test_one_node_has_no_edges():
    assert maximum_spanning_tree(np.full((1, 1), np.nan)).shape == (0, 2)


# the estimator


def test_values_are_those_of_pairwise_dependence():
    X = draw(200)
    tree = ChowLiuTree(4, scale="standard", discrete_features=["steps"]).fit(X)
    params = {"n_neighbors": 4, "scale": "standard", "discrete_features": ["steps"]}
    expected = pairwise_dependence(X, measure_params=params).values  # noqa: PD011 (not of pandas)
    np.testing.assert_array_equal(tree.mutual_information_, expected)
    np.testing.assert_array_equal(
        tree.discrete_features_, [False, False, True, True, False]
    )
    assert list(tree.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_of_mixed_columns_is_recovered(seed):
    tree = ChowLiuTree().fit(draw(seed=seed))
    assert edges_of(tree) == EDGES
    assert np.all(np.diff(tree.mutual_information_[*tree.edges_.T]) <= 0)


@pytest.mark.parametrize("transform", [np.exp, lambda x: -(x**3)])
def test_monotone_transforms_leave_the_tree_as_it_is(transform):
    X = draw(200)
    expected = ChowLiuTree().fit(X)
    X["root"] = transform(X["root"])
    tree = ChowLiuTree().fit(X)
    np.testing.assert_allclose(
        tree.mutual_information_, expected.mutual_information_, rtol=1e-9
    )
    np.testing.assert_array_equal(tree.edges_, expected.edges_)


def test_gaps_leave_out_rows_of_their_own_pairs():
    X = draw()
    X.loc[:99, "root"] = np.nan
    tree = ChowLiuTree(nan_policy="omit").fit(X)
    assert edges_of(tree) == EDGES
    assert tree.mutual_information_[0, 4] == mutual_information(
        X["root"][100:], X["cube"][100:]
    )
    new = draw(seed=1)
    without = ChowLiuTree().fit(X[100:]).score(new)
    assert tree.score(new) != without  # the other edges keep all rows
    assert tree.score(new) == pytest.approx(without, abs=0.1)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ChowLiuTree().fit(X)


def test_results_do_not_depend_on_the_jobs():
    X, new = draw(3000), draw(seed=1)
    expected = ChowLiuTree().fit(X)
    tree = ChowLiuTree(n_jobs=2).fit(X)
    np.testing.assert_array_equal(
        tree.mutual_information_, expected.mutual_information_
    )
    assert tree.score(new) == expected.score(new)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_results_do_not_depend_on_the_backend(backend):
    X = draw(20_000)
    expected = ChowLiuTree().fit(X)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        tree = ChowLiuTree().fit(X)
    np.testing.assert_array_equal(
        tree.mutual_information_, expected.mutual_information_
    )


def test_a_single_feature_is_a_tree():
    X = draw()[["root"]]
    tree = ChowLiuTree().fit(X)
    assert tree.edges_.shape == (0, 2)
    assert tree.score(X) == 0


# the score on new samples


def test_score_is_the_sum_of_the_scores_of_the_edges():
    X, new = draw(), draw(300, seed=1)
    tree = ChowLiuTree().fit(X)
    expected = 0.0
    for first, second in tree.edges_.tolist():
        selector = MixedMutualInfo().fit(X.iloc[:, [first]], X.iloc[:, second])
        expected += selector.score(new.iloc[:, [first]], new.iloc[:, second])
    assert tree.score(new) == pytest.approx(expected, rel=1e-12)


def test_independent_columns_score_at_most_zero():
    rng = np.random.default_rng(0)
    scores = [
        ChowLiuTree().fit(rng.normal(size=(300, 4))).score(rng.normal(size=(300, 4)))
        for _ in range(5)
    ]
    assert np.mean(scores) < 0


def test_the_true_tree_scores_more_than_a_wrong_one():
    X, new = draw(), draw(seed=1)
    tree = ChowLiuTree().fit(X)
    right = tree.score(new)
    tree.edges_ = np.array([[0, 1], [2, 3], [3, 4], [0, 2]])
    assert tree.score(new) < right


def test_number_of_neighbours_is_chosen_by_cross_validation():
    X = draw(300)
    splitter = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(ChowLiuTree(), {"n_neighbors": [1, 10]}, cv=splitter).fit(X)
    assert search.best_params_ == {"n_neighbors": 10}
    assert np.min(cross_val_score(ChowLiuTree(10), X, cv=splitter)) > 0.5


def test_new_categories_can_be_scored():
    X, new = draw(), draw(seed=1)
    new.loc[:5, "sign"] = "zero"
    assert np.isfinite(ChowLiuTree().fit(X).score(new))


# bad input


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"n_neighbors": 2.5}, TypeError, "must be an integer"),
        ({"n_neighbors": 60}, ValueError, "must be smaller than the number of samples"),
        ({"scale": "log"}, ValueError, "scale='log'"),
        ({"ties": "random"}, ValueError, "ties='random'"),
        ({"discrete_features": [7]}, ValueError, "holds the index 7"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop'"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        ChowLiuTree(**parameters).fit(draw(60))


def test_bad_tables_are_refused():
    X = draw(60)
    with pytest.raises(NotFittedError):
        ChowLiuTree().score(X)
    tree = ChowLiuTree().fit(X)
    with pytest.raises(ValueError, match="feature names"):
        tree.score(X[X.columns[::-1]])
    other = X.assign(cube="text")
    with pytest.raises(ValueError, match="held numbers in fit, but now holds text"):
        tree.score(other)
    X.loc[3:, "root"] = np.nan
    with pytest.raises(ValueError, match=r"columns 'root' and '\w+' have 3\. Impute"):
        ChowLiuTree(nan_policy="omit").fit(X)


def test_the_tree_keeps_its_own_copy_of_the_data():
    X = np.random.default_rng(0).normal(size=(300, 3)).cumsum(axis=1)
    new = X[:100].copy()
    tree = ChowLiuTree().fit(X)
    before = tree.score(new)
    X[:] = 0
    assert tree.score(new) == before
