"""Adaptive frequencies of tokens, the same on every machine.

Blocks. The state below changes only between blocks. The block after n tokens of a group
has max(1, min(floor(n / 8), max(32, floor(n / 16)))) tokens, or what is left of the
group.

Contexts. The context of an integer is the bit length of the sum of the 8 magnitudes
before it in its group; zeros precede the first, and more than 2^12 counts as 2^12.

Evidence. For each distribution d of `_distributions`, E[d] is the sum of the code
lengths of the n tokens of the group so far, and E_c[d] that of those in context c. The
evidence against d is prior + E for the common predictor, and prior + E_c +
floor(8 E / max(n, 16)) for that of context c.

Means. With u the evidence less the smallest one, W[i] = floor(2^15 2^(-i / 256)) and
the weights w = W[u mod 256] >> floor(u / 256), the mean of a token over the
distributions is floor(sum of w probability / sum of w).

Predictions are floor((k mean + 2^20 count) / (k + sum of counts)); token 0 also has
the remainder up to 2^20. There are three: the common one and the context's have
k = 256, with the counts of the group and of its tokens in the context; the free one has
the mean and the counts of the common one, with k = 8. In a context without tokens yet,
the context's prediction is the common one.

Frequencies are s context + t free + (64 - s - t) common + 1 from the three predictions.
They add to 2^26 + 177. With weights w as above, of u less the smallest one, for u = 0,
-a and -b, the shares s and t are floor(64 w / sum of w) of the second and the third.
The advantages a of the context's and b of the free prediction are -512 and -1024 at
first. A block of n tokens makes of each floor(a max(0, 512 - n) / 512), plus the sum
over its tokens of log2(1 + the prediction) - log2(1 + common), with log2 as in
`_distributions`.

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
    N_TOKENS,
    PROBABILITY_BITS,
    UNIT,
    code_log2,
    distributions,
    relative_weights,
)

# All of these are part of the file format: other values need a new version of it.
WINDOW = 8  # magnitudes before an integer, which make its context
LARGEST_COUNTED = 1 << 12  # magnitude: bounds the sum, and so the number of contexts
N_CONTEXTS = 17  # bit lengths up to that of WINDOW * LARGEST_COUNTED
_MIX_BITS = 6  # of the shares of the three predictions
# the sum of the frequencies of all tokens
TOTAL = (1 << (PROBABILITY_BITS + _MIX_BITS)) + N_TOKENS

_PRIOR_COUNT = 256  # tokens that the mean over the distributions counts for
_SHARED_COUNT = 8  # tokens of the whole group, as evidence in a context
_FREE_COUNT = 8  # the same as _PRIOR_COUNT, for data that fit no distribution
_MEMORY = 512  # tokens after which an advantage is forgotten
_FIRST_ADVANTAGES = [-2 * UNIT, -4 * UNIT]  # 2 and 4 bits against the specialised ones


def contexts_of(integers: IntArray) -> IntArray:
    """Return the context of each integer, (n,)."""
    sums = np.zeros(integers.size + WINDOW, dtype=np.int64)
    magnitudes = np.minimum(np.abs(integers), LARGEST_COUNTED)
    np.cumsum(magnitudes[:-1], out=sums[WINDOW + 1 :])
    windows = sums[WINDOW:] - sums[:-WINDOW]
    contexts: IntArray = np.frexp(windows.astype(float))[1].astype(np.int64)
    return contexts


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
    """Counts of tokens, in single contexts and in all contexts together.

    `tokens` (n_columns,): those that have a column; all others have not been seen.
    `common` (n_blocks, n_columns): before each block. `contexts` (n_rows, n_columns):
    of one context before the block `blocks` (n_rows,).
    """

    tokens: IntArray
    common: FloatArray
    contexts: FloatArray
    blocks: IntArray


@dataclass(frozen=True)
class Forecasts:
    """Predictions of tokens, in units of 2^-20, each with the same columns.

    `common` and `free`: a row for each block. `contexts`: a row for each of `Counts`.
    """

    common: FloatArray
    free: FloatArray
    contexts: FloatArray


def _forecasts(counts: Counts, columns: IntArray) -> Forecasts:
    """Return the predictions of the tokens `columns`."""
    lengths = distributions().lengths[counts.tokens]
    common = counts.common @ lengths
    n_before = counts.common.sum(axis=1, keepdims=True)
    shared = _quotients(_SHARED_COUNT * common, np.maximum(n_before, 2 * _SHARED_COUNT))
    contexts = counts.contexts @ lengths + shared[counts.blocks]
    evidence = np.concatenate([common, contexts])
    evidence += distributions().prior
    seen = np.concatenate([counts.common, counts.contexts])
    means = _mean_distributions(evidence, columns)
    at = np.searchsorted(columns, counts.tokens)
    predictions = _predictions(means, seen, at, _PRIOR_COUNT)
    n_blocks = len(common)
    return Forecasts(
        predictions[:n_blocks],
        _predictions(means[:n_blocks], counts.common, at, _FREE_COUNT),
        predictions[n_blocks:],
    )


def _mean_distributions(evidence: FloatArray, columns: IntArray) -> FloatArray:
    """Return mean probabilities in units of 2^-20, (n_rows, n_columns)."""
    by_distribution = relative_weights(evidence.astype(np.int64))
    used = np.flatnonzero(by_distribution.any(axis=0))
    by_distribution = by_distribution[:, used].astype(float)
    probabilities = distributions().probabilities[used]
    if columns.size < N_TOKENS:
        probabilities = probabilities[:, columns]
    return _quotients(
        by_distribution @ probabilities, by_distribution.sum(axis=1, keepdims=True)
    )


def _predictions(
    means: FloatArray, counts: FloatArray, at: IntArray, prior_count: int
) -> FloatArray:
    """Return the predictions from means and the counts of the tokens `at`."""
    predictions = prior_count * means
    predictions[:, at] += counts * (1 << PROBABILITY_BITS)
    sums = prior_count + counts.sum(axis=1, keepdims=True)
    predictions = _quotients(predictions, sums)
    if means.shape[1] == N_TOKENS:
        predictions[:, 0] += (1 << PROBABILITY_BITS) - predictions.sum(axis=1)
    return predictions


def _quotients(numerators: FloatArray, denominators: FloatArray) -> FloatArray:
    """Return the floor quotients of integers below 2^53.

    They are exact: a quotient that is no integer is farther from the next integer than
    its rounding error.
    """
    quotients: FloatArray = np.floor(numerators / denominators)
    return quotients


def _shares(advantages: Sequence[Sequence[int]]) -> IntArray:
    """Return the shares of the context's and the free prediction, of 2^6, (n, 2)."""
    over_common = np.array([[0, *each] for each in advantages])
    weights = relative_weights(-over_common)
    shares: IntArray = (weights[:, 1:] << _MIX_BITS) // weights.sum(1, keepdims=True)
    return shares


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
    context, free = shares[:, :1], shares[:, 1:]
    mixed = context * forecasts.contexts + free * forecasts.free[blocks]
    mixed += ((1 << _MIX_BITS) - context - free) * forecasts.common[blocks]
    return mixed.astype(np.int64) + 1


def _gains(
    forecasts: Forecasts, rows: IntArray, blocks: IntArray, at: IntArray
) -> IntArray:
    """Return the bits / 256 that context and free save per token, (2, n_tokens)."""
    found = [forecasts.contexts[rows, at], forecasts.free[blocks, at]]
    return code_log2(1 + np.array(found)) - code_log2(1 + forecasts.common[blocks, at])


class GroupModel:
    """The frequencies of the next token of a group, given those before it.

    `frequencies` (n_rows, 177) add to `TOTAL`; `rows` (17,): the row of each context.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((N_CONTEXTS, N_TOKENS))
        self._advantages = _FIRST_ADVANTAGES
        self._forecast()

    def _forecast(self) -> None:
        """Set the frequencies and rows of the next block from the tokens so far.

        Row 0 is for contexts without tokens yet, the others for one seen context each.
        """
        tokens = np.flatnonzero(self._counts.any(axis=0))
        seen = np.flatnonzero(self._counts.any(axis=1))
        counts = self._counts[:, tokens]
        blocks = np.zeros(seen.size, dtype=np.int64)
        before = Counts(tokens, counts.sum(axis=0)[np.newaxis], counts[seen], blocks)
        found = _forecasts(before, np.arange(N_TOKENS))
        contexts = np.concatenate([found.common, found.contexts])
        self._forecasts = Forecasts(found.common, found.free, contexts)
        self._blocks = np.zeros(seen.size + 1, dtype=np.int64)
        shares = _shares([self._advantages])
        self.frequencies = _mix(shares, self._forecasts, self._blocks)
        self.rows = np.zeros(N_CONTEXTS, dtype=np.int64)
        self.rows[seen] = np.arange(1, seen.size + 1)

    def update(self, tokens: IntArray, contexts: IntArray) -> None:
        """Learn the tokens of a block."""
        blocks = np.zeros(tokens.size, dtype=np.int64)
        gains = _gains(self._forecasts, self.rows[contexts], blocks, tokens)
        gained = gains.sum(axis=1).tolist()
        self._advantages = _next_advantages(self._advantages, gained, tokens.size)
        np.add.at(self._counts, (contexts, tokens), 1)
        self._forecast()


def known_frequencies(
    tokens: IntArray, contexts: IntArray, columns: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the frequencies of the tokens `columns`, and the row of each token.

    (n_rows, n_columns) and (n,): as a reader finds them, of all blocks at once.
    """
    sizes = np.array(block_sizes(tokens.size))
    blocks = np.repeat(np.arange(sizes.size), sizes)
    before, rows = _known_counts(tokens, blocks, contexts, sizes.size)
    forecasts = _forecasts(before, columns)
    new = np.flatnonzero(~before.contexts.any(axis=1))
    forecasts.contexts[new] = forecasts.common[before.blocks[new]]
    gains = _gains(forecasts, rows, blocks, np.searchsorted(columns, tokens))
    gained = np.add.reduceat(gains, np.cumsum(sizes) - sizes, axis=1)
    advantages = [_FIRST_ADVANTAGES]
    for gains_of_block, size in zip(gained.T.tolist(), sizes.tolist(), strict=True):
        advantages.append(_next_advantages(advantages[-1], gains_of_block, size))
    shares = _shares(advantages)
    return _mix(shares[before.blocks], forecasts, before.blocks), rows


def _known_counts(
    tokens: IntArray, blocks: IntArray, contexts: IntArray, n_blocks: int
) -> tuple[Counts, IntArray]:
    """Return the counts before each block, and the row of each token."""
    seen = np.flatnonzero(np.bincount(tokens))
    keys = blocks * N_CONTEXTS + contexts
    counts = np.bincount(
        keys * seen.size + np.searchsorted(seen, tokens),
        minlength=n_blocks * N_CONTEXTS * seen.size,
    ).reshape(n_blocks, N_CONTEXTS, seen.size)
    used = counts.any(axis=2).ravel()
    before = (counts.cumsum(axis=0) - counts).astype(float)
    pairs = np.flatnonzero(used)
    rows = (np.cumsum(used) - 1)[keys]
    by_context = before.reshape(-1, seen.size)[pairs]
    return Counts(seen, before.sum(axis=1), by_context, pairs // N_CONTEXTS), rows
