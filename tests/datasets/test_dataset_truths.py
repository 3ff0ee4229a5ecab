"""The mutual information of the generators, against values found in other ways.

Known values are those of the methods' notes. Densities, pmfs and integrals are written
out here, without the closed forms of the package.
"""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal, norm, poisson

from skinfo.datasets import (
    make_discrete_continuous_mixture,
    make_discrete_plus_uniform,
    make_gaussian_dropout,
    make_zero_inflated_poisson,
)

N_MONTE_CARLO = 100_000


def truth(make, **parameters):
    return make(1, random_state=0, **parameters).mutual_information


def assert_is_mean(terms, expected):
    """Assert that the mean of the terms is the expected one, to 4 standard errors."""
    standard_error = np.std(terms) / math.sqrt(len(terms))
    assert abs(np.mean(terms) - expected) <= 4 * standard_error + 1e-12  # 0: constant


def plug_in_information(joint):
    """Mutual information of a table of joint probabilities."""
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    full = joint > 0
    return np.sum(joint[full] * np.log(joint[full] / independent[full]))


def normal_log_ratio(x, y, correlation):
    """Log of the joint over the product of the densities of a normal pair."""
    joint = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    points = np.column_stack([x, y])
    return joint.logpdf(points) - norm.logpdf(x) - norm.logpdf(y)


def normal_integral(correlation):
    """Mutual information of a normal pair, as an integral on a grid.

    The trapezoidal rule is exact to rounding for such an integrand.
    """
    grid, step = np.linspace(-12, 12, 241, retstep=True)
    x, noise = (axis.ravel() for axis in np.meshgrid(grid, grid))
    weights = norm.pdf(x) * norm.pdf(noise) * step**2
    y = correlation * x + math.sqrt(1 - correlation**2) * noise
    return weights @ normal_log_ratio(x, y, correlation)


# Experiment I


def mixture_log_ratio(x, y, *, correlation, agreement, discrete_fraction):
    """Log density ratio of the mixture, with respect to atoms plus the plane."""
    discrete = np.abs(x) == 1
    ratio = np.empty(len(x))
    cells = np.where(x[discrete] == y[discrete], agreement, 1 - agreement) / 2
    ratio[discrete] = np.log(cells / (discrete_fraction * 0.25))
    in_plane = normal_log_ratio(x[~discrete], y[~discrete], correlation)
    ratio[~discrete] = in_plane - math.log(1 - discrete_fraction)
    return ratio


MIXTURES = [
    {"correlation": 0.9, "agreement": 0.9, "discrete_fraction": 0.5},
    {"correlation": -0.7, "agreement": 0.2, "discrete_fraction": 0.3},
    {"correlation": 0.0, "agreement": 1.0, "discrete_fraction": 0.8},
    {"correlation": 0.6, "agreement": 0.0, "discrete_fraction": 0.1},
    {"correlation": 0.6, "agreement": 0.75, "discrete_fraction": 0.95},
]


def test_mixture_has_the_known_truth():
    assert_allclose(
        truth(make_discrete_continuous_mixture), 1.2923620858496068, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("parameters", MIXTURES)
def test_mixture_truth_is_the_mean_log_density_ratio(parameters):
    data = make_discrete_continuous_mixture(N_MONTE_CARLO, random_state=0, **parameters)
    terms = mixture_log_ratio(data.x, data.y, **parameters)
    assert_is_mean(terms, data.mutual_information)


@pytest.mark.parametrize("correlation", [-0.9, 0.5])
def test_mixture_without_atoms_is_a_normal_pair(correlation):
    parameters = {"correlation": correlation, "discrete_fraction": 0}
    assert_allclose(
        truth(make_discrete_continuous_mixture, **parameters),
        normal_integral(correlation),
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize("agreement", [0, 0.1, 0.5, 0.9, 1])
def test_mixture_of_atoms_alone_is_a_table(agreement):
    table = np.array([[agreement, 1 - agreement], [1 - agreement, agreement]]) / 2
    parameters = {"agreement": agreement, "discrete_fraction": 1}
    assert_allclose(
        truth(make_discrete_continuous_mixture, **parameters),
        plug_in_information(table),
        rtol=0,
        atol=1e-12,
    )


def test_mixture_of_independent_parts_still_shows_the_part():
    value = truth(
        make_discrete_continuous_mixture,
        correlation=0,
        agreement=0.5,
        discrete_fraction=0.5,
    )
    assert_allclose(value, math.log(2), rtol=1e-12)


# Experiments II and III


def uniform_density(y, n_values):
    """Density of the sum, by counting the intervals [i, i + 2] that cover y."""
    starts = np.arange(n_values)
    distance = np.asarray(y)[..., np.newaxis] - starts
    return np.sum((distance >= 0) & (distance < 2), axis=-1) / (2 * n_values)


@pytest.mark.parametrize("n_values", [1, 2, 5, 50])
def test_discrete_plus_uniform_truth_is_the_integral(n_values):
    # All densities are constant between integers: midpoints integrate them exactly.
    starts = np.arange(n_values)
    middles = np.stack([starts + 0.5, starts + 1.5])
    gain = np.log(0.5 / uniform_density(middles, n_values))
    expected = np.sum(gain * 0.5) / n_values
    assert_allclose(
        truth(make_discrete_plus_uniform, n_values=n_values),
        expected,
        rtol=0,
        atol=1e-12,
    )


def test_discrete_plus_uniform_has_the_known_truths():
    values = [
        truth(make_discrete_plus_uniform),
        truth(make_discrete_plus_uniform, n_pairs=2),
        truth(make_discrete_plus_uniform, n_pairs=2, with_mixture=True),
    ]
    known = [1.0549201679861442, 2.1098403359722884, 3.402202421821895]
    assert_allclose(values, known, rtol=0, atol=1e-12)


def test_single_value_tells_nothing():
    assert truth(make_discrete_plus_uniform, n_values=1) == 0
    assert truth(make_discrete_plus_uniform, n_values=1, n_pairs=3) == 0


@pytest.mark.parametrize("n_values", [2, 5])
def test_truth_of_pairs_with_mixture_is_the_mean_log_density_ratio(n_values):
    data = make_discrete_plus_uniform(
        N_MONTE_CARLO, n_values=n_values, n_pairs=2, with_mixture=True, random_state=0
    )
    pairs = np.log(0.5 / uniform_density(data.y[:, :2], n_values))
    mixture = mixture_log_ratio(
        data.x[:, 2],
        data.y[:, 2],
        correlation=0.9,
        agreement=0.9,
        discrete_fraction=0.5,
    )
    assert_is_mean(pairs.sum(axis=1) + mixture, data.mutual_information)


# Experiment IV


def zero_inflated_pmf(counts, rate, zero_probability):
    """Return the pmf of the counts (n_counts,) for each rate (n_rates,)."""
    pmf = (1 - zero_probability) * poisson.pmf(
        counts, np.asarray(rate)[..., np.newaxis]
    )
    return pmf + zero_probability * (counts == 0)


def zero_inflated_integral(zero_probability):
    """Mean over the rates of the divergence of the pmf from its mean pmf."""
    counts = np.arange(140)
    # Gauss-Legendre on pieces of [0, 60]: both tails are below 1e-24.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = np.concatenate([[0], np.logspace(-12, 0, 13), np.arange(2, 61, 2)])
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    rates = (middle[:, np.newaxis] + half[:, np.newaxis] * nodes).ravel()
    probability = (half[:, np.newaxis] * weights).ravel() * np.exp(-rates)
    given_rate = zero_inflated_pmf(counts, rates, zero_probability)
    marginal = probability @ given_rate
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(given_rate > 0, given_rate * np.log(given_rate / marginal), 0)
    return probability @ terms.sum(axis=1)


@pytest.mark.parametrize(
    ("zero_probability", "known", "tolerance"),
    [
        (0, 0.3012447733499193, 1e-12),
        (0.1, 0.250806555, 1e-9),
        (0.15, 0.229775959, 1e-9),
        (0.3, 0.175676975, 1e-9),
        (0.5, 0.116383941, 1e-9),
    ],
)
def test_zero_inflated_poisson_has_the_known_truths(zero_probability, known, tolerance):
    value = truth(make_zero_inflated_poisson, zero_probability=zero_probability)
    assert_allclose(value, known, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "zero_probability",
    [0, 1e-300, 1e-9, 0.01, 0.1, 0.15, 0.3, 0.5, 0.9, 0.999, 1 - 1e-9, 1],
)
def test_zero_inflated_poisson_truth_is_the_integral(zero_probability):
    value = truth(make_zero_inflated_poisson, zero_probability=zero_probability)
    expected = zero_inflated_integral(zero_probability)
    assert_allclose(value, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("zero_probability", [0, 0.15, 0.5, 1])
def test_zero_inflated_poisson_truth_is_the_mean_log_density_ratio(zero_probability):
    data = make_zero_inflated_poisson(
        N_MONTE_CARLO, zero_probability=zero_probability, random_state=0
    )
    poisson_alone = (1 - zero_probability) * poisson.pmf(data.y, data.x)
    given_x = poisson_alone + zero_probability * (data.y == 0)
    geometric = (1 - zero_probability) * 0.5 ** (data.y + 1)
    marginal = geometric + zero_probability * (data.y == 0)
    assert_is_mean(np.log(given_x / marginal), data.mutual_information)


def test_zero_inflated_poisson_truth_is_zero_without_counts():
    assert truth(make_zero_inflated_poisson, zero_probability=1) == 0


def test_zero_inflated_poisson_truth_is_never_negative():
    for exponent in range(1, 54):
        assert (
            truth(make_zero_inflated_poisson, zero_probability=1 - 2.0**-exponent) >= 0
        )


# Gaussian dropout


def dropout_log_ratio(data, *, correlation, joint, marginals):
    """Log density ratio, with respect to a point mass at 0 plus the line, squared.

    `joint`: probabilities (2, 2) of x lost (rows) and y lost (columns).
    """
    lost_x, lost_y = (data.x == 0).astype(int), (data.y == 0).astype(int)
    independent = marginals[0][lost_x] * marginals[1][lost_y]
    of_masks = np.log(joint[lost_x, lost_y] / independent)
    of_values = normal_log_ratio(data.x, data.y, correlation)
    return of_masks + np.where(lost_x + lost_y == 0, of_values, 0)


@pytest.mark.parametrize("correlation", [0.8, -0.5, 0.0])
@pytest.mark.parametrize("dropout", [(0.3, 0.3), (0.6, 0.1), (0.5, 0.0)])
def test_dropout_truth_is_the_mean_log_density_ratio(correlation, dropout):
    data = make_gaussian_dropout(
        N_MONTE_CARLO, correlation=correlation, dropout=dropout, random_state=0
    )
    marginals = [np.array([1 - lost, lost]) for lost in dropout]
    terms = dropout_log_ratio(
        data, correlation=correlation, joint=np.outer(*marginals), marginals=marginals
    )
    assert_is_mean(terms, data.mutual_information)


@pytest.mark.parametrize("correlation", [0.8, -0.5, 0.0])
@pytest.mark.parametrize("dropout", [0.3, 0.05])
def test_shared_dropout_truth_is_the_mean_log_density_ratio(correlation, dropout):
    data = make_gaussian_dropout(
        N_MONTE_CARLO,
        correlation=correlation,
        dropout=dropout,
        shared_mask=True,
        random_state=0,
    )
    mask = np.array([1 - dropout, dropout])
    terms = dropout_log_ratio(
        data, correlation=correlation, joint=np.diag(mask), marginals=[mask, mask]
    )
    assert_is_mean(terms, data.mutual_information)


@pytest.mark.parametrize("correlation", [-0.3, 0.8])
def test_dropout_truth_is_that_of_the_values_and_the_masks(correlation):
    # The integral stands for the kept pairs, a table for the masks.
    of_values = normal_integral(correlation)
    independent = truth(
        make_gaussian_dropout, correlation=correlation, dropout=(0.25, 0.5)
    )
    shared = truth(
        make_gaussian_dropout, correlation=correlation, dropout=0.25, shared_mask=True
    )
    of_masks = plug_in_information(np.diag([0.75, 0.25]))
    assert_allclose(independent, 0.375 * of_values, rtol=0, atol=1e-9)
    assert_allclose(shared, of_masks + 0.75 * of_values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shared_mask", [False, True])
def test_no_dropout_leaves_the_normal_pair(shared_mask):
    value = truth(make_gaussian_dropout, dropout=0, shared_mask=shared_mask)
    assert_allclose(value, normal_integral(0.8), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shared_mask", [False, True])
def test_full_dropout_tells_nothing(shared_mask):
    assert truth(make_gaussian_dropout, dropout=1, shared_mask=shared_mask) == 0


def test_full_dropout_of_one_variable_tells_nothing():
    assert truth(make_gaussian_dropout, dropout=(1, 0)) == 0
    assert truth(make_gaussian_dropout, dropout=(0, 1)) == 0


def test_uncorrelated_values_with_independent_masks_tell_nothing():
    assert truth(make_gaussian_dropout, correlation=0) == 0


@pytest.mark.parametrize("sign", [-1, 1])
def test_truth_is_finite_at_the_strongest_correlation(sign):
    correlation = sign * np.nextafter(1, 0)
    value = truth(make_gaussian_dropout, correlation=correlation, dropout=0)
    # -log(1 - rho^2) / 2 with 1 - rho = 2^-53 and 1 + rho = 2
    assert_allclose(value, 26 * math.log(2), rtol=1e-12)
