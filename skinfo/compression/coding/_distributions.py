"""Tokens of integers around zero, and distributions of tokens, in exact arithmetic.

Token 0 is the integer 0. Tokens 2i - 1 and 2i are the i-th interval of magnitudes above
zero, of positive and of negative integers. The intervals are 1 to 31 one by one, four
equal ones of each octave from 2^5 to 2^12, and the octaves from 2^12 to 2^41: 177
tokens. The magnitude less the least one of its interval are b further bits, where the
interval has 2^b.

A distribution has a power, 2 (normal) or 1 (Laplace), a number j and a number z. With
P[i] = floor(2^40 2^(-i / 256)) and d = floor(2^24 2^(j / 2)), token 0 has the share
2^80, and the tokens of an interval with middle m the share
2^(40 + b) P[e mod 256] >> floor(e / 256) with e = floor(2^32 (2m)^power / (2^power d)).
For z > 0 token 0 rather has 2^z - 1 times the shares of all others. So much of
2^20 - 177, rounded down, plus 1 is the probability of a token, in units of 2^-20;
token 0 also has the remainder up to 2^20.

Each distribution has a prior, which is a code length. Of power 2 and z = 0 there are
j = -8, -7, ..., 24 with prior 0, then 28, 32, ..., 156 with prior 128, 256, ...; of
power 1 and z = 0, j = -6, -5, ..., 12 with prior 0, then 14, 16, ..., 78 with prior
128, 256, ... For z = 1 to 5 there are j = 2, 5, ..., 23 of power 2 and -1, 2, ..., 11
of power 1, all with prior 768.

Code lengths are in units of 1 / 256 bit. That of a token is 20 * 256 minus log2 of its
probability, where log2(x), for 2^k <= x < 2^(k + 1), is 256 k + floor(256 log2(1 + i /
256)) with i = floor(256 (x / 2^k - 1)).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skinfo._core._typing import FloatArray, IntArray

# All of these are part of the file format: other values need a new version of it.
N_TOKENS = 177  # zero, and both signs of the 88 intervals of `intervals`
_UNIT_BITS = 8
UNIT = 1 << _UNIT_BITS  # units of code lengths in one bit
PROBABILITY_BITS = 20  # probabilities are multiples of 2^-20
WEIGHT_BITS = 15  # weights of distributions are at most 2^15: sums fit into 2^53


@functools.cache
def intervals() -> tuple[IntArray, IntArray]:
    """Return the least magnitude and log2(width) of each interval above zero."""
    least, bits = list(range(1, 32)), [0] * 31
    for octave in range(5, 12):
        least += [part << (octave - 2) for part in range(4, 8)]
        bits += [octave - 2] * 4
    for octave in range(12, 41):
        least.append(1 << octave)
        bits.append(octave)
    return np.array(least), np.array(bits)


@functools.cache
def signed_intervals() -> tuple[list[int], list[int]]:
    """Return the least magnitude and log2(width) of each token."""
    least, bits = intervals()
    return [0, *np.repeat(least, 2).tolist()], [0, *np.repeat(bits, 2).tolist()]


def tokenize(integers: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return tokens, further bits and their number, (n,) each."""
    least, bits = intervals()
    magnitudes = np.abs(integers)
    i = np.searchsorted(least, magnitudes, side="right")
    above = np.maximum(i - 1, 0)
    tokens = np.where(i > 0, 2 * i - (integers > 0), 0)
    return tokens, np.where(i > 0, magnitudes - least[above], 0), bits[above]


@dataclass(frozen=True)
class Distributions:
    """Normal and Laplace distributions of tokens, some with more zeros.

    With n distributions, `probabilities` (n, 177) are in units of 2^-20, `lengths`
    (177, n) are the code lengths that they mean, and `prior` (n,) is the evidence
    against each beforehand. The first two are integers in float64.
    """

    probabilities: FloatArray
    lengths: FloatArray
    prior: IntArray


@functools.cache
def _powers() -> IntArray:
    """Return floor(2^40 2^(-i / 256)) for i below 256."""
    roots = [1 << (40 * UNIT - i) for i in range(UNIT)]
    for _ in range(UNIT.bit_length() - 1):
        roots = [math.isqrt(root) for root in roots]
    return np.array(roots)


@functools.cache
def _logarithms() -> IntArray:
    """Return floor(256 log2(1 + i / 256)) for i below 256."""
    powers = [(UNIT + i) ** UNIT for i in range(UNIT)]
    return np.array([power.bit_length() - 1 - 8 * UNIT for power in powers])


def code_log2(values: FloatArray) -> IntArray:
    """Return log2 of positive integers from their first nine bits, in units."""
    mantissas, exponents = np.frexp(values)
    digits = (2 * UNIT * mantissas).astype(np.int64) - UNIT
    lengths: IntArray = _logarithms()[digits] + UNIT * (exponents - 1)
    return lengths


def relative_weights(evidence: IntArray) -> IntArray:
    """Return 2^-evidence along the last axis, the largest 2^15."""
    excess = evidence - evidence.min(axis=-1, keepdims=True)
    shifts = np.minimum(excess >> _UNIT_BITS, 63)
    table = _powers() >> (40 - WEIGHT_BITS)  # floor(2^15 2^(-i / 256))
    weights: IntArray = table[excess & (UNIT - 1)] >> shifts
    return weights


def _parameters() -> Iterator[tuple[int, int, int, int]]:
    """Yield power, j, z and prior of each distribution."""
    for power, fine, sparse in (
        (2, range(-8, 25), range(2, 25, 3)),
        (1, range(-6, 13), range(-1, 12, 3)),
    ):
        yield from ((power, j, 0, 0) for j in fine)
        coarse = range(fine[-1] + 2 * power, 80 * power, 2 * power)
        yield from ((power, j, 0, UNIT // 2 * i) for i, j in enumerate(coarse, start=1))
        yield from ((power, j, z, 3 * UNIT) for z in range(1, 6) for j in sparse)


def _distribution(power: int, j: int, z: int) -> list[int]:
    """Return the probabilities of the tokens, which add to 2^20, each at least 1."""
    least, bits = intervals()
    fraction = 24
    d = math.isqrt(1 << (j + 2 * fraction))
    shares = [1 << 80]
    for start, n_bits in zip(least.tolist(), bits.tolist(), strict=True):
        twice = 2 * start + (1 << n_bits) - 1
        exponent = (twice**power * UNIT << fraction) // (d << power)
        share = int(_powers()[exponent % UNIT]) << (40 + n_bits)
        shares += [share >> (exponent // UNIT)] * 2
    if z > 0:
        shares[0] = ((1 << z) - 1) * sum(shares[1:])
    total, free = sum(shares), (1 << PROBABILITY_BITS) - len(shares)
    probabilities = [1 + free * share // total for share in shares]
    probabilities[0] += (1 << PROBABILITY_BITS) - sum(probabilities)
    return probabilities


@functools.cache
def distributions() -> Distributions:
    """Return all distributions."""
    parameters = list(_parameters())
    probabilities = np.array(
        [_distribution(power, j, z) for power, j, z, _ in parameters]
    )
    lengths = UNIT * PROBABILITY_BITS - code_log2(probabilities.astype(float))
    return Distributions(
        probabilities.astype(float),
        np.ascontiguousarray(lengths.T, dtype=float),
        np.array([prior for *_, prior in parameters]),
    )
