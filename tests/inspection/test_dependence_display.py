import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline

from skinfo import HypercontractivityCoef, MixedMutualInfo, mixed_mutual_info
from skinfo.inspection import DependenceDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def selector():
    rng = np.random.default_rng(0)
    y = rng.normal(size=80)
    X = pd.DataFrame({"noise": rng.normal(size=80), "signal": y, "zeros": y * (y > 0)})
    selector = MixedMutualInfo(
        n_features_to_select=2, n_permutations=19, random_state=0
    )
    return selector.fit(X, y)


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_bars_show_the_scores_from_the_largest_down(selector):
    display = DependenceDisplay.from_estimator(selector)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_array_equal(widths, np.sort(selector.scores_)[::-1])
    assert labels(display.ax_) == ["signal", "zeros", "noise"]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.yaxis_inverted()


def test_band_is_the_quantile_of_the_null_distribution(selector):
    display = DependenceDisplay.from_estimator(selector, null_quantile=0.8)
    band = display.ax_.containers[0]
    edges = np.quantile(selector.null_distribution_[[1, 2, 0]], [0.2, 0.8], axis=1)
    np.testing.assert_allclose([bar.get_x() for bar in band], edges[0])
    np.testing.assert_allclose([bar.get_width() for bar in band], edges[1] - edges[0])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["20% to 80% of permutations", "selected", "not selected"]


def test_features_that_are_not_selected_are_paler(selector):
    display = DependenceDisplay.from_estimator(selector)
    colours = [bar.get_facecolor() for bar in display.bars_]
    assert colours[0] == colours[1] != colours[2]


def test_only_the_best_features_are_drawn(selector):
    display = DependenceDisplay.from_estimator(selector, max_features=2)
    assert labels(display.ax_) == ["signal", "zeros"]
    assert labels(display.plot(max_features=None).ax_) == ["signal", "zeros", "noise"]


def test_given_axes_are_used(selector):
    _, ax = plt.subplots()
    assert DependenceDisplay.from_estimator(selector, ax=ax).ax_ is ax


def test_features_without_names_are_numbered():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    display = DependenceDisplay.from_estimator(MixedMutualInfo().fit(X, y))
    assert sorted(labels(display.ax_)) == ["x0", "x1"]
    assert display.ax_.get_legend() is None


def test_long_names_are_shortened():
    names = ["x" * 40, "y" * 41]
    display = DependenceDisplay([0.2, 0.1], feature_names=names).plot()
    assert labels(display.ax_) == ["x" * 40, "y" * 24 + "…" + "y" * 15]


def test_dollars_in_names_are_no_mathematics():
    names = ["cost $ and price $", r"no $\symbol$"]
    display = DependenceDisplay([0.2, 0.1], feature_names=names).plot()
    display.figure_.canvas.draw()
    assert labels(display.ax_) == names
    assert not any(label.get_parse_math() for label in display.ax_.get_yticklabels())


def test_scores_alone_make_a_display():
    display = DependenceDisplay([0.1, 0.3], feature_names=["a", "b"], score_name="s")
    assert labels(display.plot().ax_) == ["b", "a"]
    assert display.ax_.get_xlabel() == "s"


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (MixedMutualInfo(), "Mutual information (nats)"),
        (HypercontractivityCoef(), "Potential correlation"),
        (SelectKBest(mixed_mutual_info, k=1), "Mutual information (nats)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_axis_says_what_the_estimator_scores(estimator, name):
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30.0)
    display = DependenceDisplay.from_estimator(estimator.fit(X, y))
    assert display.ax_.get_xlabel() == name
    display = DependenceDisplay.from_estimator(estimator, score_name="bits")
    assert display.ax_.get_xlabel() == "bits"


def test_bad_input_is_named(selector):
    with pytest.raises(NotFittedError):
        DependenceDisplay.from_estimator(MixedMutualInfo())
    with pytest.raises(ValueError, match="max_features=0 must be at least 1"):
        DependenceDisplay.from_estimator(selector, max_features=0)
    with pytest.raises(ValueError, match=r"95 must lie strictly .*null_quantile=0\.95"):
        DependenceDisplay.from_estimator(selector, null_quantile=95)
    for quantile in (0.1, 0.5):
        message = rf"null_quantile={quantile} must be above 0\.5.*=0\.95"
        with pytest.raises(ValueError, match=message):
            DependenceDisplay.from_estimator(selector, null_quantile=quantile)
    with pytest.raises(TypeError, match="estimator is a Pipeline"):
        DependenceDisplay.from_estimator(make_pipeline(selector))
    with pytest.raises(
        ValueError, match="support has 1 entries, but there are 2 scores"
    ):
        DependenceDisplay([1, 2], feature_names=["a", "b"], support=[True]).plot()
