"""The largest ratio of divergences that a tilt of the input of a channel reaches.

For a tilt w = r_x / p_x and its image v = r_y / p_y the ratio is
D(r_y || p_y) / D(r_x || p_x). Every step raises it: D(r_y || p_y), which is convex, is
replaced by its tangent, and the tangent minus lambda D(r_x || p_x), with lambda the
present ratio, is maximised exactly (Dinkelbach's method), under a cap on the tilt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from skinfo._core._typing import BoolArray, FloatArray
from skinfo.dependence.kernels._channel import Channel

_MAX_STEPS = 300
_HORIZON = 100  # steps
_N_HALVINGS = 14  # of small tilts
_MUCH_THE_SAME = 0.5  # cosine of two effects
_LEADING_EXPONENTS = (0.3, 3.0)  # of the tilts along the leading function
_SMALLEST_DIVERGENCE = 1e-9  # below, rounding shows in the ratio
_SMALLEST_RATIO = 1e-9
_TINY = 1e-300
_OVER_CAP = 1 + 1e-13
_SMALLEST_CORRELATION = 1e-9  # below, rounding makes the function
_SMALLEST_EXCESS = 2.0**-53 - 1
_LONGEST_LEAP = 1e4
_SMALLEST_POLISHED = 1e-2  # a smaller tilt has too little slope to grow


@dataclass(frozen=True)
class Ascent:
    """Some tilts of a channel on their way, one in each column.

    `logs` (n_x, n_tilts): log w up to a constant and to the cap; `tilts` (n_x,
    n_tilts): w; `outputs` (n_y, n_tilts): v; `ratios` (n_tilts,).
    """

    logs: FloatArray
    tilts: FloatArray
    outputs: FloatArray
    ratios: FloatArray

    def take(self, some: BoolArray) -> Ascent:
        """Return only some of the tilts."""
        return Ascent(
            self.logs[:, some],
            self.tilts[:, some],
            self.outputs[:, some],
            self.ratios[some],
        )

    def put(self, some: BoolArray, others: Ascent) -> Ascent:
        """Return the tilts with some replaced by others."""
        logs, tilts, outputs = self.logs.copy(), self.tilts.copy(), self.outputs.copy()
        logs[:, some], tilts[:, some] = others.logs, others.tilts
        outputs[:, some] = others.outputs
        ratios = self.ratios.copy()
        ratios[some] = others.ratios
        return Ascent(logs, tilts, outputs, ratios)

    def beside(self, others: Ascent) -> Ascent:
        """Return all tilts of both."""
        return Ascent(
            np.hstack([self.logs, others.logs]),
            np.hstack([self.tilts, others.tilts]),
            np.hstack([self.outputs, others.outputs]),
            np.concatenate([self.ratios, others.ratios]),
        )

    def better_of(self, other: Ascent) -> Ascent:
        """Return, of each pair of tilts, the one with the larger ratio."""
        better = other.ratios > self.ratios
        if better.all():
            return other
        return self.put(better, other.take(better)) if better.any() else self


def divergence(pmf: FloatArray, tilts: FloatArray) -> FloatArray:
    """Return D(r || p) of r = p w, (n_tilts,), from w (n, n_tilts) of mean 1.

    The terms p (w log w - w + 1) are all positive, so that nothing cancels.
    """
    result: FloatArray = pmf @ _excess_entropy(tilts)
    return result


def _excess_entropy(tilts: FloatArray) -> FloatArray:
    """Return w log w - w + 1; by log1p, for w that are nearly 1."""
    excess = tilts - 1
    # a tilt of nearly 0, whose logarithm hardly counts, has an excess of just -1
    terms: FloatArray = tilts * np.log1p(np.maximum(excess, _SMALLEST_EXCESS)) - excess
    return terms


def capped_tilts(logs: FloatArray, pmf: FloatArray, cap: float) -> FloatArray:
    """Return w = min(cap, t e^z), with t such that sum p w = 1, for each column z.

    They maximise sum p w z - sum p w log w among the tilts up to the cap, which is
    at least 1.
    """
    tilts: FloatArray = np.exp(logs - logs.max(axis=0))
    tilts /= pmf @ tilts
    if tilts.max() <= cap:
        return tilts
    columns = np.arange(logs.shape[1])
    order = np.argsort(-logs, axis=0, kind="stable")
    descending = logs[order, columns]
    p = pmf[order]
    # with the first k at the cap, 1 = c P_k + t S_k, S_k the sum of p e^z of the rest
    log_rest = np.logaddexp.accumulate((np.log(p) + descending)[::-1], axis=0)[::-1]
    free = 1 - cap * (np.cumsum(p, axis=0) - p)
    log_t = np.log(np.maximum(free, _TINY)) - log_rest
    fits = log_t + descending <= np.log(cap) + 1e-14
    n_capped = np.where(fits.any(axis=0), fits.argmax(axis=0), len(pmf) - 1)
    places = np.arange(len(pmf))[:, np.newaxis]
    while True:
        largest_rest = descending[n_capped, columns]
        rest = np.exp(np.minimum(descending - largest_rest, 0))
        rest[places < n_capped] = 0
        t = np.maximum(free[n_capped, columns], 0) / (p * rest).sum(axis=0)
        tilts_in_order = np.where(places < n_capped, cap, t * rest)
        above = (tilts_in_order > cap * _OVER_CAP).sum(axis=0)
        more_capped = np.minimum(n_capped + above, len(pmf) - 1)
        if np.array_equal(more_capped, n_capped):
            break
        n_capped = more_capped  # huge logarithms were too coarse to tell
    tilts[order, columns] = np.minimum(tilts_in_order, cap)
    return tilts / (pmf @ tilts)


def start(channel: Channel, tilts: FloatArray) -> Ascent:
    """Begin an ascent at these tilts (n_x, n_tilts), of mean 1."""
    return _evaluate(channel, np.log(np.maximum(tilts, _TINY)), tilts)


def _evaluate(channel: Channel, logs: FloatArray, tilts: FloatArray) -> Ascent:
    outputs = channel.output_tilts(tilts)
    below = divergence(channel.input_pmf, tilts)
    above = divergence(channel.output_pmf, outputs)
    enough = below > _SMALLEST_DIVERGENCE
    ratios = np.where(enough, above / np.where(enough, below, 1), 0.0)
    return Ascent(logs, tilts, outputs, ratios)


def step(channel: Channel, ascent: Ascent, cap: float) -> Ascent:
    """Take two steps and a leap along them, and keep what is best of each tilt.

    One step: w <- min(cap, t exp((1 / lambda) sum_y p(y|x) log v(y))). The leap
    extrapolates the two (squared extrapolation, Varadhan and Roland 2008).
    """
    first = _plain_step(channel, ascent, cap)
    second = _plain_step(channel, first, cap)
    p = channel.input_pmf
    move = first.logs - ascent.logs
    bend = second.logs - first.logs - move
    move, bend = move - p @ move, bend - p @ bend  # a constant does not count
    lengths = np.sqrt((p @ move**2) / np.maximum(p @ bend**2, _TINY))
    leap = np.clip(lengths, 1, _LONGEST_LEAP)
    logs = ascent.logs + 2 * leap * move + leap**2 * bend
    leapt = _evaluate(channel, logs, capped_tilts(logs, p, cap))
    return ascent.better_of(second.better_of(leapt))


def _plain_step(channel: Channel, ascent: Ascent, cap: float) -> Ascent:
    log_outputs = np.log(np.maximum(ascent.outputs, _TINY))
    logs = channel.input_means(log_outputs) / np.maximum(ascent.ratios, _SMALLEST_RATIO)
    return _evaluate(channel, logs, capped_tilts(logs, channel.input_pmf, cap))


@dataclass(frozen=True)
class Maximum:
    """The largest ratio of a channel, and a tilt that reaches it up to some slack.

    `tilt` (n_x,) and `output_tilt` (n_y,); `lower_bound`: the squared maximal
    correlation, which is the limit of the ratio for small tilts.
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
    """Climb from both signs of the leading function and from the best point masses.

    `tol`: the relative gain below which an ascent ends. `slack`: how much of the value
    the tilt that is returned may lose. `polished`: end every ascent with a quasi-Newton
    search, which has no cap.
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
    starts = np.column_stack(
        [
            capped_tilts(along, channel.input_pmf, cap),
            vertices,
        ]
    )
    ends = ascend(channel, start(channel, starts), cap=cap, tol=tol)
    if polished:
        ends = ends.better_of(_polish(channel, ends))
    value = max(float(ends.ratios.max()), lower_bound)
    # of the tilts that are as good, the largest: it is the easiest to see on samples
    candidates = ends.beside(_small_tilts(channel, function, cap))
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
    """Climb with every tilt until its ratio gains no more than `tol` of itself.

    A tilt is given up where even `_HORIZON` such gains would not take it to the best.
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
    """Maximise the ratio over log w, without a cap, from each of the tilts."""
    p = channel.input_pmf

    def descend(logs: FloatArray) -> tuple[float, FloatArray]:
        tilt = capped_tilts(logs[:, np.newaxis], p, np.inf)
        state = _evaluate(channel, logs[:, np.newaxis], tilt)
        below = divergence(p, tilt)[0]
        if state.ratios[0] == 0:
            return 0.0, np.zeros_like(logs)
        pull = channel.input_means(np.log(np.maximum(state.outputs, _TINY)))[:, 0]
        pull -= state.ratios[0] * np.log(np.maximum(tilt[:, 0], _TINY))
        r = p * tilt[:, 0]
        return -float(state.ratios[0]), -r * (pull - r @ pull) / below

    columns = []
    for column in ends.tilts.T:
        result = minimize(
            descend,
            np.log(np.maximum(column, _SMALLEST_POLISHED)),
            jac=True,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-12, "maxiter": 1000},
        )
        columns.append(capped_tilts(result.x[:, np.newaxis], p, np.inf))
    return start(channel, np.hstack(columns))


def _vertex_tilts(channel: Channel, cap: float, n_vertices: int) -> FloatArray:
    """Return tilts to single inputs as far as the cap allows, those of the best ratios.

    The tilt to x has w = c at x and w = a elsewhere; then v = a + (c - a) p(x|y). Of
    inputs with much the same effect on y only the best is taken: all lead to one end.
    """
    p = channel.input_pmf
    top = np.minimum(cap, 1 / p)
    rest = np.maximum(1 - top * p, 0) / np.maximum(1 - p, _TINY)
    below = p * _excess_entropy(top) + (1 - p) * _excess_entropy(rest)
    outputs = channel.joint * (top - rest)[:, np.newaxis] / channel.output_pmf
    outputs += rest[:, np.newaxis]
    above = divergence(channel.output_pmf, outputs.T)
    ratios = above / np.maximum(below, _SMALLEST_DIVERGENCE)
    effects = channel.conditional() - channel.output_pmf
    effects /= np.sqrt(channel.output_pmf)
    lengths = np.linalg.norm(effects, axis=1)
    effects /= np.where(lengths > 0, lengths, 1)[:, np.newaxis]
    chosen: list[int] = []
    while len(chosen) < n_vertices and ratios.max() >= 0:
        best = int(ratios.argmax())
        chosen.append(best)
        ratios[effects @ effects[best] > _MUCH_THE_SAME] = -1  # their cosine
        ratios[best] = -1
    tilts = np.tile(rest[chosen], (len(p), 1))
    tilts[chosen, np.arange(len(chosen))] = top[chosen]
    return tilts


def _small_tilts(channel: Channel, function: FloatArray, cap: float) -> Ascent:
    """Return 1 + eps f for both signs of f, down to tilts that show only the limit."""
    sizes = 0.5 ** np.arange(1, _N_HALVINGS) * min(1.0, cap - 1)
    sizes = np.concatenate([sizes, -sizes]) / np.abs(function).max()
    return start(channel, 1 + sizes * function[:, np.newaxis])
