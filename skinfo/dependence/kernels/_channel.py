"""Joint distributions as channels: exact ones, and kernel estimates from samples."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, svds

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.kernels._cells import Cells

_DENSE_SVD_UP_TO = 400  # cells, 50 ms; exact also where singular values nearly tie
_LANCZOS_RESTARTS = 100  # then the dense SVD: singular values that nearly tie are slow


@dataclass(frozen=True)
class Channel:
    """A joint distribution (n_x, n_y), every row and column positive, as p(y|x)."""

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
        """Return v(y) = sum_x p(x|y) w(x), (n_y, n_tilts), from w (n_x, n_tilts)."""
        return (self.joint.T @ tilts) / self.output_pmf[:, np.newaxis]

    def input_means(self, values: FloatArray) -> FloatArray:
        """Return sum_y p(y|x) f(y), (n_x, n_tilts), from values f (n_y, n_tilts)."""
        return (self.joint @ values) / self.input_pmf[:, np.newaxis]

    def conditional(self) -> FloatArray:
        """Return p(y|x), (n_x, n_y)."""
        return self.joint / self.input_pmf[:, np.newaxis]

    def leading_pair(self) -> tuple[float, FloatArray]:
        """Return the maximal correlation and the function of x (n_x,) that attains it.

        They are the second singular value of p(x, y) / sqrt(p(x) p(y)), and its left
        singular vector divided by sqrt(p(x)), which has mean 0 and variance 1.
        """
        p, q = np.sqrt(self.input_pmf), np.sqrt(self.output_pmf)
        if min(len(p), len(q)) == 1:
            return 0.0, np.zeros(len(p))
        matrix = self.joint / p[:, np.newaxis] / q
        matrix -= np.outer(p, q)  # removes the first singular value, which is 1
        left, singular = _leading_singular_pair(matrix)
        function = left[:, 0] / p
        function -= self.input_pmf @ function  # the rounding of the mean
        return min(float(singular[0]), 1.0), function


def _leading_singular_pair(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return left singular vectors (in columns) and singular values, largest first."""
    if min(matrix.shape) > _DENSE_SVD_UP_TO:
        start = np.random.default_rng(0).standard_normal(min(matrix.shape))
        with suppress(ArpackNoConvergence):
            left, singular, _ = svds(matrix, k=1, v0=start, maxiter=_LANCZOS_RESTARTS)
            return np.asarray(left, dtype=np.float64), np.asarray(singular, dtype=float)
    left, singular, _ = np.linalg.svd(matrix, full_matrices=False)
    return left.astype(np.float64), singular.astype(np.float64)


@dataclass(frozen=True)
class SmoothedVector:
    """The cells of a random vector with the kernel smoother between them.

    `smoother` (n_cells, n_cells): S_ab = K_ab / sum_b K_ab m_b, with the kernel K and
    the counts m; None if the kernel is the identity.
    """

    cells: Cells
    smoother: FloatArray | None

    def smooth(self, table: FloatArray) -> FloatArray:
        """Return the product of the smoother and a table (n_cells, n)."""
        if self.smoother is None:
            return table / self.cells.counts[:, np.newaxis]
        return self.smoother @ table

    def without(self, sample: int) -> SmoothedVector:
        """Return the vector with one sample left out, at the same bandwidth."""
        return smooth_cells(self.cells.without(sample))


def smooth_cells(cells: Cells) -> SmoothedVector:
    """Return the cells with their smoother."""
    kernel = cells.kernel()
    if kernel is not None:
        kernel /= (kernel @ cells.counts)[:, np.newaxis]
    return SmoothedVector(cells, kernel)


def kernel_joint(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
) -> Channel:
    """Return P = W_x W_y^T / sum, added up over cells; `order` permutes the y.

    W_x (n_samples, n_samples) is the Gaussian kernel with each row scaled to sum 1.
    """
    joint = _density_ratio(x, y, order)
    joint *= x.cells.counts[:, np.newaxis]
    joint *= y.cells.counts
    joint /= joint.sum()
    return Channel(joint)


def centred_joint(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None = None
) -> Channel:
    """Return the joint of the authors' code: doubly centred, negative entries set to 0.

    With A = W_x W_y^T over samples it is A + 1/n + sum(A)/n^2 - (row sums + column
    sums)/n, whose marginals are uniform before negative entries are set to 0.
    """
    ratio = _density_ratio(x, y, order)
    n = x.cells.n_samples
    row_sums, column_sums = ratio @ y.cells.counts, x.cells.counts @ ratio
    ratio += 1 / n + row_sums @ x.cells.counts / n**2
    ratio -= (row_sums[:, np.newaxis] + column_sums) / n
    joint = np.maximum(ratio, 0)
    joint *= x.cells.counts[:, np.newaxis]
    joint *= y.cells.counts
    return Channel(joint / joint.sum())


def _density_ratio(
    x: SmoothedVector, y: SmoothedVector, order: IntArray | None
) -> FloatArray:
    """Return S_x T S_y^T, where T counts the samples in each pair of cells."""
    n_x, n_y = len(x.cells), len(y.cells)
    codes_y = y.cells.codes if order is None else y.cells.codes[order]
    keys = x.cells.codes * n_y + codes_y
    table = np.bincount(keys, minlength=n_x * n_y).reshape(n_x, n_y).astype(float)
    smoothed: FloatArray = np.ascontiguousarray(y.smooth(x.smooth(table).T).T)
    return smoothed
