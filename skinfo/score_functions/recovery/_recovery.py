"""The recovery of a network: score functions, directions, head, designed loss.

`recover` is the whole of it. The score functions are those of a given estimator, or of
a local likelihood whose bandwidth is chosen by the network that follows from it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._local_likelihood import LocalLikelihoodScore
from skinfo.score_functions.recovery._directions import recover_directions
from skinfo.score_functions.recovery._fitted_loss import FittedLoss, fit_loss
from skinfo.score_functions.recovery._head import Network, fit_head
from skinfo.score_functions.recovery._landscape import Search
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._training import trained_briefly
from skinfo.score_functions.tensors._average import Parts

# Candidates, in units of the rule of LocalLikelihoodScore. The paper has 1.5 for a
# mixture and 5 to 6 for a normal density; larger factors approach GaussianScore.
_BANDWIDTH_FACTORS = (1.5, 2.5, 3.5, 5.0, 8.0)
_DEFAULT_FACTOR = 2.5  # that of LocalLikelihoodScore, for fewer samples than these:
_FEWEST_TO_CHOOSE = 25  # samples, of which a fifth would be fewer than five
_MOST_TO_CHOOSE = 10_000  # samples, as the time is proportional to their square
_AS_GOOD = 1.1  # ratio of unexplained variances up to which two factors are a tie


@dataclass(frozen=True)
class Solution:
    """A network in white coordinates, and how it was found.

    `residual` (n,): the output that weights the samples in T.
    """

    search: Search
    network: Network
    residual: FloatArray


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
            factor = choose_bandwidth_factor(problem, generator, polish=trains)
            score, parts = _fit_local_likelihood(problem, factor)
        else:
            score = clone(score_estimator)
            score.fit(problem.X)
            parts = problem.score_parts(score)
        solution = solve(problem, parts, generator)
    search, network = solution.search, solution.network
    components = network.components @ problem.whitening.inverse.T
    intercepts = network.intercepts - components @ problem.whitening.mean
    loss, designed_loss = -search.objective, None
    if problem.solver.order == 4:
        designed_loss, loss = fit_loss(
            problem, score, parts, solution.residual, components
        )
    return Recovery(score, search, network, components, intercepts, loss, designed_loss)


def solve(problem: Problem, parts: Parts, generator: np.random.RandomState) -> Solution:
    """Return the network of the problem, from the scores at the samples.

    With several outputs, the directions are found from a random linear combination of
    them. Of `n_init` combinations, the one whose network explains most of the variance
    of all outputs is kept.
    """
    Z, targets, solver = problem.white, problem.targets, problem.solver
    outputs, residuals = problem.outputs_for_tensors()
    n_outputs = outputs.shape[1]
    combinations = np.ones((1, 1))
    if n_outputs > 1:
        combinations = generator.standard_normal((solver.n_init, n_outputs))
    solutions = []
    for combination in combinations:
        y, residual = outputs @ combination, residuals @ combination
        search = recover_directions(
            parts,
            y,
            residual,
            n_components=problem.n_components,
            solver=solver,
            generator=generator,
        )
        network = fit_head(
            Z, targets, search.directions, problem.activation, problem.alpha
        )
        solutions.append(Solution(search, network, residual))
    return max(solutions, key=lambda each: explained_share(each.network, Z, targets))


def explained_share(network: Network, Z: FloatArray, targets: FloatArray) -> float:
    """Return R^2, the share of the variance of the targets that a network explains."""
    left = targets - network.predict(Z)
    total = float(np.sum((targets - targets.mean(axis=0)) ** 2))
    return 1 - float(np.sum(left**2)) / total if total > 0 else 0.0


# ----- the default score functions


def _fit_local_likelihood(
    problem: Problem, factor: float
) -> tuple[LocalLikelihoodScore, Parts]:
    """Return a local likelihood with this bandwidth factor, and its white scores."""
    score = LocalLikelihoodScore(
        bandwidth_factor=factor, derivative_order=problem.solver.order
    ).fit(problem.X)
    with warnings.catch_warnings():  # about a bandwidth that nobody passed
        warnings.simplefilter("ignore", ConvergenceWarning)
        return score, problem.score_parts(score)


def choose_bandwidth_factor(
    problem: Problem, generator: np.random.RandomState, *, polish: bool
) -> float:
    """Return the factor whose network explains a held-out fifth best.

    `polish`: networks are compared after a few steps of training, and ties are decided
    by the networks before training. The factor multiplies a power of the number of
    samples, so that it can be chosen on a part of them.
    """
    n = min(len(problem.X), _MOST_TO_CHOOSE)
    if n < _FEWEST_TO_CHOOSE:
        return _DEFAULT_FACTOR
    rows = generator.permutation(len(problem.X))[:n]
    held_out, rest = rows[: n // 5], rows[n // 5 :]
    training = problem.part(rest)
    Z = training.whitening.apply(problem.X[held_out])
    targets = problem.targets[held_out]
    seed = generator.randint(np.iinfo(np.int32).max)

    def unexplained_shares(factor: float) -> tuple[float, float]:
        """Return 1 - R^2 of the trained network, and of the one before training."""
        _, parts = _fit_local_likelihood(training, factor)
        head = solve(training, parts, np.random.RandomState(seed)).network
        trained = head
        if polish:
            trained = trained_briefly(head, training.white, training.targets)
        return (
            1 - explained_share(trained, Z, targets),
            1 - explained_share(head, Z, targets),
        )

    found = {factor: unexplained_shares(factor) for factor in _BANDWIDTH_FACTORS}
    least = min(trained for trained, _ in found.values())
    good = [each for each, (left, _) in found.items() if left <= _AS_GOOD * least]
    return min(good, key=lambda factor: found[factor][1])
