import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV

from skinfo import RDCompressor
from skinfo.compression._curve import RateDistortionCurve, rate_distortion_curve
from skinfo.inspection import RateDistortionDisplay

RATES = [4, 2, 3]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    return make_regression(200, 30, noise=1, random_state=0)


@pytest.fixture(scope="module")
def compressor(data):
    model = FrozenEstimator(LinearRegression().fit(*data))
    return RDCompressor(model, n_bytes=60, damping=1e-3).fit(data[0])


@pytest.fixture
def curve():
    return RateDistortionCurve(
        rates=np.array([4.1, 2.1, 3.1]),
        n_bytes=np.array([40, 20, 30]),
        distortions=np.array([1.0, 16.0, 4.0]),
        relative_distortions=np.array([0.01, 0.16, 0.04]),
        gaussian_rates=np.array([3.0, 1.0, 2.0]),
    )


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.lines}


def test_a_curve_is_what_a_compressor_of_each_rate_says(compressor, data):
    found = rate_distortion_curve(compressor, data[0], RATES)
    for i, rate in enumerate(RATES):
        model = FrozenEstimator(compressor.estimator_)
        alone = RDCompressor(model, rate=rate, damping=1e-3).fit(data[0])
        assert found.rates[i] == alone.rate_
        assert found.n_bytes[i] == alone.n_bytes_ == len(alone.to_bytes())
        assert found.distortions[i] == alone.distortion_
        assert found.relative_distortions[i] == alone.relative_distortion_
        assert found.gaussian_rates[i] == alone.gaussian_rate_


def test_a_curve_falls_with_the_rate(compressor, data):
    found = rate_distortion_curve(compressor, data[0], sorted(RATES))
    assert np.all(np.diff(found.n_bytes) > 0)
    # a bit more divides the distortion by about 4; by 2 at least
    assert np.all(found.distortions[1:] < found.distortions[:-1] / 2)
    assert np.all(np.diff(found.gaussian_rates) > 0)


def test_a_curve_changes_neither_the_compressor_nor_its_model(compressor, data):
    before = compressor.to_bytes(), compressor.estimator_.coef_.copy()
    parameters = compressor.get_params()
    rate_distortion_curve(compressor, data[0], [1])
    assert compressor.to_bytes() == before[0]
    assert_array_equal(compressor.estimator_.coef_, before[1])
    assert compressor.get_params() == parameters


def test_a_curve_is_of_the_fitted_model_not_of_a_new_one(data):
    X, y = data
    compressor = RDCompressor(LinearRegression(), rate=3, random_state=0).fit(X, y)
    found = rate_distortion_curve(compressor, X[:50], [3])
    frozen = (
        clone(compressor)
        .set_params(estimator=FrozenEstimator(compressor.estimator_))
        .fit(X[:50])
    )
    assert found.distortions[0] == frozen.distortion_


def test_a_curve_takes_scalars_sparse_samples_and_frames(data):
    X, y = np.where(np.abs(data[0]) > 0.5, data[0], 0), data[1]
    dense = RDCompressor(LinearRegression()).fit(X, y)
    one = rate_distortion_curve(dense, X, 2)
    assert one.rates.shape == (1,)
    sparse = rate_distortion_curve(dense, csr_array(X), 2)
    assert_allclose(sparse.relative_distortions, one.relative_distortions, rtol=0.1)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(30)])
    fitted = RDCompressor(LinearRegression()).fit(frame, y)
    named = rate_distortion_curve(fitted, frame, 2)
    assert_array_equal(named.rates, one.rates)


def test_targets_reach_the_importances_of_the_loss(data):
    model = FrozenEstimator(LinearRegression().fit(*data))
    compressor = RDCompressor(model, method="kmeans", importance="gradient", rate=3)
    compressor.fit(*data)
    found = rate_distortion_curve(compressor, data[0], [3], data[1])
    assert found.distortions[0] == compressor.distortion_
    with pytest.raises(ValueError, match="y"):
        rate_distortion_curve(compressor, data[0], [3])


@pytest.mark.parametrize(
    ("rates", "error", "message"),
    [
        ([], ValueError, r"rates is empty\. Pass at least one"),
        ([1, 0], ValueError, "rates=0 must be positive"),
        ([np.nan], ValueError, "rates=nan must be positive and finite"),
        (["2"], TypeError, "rates='2' must be a number, not str"),
    ],
)
def test_bad_rates_are_named(compressor, data, rates, error, message):
    with pytest.raises(error, match=message):
        rate_distortion_curve(compressor, data[0], rates)


def test_methods_and_estimators_without_a_curve_are_named(data):
    pruned = RDCompressor(LinearRegression(), method="prune_refit").fit(*data)
    with pytest.raises(ValueError, match="method='prune_refit' is set by sparsity"):
        rate_distortion_curve(pruned, data[0], [2])
    unfitted = RDCompressor(LinearRegression())
    with pytest.raises(NotFittedError):
        rate_distortion_curve(unfitted, data[0], [2])
    with pytest.raises(NotFittedError):
        RateDistortionDisplay.from_estimator(unfitted, data[0])
    search = GridSearchCV(unfitted, {"rate": [2]})
    with pytest.raises(TypeError, match=r"GridSearchCV\. Pass a fitted RDCompressor"):
        RateDistortionDisplay.from_estimator(search, data[0])


def test_distortions_are_drawn_by_increasing_rate(curve):
    display = RateDistortionDisplay(curve).plot()
    expected = [[2.1, 0.16], [3.1, 0.04], [4.1, 0.01]]
    assert_array_equal(display.line_.get_xydata(), expected)
    assert display.ax_.get_yscale() == "log"
    assert display.figure_ is display.ax_.figure
    assert display.score_ax_ is None


def test_the_reference_has_the_same_distortions_at_the_rates_of_normal_weights(curve):
    display = RateDistortionDisplay(curve).plot()
    reference = lines(display.ax_)["normal weights"]
    assert_array_equal(reference, [[1, 0.16], [2, 0.04], [3, 0.01]])


def test_scores_have_axes_of_their_own_with_the_original_one(curve):
    display = RateDistortionDisplay(
        curve, scores=[0.9, 0.7, 0.8], original_score=0.95, score_name="Accuracy"
    ).plot()
    found = lines(display.score_ax_)
    assert_array_equal(
        found["Accuracy, compressed"], [[2.1, 0.7], [3.1, 0.8], [4.1, 0.9]]
    )
    assert_array_equal(found["Accuracy, original"][:, 1], [0.95, 0.95])
    assert display.score_ax_.get_ylabel() == "Accuracy"
    assert display.score_ax_.bbox.bounds == display.ax_.bbox.bounds
    entries = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert len(entries) == 4


def test_either_of_the_scores_may_be_left_out(curve):
    alone = RateDistortionDisplay(curve, scores=[0.9, 0.7, 0.8]).plot()
    assert list(lines(alone.score_ax_)) == ["Score, compressed"]
    original = RateDistortionDisplay(curve, original_score=1).plot()
    assert list(lines(original.score_ax_)) == ["Score, original"]


def test_scores_of_another_number_are_named(curve):
    with pytest.raises(ValueError, match=r"curve\.rates has 3, scores has 2"):
        RateDistortionDisplay(curve, scores=[1, 2]).plot()


def test_a_model_that_loses_nothing_is_drawn():
    zero = np.zeros(2)
    nothing = RateDistortionCurve(np.array([1.0, 2.0]), zero, zero, zero, zero)
    display = RateDistortionDisplay(nothing).plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_yscale() == "linear"


def test_a_fitted_compressor_is_drawn_with_its_scores(compressor, data):
    _, ax = plt.subplots()
    display = RateDistortionDisplay.from_estimator(
        compressor, *data, rates=RATES, score_name="R^2", ax=ax
    )
    assert display.ax_ is ax
    found = rate_distortion_curve(compressor, data[0], RATES)
    assert_array_equal(display.curve.distortions, found.distortions)
    assert display.original_score == compressor.estimator_.score(*data)
    model = FrozenEstimator(compressor.estimator_)
    for rate, score in zip(RATES, display.scores, strict=True):
        alone = RDCompressor(model, rate=rate, damping=1e-3).fit(data[0])
        assert score == alone.score(*data)


def test_without_targets_there_are_no_scores(compressor, data):
    display = RateDistortionDisplay.from_estimator(compressor, data[0], rates=[2, 3])
    assert display.scores is None
    assert display.score_ax_ is None


def test_classifiers_are_drawn_at_the_default_rates():
    X, y = load_digits(n_class=2, return_X_y=True)
    model = LogisticRegression().fit(X / 16, y)
    compressor = RDCompressor(FrozenEstimator(model), method="kmeans").fit(X / 16)
    display = RateDistortionDisplay.from_estimator(compressor, X / 16, y)
    assert len(display.line_.get_xdata()) == 6
    assert display.original_score == 1
