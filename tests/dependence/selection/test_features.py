import numpy as np
import pytest

from skinfo._core import _parallel
from skinfo._core._permutation import permuted_order
from skinfo._core._vectors import read_vector
from skinfo.dependence.selection._features import feature_results


class Covariance:
    """A measure that is easily computed by hand, and counts its preparations."""

    minimum_samples = 2
    advice = ""

    def __init__(self):
        self.n_prepared = 0

    def prepare(self, vector):
        self.n_prepared += 1
        return vector.columns[0].values

    def values(self, x, y, orders):
        return [np.mean(x * (y if order is None else y[order])) for order in orders]


def read(data, nan_policy="omit"):
    return read_vector(
        data, name="X", discrete="auto", discrete_name="X", nan_policy=nan_policy
    )


@pytest.mark.parametrize("samples_per_task", [1, 60, 250, 10**6])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_values_do_not_depend_on_the_tasks(monkeypatch, samples_per_task, n_jobs):
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", samples_per_task)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 7)), rng.normal(size=30)
    seeds = [5, 6, 7]
    values, null = feature_results(
        Covariance(), read(X), read(y), seeds=seeds, n_jobs=n_jobs
    )
    np.testing.assert_allclose(values, (X * y[:, np.newaxis]).mean(axis=0))
    expected = [(X.T @ y[permuted_order(seed, 30)]) / 30 for seed in seeds]
    np.testing.assert_allclose(null, np.transpose(expected), atol=1e-15)


def test_complete_features_share_the_prepared_target():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 7)), rng.normal(size=30)
    measure = Covariance()
    feature_results(measure, read(X), read(y))
    assert measure.n_prepared == 7 + 1
    X[0, 0] = np.nan
    measure = Covariance()
    feature_results(measure, read(X), read(y))
    assert measure.n_prepared == 7 + 2


def test_gaps_shorten_the_permutations_too():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30))
    x[::3], y[1] = np.nan, np.inf
    values, null = feature_results(Covariance(), read(x), read(y), seeds=[1])
    complete = np.isfinite(x) & np.isfinite(y)
    x, y = x[complete], y[complete]
    assert values == [np.mean(x * y)]
    assert null == [[np.mean(x * y[permuted_order(1, len(y))])]]


def test_too_few_complete_rows_fail_before_any_work():
    X = np.ones((5, 3))
    X[1:, 2] = np.nan
    measure = Covariance()
    with pytest.raises(ValueError, match="Only 1 rows remain"):
        feature_results(measure, read(X), read(np.ones(5)))
    assert measure.n_prepared == 0
