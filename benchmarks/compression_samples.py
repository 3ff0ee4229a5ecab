"""Loss of compressed models by the number of samples that the compression was given.

Models of digits, with 64 inputs, and a regression on 200 inputs that was fitted to 100
samples, at three bits a weight. The samples are some of those that the models were
fitted to; the losses are measured on others.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import warnings
from dataclasses import replace

import numpy as np
from _samples import for_seeds
from _tables import fixed, print_table, read_options
from compression_rate import fitted_to_digits, network
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from skinfo import RDCompressor

NUMBERS = (5, 10, 30, 100, 300, 1000)
NUMBERS_OF_WIDE = (5, 10, 25, 50, 100)


def losses(seed: int) -> list[list[tuple[float, float]]]:
    """Return for each model and number the divergence and the drop in accuracy."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # of so few samples
    regression = fitted_to_digits(LogisticRegression(max_iter=1000), seed)
    found = []
    for case in (regression, network(seed)):
        some = [replace(case, X=case.X[:n], y=case.y[:n]) for n in NUMBERS]
        compressors = [each.compressed(rate=3) for each in some]
        found.append([(case.divergence(each), case.drop(each)) for each in compressors])
    return found


def wide_losses(seed: int) -> list[float]:
    """Return the relative squared error of predictions of new samples."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # of so few samples
    X, y = make_regression(600, 200, n_informative=20, noise=10, random_state=seed)
    model = Ridge().fit(X[:100], y[:100])
    expected = model.predict(X[100:])
    frozen = FrozenEstimator(model)
    found = []
    for n in NUMBERS_OF_WIDE:
        compressor = RDCompressor(frozen, rate=3, random_state=0).fit(X[:n])
        errors = compressor.predict(X[100:]) - expected
        found.append(float(np.mean(errors**2) / np.var(expected)))
    return found


def main() -> None:
    options = read_options(__doc__, n_seeds=10, quick_seeds=2)
    found = np.array(for_seeds(losses, options.n_seeds))
    for number, name in enumerate(["LogisticRegression", "MLPClassifier, 100 units"]):
        print_table(
            f"{name}, {options.n_seeds} splits: KL divergence and drop in accuracy on "
            "test data",
            ("samples", "KL, mean", "KL, largest", "drop, mean", "drop, largest"),
            [
                [
                    str(n),
                    fixed(divergences.mean(), 5),
                    fixed(divergences.max(), 5),
                    fixed(drops.mean(), 4),
                    fixed(drops.max(), 4),
                ]
                for n, divergences, drops in zip(
                    NUMBERS, *found[:, number].transpose(2, 1, 0), strict=True
                )
            ],
        )
    wide = np.array(for_seeds(wide_losses, options.n_seeds))
    print_table(
        f"Ridge, 200 inputs, {options.n_seeds} draws: squared error of predictions of "
        "new samples, relative to their variance",
        ("samples", "mean", "largest"),
        [
            [str(n), fixed(errors.mean(), 4), fixed(errors.max(), 4)]
            for n, errors in zip(NUMBERS_OF_WIDE, wide.T, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
