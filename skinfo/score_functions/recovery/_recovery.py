"""The whole recovery of a network, from the score functions to the designed loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo.score_functions.recovery._fitted_loss import FittedLoss, fit_loss
from skinfo.score_functions.recovery._head import Network
from skinfo.score_functions.recovery._landscape import Search
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._score import fit_default_score, fit_given_score
from skinfo.score_functions.recovery._solution import solve


@dataclass(frozen=True)
class Recovery:
    """A network that was recovered, before any training.

    `score`: the fitted estimator of the score functions. `network`: in white
    coordinates. `components` (k, d), `intercepts` (k,): its hidden layer in the units
    of X. `loss`: for order 4 the designed loss of these components; for order 3, which
    has no `designed_loss`, minus the sum of |T(a, a, a)|.
    """

    score: Any
    search: Search
    network: Network
    components: FloatArray
    intercepts: FloatArray
    loss: float
    designed_loss: FittedLoss | None


def recover(
    problem: Problem,
    score_estimator: Any,
    generator: np.random.RandomState,
    *,
    trains: bool,
) -> Recovery:
    """Return the network of a problem.

    `score_estimator`: None for a local likelihood, whose bandwidth is chosen. `trains`:
    whether the network will be trained afterwards, which that choice considers.
    """
    with one_blas_thread():
        if score_estimator is None:
            score, parts = fit_default_score(problem, generator, polish=trains)
        else:
            score, parts = fit_given_score(score_estimator, problem)
        solution = solve(problem, parts, generator)
    search, network = solution.search, solution.network
    components = network.components @ problem.whitening.inverse.T
    intercepts = network.intercepts - components @ problem.whitening.mean
    loss, designed_loss = -search.objective, None
    if problem.order == 4:
        designed_loss, loss = fit_loss(
            score,
            problem.whitening,
            solution.residual / len(problem.X),
            mu=problem.solver.mu,
            parts=parts,
            components=components,
        )
    return Recovery(score, search, network, components, intercepts, loss, designed_loss)
