"""The terms given z of boxes that stop at ties: limits, and ties that noise breaks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma

from skinfo.dependence._conditional import conditional_mutual_information
from skinfo.dependence.neighbors._conditional_ties import conditional_tie_terms
from skinfo.dependence.neighbors._ties import tie_broken_terms

# k, K, (strict, closed) of (x, z), of (y, z) and of z
BOXES = [
    (1, 2, (1, 3), (1, 5), (2, 8)),
    (5, 8, (20, 40), (30, 50), (60, 140)),
    (5, 8, (20, 20), (30, 50), (60, 80)),  # no jump in (x, z)
    (5, 40, (3, 60), (4, 55), (5, 80)),
    (5, 300, (1, 2000), (3, 900), (9, 4000)),
    (20, 25, (150, 152), (400, 403), (900, 905)),
]


def terms_of(n_neighbors, n_inside, *parts):
    """Call conditional_tie_terms for one box."""
    strict, closed = (
        tuple(np.array([count]) for count in counts)
        for counts in zip(*parts, strict=True)
    )
    return conditional_tie_terms(
        np.array([n_neighbors]), np.array([n_inside]), strict, closed
    )[0]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("n_z", [100, 5000])
def test_without_a_tie_in_z_they_are_those_of_mutual_information(box, n_z):
    k, n_inside, x, y, _ = box
    n_z = max(n_z, x[1], y[1])
    arrays = [np.array([count]) for count in (k, n_inside)]
    strict, closed = (
        tuple(np.array([count]) for count in counts)
        for counts in zip(x, y, strict=True)
    )
    expected = tie_broken_terms(*arrays, strict, closed)[0] - digamma(n_z)
    result = terms_of(k, n_inside, x, y, (n_z, n_z))
    assert result == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("box", BOXES)
def test_x_and_y_can_be_swapped(box):
    k, n_inside, x, y, z = box
    swapped = terms_of(k, n_inside, y, x, z)
    assert terms_of(*box) == pytest.approx(swapped, rel=1e-12)


@pytest.mark.parametrize("box", BOXES)
def test_they_lie_between_those_of_the_two_boxes(box):
    x, y, z = box[2:]
    smallest = digamma(x[0]) + digamma(y[0]) - digamma(z[1])
    largest = digamma(x[1]) + digamma(y[1]) - digamma(z[0])
    assert smallest <= terms_of(*box) <= largest


def test_a_constant_has_the_terms_of_no_information():
    # the box of (x, z) is that of z, and the box of (y, z) that of all three
    n_inside, z = 60, (40, 150)
    result = terms_of(5, n_inside, z, (4, n_inside + 1), z)
    assert result == pytest.approx(digamma(5), abs=0.02)


def test_boxes_are_evaluated_one_by_one():
    k, n_inside = (np.array(column) for column in list(zip(*BOXES, strict=True))[:2])
    strict, closed = (
        tuple(np.array([box[part][side] for box in BOXES]) for part in (2, 3, 4))
        for side in (0, 1)
    )
    result = conditional_tie_terms(k, n_inside, strict, closed)
    np.testing.assert_allclose(result, [terms_of(*box) for box in BOXES], rtol=1e-12)


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
