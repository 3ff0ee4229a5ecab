import datetime as dt

import numpy as np
import pytest

from skinfo._core._dates import as_dates, as_integers, change_unit


def as_objects(values):
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def test_dates_with_a_zone_are_converted_to_universal_time():
    zone = dt.timezone(dt.timedelta(hours=2))
    values = as_objects([dt.datetime(2024, 1, 1, 2, tzinfo=zone), dt.date(2024, 1, 2)])
    dates = as_dates(values, np.zeros(2, dtype=bool))
    expected = np.array(["2024-01-01", "2024-01-02"], dtype="M8[us]")
    np.testing.assert_array_equal(dates, expected)


def test_durations_and_gaps_are_kept_apart_from_other_objects():
    values = as_objects([dt.timedelta(1), None, np.timedelta64(2, "D")])
    durations = as_dates(values, np.array([False, True, False]))
    days = durations.astype("m8[D]").astype(int)[[0, 2]]
    np.testing.assert_array_equal(days, [1, 2])
    mixed = as_objects([dt.timedelta(1), dt.date(2024, 1, 1)])
    assert as_dates(mixed, np.zeros(2, dtype=bool)) is mixed


@pytest.mark.parametrize("unit", ["Y", "D", "h", "s", "ms", "ns"])
def test_integers_are_of_seconds_or_finer_units(unit):
    dates = np.array(["1970", "1971"], dtype=f"M8[{unit}]")
    integers, found = as_integers(dates)
    assert found == (unit if unit in ("s", "ms", "ns") else "s")
    seconds = change_unit(integers, found, "s")
    np.testing.assert_array_equal(seconds, [0, 365 * 24 * 3600])


def test_units_are_changed_without_overflow():
    values = np.array([-(2**62), -1500, 0, 1500, 2**62])
    np.testing.assert_array_equal(change_unit(values, "us", "us"), values)
    np.testing.assert_array_equal(change_unit(values, "ms", "s")[1:4], [-2, 0, 1])
    finer = change_unit(values, "s", "ns")
    np.testing.assert_array_equal(finer[1:4], [-1500 * 10**9, 0, 1500 * 10**9])
    assert finer[0] < finer[1] < finer[3] < finer[4]
