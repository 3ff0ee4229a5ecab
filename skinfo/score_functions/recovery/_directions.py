"""Hidden directions of a network from its outputs and the score functions of x."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.score_functions.recovery._landscape import (
    Search,
    orthonormal_directions,
    pseudo_orthonormal_directions,
    smallest_designed_loss,
    stochastic_descent,
)
from skinfo.score_functions.tensors._average import (
    AverageTensor,
    Parts,
    average_tensor,
    quadratic,
    total,
)

SOLVERS = ("fixed_point", "lbfgs", "sgd")

SIGN_OF_FOURTH = -1.0  # sign of E g'''' for relu, a standard normal <a, x> and no bias
# Smallest scale of an eigenvector of M, relative to the largest: bounds the noise that
# the division amplifies where M is nearly singular.
_LEAST_SCALE = 1e-6
# Starts per direction, as a multiple of n_init, where M is indefinite; all starts of a
# direction are iterated together. With six units of mixed signs in ten columns, 1 to 8
# times gave the same median error of the worst direction.
_STARTS_FOR_BOTH_SIGNS = 4


@dataclass(frozen=True)
class Solver:
    """The algorithm that finds the directions, and its parameters.

    `order`: that of the tensor T whose decomposition they are, 3 or 4.
    """

    name: str
    order: int
    mu: float
    n_init: int
    max_iter: int
    tol: float

    @property
    def is_stochastic(self) -> bool:
        """Whether it is the stochastic descent of the paper, in coordinates of X."""
        return self.name == "sgd"


def recover_directions(
    parts: Parts,
    y: FloatArray,
    residual: FloatArray,
    *,
    n_components: int,
    solver: Solver,
    generator: np.random.RandomState,
) -> Search:
    """Return unit directions (k, d) in the white coordinates of the parts.

    `y` (n,): weights of M = mean(y S_2). `residual` (n,): those of
    T = mean(residual S_order).
    """
    weighted = [part.weighted(residual / len(y)) for part in parts]
    if solver.order == 3:
        basis = back = _leading_subspace(weighted, n_components)
        signature = np.ones(n_components)
    else:
        moment = total([part.weighted(y / len(y)) for part in parts], 2)
        if solver.is_stochastic:  # no whitening by M
            sign_of_weights = 1.0 if np.trace(moment) > 0 else -1.0
            return stochastic_descent(
                quadratic(weighted),
                _random_start(n_components, parts[0].n_columns, generator),
                mu=solver.mu,
                sign=SIGN_OF_FOURTH * sign_of_weights,
                n_epochs=solver.max_iter,
                generator=generator,
            )
        basis, back, signature = _diagonal_coordinates(moment, n_components)
    tensor = average_tensor([part.along(basis) for part in weighted], solver.order)
    return _search(tensor, signature, solver, generator).along(back)


def _leading_subspace(weighted: Parts, n_components: int) -> FloatArray:
    """Return an orthonormal basis (d, k) of the span of the directions.

    It consists of the left singular vectors of T, unfolded to (d, d^2).
    """
    d = weighted[0].n_columns
    if n_components == d:
        return np.eye(d)
    left, _, _ = np.linalg.svd(total(weighted, 3).reshape(d, -1))
    subspace: FloatArray = left[:, :n_components]
    return subspace


def _diagonal_coordinates(
    moment: FloatArray, n_components: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coordinates in which M is diagonal with entries 1 and -1.

    `basis` (d, k) with basis' M basis = diag(signature), `back` (d, k) with
    back' basis = I, and `signature` (k,). M = sum_i w_i c_i a_i a_i' has rank k, and
    the directions a_i span its range.
    """
    values, vectors = np.linalg.eigh(moment)
    largest = np.argsort(-np.abs(values), kind="stable")[:n_components]
    values, vectors = values[largest], vectors[:, largest]
    scale = np.sqrt(np.abs(values))
    scale = np.maximum(scale, _LEAST_SCALE * scale.max() or 1.0)
    return vectors / scale, vectors * scale, np.where(values < 0, -1.0, 1.0)


def _search(
    tensor: AverageTensor,
    signature: FloatArray,
    solver: Solver,
    generator: np.random.RandomState,
) -> Search:
    """Return the search from several starts with the largest sum |T(a, ..., a)|."""
    k = len(signature)
    if np.any(signature != signature[0]):
        # the designed loss needs M to be definite
        starts = generator.standard_normal(
            (k, _STARTS_FOR_BOTH_SIGNS * solver.n_init, k)
        )
        return pseudo_orthonormal_directions(
            tensor, signature, starts, max_iter=solver.max_iter, tol=solver.tol
        )
    search = partial(orthonormal_directions, even=solver.order == 4)
    if solver.name == "lbfgs":
        sign = SIGN_OF_FOURTH * signature[0]
        search = partial(smallest_designed_loss, mu=solver.mu, sign=sign)
    searches = [
        search(
            tensor,
            _random_start(k, k, generator),
            max_iter=solver.max_iter,
            tol=solver.tol,
        )
        for _ in range(solver.n_init)
    ]
    return max(searches, key=lambda each: each.objective)


def _random_start(k: int, d: int, generator: np.random.RandomState) -> FloatArray:
    """Return k random orthonormal rows, (k, d).

    They have a seed of their own. Drawn from `generator` directly, they would be the
    true directions of a `make_teacher_network` with the same seed.
    """
    own = np.random.default_rng(generator.randint(np.iinfo(np.int32).max))
    basis, _ = np.linalg.qr(own.standard_normal((d, k)))
    start: FloatArray = basis.T
    return start
