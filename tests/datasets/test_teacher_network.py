"""The inputs, the directions and the targets of the teacher network."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, norm

from skinfo.datasets import make_teacher_network

N_SAMPLES = 20_000
N_NETWORKS = 2000
SMALLEST_PVALUE = 1e-6  # of a test of a true law with a fixed seed

# The law of a column, and the fourth moment of its standardised values.
COLUMN_LAWS = {
    "gaussian": ("norm", (), 3),
    "laplace": ("laplace", (0, 1 / math.sqrt(2)), 6),
    "logistic": ("logistic", (0, math.sqrt(3) / math.pi), 4.2),
    "student": ("t", (5, 0, math.sqrt(3 / 5)), 9),
}
INPUT_LAWS = [*COLUMN_LAWS, "mixture"]
ACTIVATIONS = {
    "relu": lambda z: z if z > 0 else 0.0,
    "tanh": lambda z: 1 - 2 / (math.exp(2 * z) + 1),
    "logistic": lambda z: 1 / (1 + math.exp(-z)),
}
every_column_law = pytest.mark.parametrize("input_law", COLUMN_LAWS)
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def draw_components(n_components, n_features, *, orthogonal):
    """The directions of many networks, (n_networks, n_components, n_features)."""
    generator = np.random.RandomState(0)
    networks = [
        make_teacher_network(
            1,
            n_features,
            n_components=n_components,
            orthogonal=orthogonal,
            random_state=generator,
        )
        for _ in range(N_NETWORKS)
    ]
    return np.array([network.components for network in networks])


def assert_law(values, cdf, args=()):
    assert kstest(values, cdf, args=args).pvalue > SMALLEST_PVALUE


# Inputs


@every_column_law
def test_columns_have_their_law(input_law):
    cdf, args, _ = COLUMN_LAWS[input_law]
    X = make_teacher_network(N_SAMPLES, 3, input_law=input_law, random_state=0).X
    for column in X.T:
        assert_law(column, cdf, args)


@every_column_law
def test_columns_have_mean_zero_and_variance_one(input_law):
    fourth_moment = COLUMN_LAWS[input_law][2]
    X = make_teacher_network(N_SAMPLES, 3, input_law=input_law, random_state=0).X
    # To 5 standard errors, of which that of the variance needs the fourth moment.
    assert_allclose(X.mean(axis=0), 0, atol=5 / math.sqrt(N_SAMPLES))
    error_of_variance = math.sqrt((fourth_moment - 1) / N_SAMPLES)
    assert_allclose(X.var(axis=0), 1, atol=5 * error_of_variance)


@every_column_law
def test_columns_are_independent(input_law):
    X = make_teacher_network(N_SAMPLES, 2, input_law=input_law, random_state=0).X
    # Signs and sizes are uncorrelated: a rotated law other than the normal fails here.
    for values in (X, np.abs(X)):
        assert abs(np.corrcoef(values.T)[0, 1]) <= 5 / math.sqrt(N_SAMPLES)


def test_mixture_has_two_normal_parts_along_the_ones():
    X = make_teacher_network(N_SAMPLES, 4, input_law="mixture", random_state=0).X
    along = X @ np.ones(4) / 2
    assert_law(along, lambda t: (norm.cdf(t, 2) + norm.cdf(t, -2)) / 2)
    across = X @ np.array([[1, -1, 0, 0], [1, 1, -2, 0], [1, 1, 1, -3]]).T
    for column in (across / across.std(axis=0)).T:
        assert_law(column, "norm")


def test_mixture_has_mean_zero_and_the_covariance_as_said():
    X = make_teacher_network(N_SAMPLES, 3, input_law="mixture", random_state=0).X
    # To 5 standard errors; a product of two centred columns has at most variance 8.
    assert_allclose(X.mean(axis=0), 0, atol=5 * math.sqrt(2 / N_SAMPLES))
    covariance = np.eye(3) + np.ones((3, 3))
    assert_allclose(np.cov(X.T), covariance, atol=5 * math.sqrt(8 / N_SAMPLES))


# Directions


@pytest.mark.parametrize("input_law", INPUT_LAWS)
@pytest.mark.parametrize(
    ("n_components", "n_features"), [(None, 1), (None, 7), (3, 7), (1, 4)]
)
def test_orthogonal_directions_are_orthonormal(input_law, n_components, n_features):
    components = make_teacher_network(
        1, n_features, n_components=n_components, input_law=input_law, random_state=0
    ).components
    assert components.shape == (n_components or n_features, n_features)
    gram = components @ components.T
    assert_allclose(gram, np.eye(len(components)), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("n_components", "n_features"), [(3, 7), (7, 7), (20, 7)])
def test_other_directions_have_length_one_and_are_not_orthogonal(
    n_components, n_features
):
    components = make_teacher_network(
        1, n_features, n_components=n_components, orthogonal=False, random_state=0
    ).components
    assert components.shape == (n_components, n_features)
    assert_allclose(np.linalg.norm(components, axis=1), 1, rtol=1e-14)
    gram = components @ components.T
    assert np.abs(gram - np.eye(n_components)).max() > 0.1


@pytest.mark.parametrize("orthogonal", [True, False])
@pytest.mark.parametrize("n_components", [2, 3])
def test_directions_are_uniform_on_the_sphere(n_components, orthogonal):
    components = draw_components(n_components, 3, orthogonal=orthogonal)
    # In three dimensions, uniform directions have uniform coordinates (Archimedes).
    for coordinates in components.reshape(N_NETWORKS, -1).T:
        assert_law(coordinates, "uniform", (-1, 2))


def test_orthogonal_matrix_of_two_rows_is_a_uniform_rotation_or_reflection():
    components = draw_components(2, 2, orthogonal=True)
    angle = np.arctan2(components[:, 0, 1], components[:, 0, 0])
    reflects = np.linalg.det(components) < 0
    assert abs(np.mean(reflects) - 0.5) <= 5 * 0.5 / math.sqrt(N_NETWORKS)
    for part in (angle[reflects], angle[~reflects]):
        assert_law(part, "uniform", (-math.pi, 2 * math.pi))


@pytest.mark.parametrize("orthogonal", [True, False])
def test_directions_do_not_favour_the_axes(orthogonal):
    direction = np.abs(draw_components(2, 2, orthogonal=orthogonal)[:, 0])
    # The angle to the nearest axis
    angle = np.arctan2(direction.min(axis=1), direction.max(axis=1))
    assert_law(angle, "uniform", (0, math.pi / 4))


def test_other_directions_are_independent():
    components = draw_components(2, 3, orthogonal=False)
    cosines = np.einsum("ij,ij->i", components[:, 0], components[:, 1])
    assert_law(cosines, "uniform", (-1, 2))


def test_single_feature_has_a_random_sign():
    components = draw_components(1, 1, orthogonal=True).ravel()
    assert_array_equal(np.abs(components), 1)
    assert abs(components.mean()) <= 5 / math.sqrt(N_NETWORKS)


# Biases and output weights


def draw_wide(**parameters):
    return make_teacher_network(
        1, 2, n_components=N_SAMPLES, orthogonal=False, random_state=0, **parameters
    )


def test_biases_are_normal_with_their_scale():
    intercepts = draw_wide(bias_scale=0.3).intercepts
    assert intercepts.shape == (N_SAMPLES,)
    assert_law(intercepts, "norm", (0, 0.3))


def test_biases_without_scale_are_zero():
    assert_array_equal(draw_wide().intercepts, np.zeros(N_SAMPLES))


def test_weights_are_ones_by_default():
    assert_array_equal(draw_wide().output_weights, np.ones(N_SAMPLES))


def test_mixed_weights_have_random_signs_and_uniform_sizes():
    weights = draw_wide(output_weights="mixed").output_weights
    positive = weights > 0
    assert abs(positive.mean() - 0.5) <= 5 * 0.5 / math.sqrt(N_SAMPLES)
    for part in (weights[positive], -weights[~positive]):
        assert_law(part, "uniform", (0.5, 1.5))


@pytest.mark.parametrize(
    "given", [[1, -2], (0.5, 0.0), np.array([[1.0], [2.0]]), [[1, 2, 3], [4, 5, 6]]]
)
def test_given_weights_are_kept_as_a_copy(given):
    data = make_teacher_network(10, 2, output_weights=given, random_state=0)
    assert data.output_weights.dtype == np.float64
    assert_array_equal(data.output_weights, given)
    assert not np.shares_memory(data.output_weights, given)


# Targets


@every_activation
@pytest.mark.parametrize("orthogonal", [True, False])
def test_noiseless_is_the_output_of_the_network(activation, orthogonal):
    data = make_teacher_network(
        20,
        4,
        n_components=3,
        activation=activation,
        orthogonal=orthogonal,
        output_weights="mixed",
        bias_scale=0.7,
        noise=0.5,
        random_state=0,
    )
    units = zip(data.components, data.intercepts, data.output_weights, strict=True)
    expected = np.zeros(20)
    for direction, bias, weight in units:
        for row, x in enumerate(data.X):
            expected[row] += weight * ACTIVATIONS[activation](x.dot(direction) + bias)
    assert_allclose(data.noiseless, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_each_column_of_weights_is_an_output(n_outputs):
    weights = np.random.default_rng(0).normal(size=(4, n_outputs))
    parameters = {"n_components": 4, "random_state": 0}
    data = make_teacher_network(50, output_weights=weights, **parameters)
    assert data.y.shape == data.noiseless.shape == (50, n_outputs)
    for output, column in zip(data.noiseless.T, weights.T, strict=True):
        single = make_teacher_network(50, output_weights=column, **parameters)
        assert single.y.shape == (50,)
        assert_allclose(single.noiseless, output, rtol=0, atol=1e-13)


def test_saturated_units_are_finite():
    for activation in ACTIVATIONS:
        data = make_teacher_network(
            100, activation=activation, bias_scale=1e6, random_state=0
        )
        assert np.isfinite(data.y).all()


def test_without_noise_targets_are_noiseless():
    data = make_teacher_network(random_state=0)
    assert_array_equal(data.y, data.noiseless)
    assert not np.shares_memory(data.y, data.noiseless)


def test_noise_is_normal_and_independent_of_outputs_and_inputs():
    data = make_teacher_network(
        N_SAMPLES, 2, output_weights=[[1, 2], [3, 4]], noise=0.2, random_state=0
    )
    noise = data.y - data.noiseless
    for column in noise.T:
        assert_law(column, "norm", (0, 0.2))
    correlations = np.corrcoef(np.column_stack([noise, data.X]).T)
    assert_allclose(correlations, np.eye(4), atol=5 / math.sqrt(N_SAMPLES))


@pytest.mark.parametrize(
    "other",
    [
        {"n_samples": 7},
        {"noise": 0.3},
        *({"input_law": input_law} for input_law in INPUT_LAWS),
        *({"activation": activation} for activation in ACTIVATIONS),
    ],
)
def test_network_of_a_seed_does_not_depend_on_the_samples(other):
    network = {"output_weights": "mixed", "bias_scale": 0.5, "random_state": 0}
    first = make_teacher_network(**network)
    second = make_teacher_network(**network, **other)
    for name in ("components", "intercepts", "output_weights"):
        assert_array_equal(first[name], second[name])


# Parameters


@pytest.mark.parametrize("name", ["n_features", "n_components"])
def test_counts_out_of_range_raise(name):
    with pytest.raises(ValueError, match=f"{name}=0 must be at least 1.*larger {name}"):
        make_teacher_network(**{name: 0})
    with pytest.raises(TypeError, match=rf"{name}=2\.0 must be an integer, not float"):
        make_teacher_network(**{name: 2.0})


def test_more_orthogonal_directions_than_features_raise():
    message = (
        "n_components=6 must be at most n_features=5 if orthogonal=True.* Pass a "
        "smaller n_components, or orthogonal=False"
    )
    with pytest.raises(ValueError, match=message):
        make_teacher_network(n_components=6)


@pytest.mark.parametrize("name", ["activation", "input_law"])
@pytest.mark.parametrize("value", ["Gaussian", "identity", None, 1, ["relu"]])
def test_unknown_option_raises(name, value):
    first = {"activation": "relu", "input_law": "gaussian"}[name]
    message = f"{name}=.* is not a known option. Pass one of: '{first}', "
    with pytest.raises(ValueError, match=message):
        make_teacher_network(**{name: value})


def test_orthogonal_that_is_no_bool_raises():
    with pytest.raises(TypeError, match="orthogonal='yes' must be a bool, not str"):
        make_teacher_network(orthogonal="yes")


@pytest.mark.parametrize("name", ["noise", "bias_scale"])
@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan])
def test_scale_out_of_range_raises(name, value):
    message = rf"{name}={value} must be finite and at least 0\. Pass, .* {name}=0\.1"
    with pytest.raises(ValueError, match=message):
        make_teacher_network(**{name: value})


@pytest.mark.parametrize("name", ["noise", "bias_scale"])
@pytest.mark.parametrize("value", [None, True, "0.1", 0.5j])
def test_scale_that_is_no_number_raises(name, value):
    with pytest.raises(TypeError, match=rf"{name}=.* must be a number, not .* Pass a"):
        make_teacher_network(**{name: value})


def test_unknown_name_of_output_weights_raises():
    message = (
        r"output_weights='random' is not a known option\. Pass one of: 'ones', "
        r"'mixed', or an array"
    )
    with pytest.raises(ValueError, match=message):
        make_teacher_network(output_weights="random")


@pytest.mark.parametrize("shape", [(), (2,), (4,), (1, 3), (3, 0), (3, 2, 2)])
def test_output_weights_of_another_shape_raise(shape):
    message = (
        r"output_weights of shape \(.*\) must have the shape \(3,\) or "
        r"\(3, n_outputs\), as n_components=3\. Pass one weight"
    )
    with pytest.raises(ValueError, match=message):
        make_teacher_network(n_components=3, output_weights=np.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_output_weights_that_are_not_finite_raise(value):
    with pytest.raises(ValueError, match=r"output_weights must be finite\. Pass"):
        make_teacher_network(n_features=2, output_weights=[1, value])


@pytest.mark.parametrize("value", [None, [True, False], ["1", "2"], [1j, 2], [{}, 1]])
def test_output_weights_that_are_no_numbers_raise(value):
    message = "output_weights must hold real numbers, not values of dtype .* Pass"
    with pytest.raises(TypeError, match=message):
        make_teacher_network(n_features=2, output_weights=value)
