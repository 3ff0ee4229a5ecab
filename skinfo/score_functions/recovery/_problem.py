"""What a network is recovered from, and the steps from there to its parameters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._warnings import warn
from skinfo.score_functions.densities._local_likelihood import LocalLikelihoodScore
from skinfo.score_functions.recovery._directions import (
    Solver,
    recover_directions,
    score_parts,
)
from skinfo.score_functions.recovery._head import Network, fit_head
from skinfo.score_functions.recovery._landscape import Search, polynomial_residual
from skinfo.score_functions.recovery._polish import trained_briefly
from skinfo.score_functions.recovery._whitening import (
    Whitening,
    fit_scaling,
    fit_whitening,
)
from skinfo.score_functions.tensors._average import Parts

BANDWIDTH_FACTORS = (1.5, 2.5, 3.5, 5.0, 8.0)

_DEFAULT_FACTOR = 2.5
_FEWEST_TO_CHOOSE = 25  # samples, to choose a factor on a fifth of them
_MOST_TO_CHOOSE = 10_000  # as the time grows with their square
_AS_GOOD = 1.1  # times the least that is left, by which factors do not differ
_SAMPLES_PER_TERM = 2  # of a polynomial, that its fit needs at least


@dataclass(frozen=True)
class Problem:
    """Samples, scaled outputs, and the network that is sought.

    `X` (n, d); `targets` (n, n_outputs): mean 0 and variance 1; `means` (n_outputs,):
    what was taken away, in the same units. `residual_degree`: 0 for none.
    """

    X: FloatArray
    targets: FloatArray
    means: FloatArray
    whitening: Whitening
    n_components: int
    activation: str
    order: int
    residual_degree: int
    alpha: float
    solver: Solver

    def part(self, rows: IntArray) -> Problem:
        """Return the problem of some samples."""
        X = self.X[rows]
        whitening = fit_coordinates(X, self.solver)
        return replace(
            self,
            X=X,
            targets=self.targets[rows],
            whitening=whitening,
            n_components=min(self.n_components, whitening.rank),
        )

    @cached_property
    def white(self) -> FloatArray:
        """Return the samples in coordinates where they are white."""
        return self.whitening.apply(self.X)

    def outputs_for_tensors(self) -> tuple[FloatArray, FloatArray]:
        """Return y for M = mean(y S_2), and its residual for T = mean(y S_order)."""
        if self.residual_degree == 0:
            raw = self.targets + self.means
            return raw, raw
        Z = self.white
        linear = polynomial_residual(Z, self.targets, 1)
        if self.residual_degree == 1:
            return linear, linear
        return linear, polynomial_residual(Z, self.targets, self.residual_degree)


@dataclass(frozen=True)
class Solution:
    """Directions in white coordinates, and the output (n,) that they were found by."""

    search: Search
    network: Network
    residual: FloatArray


def fit_coordinates(X: FloatArray, solver: Solver) -> Whitening:
    """Return the coordinates that the solver works in; those of X, for the paper's."""
    return fit_scaling(X) if solver.name == "sgd" else fit_whitening(X)


def affordable_degree(degree: int, n_samples: int, n_features: int) -> int:
    """Return the degree of the residual that the samples allow; warn where it falls."""
    affordable = degree
    while affordable > 0:
        n_terms = 1 + n_features
        if affordable == 2:
            n_terms += n_features * (n_features + 1) // 2
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


def white_parts(
    score: Any,
    whitening: Whitening,
    shape: tuple[int, int],
    *,
    samplewise: bool = False,
) -> Parts:
    """Return the scores of a fitted estimator at its samples, in those coordinates.

    `shape`: of these samples.
    """
    parts = score_parts(score, shape, samplewise=samplewise)
    return [part.along(whitening.root) for part in parts]


def solve(problem: Problem, parts: Parts, generator: np.random.RandomState) -> Solution:
    """Return the network by the scores at the samples, in white coordinates.

    Of several outputs, random combinations are tried; the one whose network fits all
    outputs best is kept.
    """
    outputs, residuals = problem.outputs_for_tensors()
    n_outputs = outputs.shape[1]
    combinations = np.ones((1, 1))
    if n_outputs > 1:
        combinations = generator.standard_normal((problem.solver.n_init, n_outputs))
    solutions = []
    for combination in combinations:
        residual = residuals @ combination
        search = recover_directions(
            parts,
            outputs @ combination,
            residual,
            n_components=problem.n_components,
            order=problem.order,
            solver=problem.solver,
            generator=generator,
        )
        network = fit_head(
            problem.white,
            problem.targets,
            search.directions,
            problem.activation,
            problem.alpha,
        )
        solutions.append(Solution(search, network, residual))
    if len(solutions) == 1:
        return solutions[0]
    Z = problem.white
    return max(solutions, key=lambda each: explained(each.network, Z, problem.targets))


def explained(network: Network, Z: FloatArray, targets: FloatArray) -> float:
    """Return the share of the variance of the targets that a network explains."""
    left = targets - network.predict(Z)
    total = float(np.sum((targets - targets.mean(axis=0)) ** 2))
    return 1 - float(np.sum(left**2)) / total if total > 0 else 0.0


def choose_bandwidth_factor(
    problem: Problem,
    generator: np.random.RandomState,
    *,
    polish: bool,
) -> float:
    """Return the factor whose network explains a held-out fifth best.

    `polish`: networks are compared after some steps of training; of those that are
    about as good then, the best before training is taken. The factor multiplies a power
    of the number of samples, so that some of the samples tell it.
    """
    n = min(len(problem.X), _MOST_TO_CHOOSE)
    if n < _FEWEST_TO_CHOOSE:
        return _DEFAULT_FACTOR
    order = generator.permutation(len(problem.X))[:n]
    held_out, rest = order[: n // 5], order[n // 5 :]
    training = problem.part(rest)
    Z = training.whitening.apply(problem.X[held_out])
    seed = generator.randint(np.iinfo(np.int32).max)

    def qualities(factor: float) -> tuple[float, float]:
        """Return what the network does not explain, trained and as it was recovered."""
        score = LocalLikelihoodScore(
            bandwidth_factor=factor, derivative_order=problem.order
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            score.fit(training.X)
            parts = white_parts(score, training.whitening, training.X.shape)
        solution = solve(training, parts, np.random.RandomState(seed))
        head = trained = solution.network
        if polish:
            trained = trained_briefly(head, training.white, training.targets)
        left, left_by_head = (
            1 - explained(network, Z, problem.targets[held_out])
            for network in (trained, head)
        )
        return left, left_by_head

    found = {factor: qualities(factor) for factor in BANDWIDTH_FACTORS}
    least = min(left for left, _ in found.values())
    good = [each for each, (left, _) in found.items() if left <= _AS_GOOD * least]
    return min(good, key=lambda factor: found[factor][1])
