"""Recovery of networks, its controls, the interface and bad input."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermeval
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skinfo import (
    GaussianMixtureScore,
    GaussianScore,
    LocalLikelihoodScore,
    ScoreFunctionLoss,
)
from skinfo.datasets import make_teacher_network


def unit_rows(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def weight_error(found, truth):
    """Return 1 - min_i max_j |cos| of the true directions and those found."""
    cosines = np.abs(unit_rows(truth) @ unit_rows(found).T)
    return 1 - cosines.max(axis=1).min()


def teacher(n=4096, d=5, **options):
    return make_teacher_network(n, d, **{"random_state": 0} | options)


def model_for(**options):
    options = {"score_estimator": GaussianScore(), "random_state": 0} | options
    return ScoreFunctionLoss(**options)


# fits that the tests below do not need to converge
unconverged = pytest.mark.filterwarnings("ignore:The solver did not converge")


# ---- recovery


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hidden_layer_of_a_relu_network_is_recovered(seed):
    data = teacher(random_state=seed)
    model = model_for(random_state=seed).fit(data.X, data.y)
    assert weight_error(model.init_components_, data.components) <= 0.05
    assert weight_error(model.components_, data.components) <= 1e-3
    assert model.score(data.X, data.y) >= 0.999


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fewer_units_of_both_signs_that_are_not_orthogonal_are_recovered(seed):
    data = teacher(
        d=8,
        n_components=3,
        orthogonal=False,
        output_weights="mixed",
        random_state=seed,
    )
    model = model_for(n_components=3).fit(data.X, data.y)
    # found one after the other, the last ones less well
    assert weight_error(model.init_components_, data.components) <= 0.25
    assert weight_error(model.components_, data.components) <= 1e-3
    assert model.score(data.X, data.y) >= 0.999


@pytest.mark.parametrize("n_components", [2, 5])
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_units_that_saturate_are_recovered_by_order_three(activation, n_components):
    data = teacher(n_components=n_components, activation=activation)
    model = model_for(activation=activation, n_components=n_components, polish=False)
    model.fit(data.X, data.y)
    assert weight_error(model.init_components_, data.components) <= 0.02
    assert model.score(data.X, data.y) >= 0.95


def test_polish_finds_units_that_saturate():
    data = teacher(n_components=2, activation="tanh")
    model = model_for(activation="tanh", n_components=2).fit(data.X, data.y)
    assert weight_error(model.components_, data.components) <= 1e-3


def test_several_outputs_are_recovered_together():
    weights = np.random.default_rng(0).uniform(-2, 2, size=(5, 3))
    data = teacher(output_weights=weights)
    model = model_for().fit(data.X, data.y)
    assert weight_error(model.components_, data.components) <= 1e-3
    assert model.predict(data.X).shape == (4096, 3)
    np.testing.assert_allclose(model.predict(data.X), data.y, atol=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_best_combination_of_several_outputs_is_kept(seed):
    weights = np.random.default_rng(seed).uniform(-2, 2, size=(5, 3))
    data = teacher(n=2048, output_weights=weights, random_state=seed)
    model = model_for(polish=False, random_state=seed).fit(data.X, data.y)
    # the worst of the combinations explains .73 to .78
    assert model.score(data.X, data.y) >= 0.95


def test_a_single_column_of_outputs_keeps_its_shape():
    data = teacher(n=500)
    column = model_for(polish=False).fit(data.X, data.y[:, np.newaxis])
    plain = model_for(polish=False).fit(data.X, data.y)
    assert column.predict(data.X).shape == (500, 1)
    np.testing.assert_allclose(column.predict(data.X)[:, 0], plain.predict(data.X))


def test_biases_are_recovered():
    data = teacher(bias_scale=0.3)
    model = model_for().fit(data.X, data.y)
    lengths = np.linalg.norm(model.components_, axis=1)
    found = unit_rows(model.components_)
    cosines = data.components @ found.T
    match = np.abs(cosines).argmax(axis=1)
    signs = np.sign(cosines[np.arange(5), match])
    np.testing.assert_allclose(np.abs(cosines).max(axis=1), 1, atol=1e-3)
    biases = (model.intercepts_ / lengths)[match]
    # relu(-z) = relu(z) - z: the sign of a unit is free, its bend is not
    np.testing.assert_allclose(signs * biases, data.intercepts, atol=0.01)


@pytest.mark.parametrize("solver", ["fixed_point", "lbfgs"])
def test_solvers_of_the_whitened_tensor_agree(solver):
    data = teacher(n=2048)
    model = model_for(solver=solver, polish=False, n_init=2).fit(data.X, data.y)
    assert weight_error(model.init_components_, data.components) <= 0.05


def test_stochastic_descent_recovers_one_direction():
    data = teacher(n=8192, d=3, n_components=1)
    model = model_for(solver="sgd", polish=False, n_components=1, max_iter=20)
    model.fit(data.X, data.y)
    assert weight_error(model.init_components_, data.components) <= 0.05
    assert len(model.loss_curve_) == model.n_iter_ == 20
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_stochastic_descent_works_in_the_coordinates_of_correlated_inputs():
    """Directions that are orthogonal among the inputs are not where these are white."""
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky([[4.0, 1.9], [1.9, 1.0]])
    X = rng.normal(size=(20_000, 2)) @ root.T + 3
    truth, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    y = np.maximum((X - X.mean(axis=0)) @ truth.T, 0).sum(axis=1)
    options = {"residual_degree": 2, "polish": False, "max_iter": 20, "mu": 1}
    model = model_for(solver="sgd", **options).fit(X, y)
    assert weight_error(model.components_, truth) <= 0.02


def test_stochastic_descent_leaves_out_directions_that_do_not_vary():
    data = teacher(n=8192, d=3, n_components=1)
    X = np.column_stack([data.X, np.ones(8192), data.X[:, 0]])
    model = model_for(solver="sgd", polish=False, n_components=1, max_iter=20)
    found = model.fit(X, data.y).components_[0]
    assert found[3] == 0
    # the first column and its copy share a weight
    summed = np.array([[found[0] + found[4], *found[1:3]]])
    assert weight_error(summed, data.components) <= 0.05


def test_scores_of_a_mixture_recover_under_its_inputs():
    data = teacher(input_law="mixture")
    score = GaussianMixtureScore(random_state=0)
    model = model_for(score_estimator=score).fit(data.X, data.y)
    assert weight_error(model.init_components_, data.components) <= 0.1
    assert weight_error(model.components_, data.components) <= 1e-3


def test_local_likelihood_recovers_under_laplace_inputs():
    data = teacher(n=1500, d=3, input_law="laplace", noise=0.1)
    model = ScoreFunctionLoss(random_state=0, n_init=2).fit(data.X, data.y)
    assert weight_error(model.components_, data.components) <= 0.01
    assert model.score(data.X, data.noiseless) >= 0.999


# ---- controls


@unconverged
def test_shuffled_labels_do_not_recover():
    data = teacher()
    for seed in range(3):
        y = np.random.default_rng(seed).permutation(data.y)
        model = model_for(polish=False, random_state=seed).fit(data.X, y)
        # .5 to .8 in these seeds, where the true labels give .01
        assert weight_error(model.components_, data.components) >= 0.3
        assert model.score(data.X, y) <= 0.05


@pytest.mark.parametrize(
    "options",
    [{"d": 5}, {"d": 6, "n_components": 3, "orthogonal": False}],
)
def test_rotation_of_the_inputs_rotates_the_components(options):
    data = teacher(n=2048, **options)
    d = data.X.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(d, d)))
    model = model_for(n_components=len(data.components), tol=1e-15, polish=False)
    plain = clone(model).fit(data.X, data.y).components_
    turned = clone(model).fit(data.X @ rotation, data.y).components_
    for row in plain @ rotation:
        distances = [min(np.abs(row - r).max(), np.abs(row + r).max()) for r in turned]
        assert min(distances) <= 1e-6


def test_units_of_the_features_and_outputs_do_not_matter():
    data = teacher(n=1000)
    scale, shift = np.array([1e-2, 1, 10, 1e2, 0.1]), np.array([5, 0, -3, 1e4, 1])
    plain = model_for(polish=False, tol=1e-15).fit(data.X, data.y)
    X = data.X * scale + shift
    scaled = model_for(polish=False, tol=1e-15).fit(X, 100 * data.y - 7)
    expected = 100 * plain.predict(data.X) - 7
    np.testing.assert_allclose(scaled.predict(X), expected, atol=1e-3)
    assert weight_error(scaled.components_ * scale, plain.components_) <= 1e-9


def test_a_feature_in_tiny_units_is_not_left_out():
    data = teacher(n=1000, d=2)
    model = model_for(polish=False).fit(data.X * [1e-4, 1e4], data.y)
    assert model.components_.shape == (2, 2)
    assert model.score(data.X * [1e-4, 1e4], data.y) >= 0.9


@pytest.mark.parametrize("solver", ["fixed_point", "lbfgs"])
def test_designed_loss_is_smallest_at_the_truth(solver):
    data = teacher()
    model = model_for(polish=False, solver=solver).fit(data.X, data.y)
    truth = model.designed_loss(data.components)
    rng = np.random.default_rng(1)
    for _ in range(20):
        basis, _ = np.linalg.qr(rng.normal(size=(5, 5)))
        assert model.designed_loss(basis) > truth
    assert model.loss_ == pytest.approx(model.designed_loss(model.init_components_))
    lengthened = model.designed_loss(-3 * data.components)
    assert lengthened == pytest.approx(truth)


@unconverged
def test_the_residual_takes_sampling_noise_away():
    data = teacher(n=2048)
    errors = {}
    for degree in (None, 2):
        model = model_for(residual_degree=degree, polish=False).fit(data.X, data.y)
        errors[degree] = weight_error(model.init_components_, data.components)
    assert errors[2] < errors[None] / 2


# ---- the wrapped regressor


def test_a_regressor_without_hidden_layers_is_fitted_on_the_hidden_features():
    data = teacher(n=1000)
    model = model_for(estimator=Ridge(alpha=1e-3)).fit(data.X, data.y)
    expected = Ridge(alpha=1e-3).fit(model.transform(data.X), data.y)
    np.testing.assert_allclose(model.estimator_.coef_, expected.coef_)
    assert model.score(data.X, data.y) >= 0.95
    np.testing.assert_array_equal(model.components_, model.init_components_)


def test_a_given_network_keeps_its_own_training():
    data = teacher(n=1000)
    given = MLPRegressor(
        hidden_layer_sizes=(7,), solver="adam", max_iter=5, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = model_for(estimator=given).fit(data.X, data.y)
    assert given.hidden_layer_sizes == (7,)
    assert not hasattr(given, "coefs_")
    assert model.estimator_.solver == "adam"
    assert model.estimator_.hidden_layer_sizes == (5,)
    assert not model.estimator_.warm_start
    assert model.score(data.X, data.y) >= 0.95


def test_network_predicts_in_the_units_of_the_inputs():
    data = teacher(n=1000)
    X, y = 10 * data.X + 3, 5 * data.y - 2
    model = model_for().fit(X, y)
    np.testing.assert_allclose(model.estimator_.predict(X), model.predict(X))
    hidden = np.maximum(X @ model.components_.T + model.intercepts_, 0)
    np.testing.assert_allclose(model.transform(X), hidden)
    outputs = hidden @ model.estimator_.coefs_[1] + model.estimator_.intercepts_[1]
    np.testing.assert_allclose(model.predict(X), outputs[:, 0])


def test_a_training_starts_from_output_weights_with_a_ridge_of_their_own():
    data = teacher(n=1000)
    still = MLPRegressor(
        solver="sgd", learning_rate_init=1e-15, max_iter=1, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = model_for(estimator=still, alpha=1e-9).fit(data.X, data.y)
    ridge = model_for(polish=False, alpha=1e-2).fit(data.X, data.y)
    plain = model_for(polish=False, alpha=1e-9).fit(data.X, data.y)
    weights, expected, others = (
        model.estimator_.coefs_[1] for model in (start, ridge, plain)
    )
    np.testing.assert_allclose(weights, expected, rtol=1e-9)
    assert np.abs(weights / others - 1).max() >= 1e-3


def test_without_polish_the_recovered_layer_stays():
    data = teacher(n=1000)
    model = model_for(polish=False).fit(data.X, data.y)
    np.testing.assert_allclose(model.components_, model.init_components_)
    assert model.score(data.X, data.y) >= 0.95


# ---- the interface


def test_shapes_names_and_attributes():
    data = teacher(n=500, n_components=3)
    model = model_for(n_components=3).fit(data.X, data.y)
    assert model.components_.shape == model.init_components_.shape == (3, 5)
    assert model.intercepts_.shape == (3,)
    assert model.predict(data.X[:7]).shape == (7,)
    assert model.transform(data.X[:7]).shape == (7, 3)
    assert model.n_iter_ == len(model.loss_curve_) >= 1
    names = model.get_feature_names_out()
    assert names.tolist() == [f"scorefunctionloss{i}" for i in range(3)]
    assert isinstance(model.score_estimator_, GaussianScore)


def test_frames_give_frames():
    data = teacher(n=500)
    frame = pd.DataFrame(data.X, columns=list("abcde"))
    model = model_for(polish=False).set_output(transform="pandas")
    hidden = model.fit(frame, pd.Series(data.y)).transform(frame)
    assert hidden.columns.tolist() == [f"scorefunctionloss{i}" for i in range(5)]
    assert model.feature_names_in_.tolist() == list("abcde")
    plain = model_for(polish=False).fit(data.X, data.y)
    # frames are stored by columns, which changes the order of the sums
    np.testing.assert_allclose(hidden, plain.transform(data.X), atol=1e-9)
    np.testing.assert_allclose(model.predict(frame), plain.predict(data.X), atol=1e-9)


def test_fits_pickle_clone_and_repeat():
    data = teacher(n=500)
    model = model_for().fit(data.X, data.y)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(data.X), model.predict(data.X))
    assert restored.designed_loss(data.components) == model.designed_loss(
        data.components
    )
    again = clone(model)
    assert not hasattr(again, "components_")
    np.testing.assert_array_equal(
        again.fit(data.X, data.y).components_, model.components_
    )


def test_works_in_pipelines_and_cross_validation():
    data = teacher(n=1000)
    pipeline = make_pipeline(StandardScaler(), model_for(n_init=2))
    assert cross_val_score(pipeline, data.X, data.y, cv=3).min() >= 0.99


def test_given_score_estimator_is_cloned():
    score = GaussianScore()
    data = teacher(n=200)
    model = model_for(score_estimator=score, polish=False).fit(data.X, data.y)
    assert not hasattr(score, "mean_")
    assert model.score_estimator_ is not score


class PlainScore(BaseEstimator):
    """The least that a score estimator has: of a standard normal density."""

    def fit(self, X, y=None):
        self.samples_ = np.asarray(X)
        return self

    def log_density_derivatives(self, X=None):
        X = self.samples_ if X is None else X
        return -X, np.tile(-np.eye(X.shape[1]), (len(X), 1, 1))


def test_a_foreign_score_estimator_needs_no_more_than_the_derivatives():
    data = teacher()
    model = model_for(score_estimator=PlainScore(), polish=False).fit(data.X, data.y)
    assert weight_error(model.components_, data.components) <= 0.05


class ContractingScore(BaseEstimator):
    """Of a density that is known, here standard normal: only along vectors."""

    def fit(self, X, y=None):
        self.samples_ = np.asarray(X)
        return self

    def contract(self, X, vectors, order):
        X = self.samples_ if X is None else X
        lengths = np.linalg.norm(vectors, axis=1)
        hermite = [0.0] * order + [1.0]
        return lengths**order * hermeval(X @ vectors.T / lengths, hermite)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_foreign_score_estimator_may_give_contractions_alone(activation):
    data = teacher(activation=activation)
    # with several starts, rounding decides between those that are as good
    options = {"activation": activation, "n_components": 3, "n_init": 1}
    given, plain = (
        model_for(score_estimator=score, polish=False, **options).fit(data.X, data.y)
        for score in (ContractingScore(), PlainScore())
    )
    np.testing.assert_allclose(given.components_, plain.components_, atol=1e-8)
    assert given.loss_ == pytest.approx(plain.loss_, rel=1e-8)


def test_contractions_alone_do_not_serve_stochastic_descent():
    data = teacher(n=200)
    model = model_for(score_estimator=ContractingScore(), solver="sgd")
    with pytest.raises(TypeError, match=r"solver='sgd', and more than 20 hidden"):
        model.fit(data.X, data.y)


class BadScore(BaseEstimator):
    """Gives what its parameters say."""

    def __init__(self, gradient=None, hessian=None):
        self.gradient = gradient
        self.hessian = hessian

    def fit(self, X, y=None):
        self.is_fitted_ = True  # and does not return itself

    def log_density_derivatives(self, X=None):
        return self.gradient, self.hessian


@pytest.mark.parametrize(
    ("gradient", "hessian", "message"),
    [
        (np.full((50, 2), np.nan), -np.eye(2), r"shape \(50, 2\)\. .* finite values"),
        (
            np.ones((49, 2)),
            -np.eye(2),
            r"shape \(49, 2\)\. It must have the shape \(50",
        ),
        (np.ones((50, 2)), -np.ones(2), r"shape \(2,\)\. .* the shape \(2, 2\)"),
        (np.ones((50, 2)), np.ones((50, 2, 3)), r"the shape \(50, 2, 2\)"),
    ],
)
def test_unusable_scores_of_a_foreign_estimator_are_named(gradient, hessian, message):
    data = teacher(n=50, d=2)
    model = model_for(score_estimator=BadScore(gradient, hessian))
    with pytest.raises(ValueError, match=message):
        model.fit(data.X, data.y)


# ---- bad input


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_sizes_beyond_the_floats_are_named(scale):
    data = teacher(n=50, d=2)
    with pytest.raises(ValueError, match="X has values beyond 1e\\+100, or columns"):
        model_for().fit(data.X * scale, data.y)
    with pytest.raises(ValueError, match="y has values beyond 1e\\+100, or columns"):
        model_for().fit(data.X, data.y * scale)


def test_a_constant_feature_gets_no_weight_and_no_unit():
    data = teacher(n=2000, d=3)
    X = np.column_stack([data.X, np.full(2000, 0.1)])  # whose mean is not exact
    model = model_for().fit(X, data.y)
    assert model.components_.shape == (3, 4)
    np.testing.assert_array_equal(model.components_[:, 3], 0)
    X[:, 3] = 0.2
    assert model.score(X, data.y) >= 0.999


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_feature_that_a_fold_does_not_see_is_no_harm(seed):
    X = np.random.default_rng(0).normal(size=(200, 4))
    X[:, 3] = np.arange(200) == 7
    y = np.tanh(X).sum(axis=1)
    model = ScoreFunctionLoss(activation="tanh", random_state=seed).fit(X, y)
    assert model.components_.shape == (4, 4)


def test_features_of_very_different_units_are_all_seen():
    data = teacher(n=2000, d=3)
    units = [1e6, 1, 1e-6]
    plain = model_for(polish=False).fit(data.X, data.y)
    scaled = model_for(polish=False).fit(data.X * units, data.y)
    # the same units, in any order
    found = scaled.components_ * units
    distances = np.abs(found[:, np.newaxis] - plain.components_).max(axis=2)
    assert distances.min(axis=1).max() <= 1e-6


@pytest.mark.parametrize("method", ["loss", "classifier"])
def test_other_losses_are_refused(method):
    data = teacher(n=100)
    estimator = MLPClassifier() if method == "classifier" else PoissonNetwork()
    with pytest.raises(ValueError, match=method):
        model_for(estimator=estimator).fit(data.X, data.y)


@pytest.mark.parametrize("estimator", [StandardScaler(), KMeans(), Ridge, 3, "ridge"])
def test_what_is_no_regressor_is_refused_before_any_work(estimator):
    data = teacher(n=100)
    found = rf"must be a regressor, not {type(estimator).__name__}\. Pass, for .* Ridge"
    with pytest.raises(TypeError, match=rf"^estimator=.* {found}"):
        model_for(estimator=estimator).fit(data.X, data.y)


@unconverged
def test_regressors_in_other_estimators_are_regressors():
    data = teacher(n=200)
    for estimator in (
        make_pipeline(StandardScaler(), Ridge()),
        GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=2),
    ):
        model = model_for(estimator=estimator, polish=False).fit(data.X, data.y)
        assert model.predict(data.X).shape == (200,)


class PoissonNetwork(MLPRegressor):
    """What MLPRegressor(loss="poisson") is where scikit-learn has it."""

    def __init__(self, hidden_layer_sizes=(3,), loss="poisson"):
        super().__init__(hidden_layer_sizes=hidden_layer_sizes)
        self.loss = loss


def test_directions_that_the_solver_did_not_settle_are_announced():
    data = teacher(n=1000)
    model = model_for(max_iter=1, polish=False)
    with pytest.warns(ConvergenceWarning, match="in max_iter=1 iterations"):
        model.fit(data.X, data.y)


@pytest.mark.parametrize("solver", ["fixed_point", "lbfgs", "sgd"])
def test_negative_outputs_have_the_same_directions_and_loss(solver):
    data = teacher(n=2000, d=3)
    options = {"solver": solver, "polish": False, "max_iter": 30, "mu": 0.3}
    given, negative = (model_for(**options).fit(data.X, y) for y in (data.y, -data.y))
    assert negative.loss_ == pytest.approx(given.loss_, rel=1e-6)
    truth = negative.designed_loss(data.components)
    assert truth == pytest.approx(given.designed_loss(data.components), rel=1e-6)
    assert truth < negative.designed_loss(np.eye(3))


def test_contractions_serve_few_units_of_many_features():
    data = teacher(n=2000, d=24, n_components=2)
    model = model_for(score_estimator=ContractingScore(), n_components=2, polish=False)
    plain = model_for(score_estimator=PlainScore(), n_components=2, polish=False)
    model.fit(data.X, data.y)
    assert model.loss_ == pytest.approx(plain.fit(data.X, data.y).loss_, rel=1e-6)
    again = model.designed_loss(model.components_)
    assert again == pytest.approx(model.loss_, rel=1e-10)


class BothScore(PlainScore, ContractingScore):
    """Has both methods."""


def test_stochastic_descent_takes_derivatives_where_there_are_any():
    data = teacher(n=500, d=2)
    model = model_for(score_estimator=BothScore(), solver="sgd", max_iter=3)
    assert model.fit(data.X, data.y).n_iter_ == 3


def test_changed_parameters_do_not_change_a_fitted_model():
    data = teacher(n=200)
    model = model_for(estimator=Ridge()).fit(data.X, data.y)
    hidden, predicted = model.transform(data.X), model.predict(data.X)
    loss = model.designed_loss(data.components)
    model.set_params(activation="tanh", mu=1)
    assert model.designed_loss(data.components) == loss
    np.testing.assert_array_equal(model.transform(data.X), hidden)
    np.testing.assert_array_equal(model.predict(data.X), predicted)


def test_scores_take_sample_weights():
    data = teacher(n=200, noise=1.0)
    model = model_for().fit(data.X, data.y)
    weight = (np.arange(200) < 100).astype(float)
    assert model.score(data.X, data.y, sample_weight=weight) == pytest.approx(
        model.score(data.X[:100], data.y[:100])
    )


def test_large_fits_keep_no_scores_of_samples():
    data = teacher(n=1000, d=22, n_components=2)
    model = ScoreFunctionLoss(
        n_components=2,
        score_estimator=LocalLikelihoodScore(bandwidth_factor=5),
        polish=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.X, data.y)
        again = model.designed_loss(model.init_components_)
    assert len(pickle.dumps(model)) < 3 * data.X.nbytes
    assert again == pytest.approx(model.loss_, rel=1e-12)


def test_few_samples_and_real_tables_cause_no_storm_of_warnings():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = X[:, 0] ** 2 + X[:, 1]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ScoreFunctionLoss(random_state=0).fit(X, y).predict(X)
    assert len(caught) <= 3


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_constant_outputs_are_predicted(activation):
    X = np.random.default_rng(0).normal(size=(200, 3))
    model = model_for(activation=activation).fit(X, np.full(200, 7.0))
    np.testing.assert_allclose(model.predict(X), 7, atol=1e-6)
    assert np.all(np.isfinite(model.components_))
    assert np.isfinite(model.loss_)


def test_one_constant_output_of_two_is_no_harm():
    data = teacher(n=2048)
    Y = np.column_stack([data.y, np.full(2048, 3.0)])
    model = model_for().fit(data.X, Y)
    assert weight_error(model.components_, data.components) <= 1e-3
    np.testing.assert_allclose(model.predict(data.X)[:, 1], 3, atol=0.01)


@unconverged
@pytest.mark.parametrize("n", [2, 3, 6, 12, 20])
def test_few_samples_lower_the_degree_of_the_residual(n):
    X = np.random.default_rng(0).normal(size=(n, 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = model_for(polish=False).fit(X, X[:, 0])
    messages = [str(each.message) for each in caught]
    degree = 1 if n >= 10 else 0
    expected = f"{n} samples of 4 features are too few .* degree {degree} was taken"
    assert any(np.char.find(messages, "too few") >= 0)
    with pytest.warns(ConvergenceWarning, match=expected):
        clone(model).fit(X, X[:, 0])
    assert len(messages) <= 3
    assert np.all(np.isfinite(model.predict(X)))


def test_duplicate_rows_are_fitted():
    X = np.repeat(np.random.default_rng(0).normal(size=(50, 3)), 4, axis=0)
    y = np.maximum(X, 0).sum(axis=1)
    model = ScoreFunctionLoss(random_state=0, n_init=1, polish=False).fit(X, y)
    assert np.all(np.isfinite(model.predict(X)))


def test_constant_features_predict_the_mean():
    y = np.arange(20.0)
    model = model_for().fit(np.ones((20, 3)), y)
    np.testing.assert_allclose(model.predict(np.ones((5, 3))), y.mean())


def test_linearly_dependent_features_are_fitted():
    data = teacher(n=2048, d=3)
    X = np.column_stack([data.X, data.X[:, 0] + data.X[:, 1]])
    model = model_for().fit(X, data.y)
    assert model.components_.shape == (3, 4)
    assert model.score(X, data.y) >= 0.999
    with pytest.raises(ValueError, match=r"n_components=4 .*linearly independent"):
        model_for(n_components=4).fit(X, data.y)


def test_more_units_than_features_are_refused():
    data = teacher(n=200)
    message = r"n_components=6 must be at most the number of features \(5\): more dir"
    with pytest.raises(ValueError, match=message):
        model_for(n_components=6).fit(data.X, data.y)


class NoScore(BaseEstimator):
    def fit(self, X, y=None):
        return self


def test_score_estimators_without_the_protocol_are_refused():
    data = teacher(n=200)
    for score in (NoScore(), Ridge(), 3):
        with pytest.raises(TypeError, match=r"^score_estimator=.* neither the method"):
            model_for(score_estimator=score).fit(data.X, data.y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"activation": "identity"}, ValueError, "activation='identity'"),
        ({"activation": "softplus"}, ValueError, "activation='softplus'"),
        ({"order": 2}, ValueError, "order=2"),
        ({"residual_degree": 3}, ValueError, "residual_degree=3"),
        ({"solver": "adam"}, ValueError, "solver='adam'"),
        ({"polish": "yes"}, TypeError, "polish='yes' must be a bool"),
        ({"activation": "tanh", "solver": "sgd"}, ValueError, "solver='sgd'"),
        ({"order": 3, "solver": "lbfgs"}, ValueError, "solver='lbfgs'"),
        ({"mu": 0}, ValueError, "mu=0"),
        ({"tol": -1.0}, ValueError, "tol=-1.0"),
        ({"alpha": "a"}, TypeError, "alpha='a'"),
        ({"n_init": 0}, ValueError, "n_init=0"),
        ({"max_iter": 0}, ValueError, "max_iter=0"),
        ({"n_components": 0}, ValueError, "n_components=0"),
        ({"n_components": 2.5}, TypeError, "n_components=2.5"),
    ],
)
def test_wrong_parameters_are_named(options, error, message):
    data = teacher(n=100)
    with pytest.raises(error, match=message):
        model_for(**options).fit(data.X, data.y)


@unconverged
def test_wrong_calls_are_named():
    data = teacher(n=200)
    with pytest.raises(NotFittedError):
        model_for().predict(data.X)
    with pytest.raises(NotFittedError):
        model_for().designed_loss(data.components)
    model = model_for(polish=False).fit(data.X, data.y)
    with pytest.raises(ValueError, match="NaN"):
        model.designed_loss(np.full((1, 5), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((200, 5), np.nan), data.y)
    odd = model_for(activation="tanh", polish=False).fit(data.X, data.y)
    with pytest.raises(ValueError, match="needs order=4"):
        odd.designed_loss(data.components)


def test_directions_of_another_width_are_refused():
    data = teacher(n=200)
    model = model_for(polish=False).fit(data.X, data.y)
    with pytest.raises(ValueError, match="components"):
        model.designed_loss(np.eye(4))
