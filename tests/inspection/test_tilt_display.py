import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib import pyplot as plt
from matplotlib.dates import ConciseDateFormatter, date2num
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skinfo import HypercontractivityCoef, MixedMutualInfo
from skinfo.datasets import make_hidden_correlation
from skinfo.inspection import TiltDisplay

X = [0.0, 1.0, 2.0, 3.0]
Y = [5.0, 6.0, 7.0, 8.0]
TILT = [0.5, 3.0, 1.0, 2.0]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frame():
    data = make_hidden_correlation(300, noise=0.03, random_state=0)
    noise = np.random.default_rng(0).normal(size=300)
    return pd.DataFrame({"noise": noise, "driver": data.x}), data.y


@pytest.fixture(scope="module")
def selector(frame):
    return HypercontractivityCoef(n_permutations=19, random_state=0).fit(*frame)


def offsets(display):
    return np.asarray(display.scatter_.get_offsets())


def colours(display):
    display.scatter_.update_scalarmappable()
    return display.scatter_.get_facecolors()


def notes(display):
    return [text.get_text() for text in display.ax_.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_samples_are_drawn_from_the_smallest_tilt_to_the_largest():
    display = TiltDisplay(X, Y, tilt=TILT).plot()
    np.testing.assert_array_equal(offsets(display), [[0, 5], [2, 7], [3, 8], [1, 6]])
    assert display.figure_ is display.ax_.figure


def test_samples_with_a_larger_tilt_are_larger():
    sizes = TiltDisplay(X, Y, tilt=TILT).plot().scatter_.get_sizes()
    assert sizes[0] == sizes[1] < sizes[2] < sizes[3]


def test_samples_with_a_larger_tilt_are_darker():
    tilt = np.linspace(1, 20, 12)
    found = colours(TiltDisplay(tilt, tilt, tilt=tilt).plot())
    lightness = found[1:, :3] @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(lightness) < 0)


def test_samples_with_a_tilt_of_at_most_one_are_grey_and_translucent():
    found = colours(TiltDisplay(X, Y, tilt=TILT).plot())
    np.testing.assert_array_equal(found[0], found[1])
    red, green, blue, alpha = found[0]
    assert red == green == blue
    assert alpha < 1
    assert np.all(found[2:, 3] == 1)


def test_colours_have_a_bar_from_one_to_the_largest_tilt():
    display = TiltDisplay(X, Y, tilt=TILT).plot()
    assert display.scatter_.get_clim() == (1, 3)
    assert display.scatter_.colorbar.extend == "min"


def test_a_nearly_flat_tilt_looks_nearly_flat():
    display = TiltDisplay(X, Y, tilt=[1.001, 1.0, 1.0, 0.997]).plot()
    assert display.scatter_.get_clim() == (1, 2)
    sizes = display.scatter_.get_sizes()
    assert sizes[-1] < 2.01 * sizes[0]  # twice, were it just above 1


def test_rounding_above_one_raises_nothing():
    display = TiltDisplay(X, Y, tilt=[1 + 1e-15, 1, 1, 1]).plot()
    assert len(np.unique(colours(display), axis=0)) == 1
    assert notes(display) == []


def test_the_sample_with_the_largest_tilt_is_ringed():
    display = TiltDisplay(X, Y, tilt=TILT).plot()
    (ring,) = display.ax_.lines
    np.testing.assert_array_equal(ring.get_xydata(), [[1, 6]])
    assert notes(display) == ["sample 1: tilt 3"]


def test_a_shared_largest_tilt_has_no_witness():
    display = TiltDisplay(X, Y, tilt=[0.5, 3, 3 * (1 - 1e-15), 1]).plot()
    assert notes(display) == []
    assert len(display.ax_.lines) == 0


def test_a_tilt_that_is_the_same_everywhere_has_no_witness():
    assert notes(TiltDisplay(X, Y, tilt=np.ones(4)).plot()) == []


def test_the_index_names_the_witness():
    countries = pd.Series(X, index=["Chad", "Iraq", "Peru", "Mali"])
    assert notes(TiltDisplay(countries, Y, tilt=TILT).plot()) == ["Iraq: tilt 3"]


@pytest.mark.parametrize("witness", [0, 9])
def test_the_note_is_written_towards_the_middle(witness):
    x = np.arange(10.0)
    tilt = np.where(x == witness, 2, 0.9)
    display = TiltDisplay(x, x, tilt=tilt).plot()
    display.figure_.canvas.draw()
    box = display.ax_.texts[0].get_window_extent()
    assert display.ax_.bbox.x0 < box.x0
    assert box.x1 < display.ax_.bbox.x1


@pytest.mark.parametrize("gap", [None, np.nan, np.inf])
@pytest.mark.parametrize("place", ["x", "y", "tilt"])
def test_samples_with_a_missing_value_are_left_out(place, gap):
    data = {"x": X, "y": Y, "tilt": TILT}
    data[place] = [*data[place][:1], gap, *data[place][2:]]
    display = TiltDisplay(data["x"], data["y"], tilt=data["tilt"]).plot()
    np.testing.assert_array_equal(offsets(display), [[0, 5], [2, 7], [3, 8]])
    assert notes(display) == ["sample 3: tilt 2"]


@pytest.mark.parametrize("make", [np.array, pd.Series, pl.Series, pa.array, list])
def test_strings_are_categories_along_the_axis(make):
    x = make(["b", "a", "b", "c"])
    display = TiltDisplay(x, Y, tilt=TILT).plot()
    assert labels(display.ax_.xaxis) == ["a", "b", "c"]
    np.testing.assert_array_equal(np.rint(offsets(display)[:, 0]), [1, 1, 2, 0])


def test_categories_keep_their_order():
    x = pd.Categorical(list("mlsm"), categories=["s", "m", "l", "xl"], ordered=True)
    display = TiltDisplay(pd.Series(x), [True, False, True, True], tilt=TILT).plot()
    assert labels(display.ax_.xaxis) == ["s", "m", "l"]
    assert labels(display.ax_.yaxis) == ["False", "True"]


def test_categories_of_numbers_are_sorted_as_numbers():
    x = pd.Categorical([10, 9, 10, 100])
    assert labels(TiltDisplay(x, Y, tilt=TILT).plot().ax_.xaxis) == ["9", "10", "100"]


def test_samples_of_the_same_two_categories_do_not_hide_each_other():
    names = np.repeat("a", 100)
    points = offsets(TiltDisplay(names, names, tilt=np.ones(100)).plot())
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    # 100 points in a square of 0.6: 0.06 apart on a grid, 0.03 where evenly spread
    assert distances[np.triu_indices(100, 1)].min() > 0.03
    assert np.abs(points).max() < 0.5


def test_dollars_in_names_are_no_mathematics():
    names = ["cost $ and price $", r"no $\symbol$"]
    display = TiltDisplay(
        names * 2, names * 2, tilt=TILT, feature_name=names[0], target_name=names[1]
    ).plot()
    display.figure_.canvas.draw()
    for axis, name in ((display.ax_.xaxis, names[0]), (display.ax_.yaxis, names[1])):
        assert axis.get_label_text() == name
        assert labels(axis) == names
        written = [axis.label, *axis.get_ticklabels()]
        assert not any(text.get_parse_math() for text in written)


def test_only_some_of_many_categories_are_labelled():
    x = [f"postcode {i:03d}" for i in range(100)]
    display = TiltDisplay(x, np.arange(100), tilt=np.ones(100)).plot()
    ticks = display.ax_.xaxis.get_ticklabels()
    assert labels(display.ax_.xaxis) == x[::5]
    assert {tick.get_rotation() for tick in ticks} == {90}


@pytest.mark.parametrize("n_categories", [1, 2, 5, 12, 29, 60])
def test_labels_of_categories_do_not_overlap(n_categories):
    x = [f"category {i}" for i in range(n_categories)]
    y = [f"a category that has a long name, {i}" for i in range(n_categories)]
    display = TiltDisplay(x, y, tilt=np.ones(n_categories)).plot()
    display.figure_.canvas.draw()
    for axis, side in ((display.ax_.xaxis, "x"), (display.ax_.yaxis, "y")):
        boxes = [label.get_window_extent() for label in axis.get_ticklabels()]
        starts = [getattr(box, f"{side}0") for box in boxes]
        ends = [getattr(box, f"{side}1") for box in boxes]
        assert all(a <= b for a, b in zip(ends[:-1], starts[1:], strict=True))


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_dates_are_dates_on_the_axis(unit):
    x = np.datetime64("2024-01-30", unit) + np.array([0, 1, 2, 3], dtype="m8[D]")
    display = TiltDisplay(x, Y, tilt=TILT).plot()
    days = date2num(dt.date(2024, 1, 30)) + np.array([0, 2, 3, 1])
    np.testing.assert_allclose(offsets(display)[:, 0], days)
    formatter = display.ax_.xaxis.get_major_formatter()
    assert isinstance(formatter, ConciseDateFormatter)


@pytest.mark.parametrize("library", [pd, pl])
def test_dates_of_dataframes_may_have_gaps(library):
    dates = library.Series([dt.datetime(2024, 1, 30), None, dt.datetime(2024, 2, 1)])
    display = TiltDisplay([1, 2, 3], dates, tilt=[1, 2, 3]).plot()
    days = date2num(dt.date(2024, 1, 30)) + np.array([0, 2])
    np.testing.assert_allclose(offsets(display)[:, 1], days)


@pytest.mark.parametrize("make", [np.array, pd.Series, pl.Series, pa.array, list])
def test_durations_are_in_days(make):
    durations = make([dt.timedelta(hours=12 * i) for i in range(4)])
    display = TiltDisplay(durations, Y, tilt=TILT, feature_name="wait").plot()
    np.testing.assert_allclose(offsets(display)[:, 0], [0, 1, 1.5, 0.5])
    assert display.ax_.get_xlabel() == "wait (days)"


def test_many_samples_are_rasterized_and_small():
    rng = np.random.default_rng(0)
    x, y, tilt = rng.exponential(size=(3, 100_000))
    many = TiltDisplay(x, y, tilt=tilt).plot().scatter_
    few = TiltDisplay(x[:100], y[:100], tilt=tilt[:100]).plot().scatter_
    assert many.get_rasterized()
    assert not few.get_rasterized()
    assert len(many.get_offsets()) == 100_000
    assert many.get_sizes().max() < few.get_sizes().min()


def test_the_title_says_the_score_and_the_pvalue():
    for given, title in (
        ({}, ""),
        ({"score": 0.123}, "Potential correlation 0.12"),
        ({"pvalue": 0.0012}, "p = 0.0012"),
        ({"score": 1, "pvalue": 0.05}, "Potential correlation 1.00, p = 0.05"),
    ):
        display = TiltDisplay(X, Y, tilt=TILT, **given).plot()
        assert display.ax_.get_title(loc="left") == title


@pytest.mark.parametrize("feature", [1, -1, "driver", np.int64(1)])
def test_a_feature_is_chosen_by_index_or_name(selector, frame, feature):
    display = TiltDisplay.from_estimator(
        selector, *frame, feature=feature, target_name="response"
    )
    tilt = selector.tilt(frame[0])[:, 1]
    order = np.argsort(tilt, kind="stable")
    np.testing.assert_array_equal(offsets(display)[:, 0], frame[0]["driver"][order])
    np.testing.assert_array_equal(offsets(display)[:, 1], frame[1][order])
    np.testing.assert_array_equal(display.tilt, tilt)
    assert display.ax_.get_xlabel() == "driver"
    assert display.ax_.get_ylabel() == "response"
    score, pvalue = selector.scores_[1], selector.pvalues_[1]
    title = f"Potential correlation {score:.2f}, p = {pvalue:.2g}"
    assert display.ax_.get_title(loc="left") == title


def test_a_table_of_arrow_is_shown(selector, frame):
    X, y = pa.Table.from_pandas(frame[0]), pa.array(frame[1])
    display = TiltDisplay.from_estimator(selector, X, y, feature="driver")
    expected = TiltDisplay.from_estimator(selector, *frame, feature="driver")
    np.testing.assert_array_equal(offsets(display), offsets(expected))


@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist])
def test_features_without_names_are_numbered(frame, make):
    X, y = frame[0].to_numpy(), frame[1]
    selector = HypercontractivityCoef().fit(X, y)
    display = TiltDisplay.from_estimator(selector, make(X), y, feature=1)
    assert display.ax_.get_xlabel() == "x1"
    assert display.ax_.get_title(loc="left").startswith("Potential correlation 0.")
    assert "p =" not in display.ax_.get_title(loc="left")
    np.testing.assert_array_equal(np.sort(offsets(display)[:, 0]), np.sort(X[:, 1]))


def test_given_axes_are_used(selector, frame):
    _, ax = plt.subplots()
    assert TiltDisplay.from_estimator(selector, *frame, ax=ax).ax_ is ax


def test_a_target_of_one_column_or_of_strings_is_shown(selector, frame):
    X, y = frame
    column = TiltDisplay.from_estimator(selector, X, pd.DataFrame({"y": y}))
    vector = TiltDisplay.from_estimator(selector, X, y)
    np.testing.assert_array_equal(offsets(column), offsets(vector))
    nominal = TiltDisplay.from_estimator(selector, X, np.where(y > 0.5, "up", "down"))
    assert labels(nominal.ax_.yaxis) == ["down", "up"]


def test_missing_values_of_a_fitted_frame_are_left_out(frame):
    X, y = frame[0].copy(), frame[1]
    X.loc[:9, "driver"] = np.nan
    selector = HypercontractivityCoef(nan_policy="omit").fit(X, y)
    display = TiltDisplay.from_estimator(selector, X, y, feature="driver")
    assert len(offsets(display)) == 290


@pytest.mark.parametrize(
    ("feature", "error", "message"),
    [
        (2, ValueError, "feature=2 is out of range, as there are 2 features"),
        (-3, ValueError, "feature=-3 is out of range"),
        ("age", ValueError, "feature='age' names no feature"),
        (1.0, TypeError, r"feature=1\.0 must be an index or a name, not float"),
        (True, TypeError, "feature=True must be an index or a name, not bool"),
    ],
)
def test_an_unknown_feature_is_named(selector, frame, feature, error, message):
    with pytest.raises(error, match=message):
        TiltDisplay.from_estimator(selector, *frame, feature=feature)


def test_estimators_without_a_tilt_or_a_fit_are_named(selector, frame):
    with pytest.raises(NotFittedError):
        TiltDisplay.from_estimator(HypercontractivityCoef(), *frame)
    with pytest.raises(TypeError, match=r"estimator is a Pipeline\. Pass the selector"):
        TiltDisplay.from_estimator(make_pipeline(selector), *frame)
    with pytest.raises(TypeError, match="a MixedMutualInfo, which has no tilt"):
        TiltDisplay.from_estimator(MixedMutualInfo(), *frame)
    unnamed = HypercontractivityCoef().fit(frame[0].to_numpy(), frame[1])
    with pytest.raises(ValueError, match=r"without names\. Pass an index from 0"):
        TiltDisplay.from_estimator(unnamed, frame[0].to_numpy(), frame[1], feature="a")


def test_bad_samples_are_named(selector, frame):
    with pytest.raises(ValueError, match="x has 4, y has 3, tilt has 4"):
        TiltDisplay(X, Y[:3], tilt=TILT).plot()
    with pytest.raises(ValueError, match="x has 300, y has 299, tilt has 300"):
        TiltDisplay.from_estimator(selector, frame[0], frame[1][:-1])
    with pytest.raises(ValueError, match="tilt has 2 columns, but only one"):
        TiltDisplay(X, Y, tilt=np.ones((4, 2))).plot()
    with pytest.raises(ValueError, match="y has 2 columns, but only one"):
        TiltDisplay.from_estimator(selector, frame[0], frame[0])
    with pytest.raises(TypeError, match="tilt must consist of numbers"):
        TiltDisplay(X, Y, tilt=list("abcd")).plot()
    with pytest.raises(ValueError, match="no sample with values of x, y and tilt"):
        TiltDisplay([1, np.nan], [np.nan, 2], tilt=[1, 2]).plot()
