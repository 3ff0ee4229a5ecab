"""Samples that join few ones, so that no direction of the inputs stays unseen.

The covariance of few samples of many inputs is hardly known. Where there are fewer
samples than inputs, it even says that some combinations of inputs never vary, and a
code that is judged by these samples alone gives up what the weights do there. So rows
join in which each input is that of another sample: each keeps its law, and none tells
of another, which shrinks the covariance towards its diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import BoolArray, FloatArray
from skinfo.compression.models._stack import Stack, forward

_ENOUGH = 8  # rows for each input
_CHEAP = 1 << 21  # entries of all rows together
_MOST_DEVIATIONS = 3.0  # of what the model gives, from its mean over the samples
_LEAST_SHARE = 0.25  # of the rows, for which the model gives what it gives for samples


def with_permuted_columns(
    stack: Stack, X: Any, generator: np.random.RandomState
) -> Any:
    """Return X (n, d) and, below it where n is small, rows of shuffled inputs.

    Rows for which the model gives what it gives for no sample are left out: weights may
    cancel where inputs are alike. If these are most of them, none join. There are at
    least as many new rows as samples where n < d, unless they are left out.
    """
    n, d = X.shape
    n_rows = min(_ENOUGH * d, max(_CHEAP // d, 2 * n if n < d else n)) - n
    if n_rows <= 0:
        return X
    blocks = [_permuted(X, generator) for _ in range(-(-n_rows // n))]
    rows = _stacked(blocks)[:n_rows]
    kept = np.flatnonzero(_are_like(forward(stack, rows), forward(stack, X)))
    if len(kept) < _LEAST_SHARE * n_rows:
        return X
    return _stacked([X, rows[kept]])


def _permuted(X: Any, generator: np.random.RandomState) -> Any:
    """Return X with each column moved down, and round, by a random number of rows."""
    n, d = X.shape
    shifts = generator.randint(n, size=d)
    if is_sparse(X):
        entries = X.tocoo()
        rows = (entries.row + shifts[entries.col]) % n
        return type(X)((entries.data, (rows, entries.col)), shape=X.shape)
    return X[(np.arange(n)[:, np.newaxis] - shifts) % n, np.arange(d)]


def _stacked(blocks: Sequence[Any]) -> Any:
    if is_sparse(blocks[0]):
        return sparse.vstack(blocks, format="csr")
    return np.vstack(blocks)


def _are_like(outputs: FloatArray, usual: FloatArray) -> BoolArray:
    """Tell which rows of outputs are near the usual ones, (n_rows,)."""
    means, reach = usual.mean(axis=0), _MOST_DEVIATIONS * usual.std(axis=0)
    return np.asarray(np.all(np.abs(outputs - means) <= reach, axis=1))
