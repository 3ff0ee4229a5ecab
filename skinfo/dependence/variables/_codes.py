"""Distinct values and their integer codes, by whichever of table and sort is faster."""

from __future__ import annotations

import numpy as np

from skinfo._core._typing import AnyArray, IntArray


def distinct_values(values: AnyArray) -> tuple[AnyArray, IntArray, IntArray]:
    """Return the distinct values ascending, the code of each value, and the counts."""
    if values.dtype.kind in "iu" and len(values) > 0:
        # modulo 2^64 the differences are exact, also where int64 overflows
        smallest = values.min().astype(np.uint64)
        keys = values.astype(np.uint64) - smallest
        n_keys = int(keys.max()) + 1
        if _table_is_faster(n_keys, len(values)):
            codes, distinct, n_distinct = factorize(keys.astype(np.int64), n_keys)
            levels = (distinct.astype(np.uint64) + smallest).astype(values.dtype)
            return levels, codes, np.bincount(codes, minlength=n_distinct)
    return np.unique(values, return_inverse=True, return_counts=True)


def factorize(keys: IntArray, n_keys: int) -> tuple[IntArray, IntArray, int]:
    """Return the code of each key, the distinct keys, and how many there are.

    Keys are integers in [0, n_keys); codes number the distinct ones in ascending order.
    """
    if _table_is_faster(n_keys, len(keys)):
        present = np.bincount(keys, minlength=n_keys) > 0
        distinct = np.flatnonzero(present)
        if len(distinct) == n_keys:
            return keys, distinct, n_keys
        return (np.cumsum(present) - 1)[keys], distinct, len(distinct)
    distinct, codes = np.unique(keys, return_inverse=True)
    return codes, distinct, len(distinct)


def _table_is_faster(n_keys: int, n_values: int) -> bool:
    return n_keys <= 4 * n_values + 64
