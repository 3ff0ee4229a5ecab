"""Time of the same calls by threads, by processes and by a Dask cluster."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from _samples import gaussian_pair
from _tables import best_times, fixed, print_skipped, print_table, read_options
from joblib import parallel_config

from skinfo import (
    HypercontractivityCoef,
    MixedMutualInfo,
    independence_test,
    mutual_information,
    pairwise_dependence,
)

try:
    import distributed
except ImportError:
    distributed = None

N_WORKERS = 2
N_ROUNDS = 3  # of fits of large X, the last of which is timed


def calls(*, quick: bool) -> Mapping[str, Callable[[], Any]]:
    """Return calls from a single task of some 20 ms to many tasks of seconds."""
    rng = np.random.default_rng(0)
    n_samples, n_features, n_permutations = (500, 10, 99) if quick else (2000, 30, 999)
    X = rng.standard_normal((n_samples, n_features))
    X[:, 1:] += X[:, :-1]
    y = X[:, 0] + rng.standard_normal(n_samples)
    large = rng.standard_normal((50 * n_samples, 8))
    large_y = large[:, 0] + rng.standard_normal(len(large))
    small = gaussian_pair(100, 0, correlation=0.6)
    single = gaussian_pair(60_000, 0, correlation=0.6)
    seeded = {"n_permutations": n_permutations, "random_state": 0}
    few = {"n_permutations": n_permutations // 20, "random_state": 0}
    greedy = MixedMutualInfo(strategy="cmim", n_features_to_select=10)
    of_samples = f" of {n_samples} samples"
    return {
        "test of 100 samples, 99 permutations": partial(
            independence_test, small.x, small.y, n_permutations=99, random_state=0
        ),
        "one pair of 60000 samples": partial(mutual_information, single.x, single.y),
        f"cmim, 10 of {n_features} features{of_samples}": partial(greedy.fit, X, y),
        f"pairs of {n_features} features{of_samples}": partial(pairwise_dependence, X),
        f"test{of_samples}, {n_permutations} permutations": partial(
            independence_test, X[:, 0], y, **seeded
        ),
        f"HypercontractivityCoef, 5 features{of_samples}, "
        f"{few['n_permutations']} permutations": partial(
            HypercontractivityCoef(**few).fit, X[:, :5], y
        ),
        f"MixedMutualInfo, 8 features of {len(large)} samples": partial(
            MixedMutualInfo().fit, large, large_y
        ),
    }


def within(context: Callable[[], Any], call: Callable[[], Any]) -> None:
    with context():
        call()


def start_row(name: str, context: Callable[[], Any]) -> list[str]:
    """Let each worker import skinfo, which no later call should be charged with."""
    X = np.random.default_rng(0).standard_normal((200, 10))
    call = partial(pairwise_dependence, X, n_permutations=20, random_state=0)
    first, second = (
        best_times({"": partial(within, context, call)}, repeats=1)[""]
        for _ in range(2)
    )
    return [name, fixed(first, 2), fixed(second, 2)]


def time_rows(
    contexts: Mapping[str, Callable[[], Any]], *, quick: bool
) -> Iterator[list[str]]:
    """Time each call with each backend, beside one job."""
    for name, call in calls(quick=quick).items():
        seconds = best_times(
            {
                backend: partial(within, context, call)
                for backend, context in contexts.items()
            },
            repeats=2,
        )
        yield [name, *(fixed(value, 2) for value in seconds.values())]


def scatter_rows(n_samples: int) -> Iterator[list[str]]:
    """Time fits on a cluster to which the samples were sent before, and others."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 4))
    y = X[:, 0] + rng.standard_normal(n_samples)
    on_cluster = partial(parallel_config, backend="dask")
    contexts: dict[str, Callable[[], Any]] = {
        "nothing": on_cluster,
        "X": partial(on_cluster, scatter=[X]),
        "X and y": partial(on_cluster, scatter=[X, y]),
        "one job, no cluster": nullcontext,
    }
    for name, context in contexts.items():
        with context():
            for _ in range(N_ROUNDS):
                start = time.perf_counter()
                MixedMutualInfo().fit(X, y)
                seconds = time.perf_counter() - start
        yield [name, str(n_samples), fixed(seconds, 2)]


@contextmanager
def local_client() -> Iterator[bool]:
    """Start a Dask cluster of processes on this machine; yield whether there is one."""
    if distributed is None:
        yield False
        return
    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield True


def main() -> None:
    options = read_options(__doc__)
    contexts: dict[str, Callable[[], Any]] = {
        "one job": nullcontext,
        "threads": partial(parallel_config, backend="threading", n_jobs=N_WORKERS),
        "loky": partial(parallel_config, backend="loky", n_jobs=N_WORKERS),
    }
    with local_client() as has_dask:
        if has_dask:
            contexts["dask"] = partial(parallel_config, backend="dask")
        starts = [start_row(name, context) for name, context in contexts.items()]
        print_table(
            "Seconds of a call for which workers start and import skinfo, and again",
            ("backend", "first", "second"),
            starts,
        )
        print_table(
            f"Seconds, best of 2, {N_WORKERS} workers on {os.cpu_count()} cores, "
            f"{platform.machine()}, Python {platform.python_version()}",
            ("case", *contexts),
            list(time_rows(contexts, quick=options.quick)),
        )
        if has_dask:
            print_table(
                f"Seconds for 4 features, round {N_ROUNDS}, by what was scattered",
                ("scattered", "n", "seconds"),
                list(scatter_rows(20_000 if options.quick else 200_000)),
            )
    if not has_dask:
        print_skipped("Dask", "distributed is not installed")


if __name__ == "__main__":
    main()
