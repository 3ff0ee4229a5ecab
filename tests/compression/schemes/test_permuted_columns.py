"""Models compressed by few samples, and the rows that join them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from skinfo import RDCompressor
from skinfo.compression.schemes._permuted_columns import with_permuted_columns
from tests.compression.stacks import make_linear_layer, make_stack


def make_curves(n_samples, seed=0):
    """Return 60 inputs that are sums of five, but for a little noise."""
    rng = np.random.default_rng(seed)
    places = np.linspace(0, np.pi, 60)
    waves = np.sin(np.arange(1, 6)[:, np.newaxis] * places)
    return rng.normal(size=(n_samples, 5)) @ waves + 0.01 * rng.normal(
        size=(n_samples, 60)
    )


def joined(X, weights):
    stack = make_stack([make_linear_layer(np.reshape(weights, (-1, 1)))])
    rows = with_permuted_columns(stack, X, np.random.RandomState(0))
    assert_array_equal(_dense(rows[: X.shape[0]]), _dense(X))
    return _dense(rows[X.shape[0] :])


def _dense(rows):
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


def test_rows_have_the_values_of_each_input_and_nothing_in_common():
    X = make_curves(40)
    rows = joined(X, np.zeros(60))
    assert len(rows) == 8 * 60 - 40
    assert all(np.isin(rows[:, j], X[:, j]).all() for j in range(60))
    correlations = np.corrcoef(rows.T)[np.triu_indices(60, k=1)]
    assert np.abs(np.corrcoef(X.T)[np.triu_indices(60, k=1)]).mean() > 0.3
    # chance, and one of 40 pairs of inputs that moved alike
    assert np.abs(correlations).mean() < 0.1


@pytest.mark.parametrize("as_sparse", [csr_array, csr_matrix])
def test_sparse_rows_are_the_dense_ones(as_sparse):
    X = np.where(
        np.random.default_rng(0).random((30, 12)) < 0.7, 0, 1 + make_curves(30)[:, :12]
    )
    assert_array_equal(joined(as_sparse(X), np.ones(12)), joined(X, np.ones(12)))


def test_rows_for_which_the_model_gives_what_it_gives_for_no_sample_are_left_out():
    X = make_curves(40)
    differences = np.where(np.arange(60) % 2, 1.0, -1.0)  # of neighbours: nearly 0
    assert len(joined(X, 100 * differences)) < 40


def test_where_the_model_gives_others_for_most_rows_none_join():
    X = make_curves(5)
    differences = np.where(np.arange(60) % 2, 1.0, -1.0)
    assert len(joined(X, 100 * differences)) == 0


@pytest.mark.parametrize("n_samples", [8 * 60, 1000])
def test_many_samples_stay_alone(n_samples):
    X = make_curves(n_samples)
    assert len(joined(X, np.zeros(60))) == 0


@pytest.mark.parametrize("n_samples", [12, 30])
def test_a_wide_regression_keeps_its_predictions_of_other_samples(n_samples):
    X, y = make_regression(400, 40, n_informative=20, noise=10, random_state=0)
    model = Ridge().fit(X[:100], y[:100])
    compressor = RDCompressor(FrozenEstimator(model), rate=4, random_state=0)
    expected = model.predict(X[100:])
    error = compressor.fit(X[:n_samples]).predict(X[100:]) - expected
    # by these samples alone 1.3 and .6
    assert np.mean(error**2) < 0.02 * np.var(expected)


@pytest.mark.parametrize("n_samples", [3, pytest.param(6, marks=pytest.mark.slow), 9])
def test_fewer_samples_than_can_judge_are_joined_and_warned_of(n_samples):
    X, y = make_regression(400, 40, n_informative=20, noise=10, random_state=0)
    model = Ridge().fit(X[:100], y[:100])
    compressor = RDCompressor(FrozenEstimator(model), rate=4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=f"X has {n_samples} samples, too few"):
        compressor.fit(X[:n_samples])
    expected = model.predict(X[100:])
    error = compressor.predict(X[100:]) - expected
    # by these samples alone .9 to 2
    assert np.mean(error**2) < 0.02 * np.var(expected)


@pytest.mark.slow
def test_a_wide_classifier_keeps_its_accuracy():
    X, y = make_classification(
        400, 50, n_informative=20, n_redundant=10, class_sep=2, random_state=0
    )
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100])
    compressor = RDCompressor(FrozenEstimator(model), random_state=0).fit(X[:20])
    # by these samples alone it loses .1
    assert model.score(X[100:], y[100:]) - compressor.score(X[100:], y[100:]) < 0.03


def test_inputs_that_are_alike_are_not_taken_for_independent():
    X = make_curves(400)
    y = X[:, 3] - X[:, 50] + np.random.default_rng(1).normal(size=400)
    model = Ridge(1e-3).fit(X[:100], y[:100])
    compressor = RDCompressor(FrozenEstimator(model), random_state=0).fit(X[:100])
    expected = model.predict(X[100:])
    error = compressor.predict(X[100:]) - expected
    # by shuffled samples always .03 to .1
    assert np.mean(error**2) < 0.015 * np.var(expected)


def test_the_distortion_asked_for_is_that_of_the_samples():
    X, y = make_regression(60, 40, noise=10, random_state=0)
    frozen = FrozenEstimator(Ridge().fit(X, y))
    compressor = RDCompressor(frozen, distortion=0.02, random_state=0).fit(X)
    assert 0.5 * 0.02 < compressor.relative_distortion_ <= 0.02


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_codes_that_overflow_for_samples_left_out_are_no_codes(seed):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 20))
    X[:, 5] = X[:, 4]
    model = PoissonRegressor().fit(X, np.exp(X @ rng.normal(size=20) / 5))
    compressor = RDCompressor(
        FrozenEstimator(model), distortion=0.05, random_state=seed
    )
    assert compressor.fit(X[:10]).relative_distortion_ <= 0.05


def test_samples_that_are_equal_but_one_judge_nothing():
    rng = np.random.RandomState(2)
    X = rng.randn(200, 3)
    frozen = FrozenEstimator(Ridge().fit(X, X @ rng.randn(3)))
    samples = np.repeat(X[:1], 10, axis=0)
    samples[0] += 1  # with seed 0 it is left out, and the others are all alike
    compressor = RDCompressor(frozen, distortion=0.1, random_state=0).fit(samples)
    assert compressor.relative_distortion_ <= 0.1


def test_samples_and_seed_decide_the_file():
    X, y = make_regression(60, 40, noise=10, random_state=0)
    frozen = FrozenEstimator(Ridge().fit(X, y))
    files = [
        RDCompressor(frozen, random_state=seed).fit(X).to_bytes() for seed in (0, 0)
    ]
    assert files[0] == files[1]
