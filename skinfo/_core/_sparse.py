"""Sparse matrices of scipy, whose types are too narrow to work with."""

from __future__ import annotations

from typing import Any

from scipy.sparse import issparse


def is_sparse(array: Any) -> bool:
    """Return whether an array is sparse, without narrowing its static type."""
    return bool(issparse(array))
