"""Local likelihood against plain loops, closed forms and finite differences."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from skinfo import GaussianScore, LocalLikelihoodScore
from skinfo.score_functions.densities._grid import GridWeights, grid_pays
from skinfo.score_functions.densities._moments import LocalWeights


def samples_of(d, n=120, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + rng.choice([-1.0, 1.0], size=(n, 1))


def plain_moments(samples, query, h, left_out=None):
    """Return mean, covariance, third central moment and weights around a query."""
    d = len(query)
    weights = np.array(
        [np.exp(-np.sum((x - query) ** 2) / (2 * h**2)) for x in samples]
    )
    if left_out is not None:
        weights[left_out] = 0
    weights = weights / weights.sum()
    mean = sum(w * (x - query) for w, x in zip(weights, samples, strict=True))
    covariance, third = np.zeros((d, d)), np.zeros((d, d, d))
    for w, x in zip(weights, samples, strict=True):
        c = x - query - mean
        covariance += w * np.outer(c, c)
        third += w * np.einsum("i,j,k->ijk", c, c, c)
    return mean, covariance, third, weights


def plain_derivatives(samples, query, h, ridge=0.0, left_out=None):
    """Return grad log p = Sigma^-1 mu and hess log p = I / h^2 - Sigma^-1."""
    mean, covariance, *_ = plain_moments(samples, query, h, left_out)
    identity = np.eye(len(query))
    precision = np.linalg.inv(covariance + ridge * h**2 * identity)
    return precision @ mean, identity / h**2 - precision


# ---- the formulas


@pytest.mark.parametrize("regularization", [0, 1e-6, 0.3])
@pytest.mark.parametrize("left_out", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_derivatives_equal_a_plain_loop(d, left_out, regularization):
    X, h = samples_of(d), 1.5
    Q = X if left_out else np.random.default_rng(1).normal(size=(40, d))
    estimator = LocalLikelihoodScore(h, regularization=regularization).fit(X)
    gradient, hessian = estimator.log_density_derivatives(None if left_out else Q)
    for i, query in enumerate(Q[:15]):
        own = i if left_out else None
        a, b = plain_derivatives(X, query, h, regularization, own)
        np.testing.assert_allclose(gradient[i], a, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(hessian[i], b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_formulas_hold_as_they_are_without_regularization(d):
    # a short bandwidth, so that some effective sizes are below d + 2
    X, h = samples_of(d, n=60), 0.1 if d == 1 else 0.7
    estimator = LocalLikelihoodScore(h, regularization=0).fit(X)
    with pytest.warns(ConvergenceWarning):
        gradient, hessian = estimator.log_density_derivatives()
    for i, query in enumerate(X[:15]):
        a, b = plain_derivatives(X, query, h, 0, i)
        scale = np.abs(b).max()  # of the inverse of a nearly singular matrix
        np.testing.assert_allclose(gradient[i], a, rtol=1e-10, atol=1e-10 * scale)
        np.testing.assert_allclose(hessian[i], b, rtol=1e-10, atol=1e-10 * scale)


def random_forms(n, d, seed=0):
    rng = np.random.default_rng(seed)
    forms = rng.normal(size=(n, d, d))
    return forms + forms.transpose(0, 2, 1), rng.normal(size=(n, d))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_local_moments_equal_a_plain_loop(d):
    X, h = samples_of(d), 0.8
    left_out = np.arange(len(X))
    local = LocalWeights(X, X, h, left_out)
    moments = local.moments()
    forms, vectors = random_forms(len(X), d)
    skews = local.skews(forms, vectors)
    for i, query in enumerate(X[:15]):
        mean, covariance, third, weights = plain_moments(X, query, h, i)
        np.testing.assert_allclose(moments.offsets[i], mean, atol=1e-11)
        np.testing.assert_allclose(moments.covariances[i], covariance, atol=1e-11)
        skew = np.einsum("ijk,ij,k", third, forms[i], vectors[i])
        assert skews[i] == pytest.approx(skew, rel=1e-9, abs=1e-9)
        size = 1 / np.sum(weights**2)
        np.testing.assert_allclose(moments.effective_sizes[i], size, rtol=1e-10)


def test_the_rule_is_that_of_standardised_features():
    X = samples_of(3, n=200) * [1, 100, 0.01] + 5
    for order, exponent in [(1, 9), (2, 9), (3, 13), (4, 13)]:
        estimator = LocalLikelihoodScore(
            bandwidth_factor=3, derivative_order=order
        ).fit(X)
        assert estimator.bandwidth_ == pytest.approx(3 * 200 ** (-1 / exponent))
        np.testing.assert_allclose(estimator.scale_, X.std(axis=0))
    a = LocalLikelihoodScore(bandwidth_factor=3).fit(X)
    b = LocalLikelihoodScore(a.bandwidth_).fit(X / X.std(axis=0))
    expected, _ = b.log_density_derivatives()
    gradient, _ = a.log_density_derivatives()
    np.testing.assert_allclose(gradient * X.std(axis=0), expected, atol=1e-9)


@pytest.mark.parametrize("h", [0.8, 1.5, 4.0])
def test_two_points_have_their_closed_form(h):
    x = np.linspace(-0.5, 0.5, 11)
    estimator = LocalLikelihoodScore(h, regularization=0).fit([[-1.0], [1.0]])
    with pytest.warns(ConvergenceWarning):
        gradient, hessian = estimator.log_density_derivatives(x[:, np.newaxis])
    t = np.tanh(x / h**2)
    np.testing.assert_allclose(gradient[:, 0], (t - x) / (1 - t**2), atol=1e-12)
    expected = h**-2 - 1 / (1 - t**2)
    np.testing.assert_allclose(hessian[:, 0, 0], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("d", [1, 3])
def test_a_wide_bandwidth_gives_the_gaussian(d):
    X = samples_of(d)
    # the weights differ from one by x^2 / h^2, at most 1e-5
    wide = LocalLikelihoodScore(1e3, regularization=0).fit(X)
    gaussian = GaussianScore().fit(X)
    for order in (1, 2, 3, 4):
        np.testing.assert_allclose(
            wide.score_function(X, order), gaussian.score_function(X, order), atol=5e-3
        )
    wider = LocalLikelihoodScore(1e4, regularization=0).fit(X)
    np.testing.assert_allclose(wider.transform(X), gaussian.transform(X), atol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("left_out", [False, True])
def test_contractions_equal_those_of_the_tensors(left_out, order):
    X = samples_of(3)
    vectors = np.random.default_rng(2).normal(size=(4, 3))
    estimator = LocalLikelihoodScore(1.2).fit(X)
    points = None if left_out else X[:20]
    contracted = estimator.score_function(points, order)[:, np.newaxis]
    for _ in range(order):
        vector = vectors.reshape((1, 4, 3) + (1,) * (contracted.ndim - 3))
        contracted = (contracted * vector).sum(axis=2)
    np.testing.assert_allclose(
        estimator.contract(points, vectors, order), contracted, rtol=1e-9, atol=1e-9
    )


# ---- the objective


@pytest.mark.parametrize(
    "options",
    [
        {"bandwidth": 0.9},
        {"bandwidth_factor": 3.0},
        {"bandwidth": 0.3},  # some points with few samples near them
    ],
)
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_objective_is_that_of_the_field_by_finite_differences(d, options):
    X = samples_of(d) * [1, 3, 0.5][:d]
    Q = X[:20] * 0.7
    estimator = LocalLikelihoodScore(**options).fit(X)
    field = -estimator.transform(Q)
    divergence = np.zeros(len(Q))
    step = 1e-5
    for i, shift in enumerate(step * np.eye(d)):
        above, below = estimator.transform(Q + shift), estimator.transform(Q - shift)
        divergence -= (above - below)[:, i] / (2 * step)
    expected = -np.mean((field**2).sum(axis=1) / 2 + divergence)
    assert estimator.score(Q) == pytest.approx(expected, abs=1e-6)


def test_objective_at_the_training_samples_leaves_each_one_out():
    X = samples_of(2, n=40)
    each = []
    for i in range(len(X)):
        rest = np.delete(X, i, axis=0)
        each.append(LocalLikelihoodScore(1.5).fit(rest).score(X[[i]]))
    whole = LocalLikelihoodScore(1.5).fit(X)
    assert whole.score() == pytest.approx(np.mean(each), rel=1e-10)


def test_cross_validation_chooses_a_wide_bandwidth_for_gaussian_samples():
    X = np.random.default_rng(0).normal(size=(512, 2))
    search = GridSearchCV(
        LocalLikelihoodScore(), {"bandwidth_factor": [0.5, 1, 2, 5, 10]}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X)
    assert search.best_params_["bandwidth_factor"] >= 5


# ---- the grid


@pytest.mark.parametrize("left_out", [False, True])
@pytest.mark.parametrize("d", [1, 2])
def test_grid_moments_are_close_to_the_exact_ones(d, left_out):
    X = samples_of(d, n=20_000)
    h = 0.4
    assert grid_pays(X, X, h)
    rows = np.arange(0, 20_000, 50)
    out = rows if left_out else None
    on_grid, in_full = (
        weights(X, X[rows], h, out) for weights in (GridWeights, LocalWeights)
    )
    coarse, exact = on_grid.moments(), in_full.moments()
    forms, vectors = random_forms(len(rows), d)
    coarse_skews = on_grid.skews(forms, vectors)
    exact_skews = in_full.skews(forms, vectors)
    np.testing.assert_allclose(coarse.offsets, exact.offsets, atol=1e-3 * h)
    np.testing.assert_allclose(coarse.covariances, exact.covariances, atol=1e-3 * h**2)
    np.testing.assert_allclose(coarse_skews, exact_skews, atol=1e-2 * h**3)


def test_few_samples_or_many_features_need_no_grid():
    X = np.random.default_rng(0).normal(size=(20_000, 3))
    assert not grid_pays(X, X, 0.5)
    assert not grid_pays(X[:19_999, :2], X[:, :2], 0.5)
    assert not grid_pays(X[:, :2], X[:999, :2], 0.5)
    assert not grid_pays(X[:, :2], X[:, :2], 1e-6)


def test_the_grid_is_not_seen_in_the_derivatives():
    X = samples_of(2, n=20_000)
    estimator = LocalLikelihoodScore(0.5).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gradient, hessian = estimator.log_density_derivatives(X[:1000])
        a, b = estimator.log_density_derivatives(X[:999])  # too few for a grid
    # the moments hold to 1e-4 or so; the inverse covariances are up to 10
    np.testing.assert_allclose(gradient[:999], a, atol=5e-3)
    np.testing.assert_allclose(hessian[:999], b, atol=2e-2)


@pytest.mark.parametrize("d", [1, 2])
def test_samples_that_are_nowhere_sparse_need_nothing_but_the_grid(d):
    rng = np.random.default_rng(0)
    X, Q = rng.uniform(size=(20_000, d)), rng.uniform(size=(1000, d))
    estimator = LocalLikelihoodScore(0.3).fit(X)
    assert grid_pays(X, Q, 0.3)
    np.testing.assert_allclose(
        estimator.transform(Q)[:999], estimator.transform(Q[:999]), atol=5e-3
    )
    assert estimator.score(Q[:999]) == pytest.approx(estimator.score(Q), abs=0.01)


@pytest.mark.parametrize(
    "covariance", [[[1, 0.9999], [0.9999, 1]], [[1, 1 - 5e-7], [1 - 5e-7, 1]]]
)
def test_where_the_covariance_is_small_the_grid_is_not_used(covariance):
    root = np.linalg.cholesky(covariance)
    X = np.random.default_rng(0).normal(size=(20_000, 2)) @ root.T
    estimator = LocalLikelihoodScore().fit(X)
    rows = X[:1000]  # enough for a grid
    assert grid_pays(estimator._samples, rows, estimator.bandwidth_)
    exact = np.mean([estimator.score(rows[i::2]) for i in (0, 1)])
    assert estimator.score(rows) == pytest.approx(exact, rel=1e-6)


def test_constant_features_do_not_widen_the_rule():
    X = samples_of(2)
    plain = LocalLikelihoodScore().fit(X)
    widened = LocalLikelihoodScore(regularization=0).fit(
        np.column_stack([X, np.ones((len(X), 4))])
    )
    assert widened.bandwidth_ == plain.bandwidth_
    gradient, _ = widened.log_density_derivatives()
    expected, _ = plain.log_density_derivatives()
    np.testing.assert_allclose(gradient[:, :2], expected, rtol=1e-4, atol=1e-4)


def test_objectives_in_batches_are_those_of_all_at_once():
    X = samples_of(3)
    estimator = LocalLikelihoodScore().fit(X)
    whole = estimator.score(X)
    with config_context(working_memory=1 / 64):
        assert estimator.score(X) == pytest.approx(whole, rel=1e-12)


def test_a_wide_bandwidth_needs_no_grid():
    X = samples_of(2, n=20_000)
    assert grid_pays(X, X, 4.0)
    assert not grid_pays(X, X, 8.0)


# ---- constant features and single samples


@pytest.mark.parametrize("value", [1.0, 0.1])  # the mean of the second is not exact
@pytest.mark.parametrize("options", [{"bandwidth": 0.9}, {"bandwidth_factor": 3.0}])
def test_constant_features_do_not_count(options, value):
    X = samples_of(2)
    widened = np.column_stack([X, np.full(len(X), value)])
    plain = LocalLikelihoodScore(**options).fit(X)
    constant = LocalLikelihoodScore(**options).fit(widened)
    gradient, hessian = constant.log_density_derivatives()
    a, b = plain.log_density_derivatives()
    np.testing.assert_allclose(gradient, np.pad(a, ((0, 0), (0, 1))), atol=1e-9)
    padded = np.pad(b, ((0, 0), (0, 1), (0, 1)))
    np.testing.assert_allclose(hessian, padded, atol=1e-9)
    assert constant.score() == pytest.approx(plain.score(), rel=1e-9)


def test_an_outlier_costs_the_others_no_digits():
    X = samples_of(3)
    with_outlier = np.vstack([X, np.full((1, 3), 1e7)])
    far = LocalLikelihoodScore(1.0).fit(with_outlier)
    plain = LocalLikelihoodScore(1.0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        np.testing.assert_allclose(far.transform(X), plain.transform(X), atol=1e-9)


# ---- equivariance


def test_translation_changes_nothing():
    X, shift = samples_of(3), np.array([1e4, -1e4, 3])
    for options in ({"bandwidth": 1.5}, {"bandwidth_factor": 4}):
        here = LocalLikelihoodScore(**options).fit(X)
        there = LocalLikelihoodScore(**options).fit(X + shift)
        np.testing.assert_allclose(
            here.transform(X), there.transform(X + shift), atol=1e-8
        )


def test_the_rule_follows_the_scale_of_each_column():
    X, scale = samples_of(3), np.array([1e-3, 7.0, 1e5])
    plain = LocalLikelihoodScore(bandwidth_factor=4).fit(X)
    scaled = LocalLikelihoodScore(bandwidth_factor=4).fit(X * scale)
    for mine, other in zip(
        plain.log_density_derivatives(),
        scaled.log_density_derivatives(X=None),
        strict=True,
    ):
        units = scale if mine.ndim == 2 else np.outer(scale, scale)
        np.testing.assert_allclose(other * units, mine, rtol=1e-8, atol=1e-8)


def test_a_given_bandwidth_turns_and_scales_with_the_samples():
    X = samples_of(3)
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    plain = LocalLikelihoodScore(1.5).fit(X)
    turned = LocalLikelihoodScore(15.0).fit(10 * X @ rotation)
    gradient, hessian = plain.log_density_derivatives()
    turned_gradient, turned_hessian = turned.log_density_derivatives()
    np.testing.assert_allclose(10 * turned_gradient, gradient @ rotation, atol=1e-9)
    expected = rotation.T @ hessian @ rotation
    np.testing.assert_allclose(100 * turned_hessian, expected, atol=1e-9)


def test_duplicated_samples_count_twice():
    X = samples_of(2)
    Q = X[:30] + 0.1
    once = LocalLikelihoodScore(1.5).fit(X).transform(Q)
    twice = LocalLikelihoodScore(1.5).fit(np.vstack([X, X])).transform(Q)
    np.testing.assert_allclose(twice, once, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_threads_and_blocks_do_not_change_the_result(n_jobs, monkeypatch):
    X = samples_of(2)
    expected = LocalLikelihoodScore(1.5).fit(X).score_function(order=2)
    monkeypatch.setattr(
        "skinfo.score_functions.densities._moments._BLOCK_BYTES", 8 * 120 * 7
    )
    estimator = LocalLikelihoodScore(1.5, n_jobs=n_jobs).fit(X)
    np.testing.assert_allclose(estimator.score_function(order=2), expected, rtol=1e-12)


# ---- bad input


@pytest.mark.parametrize("distance", [1e1, 1e3, 1e6, 1e8])
def test_far_queries_are_finite_and_warned_of(distance):
    X = samples_of(2)
    estimator = LocalLikelihoodScore(0.5).fit(X)
    with pytest.warns(ConvergenceWarning, match=r"1 of 1 points .* larger bandwidth"):
        scores = estimator.score_function([[distance, 0.0]], order=4)
    assert np.all(np.isfinite(scores))
    with pytest.warns(ConvergenceWarning):
        assert np.isfinite(estimator.score([[distance, 0.0]]))


def test_a_single_near_sample_looks_like_a_flat_density():
    estimator = LocalLikelihoodScore(0.1).fit([[0.0], [100.0]])
    with pytest.warns(ConvergenceWarning):
        gradient, hessian = estimator.log_density_derivatives([[0.05]])
    assert gradient[0, 0] == pytest.approx(-0.05 / 0.01, rel=1e-5)
    assert hessian[0, 0, 0] == pytest.approx(0, abs=1e-3)


def test_duplicate_rows_give_finite_scores():
    X = np.repeat([[0.0, 1.0], [2.0, 3.0]], 20, axis=0)
    estimator = LocalLikelihoodScore().fit(X)
    for order in (1, 2, 3, 4):
        assert np.all(np.isfinite(estimator.score_function(order=order)))
    assert np.isfinite(estimator.score())


def test_singular_covariances_are_named_without_regularization():
    X = np.tile([[1.0, 2.0], [3.0, 4.0]], (20, 1))  # two points
    estimator = LocalLikelihoodScore(1.0, regularization=0).fit(X)
    with pytest.raises(ValueError, match=r"singular covariance. Pass regularization"):
        estimator.transform([[2.0, 3.0]])


def test_a_constant_column_gives_finite_scores():
    X = samples_of(2)
    X[:, 1] = 7
    assert np.all(np.isfinite(LocalLikelihoodScore().fit(X).score_function(order=4)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bandwidth": "silverman"}, ValueError, "bandwidth='silverman'"),
        ({"bandwidth": 0}, ValueError, "bandwidth=0"),
        ({"bandwidth": -1.0}, ValueError, "bandwidth=-1.0"),
        ({"bandwidth": np.nan}, ValueError, "bandwidth=nan"),
        ({"bandwidth": None}, TypeError, "bandwidth=None"),
        ({"bandwidth_factor": 0}, ValueError, "bandwidth_factor=0"),
        ({"bandwidth_factor": "2"}, TypeError, "bandwidth_factor='2'"),
        ({"derivative_order": 5}, ValueError, "derivative_order=5"),
        ({"regularization": -1e-9}, ValueError, "regularization=-1e-09"),
        ({"regularization": np.inf}, ValueError, "regularization=inf"),
        ({"regularization": np.nan}, ValueError, "regularization=nan"),
        ({"regularization": "no"}, TypeError, "regularization='no'"),
        ({"regularization": True}, TypeError, "regularization=True"),
    ],
)
def test_wrong_parameters_are_named(options, error, message):
    with pytest.raises(error, match=message):
        LocalLikelihoodScore(**options).fit(samples_of(2))


def test_wrong_calls_are_named():
    X = samples_of(2)
    with pytest.raises(NotFittedError):
        LocalLikelihoodScore().score_function(X)
    estimator = LocalLikelihoodScore().fit(X)
    with pytest.raises(ValueError, match="order=5"):
        estimator.score_function(X, order=5)
    with pytest.raises(ValueError, match="order=0"):
        estimator.contract(X, np.eye(2), order=0)
    with pytest.raises(ValueError, match="vectors has 3 columns, but X has 2"):
        estimator.contract(X, np.eye(3), order=2)
    with pytest.raises(ValueError, match="NaN"):
        estimator.transform([[np.nan, 0.0]])
    with pytest.raises(ValueError, match="NaN"):
        estimator.contract(X, [[np.nan, 0.0]], order=2)


@pytest.mark.parametrize("bandwidth", [1e-200, 1e200])
def test_bandwidths_whose_squares_overflow_are_refused(bandwidth):
    with pytest.raises(ValueError, match="Pass one from 1e-100 to 1e\\+100"):
        LocalLikelihoodScore(bandwidth).fit(samples_of(2))


def test_a_tiny_bandwidth_needs_no_grid():
    X = np.random.default_rng(0).normal(size=(20_000, 1))
    assert not grid_pays(X, X, 1e-20)
