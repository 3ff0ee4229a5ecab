"""The samples of the hidden correlation, and their truth against slow integrals.

The shapes are written out again as functions of u, and the reference integrals are
over u, in the units of y, without the laws and the quadrature of the package.
"""

import math

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import entr
from scipy.stats import kstest, norm

from skinfo.datasets import make_hidden_correlation

SHAPES = {
    "linear": lambda u: u,
    "quadratic": lambda u: (2 * u - 1) ** 2,
    "cubic": lambda u: (1 + np.cos(3 * np.arccos(2 * u - 1))) / 2,
    "sine": lambda u: np.sin(2 * np.pi * u / 0.5),
    "fast_sine": lambda u: np.sin(2 * np.pi * u / 0.125),
    "fourth_root": lambda u: np.sqrt(np.sqrt(u)),
    "circle": lambda u: np.sqrt(1 - (2 * u - 1) ** 2),
    "step": lambda u: np.where(u > 0.5, 1.0, 0.0),
}
RESOLVED = [shape for shape in SHAPES if shape != "fast_sine"]
RESOLVED_AS = {"fast_sine": "sine"}  # of the same law, with fewer periods to integrate
every_shape = pytest.mark.parametrize("shape", SHAPES)

N_SAMPLES = 20_000
SMALLEST_PVALUE = 1e-6  # of a test of a true law with a fixed seed


def truth(shape, noise, fraction=1.0):
    data = make_hidden_correlation(
        1, shape=shape, noise=noise, fraction=fraction, random_state=0
    )
    return data.mutual_information


def normal_entropy(noise):
    return 0.5 * math.log(2 * math.pi * math.e * noise**2)


# Samples


@every_shape
def test_rare_samples_lie_below_one_and_the_others_above(shape):
    data = make_hidden_correlation(N_SAMPLES, shape=shape, random_state=0)
    assert data.rare.dtype == bool
    assert_array_equal(data.rare, data.x < 1)
    standard_error = math.sqrt(0.05 * 0.95 / N_SAMPLES)
    assert abs(data.rare.mean() - 0.05) <= 5 * standard_error
    uniform = np.where(data.rare, data.x, (data.x - 1) / 0.1)
    for part in (uniform[data.rare], uniform[~data.rare]):
        assert kstest(part, "uniform").pvalue > SMALLEST_PVALUE


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "circle"])
def test_noise_is_normal_around_the_shape(shape):
    data = make_hidden_correlation(
        N_SAMPLES, shape=shape, noise=0.3, fraction=0.5, random_state=0
    )
    x, y = data.x[data.rare], data.y[data.rare]
    noise = (y - SHAPES[shape](x)) / 0.3
    assert kstest(noise, "norm").pvalue > SMALLEST_PVALUE
    assert abs(np.corrcoef(noise, x)[0, 1]) <= 5 / math.sqrt(len(x))


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "circle"])
def test_without_noise_rare_samples_lie_on_the_shape(shape):
    data = make_hidden_correlation(
        1000, shape=shape, noise=0, fraction=0.5, random_state=0
    )
    expected = SHAPES[shape](data.x[data.rare])
    # The functions are rounded in other ways.
    assert_allclose(data.y[data.rare], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fraction", [0, 0.5, 1])
def test_circle_has_both_signs_on_both_segments(fraction):
    data = make_hidden_correlation(
        N_SAMPLES, shape="circle", noise=0, fraction=fraction, random_state=0
    )
    height = SHAPES["circle"](data.x[data.rare])
    # The square of the height is rounded.
    assert_allclose(np.abs(data.y[data.rare]), height, rtol=0, atol=1e-7)
    for part in (data.rare, ~data.rare):
        positive = data.y[part] > 0
        assert abs(np.sum(positive) - np.sum(~positive)) <= 5 * math.sqrt(np.sum(part))


@every_shape
def test_common_samples_are_independent_with_the_law_of_the_rare(shape):
    data = make_hidden_correlation(N_SAMPLES, shape=shape, fraction=0.5, random_state=0)
    assert kstest(data.y[data.rare], data.y[~data.rare]).pvalue > SMALLEST_PVALUE
    x, y = data.x[~data.rare], data.y[~data.rare]
    below, above = np.split(np.argsort(x), 2 * [len(x) // 2])[::2]
    assert kstest(y[below], y[above]).pvalue > SMALLEST_PVALUE
    # The correlation of x with a shape of the place of x in its segment
    place = SHAPES[shape](np.clip((x - 1) / 0.1, 0, 1))
    assert abs(np.corrcoef(place, y)[0, 1]) <= 5 / math.sqrt(len(x))


def test_fraction_zero_and_one_are_exact():
    assert not make_hidden_correlation(fraction=0, random_state=0).rare.any()
    assert make_hidden_correlation(fraction=1, random_state=0).rare.all()


def test_shapes_of_one_seed_share_x():
    linear, step = (
        make_hidden_correlation(shape=shape, random_state=0)
        for shape in ("linear", "step")
    )
    assert_array_equal(linear.x, step.x)
    assert_array_equal(linear.rare, step.rare)


# Parameters


@pytest.mark.parametrize("noise", [-0.1, -np.inf, np.inf, np.nan])
def test_noise_out_of_range_raises(noise):
    message = rf"noise={noise} must be finite and at least 0\. Pass, .* noise=0\.1"
    with pytest.raises(ValueError, match=message):
        make_hidden_correlation(noise=noise)


@pytest.mark.parametrize("noise", [None, True, "0.1", 0.5j])
def test_noise_that_is_no_number_raises(noise):
    with pytest.raises(TypeError, match=r"noise=.* must be a number, not .* Pass a"):
        make_hidden_correlation(noise=noise)


@pytest.mark.parametrize("shape", ["Linear", "parabola", None, 1, ["linear"]])
def test_unknown_shape_raises(shape):
    message = r"shape=.* is not a known option\. Pass one of: 'linear', 'quadratic'"
    with pytest.raises(ValueError, match=message):
        make_hidden_correlation(shape=shape)


# Truths


def panels(low, high, widest):
    """Nodes and weights of Gauss-Legendre rules on equal panels."""
    edges = np.linspace(low, high, math.ceil((high - low) / widest) + 1)
    nodes, weights = leggauss(16)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    points = middle[:, np.newaxis] + half[:, np.newaxis] * nodes
    return points.ravel(), (half[:, np.newaxis] * weights).ravel()


def shape_mixture(shape, noise):
    """The values f(u) in order and their probabilities.

    u = sin(angle)^8, in which every f but the step is smooth.
    """
    if shape == "step":
        return np.array([0.0, 1.0]), np.array([0.5, 0.5])
    angle, weights = panels(0, math.pi / 2, min(noise / 4, 0.1))
    values = SHAPES[shape](np.sin(angle) ** 8)
    weights = weights * 8 * np.sin(angle) ** 7 * np.cos(angle)
    if shape == "circle":
        values, weights = np.append(values, -values), np.append(weights, weights) / 2
    order = np.argsort(values)
    return values[order], weights[order]


def mixture_density(y, values, weights, noise):
    """The density at sorted y (n,), of terms within 9 standard deviations."""
    density = np.empty(len(y))
    for block in np.array_split(np.arange(len(y)), math.ceil(len(y) / 100)):
        near = slice(
            np.searchsorted(values, y[block[0]] - 9 * noise),
            np.searchsorted(values, y[block[-1]] + 9 * noise),
        )
        kernels = norm.pdf(y[block, np.newaxis], values[near], noise)
        density[block] = kernels @ weights[near]
    return density


def pair_entropy(height, noise):
    """The entropy of a normal variable around the height, with a random sign."""
    if height > 12 * noise:  # the two laws do not overlap
        return math.log(2) + normal_entropy(noise)
    y = np.arange(-height - 9 * noise, height + 9 * noise, noise / 5)
    density = (norm.pdf(y, height, noise) + norm.pdf(y, -height, noise)) / 2
    return np.sum(entr(density)) * noise / 5


def integral_information(shape, noise):
    """I(U; Y) by the trapezoidal rule over y, and for the circle over u as well."""
    values, weights = shape_mixture(shape, noise)
    y = np.arange(values[0] - 8 * noise, values[-1] + 8 * noise, noise / 5)
    density = mixture_density(y, values, weights, noise)
    entropy = np.sum(entr(density)) * noise / 5
    if shape != "circle":
        return entropy - normal_entropy(noise)
    angle, weights = panels(0, math.pi / 2, min(noise, 0.1))
    given_u = [pair_entropy(math.sin(each), noise) for each in angle]
    return entropy - np.sum(weights * np.sin(angle) * given_u)


@pytest.mark.parametrize(
    "noise",
    [3, 0.5, 0.1, 0.03, 0.01, pytest.param(0.001, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("shape", RESOLVED)
def test_truth_is_the_integral(shape, noise):
    expected = integral_information(shape, noise)
    assert_allclose(truth(shape, noise), expected, rtol=0, atol=1e-9)


@every_shape
def test_truth_is_the_mean_log_density_ratio(shape):
    data = make_hidden_correlation(
        N_SAMPLES, shape=shape, noise=0.2, fraction=0.4, random_state=0
    )
    order = np.flatnonzero(data.rare)[np.argsort(data.y[data.rare])]
    x, y = data.x[order], data.y[order]
    value = SHAPES[shape](x)
    given_x = norm.pdf(y, value, 0.2)
    if shape == "circle":
        given_x = (given_x + norm.pdf(y, -value, 0.2)) / 2
    law = shape_mixture(RESOLVED_AS.get(shape, shape), 0.2)
    terms = np.zeros(N_SAMPLES)  # that of a common sample is log 1
    terms[order] = np.log(given_x / mixture_density(y, *law, 0.2))
    standard_error = np.std(terms) / math.sqrt(N_SAMPLES)
    assert abs(np.mean(terms) - data.mutual_information) <= 4 * standard_error


@pytest.mark.parametrize("noise", [1e-13, 1e-15, 1e-30, 1e-300])
@pytest.mark.parametrize(
    ("shape", "entropy"),
    [
        ("linear", 0),
        ("quadratic", math.log(2) - 1),
        ("sine", math.log(math.pi / 2)),
        ("fast_sine", math.log(math.pi / 2)),
        ("fourth_root", 0.75 - math.log(4)),
        ("circle", -math.log(2)),  # h(Y) = 0, less log 2 of the sign
    ],
)
def test_truth_of_tiny_noise_is_the_entropy_without_it(shape, entropy, noise):
    # sqrt(noise) is the order of the difference, as the mass near a singular end.
    value = truth(shape, noise) + math.log(noise) + normal_entropy(1)
    assert_allclose(value, entropy, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "variance"),
    [
        ("linear", 1 / 12),
        ("quadratic", 4 / 45),
        ("cubic", 17 / 140),
        ("sine", 1 / 2),
        ("fast_sine", 1 / 2),
        ("fourth_root", 2 / 75),
        ("circle", 0),  # the mean of y given x
        ("step", 1 / 4),
    ],
)
def test_truth_of_much_noise_is_that_of_the_signal_to_noise_ratio(shape, variance):
    # The next term is -(variance / noise^2)^2 / 4, at most 1e-9.
    assert_allclose(truth(shape, 100), variance / 2e4, rtol=0, atol=1e-9)


@every_shape
def test_truth_falls_with_the_noise_and_is_never_negative(shape):
    noises = [5e-324, 1e-200, 1e-16, 1e-8, 1e-3, 0.1, 0.3, 1, 10, 1e5, 1e20, 1e300]
    truths = np.array([truth(shape, noise) for noise in noises])
    assert (truths >= 0).all()
    assert (np.diff(truths) <= 1e-12).all()  # rounding


@every_shape
def test_truth_is_proportional_to_the_fraction(shape):
    whole = truth(shape, 0.1)
    for fraction in (0, 1e-300, 0.05, 0.7):
        assert truth(shape, 0.1, fraction) == fraction * whole


def test_sine_and_fast_sine_have_one_truth():
    for noise in (0.01, 0.3):
        assert truth("sine", noise) == truth("fast_sine", noise)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "step"])
def test_truth_without_noise_is_infinite_unless_nothing_is_rare(shape):
    assert truth(shape, 0, 1e-9) == math.inf
    assert truth(shape, 0, 0) == 0


def test_truth_of_the_step_without_noise_is_that_of_a_bit():
    assert truth("step", 0, 0.05) == 0.05 * math.log(2)
    assert truth("step", 0, 0) == 0
    assert_allclose(truth("step", 1e-9), math.log(2), rtol=1e-12)
