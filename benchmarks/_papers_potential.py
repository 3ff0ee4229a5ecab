"""Kim, Gao, Kannan, Oh and Viswanath 2017: potential correlation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _peers import _centred, _climb, available_peers
from _samples import for_seeds, hidden_pair, permuted_hidden_pair
from _tables import fixed, print_table
from numpy.typing import NDArray
from potential_power import N_SAMPLES, NULL_PER_ALTERNATIVE, SHAPES, Measures, powers
from potential_truths import TRUTHS, truth_row
from sklearn.utils import Bunch

from skinfo import hypercontractivity, maximal_correlation

N_SEEDS, QUICK_SEEDS = 300, 12
NOISES = (0.0, 0.01, 0.03, 0.1, 0.3)
POSTER = {
    "linear": (0.74, 0.79, 0.85, 0.61, 0.09),
    "quadratic": (0.26, 0.32, 0.22, 0.24, 0.08),
    "sine": (0.33, 0.40, 0.40, 0.54, 0.28),
}
POSTER_DCOR = {"linear": (0.43, 0.56, 0.61, 0.44, 0.19)}
OURS: Measures = {
    "paper mode": partial(hypercontractivity, method="paper"),
    "default": hypercontractivity,
    "maximal": maximal_correlation,
}
BANDWIDTH_FACTOR = 1.06
N_CLIMBS = 10  # from random starts
CLIMBED = (("linear", 0.03), ("quadratic", 0.03))
N_COMPARED = 10
N_SEEDS_OF_ASCENT = 3

FloatArray = NDArray[np.float64]
Powers = Mapping[tuple[str, float], Mapping[str, float]]


def poster_cell(table: Mapping[str, tuple[float, ...]], case: tuple[str, float]) -> str:
    shape, noise = case
    values = table.get(shape)
    return fixed(values[NOISES.index(noise)] if values else None, 2)


def power_row(case: tuple[str, float], found: Mapping[str, float]) -> list[str]:
    peers = {name: power for name, power in found.items() if name not in OURS}
    return [
        f"{case[0]}, noise {case[1]}",
        poster_cell(POSTER, case),
        *(fixed(power, 2) for power in found.values()),
        max(peers, key=lambda name: peers[name]),
        poster_cell(POSTER_DCOR, case),
    ]


def print_powers(n_seeds: int, *, quick: bool) -> Powers:
    measures = {**OURS, **available_peers()}
    cases = list(product(SHAPES, NOISES))
    if quick:
        cases = cases[:2]
    found = {
        case: dict(zip(measures, powers(*case, measures, n_seeds), strict=True))
        for case in cases
    }
    print_table(
        f"Power at 5%, n = {N_SAMPLES}, {n_seeds} samples, "
        f"{round(NULL_PER_ALTERNATIVE * n_seeds)} with the rare y permuted",
        ("shape", "poster", *measures, "best peer", "poster dCor"),
        [power_row(*item) for item in found.items()],
    )
    return found


def print_summary(found: Powers) -> None:
    """Print how far from the poster, and how often each measure is the best."""
    measures = list(next(iter(found.values())))
    printed = [case for case in found if case[0] in POSTER]
    poster = np.array([POSTER[shape][NOISES.index(noise)] for shape, noise in printed])
    values = np.array([[found[case][name] for name in measures] for case in printed])
    everywhere = np.array([list(row.values()) for row in found.values()])
    best = everywhere == everywhere.max(axis=1, keepdims=True)
    print_table(
        f"The same: difference from the poster in its {len(printed)} cases, mean power "
        f"of all {len(found)} cases, and how often it is the largest",
        ("measure", "mean difference", "largest", "mean power", "largest in"),
        [
            [
                name,
                f"{np.mean(values[:, place] - poster):+.2f}",
                fixed(np.abs(values[:, place] - poster).max(), 2),
                fixed(everywhere[:, place].mean(), 3),
                str(best[:, place].sum()),
            ]
            for place, name in enumerate(measures)
        ],
    )


def smoother(values: FloatArray) -> FloatArray:
    """Return the Gaussian kernel between samples of a scalar, each row of sum 1."""
    bandwidth = BANDWIDTH_FACTOR * np.std(values) * len(values) ** (-1 / 5)
    kernel = np.exp(-0.5 * (np.subtract.outer(values, values) / bandwidth) ** 2)
    result: FloatArray = kernel / kernel.sum(axis=1, keepdims=True)
    return result


def authors_ascent(x: FloatArray, y: FloatArray, seed: int = 0) -> float:
    """Return what `_peers.authors_loops` does, with the kernels all at once."""
    transition = _centred(smoother(y) @ smoother(x).T)
    rng = np.random.default_rng(seed)
    return max(_climb(transition, rng) for _ in range(N_CLIMBS))


def print_ascent(found: Powers, n_seeds: int, *, quick: bool) -> None:
    """Print the power with the authors' ascent in place of the solved problem."""
    rows = []
    for case in CLIMBED[:0] if quick else CLIMBED:
        (power,) = powers(*case, {"ascent": authors_ascent}, n_seeds)
        rows.append(
            [
                f"{case[0]}, noise {case[1]}",
                poster_cell(POSTER, case),
                fixed(power, 2),
                fixed(found[case]["paper mode"], 2),
            ]
        )
    if rows:
        print_table(
            f"Power by the authors' ascent: {N_CLIMBS} random starts of 100 steps",
            ("shape", "poster", "ascent", "paper mode"),
            rows,
        )


def compared(sample: Bunch) -> list[float]:
    """Return the value of paper mode, and of the ascent from several seeds."""
    seeds = range(N_SEEDS_OF_ASCENT)
    found = [authors_ascent(sample.x, sample.y, seed) for seed in seeds]
    return [hypercontractivity(sample.x, sample.y, method="paper"), *found]


def comparison_row(
    name: str, make: Callable[..., Bunch], shape: str, noise: float, n: int
) -> list[str]:
    def values(seed: int) -> list[float]:
        return compared(make(N_SAMPLES, seed, shape=shape, noise=noise))

    found = np.array(for_seeds(values, n))
    solved, ascent = found[:, 0], found[:, 1:]
    return [
        name,
        fixed(solved.mean(), 3),
        fixed(ascent.mean(), 3),
        fixed(np.max(ascent - solved[:, np.newaxis]), 3),
        fixed(np.max(solved[:, np.newaxis] - ascent), 3),
        fixed(np.ptp(ascent, axis=1).max(), 3),
    ]


def print_comparison(n: int) -> None:
    print_table(
        f"Paper mode, solved to convergence, beside the authors' ascent: {n} samples "
        f"of {N_SAMPLES}, the ascent from {N_SEEDS_OF_ASCENT} seeds each",
        ("sample", "solved", "ascent", "above", "below", "by seed"),
        [
            comparison_row("linear, noise .03", hidden_pair, "linear", 0.03, n),
            comparison_row(
                "the same, permuted", permuted_hidden_pair, "linear", 0.03, n
            ),
            comparison_row("sine, noise .1", hidden_pair, "sine", 0.1, n),
        ],
    )


def print_tables(n_seeds: int, *, quick: bool) -> Powers:
    """Print the tables; return the powers by shape, noise and measure."""
    found = print_powers(n_seeds, quick=quick)
    print_summary(found)
    print_ascent(found, n_seeds, quick=quick)
    print_comparison(2 if quick else N_COMPARED)
    print_table(
        "Closed forms: the coefficient of discrete joints, squared maximal correlation",
        ("joint", "truth", "skinfo", "sigma_2^2", "error", "target", "met"),
        [truth_row(truth) for truth in TRUTHS],
    )
    return found


def draw(found: Powers, folder: Path) -> None:
    """Draw the power by the noise, a panel a shape."""
    figure, axes = plt.subplots(
        2, 4, figsize=(8, 4.2), layout="constrained", sharex=True, sharey=True
    )
    positions = np.arange(len(NOISES))
    for ax, shape in zip(axes.flat, SHAPES, strict=True):
        for name, style in (
            ("paper mode", "o-"),
            ("default", "^-"),
            ("maximal", "s-"),
            ("dCor", "--"),
        ):
            power = [
                found.get((shape, noise), {}).get(name, np.nan) for noise in NOISES
            ]
            ax.plot(positions, power, style, label=name, markersize=4)
        if shape in POSTER:
            ax.plot(positions, POSTER[shape], "kx", label="poster")
        ax.set(title=shape.replace("_", " "), ylim=(0, 1))
        ax.set_xticks(positions, [f"{noise:g}" for noise in NOISES])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    axes[1, 0].legend(handles, labels, fontsize="small")  # where there is room
    figure.supxlabel("noise")
    figure.supylabel("power at 5%")
    figure.savefig(folder / "potential.png", dpi=100)
    plt.close(figure)
