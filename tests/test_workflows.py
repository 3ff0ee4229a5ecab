"""What people do with the selectors in the model selection of scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    permutation_test_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from skinfo import HypercontractivityCoef, MixedMutualInfo

SHUFFLED = StratifiedKFold(3, shuffle=True, random_state=0)
SELECTORS = {
    **{
        strategy: MixedMutualInfo(
            discrete_target=True, n_features_to_select=2, strategy=strategy
        )
        for strategy in ("marginal", "mrmr", "jmi", "cmim")
    },
    "hypercontractivity": HypercontractivityCoef(n_features_to_select=2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SELECTORS)
def test_sorted_classes_are_found_with_folds_that_shuffle(name):
    X, y = load_iris(return_X_y=True)
    score, null, pvalue = permutation_test_score(
        SELECTORS[name], X, y, cv=SHUFFLED, n_permutations=99, random_state=0
    )
    assert pvalue <= 0.02
    assert score > null.max() + 0.3


@pytest.mark.slow
def test_a_permuted_target_is_not_found():
    X, y = load_iris(return_X_y=True)
    pvalues = [
        permutation_test_score(
            SELECTORS["cmim"],
            X,
            np.random.default_rng(seed).permutation(y),
            cv=SHUFFLED,
            n_permutations=19,
            random_state=0,
        )[2]
        for seed in range(20)
    ]
    assert np.sum(np.array(pvalues) <= 0.05) <= 4  # binomial: 1 in 400 has more
    assert np.mean(pvalues) > 0.25


@pytest.mark.parametrize("name", [name for name in SELECTORS if name != "mrmr"])
def test_folds_of_sorted_classes_that_do_not_shuffle_see_nothing(name):
    """Each of three folds of iris is one class, which the others do not have.

    Selectors are no classifiers, so that `cv=3` means folds of consecutive rows.
    """
    X, y = load_iris(return_X_y=True)
    assert cross_val_score(SELECTORS[name], X, y, cv=SHUFFLED).min() > 0.6
    for folds in (3, KFold(3)):
        assert cross_val_score(SELECTORS[name], X, y, cv=folds).max() <= 0


@pytest.mark.slow
def test_a_search_chooses_the_selection_in_a_pipeline():
    """The class depends on three of twelve features, of which three more are copies."""
    X, y = make_classification(
        200,
        12,
        n_informative=3,
        n_redundant=0,
        n_repeated=3,
        n_clusters_per_class=1,
        class_sep=1.5,
        random_state=0,
    )
    pipeline = Pipeline(
        [
            ("select", MixedMutualInfo(discrete_target=True)),
            ("classify", KNeighborsClassifier()),
        ]
    )
    grid = {
        "select__strategy": ["marginal", "cmim"],
        "select__n_neighbors": [3, 10],
        "select__n_features_to_select": [1, 3, 12],
    }
    search = GridSearchCV(pipeline, grid, cv=SHUFFLED)
    scores = cross_val_score(search, X, y, cv=SHUFFLED)
    assert scores.mean() > 0.9
    search.fit(X, y)
    assert search.best_params_["select__n_features_to_select"] == 3
    assert len(search.cv_results_["params"]) == 12
