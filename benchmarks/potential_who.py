"""The authors' values of pairs of WHO indicators, and the discoveries among them.

Needs their data: the environment variable SKINFO_WHO_DATA names a folder with WHO.csv
(the indicators of 202 countries) and authors_values.csv (pairs of column numbers from
1 on, with the authors' values forward, HC, and backward, HCR).
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
from _tables import at_most, fixed, met, print_skipped, print_table, read_options
from numpy.typing import NDArray
from scipy.stats import spearmanr

from skinfo import HypercontractivityCoef, hypercontractivity

VARIABLE = "SKINFO_WHO_DATA"
SMALLEST_RANK_CORRELATION = 0.998
LARGEST_RMS = 0.01
LARGEST_SECONDS = 30.0
N_PERMUTATIONS = 999
ALL_PAIRS = 1600  # of the paper

DISCOVERIES = (
    ("Aid_received", "Income_growth"),
    ("Broadband_subscribers", "Health_expenditure_private"),
    ("Arms_exports", "Health_expenditure_total"),
    ("Bad_teeth_per_child", "Democracy_score"),
    ("CO2_emissions", "Energy_use"),
    ("Hydroelectricity_consumption_per_person", "Energy_use"),
)

FloatArray = NDArray[np.float64]


def read_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="latin-1", newline="") as file:
        return list(csv.reader(file))


def read_indicators(folder: Path) -> tuple[list[str], list[str], FloatArray]:
    """Return the countries, the names of the columns and their values, NaN for gaps."""
    names, *rows = read_rows(folder / "WHO.csv")
    values = np.array([[number(cell) for cell in row] for row in rows])
    return [row[0] for row in rows], names, values


def number(cell: str) -> float:
    """Read a number; NaN for a gap or a name."""
    try:
        return float(cell)
    except ValueError:
        return np.nan


def read_authors_values(folder: Path) -> dict[str, FloatArray]:
    header, *rows = read_rows(folder / "authors_values.csv")
    columns = np.array(rows, dtype=float).T
    return dict(zip(header, columns, strict=True))


def paper_value(x: FloatArray, y: FloatArray) -> float:
    return hypercontractivity(x, y, method="paper", nan_policy="omit")


def reproduction_rows(
    values: FloatArray, authors: dict[str, FloatArray], n_pairs: int | None
) -> list[list[str]]:
    """Compare method="paper" with the authors' values, forward and backward."""
    first, second = (
        values[:, authors[name][:n_pairs].astype(int) - 1].T
        for name in ("var1", "var2")
    )
    rows = []
    for name, pairs in (
        ("HC", zip(first, second, strict=True)),
        ("HCR", zip(second, first, strict=True)),
    ):
        start = time.perf_counter()
        ours = np.array([paper_value(x, y) for x, y in pairs])
        seconds = time.perf_counter() - start
        rows.append(reproduction_row(name, ours, authors[name][:n_pairs], seconds))
    return rows


def reproduction_row(
    name: str, ours: FloatArray, theirs: FloatArray, seconds: float
) -> list[str]:
    rank_correlation = float(spearmanr(ours, theirs).statistic)
    difference = ours - theirs
    rms = float(np.sqrt(np.mean(difference**2)))
    good = (
        rank_correlation >= SMALLEST_RANK_CORRELATION
        and rms <= LARGEST_RMS
        and seconds <= LARGEST_SECONDS
    )
    target = f">= {SMALLEST_RANK_CORRELATION}, {at_most(LARGEST_RMS)}"
    return [
        name,
        str(len(ours)),
        fixed(rank_correlation, 5),
        fixed(rms, 5),
        fixed(difference.mean(), 5),
        fixed(np.abs(difference).max()),
        fixed(seconds, 1),
        f"{target}, {at_most(LARGEST_SECONDS, 0)} s",
        met(good),
    ]


def discovery_row(
    pair: tuple[str, str],
    countries: list[str],
    columns: tuple[FloatArray, FloatArray],
    parameters: dict[str, Any],
) -> list[str]:
    """Measure one pair: its value, without its witness, who that is, its p-value."""
    x, y = columns
    selector = HypercontractivityCoef(
        nan_policy="omit", n_jobs=2, random_state=0, **parameters
    )
    selector.fit(x[:, np.newaxis], y)
    complete = np.isfinite(x) & np.isfinite(y)
    tilt = np.where(complete, selector.tilt(x[:, np.newaxis])[:, 0], 0.0)
    highest = np.argsort(-tilt)[:2]
    return [
        f"{pair[0]} -> {pair[1]}",
        str(complete.sum()),
        fixed(selector.scores_[0]),
        fixed(selector.scores_without_witness_[0]),
        fixed(selector.lower_bounds_[0]),
        fixed(selector.effective_sample_sizes_[0], 1),
        ", ".join(f"{countries[row]} ({tilt[row]:.1f})" for row in highest),
        fixed(selector.pvalues_[0], 3),
        fixed(min(1.0, ALL_PAIRS * selector.pvalues_[0]), 1),
    ]


def main() -> None:
    options = read_options(__doc__)
    folder = os.environ.get(VARIABLE)
    if not folder:
        print_skipped("all of it", f"{VARIABLE} does not name the folder with the data")
        return
    countries, names, values = read_indicators(Path(folder))
    authors = read_authors_values(Path(folder))
    print_table(
        'method="paper" against the authors\' values',
        (
            *("value", "pairs", "rank correlation", "rms", "mean difference"),
            *("largest", "seconds", "target", "met"),
        ),
        reproduction_rows(values, authors, 50 if options.quick else None),
    )
    n_permutations = N_PERMUTATIONS // 10 if options.quick else N_PERMUTATIONS
    for method in ("paper", "kde"):
        parameters = {"method": method, "n_permutations": n_permutations}
        print_table(
            f'Discoveries, method="{method}", {n_permutations} permutations; '
            f"the last column: p-value times the {ALL_PAIRS} pairs of the paper",
            (
                *("pair", "n", "value", "without witness", "sigma_2^2"),
                *("effective n", "largest tilts", "p-value", "of all"),
            ),
            [
                discovery_row(
                    pair,
                    countries,
                    tuple(values[:, names.index(name)] for name in pair),
                    parameters,
                )
                for pair in DISCOVERIES
            ],
        )


if __name__ == "__main__":
    main()
