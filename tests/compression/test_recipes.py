"""The recipes of doc/contributing.rst, followed word for word."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import expit
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPRegressor

from skinfo import RDCompressor, compress, load_compressed
from skinfo.compression.file._coded_model import CodedLayer, with_biases
from skinfo.compression.models._families import FAMILIES, ModelFamily
from skinfo.compression.models._links import LINKS, Link, OutputMetric
from skinfo.compression.schemes._methods import METHODS, Method
from skinfo.compression.schemes._search import meet
from skinfo.compression.schemes._target import Target, bits_per_weight, coded_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)) @ np.linalg.cholesky(np.full((6, 6), 0.4) + np.eye(6)).T
SCORES = X @ RNG.normal(size=(6, 3)) + RNG.normal(size=(300, 3))


def assert_file_predicts_the_same_bits(compressor, path):
    """Assert it for all that the saved model predicts, and return that model."""
    compressor.save(path)
    loaded = load_compressed(path)
    assert type(loaded) is type(compressor.estimator_)
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(compressor, method):
            assert_array_equal(
                getattr(loaded, method)(X), getattr(compressor, method)(X), strict=True
            )
    return loaded


# ----- add a model class

DISCRIMINANT = ModelFamily(
    id=72,
    name="LinearDiscriminantAnalysis",
    module="sklearn.discriminant_analysis",
    links={"softmax": {}, "logistic": {}},
    read_link=lambda model: "softmax" if len(model.classes_) > 2 else "logistic",
    is_classifier=True,
)


def test_class_without_a_row_is_refused_by_name():
    model = LinearDiscriminantAnalysis().fit(X, SCORES.argmax(axis=1))
    with pytest.raises(
        TypeError, match=r"LinearDiscriminantAnalysis cannot be compressed.*Ridge"
    ):
        compress(model, X)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_row_adds_a_model_class(monkeypatch, tmp_path, n_classes):
    monkeypatch.setitem(FAMILIES, DISCRIMINANT.id, DISCRIMINANT)
    y = np.array(["a", "b", "c"])[SCORES[:, :n_classes].argmax(axis=1)]
    model = LinearDiscriminantAnalysis().fit(X, y)
    compressor = RDCompressor(FrozenEstimator(model), rate=5).fit(X)
    loaded = assert_file_predicts_the_same_bits(compressor, tmp_path / "model")
    assert np.mean(loaded.predict(X) == model.predict(X)) > 0.97
    assert 0 < compressor.relative_distortion_ < 0.01


# ----- add a link


class SoftplusRegressor(LinearRegression):
    """A regression whose predictions are positive: log(1 + exp(X @ coef_ + b))."""

    def predict(self, X):
        return np.logaddexp(0, super().predict(X))


# p = log(1 + e^z) has the derivatives s = expit(z) and s (1 - s)
SOFTPLUS = Link(
    id=7,
    name="softplus",
    function=lambda raw: np.logaddexp(0, raw),
    inverse=lambda means: means + np.log(-np.expm1(-np.maximum(means, 1e-12))),
    slope=lambda raw, _: expit(raw),
    curvature=lambda raw, _: OutputMetric(expit(raw) ** 2),
    loss_curvature=lambda raw, p, y: OutputMetric(
        expit(raw) ** 2 + (p - y) * expit(raw) * expit(-raw)
    ),
)
SOFTPLUS_FAMILY = ModelFamily(
    id=73, name="SoftplusRegressor", module=__name__, links={"softplus": {}}
)


@pytest.mark.parametrize("importance", ["kl", "gradient+hessian"])
def test_one_object_adds_a_link(monkeypatch, tmp_path, importance):
    monkeypatch.setitem(LINKS, SOFTPLUS.name, SOFTPLUS)
    monkeypatch.setitem(FAMILIES, SOFTPLUS_FAMILY.id, SOFTPLUS_FAMILY)
    y = SCORES[:, 0]
    model = SoftplusRegressor().fit(X, y)
    by_default = RDCompressor(FrozenEstimator(model), distortion=0.02).fit(X, y)
    by_kmeans = RDCompressor(
        FrozenEstimator(model), method="kmeans", importance=importance, distortion=0.02
    ).fit(X, y)
    for i, compressor in enumerate((by_default, by_kmeans)):
        assert_file_predicts_the_same_bits(compressor, tmp_path / str(i))
        assert 0 < compressor.relative_distortion_ <= 0.02
        change = compressor.predict(X) - model.predict(X)
        assert compressor.distortion_ == pytest.approx(np.mean(change**2), rel=1e-9)


# ----- add a compression method


def uniform(problem):
    """Round all weights to multiples of one step, the finest that the rate affords."""
    stack = problem.stack

    def rounded(log_step):
        step = float(np.float32(2.0**log_step))
        layers = []
        for layer in stack.layers:
            codes = np.rint(layer.weights / step).astype(np.int64)
            zeros = np.zeros(len(layer.biases), dtype=np.int64)
            coded = CodedLayer(codes, step, None, None, zeros, 0)
            layers.append(with_biases(coded, layer.biases, step**2 / 12))
        return coded_model(stack, layers)

    def rate(log_step):
        return bits_per_weight(rounded(log_step))

    return rounded(meet(rate, problem.target.amount, start=-2.0, slope=-1.0))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("given", [{}, {"rate": 6.0}])
@pytest.mark.parametrize("name", ["regression", "classifier", "network"])
def test_one_entry_adds_a_method(monkeypatch, tmp_path, name, given):
    monkeypatch.setitem(
        METHODS, "uniform", Method(uniform, ("rate",), Target("rate", 5.0))
    )
    model, y = {
        "regression": (LinearRegression(), SCORES),
        "classifier": (LogisticRegression(), SCORES.argmax(axis=1)),
        "network": (
            MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0),
            SCORES,
        ),
    }[name]
    compressor = RDCompressor(model, method="uniform", **given).fit(X, y)
    assert_file_predicts_the_same_bits(compressor, tmp_path / "model")
    assert bits_per_weight(compressor._coded) <= given.get("rate", 5.0)
    assert 0 < compressor.relative_distortion_ < 0.1
    curve = compressor.rate_distortion_curve(X, [4, 8])
    assert curve.distortions[1] < curve.distortions[0]


def test_method_refuses_what_does_not_set_its_size(monkeypatch):
    monkeypatch.setitem(
        METHODS, "uniform", Method(uniform, ("rate",), Target("rate", 5.0))
    )
    compressor = RDCompressor(LinearRegression(), method="uniform", n_bytes=100)
    with pytest.raises(ValueError, match="'uniform' is set by rate, not by n_bytes"):
        compressor.fit(X, SCORES)


def test_method_without_an_entry_is_refused():
    with pytest.raises(ValueError, match="method='uniform' is not a known option"):
        RDCompressor(LinearRegression(), method="uniform").fit(X, SCORES)
