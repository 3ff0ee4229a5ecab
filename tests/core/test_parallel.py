"""How work is handed out."""

from __future__ import annotations

import sys
import time
import warnings

import pytest
from sklearn import config_context, get_config

from skinfo._core._parallel import batches, run_tasks


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_tasks_have_the_configuration_of_the_caller(n_jobs):
    with config_context(working_memory=7):
        found = run_tasks(get_config, [()] * 4, n_jobs=n_jobs)
    assert [each["working_memory"] for each in found] == [7] * 4


def test_tasks_in_threads_leave_the_filters_of_warnings_alone():
    before, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            run_tasks(time.sleep, [(1e-4,)] * 50, n_jobs=4)
    finally:
        sys.setswitchinterval(interval)
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("n_items", "size", "expected"),
    [(0, 3, []), (3, 3, [(0, 3)]), (7, 3, [(0, 3), (3, 6), (6, 7)])],
)
def test_batches_cover_all_items_once(n_items, size, expected):
    assert batches(n_items, size) == [slice(*ends) for ends in expected]
