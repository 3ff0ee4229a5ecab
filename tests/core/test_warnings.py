"""Warnings point at the line that called, through skinfo and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skinfo import (
    LocalLikelihoodScore,
    MixedMutualInfo,
    RDCompressor,
    ScoreFunctionLoss,
    mutual_information_interval,
    pairwise_dependence,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 3)), RNG.normal(size=60)
MODEL = FrozenEstimator(Ridge().fit(X, Y))
GAPS = X.copy()
GAPS[3:, 2] = np.nan


def selector(**parameters):
    return MixedMutualInfo(n_permutations=99, alpha=0.01, random_state=0, **parameters)


CALLS = {
    "few permutations": lambda: selector().fit(np.tile(X, 2), Y),
    "in a pipeline": lambda: make_pipeline(selector()).fit(np.tile(X, 2), Y),
    "nothing selected": lambda: selector().fit(X, Y).transform(pd.DataFrame(X)),
    "few near": lambda: LocalLikelihoodScore(bandwidth=0.01).fit(X).transform(X),
    "few near, itself": lambda: LocalLikelihoodScore(bandwidth=0.01).fit(X).score(),
    "low degree": lambda: ScoreFunctionLoss(polish=False).fit(X[:14], Y[:14]),
    "no variation": lambda: RDCompressor(MODEL).fit(np.ones((9, 3))),
    "few for an interval": lambda: mutual_information_interval(X[:, 0], Y),
    "gaps": lambda: pairwise_dependence(GAPS, nan_policy="omit"),
}


@pytest.mark.parametrize("name", CALLS)
def test_warnings_point_at_the_code_that_called(name):
    with pytest.warns((UserWarning, ConvergenceWarning)) as records:
        CALLS[name]()
    assert {record.filename for record in records} == {__file__}
