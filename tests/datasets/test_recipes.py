"""The recipe "Add a dataset with its truth", followed word for word.

The dataset of the recipe is a uniform variable, and the same with uniform noise.
"""

from __future__ import annotations

import math
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch, check_random_state

from skinfo import datasets
from skinfo._core._checks import check_integer
from skinfo.datasets._parameters import check_fraction

# ---- step 1: the generator


def make_noisy_uniform(n_samples=1000, *, width=0.5, random_state=None):
    """Draw x uniform on [0, 1], and y uniform on [x, x + width]."""
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    width = check_fraction("width", width)
    generator = check_random_state(random_state)
    x = generator.random_sample(n_samples)
    y = x + width * generator.random_sample(n_samples)
    return Bunch(x=x, y=y, mutual_information=noisy_uniform_information(width))


# ---- step 2: the truth


def noisy_uniform_information(width):
    """Return w/2 - log w: y has the density of a trapezoid, and 1/w given x."""
    return width / 2 - math.log(width) if width > 0 else math.inf


# ---- step 3: the contract of all generators


@pytest.fixture
def contract(monkeypatch):
    """The tests of all generators, with this one in the list."""
    path = Path(__file__).with_name("test_dataset_contract.py")
    spec = spec_from_file_location("dataset_contract", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    name = make_noisy_uniform.__name__
    monkeypatch.setattr(datasets, name, make_noisy_uniform, raising=False)
    monkeypatch.setattr(datasets, "__all__", [*datasets.__all__, name])
    return module


@pytest.mark.parametrize("width", [0.1, 0.5, 1])
@pytest.mark.parametrize(
    "check",
    [
        "test_truth_is_a_plain_number_whatever_the_samples",
        "test_number_of_samples_has_its_default",
        "test_same_seed_gives_same_samples",
        "test_other_seed_gives_other_samples",
        "test_generator_instance_moves_on",
        "test_seed_leaves_global_generator_alone",
    ],
)
def test_variants_keep_the_contract(contract, check, width):
    getattr(contract, check)(make_noisy_uniform, {"width": width})


@pytest.mark.parametrize(
    "check",
    [
        "test_single_pair_is_one_dimensional",
        "test_parameters_after_the_first_are_keywords",
        "test_number_of_samples_below_one_raises",
        "test_random_state_of_another_kind_raises",
    ],
)
def test_the_generator_keeps_the_contract(contract, check):
    getattr(contract, check)(make_noisy_uniform.__name__)


@pytest.mark.parametrize("n_samples", [1, 37])
def test_arrays_keep_the_contract(contract, n_samples):
    contract.test_generators_are_all_listed()
    contract.test_arrays_have_one_float_row_per_sample(
        make_noisy_uniform, {}, n_samples
    )


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_wrong_parameters_are_named_by_the_shared_checks(contract, value):
    contract.test_fraction_out_of_range_raises(make_noisy_uniform, "width", value)


# ---- step 4: the truth in another way, and the law of the samples


def trapezoid(y, width):
    """Return the density of y, min(y, width, 1, 1 + width - y) / width."""
    return np.clip(np.minimum(y, 1 + width - y), 0, width) / width


@pytest.mark.parametrize("width", [0.1, 0.5, 1])
def test_truth_is_the_integral(width):
    y, step = np.linspace(0, 1 + width, 100_001, retstep=True)
    density = trapezoid(y, width)
    positive = density[density > 0]
    entropy = -np.sum(positive * np.log(positive)) * step
    truth = make_noisy_uniform(1, width=width).mutual_information
    assert truth == pytest.approx(entropy - math.log(width), abs=1e-6)


@pytest.mark.parametrize("width", [0.1, 0.5, 1])
def test_truth_is_the_mean_log_density_ratio_of_the_samples(width):
    data = make_noisy_uniform(100_000, width=width, random_state=0)
    ratios = -np.log(width * trapezoid(data.y, width))
    standard_error = ratios.std() / math.sqrt(len(ratios))
    assert abs(ratios.mean() - data.mutual_information) <= 4 * standard_error


def test_samples_have_the_moments_of_their_law():
    data = make_noisy_uniform(100_000, width=0.5, random_state=0)
    # to five standard errors or more
    assert data.x.mean() == pytest.approx(0.5, abs=0.005)
    assert data.x.var() == pytest.approx(1 / 12, abs=0.002)
    noise = data.y - data.x
    assert noise.min() >= 0
    assert noise.max() <= 0.5
    assert noise.mean() == pytest.approx(0.25, abs=0.003)
    assert np.corrcoef(data.x, noise)[0, 1] == pytest.approx(0, abs=0.016)


def test_no_noise_leaves_infinite_information():
    data = make_noisy_uniform(20, width=0, random_state=0)
    np.testing.assert_array_equal(data.y, data.x)
    assert data.mutual_information == math.inf
