"""Adaptive frequencies of tokens, the same on every machine.

Blocks. All below changes only between blocks. The block after n tokens of a group has
max(1, min(floor(n / 8), max(32, floor(n / 16)))), or what is left of the group.

Levels. The level of an integer is the bit length of the sum of the 8 magnitudes before
it in its group; there are zeros before the first, and more than 2^12 counts as 2^12.

Evidence. E[law] is the sum of the code lengths of the n tokens of the group so far, and
E_l[law] that of those at level l. Against each law this is prior + E for the common
predictor, prior + E_l + floor(8 E / max(n, 16)) for that of level l.

Means. With u the evidence less the smallest one, W[i] = floor(2^15 2^(-i / 256)) and
the weights w = W[u mod 256] >> floor(u / 256), the mean of a token over the laws is
floor(sum of w probability / sum of w).

Predictions are floor((c mean + 2^20 count) / (c + sum of counts)); token 0 also has
the remainder up to 2^20. There are three: the common one and the level's have c = 256,
with the counts of the group and of its tokens at the level; the free one has the mean
and the counts of the common one, with c = 8. For a level without tokens yet, that of
the level is the common one.

Frequencies are s level + t free + (64 - s - t) common + 1 from the three predictions.
They add to 2^26 + 177. With weights w as above, of u less the smallest one, for u = 0,
-a and -b, the shares s and t are floor(64 w / sum of w) of the second and the third.
The advantages a of the level and b of the free prediction are -512 and -1024 at first.
A block of n tokens makes of each floor(a max(0, 512 - n) / 512), plus the sum over its
tokens of log2(1 + the prediction) - log2(1 + common), with log2 as in `_distributions`.

What a reader has to reproduce are sums, products, shifts and floor quotients of
integers. Most run in float64 here, where integers below 2^53 are exact.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.coding._distributions import (
    LAW_BITS,
    N_TOKENS,
    UNIT,
    code_log2,
    laws,
    relative_weights,
    weight_list,
)

WINDOW = 8
LARGEST_COUNTED = 1 << 12
N_LEVELS = 17  # bit lengths up to that of WINDOW * LARGEST_COUNTED
_MIX_BITS = 6
TOTAL = (1 << (LAW_BITS + _MIX_BITS)) + N_TOKENS  # of the frequencies of all tokens

_PRIOR_COUNT = 256
_SHARED_COUNT = 8
_FREE_COUNT = 8
_MEMORY = 512  # tokens, of the advantage
_FIRST_ADVANTAGES = [-2 * UNIT, -4 * UNIT]


def levels_of(integers: IntArray) -> IntArray:
    """Return the level of each integer, (n,)."""
    sums = np.zeros(integers.size + WINDOW, dtype=np.int64)
    magnitudes = np.minimum(np.abs(integers), LARGEST_COUNTED)
    np.cumsum(magnitudes[:-1], out=sums[WINDOW + 1 :])
    windows = sums[WINDOW:] - sums[:-WINDOW]
    levels: IntArray = np.frexp(windows.astype(float))[1].astype(np.int64)
    return levels


@functools.lru_cache
def block_sizes(n_integers: int) -> tuple[int, ...]:
    """Return the sizes of blocks; within one the frequencies do not change."""
    sizes, done = [], 0
    while done < n_integers:
        size = max(1, min(done // 8, max(32, done // 16)))
        sizes.append(min(size, n_integers - done))
        done += size
    return tuple(sizes)


@dataclass(frozen=True)
class Counts:
    """Counts of tokens, some of a level, some of all levels.

    `tokens` (n_columns,): those that have a column, all others have not been seen.
    `common` (n_blocks, n_columns): before each block. `levels` (n_rows, n_columns): of
    one level before the block `blocks` (n_rows,).
    """

    tokens: IntArray
    common: FloatArray
    levels: FloatArray
    blocks: IntArray


@dataclass(frozen=True)
class Forecasts:
    """Predictions of tokens, in units of 2^-20, each with the same columns.

    `common` and `free`: a row for each block. `levels`: a row for each of `Counts`.
    """

    common: FloatArray
    free: FloatArray
    levels: FloatArray


def _forecasts(counts: Counts, columns: IntArray) -> Forecasts:
    """Return the predictions of the tokens `columns`."""
    lengths = laws().lengths[counts.tokens]
    common = counts.common @ lengths
    n_before = counts.common.sum(axis=1, keepdims=True)
    shared = _quotients(_SHARED_COUNT * common, np.maximum(n_before, 2 * _SHARED_COUNT))
    levels = counts.levels @ lengths + shared[counts.blocks]
    evidence = np.concatenate([common, levels])
    evidence += laws().prior
    seen = np.concatenate([counts.common, counts.levels])
    means = _mean_laws(evidence, columns)
    at = np.searchsorted(columns, counts.tokens)
    predictions = _predictions(means, seen, at, _PRIOR_COUNT)
    n_blocks = len(common)
    return Forecasts(
        predictions[:n_blocks],
        _predictions(means[:n_blocks], counts.common, at, _FREE_COUNT),
        predictions[n_blocks:],
    )


def _mean_laws(evidence: FloatArray, columns: IntArray) -> FloatArray:
    """Return the means over the laws, (n_rows, n_columns), in units of 2^-20."""
    by_law = relative_weights(evidence.astype(np.int64))
    used = np.flatnonzero(by_law.any(axis=0))
    by_law = by_law[:, used].astype(float)
    probabilities = laws().probabilities[used]
    if columns.size < N_TOKENS:
        probabilities = probabilities[:, columns]
    return _quotients(by_law @ probabilities, by_law.sum(axis=1, keepdims=True))


def _predictions(
    means: FloatArray, counts: FloatArray, at: IntArray, prior_count: int
) -> FloatArray:
    """Return the predictions from means and the counts of the tokens `at`."""
    predictions = prior_count * means
    predictions[:, at] += counts * (1 << LAW_BITS)
    sums = prior_count + counts.sum(axis=1, keepdims=True)
    predictions = _quotients(predictions, sums)
    if means.shape[1] == N_TOKENS:
        predictions[:, 0] += (1 << LAW_BITS) - predictions.sum(axis=1)
    return predictions


def _quotients(numerators: FloatArray, denominators: FloatArray) -> FloatArray:
    """Return the floor quotients of integers below 2^53.

    Exact: what a quotient lacks to the next integer is more than its rounding error.
    """
    quotients: FloatArray = np.floor(numerators / denominators)
    return quotients


def _shares(advantages: Sequence[int]) -> list[int]:
    """Return the shares of the level's and the free prediction, of 2^6."""
    best = max(0, *advantages)
    table = weight_list()
    excess = [best, *[best - advantage for advantage in advantages]]
    weights = [table[u % UNIT] >> u // UNIT for u in excess]
    return [(weight << _MIX_BITS) // sum(weights) for weight in weights[1:]]


def _next_advantages(
    advantages: Sequence[int], gains: Sequence[int], n_tokens: int
) -> list[int]:
    """Return the advantages over the common prediction after a block, in units."""
    kept = max(0, _MEMORY - n_tokens)
    return [
        advantage * kept // _MEMORY + gain
        for advantage, gain in zip(advantages, gains, strict=True)
    ]


def _mix(shares: IntArray, forecasts: Forecasts, blocks: IntArray) -> IntArray:
    """Return the frequencies of tokens, (n_rows, n_columns); `shares` (n_rows, 2)."""
    level, free = shares[:, :1], shares[:, 1:]
    mixed = level * forecasts.levels + free * forecasts.free[blocks]
    mixed += ((1 << _MIX_BITS) - level - free) * forecasts.common[blocks]
    return mixed.astype(np.int64) + 1


def _gains(
    forecasts: Forecasts, rows: IntArray, blocks: IntArray, at: IntArray
) -> IntArray:
    """Return what level and free save with each token, (2, n_tokens), in units."""
    found = [forecasts.levels[rows, at], forecasts.free[blocks, at]]
    return code_log2(1 + np.array(found)) - code_log2(1 + forecasts.common[blocks, at])


class GroupModel:
    """The frequencies of the next token of a group, given those before it.

    `frequencies` (n_rows, 177) add to `TOTAL`; `rows` (17,): the row of each level.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((N_LEVELS, N_TOKENS))
        self._advantages = _FIRST_ADVANTAGES
        self._forecast()

    def _forecast(self) -> None:
        tokens = np.flatnonzero(self._counts.any(axis=0))
        seen = np.flatnonzero(self._counts.any(axis=1))
        counts = self._counts[:, tokens]
        blocks = np.zeros(seen.size, dtype=np.int64)
        before = Counts(tokens, counts.sum(axis=0)[np.newaxis], counts[seen], blocks)
        found = _forecasts(before, np.arange(N_TOKENS))
        levels = np.concatenate([found.common, found.levels])
        self._forecasts = Forecasts(found.common, found.free, levels)
        self._blocks = np.zeros(seen.size + 1, dtype=np.int64)
        shares = np.array([_shares(self._advantages)])
        self.frequencies = _mix(shares, self._forecasts, self._blocks)
        self.rows = np.zeros(N_LEVELS, dtype=np.int64)
        self.rows[seen] = np.arange(1, seen.size + 1)

    def update(self, tokens: IntArray, levels: IntArray) -> None:
        """Learn the tokens of a block."""
        blocks = np.zeros(tokens.size, dtype=np.int64)
        gains = _gains(self._forecasts, self.rows[levels], blocks, tokens)
        gained = gains.sum(axis=1).tolist()
        self._advantages = _next_advantages(self._advantages, gained, tokens.size)
        np.add.at(self._counts, (levels, tokens), 1)
        self._forecast()


def known_frequencies(
    tokens: IntArray, levels: IntArray, columns: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the frequencies of the tokens `columns`, and the row of each token.

    (n_rows, n_columns) and (n,): as a reader finds them, of all blocks at once.
    """
    sizes = np.array(block_sizes(tokens.size))
    blocks = np.repeat(np.arange(sizes.size), sizes)
    before, rows = _known_counts(tokens, blocks, levels, sizes.size)
    forecasts = _forecasts(before, columns)
    new = np.flatnonzero(~before.levels.any(axis=1))
    forecasts.levels[new] = forecasts.common[before.blocks[new]]
    gains = _gains(forecasts, rows, blocks, np.searchsorted(columns, tokens))
    gained = np.add.reduceat(gains, np.cumsum(sizes) - sizes, axis=1)
    shares = _known_shares(gained.T.tolist(), sizes.tolist())
    return _mix(shares[before.blocks], forecasts, before.blocks), rows


def _known_counts(
    tokens: IntArray, blocks: IntArray, levels: IntArray, n_blocks: int
) -> tuple[Counts, IntArray]:
    """Return the counts before each block, and the row of each token."""
    seen = np.flatnonzero(np.bincount(tokens))
    keys = blocks * N_LEVELS + levels
    counts = np.bincount(
        keys * seen.size + np.searchsorted(seen, tokens),
        minlength=n_blocks * N_LEVELS * seen.size,
    ).reshape(n_blocks, N_LEVELS, seen.size)
    used = counts.any(axis=2).ravel()
    before = (counts.cumsum(axis=0) - counts).astype(float)
    pairs = np.flatnonzero(used)
    rows = (np.cumsum(used) - 1)[keys]
    by_level = before.reshape(-1, seen.size)[pairs]
    return Counts(seen, before.sum(axis=1), by_level, pairs // N_LEVELS), rows


def _known_shares(gains: list[list[int]], sizes: list[int]) -> IntArray:
    """Return the shares in each block, (n_blocks, 2)."""
    advantages, shares = _FIRST_ADVANTAGES, []
    for gained, size in zip(gains, sizes, strict=True):
        shares.append(_shares(advantages))
        advantages = _next_advantages(advantages, gained, size)
    return np.array(shares)
