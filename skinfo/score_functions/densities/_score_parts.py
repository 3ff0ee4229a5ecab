"""The scores that a fitted estimator gives at its samples, of whatever class it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.score_functions.tensors._average import Parts, QuadraticPart
from skinfo.score_functions.tensors._contraction import ContractedPart


def check_score_estimator(estimator: Any) -> None:
    """Raise unless an estimator has a method that gives its scores."""
    _, contract, derivatives = _score_methods(estimator)
    if contract is None and derivatives is None:
        raise TypeError(
            f"score_estimator={estimator!r} has neither the method contract nor "
            "log_density_derivatives. Pass a LocalLikelihoodScore, or an estimator "
            "with fit(X) and log_density_derivatives(X=None)."
        )


def score_parts(
    estimator: Any, shape: tuple[int, int], *, samplewise: bool = False
) -> Parts:
    """Return the scores of a fitted estimator at its samples, of this shape (n, d).

    Of several methods, `quadratic_parts` is the fastest. Then `contract` is preferred,
    which is exact where log p is not quadratic, unless the scores of single samples are
    needed (`samplewise`) and `log_density_derivatives` gives them.
    """
    quadratic_parts, contract, derivatives = _score_methods(estimator)
    if quadratic_parts is not None:
        parts: Parts = quadratic_parts()
        return parts
    if derivatives is None or (contract is not None and not samplewise):
        return [_contracted_part(estimator, shape)]
    name = "log_density_derivatives()"
    gradient, hessian = derivatives()
    gradient = _checked_scores(estimator, name, gradient, shape)
    shape_of_hessian = shape if np.ndim(hessian) == 3 else shape[1:]
    hessian = _checked_scores(estimator, name, hessian, (*shape_of_hessian, shape[1]))
    return [QuadraticPart(np.ones(len(gradient)), -gradient, hessian)]


def _score_methods(estimator: Any) -> list[Any]:
    """Return three methods that give the scores at the samples of `fit`.

    None stands for a method that the estimator lacks. They are
    `quadratic_parts()`: parts in which log p is quadratic near each sample;
    `contract(None, vectors, order)`: S_order(v, ..., v), (n, n_vectors);
    `log_density_derivatives()`: gradient (n, d) and Hessian, (n, d, d) or (d, d).
    """
    names = ("quadratic_parts", "contract", "log_density_derivatives")
    return [getattr(estimator, name, None) for name in names]


def _contracted_part(estimator: Any, shape: tuple[int, int]) -> ContractedPart:
    """Return the part of an estimator with the method `contract`."""
    n_samples, n_features = shape

    def contract(vectors: FloatArray, order: int) -> FloatArray:
        return _checked_scores(
            estimator,
            "contract(None, vectors, order)",
            estimator.contract(None, vectors, order),
            (n_samples, len(vectors)),
        )

    return ContractedPart(contract, np.ones(n_samples), np.eye(n_features))


def _checked_scores(
    estimator: Any, method: str, values: Any, shape: tuple[int, ...]
) -> FloatArray:
    """Return what a method gave as floats, or raise unless the shape is this one."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"{method} of score_estimator={estimator!r} gave an array of shape "
            f"{array.shape}. It must have the shape {shape}, and finite values."
        )
    return array
