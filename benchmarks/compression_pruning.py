"""Pruned digits MLPs: accuracy by the share of the weights that stay.

Beside them plain magnitude pruning, written out: in each layer the smallest weights
become 0, and nothing else changes, as `torch.nn.utils.prune.l1_unstructured` does it.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import copy
import pickle
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from _samples import for_seeds
from _tables import fixed, met, print_table, read_options
from compression_rate import Fitted, network

LEAST_ACCURACY = 0.95
PROMISED = "prune_refit"
SHARES = (0.5, 0.2, 0.1, 0.05)
MAGNITUDE = "magnitude, written out"

METHODS: dict[str, dict[str, Any]] = {
    "prune_refit": {"method": "prune_refit"},
    "prune, uniform (magnitude)": {"method": "prune", "importance": "uniform"},
    "prune, kl": {"method": "prune", "importance": "kl"},
    "prune, gradient": {"method": "prune", "importance": "gradient"},
    "prune, hessian": {"method": "prune", "importance": "hessian"},
    "prune, gradient+hessian": {"method": "prune", "importance": "gradient+hessian"},
}
NEAR_TWO_KILOBYTES: dict[str, dict[str, Any]] = {
    "the default": {"rate": 2},
    "kmeans, uniform": {"method": "kmeans", "importance": "uniform", "rate": 2},
    "kmeans, kl": {"method": "kmeans", "rate": 2},
    "prune, 85% of the weights": {"method": "prune", "sparsity": 0.85},
    "prune_refit, 85% of the weights": {"method": "prune_refit", "sparsity": 0.85},
}


def rows(shares: Sequence[float], seed: int) -> list[list[list[str]]]:
    """Write the rows of one network for each share."""
    case = network(seed)
    return [
        [
            *(row(name, share, seed, case) for name in METHODS),
            magnitude_row(share, seed, case),
        ]
        for share in shares
    ]


def row(name: str, share: float, seed: int, case: Fitted) -> list[str]:
    compressor = case.compressed(sparsity=1 - share, **METHODS[name])
    weights = compressor.compressed_estimator_.coefs_
    kept = sum(np.count_nonzero(each) for each in weights)
    kept_share = kept / sum(each.size for each in weights)
    accuracy = compressor.score(case.X_test, case.y_test)
    promised = name == PROMISED and share == 0.1
    return [
        f"{name}, seed {seed}",
        fixed(kept_share, 3),
        str(compressor.n_bytes_),
        fixed(case.divergence(compressor), 4),
        fixed(case.model.score(case.X_test, case.y_test), 4),
        fixed(accuracy, 4),
        f">= {LEAST_ACCURACY}" if promised else "-",
        met(accuracy >= LEAST_ACCURACY) if promised else "-",
    ]


def magnitude_row(share: float, seed: int, case: Fitted) -> list[str]:
    """Prune the weights that are smallest in their layer; there is no file."""
    pruned = copy.deepcopy(case.model)
    for weights in pruned.coefs_:
        n_pruned = round((1 - share) * weights.size)
        smallest = np.argsort(np.abs(weights), axis=None, kind="stable")[:n_pruned]
        weights.flat[smallest] = 0
    kept = sum(np.count_nonzero(each) for each in pruned.coefs_)
    return [
        f"{MAGNITUDE}, seed {seed}",
        fixed(kept / sum(each.size for each in pruned.coefs_), 3),
        "-",
        fixed(case.divergence(pruned), 4),
        fixed(case.model.score(case.X_test, case.y_test), 4),
        fixed(pruned.score(case.X_test, case.y_test), 4),
        "-",
        "-",
    ]


def two_kilobytes_rows(seed: int) -> list[list[str]]:
    """Write every method near the bytes of the default at two bits a weight."""
    case = network(seed)
    found = []
    for name, params in NEAR_TWO_KILOBYTES.items():
        compressor = case.compressed(**params)
        found.append(
            [
                name,
                str(compressor.n_bytes_),
                fixed(case.divergence(compressor), 4),
                fixed(compressor.score(case.X_test, case.y_test), 3),
            ]
        )
    original = fixed(case.model.score(case.X_test, case.y_test), 3)
    return [*found, ["the model itself, its pickle", pickled(case), "0", original]]


def pickled(case: Fitted) -> str:
    return str(len(pickle.dumps(case.model)))


def main() -> None:
    options = read_options(__doc__, n_seeds=3, quick_seeds=2)
    shares = SHARES[2:3] if options.quick else SHARES
    found = for_seeds(partial(rows, shares), options.n_seeds)
    for number, share in enumerate(shares):
        print_table(
            f"{share:.0%} of the weights stay: share, bytes of the file, mean KL "
            "divergence and accuracy on test data",
            ("method", "share", "bytes", "KL", "before", "after", "target", "met"),
            [each for of_seed in found for each in of_seed[number]],
        )
    print_table(
        "Near two kilobytes, seed 0: bytes of the file, mean KL divergence and "
        "accuracy on test data",
        ("method", "bytes", "KL", "accuracy"),
        two_kilobytes_rows(0),
    )


if __name__ == "__main__":
    main()
