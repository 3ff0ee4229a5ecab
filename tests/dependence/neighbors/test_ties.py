"""The marginal terms of boxes that stop at ties, against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import beta, binom

from skinfo.dependence._mutual_info import pointwise_mutual_information
from skinfo.dependence.neighbors._ties import stopping_position, tie_broken_terms

# k, K, (strict, closed) of x and of y
BOXES = [
    (1, 1, (1, 3), (1, 3)),
    (1, 2, (1, 3), (1, 5)),
    (3, 9, (1, 20), (1, 30)),
    (5, 5, (12, 14), (9, 10)),
    (5, 8, (20, 40), (30, 50)),
    (5, 8, (20, 20), (30, 50)),  # x is nominal: no jump in x
    (5, 300, (1, 2000), (3, 900)),
    (5, 40, (900, 1000), (41, 60)),
    (20, 25, (150, 152), (400, 403)),
    (20, 90, (60, 200), (70, 220)),
]
LARGE_BOXES = [
    (200, 210, (995, 1000), (990, 1000)),
    (200, 10**5, (5 * 10**5, 10**6), (5 * 10**5, 10**6)),
    (500, 600, (9000, 9500), (9000, 9500)),
]


def terms_of(n_neighbors, n_inside, x, y):
    """Call tie_broken_terms for one box."""
    strict, closed = ((np.array([a]), np.array([b])) for a, b in zip(x, y, strict=True))
    terms = tie_broken_terms(
        np.array([n_neighbors]), np.array([n_inside]), strict, closed
    )
    return terms[0]


def shares(x, y):
    """Return the shares g_x and g_y of the marginal counts before the jump."""
    return tuple((strict - 0.5) / (closed - 0.5) for strict, closed in (x, y))


def slow_moments(n_neighbors, n_inside, inner):
    """Mean and standard deviation of t: a sum over S of moments of Beta laws."""
    before = np.arange(n_neighbors)
    log_weights = binom.logpmf(before, n_inside, inner)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    laws = [beta(n_neighbors - s, n_inside - n_neighbors + 1) for s in before]
    first = sum(w * law.moment(1) for w, law in zip(weights, laws, strict=True))
    second = sum(w * law.moment(2) for w, law in zip(weights, laws, strict=True))
    deviation = np.sqrt(second - first**2)
    return inner + (1 - inner) * first, (1 - inner) * deviation


def marginal_terms(t, n_neighbors, n_inside, x, y):
    """psi(n_x) + psi(n_y) where the box stops at t, as in the module's docstring."""
    share_x, share_y = shares(x, y)
    a_x = np.log(share_x) / np.log(share_x * share_y)
    total = 0.0
    for a, (strict, closed) in ((a_x, x), (1 - a_x, y)):
        n_outside = closed - 1 - n_inside
        expected = (
            n_neighbors
            + n_outside * t**a
            + (n_inside - n_neighbors) * (t**a - t) / (1 - t)
            + (1 - a)
        )
        total += digamma(max(expected, strict))
    return total


@pytest.mark.parametrize("box", BOXES + LARGE_BOXES)
def test_terms_are_the_mean_over_two_nodes(box):
    n_neighbors, n_inside, x, y = box
    mean, deviation = slow_moments(n_neighbors, n_inside, np.prod(shares(x, y)))
    expected = np.mean(
        [marginal_terms(t, *box) for t in (mean - deviation, mean + deviation)]
    )
    np.testing.assert_allclose(terms_of(*box), expected, rtol=1e-9)


@pytest.mark.parametrize("box", BOXES)
def test_position_is_that_of_an_order_statistic_beyond_the_inner_share(box):
    # the k-th of K uniform points, given that it is beyond g, without any sum over S
    n_neighbors, n_inside, x, y = box
    inner = np.prod(shares(x, y))
    law = beta(n_neighbors, n_inside - n_neighbors + 1)
    moments = [law.expect(lambda t, p=p: t**p, lb=inner) for p in (0, 1, 2)]
    mean, deviation = stopping_position(
        np.array([n_neighbors]), np.array([n_inside]), np.array([inner])
    )
    expected = moments[1] / moments[0]
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_allclose(
        deviation**2, moments[2] / moments[0] - expected**2, rtol=1e-3
    )


@pytest.mark.parametrize("box", BOXES)
def test_two_nodes_are_as_good_as_the_integral(box):
    n_neighbors, n_inside, x, y = box
    inner = np.prod(shares(x, y))
    law = beta(n_neighbors, n_inside - n_neighbors + 1)
    middle = law.ppf((law.cdf(inner) + 1) / 2)

    def mean_of(function):
        return sum(
            quad(lambda t: function(t) * law.pdf(t), *edges)[0]
            for edges in ((inner, middle), (middle, 1))
        )

    expected = mean_of(lambda t: marginal_terms(t, *box)) / mean_of(lambda _: 1.0)
    # a tenth of the standard deviation 1 / sqrt(k) of a term
    assert abs(terms_of(*box) - expected) < 0.1 / np.sqrt(n_neighbors)


@pytest.mark.parametrize("box", BOXES + LARGE_BOXES)
def test_terms_do_not_depend_on_which_variable_is_first(box):
    n_neighbors, n_inside, x, y = box
    swapped = terms_of(n_neighbors, n_inside, y, x)
    np.testing.assert_allclose(terms_of(*box), swapped, rtol=1e-13)


def test_boxes_of_one_call_do_not_influence_each_other():
    k, n_inside = (np.array([box[i] for box in BOXES]) for i in (0, 1))
    strict, closed = (
        tuple(np.array([box[side][i] for box in BOXES]) for side in (2, 3))
        for i in (0, 1)
    )
    together = tie_broken_terms(k, n_inside, strict, closed)
    apart = [terms_of(*box) for box in BOXES]
    np.testing.assert_allclose(together, apart, rtol=1e-13)


def test_no_boxes_have_no_terms():
    none = np.empty(0, dtype=int)
    assert tie_broken_terms(none, none, (none, none), (none, none)).shape == (0,)


@pytest.mark.parametrize("correlation", [0, 0.7])
@pytest.mark.parametrize("unit", [0.1, 0.25])
def test_terms_are_what_random_tie_breaking_gives_on_average(unit, correlation):
    differences = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        normal = rng.normal(size=(2, 300))
        mixed = correlation * normal[0] + np.sqrt(1 - correlation**2) * normal[1]
        x, y = np.round(normal[0] / unit), np.round(mixed / unit)
        joint = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
        on_shell = np.sort(joint, axis=1)[:, 5] > 0  # fewer than k others coincide
        broken = np.zeros(300)
        for _ in range(30):
            noise_x, noise_y = rng.uniform(-1e-6, 1e-6, size=(2, 300))
            broken += pointwise_mutual_information(
                x + noise_x, y + noise_y, scale=None, ties="gao"
            )
        terms = pointwise_mutual_information(x, y, scale=None)
        differences.append((terms - broken / 30)[on_shell].mean())
    # x and y are not quite independent inside a box: a bias of up to .025 was measured
    assert abs(np.mean(differences)) < 0.04
