"""Maximise the ratio of output to input divergence over tilts of a channel's input.

A tilt w = r_x / p_x of the input gives the output the tilt v = r_y / p_y; the ratio is
D(r_y || p_y) / D(r_x || p_x). No step lowers it: with lambda the current ratio, the
convex D(r_y || p_y) is replaced by its tangent, and the tangent minus
lambda D(r_x || p_x) is maximised exactly, under a cap on w (Dinkelbach's method).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from skinfo._core._typing import BoolArray, FloatArray
from skinfo.dependence.kernels._channel import Channel

# How much the value changes is the largest change on 60 samples of six laws, n = 320
# and 1000, with and without a cap.
_MAX_STEPS = 300  # of an ascent; no sample needed more than 30
# Steps to extrapolate the last gain over; 10 lowers the value by up to 3e-6, 1000 gains
# nothing.
_HORIZON = 100
_LEADING_EXPONENTS = (0.3, 3.0)  # a small tilt and a large one; 3 alone: 2e-5 lower
_SIMILAR_EFFECTS = 0.5  # cosine; from 0.2 to 0.95 the value changes by up to 1e-7
_LONGEST_EXTRAPOLATION = 1e4  # step lengths; 1, which extrapolates nothing: 6e-5 lower
# Relative to the largest tilt; the smallest approximates the limit of small tilts.
_SMALL_SIZES = 0.5 ** np.arange(1, 14)
_SMALLEST_DIVERGENCE = 1e-9  # nats; below, rounding exceeds about 1e-11 of the ratio
_SMALLEST_RATIO = 1e-9  # bounds the exponents where the ratio is 0
_SMALLEST_CORRELATION = 1e-9  # below, the leading function is rounding noise
_SMALLEST_POLISHED = 1e-2  # the slope at a smaller tilt is too flat to let it grow
_SMALLEST_EXCESS = float(np.nextafter(-1, 0))  # keeps log1p finite at w = 0
_TINY = 1e-300  # stands for 0 in logarithms and denominators
_OVER_CAP = 1 + 1e-13  # relative excess over the cap that is attributed to rounding


@dataclass(frozen=True)
class Ascent:
    """The current state of several ascents, one tilt in each column.

    `exponents` (n_x, n_tilts): log w before normalising and capping; `tilts` (n_x,
    n_tilts): w; `outputs` (n_y, n_tilts): v; `ratios` (n_tilts,).
    """

    exponents: FloatArray
    tilts: FloatArray
    outputs: FloatArray
    ratios: FloatArray

    def take(self, mask: BoolArray) -> Ascent:
        """Return the selected tilts."""
        return Ascent(
            self.exponents[:, mask],
            self.tilts[:, mask],
            self.outputs[:, mask],
            self.ratios[mask],
        )

    def put(self, mask: BoolArray, others: Ascent) -> Ascent:
        """Return a copy in which `others` replace the selected tilts."""
        exponents, tilts = self.exponents.copy(), self.tilts.copy()
        outputs, ratios = self.outputs.copy(), self.ratios.copy()
        exponents[:, mask], tilts[:, mask] = others.exponents, others.tilts
        outputs[:, mask], ratios[mask] = others.outputs, others.ratios
        return Ascent(exponents, tilts, outputs, ratios)

    def append(self, others: Ascent) -> Ascent:
        """Return the tilts of both."""
        return Ascent(
            np.hstack([self.exponents, others.exponents]),
            np.hstack([self.tilts, others.tilts]),
            np.hstack([self.outputs, others.outputs]),
            np.concatenate([self.ratios, others.ratios]),
        )

    def better_of(self, other: Ascent) -> Ascent:
        """Return, column by column, the tilt with the larger ratio."""
        better = other.ratios > self.ratios
        if better.all():
            return other
        return self.put(better, other.take(better)) if better.any() else self


def divergence(pmf: FloatArray, tilts: FloatArray) -> FloatArray:
    """Return D(r || p), (n_tilts,), of r = p w for tilts w (n, n_tilts) of mean 1.

    It is summed as p (w log w - w + 1), whose terms are nonnegative: none cancels.
    """
    result: FloatArray = pmf @ _excess_entropy(tilts)
    return result


def _excess_entropy(tilts: FloatArray) -> FloatArray:
    """Return w log w - w + 1, with log1p so that it is accurate for w near 1."""
    excess = tilts - 1
    terms: FloatArray = tilts * np.log1p(np.maximum(excess, _SMALLEST_EXCESS)) - excess
    return terms


def capped_tilts(exponents: FloatArray, pmf: FloatArray, cap: float) -> FloatArray:
    """Return w = min(cap, t e^z) with sum p w = 1, for each column z of exponents.

    It maximises sum p w z - sum p w log w over the tilts up to the cap (at least 1).
    """
    tilts: FloatArray = np.exp(exponents - exponents.max(axis=0))
    tilts /= pmf @ tilts
    if tilts.max() <= cap:
        return tilts
    columns = np.arange(exponents.shape[1])
    rows = np.argsort(-exponents, axis=0, kind="stable")
    descending = exponents[rows, columns]
    p = pmf[rows]
    # with the k largest at the cap c, 1 = c P_k + t S_k: P_k sums their p, S_k the
    # p e^z of the rest
    log_rest = np.logaddexp.accumulate((np.log(p) + descending)[::-1], axis=0)[::-1]
    free = 1 - cap * (np.cumsum(p, axis=0) - p)
    log_t = np.log(np.maximum(free, _TINY)) - log_rest
    fits = log_t + descending <= np.log(cap) + 1e-14
    n_capped = np.where(fits.any(axis=0), fits.argmax(axis=0), len(pmf) - 1)
    ranks = np.arange(len(pmf))[:, np.newaxis]
    while True:
        largest_rest = descending[n_capped, columns]
        rest = np.exp(np.minimum(descending - largest_rest, 0))
        rest[ranks < n_capped] = 0
        t = np.maximum(free[n_capped, columns], 0) / (p * rest).sum(axis=0)
        tilts_descending = np.where(ranks < n_capped, cap, t * rest)
        n_above = (tilts_descending > cap * _OVER_CAP).sum(axis=0)
        more_capped = np.minimum(n_capped + n_above, len(pmf) - 1)
        if np.array_equal(more_capped, n_capped):
            break
        n_capped = more_capped  # log_t is inexact where the exponents are huge
    tilts[rows, columns] = np.minimum(tilts_descending, cap)
    return tilts / (pmf @ tilts)


def start(channel: Channel, tilts: FloatArray) -> Ascent:
    """Return the ascents that start from tilts (n_x, n_tilts) of mean 1."""
    return _evaluate(channel, np.log(np.maximum(tilts, _TINY)), tilts)


def _evaluate(channel: Channel, exponents: FloatArray, tilts: FloatArray) -> Ascent:
    """Return tilts with their outputs and ratios; 0 for ratios that rounding spoils."""
    outputs = channel.output_tilts(tilts)
    of_input = divergence(channel.input_pmf, tilts)
    of_output = divergence(channel.output_pmf, outputs)
    reliable = of_input > _SMALLEST_DIVERGENCE
    ratios = np.where(reliable, of_output / np.where(reliable, of_input, 1), 0.0)
    return Ascent(exponents, tilts, outputs, ratios)


def step(channel: Channel, ascent: Ascent, cap: float) -> Ascent:
    """Take two plain steps, extrapolate them, and keep the best of each tilt.

    The extrapolation is SQUAREM (Varadhan and Roland 2008, scheme S3).
    """
    first = _plain_step(channel, ascent, cap)
    second = _plain_step(channel, first, cap)
    p = channel.input_pmf
    change = first.exponents - ascent.exponents
    bend = second.exponents - first.exponents - change
    change, bend = change - p @ change, bend - p @ bend  # a constant does not count
    lengths = np.sqrt((p @ change**2) / np.maximum(p @ bend**2, _TINY))
    alpha = np.clip(lengths, 1, _LONGEST_EXTRAPOLATION)
    exponents = ascent.exponents + 2 * alpha * change + alpha**2 * bend
    extrapolated = _evaluate(channel, exponents, capped_tilts(exponents, p, cap))
    return ascent.better_of(second.better_of(extrapolated))


def _plain_step(channel: Channel, ascent: Ascent, cap: float) -> Ascent:
    """Return w <- min(cap, t exp((1 / lambda) sum_y p(y|x) log v(y))) of each tilt."""
    means = channel.input_means(np.log(np.maximum(ascent.outputs, _TINY)))
    exponents = means / np.maximum(ascent.ratios, _SMALLEST_RATIO)
    return _evaluate(
        channel, exponents, capped_tilts(exponents, channel.input_pmf, cap)
    )


@dataclass(frozen=True)
class Maximum:
    """The largest ratio of a channel, and a tilt that reaches it within a slack.

    `tilt` (n_x,) and `output_tilt` (n_y,); `lower_bound`: the squared maximal
    correlation, the supremum of the ratio in the limit of small tilts.
    """

    value: float
    lower_bound: float
    tilt: FloatArray
    output_tilt: FloatArray


def maximise(
    channel: Channel,
    *,
    cap: float,
    tol: float,
    n_vertices: int,
    slack: float,
    polished: bool = False,
) -> Maximum:
    """Ascend from tilts along the leading function and from the best point masses.

    `tol`: the relative gain per step below which an ascent stops. `slack`: the share
    of the value that the returned tilt may miss. `polished`: refine every ascent by a
    quasi-Newton search, which ignores the cap.
    """
    correlation, function = channel.leading_pair()
    lower_bound = correlation**2
    vertices = _vertex_tilts(channel, cap, n_vertices)
    largest = start(channel, vertices).ratios.max()
    if max(correlation, largest) < _SMALLEST_CORRELATION:
        ones = np.ones(len(channel.input_pmf))
        return Maximum(0.0, 0.0, ones, np.ones(len(channel.output_pmf)))
    exponents = np.array([*_LEADING_EXPONENTS, *(-e for e in _LEADING_EXPONENTS)])
    along = function[:, np.newaxis] * exponents
    starts = np.column_stack([capped_tilts(along, channel.input_pmf, cap), vertices])
    ends = ascend(channel, start(channel, starts), cap=cap, tol=tol)
    if polished:
        ends = ends.better_of(_polish(channel, ends))
    value = max(float(ends.ratios.max()), lower_bound)
    # of the tilts within the slack, the largest: it is the easiest to see on samples
    candidates = ends.append(_small_tilts(channel, function, cap))
    sizes = divergence(channel.input_pmf, candidates.tilts)
    good = candidates.ratios >= value * (1 - slack)
    best = int(
        np.where(good, sizes, -1).argmax() if good.any() else ends.ratios.argmax()
    )
    return Maximum(
        min(value, 1.0),
        lower_bound,
        candidates.tilts[:, best],
        candidates.outputs[:, best],
    )


def ascend(channel: Channel, ascent: Ascent, *, cap: float, tol: float) -> Ascent:
    """Repeat steps, for each tilt until its relative gain is at most `tol`.

    A tilt is dropped when `_HORIZON` steps of its last gain would not reach the best.
    """
    climbing = np.ones(len(ascent.ratios), dtype=bool)
    for _ in range(_MAX_STEPS):
        before = ascent.take(climbing)
        after = step(channel, before, cap)
        ascent = ascent.put(climbing, after)
        gains = after.ratios - before.ratios
        in_reach = after.ratios + _HORIZON * gains >= ascent.ratios.max()
        climbing[climbing] = (gains > tol * after.ratios) & in_reach
        if not climbing.any():
            break
    return ascent


def _polish(channel: Channel, ends: Ascent) -> Ascent:
    """Maximise the ratio over log w by L-BFGS, without a cap, from each tilt."""
    p = channel.input_pmf

    def loss(exponents: FloatArray) -> tuple[float, FloatArray]:
        tilt = capped_tilts(exponents[:, np.newaxis], p, np.inf)
        state = _evaluate(channel, exponents[:, np.newaxis], tilt)
        of_input = divergence(p, tilt)[0]
        if state.ratios[0] == 0:
            return 0.0, np.zeros_like(exponents)
        # of D(r_y || p_y) - lambda D(r || p) with respect to r, up to a constant
        slope = channel.input_means(np.log(np.maximum(state.outputs, _TINY)))[:, 0]
        slope -= state.ratios[0] * np.log(np.maximum(tilt[:, 0], _TINY))
        r = p * tilt[:, 0]
        return -float(state.ratios[0]), -r * (slope - r @ slope) / of_input

    columns = []
    for column in ends.tilts.T:
        result = minimize(
            loss,
            np.log(np.maximum(column, _SMALLEST_POLISHED)),
            jac=True,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-12, "maxiter": 1000},
        )
        columns.append(capped_tilts(result.x[:, np.newaxis], p, np.inf))
    return start(channel, np.hstack(columns))


def _vertex_tilts(channel: Channel, cap: float, n_vertices: int) -> FloatArray:
    """Return tilts (n_x, n_vertices) to the single inputs with the best ratios.

    The tilt to x is w = c at x, up to the cap, and w = a elsewhere, so that
    v = a + (c - a) p(x|y). Of inputs with similar p(y|x) only the best is kept, as
    their ascents end at the same maximum.
    """
    p = channel.input_pmf
    top = np.minimum(cap, 1 / p)
    rest = np.maximum(1 - top * p, 0) / np.maximum(1 - p, _TINY)
    of_input = p * _excess_entropy(top) + (1 - p) * _excess_entropy(rest)
    outputs = channel.joint * (top - rest)[:, np.newaxis] / channel.output_pmf
    outputs += rest[:, np.newaxis]
    of_output = divergence(channel.output_pmf, outputs.T)
    ratios = of_output / np.maximum(of_input, _SMALLEST_DIVERGENCE)
    effects = channel.conditional() - channel.output_pmf
    effects /= np.sqrt(channel.output_pmf)
    lengths = np.linalg.norm(effects, axis=1)
    effects /= np.where(lengths > 0, lengths, 1)[:, np.newaxis]
    chosen: list[int] = []
    while len(chosen) < n_vertices and ratios.max() >= 0:
        best = int(ratios.argmax())
        chosen.append(best)
        ratios[effects @ effects[best] > _SIMILAR_EFFECTS] = -1
        ratios[best] = -1
    tilts = np.tile(rest[chosen], (len(p), 1))
    tilts[chosen, np.arange(len(chosen))] = top[chosen]
    return tilts


def _small_tilts(channel: Channel, function: FloatArray, cap: float) -> Ascent:
    """Return 1 + eps f and 1 - eps f for the leading function f and small eps."""
    largest = min(1.0, cap - 1) / np.abs(function).max()
    sizes = largest * np.concatenate([_SMALL_SIZES, -_SMALL_SIZES])
    return start(channel, 1 + sizes * function[:, np.newaxis])
