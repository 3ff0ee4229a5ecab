"""Loss of compressed models by the number of samples that the compression was given.

Models of digits, with 64 inputs, at three bits a weight. The samples are some of those
that the models were fitted to; the losses are measured on others.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from dataclasses import replace

import numpy as np
from _samples import for_seeds
from _tables import fixed, print_table, read_options
from compression_rate import fitted_to_digits, network
from sklearn.linear_model import LogisticRegression

NUMBERS = (10, 30, 100, 300, 1000)


def losses(seed: int) -> list[list[tuple[float, float]]]:
    """Return for each model and number the divergence and the drop in accuracy."""
    regression = fitted_to_digits(LogisticRegression(max_iter=1000), seed)
    found = []
    for case in (regression, network(seed)):
        some = [replace(case, X=case.X[:n], y=case.y[:n]) for n in NUMBERS]
        compressors = [each.compressed(rate=3) for each in some]
        found.append([(case.divergence(each), case.drop(each)) for each in compressors])
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


if __name__ == "__main__":
    main()
