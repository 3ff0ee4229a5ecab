import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from skinfo.dependence.inference._pairwise import pairwise_dependence
from skinfo.inspection import PairwiseDependenceDisplay

NAMES = ["a", "b", "c"]
VALUES = np.array([[9.0, 0.1, 0.9], [0.2, 9.0, -0.01], [0.8, 0.3, 9.0]])
PVALUES = np.array([[0.0, 0.05, 0.01], [0.06, 0.0, 0.5], [0.01, 0.9, 0.0]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    return pd.DataFrame(
        {"x": x, "y": x + rng.normal(size=80), "z": rng.normal(size=80)}
    )


def texts(labels):
    return [label.get_text() for label in labels]


def marked(display):
    """Return the cells that are marked, as (row, column)."""
    return {(int(row), int(column)) for column, row in display.marks_.get_offsets()}


def test_cells_are_the_values_and_the_diagonal_has_none():
    display = PairwiseDependenceDisplay(VALUES, feature_names=NAMES).plot()
    drawn = np.ma.filled(display.image_.get_array(), np.nan)
    apart = ~np.eye(3, dtype=bool)
    np.testing.assert_array_equal(drawn[apart], VALUES[apart])
    assert np.isnan(np.diagonal(drawn)).all()
    assert VALUES[0, 0] == 9  # what was passed is left as it is
    assert display.marks_ is None
    assert display.ax_.get_legend() is None
    assert display.figure_ is display.ax_.figure


def test_rows_are_from_and_columns_are_to():
    ax = PairwiseDependenceDisplay(VALUES, feature_names=NAMES).plot().ax_
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("from", "to")
    assert texts(ax.get_yticklabels()) == texts(ax.get_xticklabels()) == NAMES
    assert ax.yaxis_inverted()  # the first row is at the top
    ax = PairwiseDependenceDisplay(VALUES + VALUES.T).plot().ax_
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("", "")


def test_dollars_in_names_are_no_mathematics():
    names = ["cost $ and price $", r"no $\symbol$", "$"]
    display = PairwiseDependenceDisplay(VALUES, feature_names=names).plot()
    display.figure_.canvas.draw()
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        assert texts(axis.get_ticklabels()) == names
        assert not any(label.get_parse_math() for label in axis.get_ticklabels())


def test_significant_cells_are_marked_in_a_colour_that_is_seen():
    display = PairwiseDependenceDisplay(VALUES, pvalues=PVALUES).plot()
    assert marked(display) == {(0, 1), (0, 2), (2, 0)}
    on_dark = dict(
        zip(
            map(tuple, display.marks_.get_offsets().astype(int).tolist()),
            display.marks_.get_facecolors()[:, 0],
            strict=True,
        )
    )
    assert on_dark == {(1, 0): 0, (2, 0): 1, (0, 2): 1}
    assert texts(display.ax_.get_legend().get_texts()) == ["adjusted p ≤ 0.05"]


def test_alpha_decides_what_is_marked():
    display = PairwiseDependenceDisplay(VALUES, pvalues=PVALUES, alpha=0.07).plot()
    assert marked(display) == {(0, 1), (0, 2), (1, 0), (2, 0)}
    display = PairwiseDependenceDisplay(VALUES, pvalues=PVALUES, alpha=0.001).plot()
    assert marked(display) == set()


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([[0, 0.5], [0.2, 0]], (0, 0.5)),
        ([[0, 0.5], [-0.01, 0]], (0, 0.5)),  # chance
        ([[0, 0.5], [-0.4, 0]], (-0.4, 0.5)),
        ([[0, -0.5], [-0.4, 0]], (-0.5, 0)),
        ([[0, 0], [0, 0]], (0, 1)),
        ([[1]], (0, 1)),
        ([[0, np.nan], [0.3, 0]], (0, 0.3)),
    ],
)
def test_colours_begin_at_zero_unless_values_are_far_below(values, limits):
    display = PairwiseDependenceDisplay(values).plot()
    assert display.image_.get_clim() == limits


def test_a_result_is_drawn_with_its_names_and_adjusted_pvalues(table):
    result = pairwise_dependence(table, n_permutations=59, random_state=0)
    display = PairwiseDependenceDisplay.from_result(result)
    assert display.pvalues is result.pvalues_adjusted
    assert marked(display) == {(0, 1), (1, 0)}
    assert texts(display.ax_.get_xticklabels()) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("mutual_information", "Mutual information (nats)"),
        ("hypercontractivity", "Potential correlation"),
        ("maximal_correlation", "Maximal correlation"),
        (np.dot, "dot"),
    ],
)
def test_the_colour_bar_says_what_the_values_are(table, measure, name):
    display = PairwiseDependenceDisplay.from_data(table, measure=measure)
    assert display.colorbar_.ax.get_ylabel() == name
    display = PairwiseDependenceDisplay.from_data(
        table, measure=measure, score_name="own"
    )
    assert display.colorbar_.ax.get_ylabel() == "own"


def test_data_are_drawn_as_their_result(table):
    parameters = {
        "measure_params": {"n_neighbors": 3},
        "n_permutations": 9,
        "random_state": 1,
    }
    result = pairwise_dependence(table, **parameters)
    display = PairwiseDependenceDisplay.from_data(table, alpha=0.2, **parameters)
    np.testing.assert_array_equal(display.values, result.values)
    np.testing.assert_array_equal(display.pvalues, result.pvalues_adjusted)
    assert display.alpha == 0.2


def test_given_axes_are_used():
    _, ax = plt.subplots()
    assert PairwiseDependenceDisplay(VALUES).plot(ax).ax_ is ax


def test_features_without_names_are_numbered_and_long_ones_shortened():
    display = PairwiseDependenceDisplay(VALUES).plot()
    assert texts(display.ax_.get_yticklabels()) == ["x0", "x1", "x2"]
    display = PairwiseDependenceDisplay(VALUES, feature_names=["a", "b" * 26, "c"])
    assert texts(display.plot().ax_.get_yticklabels())[1] == "b" * 9 + "…" + "b" * 15


@pytest.mark.parametrize("n_features", [2, 30, 120])
def test_names_fit_in_their_cells(n_features):
    display = PairwiseDependenceDisplay(np.ones((n_features, n_features))).plot()
    display.figure_.draw_without_rendering()
    cell = display.ax_.get_window_extent().height / n_features
    heights = [
        label.get_window_extent().height for label in display.ax_.get_yticklabels()
    ]
    assert max(heights) < 1.5 * cell


@pytest.mark.parametrize(
    ("values", "parameters", "message"),
    [
        (np.ones((2, 3)), {}, r"values has the shape \(2, 3\)"),
        (np.ones(3), {}, "Pass a square matrix"),
        (np.ones((0, 0)), {}, "Pass a square matrix"),
        (VALUES, {"feature_names": ["a"]}, "feature_names has 1 entries"),
        (VALUES, {"pvalues": [[0.1]]}, r"pvalues has the shape \(1, 1\)"),
        (VALUES, {"alpha": 5}, "alpha=5 must lie strictly"),
    ],
)
def test_bad_input_is_named(values, parameters, message):
    with pytest.raises(ValueError, match=message):
        PairwiseDependenceDisplay(values, **parameters).plot()


def test_a_wrong_alpha_fails_before_any_work():
    with pytest.raises(ValueError, match="alpha=1 must lie strictly"):
        PairwiseDependenceDisplay.from_data("never read", alpha=1)


def test_other_results_are_refused(table):
    with pytest.raises(TypeError, match=r"result is a DataFrame\. Pass what"):
        PairwiseDependenceDisplay.from_result(table)
