"""Integers to bytes and back, by a range coder with adaptive frequencies.

The code of groups of integers is a number x in [0, 1), written as bytes with the most
significant first, zeros after the last. No sizes and no frequencies are stored: a
reader has to know how many integers each group has and how many bytes there are.

State: an interval of numbers of 56 bits, [low, low + width), at first low = 0 and
width = 2^56. A symbol with the cumulated frequencies [start, end) of total makes of it,
with unit = floor(width / total), low + unit start and width = unit (end - start). Then,
while width < 2^40, the top 16 bits of low are written, which may carry into the words
before, and both are multiplied by 2^16, low modulo 2^56. At the end, with the least k
for which [low, low + width) has a multiple of 2^(56 - 8k), the least such multiple is
written as the k first of its seven bytes, again with its carry. The bytes must end
there: fewer, more or others are an error.

Symbols: of each group after the other, of each integer after the other, the token with
the frequencies of `_adaptive_model` (cumulated in the order of the tokens), then its
further bits, 16 at a time from the highest, as start = their value, end = start + 1,
total = 2^16, and what remains below 16 as one symbol. Each group starts anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from skinfo._core._typing import IntArray
from skinfo.compression.coding._adaptive_model import (
    LARGEST_COUNTED,
    TOTAL,
    WINDOW,
    GroupModel,
    block_sizes,
    contexts_of,
    known_frequencies,
)
from skinfo.compression.coding._distributions import (
    N_TOKENS,
    signed_intervals,
    tokenize,
)

# All of these are part of the file format: other values need a new version of it.
_BITS = 41  # of the largest magnitude; the tokens end there
_TOP_BYTES = 7  # of the interval: 56 bits, the least width and one word
_TOP_BITS = 8 * _TOP_BYTES
_LEAST_WIDTH = 1 << 40  # above the sum of frequencies, 2^26, with 14 bits of precision
_WORD_BITS = 16  # written at once
_WORD = (1 << _WORD_BITS) - 1
_DAMAGED = "The coded integers are damaged."


def encode_integers(groups: Sequence[IntArray]) -> bytes:
    """Write groups of integers of magnitude below 2^41, each with own statistics."""
    words: list[int] = []  # of 17 bits where there is a carry
    low, width = 0, 1 << _TOP_BITS
    for group in groups:
        starts, sizes, totals = _group_symbols(_checked(group)).tolist()
        for start, size, total in zip(starts, sizes, totals, strict=True):
            unit = width // total
            low += unit * start
            width = unit * size
            while width < _LEAST_WIDTH:
                words.append(low >> (_TOP_BITS - _WORD_BITS))
                low = (low & (_LEAST_WIDTH - 1)) << _WORD_BITS
                width <<= _WORD_BITS
    return _ended(words, low, width)


def code_length(groups: Sequence[IntArray]) -> float:
    """Return the ideal code length in bits, without encoding.

    The encoded bytes are at most one more, and seldom fewer, as where most integers are
    zero.
    """
    return sum(_group_length(_checked(group)) for group in groups)


def decode_integers(data: bytes, sizes: Sequence[int]) -> list[IntArray]:
    """Read groups of so many integers each.

    Raises ValueError where `data` are longer or shorter than the code of what is read.
    """
    reader = IntegerReader(data)
    groups = [reader.read(size) for size in sizes]
    reader.finish()
    return groups


def _checked(group: IntArray) -> IntArray:
    integers = np.asarray(group).astype(np.int64, casting="safe")
    largest = (1 << _BITS) - 1
    if integers.size and max(-int(integers.min()), int(integers.max())) > largest:
        raise ValueError(
            f"The magnitude of integers must be below 2^{_BITS}. Use a larger step."
        )
    return integers


def _group_length(integers: IntArray) -> float:
    """Return the ideal bits of a group by its frequencies, not those written."""
    if integers.size == 0:
        return 0.0
    tokens, _, n_bits = tokenize(integers)
    columns = np.flatnonzero(np.bincount(tokens))
    frequencies, rows = known_frequencies(tokens, contexts_of(integers), columns)
    sizes = frequencies[rows, np.searchsorted(columns, tokens)]
    bits = tokens.size * np.log2(TOTAL) - np.log2(sizes).sum() + n_bits.sum()
    return float(bits)


def _group_symbols(integers: IntArray) -> IntArray:
    """Return the starts, sizes and totals of a group's symbols, (3, n_symbols).

    They are its tokens, each with its further bits. A symbol is the part
    [start, start + size) of the total.
    """
    if integers.size == 0:
        return np.zeros((3, 0), dtype=np.int64)
    tokens, further, n_bits = tokenize(integers)
    contexts, columns = contexts_of(integers), np.arange(N_TOKENS)
    frequencies, rows = known_frequencies(tokens, contexts, columns)
    sizes = frequencies[rows, tokens]
    starts = frequencies.cumsum(axis=1)[rows, tokens] - sizes
    symbols = np.stack([starts, sizes, np.full(tokens.size, TOTAL)])
    return _insert_bits(symbols, further, n_bits)


def _insert_bits(symbols: IntArray, further: IntArray, n_bits: IntArray) -> IntArray:
    """Insert the further bits after each token, at most 16 at a time."""
    n_words = -(-n_bits // _WORD_BITS)
    owners = np.repeat(np.arange(n_bits.size), n_words)
    first = np.cumsum(n_words) - n_words
    n_left = n_bits[owners] - _WORD_BITS * (np.arange(owners.size) - first[owners])
    widths = np.minimum(_WORD_BITS, n_left)
    starts = (further[owners] >> (n_left - widths)) & ((1 << widths) - 1)
    words = np.stack([starts, np.ones_like(starts), 1 << widths])
    return np.insert(symbols, owners + 1, words, axis=1)


def _shortest(low: int, width: int) -> tuple[int, int]:
    """Return the number in [low, low + width) of the fewest bytes, and how many."""
    for n_bytes in range(_TOP_BYTES):
        unit = 1 << (_TOP_BITS - 8 * n_bytes)
        number = -(-low // unit) * unit
        if number < low + width:
            return number, n_bytes
    return low, _TOP_BYTES


def _ended(words: Sequence[int], low: int, width: int) -> bytes:
    """Return the words, and as few bytes more as tell the interval."""
    number, n_bytes = _shortest(low, width)
    carry, number = divmod(number, 1 << _TOP_BITS)
    carried = []
    for word in reversed(words):
        carried.append((word + carry) & _WORD)
        carry = (word + carry) >> _WORD_BITS
    last = number.to_bytes(_TOP_BYTES, "big")
    return np.array(carried[::-1], dtype=">u2").tobytes() + last[:n_bytes]


class IntegerReader:
    """Reads one group after the other, where the next sizes depend on what was read.

    `read` and `finish` raise a ValueError where the data cannot be the code of what was
    asked. State: the width of the interval, and the place of the data above its low
    end.
    """

    def __init__(self, data: bytes) -> None:
        self._n_data, self._padded = len(data), data + bytes(_TOP_BYTES)
        words = self._padded[_TOP_BYTES : _TOP_BYTES + len(data) // 2 * 2]
        self._words = iter(np.frombuffer(words, dtype=">u2").tolist())
        self._n_read = 0
        self._place, self._width = self._window(), 1 << _TOP_BITS

    def read(self, n_integers: int) -> IntArray:
        """Return the next group, of so many integers."""
        model, recent = GroupModel(), [0] * WINDOW
        blocks = [np.zeros(0, dtype=np.int64)]
        for size in block_sizes(n_integers):
            ends = np.zeros((len(model.frequencies), N_TOKENS + 1), dtype=np.int64)
            np.cumsum(model.frequencies, axis=1, out=ends[:, 1:])
            by_row = ends.tolist()
            by_context = [by_row[row] for row in model.rows.tolist()]
            tokens, contexts, magnitudes = self._read_block(by_context, size, recent)
            blocks.append(np.where(tokens % 2, magnitudes, -magnitudes))
            if len(recent) < WINDOW + n_integers:
                model.update(tokens, contexts)
        return np.concatenate(blocks)

    def finish(self) -> None:
        """Raise a ValueError unless the data end as `encode_integers` ends them."""
        window = self._window()
        number, n_bytes = _shortest(window - self._place, self._width)
        if number != window or self._n_data != 2 * self._n_read + n_bytes:
            raise ValueError(_DAMAGED)

    def _window(self) -> int:
        """Return the seven bytes at the interval."""
        start = 2 * self._n_read
        return int.from_bytes(self._padded[start : start + _TOP_BYTES], "big")

    def _refill(self, place: int, width: int) -> tuple[int, int]:
        """Read words until the interval is wide enough."""
        while width < _LEAST_WIDTH:
            word = next(self._words, None)
            if word is None:
                raise ValueError(_DAMAGED)
            self._n_read += 1
            place = place << _WORD_BITS | word
            width <<= _WORD_BITS
        return place, width

    def _read_block(
        self, ends: Sequence[list[int]], n_tokens: int, recent: list[int]
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return the next tokens, their contexts and their magnitudes.

        `ends`: for each context, 0 and the cumulated frequencies. `recent`: `WINDOW`
        zeros and the magnitudes of the group so far, to which this block appends.
        """
        place, width = self._place, self._width
        least, n_bits = signed_intervals()
        tokens, contexts, magnitudes = [], [], []
        window_sum = sum(recent[-WINDOW:])
        for _ in range(n_tokens):
            context = window_sum.bit_length()
            bounds = ends[context]
            unit = width // TOTAL
            token = bisect_right(bounds, place // unit) - 1
            if token == N_TOKENS:
                raise ValueError(_DAMAGED)
            start = bounds[token]
            place -= unit * start
            width = unit * (bounds[token + 1] - start)
            if width < _LEAST_WIDTH:
                place, width = self._refill(place, width)
            magnitude = counted = least[token]
            if n_bits[token]:
                self._place, self._width = place, width
                magnitude += self._read_bits(n_bits[token])
                place, width = self._place, self._width
                counted = min(magnitude, LARGEST_COUNTED)
            tokens.append(token)
            contexts.append(context)
            magnitudes.append(magnitude)
            window_sum += counted - recent[-WINDOW]
            recent.append(counted)
        self._place, self._width = place, width
        return np.array(tokens), np.array(contexts), np.array(magnitudes)

    def _read_bits(self, n_bits: int) -> int:
        """Read a number of so many bits, at most 16 at a time."""
        number = 0
        while n_bits > 0:
            n_now = min(n_bits, _WORD_BITS)
            unit = self._width >> n_now
            digits, place = divmod(self._place, unit)
            if digits >> n_now:
                raise ValueError(_DAMAGED)
            self._place, self._width = self._refill(place, unit)
            number = number << n_now | digits
            n_bits -= n_now
        return number
