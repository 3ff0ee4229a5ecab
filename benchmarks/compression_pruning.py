"""Pruned digits MLPs: accuracy by the share of the weights that stay."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

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

METHODS: dict[str, dict[str, Any]] = {
    "prune_refit": {"method": "prune_refit"},
    "prune, uniform (magnitude)": {"method": "prune", "importance": "uniform"},
    "prune, kl": {"method": "prune", "importance": "kl"},
    "prune, gradient": {"method": "prune", "importance": "gradient"},
    "prune, hessian": {"method": "prune", "importance": "hessian"},
    "prune, gradient+hessian": {"method": "prune", "importance": "gradient+hessian"},
}


def rows(shares: Sequence[float], seed: int) -> list[list[list[str]]]:
    """Write the rows of one network for each share."""
    case = network(seed)
    return [[row(name, share, seed, case) for name in METHODS] for share in shares]


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


if __name__ == "__main__":
    main()
