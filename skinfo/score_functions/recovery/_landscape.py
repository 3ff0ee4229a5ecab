"""Decomposition of a symmetric tensor into directions: fixed points and descents.

The average score tensors of a network with hidden directions a_i are
M = sum_i w_i c_{2,i} a_i a_i' and T = sum_i w_i c_{m,i} a_i (x) ... (x) a_i, with m
factors, output weights w_i and mean derivatives c_{m,i} of the activation.

The functions of this module take T in coordinates in which M is the identity up to
signs. If all signs are equal, the a_i are orthogonal there, and they are fixed points
of the power iteration v <- T(v, ..., v, .). If M has both signs, the a_i are orthogonal
under the indefinite form M. The designed loss of the paper is a function of T that is
smallest at the a_i.
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

# Smallest |v J v| / |v|^2 that a vector is scaled by: a vector on the null cone of J,
# where v J v = 0, has no scale.
_LEAST_PSEUDO_NORM = 1e-12
_BATCH = 256  # samples per step of the stochastic descent
_PACE = 0.1  # norm of the steps of the first epoch, where rows have norm 1


@dataclass(frozen=True)
class Search:
    """Directions (k, d) that a search has found.

    `objective`: sum_i |T(a_i, ..., a_i)|. `history`: the objective, or the designed
    loss, after every step. `converged`: whether the tolerance was reached.
    """

    directions: FloatArray
    objective: float
    history: list[float]
    converged: bool

    def along(self, back: FloatArray) -> Search:
        """Return the search with directions mapped by `back` (d, k) to unit rows."""
        return replace(self, directions=unit_rows(self.directions @ back.T))


def polynomial_residual(X: FloatArray, Y: FloatArray, degree: int) -> FloatArray:
    """Return the residual of Y after regression on monomials of X, (n, n_outputs).

    E[q(x) S_m] = 0 for a polynomial q of a degree below m. So T = E[y S_m] does not
    change, but its sampling noise does: most of it comes from this part of y.
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
    """Find orthonormal directions by orthogonal iteration.

    All rows a_i of A take a step of power iteration at once, and are made orthonormal
    again: A <- orth(diag(sgn T(a_i, ..., a_i)) T(a_i, ..., a_i, .)), without the signs
    for an odd order. `start` (k, k): orthonormal rows. `even`: whether the order is.
    """
    directions, history, change = start, [], np.inf
    for _ in range(max_iter):
        powers = tensor.powers(directions)
        sizes = np.einsum("vi,vi->v", powers, directions)
        history.append(float(np.abs(sizes).sum()))
        if even:  # a negative T(a, ..., a) would flip the row in every step
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
    """Find directions one after another where M = diag(J) has entries of both signs.

    `signature` (k,): J, with entries 1 and -1. `starts` (k, n_starts, k): starts for
    each direction. The iteration is v <- J T(v, ..., v, .), deflated by the vectors
    found before and scaled to v' J v = +-1. Its fixed points are orthonormal up to
    signs, v_i' J v_j = +-delta_ij, and the directions are J v.
    """
    found, norms = np.empty((0, len(signature))), np.empty(0)
    history, converged = [], True
    for candidates in starts:
        vectors = _pseudo_normalised(candidates, signature, found, norms)
        for _ in range(max_iter):
            moved = signature * tensor.powers(vectors)
            moved = _pseudo_normalised(moved, signature, found, norms)
            # the sign of v may change in every step
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
    """Project the found vectors (m, k) out of vectors (n, k); scale to v' J v = +-1.

    `norms` (m,): v' J v of the found vectors.
    """
    vectors = vectors - ((vectors * signature) @ found.T * norms) @ found
    sizes = np.abs(np.einsum("vi,i,vi->v", vectors, signature, vectors))
    least = _LEAST_PSEUDO_NORM * np.einsum("vi,vi->v", vectors, vectors)
    lengths = np.sqrt(np.maximum(sizes, least))
    normalised: FloatArray = vectors / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
    return normalised


def designed_loss(
    tensor: AverageTensor, directions: FloatArray, *, mu: float, sign: float
) -> tuple[float, FloatArray]:
    """Return the designed loss of unit directions (k, d), and its gradient (k, d).

    The loss is sign * (sum_{i != j} T(a_i, a_i, a_j, a_j) - mu sum_i T(a_i, ..., a_i)).
    `sign`: that of the output weights times the mean fourth derivative of the
    activation, which is -1 for relu and positive weights.
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
    """Minimise the designed loss over orthonormal directions by L-BFGS.

    The parameter is an unconstrained matrix U S V' (k, k); the directions are its
    orthogonal factor U V'.
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
    """Minimise the designed loss by stochastic gradient descent, as in the paper.

    A step uses the tensor of one batch. Rows are scaled to length 1 after every step.
    The length of a step is inversely proportional to the square root of the epoch.
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
            directions = unit_rows(directions - pace * gradient / size)
        history.append(float(np.sum(losses)))
    whole = ImplicitTensor(parts)
    return Search(directions, _objective(whole, directions), history, converged=True)


def _objective(tensor: AverageTensor, directions: FloatArray) -> float:
    """Return sum_i |T(a_i, ..., a_i)|."""
    sizes = np.einsum("vi,vi->v", tensor.powers(directions), directions)
    return float(np.abs(sizes).sum())


def _orthogonal_factor(matrix: FloatArray) -> FloatArray:
    """Return the nearest matrix with orthonormal rows, (k, d)."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    factor: FloatArray = left @ right
    return factor


def unit_rows(rows: FloatArray) -> FloatArray:
    """Return the rows divided by their norms; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)
