"""Type-I error at 5% of the p-values of potential correlation."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from _samples import (
    for_seeds,
    independent_pair,
    integer_pair,
    rounded_gaussian_pair,
)
from _tables import fixed, met, print_table, read_options
from sklearn.utils import Bunch

from skinfo import HypercontractivityCoef

LEVEL = 0.05
LARGEST_SIZE = 0.08
SMALLEST_SIZE = 0.02
N_SAMPLES = 100
N_PERMUTATIONS = 199


@dataclass(frozen=True)
class Case:
    """Independent samples from a number and a seed; whether they have ties."""

    name: str
    draw: Callable[[int, int], Bunch]
    tied: bool = False


CASES = [
    Case("normals", partial(independent_pair, law="normal")),
    Case("lognormals", partial(independent_pair, law="lognormal")),
    Case("Cauchys", partial(independent_pair, law="Cauchy")),
    Case("5 x 5 integers, nominal", partial(integer_pair, n_levels=5), tied=True),
    Case("binary, nominal", partial(integer_pair, n_levels=2), tied=True),
    Case(
        "normals rounded to .5",
        partial(rounded_gaussian_pair, correlation=0.0, step=0.5),
        tied=True,
    ),
]


def pvalue(draw: Callable[[int, int], Bunch], seed: int) -> float:
    sample = draw(N_SAMPLES, seed)
    selector = HypercontractivityCoef(n_permutations=N_PERMUTATIONS, random_state=seed)
    return float(selector.fit(sample.x[:, np.newaxis], sample.y).pvalues_[0])


def size_row(case: Case, n_seeds: int) -> list[str]:
    pvalues = np.array(for_seeds(partial(pvalue, case.draw), n_seeds))
    size = float(np.mean(pvalues <= LEVEL))
    smallest = 0.0 if case.tied else SMALLEST_SIZE
    return [
        case.name,
        fixed(size, 3),
        fixed(np.sqrt(LEVEL * (1 - LEVEL) / n_seeds), 3),
        f"{smallest:.2f} to {LARGEST_SIZE:.2f}",
        met(smallest <= size <= LARGEST_SIZE),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=300, quick_seeds=20)
    print_table(
        f"Type-I error at 5%, n = {N_SAMPLES}, {N_PERMUTATIONS} permutations, "
        f"{options.n_seeds} seeds",
        ("independent", "rejected", "s.e. at 5%", "target", "met"),
        [size_row(case, options.n_seeds) for case in CASES],
    )


if __name__ == "__main__":
    main()
