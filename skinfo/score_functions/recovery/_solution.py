"""A network from the scores at the samples: first its directions, then its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._score_parts import score_parts
from skinfo.score_functions.recovery._directions import recover_directions
from skinfo.score_functions.recovery._head import Network, fit_head
from skinfo.score_functions.recovery._landscape import Search
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._whitening import Whitening
from skinfo.score_functions.tensors._average import Parts


@dataclass(frozen=True)
class Solution:
    """A network in white coordinates, and how it was found.

    `residual` (n,): the output that weights the samples in T.
    """

    search: Search
    network: Network
    residual: FloatArray


def white_parts(
    score: Any,
    whitening: Whitening,
    shape: tuple[int, int],
    *,
    samplewise: bool = False,
) -> Parts:
    """Return the scores of a fitted estimator at its samples, in white coordinates.

    `shape` (n, d) and `samplewise`: as in `score_parts`.
    """
    parts = score_parts(score, shape, samplewise=samplewise)
    return [part.along(whitening.root) for part in parts]


def solve(problem: Problem, parts: Parts, generator: np.random.RandomState) -> Solution:
    """Return the network of the problem, from the scores at the samples.

    With several outputs, the directions are found from a random linear combination of
    them. Of `n_init` combinations, the one whose network explains most of the variance
    of all outputs is kept.
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
    return max(
        solutions, key=lambda each: explained_share(each.network, Z, problem.targets)
    )


def explained_share(network: Network, Z: FloatArray, targets: FloatArray) -> float:
    """Return R^2, the share of the variance of the targets that a network explains."""
    left = targets - network.predict(Z)
    total = float(np.sum((targets - targets.mean(axis=0)) ** 2))
    return 1 - float(np.sum(left**2)) / total if total > 0 else 0.0
