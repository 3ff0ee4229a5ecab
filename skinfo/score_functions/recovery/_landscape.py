"""The directions of a one-hidden-layer network, from an average score tensor.

With T = sum_i w_i c_i a_i^m and M = sum_i w_i c_i' a_i a_i', the directions a_i are
found in coordinates where M is diagonal with entries 1 and -1: there the dual vectors
of the a_i are orthogonal, and fixed points of v <- T(v, ..., v, .).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils import gen_batches

from skinfo._core._typing import FloatArray
from skinfo.score_functions.tensors._average import (
    AverageTensor,
    ImplicitTensor,
    QuadraticPart,
)

_LEAST_PSEUDO_NORM = 1e-12
_BATCH = 256  # samples of a stochastic step
_PACE = 0.1  # length of the first steps


@dataclass(frozen=True)
class Search:
    """Directions (k, d) that a search has found.

    `objective`: sum |T(a, ..., a)|; `history`: of it, or of the loss, step by step;
    `converged`: whether the tolerance was reached.
    """

    directions: FloatArray
    objective: float
    history: list[float]
    converged: bool

    def along(self, back: FloatArray) -> Search:
        """Return unit directions in the coordinates that `back` (d, k) leads to."""
        return replace(self, directions=_unit_rows(self.directions @ back.T))


def polynomial_residual(X: FloatArray, Y: FloatArray, degree: int) -> FloatArray:
    """Return what a polynomial of X of this degree leaves of Y, (n, n_outputs).

    E[q(x) S_m] = 0 for polynomials q of a degree below m, so that T does not change,
    but most of its sampling noise goes.
    """
    monomials = PolynomialFeatures(degree).set_output(transform="default")
    terms = monomials.fit_transform(X)
    solution = np.linalg.lstsq(terms, Y, rcond=None)[0]
    residual: FloatArray = Y - terms @ solution
    return residual


def orthonormal_directions(
    tensor: AverageTensor,
    start: FloatArray,
    *,
    even: bool,
    max_iter: int,
    tol: float,
) -> Search:
    """Return the fixed point A = orth(diag(sgn T(a, ..., a)) T(a, ..., a, .)).

    `start` (k, k): orthonormal rows. `even`: whether T has an even number of axes.
    """
    directions, history, change = start, [], np.inf
    for _ in range(max_iter):
        powers = tensor.powers(directions)
        sizes = np.einsum("vi,vi->v", powers, directions)
        history.append(float(np.abs(sizes).sum()))
        if even:  # keeps the sign of each direction
            powers = np.where(sizes < 0, -1, 1)[:, np.newaxis] * powers
        moved = _orthogonal_factor(powers)
        change = float(np.abs(moved - directions).max())
        directions = moved
        if change <= tol:
            break
    return Search(directions, _objective(tensor, directions), history, change <= tol)


def pseudo_orthonormal_directions(
    tensor: AverageTensor,
    signature: FloatArray,
    starts: FloatArray,
    *,
    max_iter: int,
    tol: float,
) -> Search:
    """Return the same where M has entries of both signs, one direction after another.

    `signature` (k,): J, the diagonal of M. `starts` (k, n_starts, k). The vectors v
    that are orthonormal up to signs in J, v_i J v_j = +-delta_ij, are fixed points of
    v <- J T(v, ..., v, .) without the part along the earlier ones; the directions are
    J v.
    """
    found, norms = np.empty((0, len(signature))), np.empty(0)
    history, converged = [], True
    for candidates in starts:
        vectors = _pseudo_normalised(candidates, signature, found, norms)
        for _ in range(max_iter):
            moved = signature * tensor.powers(vectors)
            moved = _pseudo_normalised(moved, signature, found, norms)
            # the sign of v may turn in every step
            changes = np.minimum(np.abs(moved - vectors), np.abs(moved + vectors))
            vectors = moved
            if changes.max() <= tol:
                break
        sizes = np.abs(np.einsum("vi,vi->v", tensor.powers(vectors), vectors))
        best = vectors[sizes.argmax()]
        converged &= bool(changes[sizes.argmax()].max() <= tol)
        history.append(float(sizes.max()))
        found = np.vstack([found, best])
        norms = np.append(norms, np.sign(best * signature @ best))
    return Search(found * signature, float(np.sum(history)), history, converged)


def _pseudo_normalised(
    vectors: FloatArray, signature: FloatArray, found: FloatArray, norms: FloatArray
) -> FloatArray:
    """Take away the parts along what was found, and scale to v J v = +-1."""
    vectors = vectors - ((vectors * signature) @ found.T * norms) @ found
    sizes = np.abs(np.einsum("vi,i,vi->v", vectors, signature, vectors))
    least = _LEAST_PSEUDO_NORM * np.einsum("vi,vi->v", vectors, vectors)
    lengths = np.sqrt(np.maximum(sizes, least))
    normalised: FloatArray = vectors / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
    return normalised


def designed_loss(
    tensor: AverageTensor, directions: FloatArray, *, mu: float, sign: float
) -> tuple[float, FloatArray]:
    """Return the designed loss of unit directions (k, d), and its gradient.

    sign * (sum_{i != j} T(a_i, a_i, a_j, a_j) - mu sum_i T(a_i, a_i, a_i, a_i)), where
    `sign` is that of the output weights times the mean fourth derivative of the
    activation: -1 for relu and positive weights.
    """
    powers = tensor.powers(directions)
    sizes = np.einsum("vi,vi->v", powers, directions)
    folded = directions @ tensor.folded(directions)
    crossed = np.einsum("vi,vi->", folded, directions) - sizes.sum()
    loss = sign * (crossed - mu * sizes.sum())
    gradient: FloatArray = 4 * sign * (folded - powers - mu * powers)
    return float(loss), gradient


def smallest_designed_loss(
    tensor: AverageTensor,
    start: FloatArray,
    *,
    mu: float,
    sign: float,
    max_iter: int,
    tol: float,
) -> Search:
    """Minimise the designed loss over orthonormal directions, by L-BFGS.

    The directions are the orthogonal factor U V' of a free matrix U S V'.
    """
    history = []

    def keep(intermediate_result: OptimizeResult) -> None:
        history.append(float(intermediate_result.fun))

    def value(flat: FloatArray) -> tuple[float, FloatArray]:
        left, stretch, right = np.linalg.svd(flat.reshape(start.shape))
        loss, gradient = designed_loss(tensor, left @ right, mu=mu, sign=sign)
        turned = left.T @ gradient @ right.T
        turned = (turned - turned.T) / (stretch[:, np.newaxis] + stretch)
        return loss, (left @ turned @ right).ravel()

    result = minimize(
        value,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=keep,
        options={"maxiter": max_iter, "ftol": tol, "gtol": 0},
    )
    directions = _orthogonal_factor(result.x.reshape(start.shape))
    objective = _objective(tensor, directions)
    return Search(directions, objective, history, result.nit < max_iter)


def stochastic_descent(
    parts: Sequence[QuadraticPart],
    start: FloatArray,
    *,
    mu: float,
    sign: float,
    n_epochs: int,
    generator: np.random.RandomState,
) -> Search:
    """Descend along the designed loss of small batches, as the paper does.

    Rows are scaled to length 1 after every step; the length of a step falls as one
    over the square root of the number of epochs.
    """
    directions, history = start, []
    n_samples = len(parts[0].weights)
    for epoch in range(n_epochs):
        rows = generator.permutation(n_samples)
        losses = []
        for batch in gen_batches(n_samples, _BATCH):
            tensor = ImplicitTensor([part.take(rows[batch]) for part in parts])
            loss, gradient = designed_loss(tensor, directions, mu=mu, sign=sign)
            losses.append(loss)
            size = float(np.linalg.norm(gradient)) or 1.0
            pace = _PACE / np.sqrt(1 + epoch)
            directions = _unit_rows(directions - pace * gradient / size)
        history.append(float(np.sum(losses)))
    whole = ImplicitTensor(parts)
    return Search(directions, _objective(whole, directions), history, converged=True)


def _objective(tensor: AverageTensor, directions: FloatArray) -> float:
    sizes = np.einsum("vi,vi->v", tensor.powers(directions), directions)
    return float(np.abs(sizes).sum())


def _orthogonal_factor(matrix: FloatArray) -> FloatArray:
    """Return the nearest matrix with orthonormal rows."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    factor: FloatArray = left @ right
    return factor


def _unit_rows(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)
