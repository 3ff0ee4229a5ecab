"""How often ChowLiuTree finds the tree that made the data."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

from functools import partial

import numpy as np
from _samples import for_seeds
from _tables import fixed, met, print_skipped, print_table, read_options

from skinfo import ChowLiuTree

try:
    import pandas as pd
except ImportError:
    pd = None

N_SAMPLES = 3000
N_NODES = 15
STRENGTHS = {"strong": (0.7, 0.9), "medium": (0.5, 0.7)}  # correlations of an edge
KINDS = ("continuous", "half zeros", "integers", "labels")
MOST_WRONG = 1

Edges = set[tuple[int, int]]


def as_kind(kind: str, values: np.ndarray) -> np.ndarray:
    """Return standard normal values as a column of some kind."""
    if kind == "half zeros":
        return np.maximum(values, 0)
    if kind == "integers":
        return np.round(values)
    if kind == "labels":
        return np.searchsorted([-0.7, 0.1, 0.9], values)
    return values


def draw_tree(
    n_samples: int, seed: int, correlations: tuple[float, float]
) -> tuple[pd.DataFrame, Edges]:
    """Draw a table whose columns are a random tree, and the edges of the tree.

    Each node is drawn given the column of its parent alone, so that the tree holds
    exactly, whatever the kinds. Nodes are in random order.
    """
    rng = np.random.default_rng(seed)
    place = rng.permutation(N_NODES)
    columns: list[np.ndarray] = []
    edges: Edges = set()
    for node in range(N_NODES):
        noise = rng.standard_normal(n_samples)
        values = noise
        if node > 0:
            parent = int(rng.integers(node))
            correlation = rng.uniform(*correlations) * rng.choice([-1, 1])
            known = columns[parent]
            known = (known - known.mean()) / known.std()
            values = correlation * known + np.sqrt(1 - correlation**2) * noise
            first, second = sorted((int(place[parent]), int(place[node])))
            edges.add((first, second))
        columns.append(as_kind(str(rng.choice(KINDS)), values))
    table = {}
    for position in np.argsort(place):
        column = columns[position]
        is_label = column.dtype.kind == "i"
        table[f"node {place[position]}"] = column.astype(str) if is_label else column
    return pd.DataFrame(table), edges


def number_of_wrong_edges(seed: int, correlations: tuple[float, float]) -> int:
    X, edges = draw_tree(N_SAMPLES, seed, correlations)
    found = {tuple(edge) for edge in ChowLiuTree().fit(X).edges_.tolist()}
    return len(found - edges)


def recovery_row(strength: str, n_seeds: int) -> list[str]:
    call = partial(number_of_wrong_edges, correlations=STRENGTHS[strength])
    wrong = np.array(for_seeds(call, n_seeds))
    return [
        f"{strength} edges",
        str(int(np.sum(wrong == 0))),
        str(int(wrong.max())),
        fixed(wrong.mean(), 2),
        f"<= {MOST_WRONG} wrong",
        met(wrong.max() <= MOST_WRONG),
    ]


def main() -> None:
    options = read_options(__doc__, n_seeds=10, quick_seeds=3)
    if pd is None:
        print_skipped("all of it", "pandas is not installed")
        return
    print_table(
        f"Random trees of {N_NODES} mixed columns, n = {N_SAMPLES}, "
        f"{options.n_seeds} seeds",
        ("case", "without errors", "most wrong", "mean", "target", "met"),
        [recovery_row(strength, options.n_seeds) for strength in STRENGTHS],
    )


if __name__ == "__main__":
    main()
