"""Gaussian and mixture scores against polynomials and finite differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial import hermite_e
from scipy.stats import multivariate_normal

from skinfo import GaussianMixtureScore, GaussianScore, LocalLikelihoodScore
from skinfo.score_functions.tensors._average import average_tensor, total

ESTIMATORS = [
    GaussianScore(),
    GaussianMixtureScore(random_state=0),
    LocalLikelihoodScore(bandwidth_factor=4),
]


def bimodal(n=400, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return 0.7 * rng.normal(size=(n, d)) + rng.choice([-1.5, 1.5], size=(n, 1))


def standard_samples(d=3):
    """Return samples whose mean is exactly 0, and whose covariance exactly I."""
    X = np.random.default_rng(0).normal(size=(200, d))
    X -= X.mean(axis=0)
    left, _, right = np.linalg.svd(X, full_matrices=False)
    return np.sqrt(200) * left @ right


# ---- the Gaussian


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_gaussian_scores_are_hermite_polynomials(order):
    X = standard_samples()
    u = np.array([1.0, -2.0, 2.0]) / 3
    estimator = GaussianScore().fit(X)
    tensor = estimator.score_function(X, order)
    for _ in range(order):
        tensor = tensor @ u
    expected = hermite_e.hermeval(X @ u, [0] * order + [1])
    np.testing.assert_allclose(tensor, expected, rtol=1e-9, atol=1e-9)
    contracted = estimator.contract(X, [u], order)[:, 0]
    np.testing.assert_allclose(contracted, expected, rtol=1e-9, atol=1e-9)


def test_gaussian_score_is_that_of_the_moments():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)) + [1, 2, 3]
    estimator = GaussianScore().fit(X)
    np.testing.assert_allclose(estimator.mean_, X.mean(axis=0))
    np.testing.assert_allclose(estimator.covariance_, np.cov(X.T, bias=True))
    np.testing.assert_allclose(
        estimator.precision_ @ estimator.covariance_, np.eye(3), atol=1e-10
    )
    expected = np.linalg.solve(estimator.covariance_, (X - X.mean(axis=0)).T).T
    np.testing.assert_allclose(estimator.transform(X), expected, atol=1e-10)
    np.testing.assert_array_equal(
        estimator.score_function(None, 2), estimator.score_function(X, 2)
    )
    # E |a|^2 / 2 = tr P / 2 at the samples of the fit, and div a = -tr P
    assert estimator.score() == pytest.approx(np.trace(estimator.precision_) / 2)


def test_singular_covariances_have_a_pseudo_inverse():
    X = np.random.default_rng(0).normal(size=(50, 2))
    doubled = GaussianScore().fit(np.column_stack([X, X[:, 0]]))
    precision = np.linalg.pinv(doubled.covariance_)
    np.testing.assert_allclose(doubled.precision_, precision, atol=1e-8)
    constant = GaussianScore().fit(np.ones((5, 2)))
    np.testing.assert_array_equal(constant.transform(np.ones((5, 2))), 0)


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("mean", [0.0, 1e3, 1e8])
@pytest.mark.parametrize(
    "units", [[1.0, 1.0, 1.0, 1.0], [1e-6, 1.0, 1e6, 1.0], [1e3, 1e-3, 10.0, 1e9]]
)
def test_exact_dependence_is_found_whatever_the_rounding(units, mean, n):
    for seed in range(8):
        X = mean + np.random.default_rng(seed).normal(size=(n, 4))
        X[:, 2] = X[:, 0] + X[:, 1]
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        inverse = np.linalg.pinv(Z, rcond=1e-6)
        precision = GaussianScore().fit(X * units).precision_
        scales = X.std(axis=0) * units
        np.testing.assert_allclose(
            precision * np.outer(scales, scales), n * inverse @ inverse.T, atol=1e-5
        )


def test_nearly_dependent_features_are_told_apart():
    X = np.random.default_rng(0).normal(size=(500, 3))
    X[:, 2] = X[:, 0] + X[:, 1] + 1e-5 * X[:, 2]
    fitted = GaussianScore().fit(X)
    identity = fitted.precision_ @ fitted.covariance_
    np.testing.assert_allclose(identity, np.eye(3), atol=1e-4)


# ---- the mixture


def covariance_of(fitted, k):
    """Return the covariance of a component, whatever their type."""
    d = fitted.means_.shape[1]
    covariances = fitted.covariances_
    return {
        "full": lambda: covariances[k],
        "tied": lambda: covariances,
        "diag": lambda: np.diag(covariances[k]),
        "spherical": lambda: covariances[k] * np.eye(d),
    }[fitted.covariance_type]()


def density_of(mixture):
    covariances = [
        covariance_of(mixture.mixture_, k) for k in range(len(mixture.mixture_.means_))
    ]

    def density(points):
        return sum(
            weight * multivariate_normal(mean, covariance).pdf(points)
            for weight, mean, covariance in zip(
                mixture.mixture_.weights_,
                mixture.mixture_.means_,
                covariances,
                strict=True,
            )
        )

    return density


STENCILS = {  # central differences of the second order, steps of one
    1: {-1: -0.5, 1: 0.5},
    2: {-1: 1, 0: -2, 1: 1},
    3: {-2: -0.5, -1: 1, 1: -1, 2: 0.5},
    4: {-2: 1, -1: -4, 0: 6, 1: -4, 2: 1},
}


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_mixture_scores_are_derivatives_of_the_density(order, covariance_type):
    X = bimodal()
    mixture = GaussianMixtureScore(
        3, covariance_type=covariance_type, random_state=0
    ).fit(X)
    density = density_of(mixture)
    Q, v, step = X[:15], np.array([0.6, -0.8]), 0.01
    derivative = sum(
        c * density(Q + place * step * v) for place, c in STENCILS[order].items()
    )
    expected = (-1) ** order * derivative / step**order / density(Q)
    contracted = mixture.contract(Q, [v], order)[:, 0]
    scale = np.abs(expected).max()
    # the error of the differences is of the order of the squared step
    np.testing.assert_allclose(contracted, expected, atol=3e-3 * scale)
    tensor = mixture.score_function(Q, order)
    for _ in range(order):
        tensor = tensor @ v
    np.testing.assert_allclose(tensor, contracted, rtol=1e-9, atol=1e-9 * scale)


def test_mixture_derivatives_are_those_of_the_logarithm():
    X = bimodal()
    mixture = GaussianMixtureScore(random_state=0).fit(X)
    Q, step = X[:20], 1e-4
    gradient, hessian = mixture.log_density_derivatives(Q)
    for i, shift in enumerate(step * np.eye(2)):
        above, below = Q + shift, Q - shift
        logs = mixture.mixture_.score_samples
        expected = (logs(above) - logs(below)) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], expected, atol=1e-5)
        slopes = mixture.transform(below) - mixture.transform(above)
        np.testing.assert_allclose(hessian[:, i], slopes / (2 * step), atol=1e-5)


def test_mixture_is_not_truncated_to_a_locally_quadratic_density():
    X = bimodal()
    mixture = GaussianMixtureScore(random_state=0).fit(X)
    a, b = mixture.log_density_derivatives(X)
    truncated = a[:, 0] ** 4 + 6 * a[:, 0] ** 2 * b[:, 0, 0] + 3 * b[:, 0, 0] ** 2
    exact = mixture.score_function(X, 4)[:, 0, 0, 0, 0]
    assert np.abs(exact - truncated).max() > 0.1 * np.abs(exact).max()


def test_a_mixture_of_one_is_the_gaussian():
    X = bimodal(d=3)
    mixture = GaussianMixtureScore(1, reg_covar=0, random_state=0).fit(X)
    gaussian = GaussianScore().fit(X)
    for order in (1, 2, 3, 4):
        np.testing.assert_allclose(
            mixture.score_function(X, order),
            gaussian.score_function(X, order),
            rtol=1e-8,
            atol=1e-8,
        )
    assert mixture.score(X) == pytest.approx(gaussian.score(X))


# ---- what all share


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_objective_is_that_of_finite_differences(estimator):
    X = bimodal()
    Q, step = X[:50], 1e-5
    estimator.fit(X)
    field, divergence = -estimator.transform(Q), np.zeros(50)
    for i, shift in enumerate(step * np.eye(2)):
        above, below = estimator.transform(Q + shift), estimator.transform(Q - shift)
        divergence -= (above - below)[:, i] / (2 * step)
    expected = -np.mean((field**2).sum(axis=1) / 2 + divergence)
    assert estimator.score(Q) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_contractions_and_tensors_agree(estimator, order):
    X = bimodal(d=3)
    vectors = np.random.default_rng(1).normal(size=(4, 3))
    estimator.fit(X)
    contracted = estimator.contract(X, vectors, order)
    assert contracted.shape == (400, 4)
    for j, v in enumerate(vectors):
        tensor = estimator.score_function(X, order)
        for _ in range(order):
            tensor = tensor @ v
        np.testing.assert_allclose(contracted[:, j], tensor, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=["gaussian", "mixture"])
def test_quadratic_parts_average_to_the_mean_scores(estimator):
    X = bimodal(d=3)
    y = np.random.default_rng(2).normal(size=400)
    estimator.fit(X)
    parts = [part.weighted(y) for part in estimator.quadratic_parts()]
    expected = np.tensordot(y, estimator.score_function(order=2), axes=1)
    np.testing.assert_allclose(total(parts, 2), expected, rtol=1e-8, atol=1e-8)
    for order in (3, 4):
        expected = np.tensordot(y, estimator.score_function(order=order), axes=1)
        entries = average_tensor(parts, order).entries
        scale = np.abs(expected).max()
        np.testing.assert_allclose(entries, expected, atol=1e-9 * scale)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_frames_and_names_go_through(estimator):
    frame = pd.DataFrame(bimodal(), columns=["a", "b"])
    estimator.fit(frame)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    assert estimator.get_feature_names_out().tolist() == ["a", "b"]
    assert estimator.score_function(frame, 2).shape == (400, 2, 2)
    gradient, hessian = estimator.log_density_derivatives()
    assert gradient.shape == (400, 2)
    assert hessian.shape == (400, 2, 2)
    with pytest.raises(ValueError, match="order=5"):
        estimator.score_function(frame, 5)
    with pytest.raises(ValueError, match="vectors has 1 columns, but X has 2"):
        estimator.contract(frame, [[1.0]], 2)


@pytest.mark.parametrize("estimator", [GaussianScore(), LocalLikelihoodScore()])
def test_constant_features_have_the_score_zero(estimator):
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[:, 1] = 0.1
    scores = estimator.fit(X).score_function(X, order=2)
    np.testing.assert_array_equal(scores[:, 1], 0)
    assert np.isfinite(estimator.score())


def test_features_in_small_units_are_seen_beside_large_ones():
    X, units = np.random.default_rng(0).normal(size=(500, 3)), np.array([1e9, 1, 1e-9])
    plain = GaussianScore().fit(X).transform(X)
    scaled = GaussianScore().fit(X * units).transform(X * units)
    np.testing.assert_allclose(scaled * units, plain, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "estimator", [GaussianScore(), GaussianMixtureScore(), LocalLikelihoodScore()]
)
def test_later_changes_of_the_samples_change_nothing(estimator):
    X = np.random.default_rng(0).normal(size=(300, 2))
    before = estimator.fit(X).score()
    X *= 10
    assert estimator.score() == before


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_samples_whose_squares_overflow_are_refused(scale):
    X = scale * np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(ValueError, match="Scale it, for example by StandardScaler"):
        GaussianScore().fit(X)


def test_points_that_are_too_far_are_named():
    X = np.random.default_rng(0).normal(size=(50, 2))
    for estimator in (GaussianScore(), GaussianMixtureScore()):
        estimator.fit(X)
        assert np.isfinite(estimator.transform(1e50 * X)).all()
        with pytest.raises(ValueError, match="X has values beyond"):
            estimator.transform(1e200 * X)
        with pytest.raises(ValueError, match="of order 4 overflow"):
            estimator.score_function(1e90 * X, order=4)
        with pytest.raises(ValueError, match="of order 4 overflow"):
            estimator.contract(1e90 * X, np.eye(2), order=4)
