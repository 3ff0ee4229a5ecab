"""The recipe "Add a density with a score function", followed word for word.

The densities of the recipe are products of logistic ones, fitted by their moments.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.stats import logistic
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from skinfo import GaussianScore, ScoreFunctionLoss
from skinfo.datasets import make_teacher_network
from skinfo.score_functions.densities._estimator import ScoreFunctionEstimator
from skinfo.score_functions.densities._locally_quadratic import LocallyQuadraticScore


class LogisticMoments:
    """What both densities of the recipe share: location and scale of each feature."""

    def __init__(self, scale_factor=1.0):
        self.scale_factor = scale_factor

    def _fit(self, X):
        self.location_ = X.mean(axis=0)
        self.scale_ = self.scale_factor * X.std(axis=0) * np.sqrt(3) / np.pi
        self._samples = X.copy()

    def _log_derivatives(self, X):
        """Return the first to fourth derivative of each feature's log density."""
        samples = self._samples if X is None else X
        t = np.tanh((samples - self.location_) / self.scale_ / 2)
        s = 1 - t**2
        derivatives = [-t, -s / 2, s * t / 2, s * (1 - 3 * t**2) / 4]
        return [each / self.scale_**k for k, each in enumerate(derivatives, start=1)]


class LogisticScore(LogisticMoments, ScoreFunctionEstimator):
    """Step 1: a density whose score functions are known exactly."""

    def _score_function(self, X, order):
        a, b, c, e = self._log_derivatives(X)
        # p^(k) / p of each feature
        ratios = [
            np.ones_like(a),
            a,
            a**2 + b,
            a**3 + 3 * a * b + c,
            a**4 + 6 * a**2 * b + 3 * b**2 + 4 * a * c + e,
        ]
        n, d = a.shape
        tensors = np.empty((n,) + (d,) * order)
        for index in np.ndindex((d,) * order):
            counts = np.bincount(index, minlength=d)
            factors = [ratios[count][:, j] for j, count in enumerate(counts)]
            tensors[:, *index] = (-1) ** order * np.prod(factors, axis=0)
        return tensors

    def _contract(self, X, vectors, order):
        a, b, c, e = (
            each @ vectors.T**k
            for k, each in enumerate(self._log_derivatives(X), start=1)
        )
        return [
            lambda: -a,
            lambda: a**2 + b,
            lambda: -(a**3 + 3 * a * b + c),
            lambda: a**4 + 6 * a**2 * b + 3 * b**2 + 4 * a * c + e,
        ][order - 1]()


class QuadraticLogisticScore(LogisticMoments, LocallyQuadraticScore):
    """Step 2: the same density, approximated by a quadratic near each sample."""

    def _log_density_derivatives(self, X):
        first, second, *_ = self._log_derivatives(X)
        return first, second[:, :, np.newaxis] * np.eye(second.shape[1])

    def _objective(self, X):
        first, second, *_ = self._log_derivatives(X)
        return (first**2).sum(axis=1) / 2 + second.sum(axis=1)


DENSITIES = [LogisticScore(), QuadraticLogisticScore()]
every_density = pytest.mark.parametrize(
    "density", DENSITIES, ids=lambda density: type(density).__name__
)


def logistic_samples(n=500, d=2):
    return np.random.default_rng(0).logistic(size=(n, d)) * [1.0, 2.0][:d] + [3.0, 0.0]


def log_density(density, X):
    return logistic.logpdf(X, density.location_, density.scale_).sum(axis=1)


STENCILS = {  # central differences of the second order, steps of one
    1: {-1: -0.5, 1: 0.5},
    2: {-1: 1, 0: -2, 1: 1},
    3: {-2: -0.5, -1: 1, 1: -1, 2: 0.5},
    4: {-2: 1, -1: -4, 0: 6, 1: -4, 2: 1},
}


# ---- step 1 and 2: the methods


@parametrize_with_checks(DENSITIES)
def test_the_methods_make_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("base", "missing"),
    [
        (ScoreFunctionEstimator, ["_contract", "_fit", "_score_function"]),
        (LocallyQuadraticScore, ["_fit", "_log_density_derivatives", "_objective"]),
    ],
)
def test_a_density_that_lacks_a_method_cannot_be_made(base, missing):
    assert sorted(base.__abstractmethods__) == missing
    whole = dict.fromkeys(missing, len)  # any function
    type("Whole", (base,), whole)()
    for name in missing:
        rest = {each: whole[each] for each in missing if each != name}
        with pytest.raises(TypeError, match=name):
            type("Partial", (base,), rest)()


# ---- step 3: against finite differences of the log density


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_exact_scores_are_derivatives_of_the_density(order):
    X = logistic_samples()
    density, v, step = LogisticScore().fit(X), np.array([0.6, -0.8]), 0.02
    derivative = sum(
        c * np.exp(log_density(density, X + place * step * v) - log_density(density, X))
        for place, c in STENCILS[order].items()
    )
    expected = (-1) ** order * derivative / step**order
    contracted = density.contract(None, [v], order)[:, 0]
    scale = np.abs(expected).max()
    # the error of the differences is of the order of the squared step
    np.testing.assert_allclose(contracted, expected, atol=3e-3 * scale)
    tensor = density.score_function(X, order)
    for _ in range(order):
        tensor = tensor @ v
    np.testing.assert_allclose(tensor, contracted, rtol=1e-9, atol=1e-9 * scale)


@every_density
def test_derivatives_are_those_of_the_log_density(density):
    X, step = logistic_samples(), 1e-4
    density = clone(density).fit(X)
    gradient, hessian = density.log_density_derivatives(X)
    for i, shift in enumerate(step * np.eye(2)):
        above, below = X + shift, X - shift
        slopes = log_density(density, above) - log_density(density, below)
        np.testing.assert_allclose(gradient[:, i], slopes / (2 * step), atol=1e-6)
        slopes = density.transform(below) - density.transform(above)
        np.testing.assert_allclose(hessian[:, i], slopes / (2 * step), atol=1e-6)
    np.testing.assert_allclose(density.transform(X), -gradient)
    objective = (gradient**2).sum(axis=1) / 2 + np.einsum("nii->n", hessian)
    assert density.score(X) == pytest.approx(-objective.mean())
    assert density.score() == pytest.approx(-objective.mean())


def test_the_quadratic_approximation_neglects_higher_derivatives_alone():
    X = logistic_samples()
    exact, quadratic = (clone(density).fit(X) for density in DENSITIES)
    for order in (1, 2, 3, 4):
        first, second = (each.score_function(X, order) for each in (exact, quadratic))
        gap = np.abs(first - second).max() / np.abs(first).max()
        assert (gap < 1e-12) == (order <= 2)


@every_density
def test_orders_vectors_and_points_are_checked_by_the_base(density):
    X = logistic_samples()
    density = clone(density).fit(X)
    with pytest.raises(ValueError, match="order=5"):
        density.score_function(X, 5)
    with pytest.raises(ValueError, match="vectors has 1 columns, but X has 2"):
        density.contract(X, [[1.0]], 2)
    with pytest.raises(ValueError, match="X has values beyond"):
        density.transform(1e200 * X)


# ---- what comes with the base


@every_density
def test_cross_validation_chooses_the_true_scale(density):
    X = logistic_samples(2000) / [1.0, 2.0]
    folds = KFold(5, shuffle=True, random_state=0)
    grid = {"scale_factor": [0.5, 1.0, 2.0]}
    search = GridSearchCV(density, grid, cv=folds).fit(X)
    assert search.best_params_ == {"scale_factor": 1.0}


def recovered_error(model, data):
    """Return 1 - min_i max_j |cos| of the true directions and those found."""
    found = model.components_
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    return 1 - np.abs(data.components @ found.T).max(axis=1).min()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_hidden_layer_is_recovered_with_the_exact_scores(activation):
    data = make_teacher_network(
        8192, 3, activation=activation, input_law="logistic", random_state=0
    )
    model = ScoreFunctionLoss(
        activation=activation,
        polish=False,
        score_estimator=LogisticScore(),
        random_state=0,
    )
    assert recovered_error(model.fit(data.X, data.y), data) <= 1e-3
    assert isinstance(model.score_estimator_, LogisticScore)
    # the score functions of another density do not do: .008 for tanh, .37 for relu
    model.set_params(score_estimator=GaussianScore()).fit(data.X, data.y)
    assert recovered_error(model, data) >= 5e-3


def test_stochastic_descent_takes_the_derivatives():
    data = make_teacher_network(500, 2, input_law="logistic", random_state=0)
    models = [
        ScoreFunctionLoss(
            score_estimator=density,
            solver="sgd",
            polish=False,
            max_iter=3,
            random_state=0,
        ).fit(data.X, data.y)
        for density in DENSITIES
    ]
    np.testing.assert_allclose(*(model.components_ for model in models))


def test_fitted_models_with_the_density_pickle():
    data = make_teacher_network(500, 2, input_law="logistic", random_state=0)
    model = ScoreFunctionLoss(score_estimator=LogisticScore(), random_state=0)
    model.fit(data.X, data.y)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(data.X), model.predict(data.X))
