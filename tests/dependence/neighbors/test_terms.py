"""The terms of mutual information, against an O(n^2) version from the formulas."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from skinfo import mutual_information, pointwise_mutual_information
from skinfo._core._vectors import read_pair
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._terms import mean_term, pointwise_terms
from skinfo.dependence.neighbors._ties import tie_terms
from skinfo.dependence.neighbors._triple import side_by_side

SMALL = settings(derandomize=True, deadline=None, max_examples=50)
EXACT = {"rtol": 0, "atol": 1e-12}


def distance_matrix(data, nominal=()):
    """Chebyshev distances between samples, infinite where nominal columns differ."""
    data = np.asarray(data).reshape(len(data), -1)
    distances = np.zeros((len(data), len(data)))
    for j, column in enumerate(data.T):
        differences = column[:, np.newaxis] - column
        if j in nominal:
            differences = np.where(differences == 0, 0, np.inf)
        distances = np.maximum(distances, np.abs(differences))
    return distances


def n_columns(data):
    return np.asarray(data).reshape(len(data), -1).shape[1]


def grassberger(n):
    """G(n) by the recursion of Grassberger 2003, from G(1) = psi(1) - log 2."""
    value = digamma(1) - np.log(2)
    for even in range(2, n + 1, 2):
        value += 2 / (even - 1)
    return value


def slow_terms(pair, n_neighbors, ties):
    """Gao et al. 2017 as in the authors' code, or corrected as in "adaptive"."""
    x, y, nominal_x, nominal_y = pair
    distances_x = distance_matrix(x, nominal_x)
    distances_y = distance_matrix(y, nominal_y)
    n_samples = len(distances_x)
    joint = np.maximum(distances_x, distances_y)
    constant = not (distances_x.any() and distances_y.any())
    no_numbers = n_columns(x) + n_columns(y) == len(nominal_x) + len(nominal_y)
    terms = np.zeros(n_samples)
    for i in range(n_samples):
        if ties == "adaptive" and constant:
            continue
        if ties == "adaptive" and no_numbers:
            n_xy, n_x, n_y = (
                np.sum(d[i] == 0) for d in (joint, distances_x, distances_y)
            )
            if n_x > 1 and n_y > 1:
                marginal_terms = digamma(n_x) + digamma(n_y)
                terms[i] = grassberger(n_xy) + np.log(n_samples) - marginal_terms
            continue
        k = min(n_neighbors, np.isfinite(joint[i]).sum() - 1)
        if k == 0:
            continue
        radius = np.sort(joint[i])[k]  # the first is the sample itself
        if radius == 0:
            k = np.sum(joint[i] == 0)
            n_x, n_y = np.sum(distances_x[i] == 0), np.sum(distances_y[i] == 0)
        else:
            n_x, n_y = np.sum(distances_x[i] < radius), np.sum(distances_y[i] < radius)
            q_x = np.sum(distances_x[i] <= radius)
            q_y = np.sum(distances_y[i] <= radius)
        marginal_terms = digamma(n_x) + digamma(n_y)
        if radius > 0 and ties == "adaptive" and max(q_x - n_x, q_y - n_y) > 1:
            nothing_given = np.array([n_samples])
            (marginal_terms,) = tie_terms(
                np.array([k]),
                np.array([np.sum(joint[i] <= radius) - 1]),
                (np.array([n_x]), np.array([n_y]), nothing_given),
                (np.array([q_x]), np.array([q_y]), nothing_given),
            ) + digamma(n_samples)
        terms[i] = digamma(k) + np.log(n_samples) - marginal_terms
    return terms


def correlated(rng, n_samples, decimals=None):
    x = rng.normal(size=n_samples)
    y = x + rng.normal(size=n_samples)
    return (
        (x, y) if decimals is None else (np.round(x, decimals), np.round(y, decimals))
    )


def atoms(rng, *shape):
    return rng.normal(size=shape) * (rng.random(shape) < 0.5)


def codes(rng, n_samples):
    return rng.integers(4, size=n_samples).astype(float)


def rare_codes(rng, n_samples):
    return np.floor(rng.exponential(4, size=n_samples))


def shared_dropout(rng, n_samples):
    return np.array(correlated(rng, n_samples)) * (rng.random(n_samples) < 0.6)


def discrete_plus_uniform(rng, n_samples):
    x = codes(rng, n_samples)
    return x, x + rng.random(n_samples)


def noisy_codes(rng, n_samples):
    x = codes(rng, n_samples)
    return x, (x + rng.integers(2, size=n_samples)) % 4


def sparse_names(rng, n_samples):
    names = rng.integers(60, size=n_samples)
    return names, np.column_stack([names // 2, rng.integers(9, size=n_samples)])


# kind: how to draw x and y, and which of their columns are nominal
PAIRS = {
    "continuous": (correlated, [], []),
    "rounded": (lambda rng, n: correlated(rng, n, 1), [], []),
    "rounded to hundredths": (lambda rng, n: correlated(rng, n, 2), [], []),
    "integers": (lambda rng, n: correlated(rng, n, 0), [], []),
    "atoms in both": (shared_dropout, [], []),
    "atoms and continuous": (lambda rng, n: (atoms(rng, n), rng.random(n)), [], []),
    "discrete and continuous": (discrete_plus_uniform, [], []),
    "vectors": (lambda rng, n: (rng.normal(size=(n, 2)), rng.random((n, 3))), [], []),
    "vectors with atoms": (lambda rng, n: (atoms(rng, n, 2), atoms(rng, n, 2)), [], []),
    "nominal and continuous": (discrete_plus_uniform, [0], []),
    "nominal and nominal": (noisy_codes, [0], [0]),
    "sparse nominal": (sparse_names, [0], [0, 1]),
    "nominal beside atoms": (
        lambda rng, n: (np.column_stack([codes(rng, n), atoms(rng, n)]), codes(rng, n)),
        [0],
        [],
    ),
    "rare categories": (
        lambda rng, n: (
            rare_codes(rng, n),
            np.column_stack([rng.random(n), codes(rng, n)]),
        ),
        [0],
        [1],
    ),
    "rare categories and rounded": (
        lambda rng, n: (rare_codes(rng, n), np.round(rng.normal(size=n), 1)),
        [0],
        [],
    ),
}


def make_pair(kind, seed, n_samples=150):
    """Return x, y, and which of their columns are nominal."""
    draw, nominal_x, nominal_y = PAIRS[kind]
    x, y = draw(np.random.default_rng(seed), n_samples)
    return x, y, nominal_x, nominal_y


def options_of(pair, **options):
    _, _, nominal_x, nominal_y = pair
    return {"x_discrete": nominal_x, "y_discrete": nominal_y, "scale": None, **options}


@pytest.mark.parametrize("n_neighbors", [1, 5, 30])
@pytest.mark.parametrize("ties", ["adaptive", "gao"])
@pytest.mark.parametrize("kind", PAIRS)
def test_terms_equal_the_slow_ones(kind, ties, n_neighbors):
    pair = make_pair(kind, n_neighbors)
    options = options_of(pair, n_neighbors=n_neighbors, ties=ties)
    expected = slow_terms(pair, n_neighbors, ties)
    terms = pointwise_mutual_information(*pair[:2], **options)
    np.testing.assert_allclose(terms, expected, **EXACT)
    estimate = mutual_information(*pair[:2], **options)
    np.testing.assert_allclose(estimate, expected.mean(), **EXACT)


@st.composite
def small_pairs(draw):
    """Draw a lattice pair with a decimal step, and which columns are nominal."""
    n_samples = draw(st.integers(3, 14))
    step = draw(st.sampled_from([1.0, 0.1, 0.01, 1 / 3]))
    shapes = [(n_samples, draw(st.integers(1, 2))) for _ in range(2)]
    x, y = (
        step * draw(hnp.arrays(int, shape, elements=st.integers(-5, 5)))
        for shape in shapes
    )
    nominal_x, nominal_y = (
        np.flatnonzero(draw(hnp.arrays(bool, shape[1]))).tolist() for shape in shapes
    )
    return x, y, nominal_x, nominal_y


# groups of 2 and 4: k is lowered for some samples and not for others
UNEQUAL_GROUPS = (
    np.array([0.0, 1, 0, 1, 1, 1]),
    np.array([1.0, 1, 0, 0, 0, 0]),
    [],
    [0],
)


@SMALL
@given(small_pairs(), st.integers(1, 4), st.sampled_from(["adaptive", "gao"]))
@example(UNEQUAL_GROUPS, 3, "adaptive")
def test_terms_of_any_small_lattice_equal_the_slow_ones(pair, n_neighbors, ties):
    n_neighbors = min(n_neighbors, len(pair[0]) - 1)
    options = options_of(pair, n_neighbors=n_neighbors, ties=ties)
    terms = pointwise_mutual_information(*pair[:2], **options)
    np.testing.assert_allclose(terms, slow_terms(pair, n_neighbors, ties), **EXACT)


@pytest.mark.parametrize("scale", ["rank", "standard", None])
@pytest.mark.parametrize("seed", range(5))
def test_both_treatments_of_ties_agree_exactly_without_ties(seed, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.random((2, 300, 2))
    if scale == "rank":
        # ranks make ties of their own: all columns share the same normal scores
        x, y = x[:, 0], y[:, 0]
    adaptive, gao = (
        pointwise_mutual_information(x, y, scale=scale, ties=ties)
        for ties in ("adaptive", "gao")
    )
    np.testing.assert_array_equal(adaptive, gao)


def test_without_ties_the_estimate_is_that_of_kraskov():
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    joint = np.maximum(distance_matrix(x), distance_matrix(y))
    radius = np.sort(joint, axis=1)[:, [5]]
    n_x = np.sum(distance_matrix(x) < radius, axis=1)
    n_y = np.sum(distance_matrix(y) < radius, axis=1)
    ksg = digamma(5) + np.log(200) - np.mean(digamma(n_x) + digamma(n_y))
    assert mutual_information(x, y, scale=None, ties="gao") == pytest.approx(ksg)


def prepared(x, y, *, n_neighbors=5, scale="rank", ties="adaptive"):
    """Return the indexed pair of two arrays and its measure."""
    measure = MutualInformation(n_neighbors, scale, ties)
    vectors = read_pair(x, y, x_discrete="auto", y_discrete="auto", nan_policy="raise")
    return measure.triple(*vectors), measure


@pytest.mark.parametrize("kind", ["continuous", "rounded", "atoms in both", "vectors"])
def test_permuted_pair_is_the_pair_of_permuted_data(kind):
    x, y, *_ = make_pair(kind, 0)
    order = np.random.default_rng(1).permutation(len(x))
    pair, measure = prepared(x, y)
    permuted = pair.reordered(order)
    expected, _ = prepared(x, y[order])
    np.testing.assert_array_equal(
        measure.terms(permuted)[permuted.joint.variable.codes],
        measure.terms(expected)[expected.joint.variable.codes],
    )
    assert permuted.xz is pair.xz
    assert permuted.yz.index is pair.yz.index


def test_values_of_the_measure_are_the_estimates_in_each_order():
    x, y, *_ = make_pair("rounded", 0)
    orders = [np.random.default_rng(seed).permutation(len(x)) for seed in range(3)]
    measure = MutualInformation(4, "standard", "adaptive")
    pair, _ = prepared(x, y, scale="standard")
    values = measure.values(pair.x, pair.y, [None, *orders])
    expected = [
        mutual_information(x, y[order], n_neighbors=4, scale="standard")
        for order in (slice(None), *orders)
    ]
    np.testing.assert_allclose(values, expected, **EXACT)


def test_mean_term_weighs_rows_by_their_samples():
    x = np.array([0, 0, 0, 1, 1, 2])
    pair, measure = prepared(x, x % 2, n_neighbors=1)
    terms = pointwise_terms(pair, n_neighbors=1, ties="adaptive")
    assert pair.joint.variable.n_rows == len(terms) == 3
    expected = terms[pair.joint.variable.codes].mean()
    assert mean_term(pair.joint.variable, terms) == pytest.approx(expected)
    np.testing.assert_array_equal(terms, measure.terms(pair))


PERMUTED_PAIRS = {
    "continuous": lambda rng: (rng.normal(size=60), rng.normal(size=60)),
    "rounded": lambda rng: rng.normal(size=(2, 60)).round(1),
    "zeros": lambda rng: np.maximum(rng.normal(size=(2, 60)), 0),
    "nominal": lambda rng: rng.choice(["a", "b", "c"], (2, 60)),
    "nominal and rounded": lambda rng: (
        rng.choice(["a", "b", "c"], 60),
        rng.normal(size=60).round(1),
    ),
    "vectors": lambda rng: (rng.normal(size=(60, 2)), rng.normal(size=60).round()),
}


@pytest.mark.parametrize("kind", PERMUTED_PAIRS)
@pytest.mark.parametrize("ties", ["adaptive", "gao"])
def test_pairs_side_by_side_have_the_terms_of_each(kind, ties):
    rng = np.random.default_rng(0)
    pair, measure = prepared(*PERMUTED_PAIRS[kind](rng), ties=ties)
    pairs = [pair, *(pair.reordered(rng.permutation(60)) for _ in range(4))]
    together = measure.terms(side_by_side(pairs))
    apart = [measure.terms(each) for each in pairs]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_one_pair_side_by_side_is_itself():
    pair, _ = prepared(np.arange(9), np.arange(9))
    assert side_by_side([pair]) is pair
