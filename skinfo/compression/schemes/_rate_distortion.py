"""The default scheme: the best of several settings that meet the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skinfo._core._warnings import warn
from skinfo.compression.file._coded_model import CodedModel
from skinfo.compression.schemes._calibration import Calibration, Settings
from skinfo.compression.schemes._candidates import Candidate, CandidateSearch
from skinfo.compression.schemes._permuted_columns import with_permuted_columns
from skinfo.compression.schemes._target import (
    CompressionProblem,
    fallback,
    make_evaluation_samples,
)

_FEWEST_SAMPLES = 10  # fewer cannot be split: permuted ones join them without a test
_FEW_SAMPLES = 4  # samples for each input, below which permuted ones may help
_DUST = 1e-10  # share of the largest weight, below which a weight is rounding of 0
# One in so many of few samples judges what the others give. In twelve fits with 1.5
# samples for each input, one in 5 gave 10% more distortion elsewhere, one in 2 4% less.
_SHARE_LEFT_OUT = 3
# Weights up to which the whole grid of settings is tried. In eight fits, one setting at
# a time took half of the time, and gave 3% more distortion.
_MOST_SEARCHED = 20_000
# Dampings up to which none is tried around the best one, which took a third of the time
# of eight fits. So few are tried where inputs are far from collinear.
_FEW_DAMPINGS = 2
_MANY_JOINT_WEIGHTS = 1000  # weights rounded together; each damping factorises d k rows
# Dampings fall by factors of 100, until they are a hundredth of the least curvature. In
# eight fits of linear models, one gave 16% more distortion than five, eight the same.
_MOST_DAMPINGS, _NEXT_DAMPING, _SMALL = 5, 1e-2, 1e-2
# Step of the last layer of a network, relative to the others. In six fits of networks,
# 1 alone gave 11% more distortion; 0.4 or 0.8 in place of 0.6 gave 3% more.
_RATIOS = (1.0, 0.6)
# In half octaves, for hidden layers and the last: sqrt(2), none, 8, sqrt(2) and none.
# In twelve fits, the first alone gave 7% more distortion, and the second alone 8% more.
_ROW_STEP_SPACINGS = ((1, 1), (0, 0), (6, 6), (1, 0))
# Times the parameter `rdo`. Each alone gave 2% to 4% more distortion in twelve fits.
_RDO_FACTORS = (0.5, 1.0, 0.0)


def rate_distortion(problem: CompressionProblem) -> CodedModel:
    """Return the model by the default scheme, the best of several at the target."""
    stack, X, target = problem.stack, problem.X, problem.target
    damping, rdo, generator = problem.damping, problem.rdo, problem.generator
    evaluation = make_evaluation_samples(
        stack, X, generator, midpoints=target.name != "distortion"
    )
    calibration = Calibration(stack, X)
    search = CandidateSearch(calibration, evaluation, target)
    model = _model_without_weights(search)
    if model is not None:
        return model
    _warn_of_samples(calibration)
    few = X.shape[0] < _FEW_SAMPLES * calibration.n_varying
    if few and len(stack.layers) == 1:
        if X.shape[0] < _FEWEST_SAMPLES:
            search = _joined(search, generator)
        else:
            model = _model_of_few(search, damping, rdo, generator)
            if model is not None:
                return model
    best = _best_candidate(search, damping, rdo)
    if best.model is not None:
        return best.model
    if search.all_failed:
        raise ValueError(
            f"damping={damping!r} is too small for inputs that depend on each other "
            "linearly. Pass a larger damping."
        )
    return fallback(search.smallest(), target)


def _model_without_weights(search: CandidateSearch) -> CodedModel | None:
    """Return a model with all weights 0 where nothing else is needed, or None."""
    stack, target = search.calibration.stack, search.target
    if not any(layer.weights.any() for layer in stack.layers):
        return search.smallest()
    if search.calibration.n_varying == 0:
        warn(
            "No feature of X varies, so that no weight makes a difference, and all "
            "become 0. Pass more samples.",
            ConvergenceWarning,
        )
        return search.smallest()
    if target.name == "distortion" and target.amount >= 1:
        smallest = search.smallest()
        if search.evaluation.relative_distortion(smallest) <= target.amount:
            return smallest  # whose biases are rounded
    return None


def _best_candidate(search: CandidateSearch, damping: float, rdo: float) -> Candidate:
    """Return the best of a grid of settings, or of a line search for large models."""
    calibration = search.calibration
    n_weights = calibration.stack.n_weights
    single = len(calibration.stack.layers) == 1
    dampings = _dampings(calibration, damping) if single else [damping]
    joint_outputs = [True, False] if calibration.can_join_outputs else [False]
    rdo_lambdas = [rdo * each for each in _RDO_FACTORS]
    axes: dict[str, Sequence[Any]] = {
        "damping": dampings,
        "rdo_lambda": rdo_lambdas,
        "row_step_spacing": _ROW_STEP_SPACINGS[: 3 if single else 4],
        "last_ratio": _RATIOS[: 1 if single else 2],
        "joint_outputs": joint_outputs,
    }
    if n_weights > _MOST_SEARCHED:
        return search.along(axes)
    in_reduced_basis: dict[str, Sequence[Any]] = {
        "damping": dampings,
        "joint_outputs": [
            each
            for each in joint_outputs
            if calibration.can_reduce_lattice(joint_outputs=each)
        ],
        "lattice_reduced": [True],
    }
    usual = _grid({**axes, "rdo_lambda": rdo_lambdas[:1]})
    best = search.best_of([*usual, *_grid(in_reduced_basis)], rdo_lambdas)
    takes_long = best.settings.joint_outputs and n_weights > _MANY_JOINT_WEIGHTS
    if len(dampings) > _FEW_DAMPINGS and not takes_long:
        best = search.around(best)
    return best


def _warn_of_samples(calibration: Calibration) -> None:
    """Warn if the samples are too few, or do not vary where the model has weights."""
    stack, n_samples = calibration.stack, calibration.X.shape[0]
    if n_samples < min(_FEWEST_SAMPLES, _FEW_SAMPLES * calibration.n_varying):
        warn(
            f"X has {n_samples} samples, too few to estimate how its features vary. "
            "Pass more samples, some hundreds if you can.",
            ConvergenceWarning,
        )
    if len(stack.layers) > 1:  # of networks all weights are random in the beginning
        return
    sizes = np.abs(stack.layers[0].weights).max(axis=1)
    used = sizes > _DUST * sizes.max()
    n_lost = int(np.count_nonzero(used & calibration.is_zero))
    if n_lost > 0:
        warn(
            f"X is 0 throughout in {n_lost} of the features that the model uses, whose "
            "weights become 0. Pass samples in which they are not 0, or "
            "method='kmeans' with importance='uniform'.",
            ConvergenceWarning,
        )


def _joined(
    search: CandidateSearch, generator: np.random.RandomState
) -> CandidateSearch:
    """Return a search on X with permuted columns below it.

    Where a distortion is asked for, it is still measured on X alone.
    """
    stack, evaluation = search.calibration.stack, search.evaluation
    joined = with_permuted_columns(stack, search.calibration.X, generator)
    if joined is search.calibration.X:
        return search
    if search.target.name != "distortion":
        evaluation = make_evaluation_samples(stack, joined, generator, midpoints=False)
    return CandidateSearch(Calibration(stack, joined), evaluation, search.target)


def _model_of_few(
    search: CandidateSearch,
    damping: float,
    rdo: float,
    generator: np.random.RandomState,
) -> CodedModel | None:
    """Return the best model of samples joined by permuted ones, or None.

    On few samples alone, the best model gives up all that these do not show. So a third
    is left out, and decides whether the others do better alone or joined. None: alone.
    """
    stack, X = search.calibration.stack, search.calibration.X
    order = generator.permutation(X.shape[0])
    n_left_out = X.shape[0] // _SHARE_LEFT_OUT
    left_out, others = X[order[:n_left_out]], X[order[n_left_out:]]
    evaluation = make_evaluation_samples(stack, left_out, generator, midpoints=False)
    by_others = Calibration(stack, others)
    if evaluation.scale <= 0 or by_others.n_varying < search.calibration.n_varying / 2:
        return None
    joined_others = with_permuted_columns(stack, others, generator)
    if joined_others is others:
        return None
    by_joined = Calibration(stack, joined_others)
    alone, joined = (
        _best_candidate(CandidateSearch(each, evaluation, search.target), damping, rdo)
        for each in (by_others, by_joined)
    )
    calibration = Calibration(stack, with_permuted_columns(stack, X, generator))
    whole = CandidateSearch(calibration, search.evaluation, search.target)
    found = whole.candidate(joined.settings)
    # found.cost is larger if the settings fail numerically on all samples
    return found.model if max(joined.cost, found.cost) < alone.cost else None


def _dampings(calibration: Calibration, damping: float) -> list[float]:
    """Return decreasing dampings, down to well below the least curvature, and 0."""
    least = calibration.least_curvature()
    found = [damping]
    while len(found) < _MOST_DAMPINGS and found[-1] > least * _SMALL:
        found.append(found[-1] * _NEXT_DAMPING)
    return [*found, 0.0]  # for high rates, where it can be


def _grid(axes: Mapping[str, Sequence[Any]]) -> Iterator[Settings]:
    for values in product(*axes.values()):
        yield Settings(**dict(zip(axes, values, strict=True)))
