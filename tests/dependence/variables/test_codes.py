"""Codes of distinct values, by a table and by a sort, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo.dependence.variables._codes import distinct_values, factorize

RNG = np.random.default_rng(0)
TOP, BOTTOM = 2**63 - 1, -(2**63)


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(-5, 5, 100),
        RNG.integers(-128, 128, 1000).astype(np.int8),
        RNG.integers(0, 9, 50).astype(np.uint64) + np.uint64(2**63),
        np.array([BOTTOM, TOP]),
        np.array([TOP, TOP - 1] * 9),
        np.array([BOTTOM + 1, BOTTOM] * 9),
        np.array([2**64 - 1, 2**64 - 2] * 4, dtype=np.uint64),
        RNG.integers(0, 10**9, 100),
        RNG.normal(size=20).round(1),
        np.array([True, False, True]),
        np.array([], dtype=int),
    ],
    ids=str,
)
def test_distinct_values_are_those_of_numpy(values):
    expected = np.unique(values, return_inverse=True, return_counts=True)
    for found, array in zip(distinct_values(values), expected, strict=True):
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=20),
    st.sampled_from([31, 80, 10**6, 10**18]),  # by a table, and by a sort
)
def test_factorize_codes_the_keys_in_ascending_order(keys, n_keys):
    codes, distinct, n_distinct = factorize(np.array(keys), n_keys)
    assert distinct.tolist() == sorted(set(keys))
    assert n_distinct == len(set(keys))
    assert distinct[codes].tolist() == keys
