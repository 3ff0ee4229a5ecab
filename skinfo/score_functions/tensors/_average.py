"""The mean of y S_m(x) over samples, as a symmetric tensor.

With s = S_1, B = hess log p and H = S_2 = ss + B, for a locally quadratic log density,

S_3(u, v, w) = s.u H(v, w) + s.v H(u, w) + s.w H(u, v) - 2 s.u s.v s.w,
S_4(u, v, w, z) = H(u, v) H(w, z) + H(u, w) H(v, z) + H(u, z) H(v, w)
                  - 2 s.u s.v s.w s.z.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._typing import FloatArray, IntArray

# Columns up to which a tensor of order 4 is formed: 20^4 floats are 1.3 MB, 50^4 are
# 50 MB. The second bound is for a curvature that varies from sample to sample, where
# contractions are slow: 3000 samples of 21 columns took 92 s without, 4 s with the
# tensor.
MOST_EXPLICIT = 20
_MOST_VARYING = 50
_BLOCK_ENTRIES = 1 << 21  # floats of H in a block of samples, 16 MiB: bounds the memory


class Part(Protocol):
    """Weighted samples with the score functions of a density."""

    @property
    def n_columns(self) -> int:
        """The number of coordinates."""

    def weighted(self, weights: FloatArray) -> Part:
        """Return the part with its weights multiplied by others, (n,)."""

    def along(self, basis: FloatArray) -> Part:
        """Return the part in other coordinates: S(basis u, ...), basis (d, k)."""

    def total(self, order: int) -> FloatArray:
        """Return the sum of weights times S_order, order 2 to 4, (d, ..., d)."""


Parts: TypeAlias = Sequence[Part]


@dataclass(frozen=True)
class QuadraticPart:
    """Samples of a log density that is quadratic near each of them.

    `weights` (n,). `slopes` (n, d): S_1. `curvature` (n, d, d): the Hessian B, or
    (d, d) if it is the same everywhere.
    """

    weights: FloatArray
    slopes: FloatArray
    curvature: FloatArray

    @property
    def n_columns(self) -> int:
        return int(self.slopes.shape[1])

    def weighted(self, weights: FloatArray) -> QuadraticPart:
        return QuadraticPart(self.weights * weights, self.slopes, self.curvature)

    def take(self, rows: IntArray) -> QuadraticPart:
        """Return only these samples."""
        curvature = self.curvature
        if curvature.ndim == 3:
            curvature = curvature[rows]
        return QuadraticPart(self.weights[rows], self.slopes[rows], curvature)

    def along(self, basis: FloatArray) -> QuadraticPart:
        curvature = basis.T @ self.curvature @ basis
        return QuadraticPart(self.weights, self.slopes @ basis, curvature)

    def total(self, order: int) -> FloatArray:
        return {2: _second, 3: _third, 4: _fourth}[order](self)

    def blocks(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield weights, slopes and H = ss + B of blocks of samples."""
        n, d = self.slopes.shape
        for rows in gen_batches(n, max(1, _BLOCK_ENTRIES // d**2)):
            s = self.slopes[rows]
            b = self.curvature if self.curvature.ndim == 2 else self.curvature[rows]
            yield self.weights[rows], s, s[:, :, np.newaxis] * s[:, np.newaxis] + b


class AverageTensor(Protocol):
    """A symmetric tensor T."""

    def powers(self, vectors: FloatArray) -> FloatArray:
        """Return T(v, ..., v, .) of each vector v, (n_vectors, d)."""

    def folded(self, vectors: FloatArray) -> FloatArray:
        """Return the sum of T(., ., v, v) over the vectors, (d, d)."""


def total(parts: Parts, order: int) -> FloatArray:
    """Return the sum of weights times S_order, over all parts."""
    result: FloatArray = np.sum([part.total(order) for part in parts], axis=0)
    return result


def average_tensor(parts: Parts, order: int) -> AverageTensor:
    """Return the sum of weights times S_order, order 3 or 4."""
    n_columns = parts[0].n_columns
    if order == 4 and n_columns > MOST_EXPLICIT:
        known = quadratic(parts)
        varies = any(part.curvature.ndim == 3 for part in known)
        if not varies or n_columns > _MOST_VARYING:
            return ImplicitTensor(known)
    return ExplicitTensor(total(parts, order))


def quadratic(parts: Parts) -> list[QuadraticPart]:
    """Return the parts, or raise unless all know the scores of each sample."""
    known = [part for part in parts if isinstance(part, QuadraticPart)]
    if len(known) < len(parts):
        raise TypeError(
            "solver='sgd', and more than "
            f"{MOST_EXPLICIT} hidden units, need a score_estimator with the method "
            "log_density_derivatives, beside contract."
        )
    return known


def _second(part: QuadraticPart) -> FloatArray:
    result: FloatArray = (part.slopes.T * part.weights) @ part.slopes
    if part.curvature.ndim == 2:
        result += part.weights.sum() * part.curvature
    else:
        result += np.einsum("n,nij->ij", part.weights, part.curvature)
    return result


def _third(part: QuadraticPart) -> FloatArray:
    d = part.n_columns
    mixed, cubes = np.zeros((d, d * d)), np.zeros((d, d * d))
    for w, s, h in part.blocks():
        squares = s[:, :, np.newaxis] * s[:, np.newaxis]
        mixed += (s.T * w) @ h.reshape(-1, d * d)
        cubes += (s.T * w) @ squares.reshape(-1, d * d)
    p = mixed.reshape(d, d, d)
    summed = p + p.transpose(1, 0, 2) + p.transpose(2, 1, 0)
    tensor: FloatArray = summed - 2 * cubes.reshape(d, d, d)
    return tensor


def _fourth(part: QuadraticPart) -> FloatArray:
    d = part.n_columns
    pairs, squares = np.zeros((d * d, d * d)), np.zeros((d * d, d * d))
    for w, s, h in part.blocks():
        flat = h.reshape(-1, d * d)
        products = (s[:, :, np.newaxis] * s[:, np.newaxis]).reshape(-1, d * d)
        pairs += (flat.T * w) @ flat
        squares += (products.T * w) @ products
    q = pairs.reshape(d, d, d, d)
    summed = q + q.transpose(0, 2, 1, 3) + q.transpose(0, 3, 2, 1)
    tensor: FloatArray = summed - 2 * squares.reshape(d, d, d, d)
    return tensor


@dataclass(frozen=True)
class ExplicitTensor:
    """A symmetric tensor by its entries, with three or four axes."""

    entries: FloatArray

    @cached_property
    def _pairs(self) -> tuple[IntArray, IntArray]:
        """Columns i <= j of each pair, both (n_pairs,)."""
        return np.triu_indices(len(self.entries))

    @cached_property
    def _places(self) -> IntArray:
        """Index of the pair of i and j, (d, d)."""
        i, j = self._pairs
        places = np.empty((len(self.entries),) * 2, dtype=np.int64)
        places[i, j] = places[j, i] = np.arange(len(i))
        return places

    @cached_property
    def _by_pairs(self) -> FloatArray:
        """Entries T_ijkl of order 4 with i <= j and k <= l, (n_pairs, n_pairs).

        Those with i < j are doubled, as they also stand for T_jikl.
        """
        i, j = self._pairs
        twice = np.where(i < j, 2.0, 1.0)[:, np.newaxis]
        packed: FloatArray = twice * self.entries[i, j][:, i, j]
        return packed

    def powers(self, vectors: FloatArray) -> FloatArray:
        if self.entries.ndim == 3:
            contracted = np.tensordot(vectors, self.entries, axes=1)
        else:
            i, j = self._pairs
            packed = (vectors[:, i] * vectors[:, j]) @ self._by_pairs
            contracted = packed.take(self._places, axis=1)
        result: FloatArray = np.einsum("vij,vi->vj", contracted, vectors)
        return result

    def folded(self, vectors: FloatArray) -> FloatArray:
        gram = vectors.T @ vectors
        result: FloatArray = (gram[self._pairs] @ self._by_pairs)[self._places]
        return result


@dataclass(frozen=True)
class ImplicitTensor:
    """The sum of weights times S_4, contracted sample by sample."""

    parts: Sequence[QuadraticPart]

    def powers(self, vectors: FloatArray) -> FloatArray:
        total = np.zeros(vectors.shape)
        for part in self.parts:
            if part.curvature.ndim == 2:
                total += _powers_of_constant(part, vectors)
                continue
            for w, s, h in part.blocks():
                p = s @ vectors.T
                turned = h @ vectors.T  # (n, d, n_vectors)
                q = np.einsum("vi,niv->nv", vectors, turned)
                total += 3 * np.einsum("nv,niv->vi", w[:, np.newaxis] * q, turned)
                total -= 2 * (w[:, np.newaxis] * p**3).T @ s
        return total

    def folded(self, vectors: FloatArray) -> FloatArray:
        d = vectors.shape[1]
        gram = vectors.T @ vectors
        total = np.zeros((d, d))
        for part in self.parts:
            for w, s, h in part.blocks():
                size = h.reshape(-1, d * d) @ gram.ravel()
                total += ((w * size) @ h.reshape(-1, d * d)).reshape(d, d)
                turned = (h @ gram) * w[:, np.newaxis, np.newaxis]
                total += 2 * np.tensordot(turned, h, axes=((0, 2), (0, 2)))
                lengths = np.einsum("ni,ij,nj->n", s, gram, s, optimize=True)
                total -= 2 * (s.T * (w * lengths)) @ s
        return total


def _powers_of_constant(part: QuadraticPart, vectors: FloatArray) -> FloatArray:
    """Return the sum of weights times S_4(v, v, v, .) for one curvature (d, d)."""
    p = part.slopes @ vectors.T
    turned = vectors @ part.curvature
    q = p**2 + np.einsum("vi,vi->v", turned, vectors)
    w = part.weights[:, np.newaxis]
    powers: FloatArray = (w * (3 * q - 2 * p**2) * p).T @ part.slopes
    powers += 3 * (w * q).sum(axis=0)[:, np.newaxis] * turned
    return powers
