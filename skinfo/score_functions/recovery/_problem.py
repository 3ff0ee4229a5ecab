"""The regression problem that a network is recovered from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import comb
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skinfo._core._checks import check_integer
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._warnings import warn
from skinfo.score_functions.densities._score_parts import score_parts
from skinfo.score_functions.recovery._directions import Solver
from skinfo.score_functions.recovery._landscape import polynomial_residual
from skinfo.score_functions.recovery._whitening import (
    Whitening,
    fit_scaling,
    fit_whitening,
)
from skinfo.score_functions.tensors._average import Parts

# Order of "auto". For symmetric inputs and no bias, the mean third derivative of "relu"
# and the mean fourth ones of "tanh" and "logistic" are 0: they see no such unit.
_ORDERS = {"relu": 4, "tanh": 3, "logistic": 3}

# Samples per term of a polynomial that is subtracted from y: with as few, the fit
# to pure noise explains half of its variance.
_SAMPLES_PER_TERM = 2


@dataclass(frozen=True)
class Problem:
    """Samples, standardised outputs and the size of the network.

    `X` (n, d). `targets` (n, n_outputs): (Y - center) / scale, mean 0 and variance 1.
    `residual_degree`: of the polynomial that is subtracted from the targets; 0: none.
    `alpha`: ridge of the output weights.
    """

    X: FloatArray
    targets: FloatArray
    center: FloatArray
    scale: FloatArray
    whitening: Whitening
    n_components: int
    activation: str
    residual_degree: int
    alpha: float
    solver: Solver

    def part(self, rows: IntArray) -> Problem:
        """Return the problem of some samples, in white coordinates of their own."""
        X = self.X[rows]
        whitening = fit_coordinates(X, self.solver)
        return replace(
            self,
            X=X,
            targets=self.targets[rows],
            whitening=whitening,
            n_components=min(self.n_components, whitening.rank),
        )

    @property
    def outputs(self) -> FloatArray:
        """The outputs in their own units, (n, n_outputs)."""
        return self.targets * self.scale + self.center

    @cached_property
    def white(self) -> FloatArray:
        """The samples in white coordinates, (n, rank)."""
        return self.whitening.apply(self.X)

    def score_parts(self, score: Any) -> Parts:
        """Return the scores that an estimator, fitted on X, gives at the samples.

        They are in white coordinates.
        """
        samplewise = self.solver.is_stochastic
        parts = score_parts(score, self.X.shape, samplewise=samplewise)
        return [part.along(self.whitening.root) for part in parts]

    def outputs_for_tensors(self) -> tuple[FloatArray, FloatArray]:
        """Return y for M = mean(y S_2), and its residual for T = mean(y S_order)."""
        if self.residual_degree == 0:
            raw = self.targets + self.center / self.scale
            return raw, raw
        Z = self.white
        linear = polynomial_residual(Z, self.targets, 1)
        if self.residual_degree == 1:
            return linear, linear
        return linear, polynomial_residual(Z, self.targets, self.residual_degree)


def checked_order(order: int | str, activation: str, solver: str) -> int:
    """Return the order, for "auto" by the activation, or raise for a wrong solver."""
    number = _ORDERS[activation] if order == "auto" else int(order)
    if number == 3 and solver != "fixed_point":
        raise ValueError(
            f"solver={solver!r} minimises the designed loss, which needs "
            f"order=4, but order={order!r} with activation="
            f"{activation!r} is 3. Pass order=4 or solver='fixed_point'."
        )
    return number


def make_problem(
    X: FloatArray,
    Y: FloatArray,
    *,
    n_components: Any,
    activation: str,
    residual_degree: int | str | None,
    alpha: float,
    solver: Solver,
) -> Problem:
    """Return the problem of inputs (n, d) and outputs (n, n_outputs).

    `n_components` and `residual_degree`: as in ScoreFunctionLoss. Raises if there are
    too many components; lowers the degree with a warning if there are too few samples.
    """
    center, scale = Y.mean(axis=0), Y.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    whitening = fit_coordinates(X, solver)
    auto = residual_degree == "auto"
    degree = solver.order - 2 if auto else int(residual_degree or 0)
    return Problem(
        X,
        (Y - center) / scale,
        center,
        scale,
        whitening,
        _checked_n_components(n_components, X.shape[1], whitening.rank),
        activation,
        _affordable_degree(degree, *X.shape),
        alpha,
        solver,
    )


def fit_coordinates(X: FloatArray, solver: Solver) -> Whitening:
    """Return white coordinates, or scaled ones for the stochastic solver."""
    return fit_scaling(X) if solver.is_stochastic else fit_whitening(X)


def _checked_n_components(value: Any, n_features: int, rank: int) -> int:
    """Return the number of hidden units, None as the rank, or raise if too many."""
    if value is None:
        return max(rank, 1)
    n_components = check_integer("n_components", value, minimum=1)
    if n_components > rank:
        linearly = "" if rank == n_features else "linearly independent "
        raise ValueError(
            f"n_components={n_components} must be at most the number of {linearly}"
            f"features ({rank}): more directions cannot be told apart by the "
            "moments of y. Pass a smaller n_components, or None."
        )
    return n_components


def _affordable_degree(degree: int, n_samples: int, n_features: int) -> int:
    """Return the largest degree that the samples allow; warn if it is lower."""
    affordable = degree
    while affordable > 0:
        n_terms = comb(n_features + affordable, affordable)
        if n_samples >= _SAMPLES_PER_TERM * n_terms:
            break
        affordable -= 1
    if affordable < degree:
        warn(
            f"{n_samples} samples of {n_features} features are too few to take a "
            f"polynomial of degree {degree} from y; degree {affordable} was taken. "
            "Pass more samples or fewer features.",
            ConvergenceWarning,
        )
    return affordable
