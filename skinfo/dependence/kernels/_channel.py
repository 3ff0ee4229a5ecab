"""Joint distributions as channels, exact or from samples by kernels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, svds

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.kernels._cells import Cells

_DENSE_SVD_UP_TO = 400  # cells; above, Lanczos iterations are faster
_LANCZOS_STEPS = 100  # restarts, after which the dense decomposition is faster


@dataclass(frozen=True)
class Channel:
    """A joint distribution (n_x, n_y) without empty rows or columns, from x to y."""

    joint: FloatArray

    @cached_property
    def input_pmf(self) -> FloatArray:
        """The input distribution p(x), (n_x,)."""
        pmf: FloatArray = self.joint.sum(axis=1)
        return pmf

    @cached_property
    def output_pmf(self) -> FloatArray:
        """The output distribution p(y), (n_y,)."""
        pmf: FloatArray = self.joint.sum(axis=0)
        return pmf

    def output_tilts(self, tilts: FloatArray) -> FloatArray:
        """Return r_y / p_y = sum_x p(x|y) r_x / p_x of tilts (n_x, n_tilts)."""
        return (self.joint.T @ tilts) / self.output_pmf[:, np.newaxis]

    def input_means(self, values: FloatArray) -> FloatArray:
        """Return sum_y p(y|x) values(y), of values (n_y, n_tilts)."""
        return (self.joint @ values) / self.input_pmf[:, np.newaxis]

    def conditional(self) -> FloatArray:
        """Return p(y|x), (n_x, n_y)."""
        return self.joint / self.input_pmf[:, np.newaxis]

    def leading_pair(self) -> tuple[float, FloatArray]:
        """Return the maximal correlation, and the function of x that reaches it.

        They are the second singular value of p(x, y) / sqrt(p(x) p(y)) and its left
        singular vector over sqrt(p(x)), (n_x,): of mean 0 and variance 1.
        """
        p, q = np.sqrt(self.input_pmf), np.sqrt(self.output_pmf)
        if min(len(p), len(q)) == 1:
            return 0.0, np.zeros(len(p))
        matrix = self.joint / p[:, np.newaxis] / q
        matrix -= np.outer(p, q)  # the first singular value, 1
        left, singular = _leading_singular_pair(matrix)
        function = left[:, 0] / p
        function -= self.input_pmf @ function  # what rounding left of the mean
        return min(float(singular[0]), 1.0), function


def _leading_singular_pair(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return left singular vectors and singular values, the leading ones first."""
    if min(matrix.shape) > _DENSE_SVD_UP_TO:
        start = np.random.default_rng(0).standard_normal(min(matrix.shape))
        with suppress(ArpackNoConvergence):  # many are nearly the largest
            left, singular, _ = svds(matrix, k=1, v0=start, maxiter=_LANCZOS_STEPS)
            return np.asarray(left, dtype=np.float64), np.asarray(singular, dtype=float)
    left, singular, _ = np.linalg.svd(matrix, full_matrices=False)
    return left.astype(np.float64), singular.astype(np.float64)


@dataclass(frozen=True)
class SmoothedVector:
    """The cells of a random vector with the kernel between them.

    `smoother` (n_cells, n_cells): how much cell b adds to cell a; None for nothing
    but to itself. With m the counts, S_ab = K_ab / sum_b K_ab m_b.
    """

    cells: Cells
    smoother: FloatArray | None

    def smooth(self, table: FloatArray) -> FloatArray:
        """Return S table, of a table (n_cells, ...)."""
        if self.smoother is None:
            return table / self.cells.counts[:, np.newaxis]
        return self.smoother @ table

    def without(self, sample: int) -> SmoothedVector:
        """Return the vector with one sample left out, at the same bandwidth."""
        return smooth_cells(self.cells.without(sample))


def smooth_cells(cells: Cells) -> SmoothedVector:
    """Compute the kernel between cells."""
    kernel = cells.kernel()
    if kernel is not None:
        kernel /= (kernel @ cells.counts)[:, np.newaxis]
    return SmoothedVector(cells, kernel)


def kernel_joint(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
) -> Channel:
    """Return P = W_x W_y^T / sum over cells, y in this order of its samples.

    W_x holds the kernel weights of all samples at the samples, each row of sum 1.
    """
    joint = _density_ratio(x, y, order)
    joint *= x.cells.counts[:, np.newaxis]
    joint *= y.cells.counts
    joint /= joint.sum()
    return Channel(joint)


def centred_joint(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
) -> Channel:
    """Return the joint of the authors' code: doubly centred, negative entries cut.

    A = W_x W_y^T, then A + 1/n + sum(A)/n^2 - (row sums + column sums)/n, all over
    samples, so that both marginals are uniform up to the cut.
    """
    ratio = _density_ratio(x, y, order)
    n = x.cells.n_samples
    of_rows, of_columns = ratio @ y.cells.counts, x.cells.counts @ ratio
    ratio += 1 / n + of_rows @ x.cells.counts / n**2
    ratio -= (of_rows[:, np.newaxis] + of_columns) / n
    joint = np.maximum(ratio, 0)
    joint *= x.cells.counts[:, np.newaxis]
    joint *= y.cells.counts
    return Channel(joint / joint.sum())


def _density_ratio(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None
) -> FloatArray:
    """Return S_x T S_y^T, with T the table of samples in each pair of cells."""
    n_x, n_y = len(x.cells), len(y.cells)
    codes_y = y.cells.codes if order is None else y.cells.codes[order]
    keys = x.cells.codes * n_y + codes_y
    table = np.bincount(keys, minlength=n_x * n_y).reshape(n_x, n_y).astype(float)
    smoothed: FloatArray = np.ascontiguousarray(y.smooth(x.smooth(table).T).T)
    return smoothed
