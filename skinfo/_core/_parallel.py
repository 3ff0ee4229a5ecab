"""How work is shared among jobs: one level, in tasks that are worth handing out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sklearn.utils.parallel import Parallel, delayed

Result = TypeVar("Result")

# Samples that a task searches the neighbours of: 20 to 50 ms of work, beside which the
# 0.1 ms to hand out a task are nothing.
_SAMPLES_PER_TASK = 1 << 15


def items_per_task(n_samples: int) -> int:
    """Return how many items of so many samples each are worth a task, at least 1."""
    return max(1, _SAMPLES_PER_TASK // n_samples)


def run_tasks(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[Result]:
    """Return `function(*task)` for each task, in their order.

    A single task does not start a pool. With `n_jobs=1` no backend is asked, as a
    cluster would take the tasks all the same: so tasks can call what hands out tasks.
    """
    if len(tasks) <= 1:
        n_jobs = 1
    if n_jobs == 1 and not verbose:
        return [function(*task) for task in tasks]
    results: list[Result] = Parallel(n_jobs=n_jobs, verbose=verbose, prefer="threads")(
        delayed(function)(*task) for task in tasks
    )
    return results
