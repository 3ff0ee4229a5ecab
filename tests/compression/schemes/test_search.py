"""The search for the step that meets a target."""

from __future__ import annotations

import numpy as np
import pytest

from skinfo.compression.schemes._search import meet


class Counted:
    """A function that remembers where it was called, and what it gave."""

    def __init__(self, function):
        self.function = function
        self.calls = {}

    def __call__(self, log_step):
        self.calls[log_step] = self.function(log_step)
        return self.calls[log_step]


def bits(log_step):
    """Return about the bits of a normal weight in steps of this size."""
    return 0.5 * np.log2(1 + 4.0**-log_step)


def root_distortion(log_step):
    return 2.0**log_step / (1 + 2.0 ** (log_step - 6))


@pytest.mark.parametrize("start", [-20.0, -2.0, 0.0, 2.0, 5.0])
@pytest.mark.parametrize("target", [0.5, 2.0, 7.0])
def test_falling_amount_meets_its_target_closely(target, start):
    measure = Counted(bits)
    found = meet(measure, target, start, slope=-1.0)
    # the search may leave .2% unused, or two ends .002 octaves apart
    assert 0.99 * target <= measure.calls[found] <= target
    assert len(measure.calls) <= 16


@pytest.mark.parametrize("start", [-15.0, 0.0, 5.0])
@pytest.mark.parametrize("target", [0.01, 1.0, 8.0])
def test_rising_amount_meets_its_target_closely(target, start):
    # in units of the target, as the slope is that at the target
    measure = Counted(lambda log_step: root_distortion(log_step) / target)
    found = meet(measure, 1.0, start, slope=np.log(2))
    assert 0.99 <= measure.calls[found] <= 1


@pytest.mark.parametrize("seed", range(5))
def test_noisy_amount_is_met_and_nearly_used(seed):
    rng = np.random.default_rng(seed)
    noise = {}

    def measure(log_step):
        # the noise of a step stays the same
        noise.setdefault(log_step, rng.normal(scale=0.01))
        return bits(log_step) + noise[log_step]

    counted = Counted(measure)
    found = meet(counted, 2.0, 0.0, slope=-1.0)
    assert 1.94 <= counted.calls[found] <= 2.0  # within 6 deviations of the noise


def test_amount_in_whole_bytes_is_met():
    measure = Counted(lambda log_step: float(np.ceil(100 * bits(log_step)) + 20))
    found = meet(measure, 300, 0.0, slope=-100.0)
    assert 299 <= measure.calls[found] <= 300


def test_amount_that_jumps_over_the_target_is_met_from_within():
    measure = Counted(lambda log_step: 1.0 if log_step > -0.7 else 5.0)
    found = meet(measure, 3.0, 0.0, slope=-1.0)
    assert measure.calls[found] == 1.0
    assert found - 0.01 <= -0.7 <= found  # next to the jump


def test_wrong_slope_is_made_up_for():
    measure = Counted(lambda log_step: 300 * bits(log_step))
    found = meet(measure, 600, 0.0, slope=-30.0)
    assert 0.99 * 600 <= measure.calls[found] <= 600


def test_target_that_no_step_meets_gives_none():
    assert meet(lambda _: 50.0, 20, 0.0, slope=-10.0) is None


def test_target_that_every_step_meets_gives_the_farthest_step():
    measure = Counted(lambda _: 10.0)
    found = meet(measure, 20, 0.0, slope=-10.0)
    assert found == min(measure.calls)


def test_infinite_amounts_are_failures():
    measure = Counted(lambda log_step: np.inf if log_step < -5 else bits(log_step))
    found = meet(measure, 20.0, -3.0, slope=-1.0)
    assert -5 <= found < -3


def test_search_is_deterministic():
    first, second = Counted(bits), Counted(bits)
    assert meet(first, 3.3, 0.0, slope=-1.0) == meet(second, 3.3, 0.0, slope=-1.0)
    assert list(first.calls) == list(second.calls)
