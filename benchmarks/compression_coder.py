"""Bytes and speed of the coder of integers, beside the entropy and zlib."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import zlib
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from _tables import best_times, fixed, met, print_table, read_options

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.coding._range_coder import (
    code_length,
    decode_integers,
    encode_integers,
)

REPEATS = 5
SIZES = (64, 700, 7_000, 100_000)
N_MOST = 20  # groups of the smallest size
LEAST_RATE = 3e5  # symbols per second
MOST_SECONDS = 10.0
ROW = 64


def normals(n: int, rng: np.random.Generator, *, scale: float) -> FloatArray:
    return scale * rng.standard_normal(n)


def laplaces(n: int, rng: np.random.Generator, *, scale: float) -> FloatArray:
    return rng.laplace(0, scale, n)


def rows(n: int, rng: np.random.Generator, *, scale: float) -> FloatArray:
    """Return rows of normals of which the logarithm of the scale drifts."""
    n_rows = -(-n // ROW)
    drift = np.zeros(n_rows)
    for i in range(1, n_rows):
        drift[i] = 0.95 * drift[i - 1] + 0.22 * rng.standard_normal()
    scales = np.repeat(scale * np.exp(drift), ROW)[:n]
    return scales * rng.standard_normal(n)


def pruned(n: int, rng: np.random.Generator, *, scale: float) -> FloatArray:
    """Return normals of which only the largest tenth is not zero."""
    values = rng.standard_normal(n)
    return scale * np.where(np.abs(values) > 1.645, values, 0)


LAWS: Mapping[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "normal, 1 bit": partial(normals, scale=0.44),
    "normal, 2 bits": partial(normals, scale=0.93),
    "normal, 4 bits": partial(normals, scale=3.86),
    "normal, 6 bits": partial(normals, scale=15.5),
    "Laplace, 2.3 bits": partial(laplaces, scale=0.9),
    "rows of other scales": partial(rows, scale=0.93),
    "a tenth is not zero": partial(pruned, scale=4.0),
}


def draw(law: str, n: int, seed: int) -> IntArray:
    rng = np.random.default_rng(seed)
    return np.rint(LAWS[law](n, rng)).astype(np.int64)


def entropy(integers: IntArray) -> float:
    """Return the empirical zeroth-order entropy in bytes."""
    _, counts = np.unique(integers, return_counts=True)
    return float(-(counts * np.log2(counts / integers.size)).sum() / 8)


def zlib_bytes(integers: IntArray) -> int:
    return len(zlib.compress(integers.astype(np.int16).tobytes(), level=9))


def bytes_row(law: str, n: int) -> list[str]:
    """Write the mean bytes of some groups of one size."""
    groups = [draw(law, n, seed) for seed in range(max(1, min(N_MOST, 20_000 // n)))]
    ours = [len(encode_integers([group])) for group in groups]
    entropies = [entropy(group) for group in groups]
    apart = [
        abs(size - code_length([group]) / 8)
        for size, group in zip(ours, groups, strict=True)
    ]
    mean, bound = float(np.mean(ours)), 1.02 * float(np.mean(entropies)) + 16
    return [
        law,
        str(n),
        fixed(float(np.mean(entropies)), 1),
        fixed(mean, 1),
        fixed(float(np.mean([zlib_bytes(group) for group in groups])), 1),
        f"<= {bound:.0f}",
        met(mean <= bound),
        fixed(max(apart), 2),
    ]


def speed_row(law: str, n: int, repeats: int) -> list[str]:
    """Write the symbols per second."""
    group = draw(law, n, 0)
    data = encode_integers([group])
    calls = {
        "encode": partial(encode_integers, [group]),
        "decode": partial(decode_integers, data, [n]),
        "length": partial(code_length, [group]),
    }
    rates = {
        name: n / time for name, time in best_times(calls, repeats=repeats).items()
    }
    least = min(rates["encode"], rates["decode"])
    # a short group is all beginning: the tables change after every integer
    target = LEAST_RATE if n >= 10_000 else None
    return [
        law,
        str(n),
        *(f"{rate:.2e}" for rate in rates.values()),
        "-" if target is None else f">= {target:.0e}",
        "-" if target is None else met(least >= target),
    ]


def million_row(law: str) -> list[str]:
    """Write the seconds of a million integers."""
    group = draw(law, 1_000_000, 0)
    data = encode_integers([group])
    calls = {
        "encode": partial(encode_integers, [group]),
        "decode": partial(decode_integers, data, [group.size]),
        "length": partial(code_length, [group]),
    }
    seconds = best_times(calls, repeats=1)
    return [
        law,
        str(group.size),
        *(fixed(value, 2) for value in seconds.values()),
        f"< {MOST_SECONDS:.0f}",
        met(max(seconds.values()) < MOST_SECONDS),
    ]


def main() -> None:
    options = read_options(__doc__)
    sizes = SIZES[:3] if options.quick else SIZES
    repeats = 2 if options.quick else REPEATS
    print_table(
        "Bytes of a group; target: 1.02 entropy + 16; how far code_length is off",
        ("law", "n", "entropy", "ours", "zlib", "target", "met", "off"),
        [bytes_row(law, n) for law in LAWS for n in sizes],
    )
    print_table(
        f"Symbols per second, best of {repeats}",
        ("law", "n", "encode", "decode", "length", "target", "met"),
        [
            speed_row(law, n, repeats)
            for law in ("normal, 2 bits", "normal, 4 bits", "rows of other scales")
            for n in (64, 700, 10_000, 100_000)
        ],
    )
    if not options.quick:
        print_table(
            "Seconds of a million, once",
            ("law", "n", "encode", "decode", "length", "target", "met"),
            [million_row(law) for law in LAWS],
        )


if __name__ == "__main__":
    main()
