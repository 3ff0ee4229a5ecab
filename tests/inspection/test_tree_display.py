import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError

from skinfo.dependence.inference._tree import ChowLiuTree
from skinfo.inspection import ChowLiuTreeDisplay
from skinfo.inspection._tree import layered_layout

CHAIN = [[0, 1], [1, 2], [2, 3], [3, 4]]
STAR = [[0, 3], [1, 3], [2, 3]]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def random_tree(n_nodes, seed):
    rng = np.random.default_rng(seed)
    names = rng.permutation(n_nodes)
    return np.array(
        [[names[rng.integers(node)], names[node]] for node in range(1, n_nodes)]
    )


def test_a_fitted_tree_is_drawn_with_its_names_and_values():
    X = np.random.default_rng(0).normal(size=(200, 4)).cumsum(axis=1)
    tree = ChowLiuTree().fit(pd.DataFrame(X, columns=list("abcd")))
    display = ChowLiuTreeDisplay.from_estimator(tree)
    values = tree.mutual_information_[*tree.edges_.T]
    assert texts(display) == [*(f"{value:.2f}" for value in values), *"abcd"]
    assert display.figure_ is display.ax_.figure
    widths = display.lines_.get_linewidths()
    assert np.all(np.diff(widths) <= 0)
    assert len(display.lines_.get_segments()) == 3


def test_dollars_in_names_are_no_mathematics():
    names = ["cost $ and price $", r"no $\symbol$"]
    display = ChowLiuTreeDisplay([[0, 1]], [0.3], feature_names=names).plot()
    display.figure_.canvas.draw()
    assert texts(display) == ["0.30", *names]
    assert not any(text.get_parse_math() for text in display.ax_.texts)


def test_edges_end_at_the_names_and_numbers_are_between_them():
    display = ChowLiuTreeDisplay(STAR, [0.3, 0.2, 0.1], feature_names="abcd").plot()
    place = {
        text.get_text(): np.array(text.get_position()) for text in display.ax_.texts
    }
    for edge, name, number in zip(
        display.lines_.get_segments(), "abc", ["0.30", "0.20", "0.10"], strict=True
    ):
        np.testing.assert_allclose(edge, [place[name], place["d"]])
        np.testing.assert_allclose(place[number], (place[name] + place["d"]) / 2)


def test_layout_begins_at_the_centre():
    columns, rows = layered_layout(np.array(CHAIN))
    assert columns.tolist() == [2, 1, 0, 1, 2]
    assert rows.tolist() == [0, 0, 0.5, 1, 1]
    columns, rows = layered_layout(np.array(STAR))
    assert columns.tolist() == [1, 1, 1, 0]
    assert rows.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_layout_of_a_random_tree_has_no_two_nodes_in_one_place(seed):
    edges = random_tree(30, seed)
    columns, rows = layered_layout(edges)
    assert np.all(np.abs(np.diff(columns[edges], axis=1)) == 1)
    degrees = np.bincount(edges.ravel())
    leaves = (degrees == 1) & (columns > 0)
    assert sorted(rows[leaves]) == list(range(leaves.sum()))
    assert len(set(zip(columns, rows, strict=True))) == 30


def test_a_long_chain_is_no_recursion():
    nodes = np.arange(5000)
    columns, _ = layered_layout(np.column_stack([nodes, nodes + 1]))
    assert columns.max() == 2500


@pytest.mark.parametrize("edges", [[], [[0, 1]], CHAIN])
def test_small_trees_are_drawn(edges):
    display = ChowLiuTreeDisplay(edges, [0.5] * len(edges)).plot()
    assert texts(display)[len(edges) :] == [f"x{j}" for j in range(len(edges) + 1)]


def test_trees_without_information_are_drawn():
    display = ChowLiuTreeDisplay([[0, 1], [1, 2]], [0.0, -0.01]).plot()
    assert texts(display)[:2] == ["0.00", "-0.01"]
    display = ChowLiuTreeDisplay([[0, 1]], [-0.001]).plot()
    assert texts(display)[0] == "0.00"
    assert len(set(display.lines_.get_linewidths())) == 1


@pytest.mark.parametrize("length", [1, 12, 60])
def test_names_do_not_overlap(length):
    edges = random_tree(20, 0)
    names = [chr(ord("a") + j) * length for j in range(20)]
    display = ChowLiuTreeDisplay(edges, np.ones(19), feature_names=names).plot()
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    overlaps = [
        (i, j)
        for i, one in enumerate(boxes)
        for j, other in enumerate(boxes[:i])
        if one.overlaps(other)
    ]
    assert overlaps == []


def test_given_axes_are_used():
    _, ax = plt.subplots()
    assert ChowLiuTreeDisplay(STAR, [1, 1, 1]).plot(ax).ax_ is ax


@pytest.mark.parametrize(
    ("edges", "values", "names", "message"),
    [
        ([[0, 1], [1, 0]], [1, 1], None, "edges do not form a tree"),
        ([[0, 1], [1, 2], [2, 0]], [1, 1, 1], None, "edges do not form a tree"),
        ([[0, 1], [0, 1], [2, 3]], [1, 1, 1], None, "edges do not form a tree"),
        ([[0, 2]], [1], None, "edges do not form a tree"),
        ([[-1, 0]], [1], None, "edges do not form a tree"),
        ([0, 1], [1], None, "edges do not form a tree"),
        ([[0, 1, 2]], [1], None, "edges do not form a tree"),
        ([[0.5, 1.0]], [1], None, "edges do not form a tree"),
        ([["a", "b"]], [1], None, "edges do not form a tree"),
        (STAR, [1], None, r"mutual_information has the shape \(1,\), but .* 3 edges"),
        (STAR, 1.0, None, r"mutual_information has the shape \(\), but .* 3 edges"),
        (STAR, [1, 1, 1], ["a"], "feature_names has 1 entries, but there are 4"),
    ],
)
def test_what_is_no_tree_is_refused(edges, values, names, message):
    with pytest.raises(ValueError, match=message):
        ChowLiuTreeDisplay(edges, values, feature_names=names).plot()


def test_estimators_that_have_no_tree_are_refused():
    with pytest.raises(NotFittedError):
        ChowLiuTreeDisplay.from_estimator(ChowLiuTree())
    with pytest.raises(TypeError, match=r"estimator is a dict\. Pass a fitted Chow"):
        ChowLiuTreeDisplay.from_estimator({})
