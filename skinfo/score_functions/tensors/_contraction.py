"""Average score tensors of a density whose score functions are known along vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product
from math import factorial

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._typing import FloatArray
from skinfo.score_functions.tensors._pointwise import unpacked

_BLOCK_ENTRIES = 1 << 21  # floats of contractions at a time, 16 MiB: bounds the memory


@dataclass(frozen=True)
class ContractedPart:
    """Samples of a density whose score functions are known along vectors.

    `contract` takes vectors (n_vectors, d) and the order, and returns S(v, ..., v) of
    each sample, (n, n_vectors). `weights` (n,). `basis` (d, k): its columns are the
    unit vectors of the coordinates of the part.
    """

    contract: Callable[[FloatArray, int], FloatArray]
    weights: FloatArray
    basis: FloatArray

    @property
    def n_columns(self) -> int:
        return int(self.basis.shape[1])

    def weighted(self, weights: FloatArray) -> ContractedPart:
        return replace(self, weights=self.weights * weights)

    def along(self, basis: FloatArray) -> ContractedPart:
        return replace(self, basis=self.basis @ basis)

    def total(self, order: int) -> FloatArray:
        return polarized(
            lambda vectors: self._powers(vectors, order), self.n_columns, order
        )

    def _powers(self, vectors: FloatArray, order: int) -> FloatArray:
        """Return T(v, ..., v) of vectors in these coordinates, (n_vectors,)."""
        values = np.zeros(len(vectors))
        nonzero = np.flatnonzero(vectors.any(axis=1))
        size = max(1, _BLOCK_ENTRIES // len(self.weights))
        for batch in gen_batches(len(nonzero), size):
            rows = nonzero[batch]
            scores = self.contract(vectors[rows] @ self.basis.T, order)
            values[rows] = self.weights @ scores
        return values


def polarized(
    powers: Callable[[FloatArray], FloatArray], n_columns: int, order: int
) -> FloatArray:
    """Return the symmetric tensor T whose values T(v, ..., v) are known.

    `powers` takes (n_vectors, n_columns). With signs s and s_1 = 1, the entry of the
    axes i_1, ..., i_m is the sum over s of s_1 ... s_m T(v, ..., v), where v is the sum
    of s_j e_{i_j}, divided by 2^(m-1) m!.
    """
    indices = np.array(
        list(combinations_with_replacement(range(n_columns), order)), dtype=np.int64
    )
    entries = np.zeros(len(indices))
    axes = np.eye(n_columns)[indices]  # (n_entries, order, n_columns)
    for rest in product((1.0, -1.0), repeat=order - 1):
        signs = np.array([1.0, *rest])
        entries += signs.prod() * powers(np.tensordot(axes, signs, axes=(1, 0)))
    entries /= 2 ** (order - 1) * factorial(order)
    tensor: FloatArray = unpacked(entries[np.newaxis], n_columns, order)[0]
    return tensor
