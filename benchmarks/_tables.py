"""What all benchmarks share: the command line, timing and plain text tables.

What is printed is recorded as well, if `python -m benchmarks` has named a file for it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RECORD = "SKINFO_BENCHMARK_RECORD"  # the environment variable that names the file


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    n_seeds: int
    quick: bool


def read_options(
    description: str | None, *, n_seeds: int = 0, quick_seeds: int = 0
) -> Options:
    """Read `--quick` from the command line, and `--seeds` where there are any."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="a fast trial: few seeds, small samples"
    )
    if n_seeds > 0:
        parser.add_argument(
            "--seeds",
            type=int,
            metavar="N",
            help=f"samples per case (default: {n_seeds}; {quick_seeds} with --quick)",
        )
    parser.set_defaults(seeds=None)
    arguments = parser.parse_args()
    if arguments.seeds is None:
        arguments.seeds = quick_seeds if arguments.quick else n_seeds
    elif arguments.seeds < 2:
        parser.error(f"--seeds {arguments.seeds} must be at least 2")
    return Options(arguments.seeds, arguments.quick)


def print_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Print a table: the first column to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{title}")
    for number, line in enumerate(lines):
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(w) for cell, w in others)]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    header, *rows = lines
    record(title=title, header=header, rows=rows)


def print_skipped(what: str, reason: str) -> None:
    """Print what is left out, and why."""
    print(f"\nskipped: {what}, because {reason}")
    record(skipped=what, reason=reason)


def record(**entry: Any) -> None:
    """Append to the record, a line of JSON for each table."""
    path = os.environ.get(RECORD)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def fixed(value: float | None, digits: int = 4) -> str:
    """Write a number with so many decimals, None as a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def at_most(bound: float | None, digits: int = 3) -> str:
    """Write an upper bound, None as a dash."""
    return "-" if bound is None else f"<= {bound:.{digits}f}"


def met(condition: Any) -> str:
    """Write whether a target is met."""
    return "yes" if condition else "no"


def standard_error(values: Any) -> float:
    """Return the standard error of the mean of independent values."""
    values = np.asarray(values, dtype=float)
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def best_times(
    calls: Mapping[str, Callable[[], Any]], *, repeats: int
) -> dict[str, float]:
    """Return the shortest time of each call in seconds, one round after the other."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
