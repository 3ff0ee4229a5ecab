"""RDCompressor and compress, on models of scikit-learn."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from scipy.special import rel_entr
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from skinfo import RDCompressor, compress, load_compressed
from skinfo.compression.distortion._importance import IMPORTANCES
from skinfo.compression.schemes._methods import METHODS

D = 8

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_data(n=160, seed=0, d=D):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ np.linalg.cholesky(np.full((d, d), 0.4) + np.eye(d)).T
    scores = X @ np.random.default_rng(99).normal(size=(d, 3))
    return X, scores + rng.normal(size=scores.shape)


X, SCORES = make_data()
LABELS = np.array(["low", "mid", "top"])[SCORES.argmax(axis=1)]
NETWORK = {
    "hidden_layer_sizes": (6,),
    "max_iter": 60,
    "learning_rate_init": 0.01,
    "random_state": 0,
}
MODELS = {
    "LinearRegression": (LinearRegression(), SCORES[:, 0]),
    "several outputs": (Ridge(), SCORES),
    "one column": (LinearRegression(), SCORES[:, :1]),
    "without intercept": (LinearRegression(fit_intercept=False), SCORES[:, 0]),
    "Lasso": (Lasso(0.1), SCORES[:, 0]),
    "PoissonRegressor": (PoissonRegressor(), np.exp(SCORES[:, 0] / 9)),
    "binary LogisticRegression": (LogisticRegression(), SCORES[:, 0] > 0),
    "LogisticRegression": (LogisticRegression(), LABELS),
    "RidgeClassifier": (RidgeClassifier(), LABELS),
    "several labels": (RidgeClassifier(), (SCORES > 0).astype(int)),
    "LinearSVC": (LinearSVC(), SCORES[:, 0] > 0),
    "SGDClassifier": (SGDClassifier(random_state=0), LABELS),
    "MLPClassifier": (MLPClassifier(**NETWORK), LABELS),
    "binary MLPClassifier": (MLPClassifier(**NETWORK), SCORES[:, 0] > 0),
    "MLPClassifier of labels": (MLPClassifier(**NETWORK), (SCORES > 0).astype(int)),
    "MLPRegressor": (MLPRegressor(**NETWORK), SCORES[:, 0]),
    "MLPRegressor of outputs": (MLPRegressor(**NETWORK), SCORES),
    "deep": (MLPRegressor(**NETWORK | {"hidden_layer_sizes": (6, 5, 4)}), SCORES),
}
SOME = (
    "several outputs",
    "LogisticRegression",
    "MLPClassifier",
    pytest.param("MLPRegressor", marks=pytest.mark.slow),
)


@cache
def fitted(name):
    model, y = MODELS[name]
    return clone(model).fit(X, y)


@cache
def compressed(name, **params):
    """Return the compressor of a fitted model; tests do not change it."""
    _, y = MODELS[name]
    compressor = RDCompressor(FrozenEstimator(fitted(name)), random_state=0, **params)
    return compressor.fit(X, y)


def predictions(model, X=X):
    names = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    return {name: getattr(model, name)(X) for name in names if hasattr(model, name)}


def assert_same_predictions(one, other, X=X):
    expected, found = predictions(one, X), predictions(other, X)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        assert_array_equal(found[name], values)


# What every method gives for every model


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_file_predicts_as_the_compressed_model(name, method):
    compressor = compressed(name, method=method)
    data = compressor.to_bytes()
    assert len(data) == compressor.n_bytes_
    loaded = load_compressed(data)
    assert type(loaded) is type(fitted(name))
    assert_same_predictions(compressor.compressed_estimator_, loaded)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_attributes_are_what_their_names_say(name, method):
    compressor, model = compressed(name, method=method), fitted(name)
    assert compressor.estimator_ is model
    stacked = [model.coef_.T] if hasattr(model, "coef_") else model.coefs_
    n_weights = sum(weights.size for weights in stacked)
    n_outputs = [1 if each.ndim == 1 else each.shape[1] for each in stacked]
    numbers = n_weights + sum(n_outputs)
    assert compressor.compression_ratio_ == 4 * numbers / compressor.n_bytes_
    assert 0 < compressor.rate_ <= 8 * compressor.n_bytes_ / n_weights
    assert compressor.distortion_ >= 0
    assert compressor.gaussian_rate_ >= 0
    assert -1 < compressor.orthogonality_gap_ < 1
    shapes = [np.atleast_2d(each.T).T.shape for each in stacked]
    assert [report.shape for report in compressor.layers_] == shapes


@pytest.mark.parametrize("name", MODELS)
def test_distortion_is_that_of_the_predictions(name):
    compressor, model = compressed(name), fitted(name)
    if isinstance(model, (LogisticRegression, MLPClassifier)):
        p, q = model.predict_proba(X), compressor.predict_proba(X)
        expected = rel_entr(p, q)
        if name == "MLPClassifier of labels":
            expected = expected + rel_entr(1 - p, 1 - q)
    elif hasattr(model, "decision_function"):
        expected = (model.decision_function(X) - compressor.decision_function(X)) ** 2
    else:
        expected = (model.predict(X) - compressor.predict(X)) ** 2
    expected = np.sum(expected) / len(X)
    # probabilities near 0 lose digits in 1 - p
    assert_allclose(compressor.distortion_, expected, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_three_bits_keep_most_of_the_predictions(name):
    compressor = compressed(name)
    assert compressor.relative_distortion_ < 0.1
    _, y = MODELS[name]
    assert compressor.score(X, y) > fitted(name).score(X, y) - 0.05


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
def test_original_model_is_not_changed(name, method):
    model = copy.deepcopy(fitted(name))
    before = pickle.dumps(model)
    RDCompressor(FrozenEstimator(model), method=method).fit(X)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
def test_compressed_model_is_an_ordinary_one_without_the_state_of_training(
    name, method
):
    model = compressed(name, method=method).compressed_estimator_
    assert type(model) is type(fitted(name))
    assert model.get_params() == fitted(name).get_params()
    check_is_fitted(model)
    assert not hasattr(model, "_optimizer")
    assert clone(model).fit(X, MODELS[name][1]).score(X, MODELS[name][1]) > 0


def test_pruned_weights_are_zero_in_the_model():
    model = compressed("LogisticRegression", method="prune_refit", sparsity=0.5)
    assert np.mean(model.compressed_estimator_.coef_ == 0) >= 0.5
    assert model.layers_[0].sparsity >= 0.5


# Targets


@pytest.mark.parametrize("n_bytes", [60, 110])
@pytest.mark.parametrize("method", ["rate_distortion", "kmeans"])
@pytest.mark.parametrize("name", SOME)
def test_number_of_bytes_is_met(name, method, n_bytes):
    if "MLP" in name:
        n_bytes *= 2
    compressor = compressed(name, method=method, n_bytes=n_bytes)
    assert len(compressor.to_bytes()) == compressor.n_bytes_ <= n_bytes


@pytest.mark.parametrize("distortion", [0.3, 0.02])
@pytest.mark.parametrize("method", ["rate_distortion", "kmeans"])
@pytest.mark.parametrize("name", SOME)
def test_distortion_is_met_on_the_data_of_fit(name, method, distortion):
    compressor = compressed(name, method=method, distortion=distortion)
    assert compressor.relative_distortion_ <= distortion


@pytest.mark.parametrize("name", SOME)
def test_rate_is_met_but_for_whole_bytes(name):
    compressor = compressed(name, rate=2.5)
    n_weights = sum(np.prod(report.shape) for report in compressor.layers_)
    # the step of each layer and the end of the coder
    spare = 8 * (4 * len(compressor.layers_) + 3) / n_weights
    assert 2.0 < compressor.rate_ <= 2.5 + spare


@pytest.mark.parametrize("name", ["several outputs", "MLPClassifier"])
def test_more_bytes_mean_less_distortion(name):
    found = [
        compressor.relative_distortion_
        for compressor in (
            compressed(name, rate=1),
            compressed(name),
            compressed(name, rate=6),
        )
    ]
    assert found[0] > 2 * found[1] > 4 * found[2]


def test_default_rate_is_three():
    name = "MLPClassifier"
    assert compressed(name).to_bytes() == compressed(name, rate=3).to_bytes()


def test_default_sparsity_is_nine_tenths():
    name = "MLPClassifier"
    default = compressed(name, method="prune")
    assert (
        default.to_bytes() == compressed(name, method="prune", sparsity=0.9).to_bytes()
    )


def test_feedback_beats_kmeans_by_far():
    name = "MLPClassifier"
    ours = compressed(name, n_bytes=120).distortion_
    assert ours < compressed(name, method="kmeans", n_bytes=120).distortion_ / 4


@pytest.mark.parametrize("importance", IMPORTANCES)
def test_importances_differ(importance):
    name, params = "MLPClassifier", {"method": "kmeans", "rate": 4}
    compressor = compressed(name, importance=importance, **params)
    others = [
        compressed(name, importance=other, **params).to_bytes()
        for other in IMPORTANCES
        if other != importance
    ]
    # "hessian" of relu is "kl", see weight_importance
    n_alike = others.count(compressor.to_bytes())
    assert n_alike == (1 if importance in ("kl", "hessian") else 0)


# Frozen and bare models


def test_frozen_model_is_compressed_as_it_is():
    model = fitted("LogisticRegression")
    compressor = RDCompressor(FrozenEstimator(model)).fit(X[:50])
    assert compressor.estimator_ is model


def test_bare_model_is_refitted():
    model = Ridge().fit(X, SCORES[:, 0])
    compressor = RDCompressor(model, rate=8).fit(X, SCORES[:, 1])
    assert compressor.estimator_ is not model
    assert_array_equal(compressor.estimator_.coef_, Ridge().fit(X, SCORES[:, 1]).coef_)


def test_bare_model_without_targets_names_the_remedies():
    with pytest.raises(ValueError, match=r"FrozenEstimator\(model\).*compress"):
        RDCompressor(Ridge()).fit(X)


def test_compress_equals_the_compressor_of_the_frozen_model():
    model = fitted("MLPClassifier")
    found = compress(model, X, n_bytes=150, random_state=0)
    assert_same_predictions(found, compressed("MLPClassifier", n_bytes=150))


def test_compress_passes_targets_on():
    model = fitted("MLPClassifier")
    found = compress(
        model, X, LABELS, method="kmeans", importance="gradient", random_state=0
    )
    expected = compressed("MLPClassifier", method="kmeans", importance="gradient")
    assert_same_predictions(found, expected)


def test_clone_keeps_a_frozen_model_and_drops_the_fit():
    compressor = clone(compressed("LogisticRegression"))
    assert compressor.estimator.estimator is fitted("LogisticRegression")
    with pytest.raises(NotFittedError):
        compressor.to_bytes()


# Inputs


@pytest.mark.parametrize(
    "as_sparse", [csr_array, pytest.param(csr_matrix, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
def test_sparse_samples_serve_as_dense_ones(name, method, as_sparse):
    dense = np.where(np.abs(X) < 1, 0, X)
    frozen = FrozenEstimator(fitted(name))
    expected, found = (
        RDCompressor(frozen, method=method, random_state=0).fit(samples)
        for samples in (dense, as_sparse(dense))
    )
    # sums in another order: a code may fall to the other side, and others follow, so
    # that another of the settings is the best of these few weights
    assert abs(found.n_bytes_ - expected.n_bytes_) <= 3
    ratio = found.relative_distortion_ / expected.relative_distortion_
    assert 1 / 3 < ratio < 3
    assert_allclose(found.transform(as_sparse(dense)), found.transform(dense))


@pytest.mark.parametrize("name", ["several outputs", "MLPClassifier"])
def test_lists_and_views_serve_as_arrays(name):
    expected = compressed(name).to_bytes()
    frozen = FrozenEstimator(fitted(name))
    for samples in (X.tolist(), X[::-1][::-1]):
        assert RDCompressor(frozen, random_state=0).fit(samples).to_bytes() == expected


def test_names_of_a_dataframe_are_kept_and_saved(tmp_path):
    frame = pd.DataFrame(
        X, columns=[f"feature {i} \N{GREEK SMALL LETTER MU}" for i in range(D)]
    )
    compressor = RDCompressor(Ridge(), rate=4).fit(frame, SCORES[:, 0])
    assert_array_equal(compressor.feature_names_in_, frame.columns)
    assert_array_equal(
        compressor.compressed_estimator_.feature_names_in_, frame.columns
    )
    compressor.predict(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        compressor.predict(X)
    compressor.save(tmp_path / "named", feature_names=True)
    compressor.save(tmp_path / "unnamed")
    named, unnamed = (load_compressed(tmp_path / each) for each in ("named", "unnamed"))
    assert_array_equal(named.feature_names_in_, frame.columns)
    assert not hasattr(unnamed, "feature_names_in_")
    assert_array_equal(named.predict(frame), compressor.predict(frame))
    # a frame lies by columns in memory, and is summed in another order
    assert_allclose(unnamed.predict(X), compressor.predict(frame), rtol=1e-9)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "\N{SNOWMAN}"]),
        np.array(["b", "a", "long name"], dtype=object),
        np.array([7, -3, 1000]),
        np.array([2.0, 0.0, -1.0]),
        np.array([True, False, True]),
    ],
    ids=["str", "object", "int", "float", "bool"],
)
@pytest.mark.parametrize("model", [LogisticRegression(), MLPClassifier(**NETWORK)])
def test_labels_come_back(model, labels):
    y = labels[SCORES.argmax(axis=1)]
    compressor = RDCompressor(model, method="kmeans", rate=12).fit(X, y)
    assert_array_equal(compressor.classes_, np.unique(y))
    found = load_compressed(compressor.to_bytes()).predict(X)
    assert (
        found.dtype == compressor.predict(X).dtype == model.fit(X, y).predict(X).dtype
    )
    assert_array_equal(found, compressor.predict(X))
    assert np.mean(found == compressor.estimator_.predict(X)) > 0.9


@pytest.mark.parametrize("model", [LogisticRegression(), MLPClassifier(**NETWORK)])
def test_models_of_single_precision_stay_so(model):
    model = clone(model).fit(X.astype(np.float32), LABELS)
    compressor = RDCompressor(FrozenEstimator(model), random_state=0).fit(X)
    loaded = load_compressed(compressor.to_bytes())
    if isinstance(model, MLPClassifier):
        assert loaded.coefs_[0].dtype == model.coefs_[0].dtype == np.float32
    else:  # float64 for some versions and solvers of scikit-learn
        assert loaded.coef_.dtype == model.coef_.dtype
    for samples in (X, X.astype(np.float32)):
        assert_same_predictions(compressor, loaded, samples)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("n", [1, 5])
def test_few_samples_are_enough(name, method, n):
    compressor = RDCompressor(
        FrozenEstimator(fitted(name)), method=method, random_state=0
    ).fit(X[:n])
    assert np.isfinite(compressor.distortion_)
    assert_same_predictions(compressor, load_compressed(compressor.to_bytes()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
def test_constant_and_equal_columns_do_no_harm(name, method):
    samples = X.copy()
    samples[:, 3], samples[:, 5] = 2.0, samples[:, 4]
    compressor = RDCompressor(
        FrozenEstimator(fitted(name)), method=method, random_state=0
    ).fit(samples)
    assert np.isfinite(compressor.distortion_)
    if method == "rate_distortion":
        assert compressor.relative_distortion_ < 0.1


def test_features_in_other_units_cost_no_accuracy():
    units = 10.0 ** np.linspace(-3, 3, D)
    model = LinearRegression().fit(X * units, SCORES)
    plain = RDCompressor(FrozenEstimator(model), rate=7).fit(X * units)
    assert plain.relative_distortion_ < 1e-2


def test_coarse_exponents_serve_one_output_of_many_features_in_other_units():
    rng = np.random.default_rng(0)
    units = 10.0 ** rng.uniform(0, 4, 30)
    samples = rng.normal(size=(300, 30)) * units
    model = LinearRegression().fit(samples, samples @ (rng.normal(size=30) / units))
    compressor = RDCompressor(FrozenEstimator(model), rate=8).fit(samples)
    # exponents of half octaves leave more than .05
    assert compressor.relative_distortion_ < 0.01


def test_sure_model_on_raw_features_keeps_its_accuracy():
    """Its logits are up to 10^5, so that an error is worse than no weights at all."""
    samples, y = load_breast_cancer(return_X_y=True)
    model = SGDClassifier(loss="log_loss", random_state=0).fit(samples, y)
    compressor = RDCompressor(FrozenEstimator(model), rate=3).fit(samples)
    assert model.score(samples, y) - compressor.score(samples, y) < 0.03
    assert compressor.relative_distortion_ < 0.3


# Errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "zip"}, "method='zip' is not a known option"),
        ({"importance": "all"}, "importance='all' is not a known option"),
        ({"rate": 0}, "rate=0 must be positive"),
        ({"rate": -1.0}, "rate=-1.0 must be positive"),
        ({"rate": np.nan}, "rate=nan must be positive"),
        ({"rate": np.inf}, "rate=inf must be positive"),
        ({"n_bytes": 0}, "n_bytes=0 must be at least 1"),
        ({"distortion": 0.0}, "distortion=0.0 must be positive"),
        ({"damping": 0.0}, "damping=0.0 must be positive"),
        ({"rdo": -0.1}, "rdo=-0.1 must be at least 0"),
        ({"rate": 2, "n_bytes": 99}, "At most one of rate, n_bytes and distortion"),
        ({"rate": 2, "distortion": 0.1}, "not rate and distortion"),
        ({"method": "prune", "rate": 2}, "set by sparsity, not by rate"),
        ({"method": "prune_refit", "n_bytes": 99}, "set by sparsity, not by n_bytes"),
        ({"method": "prune", "sparsity": 1.0}, "sparsity=1.0 must lie strictly"),
        ({"sparsity": 0.5}, "sparsity=0.5 has no meaning"),
        ({"method": "kmeans", "sparsity": 0.5}, "sparsity=0.5 has no meaning"),
        ({"n_bytes": 9}, r"n_bytes=9 cannot be reached: the smallest file.*bytes"),
        ({"method": "kmeans", "n_bytes": 9}, "n_bytes=9 cannot be reached"),
        ({"random_state": "now"}, "cannot be used to seed"),
        ({"method": "kmeans", "importance": "gradient"}, "needs the true labels"),
        ({"method": "prune", "importance": "hessian"}, "Pass y, or importance="),
    ],
)
def test_values_out_of_range_are_named(params, message):
    frozen = FrozenEstimator(fitted("MLPClassifier"))
    with pytest.raises(ValueError, match=message):
        RDCompressor(frozen, **params).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": "3"}, "rate='3' must be a number"),
        ({"n_bytes": 300.0}, "n_bytes=300.0 must be an integer"),
        ({"n_bytes": True}, "n_bytes=True must be an integer"),
        ({"distortion": [0.1]}, "must be a number, not list"),
        ({"method": "prune", "sparsity": "0.5"}, "must be a number, not str"),
    ],
)
def test_values_of_the_wrong_type_are_named(params, message):
    frozen = FrozenEstimator(fitted("MLPClassifier"))
    with pytest.raises(TypeError, match=message):
        RDCompressor(frozen, **params).fit(X)


def test_smallest_file_that_an_error_names_can_be_had():
    frozen = FrozenEstimator(fitted("several outputs"))
    with pytest.raises(ValueError, match="cannot be reached") as error:
        RDCompressor(frozen, n_bytes=5).fit(X)
    smallest = int(str(error.value).split("about ")[1].split(" ")[0])
    assert RDCompressor(frozen, n_bytes=smallest).fit(X).n_bytes_ <= smallest


def test_smallest_file_of_a_network_has_no_hidden_biases():
    network = MLPRegressor(
        hidden_layer_sizes=(20, 20), max_iter=30, random_state=0
    ).fit(X, SCORES[:, 0])
    frozen = FrozenEstimator(network)
    with pytest.raises(ValueError, match="has about") as error:
        RDCompressor(frozen, n_bytes=8).fit(X)
    assert int(str(error.value).split("about ")[1].split(" ")[0]) < 60


def test_any_distortion_is_met_though_biases_are_rounded():
    samples, y = load_wine(return_X_y=True)
    model = LogisticRegression(max_iter=10_000).fit(samples, y)
    compressor = RDCompressor(FrozenEstimator(model), distortion=1.0).fit(samples)
    assert compressor.relative_distortion_ <= 1


@pytest.mark.parametrize("as_samples", [np.array, csr_array])
def test_features_that_no_sample_shows_but_are_used_are_warned_of(as_samples):
    frozen = FrozenEstimator(Ridge().fit(X, SCORES))
    samples = X.copy()
    samples[:, [2, 5]] = 0
    with pytest.warns(ConvergenceWarning, match="X is 0 throughout in 2 of the"):
        RDCompressor(frozen).fit(as_samples(samples))


@pytest.mark.parametrize("constant", [0.0, 0.1, 7.0])
@pytest.mark.parametrize("model", [LinearRegression(), LogisticRegression()], ids=str)
def test_features_that_never_varied_are_not_warned_of(model, constant):
    samples = X.copy()
    samples[:, [2, 5]] = constant
    frozen = FrozenEstimator(model.fit(samples, SCORES[:, 0] > 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RDCompressor(frozen).fit(samples)


@pytest.mark.parametrize("kind", ["weights", "no weights"])
def test_least_number_of_bytes_is_where_the_error_ends(kind):
    alpha = 1.0 if kind == "weights" else 1e6
    X, scores = make_data(240, d=12)
    frozen = FrozenEstimator(Lasso(alpha=alpha).fit(X, 1e3 * scores[:, 0]))
    with pytest.raises(ValueError, match="has about") as error:
        RDCompressor(frozen, n_bytes=8).fit(X)
    smallest = int(str(error.value).split("about ")[1].split(" ")[0])
    assert RDCompressor(frozen, n_bytes=smallest).fit(X).n_bytes_ == smallest
    with pytest.raises(ValueError, match=f"has about {smallest} bytes"):
        RDCompressor(frozen, n_bytes=smallest - 1).fit(X)


@pytest.mark.parametrize(
    ("method", "distortion"),
    [("rate_distortion", 1.1), ("rate_distortion", 5.0), ("kmeans", 5.0)],
)
def test_any_distortion_is_met_by_a_model_without_weights(method, distortion):
    frozen = FrozenEstimator(LogisticRegression().fit(X, LABELS))
    fewest = RDCompressor(frozen, method=method, distortion=0.9).fit(X)
    compressor = RDCompressor(frozen, method=method, distortion=distortion).fit(X)
    assert compressor.n_bytes_ <= fewest.n_bytes_
    assert np.unique(compressor.compressed_estimator_.coef_).size == 1


@pytest.mark.parametrize("name", ["several outputs", "MLPClassifier"])
def test_distortion_that_rounding_exceeds_is_refused(name):
    frozen = FrozenEstimator(fitted(name))
    with pytest.raises(ValueError, match=r"distortion=1e-40 cannot be reached"):
        RDCompressor(frozen, distortion=1e-40).fit(X)


@pytest.mark.parametrize("rate", [0.5, 3])
def test_models_of_few_weights_keep_some_of_them(rate):
    model = LinearRegression().fit(X[:, :1], X[:, 0] + 0.1 * X[:, 1])
    compressor = RDCompressor(FrozenEstimator(model), rate=rate).fit(X[:, :1])
    assert compressor.relative_distortion_ < 0.01


def test_other_models_are_refused_by_name():
    model = make_pipeline(Ridge()).fit(X, SCORES)
    with pytest.raises(TypeError, match=r"Pipeline cannot be compressed.*Ridge"):
        RDCompressor(FrozenEstimator(model)).fit(X)


@pytest.mark.parametrize("estimator", [None, 3, "ridge", Ridge])
def test_what_is_no_estimator_is_refused(estimator):
    with pytest.raises(TypeError, match=r"estimator=.* must be an estimator\. Pass"):
        RDCompressor(estimator).fit(X, LABELS)


def test_targets_that_are_not_finite_are_named():
    y = SCORES[:, 0].copy()
    y[3] = np.nan
    frozen = FrozenEstimator(fitted("LinearRegression"))
    compressor = RDCompressor(frozen, method="kmeans", importance="gradient")
    with pytest.raises(ValueError, match="Input y contains NaN"):
        compressor.fit(X, y)


def test_unfitted_frozen_model_is_refused():
    with pytest.raises(NotFittedError):
        RDCompressor(FrozenEstimator(Ridge())).fit(X)


def test_weights_that_are_not_finite_are_refused():
    model = copy.deepcopy(fitted("LogisticRegression"))
    model.coef_[1, 2] = np.nan
    with pytest.raises(ValueError, match="weights of layer 0 contain NaN"):
        RDCompressor(FrozenEstimator(model)).fit(X)


def test_samples_with_other_features_are_refused():
    frozen = FrozenEstimator(fitted("LogisticRegression"))
    with pytest.raises(ValueError, match=r"X has 5 features, but.*fitted with 8"):
        RDCompressor(frozen).fit(X[:, :5])


def test_features_in_another_order_are_refused():
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(D)])
    model = Ridge().fit(frame, SCORES[:, 0])
    with pytest.raises(ValueError, match="feature names should match"):
        RDCompressor(FrozenEstimator(model)).fit(frame[frame.columns[::-1]])


def test_samples_without_names_leave_the_names_of_the_model(tmp_path):
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(D)])
    model = Ridge().fit(frame, SCORES[:, 0])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        compressor = RDCompressor(FrozenEstimator(model)).fit(X)
    compressor.save(tmp_path / "model", feature_names=True)
    loaded = load_compressed(tmp_path / "model")
    assert_array_equal(loaded.feature_names_in_, frame.columns)


@pytest.mark.parametrize("method", METHODS)
def test_predictions_that_overflow_are_refused(method):
    model = PoissonRegressor().fit(X, np.exp(SCORES[:, 0]))
    with pytest.raises(
        ValueError, match=r"predictions of the model on X exceed 1e\+100"
    ):
        RDCompressor(FrozenEstimator(model), method=method).fit(1e4 * X)


def test_samples_that_do_not_vary_lose_the_weights_with_a_warning():
    model = Ridge().fit(X, SCORES[:, 0])
    with pytest.warns(ConvergenceWarning, match="No feature of X varies"):
        compressor = RDCompressor(FrozenEstimator(model)).fit(X[:1])
    assert_allclose(compressor.predict(X[:1]), model.predict(X[:1]), rtol=1e-6)


def test_no_samples_are_refused():
    frozen = FrozenEstimator(fitted("LogisticRegression"))
    with pytest.raises(ValueError, match="0 sample"):
        RDCompressor(frozen).fit(X[:0])


def test_missing_values_are_refused():
    frozen = FrozenEstimator(fitted("LogisticRegression"))
    with pytest.raises(ValueError, match="contains NaN"):
        RDCompressor(frozen).fit(np.where(X > 2, np.nan, X))


def test_unknown_labels_are_refused_by_importances_that_read_them():
    frozen = FrozenEstimator(fitted("LogisticRegression"))
    compressor = RDCompressor(frozen, method="prune", importance="gradient")
    with pytest.raises(ValueError, match="none of the classes"):
        compressor.fit(X, np.where(LABELS == "low", "lowest", LABELS))


@pytest.mark.parametrize("name", ["to_bytes", "predict", "transform", "save"])
def test_unfitted_compressor_is_refused(name, tmp_path):
    compressor = RDCompressor(FrozenEstimator(fitted("LogisticRegression")))
    argument = {"to_bytes": (), "save": (tmp_path / "file",)}.get(name, (X,))
    with pytest.raises(NotFittedError):
        getattr(compressor, name)(*argument)


# Determinism


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOME)
def test_same_seed_gives_the_same_file(name, method):
    again = clone(compressed(name, method=method)).fit(X, MODELS[name][1])
    assert again.to_bytes() == compressed(name, method=method).to_bytes()


def test_random_state_draws_the_samples():
    many, _ = make_data(n=21_000)
    frozen = FrozenEstimator(fitted("LogisticRegression"))
    files = [
        RDCompressor(frozen, method="kmeans", random_state=seed).fit(many).to_bytes()
        for seed in (0, 0, 1)
    ]
    assert files[0] == files[1] != files[2]


def test_very_many_samples_are_drawn_from_with_their_targets(monkeypatch):
    many, _ = make_data(n=21_000)
    problems = []
    kmeans = METHODS["kmeans"]

    def recorded(problem):
        problems.append(problem)
        return kmeans.compress(problem)

    monkeypatch.setitem(METHODS, "kmeans", replace(kmeans, compress=recorded))
    frozen = FrozenEstimator(fitted("LinearRegression"))
    for y in (many[:, 0], None):
        RDCompressor(frozen, method="kmeans", random_state=0).fit(many, y)
    with_targets, without = problems
    assert_array_equal(with_targets.X[:, 0], with_targets.y)
    assert len(np.unique(with_targets.y)) == 20_000
    assert without.X.shape == (20_000, D)
    assert without.y is None


def test_random_state_of_the_caller_moves_on():
    frozen = FrozenEstimator(fitted("MLPClassifier"))
    rng = np.random.RandomState(0)
    RDCompressor(frozen, random_state=rng).fit(X)
    assert rng.randint(2**31) != np.random.RandomState(0).randint(2**31)


def test_threads_do_not_disturb_each_other():
    frozen = FrozenEstimator(fitted("MLPClassifier"))
    found = {}

    def run(key):
        found[key] = RDCompressor(frozen, random_state=0).fit(X).to_bytes()

    threads = [threading.Thread(target=run, args=(key,)) for key in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found.values()) == {compressed("MLPClassifier").to_bytes()}


# In the company of other estimators


@pytest.mark.parametrize("name", SOME)
def test_pickled_compressor_predicts_and_writes_the_same(name):
    compressor = compressed(name)
    restored = pickle.loads(pickle.dumps(compressor))
    assert_same_predictions(compressor, restored)
    assert restored.to_bytes() == compressor.to_bytes()


def test_grid_search_chooses_the_rate_by_two_metrics():
    """The smallest file within one standard error of the best accuracy."""

    def negative_bytes(compressor, *_):
        return -compressor.n_bytes_

    def accuracy(compressor, X, y):
        return accuracy_score(y, compressor.predict(X))

    def choose(results):
        means = results["mean_test_accuracy"]
        error = results["std_test_accuracy"][means.argmax()] / np.sqrt(2)
        good = means >= means.max() - error
        return int(np.where(good, results["mean_test_size"], -np.inf).argmax())

    search = GridSearchCV(
        RDCompressor(LogisticRegression(), random_state=0),
        {"rate": [0.3, 3.0]},
        scoring={"accuracy": accuracy, "size": negative_bytes},
        refit=choose,
        cv=StratifiedKFold(2, shuffle=True, random_state=0),
    ).fit(X, LABELS)
    sizes = -search.cv_results_["mean_test_size"]
    assert sizes[0] < sizes[1]
    assert search.best_params_ == {"rate": 3.0}
    assert search.predict(X).shape == LABELS.shape


def test_frozen_model_stays_in_cross_validation():
    model = fitted("LogisticRegression")
    scores = cross_val_score(
        RDCompressor(FrozenEstimator(model), rate=8),
        X,
        LABELS,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    )
    # eight bits change hardly a prediction of the model, which saw all data
    assert_allclose(scores.mean(), model.score(X, LABELS), atol=0.02)


def test_parameters_of_the_inner_model_can_be_searched():
    compressor = RDCompressor(Ridge()).set_params(estimator__alpha=7.0, rate=5)
    assert compressor.fit(X, SCORES).estimator_.alpha == 7.0


def test_pipeline_ends_with_it():
    pipeline = make_pipeline(
        StandardScaler(), RDCompressor(LogisticRegression(), n_bytes=80)
    ).fit(X, LABELS)
    assert pipeline.score(X, LABELS) > 0.8
    assert pipeline.predict_proba(X).shape == (len(X), 3)
    assert len(pipeline[-1].to_bytes()) <= 80


def test_pipeline_goes_on_after_it():
    pipeline = make_pipeline(RDCompressor(LogisticRegression()), Ridge())
    pipeline.fit(X, LABELS == "low")
    assert pipeline[-1].n_features_in_ == 2


def test_stacking_takes_it_for_a_classifier():
    compressors = [
        ("linear", RDCompressor(LogisticRegression(), method="kmeans", rate=12)),
        ("network", RDCompressor(MLPClassifier(**NETWORK), method="kmeans")),
    ]
    stacking = StackingClassifier(compressors, cv=3).fit(X, LABELS)
    assert stacking.score(X, LABELS) > 0.8


@pytest.mark.parametrize("name", MODELS)
def test_transform_gives_a_column_for_each_output(name):
    compressor, model = compressed(name), fitted(name)
    found = compressor.transform(X)
    names = compressor.get_feature_names_out()
    assert found.shape == (len(X), len(names))
    assert names[0] == "rdcompressor0"
    if isinstance(model, (LogisticRegression, MLPClassifier)):
        expected = compressor.predict_proba(X)
    elif hasattr(model, "decision_function"):
        expected = compressor.decision_function(X)
    else:
        expected = compressor.predict(X)
    assert_array_equal(found, expected.reshape(len(X), -1))


def test_transform_of_the_default_model_sets_a_dataframe():
    compressor = clone(compressed("LogisticRegression")).set_output(transform="pandas")
    frame = compressor.fit(X).transform(X)
    assert list(frame.columns) == ["rdcompressor0", "rdcompressor1", "rdcompressor2"]


@pytest.mark.parametrize("name", MODELS)
def test_methods_are_those_of_the_model(name):
    for each in ("predict_proba", "predict_log_proba", "decision_function", "score"):
        has = hasattr(fitted(name), each)
        assert hasattr(compressed(name), each) == has
        assert hasattr(RDCompressor(MODELS[name][0]), each) == has


@pytest.mark.parametrize("name", MODELS)
def test_tags_are_those_of_the_model(name):
    model = MODELS[name][0]
    compressor = RDCompressor(model)
    assert sklearn.base.is_classifier(compressor) == sklearn.base.is_classifier(model)
    assert sklearn.base.is_regressor(compressor) == sklearn.base.is_regressor(model)


def test_score_takes_weights_of_samples():
    compressor = compressed("LogisticRegression")
    weights = (compressor.predict(X) == LABELS).astype(float)
    assert compressor.score(X, LABELS, sample_weight=weights) == 1


# Files


@pytest.mark.parametrize("name", MODELS)
def test_saved_file_has_the_bytes(name, tmp_path):
    compressor = compressed(name)
    for path in (tmp_path / "a.skinfo", str(tmp_path / "b.skinfo")):
        compressor.save(path)
        assert Path(path).read_bytes() == compressor.to_bytes()
        assert_same_predictions(compressor, load_compressed(path))


def test_save_writes_over_an_earlier_file(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"earlier" * 1000)
    compressed("LogisticRegression").save(path)
    assert path.read_bytes() == compressed("LogisticRegression").to_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_failed_save_leaves_the_earlier_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"earlier")

    def fail(*_):
        raise OSError("no space is left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        compressed("LogisticRegression").save(path)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_names_are_checked_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="fit saw no names"):
        compressed("LogisticRegression").save(tmp_path / "model", feature_names=True)
    assert list(tmp_path.iterdir()) == []


def test_saved_file_keeps_permissions_and_links(tmp_path):
    compressor = compressed(SOME[0])
    path, link, plain = tmp_path / "file", tmp_path / "link", tmp_path / "plain"
    path.write_bytes(b"earlier")
    path.chmod(0o640)
    link.symlink_to(path)
    plain.write_bytes(b"")
    compressor.save(link)
    assert link.is_symlink()
    assert path.read_bytes() == compressor.to_bytes()
    assert path.stat().st_mode & 0o777 == 0o640
    compressor.save(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode
    assert len(list(tmp_path.iterdir())) == 4


def test_save_into_no_folder_fails(tmp_path):
    with pytest.raises(FileNotFoundError):
        compressed("LogisticRegression").save(tmp_path / "none" / "model")


# Promised sizes and distortions, where they are fast; all are in the benchmarks


def test_ridge_on_diabetes_takes_45_bytes():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X, y)
    compressor = RDCompressor(FrozenEstimator(model), n_bytes=45).fit(X)
    assert model.score(X, y) - compressor.score(X, y) <= 0.01


@pytest.mark.slow
def test_logistic_regression_on_digits_takes_300_bytes():
    X, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(X[::2] / 16, y[::2])
    compressor = RDCompressor(FrozenEstimator(model), n_bytes=300).fit(X[::2] / 16)
    held_out, labels = X[1::2] / 16, y[1::2]
    drop = model.score(held_out, labels) - compressor.score(held_out, labels)
    assert drop <= 0.012
    p, q = model.predict_proba(held_out), compressor.predict_proba(held_out)
    assert rel_entr(p, q).sum(axis=1).mean() <= 0.003


@pytest.mark.parametrize("noise", [1e-3, 1e-2])
def test_ill_conditioned_regression_keeps_its_predictions(noise):
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.normal(size=(400, 20)))
    v, _ = np.linalg.qr(rng.normal(size=(20, 20)))
    samples = u * np.logspace(0, -9, 20) @ v.T
    y = samples @ rng.normal(size=20) + noise * rng.normal(size=400)
    model = LinearRegression().fit(samples, y)
    compressor = RDCompressor(FrozenEstimator(model), rate=6).fit(samples)
    assert model.score(samples, y) - compressor.score(samples, y) <= 0.001


def test_convergence_warning_is_of_the_inner_model_alone():
    model = MLPClassifier(**NETWORK | {"max_iter": 2})
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        RDCompressor(model).fit(X, LABELS)


@pytest.mark.slow
@pytest.mark.parametrize("C", [10, 100])
def test_models_that_are_sure_keep_their_predictions(C):
    # their curvature is nearly 0, and that of equal changes of all outputs is rounding
    samples, digits = load_digits(return_X_y=True)
    samples = samples[:600] / 16
    model = LogisticRegression(C=C, max_iter=5000).fit(samples, digits[:600])
    compressor = RDCompressor(FrozenEstimator(model), rate=4).fit(samples)
    assert compressor.score(samples, digits[:600]) >= 0.99
    assert compressor.relative_distortion_ <= 1e-3


def test_models_that_are_sure_of_all_samples_keep_their_predictions():
    samples, flowers = load_iris(return_X_y=True)
    samples = StandardScaler().fit_transform(samples)
    model = LogisticRegression(C=1e4, max_iter=5000).fit(samples, flowers)
    compressor = RDCompressor(FrozenEstimator(model), rate=6).fit(samples)
    assert_array_equal(compressor.predict(samples), model.predict(samples))


def test_too_little_damping_is_named():
    samples = np.column_stack([X, X[:, 0]])
    model = LinearRegression().fit(samples, SCORES[:, 0])
    compressor = RDCompressor(FrozenEstimator(model), damping=1e-300)
    with pytest.raises(ValueError, match=r"damping=1e-300 is too small for inputs"):
        compressor.fit(samples)


def test_rates_above_that_of_the_model_are_refused():
    model = LinearRegression().fit(X, SCORES[:, 0])
    with pytest.raises(ValueError, match=r"rate=65 .* weights have 64 bits"):
        RDCompressor(FrozenEstimator(model), rate=65).fit(X)


def test_targets_of_another_length_are_refused():
    model = LinearRegression().fit(X, SCORES[:, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RDCompressor(FrozenEstimator(model)).fit(X, SCORES[:-1, 0])


def test_models_without_weights_are_small():
    model = Lasso(alpha=1e6).fit(X, SCORES[:, 0])
    compressor = RDCompressor(FrozenEstimator(model), n_bytes=300).fit(X)
    np.testing.assert_allclose(compressor.predict(X), model.predict(X), rtol=1e-5)
    assert compressor.n_bytes_ <= 40
    assert compressor.relative_distortion_ == 0
