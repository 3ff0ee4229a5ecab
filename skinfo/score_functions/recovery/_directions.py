"""The hidden directions of a network, from its outputs and the score functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    QuadraticPart,
    average_tensor,
    quadratic,
    total,
)
from skinfo.score_functions.tensors._contraction import ContractedPart

SOLVERS = ("fixed_point", "lbfgs", "sgd")

SIGN_OF_FOURTH = -1.0  # of the mean fourth derivative of relu
_LEAST_SCALE = 1e-6  # of the largest, of the directions that M hardly sees
_STARTS_FOR_BOTH_SIGNS = 4  # times n_init


@dataclass(frozen=True)
class Solver:
    """How the directions are searched for."""

    name: str
    mu: float
    n_init: int
    max_iter: int
    tol: float


def check_score_estimator(estimator: Any) -> None:
    """Raise where an estimator has no method that tells the scores."""
    if not (
        hasattr(estimator, "contract") or hasattr(estimator, "log_density_derivatives")
    ):
        raise TypeError(
            f"score_estimator={estimator!r} has neither the method contract nor "
            "log_density_derivatives. Pass a LocalLikelihoodScore, or an estimator "
            "with fit(X) and log_density_derivatives(X=None)."
        )


def score_parts(
    estimator: Any, shape: tuple[int, int], *, samplewise: bool = False
) -> Parts:
    """Return the scores of a fitted estimator at its training samples, of this shape.

    Of one that is not ours, `contract` is preferred for being exact where log p is not
    quadratic, unless the scores of single samples are needed (`samplewise`).
    """
    if hasattr(estimator, "quadratic_parts"):
        parts: Parts = estimator.quadratic_parts()
        return parts
    n_samples, n_features = shape
    contract = getattr(estimator, "contract", None)
    samplewise = samplewise and hasattr(estimator, "log_density_derivatives")
    if contract is not None and not samplewise:

        def contracted(vectors: FloatArray, order: int) -> FloatArray:
            return _read_scores(
                estimator,
                "contract(None, vectors, order)",
                contract(None, vectors, order),
                (n_samples, len(vectors)),
            )

        return [ContractedPart(contracted, np.ones(n_samples), np.eye(n_features))]
    name = "log_density_derivatives()"
    gradient, hessian = estimator.log_density_derivatives()
    gradient = _read_scores(estimator, name, gradient, shape)
    shape_of_hessian = shape if np.ndim(hessian) == 3 else shape[1:]
    hessian = _read_scores(estimator, name, hessian, (*shape_of_hessian, n_features))
    return [QuadraticPart(np.ones(n_samples), -gradient, hessian)]


def _read_scores(
    estimator: Any, method: str, values: Any, shape: tuple[int, ...]
) -> FloatArray:
    """Return what a foreign estimator gave, or raise where it is not usable."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"{method} of score_estimator={estimator!r} gave an array of shape "
            f"{array.shape}. It must have the shape {shape}, and finite values."
        )
    return array


def recover_directions(
    parts: Parts,
    y: FloatArray,
    residual: FloatArray,
    *,
    n_components: int,
    order: int,
    solver: Solver,
    generator: np.random.RandomState,
) -> Search:
    """Return unit directions (k, d) in the coordinates of the parts, where x is white.

    `y` (n,): for M = mean(y S_2). `residual` (n,): for T = mean(residual S_order).
    """
    weighted = [part.weighted(residual / len(y)) for part in parts]
    if solver.name == "sgd":  # the paper: no whitening by M
        moment = total([part.weighted(y / len(y)) for part in parts], 2)
        sign_of_weights = 1.0 if np.trace(moment) > 0 else -1.0
        return stochastic_descent(
            quadratic(weighted),
            _random_start(n_components, parts[0].n_columns, generator),
            mu=solver.mu,
            sign=SIGN_OF_FOURTH * sign_of_weights,
            n_epochs=solver.max_iter,
            generator=generator,
        )
    if order == 3:
        basis = back = _leading_subspace(weighted, n_components)
        signature = np.ones(n_components)
    else:
        moment = total([part.weighted(y / len(y)) for part in parts], 2)
        basis, back, signature = _diagonal_coordinates(moment, n_components)
    tensor = average_tensor([part.along(basis) for part in weighted], order)
    return _search(tensor, signature, order, solver, generator).along(back)


def _leading_subspace(weighted: Parts, n_components: int) -> FloatArray:
    """Return the span of the directions by the unfolding of T, (d, k)."""
    d = weighted[0].n_columns
    if n_components == d:
        return np.eye(d)
    left, _, _ = np.linalg.svd(total(weighted, 3).reshape(d, -1))
    subspace: FloatArray = left[:, :n_components]
    return subspace


def _diagonal_coordinates(
    moment: FloatArray, n_components: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the basis of coordinates where M is +-1 on the diagonal.

    Also the way back, both (d, k), and the signs (k,). M = sum_i w_i c_i a_i a_i' has
    rank k, whose range the directions span.
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
    order: int,
    solver: Solver,
    generator: np.random.RandomState,
) -> Search:
    """Return the best of several starts: that of the largest sum |T(a, ..., a)|."""
    k = len(signature)
    if np.any(signature != signature[0]):
        # the designed loss needs M to be definite
        starts = generator.standard_normal(
            (k, _STARTS_FOR_BOTH_SIGNS * solver.n_init, k)
        )
        return pseudo_orthonormal_directions(
            tensor, signature, starts, max_iter=solver.max_iter, tol=solver.tol
        )
    run: Callable[[FloatArray], Search]
    if solver.name == "lbfgs":

        def run(start: FloatArray) -> Search:
            return smallest_designed_loss(
                tensor,
                start,
                mu=solver.mu,
                sign=SIGN_OF_FOURTH * signature[0],
                max_iter=solver.max_iter,
                tol=solver.tol,
            )

    else:

        def run(start: FloatArray) -> Search:
            return orthonormal_directions(
                tensor,
                start,
                even=order == 4,
                max_iter=solver.max_iter,
                tol=solver.tol,
            )

    searches = [run(_random_start(k, k, generator)) for _ in range(solver.n_init)]
    return max(searches, key=lambda search: search.objective)


def _random_start(k: int, d: int, generator: np.random.RandomState) -> FloatArray:
    """Return k random orthonormal rows.

    From a seed of their own: the first numbers of `generator` are also what
    `make_teacher_network` of the same seed makes its directions from.
    """
    own = np.random.default_rng(generator.randint(np.iinfo(np.int32).max))
    basis, _ = np.linalg.qr(own.standard_normal((d, k)))
    start: FloatArray = basis.T
    return start
