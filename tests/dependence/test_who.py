"""The estimator of the authors' code against their table of indicator pairs.

The environment variable SKINFO_WHO_DATA names a folder with the indicators (WHO.csv)
and the table of the authors (authors_values.csv).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from skinfo import hypercontractivity, maximal_correlation

FOLDER = os.environ.get("SKINFO_WHO_DATA")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="SKINFO_WHO_DATA names no folder"),
]


@pytest.fixture(scope="module")
def indicators():
    """Return the numeric values of the indicators, of one country in each row."""
    table = pd.read_csv(Path(FOLDER) / "WHO.csv", encoding="latin-1", low_memory=False)
    return table.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)


@pytest.fixture(scope="module")
def authors():
    return pd.read_csv(Path(FOLDER) / "authors_values.csv")


def pairs_of(indicators, authors):
    """Return both columns of each pair; their numbers begin with 1."""
    return [
        (indicators[:, row.var1 - 1], indicators[:, row.var2 - 1])
        for row in authors.itertuples()
    ]


@pytest.mark.parametrize("column", ["HC", "HCR"])
def test_values_are_those_of_the_authors(indicators, authors, column):
    found = []
    for x, y in pairs_of(indicators, authors):
        pair = (x, y) if column == "HC" else (y, x)
        found.append(hypercontractivity(*pair, method="paper", nan_policy="omit"))
    values = authors[column].to_numpy()
    assert spearmanr(found, values).statistic >= 0.998
    assert np.sqrt(np.mean((found - values) ** 2)) <= 0.01


def test_values_lie_between_their_bound_and_one(indicators, authors):
    for x, y in pairs_of(indicators, authors)[::10]:
        bound = maximal_correlation(x, y, nan_policy="omit") ** 2
        for min_fraction in (0.05, None):
            value = hypercontractivity(
                x, y, min_fraction=min_fraction, nan_policy="omit"
            )
            assert bound - 1e-12 <= value <= 1
