"""The choice of the bandwidth factor of the default score estimator."""

from __future__ import annotations

import numpy as np
import pytest

from skinfo import LocalLikelihoodScore, ScoreFunctionLoss
from skinfo.datasets import make_teacher_network

FACTORS = (1.5, 2.5, 3.5, 5.0, 8.0)
DERIVATIVE_ORDERS = {"relu": 4, "tanh": 3}

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*effective number of samples", "ignore:The solver did not converge"
)


def noisy_network(n, activation, seed):
    return make_teacher_network(
        n,
        4,
        n_components=2,
        activation=activation,
        input_law="mixture",
        noise=0.3,
        random_state=seed,
    )


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize(
    ("activation", "n", "seed", "spread"),
    [
        ("relu", 300, 0, 1),
        ("relu", 300, 1, 1),
        ("tanh", 150, 0, 1),
        ("tanh", 150, 0, 30),
    ],
)
def test_the_factor_that_predicts_the_held_out_fifth_is_chosen(
    activation, n, seed, spread, factor
):
    """The held-out outputs are those that the network of this factor predicts.

    It sees the other samples alone, so that with the held-out ones among them another
    factor may be better. Held-out inputs that are spread more widely do not change the
    coordinates of the others.
    """
    data = noisy_network(n, activation, seed)
    # the fifth is the first thing that is drawn from the seed
    rows = np.random.RandomState(seed).permutation(n)
    held_out, rest = rows[: n // 5], rows[n // 5 :]
    data.X[held_out] *= spread
    model = ScoreFunctionLoss(
        n_components=2, activation=activation, polish=False, random_state=seed
    )
    score = LocalLikelihoodScore(
        bandwidth_factor=factor, derivative_order=DERIVATIVE_ORDERS[activation]
    )
    model.set_params(score_estimator=score).fit(data.X[rest], data.y[rest])
    y = data.y.copy()
    y[held_out] = model.predict(data.X[held_out])
    chosen = model.set_params(score_estimator=None).fit(data.X, y).score_estimator_
    assert chosen.bandwidth_factor == factor


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_ties_after_training_are_decided_by_the_recovered_networks(seed):
    """With this much noise, networks of all factors are alike after the training."""
    n = 300
    data = make_teacher_network(n, 3, input_law="mixture", noise=1.0, random_state=seed)
    rows = np.random.RandomState(seed).permutation(n)
    held_out, rest = rows[: n // 5], rows[n // 5 :]
    shares = {}
    for factor in FACTORS:
        score = LocalLikelihoodScore(bandwidth_factor=factor, derivative_order=4)
        # the ridge of a network that will be trained
        model = ScoreFunctionLoss(
            score_estimator=score, polish=False, alpha=1e-2, random_state=seed
        ).fit(data.X[rest], data.y[rest])
        shares[factor] = model.score(data.X[held_out], data.y[held_out])
    chosen = ScoreFunctionLoss(random_state=seed).fit(data.X, data.y).score_estimator_
    assert chosen.bandwidth_factor == max(shares, key=shares.get)
