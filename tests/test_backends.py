"""Results by the backend of joblib: threads, processes and a Dask cluster."""

import os

import joblib
import numpy as np
import pytest
from sklearn import config_context

from skinfo import (
    ChowLiuTree,
    HypercontractivityCoef,
    LocalLikelihoodScore,
    MixedMutualInfo,
    independence_test,
    mutual_information_interval,
    pairwise_dependence,
)
from skinfo._core import _parallel
from skinfo._core._vectors import read_vectors
from skinfo.dependence.measures._mutual_information import MutualInformation

N_WORKERS = 2


def table(n_samples=120, n_features=6):
    """Return features, some of them tied, and a target that depends on the first."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    y = X[:, 0] + X[:, 1] + rng.normal(size=n_samples)
    X[:, 1] = np.maximum(X[:, 1], 0)
    X[:, 2] = np.round(X[:, 2])
    return X, y


def fitted_mutual_info():
    X, y = table()
    selector = MixedMutualInfo(n_permutations=20, random_state=0).fit(X, y)
    return selector.scores_, selector.null_distribution_, selector.score(X[::2], y[::2])


def fitted_hypercontractivity():
    X, y = table(n_features=3)
    selector = HypercontractivityCoef(n_permutations=12, random_state=0).fit(X, y)
    return selector.scores_, selector.null_distribution_, selector.tilt(X)


def greedy_selection():
    X, y = table()
    selector = MixedMutualInfo(strategy="cmim", n_features_to_select=3).fit(X, y)
    return selector.scores_, selector.ranking_


def greedy_selection_with_gaps():
    X, y = table(n_features=3)
    X[:9, 2] = np.nan
    selector = MixedMutualInfo(strategy="jmi", nan_policy="omit").fit(X, y)
    return selector.scores_, selector.ranking_


def marginal_test():
    X, y = table()
    result = independence_test(X[:, 0], y, n_permutations=20, random_state=0)
    return result.statistic, result.null_distribution


def stopped_test():
    X, y = table()
    result = independence_test(
        X[:, 3], y, n_permutations=99, stop_early=True, random_state=0
    )
    return result.pvalue, result.null_distribution


def conditional_test():
    X, y = table()
    result = independence_test(X[:, 0], y, X[:, 1], n_permutations=20, random_state=0)
    return result.statistic, result.null_distribution


def stopped_conditional_test():
    X, y = table()
    result = independence_test(
        X[:, 0], y, X[:, 1], n_permutations=30, stop_early=True, random_state=0
    )
    return result.pvalue, result.null_distribution


def pairs():
    result = pairwise_dependence(table()[0], n_permutations=5, random_state=0)
    return result.values, result.pvalues


def directed_pairs():
    X = table(n_features=3)[0]
    return (pairwise_dependence(X, measure="hypercontractivity").values,)


def interval():
    X, y = table(500)
    result = mutual_information_interval(X[:, 0], y, random_state=0)
    return result.low, result.high


def tree():
    fitted = ChowLiuTree().fit(table()[0])
    return fitted.edges_, fitted.mutual_information_


def score_function():
    with config_context(working_memory=1):  # in MiB: several blocks
        return LocalLikelihoodScore().fit(table(500)[0]).log_density_derivatives()


CALLS = {
    call.__name__: call
    for call in (
        fitted_mutual_info,
        fitted_hypercontractivity,
        greedy_selection,
        greedy_selection_with_gaps,
        marginal_test,
        stopped_test,
        conditional_test,
        stopped_conditional_test,
        pairs,
        directed_pairs,
        interval,
        tree,
        score_function,
    )
}


@pytest.fixture
def small_tasks(monkeypatch):
    """Cut small samples into several tasks, too."""
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 400)


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster of two processes on the loopback; yield who finished tasks."""
    distributed = pytest.importorskip("distributed")

    class Finished(distributed.SchedulerPlugin):
        def __init__(self):
            self.workers = []

        def transition(self, key, start, finish, *args, worker=None, **kwargs):
            if (start, finish) == ("processing", "memory"):
                self.workers.append(worker)

    finished = Finished()
    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any free port
        ) as local_cluster,
        distributed.Client(local_cluster),
    ):
        local_cluster.scheduler.add_plugin(finished)
        yield finished


# BLAS of the oldest numpy rounds the products of the same numbers otherwise in another
# process: 6e-15 of 2 in the score function
ROUNDED = {"score_function": 1e-12}


def assert_identical(results, expected, tolerance=0.0):
    for result, value in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=0, atol=tolerance, strict=True)


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", CALLS)
def test_results_are_identical_for_threads_and_processes(name, backend):
    expected = CALLS[name]()
    with joblib.parallel_config(backend=backend, n_jobs=2):
        results = CALLS[name]()
    assert_identical(results, expected, ROUNDED.get(name, 0.0))


@pytest.mark.slow
@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("name", CALLS)
def test_results_of_a_cluster_are_identical(name, cluster):
    expected = CALLS[name]()
    cluster.workers.clear()
    with joblib.parallel_config(backend="dask"):
        results = CALLS[name]()
    assert_identical(results, expected, ROUNDED.get(name, 0.0))
    assert len(cluster.workers) > 1


@pytest.mark.slow
@pytest.mark.usefixtures("cluster", "small_tasks")
def test_tasks_run_in_the_workers_whatever_n_jobs_is():
    def process(*_):  # a measure that tells who computes it
        return float(os.getpid())

    X, y = table()
    with joblib.parallel_config(backend="dask"):
        result = independence_test(
            X[:, 0], y, measure=process, n_permutations=99, n_jobs=1, random_state=0
        )
    processes = {result.statistic, *result.null_distribution}
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= N_WORKERS


@pytest.mark.slow
def test_tasks_hand_out_no_tasks(cluster, monkeypatch):
    """Many features of many samples are split by features alone."""
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 50)
    X, y = table()
    measure = MutualInformation(n_neighbors=5, scale="rank", ties="adaptive")
    variables = {"x": (X[:, 0], "auto"), "y": (y, "auto")}
    x, y = map(measure.prepare, read_vectors(variables, nan_policy="raise"))
    expected = measure.values(x, y, [None])
    cluster.workers.clear()
    with joblib.parallel_config(backend="dask"):
        assert measure.values(x, y, [None]) == expected
    assert cluster.workers == []
