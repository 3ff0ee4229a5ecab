"""Power at 5% to see a dependence in 5% of the samples, beside other measures."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from _peers import available_peers
from _samples import for_seeds, hidden_pair, permuted_hidden_pair
from _slow_peers import available_slow_peers
from _tables import fixed, met, print_table, read_options
from sklearn.utils import Bunch

from skinfo import hypercontractivity, maximal_correlation, mutual_information
from skinfo._core._permutation import permutation_pvalues

LEVEL = 0.05
N_SAMPLES = 320
NULL_PER_ALTERNATIVE = 5 / 3
FIRST_ALTERNATIVE = 100_000  # its seed
SHAPES = (
    *("linear", "quadratic", "cubic", "sine"),
    *("fast_sine", "fourth_root", "circle", "step"),
)
NOISES = (0.03, 0.1)
TARGETS = {("linear", 0.03): 0.70, ("sine", 0.1): 0.30}
PEERS_TO_EXCEED = ("dCor", "xi")

Measures = Mapping[str, Callable[[Any, Any], float]]

OURS: Measures = {
    "ours": hypercontractivity,
    "maximal": maximal_correlation,
    "paper": partial(hypercontractivity, method="paper"),
    "MI": mutual_information,
}


def statistics(
    draw: Callable[[int, int], Bunch], measures: Measures, seed: int
) -> list[float]:
    sample = draw(N_SAMPLES, seed)
    return [measure(sample.x, sample.y) for measure in measures.values()]


def powers(shape: str, noise: float, measures: Measures, n_seeds: int) -> np.ndarray:
    """Return how often each measure rejects at 5%, against its own null draws."""
    parameters = {"shape": shape, "noise": noise}
    null_draw = partial(permuted_hidden_pair, **parameters)
    n_null = round(NULL_PER_ALTERNATIVE * n_seeds)
    null = for_seeds(partial(statistics, null_draw, measures), n_null)
    draw = partial(hidden_pair, **parameters)
    dependent = for_seeds(
        partial(statistics, draw, measures), n_seeds, first=FIRST_ALTERNATIVE
    )
    pvalues = [
        permutation_pvalues(of_measure, np.tile(of_null, (n_seeds, 1)))
        for of_measure, of_null in zip(
            np.transpose(dependent), np.transpose(null), strict=True
        )
    ]
    return np.mean(np.array(pvalues) <= LEVEL, axis=1)


def power_row(shape: str, noise: float, measures: Measures, n_seeds: int) -> list[str]:
    of_measures = dict(
        zip(measures, powers(shape, noise, measures, n_seeds), strict=True)
    )
    target = TARGETS.get((shape, noise))
    is_met = "-"
    if target is not None:
        peers = [of_measures[name] for name in PEERS_TO_EXCEED if name in of_measures]
        ours = of_measures["ours"]
        is_met = met(ours >= target and ours > max(peers, default=0))
    return [
        f"{shape}, noise {noise}",
        *(fixed(power, 2) for power in of_measures.values()),
        "-" if target is None else f">= {target:.2f}, > {', '.join(PEERS_TO_EXCEED)}",
        is_met,
    ]


def slow_row(shape: str, noise: float, measures: Measures, n_seeds: int) -> list[str]:
    found = powers(shape, noise, measures, n_seeds)
    return [f"{shape}, noise {noise}", *(fixed(power, 2) for power in found)]


def print_slow(n_seeds: int) -> None:
    """Compare with measures that take longer, on fewer samples."""
    peers = available_slow_peers()
    if not peers:
        return
    measures = {name: OURS[name] for name in ("ours", "maximal")} | peers
    print_table(
        f"Power at 5%, n = {N_SAMPLES}, {n_seeds} samples, "
        f"{round(NULL_PER_ALTERNATIVE * n_seeds)} with the rare y permuted",
        ("shape", *measures),
        [slow_row(*case, measures, n_seeds) for case in TARGETS],
    )


def main() -> None:
    options = read_options(__doc__, n_seeds=300, quick_seeds=30)
    measures = {**OURS, **available_peers()}
    cases = [(shape, noise) for shape in SHAPES for noise in NOISES]
    cases.sort(key=lambda case: case not in TARGETS)
    if options.quick:
        cases = list(TARGETS)
    print_table(
        f"Power at 5%, n = {N_SAMPLES}, {options.n_seeds} samples, "
        f"{round(NULL_PER_ALTERNATIVE * options.n_seeds)} with the rare y permuted",
        ("shape", *measures, "target", "met"),
        [power_row(*case, measures, options.n_seeds) for case in cases],
    )
    print_slow(max(30, options.n_seeds // 3))


if __name__ == "__main__":
    main()
