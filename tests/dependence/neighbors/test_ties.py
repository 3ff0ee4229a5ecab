"""The terms of boxes that stop at ties, without and given z."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import beta, binom

from skinfo import conditional_mutual_information, pointwise_mutual_information
from skinfo.dependence.neighbors._ties import stopping_position, tie_terms

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
N_SAMPLES = 10**6  # the largest count of these boxes


# ---- without z


def terms_of(n_neighbors, n_inside, x, y):
    """Return the mean of psi(n_x) + psi(n_y) for one box."""
    nothing_given = (N_SAMPLES, N_SAMPLES)
    terms = terms_given(n_neighbors, n_inside, x, y, nothing_given)
    return terms + digamma(N_SAMPLES)


def terms_given(n_neighbors, n_inside, *parts):
    """Return tie_terms of one box."""
    strict, closed = (
        tuple(np.array([count]) for count in counts)
        for counts in zip(*parts, strict=True)
    )
    return tie_terms(np.array([n_neighbors]), np.array([n_inside]), strict, closed)[0]


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


def test_no_boxes_have_no_terms():
    none = np.empty(0, dtype=int)
    assert tie_terms(none, none, (none,) * 3, (none,) * 3).shape == (0,)


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


# ---- given z

# k, K, (strict, closed) of (x, z), of (y, z) and of z
BOXES_GIVEN = [
    (1, 2, (1, 3), (1, 5), (2, 8)),
    (5, 8, (20, 40), (30, 50), (60, 140)),
    (5, 8, (20, 20), (30, 50), (60, 80)),  # no jump in (x, z)
    (5, 40, (3, 60), (4, 55), (5, 80)),
    (5, 300, (1, 2000), (3, 900), (9, 4000)),
    (20, 25, (150, 152), (400, 403), (900, 905)),
]


@pytest.mark.parametrize("box", BOXES_GIVEN)
@pytest.mark.parametrize("n_z", [100, 5000])
def test_without_a_tie_in_z_its_count_stands_alone(box, n_z):
    n_neighbors, n_inside, x, y, _ = box
    n_z = max(n_z, x[1], y[1])
    result = terms_given(n_neighbors, n_inside, x, y, (n_z, n_z))
    expected = terms_of(n_neighbors, n_inside, x, y) - digamma(n_z)
    assert result == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("box", BOXES_GIVEN)
def test_a_tie_in_z_that_is_rare_changes_little(box):
    # one of a million: the terms are continuous where the strip of z hardly grows
    n_neighbors, n_inside, x, y, _ = box
    result = terms_given(n_neighbors, n_inside, x, y, (N_SAMPLES - 1, N_SAMPLES))
    without = terms_given(n_neighbors, n_inside, x, y, (N_SAMPLES, N_SAMPLES))
    assert result == pytest.approx(without, abs=1e-5)


@pytest.mark.parametrize("box", BOXES_GIVEN)
def test_x_and_y_can_be_swapped(box):
    k, n_inside, x, y, z = box
    swapped = terms_given(k, n_inside, y, x, z)
    assert terms_given(*box) == pytest.approx(swapped, rel=1e-12)


@pytest.mark.parametrize("box", BOXES_GIVEN)
def test_they_lie_between_those_of_the_two_boxes(box):
    x, y, z = box[2:]
    smallest = digamma(x[0]) + digamma(y[0]) - digamma(z[1])
    largest = digamma(x[1]) + digamma(y[1]) - digamma(z[0])
    assert smallest <= terms_given(*box) <= largest


def test_a_constant_has_the_terms_of_no_information():
    # the box of (x, z) is that of z, and the box of (y, z) that of all three
    n_inside, z = 60, (40, 150)
    result = terms_given(5, n_inside, z, (4, n_inside + 1), z)
    assert result == pytest.approx(digamma(5), abs=0.02)


def test_boxes_are_evaluated_one_by_one():
    k, n_inside = (
        np.array(column) for column in list(zip(*BOXES_GIVEN, strict=True))[:2]
    )
    strict, closed = (
        tuple(np.array([box[part][side] for box in BOXES_GIVEN]) for part in (2, 3, 4))
        for side in (0, 1)
    )
    result = tie_terms(k, n_inside, strict, closed)
    np.testing.assert_allclose(
        result, [terms_given(*box) for box in BOXES_GIVEN], rtol=1e-12
    )


@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("step", [0.1, 0.25, 0.5])
def test_they_are_about_the_mean_over_ties_that_noise_breaks(correlation, step):
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(4):
        z, noise_x, noise = rng.normal(size=(3, 800))
        noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
        x, y, z = np.round(np.array([z + noise_x, z + noise_y, z]) / step)
        broken = [
            conditional_mutual_information(
                *(part + 1e-6 * rng.random(800) for part in (x, y, z)), scale=None
            )
            for _ in range(2)
        ]
        ours = conditional_mutual_information(x, y, z, scale=None)
        differences.append(ours - np.mean(broken))
    # the counts are at their means, which costs about .01; without a rule for ties
    # the difference would be from .1 to 1.5
    assert np.mean(differences) == pytest.approx(-0.008, abs=0.02)
