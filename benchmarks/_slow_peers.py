"""Measures of dependence that take some 10 ms and more for 320 samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from _tables import print_skipped

try:
    from hyppo.independence import MGC, Hsic
except ImportError:
    Hsic = MGC = None
try:
    import fast_mine
except ImportError:
    fast_mine = None

_EXPONENT, _CLUMPS = 0.6, 15.0  # the defaults of minepy


def hsic(x: Any, y: Any) -> float:
    """Return the Hilbert-Schmidt independence criterion, scaled to at most 1."""
    return float(Hsic().statistic(x[:, np.newaxis], y[:, np.newaxis]))


def multiscale_graph_correlation(x: Any, y: Any) -> float:
    """Return MGC, the largest distance correlation of nearest neighbours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(MGC().statistic(x[:, np.newaxis], y[:, np.newaxis]))


def maximal_information_coefficient(x: Any, y: Any) -> float:
    """Return MIC, the largest normalised mutual information over grids."""
    problem = fast_mine.MineProblem(np.asarray(x), np.asarray(y), len(x))
    parameters = fast_mine.MineParameter(_EXPONENT, _CLUMPS, fast_mine.EST_MIC_APPROX)
    return float(fast_mine.mine_mic(fast_mine.mine_compute_score(problem, parameters)))


def available_slow_peers() -> dict[str, Callable[[Any, Any], float]]:
    """Return the measures that are installed; print which are not."""
    peers: dict[str, Callable[[Any, Any], float]] = {}
    if Hsic is None:
        print_skipped("HSIC and MGC", "hyppo is not installed")
    else:
        peers |= {"HSIC": hsic, "MGC": multiscale_graph_correlation}
    if fast_mine is None:
        print_skipped("MIC", "fast-mine is not installed")
    else:
        peers["MIC"] = maximal_information_coefficient
    return peers
