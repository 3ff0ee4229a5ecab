"""Fits of the score functions that a network is recovered with."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skinfo.score_functions.densities._local_likelihood import LocalLikelihoodScore
from skinfo.score_functions.recovery._polish import trained_briefly
from skinfo.score_functions.recovery._problem import Problem
from skinfo.score_functions.recovery._solution import (
    explained_share,
    solve,
    white_parts,
)
from skinfo.score_functions.tensors._average import Parts

# Candidates, in units of the rule of LocalLikelihoodScore. The paper has 1.5 for a
# mixture and 5 to 6 for a normal density; larger factors approach GaussianScore.
_BANDWIDTH_FACTORS = (1.5, 2.5, 3.5, 5.0, 8.0)
_DEFAULT_FACTOR = 2.5  # that of LocalLikelihoodScore, for fewer samples than these:
_FEWEST_TO_CHOOSE = 25  # samples, of which a fifth would be fewer than five
_MOST_TO_CHOOSE = 10_000  # samples, as the time is proportional to their square
_AS_GOOD = 1.1  # ratio of unexplained variances up to which two factors are a tie


def fit_given_score(estimator: Any, problem: Problem) -> tuple[Any, Parts]:
    """Return a fitted clone of an estimator, and its scores in white coordinates."""
    score = clone(estimator)
    score.fit(problem.X)
    parts = white_parts(
        score,
        problem.whitening,
        problem.X.shape,
        samplewise=problem.solver.is_stochastic,
    )
    return score, parts


def fit_default_score(
    problem: Problem, generator: np.random.RandomState, *, polish: bool
) -> tuple[LocalLikelihoodScore, Parts]:
    """Return a local likelihood with a chosen bandwidth, and its white scores."""
    return _fit_local_likelihood(
        problem, choose_bandwidth_factor(problem, generator, polish=polish)
    )


def _fit_local_likelihood(
    problem: Problem, factor: float
) -> tuple[LocalLikelihoodScore, Parts]:
    """Return a local likelihood with this bandwidth factor, and its white scores."""
    score = LocalLikelihoodScore(
        bandwidth_factor=factor, derivative_order=problem.order
    ).fit(problem.X)
    with warnings.catch_warnings():  # about a bandwidth that nobody passed
        warnings.simplefilter("ignore", ConvergenceWarning)
        return score, white_parts(score, problem.whitening, problem.X.shape)


def choose_bandwidth_factor(
    problem: Problem,
    generator: np.random.RandomState,
    *,
    polish: bool,
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
