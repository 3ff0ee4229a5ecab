import pickle

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skinfo import (
    ChowLiuTree,
    GaussianMixtureScore,
    GaussianScore,
    HypercontractivityCoef,
    LocalLikelihoodScore,
    MixedMutualInfo,
    RDCompressor,
    ScoreFunctionLoss,
)

ESTIMATORS = {
    "mi": MixedMutualInfo(),
    "mi-tests": MixedMutualInfo(
        n_permutations=9, n_features_to_select=0.5, random_state=0
    ),
    "mi-jmi": MixedMutualInfo(strategy="jmi", n_features_to_select=0.5),
    "tree": ChowLiuTree(),
    "hypercontractivity": HypercontractivityCoef(),
    "gaussian": GaussianScore(),
    "mixture": GaussianMixtureScore(random_state=0),
    "local": LocalLikelihoodScore(),
    "loss": ScoreFunctionLoss(
        score_estimator=GaussianScore(), n_init=1, max_iter=50, random_state=0
    ),
    "rd-ridge": RDCompressor(Ridge()),
    "rd-logistic-kmeans": RDCompressor(
        LogisticRegression(), method="kmeans", importance="hessian", rate=20
    ),
}
VARIANTS = {
    "mi-omit": MixedMutualInfo(nan_policy="omit", n_jobs=2),
    "mi-cmim": MixedMutualInfo(strategy="cmim"),
    "tree-omit": ChowLiuTree(nan_policy="omit", n_jobs=2),
    "paper": HypercontractivityCoef(
        method="paper", direction="backward", n_permutations=2
    ),
    "hypercontractivity-omit": HypercontractivityCoef(
        nan_policy="omit", n_features_to_select=0.5, n_jobs=2
    ),
    "local-fixed": LocalLikelihoodScore(bandwidth=2.0, regularization=0.1, n_jobs=2),
    "loss-local": ScoreFunctionLoss(n_init=1, max_iter=50, random_state=0),
    "loss-ridge": ScoreFunctionLoss(
        Ridge(), activation="tanh", score_estimator=GaussianScore(), random_state=0
    ),
    "loss-tanh": ScoreFunctionLoss(
        activation="tanh", polish=False, n_init=1, random_state=0
    ),
    "loss-paper": ScoreFunctionLoss(
        solver="sgd", residual_degree=None, polish=False, max_iter=5, random_state=0
    ),
    "rd-logistic": RDCompressor(LogisticRegression(), rate=4),
    "rd-mlp-kmeans": RDCompressor(
        MLPClassifier((10,), alpha=1, solver="lbfgs", random_state=0),
        method="kmeans",
        importance="hessian",
        rate=10,
    ),
    "rd-mlp-prune": RDCompressor(
        MLPRegressor(hidden_layer_sizes=(10,), solver="lbfgs", random_state=0),
        method="prune_refit",
        sparsity=0.5,
    ),
}
EVERY = ESTIMATORS | VARIANTS

# of scikit-learn's own checks, those that check_estimator does not run
FURTHER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
SLOW_CHECKS = [
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def expected_failures(estimator):
    nan_policy = getattr(estimator, "nan_policy", None)
    if sklearn.__version__.startswith("1.6.") and nan_policy == "raise":
        reason = (
            "scikit-learn 1.6 gives estimators of categories integers and subtracts a "
            "float from them in place, before the estimator is called"
        )
        return {"check_positive_only_tag_during_fit": reason}
    return {}


@parametrize_with_checks(
    list(ESTIMATORS.values()), expected_failed_checks=expected_failures
)
def test_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    list(VARIANTS.values()), expected_failed_checks=expected_failures
)
def test_variants_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X .*feature names")
@pytest.mark.parametrize(
    ("estimator", "check_name"),
    [
        pytest.param(
            estimator,
            check,
            id=f"{name}-{check}",
            marks=[pytest.mark.slow]
            if name in VARIANTS or check in SLOW_CHECKS
            else [],
        )
        for name, estimator in EVERY.items()
        for check in FURTHER_CHECKS + SLOW_CHECKS
        if hasattr(estimator, "transform") or "transform" not in check
    ],
)
def test_estimators_pass_the_further_checks_of_scikit_learn(estimator, check_name):
    check = getattr(estimator_checks, check_name)
    check(type(estimator).__name__, sklearn.clone(estimator))


@pytest.mark.parametrize("estimator", EVERY.values(), ids=EVERY)
def test_inputs_are_never_written_to(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)).round(1), rng.integers(0, 2, 60)
    X.setflags(write=False)
    y.setflags(write=False)
    estimator = sklearn.clone(estimator).fit(X, y)
    if hasattr(estimator, "transform"):
        estimator.transform(X)
    estimator.score(X, y)


@pytest.mark.parametrize("estimator", EVERY.values(), ids=EVERY)
def test_fitted_estimators_pickle(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    estimator = sklearn.clone(estimator).fit(X, y)
    restored = pickle.loads(pickle.dumps(estimator))
    result = "transform" if hasattr(estimator, "transform") else "score"
    found, expected = getattr(restored, result)(X), getattr(estimator, result)(X)
    np.testing.assert_array_equal(found, expected)
