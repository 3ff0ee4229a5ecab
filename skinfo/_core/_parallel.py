"""How work is shared among jobs: one level, in tasks that are worth handing out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed
from sklearn import config_context, get_config

Result = TypeVar("Result")

# Samples that a task searches the neighbours of: 20 to 50 ms of work, beside which the
# 0.1 ms to hand out a task are nothing.
_SAMPLES_PER_TASK = 1 << 15


def items_per_task(n_samples: int) -> int:
    """Return how many items of so many samples each are worth a task, at least 1."""
    return max(1, _SAMPLES_PER_TASK // n_samples)


def batches(n_items: int, size: int) -> list[slice]:
    """Return slices of at most `size` items that cover all of them, in order.

    `sklearn.utils.gen_batches` does the same and checks its parameters, which takes
    50 us: too long for what is computed for each pair of columns.
    """
    starts = range(0, n_items, size)
    return [slice(start, min(start + size, n_items)) for start in starts]


def run_tasks(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[Result]:
    """Return `function(*task)` for each task, in their order.

    A single task does not start a pool. Tasks must not call this in turn: a cluster
    takes what it hands out whatever `n_jobs` is.
    """
    config = get_config()
    results: list[Result] = Parallel(
        n_jobs=n_jobs if len(tasks) > 1 else 1, verbose=verbose, prefer="threads"
    )(delayed(_call_with_config)(config, function, task) for task in tasks)
    return results


def _call_with_config(
    config: dict[str, Any], function: Callable[..., Result], task: tuple[Any, ...]
) -> Result:
    """Return `function(*task)` under the configuration of scikit-learn of the caller.

    Not by `sklearn.utils.parallel`: it also sets the filters of warnings, which all
    threads share, and so tasks in threads can lose those of the caller.
    """
    with config_context(**config):
        return function(*task)
