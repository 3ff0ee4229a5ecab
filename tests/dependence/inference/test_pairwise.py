# ruff: noqa: PD011  the results have values, too
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from scipy.stats import false_discovery_control

from skinfo import (
    hypercontractivity,
    independence_test,
    maximal_correlation,
    mutual_information,
    pairwise_dependence,
)
from skinfo._core import _parallel
from skinfo._core._vectors import read_vector
from skinfo.dependence.inference import _pairs
from skinfo.dependence.measures._mutual_information import MutualInformation

FUNCTIONS = {
    "mutual_information": mutual_information,
    "hypercontractivity": hypercontractivity,
    "maximal_correlation": maximal_correlation,
}


def table(n_samples=60, seed=0):
    """Return columns of several kinds, some of which depend on each other."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_samples)
    return pd.DataFrame(
        {
            "x": x,
            "with zeros": np.maximum(x + rng.normal(size=n_samples), 0),
            "sign": np.where(x > 0, "plus", "minus"),
            "count": rng.poisson(2, size=n_samples),
            "noise": rng.normal(size=n_samples),
        }
    )


def covariance(x, y):
    return np.mean((x - x.mean()) * y**3)


def brute_force(function, X):
    """Return the function of every ordered pair, by a double loop."""
    d = X.shape[1]
    columns = [X.iloc[:, j] for j in range(d)]
    return np.array(
        [
            [np.nan if i == j else function(columns[i], columns[j]) for j in range(d)]
            for i in range(d)
        ]
    )


@pytest.mark.parametrize("measure", FUNCTIONS)
def test_values_are_those_of_a_double_loop(measure):
    X = table()
    result = pairwise_dependence(X, measure=measure)
    expected = brute_force(FUNCTIONS[measure], X)
    np.testing.assert_allclose(result.values, expected, rtol=1e-9, atol=1e-12)
    assert result.feature_names == list(X.columns)
    assert result.measure == measure
    assert result.pvalues is None
    assert result.pvalues_adjusted is None


def test_a_callable_is_asked_for_both_orders_of_each_pair():
    X = table()[["x", "count", "noise"]]
    result = pairwise_dependence(X, measure=covariance)
    np.testing.assert_allclose(
        result.values, brute_force(lambda x, y: covariance(x.array, y.array), X)
    )
    assert result.measure == "covariance"
    assert not np.array_equal(result.values, result.values.T, equal_nan=True)


def test_parameters_reach_the_measure():
    X = table()
    result = pairwise_dependence(
        X, measure_params={"n_neighbors": 3, "discrete_features": ["count"]}
    )
    position = X.columns.get_loc("count")
    assert result.values[0, position] == mutual_information(
        X["x"], X["count"], n_neighbors=3, y_discrete=True
    )


@pytest.mark.parametrize("measure", ["mutual_information", covariance])
def test_pvalues_are_those_of_a_test_of_each_pair(measure):
    X = table(40)[["x", "with zeros", "noise"]]
    options = {"measure": measure, "n_permutations": 19, "random_state": 3}
    result = pairwise_dependence(X, **options)
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        test = independence_test(X.iloc[:, i], X.iloc[:, j], **options)
        reached = np.sum(test.null_distribution >= test.statistic - 1e-12)
        assert result.pvalues[i, j] == test.pvalue == (1 + reached) / 20


def test_adjustment_counts_each_pair_of_a_symmetric_measure_once():
    X = table(40)
    result = pairwise_dependence(X, n_permutations=19, random_state=0)
    upper = np.triu_indices(5, 1)
    expected = false_discovery_control(result.pvalues[upper])
    np.testing.assert_array_equal(result.pvalues_adjusted[upper], expected)
    for matrix in (result.values, result.pvalues, result.pvalues_adjusted):
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.isnan(np.diagonal(matrix)).all()


def test_adjustment_counts_both_directions_of_a_directed_measure():
    X = table(40)[["x", "count", "noise"]]
    result = pairwise_dependence(
        X, measure=covariance, n_permutations=19, random_state=0
    )
    apart = ~np.eye(3, dtype=bool)
    expected = false_discovery_control(result.pvalues[apart])
    np.testing.assert_allclose(result.pvalues_adjusted[apart], expected)
    assert np.isnan(np.diagonal(result.pvalues_adjusted)).all()


def test_dependent_pairs_are_found_and_independent_ones_are_not():
    result = pairwise_dependence(table(200, 1), n_permutations=199, random_state=0)
    significant = np.argwhere(np.triu(result.pvalues_adjusted <= 0.05))
    assert significant.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_gaps_leave_out_rows_of_their_own_pairs_alone():
    complete = table().drop(columns="sign")
    X = complete.copy()
    X.loc[:9, "noise"] = np.nan
    X.loc[5:14, "x"] = np.inf
    result = pairwise_dependence(X, nan_policy="omit")
    unchanged = pairwise_dependence(complete).values
    assert result.values[1, 2] == unchanged[1, 2]
    both = np.arange(len(X)) > 14
    assert result.values[0, 3] == mutual_information(X["x"][both], X["noise"][both])
    assert result.values[1, 3] == mutual_information(
        X["with zeros"][10:], X["noise"][10:]
    )
    with pytest.raises(ValueError, match=r"Input X contains NaN .*column 'x'"):
        pairwise_dependence(X)


@pytest.mark.parametrize("measure", FUNCTIONS)
def test_pvalues_permute_the_complete_rows(measure):
    X = table()[["x", "noise"]]
    X.loc[:9, "noise"] = np.nan
    arguments = {"measure": measure, "n_permutations": 9, "random_state": 0}
    with_gaps = pairwise_dependence(X, nan_policy="omit", **arguments)
    without = pairwise_dependence(X.iloc[10:], **arguments)
    np.testing.assert_array_equal(with_gaps.values, without.values)
    np.testing.assert_array_equal(with_gaps.pvalues, without.pvalues)


@pytest.mark.parametrize("measure", [covariance, "maximal_correlation"])
def test_pairs_without_complete_rows_are_nan_and_the_others_as_without(measure):
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:9, 0], X[9:, 2] = np.nan, np.nan
    arguments = {"measure": measure, "n_permutations": 9, "random_state": 0}
    message = (
        r"1 of 3 pairs .* 'X\[:, 0\]' and 'X\[:, 2\]' have 0\. Their results are NaN"
    )
    with pytest.warns(UserWarning, match=message) as record:
        result = pairwise_dependence(X, nan_policy="omit", **arguments)
    assert record[0].filename == __file__
    for pair in ([0, 1], [1, 2]):
        expected = pairwise_dependence(X[:, pair], nan_policy="omit", **arguments)
        some = np.ix_(pair, pair)
        np.testing.assert_array_equal(result.values[some], expected.values)
        np.testing.assert_array_equal(result.pvalues[some], expected.pvalues)
    for matrix in (result.values, result.pvalues, result.pvalues_adjusted):
        assert np.isnan(matrix[[0, 2], [2, 0]]).all()
    known = ~np.isnan(result.pvalues)
    if isinstance(measure, str):
        known = np.triu(known)
    np.testing.assert_array_equal(
        result.pvalues_adjusted[known], false_discovery_control(result.pvalues[known])
    )


def test_pairs_of_which_a_function_returns_nan_stay_out_of_the_adjustment():
    def correlation(x, y):
        return np.nan if 1.0 in (x[0], y[0]) else abs(np.corrcoef(x, y)[0, 1])

    X = np.random.default_rng(0).normal(size=(30, 3))
    X[0, 1] = 1.0
    arguments = {"measure": correlation, "n_permutations": 9, "random_state": 0}
    result = pairwise_dependence(X, **arguments)
    expected = pairwise_dependence(X[:, [0, 2]], **arguments)
    for name in ("values", "pvalues", "pvalues_adjusted"):
        matrix = getattr(result, name)
        assert np.isnan(matrix[1]).all()
        assert np.isnan(matrix[:, 1]).all()
        np.testing.assert_array_equal(
            matrix[np.ix_([0, 2], [0, 2])], getattr(expected, name)
        )


def test_the_column_without_values_is_named():
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:, 1] = np.nan
    message = r"2 of 3 pairs .*: column 'X\[:, 1\]' has no values\. Their"
    with pytest.warns(UserWarning, match=message):
        pairwise_dependence(X, measure=covariance, nan_policy="omit")


def test_a_table_without_complete_rows_fails_before_any_work():
    X = np.random.default_rng(0).normal(size=(20, 2))
    X[:9, 0], X[9:, 1] = np.nan, np.nan
    calls = []
    with pytest.raises(ValueError, match=r"1 of 1 pairs have fewer than 2 complete"):
        pairwise_dependence(X, measure=lambda *_: calls.append(1), nan_policy="omit")
    assert not calls


@pytest.mark.parametrize("rows_per_block", [7, 1000])
def test_complete_rows_are_those_of_both_columns(monkeypatch, rows_per_block):
    monkeypatch.setattr(_pairs, "_ROWS_PER_BLOCK", rows_per_block)
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[X > 0.5] = np.nan
    features = read_vector(
        X, name="X", discrete=False, discrete_name="discrete", nan_policy="omit"
    )
    present = ~np.isnan(X)
    expected = [[np.sum(one & other) for one in present.T] for other in present.T]
    np.testing.assert_array_equal(_pairs.complete_rows_of_pairs(features), expected)


@pytest.mark.parametrize("samples_per_task", [1, 500, 10**6])
@pytest.mark.parametrize("measure", ["mutual_information", covariance])
def test_results_do_not_depend_on_the_tasks(monkeypatch, samples_per_task, measure):
    X = table(30)[["x", "with zeros", "count", "noise"]]
    arguments = {"measure": measure, "n_permutations": 9, "random_state": 0}
    expected = pairwise_dependence(X, **arguments)
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", samples_per_task)
    result = pairwise_dependence(X, n_jobs=2, **arguments)
    np.testing.assert_array_equal(result.values, expected.values)
    np.testing.assert_array_equal(result.pvalues, expected.pvalues)


@pytest.mark.slow
@pytest.mark.parametrize("measure", FUNCTIONS)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_results_do_not_depend_on_the_backend(monkeypatch, backend, measure):
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 100)
    arguments = {"measure": measure, "n_permutations": 9, "random_state": 0}
    expected = pairwise_dependence(table(40), **arguments)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        result = pairwise_dependence(table(40), **arguments)
    np.testing.assert_array_equal(result.values, expected.values)
    np.testing.assert_array_equal(result.pvalues, expected.pvalues)


def test_each_complete_column_is_prepared_once(monkeypatch):
    prepared = []
    prepare = MutualInformation.prepare

    def counting(self, vector):
        prepared.append(vector.columns[0].name)
        return prepare(self, vector)

    monkeypatch.setattr(MutualInformation, "prepare", counting)
    pairwise_dependence(table())
    assert prepared == list(table().columns)


def test_columns_with_gaps_are_prepared_only_on_complete_rows(monkeypatch):
    prepared = []
    prepare = MutualInformation.prepare

    def recording(self, vector):
        prepared.append(vector)
        return prepare(self, vector)

    monkeypatch.setattr(MutualInformation, "prepare", recording)
    X = table()[["x", "count", "noise"]]
    X.loc[:9, "x"] = np.nan
    pairwise_dependence(X, nan_policy="omit")
    # count and noise once for the table, both columns of the other two pairs anew
    assert sorted(vector.n_samples for vector in prepared) == [50] * 4 + [60] * 2


@pytest.mark.parametrize("measure", FUNCTIONS)
def test_order_of_columns_and_rows_does_not_matter(measure):
    X = table()
    rng = np.random.default_rng(0)
    columns, rows = rng.permutation(X.shape[1]), rng.permutation(len(X))
    result = pairwise_dependence(X.iloc[rows, columns], measure=measure)
    expected = pairwise_dependence(X, measure=measure).values[columns][:, columns]
    np.testing.assert_allclose(result.values, expected, rtol=1e-9, atol=1e-12)


def test_frames_lists_and_arrays_agree():
    X = table()[["x", "count", "noise"]]
    expected = pairwise_dependence(X)
    for data in (X.to_numpy(), X.to_numpy().tolist(), pl.from_pandas(X)):
        result = pairwise_dependence(data)
        np.testing.assert_array_equal(result.values, expected.values)
    assert pairwise_dependence(X.to_numpy()).feature_names == ["x0", "x1", "x2"]
    for data in (pl.from_pandas(X), pa.Table.from_pandas(X)):
        assert pairwise_dependence(data).feature_names == list(X.columns)


def test_a_single_column_has_no_pairs():
    result = pairwise_dependence(table()[["x"]], n_permutations=9)
    np.testing.assert_array_equal(result.values, [[np.nan]])
    np.testing.assert_array_equal(result.pvalues_adjusted, [[np.nan]])


def test_a_constant_column_has_no_dependence():
    X = np.column_stack([np.ones(30), np.random.default_rng(0).normal(size=30)])
    result = pairwise_dependence(X, n_permutations=9, random_state=0)
    assert result.values[0, 1] == 0
    assert result.pvalues[0, 1] == 1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"measure": "pearson"}, ValueError, "measure='pearson' is not a known"),
        ({"measure_params": {"k": 3}}, ValueError, "discrete_features"),
        ({"measure_params": {"n_neighbors": 60}}, ValueError, "must be smaller than"),
        (
            {"measure_params": {"discrete_features": [9]}},
            ValueError,
            "discrete_features holds the index 9",
        ),
        ({"n_permutations": -1}, ValueError, "n_permutations=-1 must be at least 0"),
        ({"n_permutations": 9.0}, TypeError, "must be an integer"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop'"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        pairwise_dependence(table(), **parameters)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.arange(9.0), ValueError, "Reshape your data"),
        (np.ones((9, 0)), ValueError, "0 feature"),
        (sparse.eye_array(9).tocsr(), TypeError, "dense data is required"),
        (np.ones((1, 3)), ValueError, "n_neighbors=5 must be smaller"),
    ],
)
def test_what_is_no_table_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        pairwise_dependence(X)


def test_inputs_are_never_written_to():
    X = np.random.default_rng(0).normal(size=(40, 3)).round(1)
    X.setflags(write=False)
    pairwise_dependence(X, n_permutations=2)
    pairwise_dependence(X, measure="hypercontractivity")
