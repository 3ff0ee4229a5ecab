"""Fitted models of scikit-learn as stacks of affine layers, and back."""

from __future__ import annotations

import copy
import itertools
import pickle
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC, LinearSVR
from sklearn.utils.validation import check_is_fitted

from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._families import (
    FAMILIES,
    ModelFamily,
    family_of,
    family_with_id,
)
from skinfo.compression.models._links import LINKS
from skinfo.compression.models._reading import read_stack
from skinfo.compression.models._writing import with_weights, write_model
from tests.compression.stacks import FAMILY_OF_NAME, outputs_of

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
HAS_MULTI_CLASS = "multi_class" in LogisticRegression().get_params()
HAS_POISSON_NETWORK = "loss" in MLPRegressor().get_params()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 7))
X_NEW = RNG.normal(size=(60, 7))
SCORE = X @ RNG.normal(size=7)


NAMES = list(FAMILY_OF_NAME)
CLASSIFIERS = [name for name in NAMES if FAMILY_OF_NAME[name].is_classifier]
TARGETS = {
    "one": np.exp(SCORE / 4),
    "several": np.column_stack([np.exp(SCORE / 4), X[:, 0], SCORE]),
    "binary": (SCORE > 0).astype(int),
    "multiclass": np.digitize(SCORE, [-1, 1]),
    "multilabel": (X[:, :3] + SCORE[:, None] > 0).astype(int),
}


def fitted(model, target, *, dtype=float, X=X):
    y = TARGETS[target] if isinstance(target, str) else target
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)  # parameters on their way out
        warnings.simplefilter("ignore", RuntimeWarning)  # of fits on such few rows
        return model.fit(X.astype(dtype), y)


@cache
def model_of(name, target):
    """Return a fitted model that no test changes."""
    return fitted(make(name), target)


def duplicate(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of classes on their way out
        return copy.deepcopy(model)


def make(name, **parameters):
    """Make a model that is quick to fit."""
    family = FAMILY_OF_NAME[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = family.model_class()()
        quick = {"random_state": 0, "max_iter": 30 if family.is_network else 1000}
        if family.is_network:
            quick["hidden_layer_sizes"] = (9,)
        if name == "LogisticRegressionCV":
            quick |= {"Cs": 2, "cv": 2}
        if name == "OrthogonalMatchingPursuitCV":
            del quick["max_iter"]
        if name == "TheilSenRegressor":
            quick["max_subpopulation"] = 100
        quick |= parameters
        known = model.get_params()
        return model.set_params(**{k: v for k, v in quick.items() if k in known})


def targets_of(name):
    if name in {"RidgeClassifier", "RidgeClassifierCV", "MLPClassifier"}:
        return ("binary", "multiclass", "multilabel")
    if FAMILY_OF_NAME[name].is_classifier:
        return ("binary", "multiclass")
    if name.startswith("MultiTask"):
        return ("several",)
    several = {
        *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoLars", "Lars"),
        *("ElasticNet", "OrthogonalMatchingPursuit", "MLPRegressor"),
    }
    return ("one", "several") if name in several else ("one",)


CASES = [(name, target) for name in NAMES for target in targets_of(name)]


def assert_same(first, second):
    if issparse(first):
        assert issparse(second)
        first, second = first.toarray(), second.toarray()
    assert first.dtype == second.dtype
    assert_array_equal(first, second, strict=True)


def assert_predicts_alike(first, second, X=X_NEW, *, with_sparse=True):
    """Assert that the methods of both return the same bits, for many rows and one."""
    parts = [X, X[:1]] + [csr_matrix(X)] * with_sparse
    checked = 0
    with np.errstate(divide="ignore"):  # the logarithm of a probability of 0
        for method in METHODS:
            assert hasattr(first, method) == hasattr(second, method)
            if hasattr(first, method):
                for part in parts:
                    assert_same(
                        getattr(first, method)(part), getattr(second, method)(part)
                    )
                checked += 1
    assert checked


def round_trip(model):
    return write_model(read_stack(model))


@pytest.mark.parametrize(("name", "target"), CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_written_model_predicts_the_same_bits(name, target, dtype, fit_intercept):
    if FAMILY_OF_NAME[name].is_network and not fit_intercept:
        pytest.skip("networks have intercepts")
    model = fitted(make(name, fit_intercept=fit_intercept), target, dtype=dtype)
    model = duplicate(model)  # slices become arrays, as in a pickle
    written = round_trip(model)
    assert type(written) is type(model)
    assert_predicts_alike(model, written, X_NEW.astype(dtype))
    assert_predicts_alike(model, written, X_NEW)
    y = TARGETS[target]
    assert model.score(X, y) == written.score(X, y)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_written_model_is_an_ordinary_estimator(name, target):
    model = model_of(name, target)
    written = round_trip(model)
    check_is_fitted(written)
    assert written.n_features_in_ == 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        cloned = clone(written)
        thawed = pickle.loads(pickle.dumps(written))
    assert cloned.get_params() == written.get_params()
    assert_predicts_alike(written, thawed)
    assert repr(written)
    assert written._repr_html_()
    with pytest.raises(ValueError, match="expecting 7 features"):
        written.predict(X[:, :3])


@pytest.mark.parametrize(("name", "target"), CASES)
def test_forward_pass_is_the_models_own(name, target):
    model = model_of(name, target)
    stack = read_stack(model)
    raw = outputs_of(stack, X_NEW)
    outputs = stack.link.function(raw)
    if stack.link.probabilities:
        expected = model.predict_proba(X_NEW)
        if stack.n_outputs == 1:
            expected = expected[:, 1]
    elif is_classifier(model):
        expected = model.decision_function(X_NEW)
    else:
        expected = model.predict(X_NEW)
    # rounding alone: both sum the same 7 products
    assert_allclose(outputs, expected.reshape(raw.shape), rtol=1e-10, atol=1e-12)
    assert_allclose(outputs_of(stack, csr_matrix(X_NEW)), raw, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_reading_and_changing_leaves_the_model_alone(name, target):
    model = model_of(name, target)
    before = duplicate(model)
    stack = read_stack(model)
    for layer in stack.layers:
        layer.weights[...] = 1.5
        layer.biases[...] = -0.5
    other = with_weights(model, stack)
    for layer in stack.layers:
        layer.weights[...] = 0
    assert_predicts_alike(model, before)
    assert_array_equal(read_stack(other).layers[0].weights, 1.5)
    assert_array_equal(read_stack(other).layers[-1].biases, -0.5)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_copy_with_other_weights_predicts_as_the_written_model(name, target):
    model = model_of(name, target)
    stack = read_stack(model)
    rounded = tuple(
        replace(layer, weights=layer.weights.round(1)) for layer in stack.layers
    )
    stack = replace(stack, layers=rounded)
    changed = with_weights(model, stack)
    assert changed.get_params() == model.get_params()
    assert_predicts_alike(changed, write_model(stack))


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (make("MLPClassifier"), "binary"),
        (make("MLPRegressor", early_stopping=True), "one"),
        (make("SGDClassifier", average=True), "multiclass"),
        (make("SGDRegressor", average=True), "one"),
        (make("LassoLars"), "one"),
        (make("LogisticRegressionCV"), "binary"),
    ],
)
def test_copy_holds_the_original_weights_nowhere(model, target):
    model = fitted(model, target)
    stack = read_stack(model)
    first = stack.layers[0]
    shapes = {first.weights.shape, first.weights.T.shape, (first.weights.size,)}
    changed = with_weights(model, changed_layer(stack, weights=0 * first.weights))
    for name, value in vars(changed).items():
        assert not hasattr(value, "params"), name  # an optimiser
        for each in value if isinstance(value, list) else [value]:
            assert np.shape(each) not in shapes or not np.any(each), name
    assert not hasattr(changed, "coef_path_")
    assert not hasattr(changed, "coefs_paths_")


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", ["one", "several", "binary", "multiclass"])
def test_networks_of_any_depth_and_activation_are_read(depth, activation, target):
    name = "MLPRegressor" if target in {"one", "several"} else "MLPClassifier"
    parameters = {"hidden_layer_sizes": (6, 5, 4)[:depth], "activation": activation}
    model = fitted(make(name, solver="lbfgs", **parameters), target)
    stack = read_stack(model)
    assert [layer.activation for layer in stack.layers] == [
        *[activation] * depth,
        "identity",
    ]
    outputs = stack.link.function(outputs_of(stack, X_NEW))
    expected = model._forward_pass_fast(X_NEW)
    assert_allclose(outputs, expected, rtol=1e-9, atol=1e-12)
    assert_predicts_alike(model, write_model(stack))


@pytest.mark.skipif(not HAS_POISSON_NETWORK, reason="needs scikit-learn 1.7")
def test_poisson_network_has_its_own_link():
    model = fitted(make("MLPRegressor", loss="poisson"), "several")
    stack = read_stack(model)
    assert (stack.link.name, stack.link.probabilities) == ("exp", None)
    assert_predicts_alike(model, write_model(stack))


@pytest.mark.skipif(HAS_POISSON_NETWORK, reason="of scikit-learn before 1.7")
def test_poisson_network_needs_a_version_that_knows_it():
    stack = read_stack(fitted(make("MLPRegressor"), "one"))
    with pytest.raises(ValueError, match="has no parameter loss"):
        write_model(replace(stack, link=LINKS["exp"]))


LABELS = {
    "int": [3, 7, 11],
    "int32": np.array([-3, 7, 11], dtype=np.int32),
    "float": [-1.0, 0.0, 2.0],
    "str": ["apple", "fig", "quince"],
    "object": np.array(["apple", "fig", "quince"], dtype=object),
}


@pytest.mark.parametrize(
    "name", [each for each in NAMES if FAMILY_OF_NAME[each].is_classifier]
)
@pytest.mark.parametrize("kind", [*LABELS, "bool"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_keep_their_type(name, kind, n_classes):
    if kind == "bool":
        labels = np.array([False, True, True])
    else:
        labels = np.asarray(LABELS[kind])
    model = fitted(make(name, max_iter=20), labels[np.arange(80) % n_classes])
    written = round_trip(model)
    assert_same(model.classes_, written.classes_)
    assert_predicts_alike(model, written)


@pytest.mark.parametrize("name", ["MLPClassifier", "RidgeClassifier"])
def test_sparse_labels_come_back_sparse(name):
    y = csr_matrix(TARGETS["multilabel"])
    model = fitted(make(name), y)
    written = round_trip(model)
    assert issparse(model.predict(X_NEW))
    assert_predicts_alike(model, written)


@pytest.mark.parametrize("name", ["MLPClassifier", "RidgeClassifier", "Perceptron"])
def test_many_classes_are_kept(name):
    model = fitted(make(name), np.arange(80) % 30)
    assert_predicts_alike(model, round_trip(model))


def test_network_with_one_class_is_kept():
    model = fitted(make("MLPClassifier"), np.full(80, "only"))
    assert_predicts_alike(model, round_trip(model))


SPARSE = [
    (LogisticRegression(), "binary"),
    (LogisticRegression(), "multiclass"),
    (SGDClassifier(loss="log_loss", random_state=0), "multiclass"),
    (SGDRegressor(random_state=0), "one"),
    (LinearSVC(), "binary"),
]


@pytest.mark.parametrize(("model", "target"), SPARSE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_coefficients_stay_sparse(model, target, dtype):
    model = fitted(clone(model), target, dtype=dtype)
    model.coef_ = np.where(
        np.abs(model.coef_) < np.median(np.abs(model.coef_)), 0, model.coef_
    )
    model.sparsify()
    written = round_trip(model)
    assert type(written.coef_) is type(model.coef_)
    assert written.coef_.shape == model.coef_.shape
    assert written.coef_.dtype == model.coef_.dtype
    # scikit-learn 1.9 multiplies sparse X and coef_ of one dtype and 2 dimensions only
    assert_predicts_alike(
        model,
        written,
        X_NEW.astype(model.coef_.dtype),
        with_sparse=model.coef_.ndim == 2,
    )
    assert_predicts_alike(written.densify(), model.densify())


@pytest.mark.parametrize(
    "loss", ["hinge", "log_loss", "modified_huber", "squared_error"]
)
@pytest.mark.parametrize("target", ["binary", "multiclass"])
def test_stochastic_gradient_keeps_the_probabilities_of_its_loss(loss, target):
    model = fitted(SGDClassifier(loss=loss, random_state=0), target)
    stack = read_stack(model)
    expected = {
        "log_loss": "logistic" if target == "binary" else "ovr",
        "modified_huber": "modified_huber",
    }
    assert stack.link.name == expected.get(loss, "identity")
    assert (stack.link.probabilities is not None) == (loss == "log_loss")
    assert_predicts_alike(model, write_model(stack))


def test_links_are_those_of_their_formulas():
    raw = np.random.default_rng(3).normal(size=(5, 3))
    exponentials = np.exp(raw)
    logistic = exponentials / (1 + exponentials)
    pairs = np.stack([np.exp(-raw), exponentials])  # softmax of (-raw, raw)
    expected = {
        "identity": raw,
        "modified_huber": raw,
        "exp": exponentials,
        "softmax": exponentials / exponentials.sum(axis=1, keepdims=True),
        "logistic": logistic,
        "ovr": logistic / logistic.sum(axis=1, keepdims=True),
        "double_logistic": pairs[1] / pairs.sum(axis=0),
    }
    assert expected.keys() == LINKS.keys()
    for link, values in expected.items():
        assert_allclose(LINKS[link].function(raw), values, rtol=1e-13)  # rounding


def test_scores_that_all_vanish_are_uniform_probabilities():
    raw = np.array([[-1e4, -1e4, -1e4], [0.0, 0.0, -1e4]])
    with np.errstate(under="ignore"):
        probabilities = LINKS["ovr"].function(raw)
    assert_allclose(probabilities, [[1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]], rtol=1e-15)


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("link", ["auto", "log", "identity"])
def test_tweedie_keeps_power_and_link(power, link):
    if power > 0 and link == "identity":
        pytest.skip("does not converge here")
    model = fitted(TweedieRegressor(power=power, link=link), "one")
    stack = read_stack(model)
    assert stack.link.name == ("exp" if link == "log" or power > 0 else "identity")
    written = write_model(stack)
    assert_predicts_alike(model, written)
    assert written.score(X, TARGETS["one"]) == model.score(X, TARGETS["one"])


@pytest.mark.skipif(not HAS_MULTI_CLASS, reason="of scikit-learn before 1.8")
@pytest.mark.parametrize("Model", [LogisticRegression, LogisticRegressionCV])
@pytest.mark.parametrize(
    ("parameters", "target", "link"),
    [
        ({"multi_class": "ovr"}, "multiclass", "ovr"),
        ({"multi_class": "ovr"}, "binary", "logistic"),
        ({"multi_class": "multinomial"}, "multiclass", "softmax"),
        ({"multi_class": "multinomial"}, "binary", "double_logistic"),
        ({"multi_class": "auto", "solver": "liblinear"}, "multiclass", "ovr"),
        ({"solver": "liblinear"}, "multiclass", "ovr"),
    ],
)
def test_old_logistic_regressions_keep_their_probabilities(
    Model, parameters, target, link
):
    model = duplicate(fitted(Model(**parameters), target))
    stack = read_stack(model)
    assert stack.link.name == link
    assert stack.link.probabilities is not None
    probabilities = LINKS[link].function(outputs_of(stack, X_NEW))
    expected = model.predict_proba(X_NEW)
    if target == "binary":
        expected = expected[:, 1:]
    assert_allclose(probabilities, expected, rtol=1e-10)
    assert_predicts_alike(model, write_model(stack))


@pytest.mark.skipif(HAS_MULTI_CLASS, reason="needs scikit-learn 1.8")
@pytest.mark.parametrize(
    ("link", "target"), [("ovr", "multiclass"), ("double_logistic", "binary")]
)
def test_old_logistic_regressions_need_an_old_version(link, target):
    stack = read_stack(fitted(LogisticRegression(), target))
    with pytest.raises(ValueError, match="has no parameter multi_class"):
        write_model(replace(stack, link=LINKS[link]))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layout_of_the_weights_is_kept(order, dtype):
    rng = np.random.default_rng(1)
    Z, Y = rng.normal(size=(200, 64)), rng.normal(size=(200, 3))
    model = fitted(LinearRegression(), Y, dtype=dtype, X=Z)
    model.coef_ = np.array(model.coef_, dtype=dtype, order=order)
    network = fitted(make("MLPRegressor"), Y, dtype=dtype, X=Z)
    network.coefs_ = [np.array(coef, order=order) for coef in network.coefs_]
    for each in (model, network):
        assert_predicts_alike(each, round_trip(each), Z.astype(dtype))
    assert round_trip(model).coef_.flags[f"{order}_CONTIGUOUS"]


def test_layout_matters_to_the_rounding_of_products():
    # Were this to fail for a BLAS, layouts would be kept for nothing. Which shapes show
    # it depends on the kernels of the processor.
    rng = np.random.default_rng(2)
    rounded = []
    for n, m, d in itertools.product((1, 5, 50, 200), (1, 3, 10, 64), (3, 7, 64, 300)):
        Z, W = rng.normal(size=(n, d)), rng.normal(size=(m, d))
        rounded.append(np.array_equal(Z @ W.T, Z @ np.asfortranarray(W).T))
    assert not all(rounded)


def test_slices_are_read_in_the_order_of_their_copies():
    wide = np.arange(24.0).reshape(3, 8)
    model = fitted(Ridge(), "several")
    model.coef_ = wide[:, :7]
    assert read_stack(model).spec.layouts == ("C",)
    model.coef_ = np.arange(60.0).reshape(20, 3)[:7].T
    assert read_stack(model).spec.layouts == ("F",)


def test_single_output_keeps_its_shape():
    flat = fitted(Ridge(), "one")
    column = fitted(LinearRegression(), TARGETS["one"][:, None])
    assert round_trip(flat).coef_.shape == (7,)
    assert np.ndim(round_trip(flat).intercept_) == 0
    assert round_trip(column).coef_.shape == (1, 7)
    assert round_trip(column).intercept_.shape == (1,)


def test_biases_that_differ_need_a_vector():
    stack = read_stack(fitted(Ridge(fit_intercept=False), "several", dtype=np.float32))
    assert stack.spec.intercept == "float"
    assert type(write_model(stack).intercept_) is float
    layer = replace(stack.layers[0], biases=np.array([0.0, 1.0, 2.0]))
    written = write_model(replace(stack, layers=(layer,)))
    assert_array_equal(written.intercept_, np.float32([0, 1, 2]), strict=True)


def test_feature_names_are_written_when_given():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdefg"))
    model = Ridge().fit(frame, TARGETS["one"])
    stack = read_stack(model)
    assert not hasattr(write_model(stack), "feature_names_in_")
    written = write_model(stack, model.feature_names_in_)
    assert_same(written.feature_names_in_, model.feature_names_in_)
    assert_array_equal(written.predict(frame), model.predict(frame))
    assert_same(with_weights(model, stack).feature_names_in_, model.feature_names_in_)
    with pytest.raises(ValueError, match="7 features, not 2 names"):
        write_model(stack, ["a", "b"])


def test_copy_can_be_trained_on():
    model = fitted(make("MLPClassifier"), "multiclass")
    copied = with_weights(model, read_stack(model))
    assert "_best_coefs" not in vars(copied)
    copied.partial_fit(X, TARGETS["multiclass"])
    assert not np.array_equal(copied.coefs_[0], model.coefs_[0])


def test_copy_takes_weights_of_its_own_kind_only():
    model = fitted(Ridge(), "one")
    with pytest.raises(ValueError, match="not those of a Lasso"):
        with_weights(fitted(Lasso(), "one"), read_stack(model))
    with pytest.raises(ValueError, match="not those of a Ridge"):
        with_weights(fitted(Ridge(), "one", X=X[:, :3]), read_stack(model))


class OtherRidge(Ridge):
    """A subclass, which may predict otherwise."""


def other_class_of_the_same_name():
    return type("Ridge", (Ridge,), {})().fit(X, TARGETS["one"])


@pytest.mark.parametrize(
    "model",
    [
        OtherRidge().fit(X, TARGETS["one"]),
        other_class_of_the_same_name(),
        RANSACRegressor(random_state=0).fit(X, SCORE),
        SVC(kernel="linear").fit(X, TARGETS["binary"]),
        PCA().fit(X),
        make_pipeline(Ridge()).fit(X, SCORE),
        Ridge,
        "Ridge",
        None,
    ],
)
def test_what_is_not_supported_is_named_with_what_is(model):
    with pytest.raises(
        TypeError, match=r"cannot be compressed.*LinearRegression.*MLPC"
    ):
        read_stack(model)


@pytest.mark.parametrize("name", NAMES)
def test_unfitted_model_is_refused(name):
    with pytest.raises(NotFittedError):
        read_stack(make(name))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["weights", "biases"])
def test_weights_that_are_not_finite_are_refused(bad, where):
    model = fitted(Ridge(), "one")
    network = fitted(make("MLPRegressor"), "one")
    if where == "weights":
        model.coef_[2] = network.coefs_[1][2] = bad
    else:
        model.intercept_ = network.intercepts_[1][0] = bad
    for each, layer in ((model, 0), (network, 1)):
        with pytest.raises(
            ValueError, match=f"{where} of layer {layer} contain NaN or"
        ):
            read_stack(each)


def test_weights_of_other_precision_are_refused():
    model = fitted(Ridge(), "one")
    model.coef_ = model.coef_.astype(np.float16)
    with pytest.raises(
        ValueError, match="coef_ has dtype float16, but must be float32"
    ):
        read_stack(model)
    network = fitted(make("MLPRegressor"), "one")
    network.coefs_[0] = network.coefs_[0].astype(np.float32)
    with pytest.raises(ValueError, match="coefs_ has dtype float32 and float64"):
        read_stack(network)


def test_labels_of_other_types_are_refused():
    model = fitted(LogisticRegression(), "binary")
    model.classes_ = np.array([b"no", b"yes"])
    with pytest.raises(ValueError, match=r"labels of dtype \|S3 cannot be kept"):
        read_stack(model)
    model.classes_ = np.array(["no", 1], dtype=object)
    with pytest.raises(ValueError, match="labels of dtype object cannot be kept"):
        read_stack(model)


def changed_spec(stack, **changes):
    return replace(stack, spec=replace(stack.spec, **changes))


def changed_layer(stack, **changes):
    return replace(
        stack, layers=(replace(stack.layers[0], **changes), *stack.layers[1:])
    )


def broken_stacks():
    """Yield what a damaged file could hold, with words of the message."""
    ridge = read_stack(fitted(Ridge(), "one"))
    ridges = read_stack(fitted(Ridge(), "several"))
    logistic = read_stack(fitted(LogisticRegression(), "binary"))
    softmax = read_stack(fitted(LogisticRegression(), "multiclass"))
    network = read_stack(fitted(make("MLPClassifier"), "multiclass"))
    labels = read_stack(fitted(make("MLPClassifier"), "multilabel"))
    tweedie = read_stack(fitted(TweedieRegressor(), "one"))
    last = network.layers[-1]
    yield changed_spec(ridge, dtype="object"), "dtype='object' is unknown"
    yield changed_spec(ridge, intercept_dtype="O"), "intercept_dtype='O' is unknown"
    yield changed_spec(ridge, intercept="array"), "intercept='array' is unknown"
    yield changed_spec(ridge, layouts=("K",)), "layout='K' is unknown"
    yield changed_spec(ridge, labels="many"), "labels='many' is unknown"
    yield replace(ridge, link=LINKS["exp"]), "link='exp' is unknown for a Ridge"
    yield (
        replace(softmax, link=LINKS["identity"]),
        "link='identity' is unknown for a Logistic",
    )
    yield replace(softmax, link=LINKS["logistic"]), "link='logistic' with 3 classes"
    yield replace(logistic, link=LINKS["softmax"]), "link='softmax' with 2 classes"
    yield changed_spec(ridge, layouts=("C", "C")), "Each layer has one layout"
    yield replace(ridge, layers=()), "at least one layer"
    yield (
        changed_spec(replace(ridge, layers=ridge.layers * 2), layouts=("C", "C")),
        "Ridge has one layer",
    )
    yield changed_layer(ridge, biases=np.zeros(2)), r"biases \(2,\) make no layer"
    yield (
        changed_layer(ridge, weights=np.zeros((0, 1))),
        r"Weights \(0, 1\) and biases \(1,\) make no layer",
    )
    yield (
        replace(network, layers=(last, network.layers[0])),
        "with 3 outputs precedes one with 7 inputs",
    )
    yield changed_layer(ridge, activation="relu"), "the last layer has none"
    yield changed_layer(ridge, activation="step"), "activation='step' is unknown"
    yield changed_spec(ridge, n_dimensions=3), "n_dimensions=3 with 1 outputs"
    yield changed_spec(ridges, n_dimensions=1), "n_dimensions=1 with 3 outputs"
    yield changed_spec(network, n_dimensions=1), "n_dimensions=1 with 3 outputs"
    yield changed_spec(network, layouts=("C", "sparse")), "MLPClassifier are dense"
    yield changed_spec(network, intercept="float"), "MLPClassifier are vectors"
    yield changed_layer(ridge, biases=np.array([np.nan])), "biases of layer 0 contain"
    yield changed_spec(tweedie, power=np.nan), "power=nan is not finite"
    yield changed_spec(ridge, layouts=("sparse",)), "Ridge are dense"
    yield changed_spec(ridge, classes=np.arange(2)), "Ridge has no classes"
    yield changed_spec(ridge, labels="multilabel"), "Ridge has no labels"
    yield changed_spec(logistic, classes=None), "needs a list of classes"
    yield changed_spec(logistic, classes=np.arange(0)), "needs a list of classes"
    yield changed_spec(logistic, classes=np.arange(1)), "needs at least 2 classes"
    yield changed_spec(logistic, classes=np.array([1, 0])), "sorted, none twice"
    yield changed_spec(logistic, classes=np.array([1.0, np.nan])), "sorted, none twice"
    yield changed_spec(logistic, classes=np.array([1.0, np.inf])), "must be whole"
    yield (
        changed_spec(logistic, classes=np.arange(3)),
        "3 classes need 3 outputs, not 1",
    )
    yield changed_spec(network, classes=np.arange(4)), "4 classes need 4 outputs, not 3"
    yield changed_spec(logistic, labels="multilabel"), "does not predict several"
    yield changed_spec(labels, classes=np.arange(1, 4)), "numbered by column"
    yield changed_spec(labels, classes=np.arange(2)), "Each label has one output"
    yield replace(labels, link=LINKS["softmax"]), "link='softmax' with several labels"


BROKEN = list(broken_stacks())


@pytest.mark.parametrize(("stack", "message"), BROKEN, ids=[m for _, m in BROKEN])
def test_stack_that_is_no_model_is_refused(stack, message):
    with pytest.raises(ValueError, match=message):
        write_model(stack)


def test_numbers_in_files_are_never_reused():
    assert all(0 < number < 256 for number in FAMILIES)
    assert len({family.name for family in FAMILIES.values()}) == len(FAMILIES)
    given_out = {1: "LinearRegression", 2: "Ridge", 29: "TweedieRegressor"}
    given_out |= {64: "LogisticRegression", 71: "LinearSVC"}
    given_out |= {128: "MLPRegressor", 129: "MLPClassifier"}
    assert all(FAMILIES[number].name == name for number, name in given_out.items())
    assert {name: each.id for name, each in ACTIVATIONS.items()} == {
        "identity": 0,
        "logistic": 1,
        "tanh": 2,
        "relu": 3,
    }
    assert [link.id for link in LINKS.values()] == list(range(7))
    assert [*LINKS][:4] == ["identity", "exp", "softmax", "logistic"]


def test_every_link_belongs_to_a_family_and_every_family_has_known_links():
    used = set().union(*(family.links for family in FAMILIES.values()))
    assert used == LINKS.keys()


@pytest.mark.parametrize("name", NAMES)
def test_row_says_what_the_class_has(name):
    family = FAMILY_OF_NAME[name]
    model_class = family.model_class()
    assert family.is_classifier == is_classifier(make(name))
    assert family.sparsifies == hasattr(model_class, "sparsify")
    for parameters in family.links.values():
        changed = parameters.keys() - make(name).get_params()
        assert changed <= {"multi_class", "loss"}  # of other versions


def test_number_of_no_family_is_refused():
    with pytest.raises(ValueError, match="kind=0 is the number of no model"):
        family_with_id(0)


def test_every_linear_model_of_scikit_learn_is_supported():
    from sklearn.utils import all_estimators

    outside = {"RANSACRegressor", "SGDOneClassSVM"}  # without intercept_
    public = {
        name
        for name, each in all_estimators()
        if each.__module__.startswith("sklearn.linear_model") and name not in outside
    }
    assert public == {
        name for name in NAMES if not name.startswith(("MLP", "LinearSV"))
    }


def test_class_that_scikit_learn_lacks_is_named():
    with pytest.raises(ValueError, match=f"{sklearn.__version__} has no VanishedReg"):
        ModelFamily(id=250, name="VanishedRegressor").model_class()


def test_family_of_a_model_has_its_class():
    for name in NAMES:
        model = make(name)
        assert family_of(model).model_class() is type(model)


def test_stack_knows_its_size():
    stack = read_stack(fitted(make("MLPClassifier"), "multiclass"))
    assert (stack.n_inputs, stack.n_outputs, stack.n_weights) == (7, 3, 7 * 9 + 9 * 3)
    assert stack.spec.family.name == "MLPClassifier"


@pytest.mark.parametrize(
    "Model", [LinearSVR, ElasticNet, PoissonRegressor, RidgeClassifier]
)
def test_constant_models_are_kept(Model):
    target = "binary" if Model is RidgeClassifier else "one"
    stack = read_stack(fitted(Model(), target))
    stack = changed_layer(stack, weights=np.zeros_like(stack.layers[0].weights))
    written = write_model(stack)
    assert len(np.unique(written.predict(X_NEW))) == 1
