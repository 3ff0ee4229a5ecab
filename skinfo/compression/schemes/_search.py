"""Search for the step that meets a rate, a size or a distortion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

_MOST_EVALUATIONS = 16  # of the amount; bounds the time of targets that cannot be met
_LARGEST_MOVE = 8.0  # octaves of one move, as long as the target is not bracketed


@dataclass(frozen=True)
class Precision:
    """When the search ends.

    `unused`: the share of the target that may be left unused. `width`: the distance
    between the two ends of the bracket, in octaves.
    """

    unused: float
    width: float


# Rough searches rank settings, and the few best are searched closely.
CLOSE = Precision(unused=0.002, width=0.005)
ROUGH = Precision(unused=0.05, width=0.05)


@dataclass(frozen=True)
class Trial:
    """A step that was tried, and its amount: a rate, a size or a distortion."""

    log_step: float
    amount: float


def meet(
    measure: Callable[[float], float],
    target: float,
    start: float,
    *,
    slope: float,
    precision: Precision = CLOSE,
) -> float | None:
    """Return the logarithm of the step whose amount is largest, but at most `target`.

    `measure` takes log2 of the step and returns the amount. `slope`: an estimate of its
    derivative. Returns None if no step meets the target.
    """
    trials: list[Trial] = []
    log_step = start
    for _ in range(_MOST_EVALUATIONS):
        trials.append(Trial(log_step, measure(log_step)))
        within, beyond = _ends(trials, target, slope)
        if within is not None and within.amount >= (1 - precision.unused) * target:
            break
        if within is None or beyond is None:
            log_step = _further(trials[-1], target, slope, 2.0 ** len(trials))
            continue
        if abs(within.log_step - beyond.log_step) <= precision.width:
            break
        log_step = _between(within, beyond, target)
    within, _ = _ends(trials, target, slope)
    return None if within is None else within.log_step


def _ends(
    trials: Iterable[Trial], target: float, slope: float
) -> tuple[Trial | None, Trial | None]:
    """Return the trials on both sides of the target: one meets it, one fails."""
    towards = np.sign(slope)

    def place(trial: Trial) -> float:
        return float(towards * trial.log_step)

    met = [trial for trial in trials if trial.amount <= target]
    within = max(met, key=place, default=None)
    failed = [
        trial
        for trial in trials
        if trial.amount > target and (within is None or place(trial) > place(within))
    ]
    return within, min(failed, key=place, default=None)


def _further(last: Trial, target: float, slope: float, haste: float) -> float:
    """Return the extrapolated log step of the target, with a growing margin."""
    move = (target - last.amount) / slope
    move += 0.05 * haste * np.sign(move)
    return last.log_step + float(np.clip(move, -_LARGEST_MOVE, _LARGEST_MOVE))


def _between(within: Trial, beyond: Trial, target: float) -> float:
    """Return the log step where a line through both is just below the target."""
    share = (target - within.amount) / (beyond.amount - within.amount)
    share = float(np.clip(share - 0.02, 0.1, 0.9))
    return within.log_step + share * (beyond.log_step - within.log_step)
