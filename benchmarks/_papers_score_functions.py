"""Gao, Makkuva, Oh and Viswanath 2019: score functions and the designed loss."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _peers import kernel_density_score
from _samples import for_seeds
from _tables import fixed, print_table
from hidden_layer_recovery import PAPER, random_start, recover, unit, weight_error
from numpy.typing import NDArray
from score_functions_accuracy import KERNEL_BANDWIDTHS, mixture, normals, rmse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from skinfo import GaussianMixtureScore, GaussianScore, LocalLikelihoodScore
from skinfo.datasets import make_teacher_network
from skinfo.score_functions.recovery._directions import SIGN_OF_FOURTH
from skinfo.score_functions.recovery._landscape import stochastic_descent
from skinfo.score_functions.tensors._average import QuadraticPart

N_SEEDS, QUICK_SEEDS = 20, 2
FEWER = 4  # times fewer seeds where there are many columns
SCALE_OF_LAPLACE = np.sqrt(1 / 2)
N_TRAP_EPOCHS = 50
METHODS = ("paper mode", "Gaussian score", "default", "true family", "random start")

FloatArray = NDArray[np.float64]


# ----- the score function itself


@dataclass(frozen=True)
class Law:
    """Samples with their score function, and the authors' factor of the bandwidth."""

    draw: Callable[[int], tuple[FloatArray, FloatArray]]
    factor: float


LAWS = {
    "normal, d = 2": Law(partial(normals, 2), 6.0),
    "mixture, d = 2": Law(partial(mixture, 2), 1.5),
}


def score_errors(law: Law, seed: int) -> list[float]:
    """Return the RMSE of the paper, of the default and of the peers."""
    X, truth = law.draw(seed)
    estimators = (
        LocalLikelihoodScore(bandwidth_factor=law.factor),
        LocalLikelihoodScore(),
        GaussianScore(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        *ours, plug_in = (
            rmse(-each.fit(X).log_density_derivatives()[0], truth)
            for each in estimators
        )
    kernel = min(rmse(-kernel_density_score(X, h), truth) for h in KERNEL_BANDWIDTHS)
    return [*ours, kernel, plug_in]


def score_row(name: str, law: Law, n_seeds: int) -> list[str]:
    found = np.array(for_seeds(partial(score_errors, law), n_seeds))
    below = np.sum(found[:, 0] < found[:, 2])
    return [
        name,
        *(fixed(value, 3) for value in np.median(found, axis=0)),
        f"{below} of {n_seeds}",
    ]


# ----- the hidden layer


@dataclass(frozen=True)
class Teacher:
    """A network to recover, and the authors' settings for it.

    `published`: their errors with local likelihood and with the score of a Gaussian.
    """

    input_law: str
    n_features: int
    n_samples: int
    mu: float
    factor: float
    n_epochs: int
    axes: bool = False
    published: tuple[float, float] | None = None

    def draw(self, seed: int) -> Bunch:
        data = make_teacher_network(
            self.n_samples,
            self.n_features,
            input_law=self.input_law,
            random_state=seed,
        )
        return along_axes(data) if self.axes else data


def along_axes(data: Bunch) -> Bunch:
    """Return the network whose hidden directions are the axes, on the same inputs."""
    y = np.maximum(data.X, 0).sum(axis=1)
    return Bunch(X=data.X, y=y, noiseless=y, components=np.eye(data.X.shape[1]))


TEACHERS = {
    "normal, d = 2": Teacher(
        "gaussian", 2, 1024, 5, 5, 300, published=(0.0044, 0.0036)
    ),
    "mixture, d = 2": Teacher(
        "mixture", 2, 1024, 5, 1.5, 300, published=(0.0228, 0.137)
    ),
    "mixture, d = 2, axes": Teacher(
        "mixture", 2, 1024, 5, 1.5, 300, axes=True, published=(0.0228, 0.137)
    ),
    "normal, d = 10": Teacher("gaussian", 10, 8192, 30, 5, 100),
    "mixture, d = 10": Teacher("mixture", 10, 8192, 30, 1.5, 100),
}


def paper_error(found: FloatArray, truth: FloatArray) -> float:
    """Return the error of the paper, by the entries of Q = |A_found^-1 A|.

    It is no distance: where directions found are nearly the same, entries of Q are
    large, and it is negative.
    """
    Q = np.abs(np.linalg.solve(unit(found).T, unit(truth).T))
    return float(min(1 - Q.max(axis=0).min(), 1 - Q.max(axis=1).min()))


def descent(
    parts: Sequence[QuadraticPart], y: FloatArray, teacher: Teacher, seed: int
) -> FloatArray:
    """Descend along the designed loss in the coordinates of the inputs."""
    rng = np.random.RandomState(1000 + seed)  # another than that of the network
    start, _ = np.linalg.qr(rng.standard_normal((teacher.n_features,) * 2))
    search = stochastic_descent(
        [part.weighted(y / len(y)) for part in parts],
        start,
        mu=teacher.mu,
        sign=SIGN_OF_FOURTH,
        n_epochs=teacher.n_epochs,
        generator=rng,
    )
    return search.directions


def recovered(teacher: Teacher, seed: int) -> list[tuple[float, float]]:
    """Return the errors of the worst direction and of the paper, by the methods."""
    data = teacher.draw(seed)
    local = LocalLikelihoodScore(bandwidth_factor=teacher.factor, derivative_order=4)
    family = GaussianScore()
    if teacher.input_law == "mixture":
        family = GaussianMixtureScore(random_state=0)
    settings = {"mu": teacher.mu, "max_iter": teacher.n_epochs, **PAPER}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = (
            recover(data, seed, score_estimator=local, **settings).components_,
            recover(
                data, seed, score_estimator=GaussianScore(), **settings
            ).components_,
            recover(data, seed, score_estimator=None).components_,
            recover(data, seed, score_estimator=family).components_,
            random_start(data, seed).coefs_[0].T,
        )
    truth = data.components
    return [(weight_error(each, truth), paper_error(each, truth)) for each in found]


def print_recovery(n_seeds: int, *, quick: bool) -> dict[str, FloatArray]:
    """Print the errors; return them, (n_seeds, n_methods, 2), by the teacher."""
    teachers = TEACHERS
    if quick:
        teachers = {name: each for name, each in TEACHERS.items() if "10" not in name}
    found = {
        name: np.array(
            for_seeds(
                partial(recovered, teacher),
                n_seeds if teacher.n_features < 10 else max(2, n_seeds // FEWER),
            )
        )
        for name, teacher in teachers.items()
    }
    print_table(
        "Error of the worst direction, 1 - min_i max_j |cos|: median over the seeds",
        ("inputs", "seeds", *METHODS),
        [
            [name, str(len(rows)), *map(tiny, np.median(rows[:, :, 0], axis=0))]
            for name, rows in found.items()
        ],
    )
    print_table(
        "The same, in how many seeds it is at most .01",
        ("inputs", "seeds", *METHODS),
        [
            [name, str(len(rows)), *map(str, np.sum(rows[:, :, 0] <= 0.01, axis=0))]
            for name, rows in found.items()
        ],
    )
    print_table(
        "The error of the paper (it can be negative): published for local likelihood "
        "and the Gaussian score, and the median over the seeds",
        ("inputs", "seeds", "published", "published", *METHODS),
        [
            [
                name,
                str(len(rows)),
                *(fixed(value) for value in teachers[name].published or (None, None)),
                *map(tiny, np.median(rows[:, :, 1], axis=0)),
            ]
            for name, rows in found.items()
        ],
    )
    print_table(
        "Quartiles of the size of the error of the paper",
        ("inputs", "published", "local likelihood", "published", "Gaussian score"),
        [
            quartile_row(name, teachers[name], rows)
            for name, rows in found.items()
            if teachers[name].published
        ],
    )
    return found


def quartile_row(name: str, teacher: Teacher, rows: FloatArray) -> list[str]:
    cells = [name]
    for place, published in enumerate(teacher.published or ()):
        sizes = np.abs(rows[:, place, 1])
        low, high = np.quantile(sizes, [0.25, 0.75])
        cells += [fixed(published), f"{low:.4f} to {high:.4f}"]
    return cells


def tiny(value: float) -> str:
    return f"{value:.1e}" if abs(value) < 1e-3 else fixed(value, 3)


# ----- the trap: Laplace inputs, and directions along the axes


def sign_scores(X: FloatArray) -> list[QuadraticPart]:
    """Return the scores of Laplace inputs without the mass at 0: products of signs."""
    d = X.shape[1]
    slopes = np.sign(X) / SCALE_OF_LAPLACE
    return [QuadraticPart(np.ones(len(X)), slopes, np.zeros((d, d)))]


def trap_errors(teacher: Teacher, seed: int) -> dict[str, tuple[float, float]]:
    """Return the errors of the worst direction, and of the worst that was found."""
    rotated = teacher.draw(seed)
    straight = along_axes(rotated)
    rng = np.random.default_rng(seed)
    parts = sign_scores(rotated.X)

    def by_signs(y: FloatArray, truth: FloatArray) -> tuple[float, float]:
        found = descent(parts, y, teacher, seed)
        return weight_error(found, truth), weight_error(truth, found)

    def by_default(y: FloatArray) -> tuple[float, float]:
        data = Bunch(X=rotated.X, y=y, components=rotated.components)
        found = recover(data, seed, score_estimator=None).components_
        return weight_error(found, data.components), weight_error(
            data.components, found
        )

    axes = straight.components
    return {
        "signs, A = axes": by_signs(straight.y, axes),
        "signs, A = axes, labels shuffled": by_signs(rng.permutation(straight.y), axes),
        "signs, A = axes, all labels 1": by_signs(np.ones(len(straight.y)), axes),
        "signs, A rotated": by_signs(rotated.y, rotated.components),
        "signs, A rotated, against the axes": by_signs(rotated.y, axes),
        "default, A rotated": by_default(rotated.y),
        "default, A rotated, labels shuffled": by_default(rng.permutation(rotated.y)),
    }


def print_trap(n_seeds: int, *, quick: bool) -> None:
    d, n_samples = 5, 2048 if quick else 4096
    teacher = Teacher("laplace", d, n_samples, 30, 1, N_TRAP_EPOCHS)
    rows = for_seeds(partial(trap_errors, teacher), n_seeds)
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    print_table(
        f"Laplace inputs, d = k = {d}, n = {n_samples}, {n_seeds} seeds: error of the "
        "worst true direction, and of the worst direction found, 1 - min_j max_i |cos|",
        ("case", "smallest", "median", "largest", "found", "median", "largest"),
        [
            [
                name,
                *(
                    tiny(value)
                    for value in np.quantile(errors, [0, 0.5, 1], axis=0).T.ravel()
                ),
            ]
            for name, errors in table.items()
        ],
    )


def print_tables(n_seeds: int, *, quick: bool) -> dict[str, FloatArray]:
    """Print the tables; return the errors of recovery."""
    print_table(
        f"RMSE of the score function, n = 1024: median of {n_seeds} seeds; local "
        "likelihood at the authors' factor, and at 2.5; a kernel density at its best "
        "bandwidth; one Gaussian",
        ("inputs", "paper mode", "default", "kernel", "Gaussian", "paper < kernel"),
        [score_row(name, law, n_seeds) for name, law in LAWS.items()],
    )
    found = print_recovery(n_seeds, quick=quick)
    print_trap(max(2, n_seeds // 2), quick=quick)
    return found


def draw(found: dict[str, FloatArray], folder: Path) -> None:
    """Draw the error of the worst direction of each seed, a panel a teacher."""
    figure, axes = plt.subplots(
        1,
        len(found),
        figsize=(9.5, 3),
        layout="constrained",
        sharey=True,
        squeeze=False,
    )
    places = np.arange(len(METHODS))
    for ax, (name, rows) in zip(axes.flat, found.items(), strict=True):
        for errors in rows[:, :, 0]:
            ax.plot(np.maximum(errors, 1e-10), places, "o", color="C0", alpha=0.4)
        ax.set(title=name, xscale="log", xlim=(1e-11, 2))
        ax.set_xticks([1e-10, 1e-6, 1e-2], ["1e-10", "1e-6", "0.01"])
        ax.minorticks_off()
        ax.axvline(0.01, color="gray", linewidth=0.8)
    axes[0, 0].set_yticks(places, METHODS)
    axes[0, 0].invert_yaxis()
    figure.supxlabel("error of the worst direction, of each seed")
    figure.savefig(folder / "score_functions.png", dpi=100)
    plt.close(figure)
