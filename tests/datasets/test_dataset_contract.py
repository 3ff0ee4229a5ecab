"""What all generators of samples share."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import Bunch

from skinfo import datasets

VARIANTS = {
    "mixture": (datasets.make_discrete_continuous_mixture, {}),
    "uniform": (datasets.make_discrete_plus_uniform, {}),
    "uniform-pairs": (datasets.make_discrete_plus_uniform, {"n_pairs": 2}),
    "uniform-mixture": (datasets.make_discrete_plus_uniform, {"with_mixture": True}),
    "poisson": (datasets.make_zero_inflated_poisson, {}),
    "dropout": (datasets.make_gaussian_dropout, {}),
    "dropout-pair": (datasets.make_gaussian_dropout, {"dropout": (0.3, 0.1)}),
    "dropout-shared": (datasets.make_gaussian_dropout, {"shared_mask": True}),
    "hidden": (datasets.make_hidden_correlation, {}),
    "hidden-circle": (datasets.make_hidden_correlation, {"shape": "circle"}),
    "teacher": (datasets.make_teacher_network, {}),
    "teacher-mixture": (datasets.make_teacher_network, {"input_law": "mixture"}),
    "teacher-mixed": (datasets.make_teacher_network, {"output_weights": "mixed"}),
    "teacher-units": (
        datasets.make_teacher_network,
        {"orthogonal": False, "n_components": 8, "bias_scale": 0.5, "noise": 0.1},
    ),
    "teacher-outputs": (
        datasets.make_teacher_network,
        {"n_features": 2, "output_weights": [[1, 2, 3], [4, 5, 6]]},
    ),
}
PAIR_VARIANTS = {
    name: variant
    for name, variant in VARIANTS.items()
    if variant[0] is not datasets.make_teacher_network
}
every_variant = pytest.mark.parametrize(
    ("make", "parameters"), VARIANTS.values(), ids=VARIANTS
)
every_pair_variant = pytest.mark.parametrize(
    ("make", "parameters"), PAIR_VARIANTS.values(), ids=PAIR_VARIANTS
)
every_generator = pytest.mark.parametrize("name", datasets.__all__)
every_pair_generator = pytest.mark.parametrize(
    "name", [name for name in datasets.__all__ if name != "make_teacher_network"]
)
PAIR_ATTRIBUTES = {"x", "y", "mutual_information"}
NETWORK_ATTRIBUTES = {"components", "intercepts", "output_weights"}
ATTRIBUTES = {
    datasets.make_hidden_correlation: PAIR_ATTRIBUTES | {"rare"},
    datasets.make_teacher_network: NETWORK_ATTRIBUTES | {"X", "y", "noiseless"},
}  # else those of a pair
DEFAULT_N_SAMPLES = {datasets.make_hidden_correlation: 320}  # else 1000
N_POSITIONAL = {"make_teacher_network": 2}  # else 1


def inputs_of(data):
    return data.X if "X" in data else data.x


def has_equal_column(first, second):
    return np.any(np.all(first == second, axis=0))


def test_generators_are_all_listed():
    found = [name for name in dir(datasets) if name.startswith("make_")]
    assert sorted(datasets.__all__) == found


@every_variant
@pytest.mark.parametrize("n_samples", [1, 37])
def test_arrays_have_one_float_row_per_sample(make, parameters, n_samples):
    data = make(n_samples, random_state=0, **parameters)
    assert isinstance(data, Bunch)
    assert set(data) == ATTRIBUTES.get(make, PAIR_ATTRIBUTES)
    for values in (inputs_of(data), data.y):
        assert type(values) is np.ndarray
        assert len(values) == n_samples
        assert values.dtype == np.float64
        assert np.isfinite(values).all()


@every_pair_generator
def test_single_pair_is_one_dimensional(name):
    data = getattr(datasets, name)(20)
    assert data.x.shape == data.y.shape == (20,)


@pytest.mark.parametrize(
    ("n_pairs", "with_mixture", "n_columns"),
    [(2, False, 2), (1, True, 2), (2, True, 3)],
)
def test_several_pairs_are_columns(n_pairs, with_mixture, n_columns):
    data = datasets.make_discrete_plus_uniform(
        20, n_pairs=n_pairs, with_mixture=with_mixture
    )
    assert data.x.shape == data.y.shape == (20, n_columns)


@every_pair_variant
def test_truth_is_a_plain_number_whatever_the_samples(make, parameters):
    truths = {
        make(n_samples, random_state=seed, **parameters).mutual_information
        for n_samples, seed in [(1, 0), (10, 1), (100, None)]
    }
    assert len(truths) == 1
    truth = truths.pop()
    assert type(truth) is float
    assert truth > 0


@every_variant
def test_number_of_samples_has_its_default(make, parameters):
    data = make(**parameters)
    assert len(inputs_of(data)) == len(data.y) == DEFAULT_N_SAMPLES.get(make, 1000)


@every_variant
def test_same_seed_gives_same_samples(make, parameters):
    first = make(50, random_state=3, **parameters)
    again = make(n_samples=50, random_state=3, **parameters)
    instance = make(50, random_state=np.random.RandomState(3), **parameters)
    for other in (again, instance):
        for name, values in first.items():
            assert_array_equal(values, other[name])


@every_variant
def test_other_seed_gives_other_samples(make, parameters):
    first = make(50, random_state=3, **parameters)
    other = make(50, random_state=4, **parameters)
    assert not has_equal_column(inputs_of(first), inputs_of(other))
    assert not has_equal_column(first.y, other.y)


@every_variant
def test_generator_instance_moves_on(make, parameters):
    generator = np.random.RandomState(3)
    first = make(50, random_state=generator, **parameters)
    second = make(50, random_state=generator, **parameters)
    assert not has_equal_column(inputs_of(first), inputs_of(second))
    assert not has_equal_column(first.y, second.y)


@every_variant
def test_seed_leaves_global_generator_alone(make, parameters):
    _, keys, *position = np.random.get_state()  # noqa: NPY002
    make(50, random_state=0, **parameters)
    _, new_keys, *new_position = np.random.get_state()  # noqa: NPY002
    assert_array_equal(new_keys, keys)
    assert new_position == position


@every_generator
def test_parameters_after_the_first_are_keywords(name):
    positional = [10] * N_POSITIONAL.get(name, 1)
    getattr(datasets, name)(*positional)
    with pytest.raises(TypeError, match="positional argument"):
        getattr(datasets, name)(*positional, 1)


@every_generator
def test_number_of_samples_below_one_raises(name):
    message = r"n_samples=0 must be at least 1\. Pass a larger n_samples"
    with pytest.raises(ValueError, match=message):
        getattr(datasets, name)(0)


@every_generator
@pytest.mark.parametrize("n_samples", [10.0, "10", True, None])
def test_number_of_samples_that_is_no_integer_raises(name, n_samples):
    with pytest.raises(TypeError, match=r"n_samples=.* must be an integer, not"):
        getattr(datasets, name)(n_samples)


@every_generator
def test_random_state_of_another_kind_raises(name):
    with pytest.raises(ValueError, match="cannot be used to seed"):
        getattr(datasets, name)(10, random_state="seed")


FRACTIONS = [
    (datasets.make_discrete_continuous_mixture, "agreement"),
    (datasets.make_discrete_continuous_mixture, "discrete_fraction"),
    (datasets.make_zero_inflated_poisson, "zero_probability"),
    (datasets.make_gaussian_dropout, "dropout"),
    (datasets.make_hidden_correlation, "fraction"),
]
CORRELATED = [
    datasets.make_discrete_continuous_mixture,
    datasets.make_gaussian_dropout,
]


@pytest.mark.parametrize(("make", "name"), FRACTIONS)
@pytest.mark.parametrize("value", [-0.1, 1.1, np.inf, np.nan])
def test_fraction_out_of_range_raises(make, name, value):
    message = rf"{name}={value} must lie between 0 and 1.* Pass, .* {name}=0\.5"
    with pytest.raises(ValueError, match=message):
        make(**{name: value})


@pytest.mark.parametrize(("make", "name"), FRACTIONS)
@pytest.mark.parametrize("value", [None, True, 0.5j])
def test_fraction_that_is_no_number_raises(make, name, value):
    message = rf"{name}=.* must be a number, not {type(value).__name__}\. Pass a number"
    with pytest.raises(TypeError, match=message):
        make(**{name: value})


@pytest.mark.parametrize("make", CORRELATED)
@pytest.mark.parametrize("value", [-1, 1, 1.5, np.nan])
def test_correlation_out_of_range_raises(make, value):
    message = f"correlation={value} must lie strictly between -1 and 1.* Pass"
    with pytest.raises(ValueError, match=message):
        make(correlation=value)


@pytest.mark.parametrize("make", CORRELATED)
@pytest.mark.parametrize("value", ["0.5", None, False])
def test_correlation_that_is_no_number_raises(make, value):
    with pytest.raises(TypeError, match=r"correlation=.* must be a number, not"):
        make(correlation=value)


@pytest.mark.parametrize("name", ["n_values", "n_pairs"])
def test_counts_out_of_range_raise(name):
    with pytest.raises(ValueError, match=f"{name}=0 must be at least 1.*larger {name}"):
        datasets.make_discrete_plus_uniform(**{name: 0})
    with pytest.raises(TypeError, match=rf"{name}=2\.0 must be an integer, not float"):
        datasets.make_discrete_plus_uniform(**{name: 2.0})


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (datasets.make_discrete_plus_uniform, "with_mixture"),
        (datasets.make_gaussian_dropout, "shared_mask"),
    ],
)
def test_switch_that_is_no_bool_raises(make, name):
    with pytest.raises(TypeError, match=f"{name}='yes' must be a bool, not str"):
        make(**{name: "yes"})


@pytest.mark.parametrize("dropout", [(), (0.1,), (0.1, 0.2, 0.3)])
def test_dropout_of_other_than_two_values_raises(dropout):
    message = rf"dropout=\(.*\) must be one number or a pair.* not {len(dropout)} of"
    with pytest.raises(ValueError, match=message):
        datasets.make_gaussian_dropout(dropout=dropout)


@pytest.mark.parametrize("dropout", [(0.1, 1.2), (1.2, 0.1)])
def test_each_dropout_of_a_pair_is_checked(dropout):
    with pytest.raises(ValueError, match=r"dropout=1\.2 must lie between 0 and 1"):
        datasets.make_gaussian_dropout(dropout=dropout)


@pytest.mark.parametrize("dropout", [(0.3, 0.1), [0.3, 0.3]])
def test_shared_mask_with_two_dropouts_raises(dropout):
    message = "dropout=.* must be one number if shared_mask=True. Pass one number"
    with pytest.raises(ValueError, match=message):
        datasets.make_gaussian_dropout(dropout=dropout, shared_mask=True)
