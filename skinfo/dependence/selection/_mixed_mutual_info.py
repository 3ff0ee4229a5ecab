"""MixedMutualInfo: feature selection by mutual information with the target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skinfo._core._checks import check_option
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._density_ratio import (
    DensityRatio,
    donsker_varadhan_bound,
)
from skinfo.dependence.selection._features import (
    feature_results,
    read_features_and_target,
)
from skinfo.dependence.selection._redundancy import (
    STRATEGIES,
    choose_features,
    ranking_of,
)
from skinfo.dependence.selection._selector import DependenceSelector
from skinfo.dependence.variables._new_samples import training_vector


class MixedMutualInfo(DependenceSelector):
    r"""Select the features that carry information about the target.

    Estimates the mutual information of each feature with the target, in nats, where
    features and target are discrete, continuous or mixtures of both. p-values come from
    permutations of the target. `score` evaluates the selection on new samples, so that
    parameters can be chosen by cross-validation.

    Read more in the :doc:`user guide </user_guide/mutual_information>`.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest neighbours. 3 to 5 give the least bias, 10 to 20 the least
        variance, which gives the tests more power.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled. "rank": to the normal scores of its ranks, so
        that the result is invariant to increasing transforms of a column. "standard":
        to unit variance. None: not at all, as in [1]_.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated. "adaptive": by an approximation of the mean over
        all ways of breaking them, which reduces the bias on rounded and integer data;
        for two nominal variables, the bias from few samples per cell is corrected.
        "gao": the estimator of [1]_, without either.
    discrete_features : "auto", bool, or array-like, default="auto"
        Which features are nominal, that is, only compared for equality. "auto":
        strings, categories and booleans. Otherwise a bool for all features, a mask of
        shape (n_features,), or indices or names of features that are nominal in
        addition to those of "auto".
    discrete_target : "auto", bool, or array-like, default="auto"
        Which columns of the target are nominal, in the same format as
        `discrete_features`. Pass True for class labels coded as integers.
    strategy : {"marginal", "mrmr", "jmi", "cmim"}, default="marginal"
        How features are ranked. "marginal": by their scores, regardless of the other
        features, so that copies of a good feature are also selected. The others are
        greedy: they choose one feature at a time by what it adds to those already
        chosen, see Notes. "mrmr" avoids features that depend on each other; "jmi" and
        "cmim" avoid features that carry the same information about the target.
    n_features_to_select : int or float, default=None
        The maximal number of features to select, or the maximal fraction of them. The
        best ones are kept. None means no limit.
    n_permutations : int, default=0
        Number of permutations of the target for the p-values. 0 means no p-values.
    alpha : float, default=None
        Select only features that are significant at this false discovery rate
        (Benjamini-Hochberg). None means that significance is not required. Only
        available with `strategy="marginal"`.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out, for
        each feature, the rows in which it or the target is missing; `score` leaves out
        the rows in which any selected feature is missing.
    n_jobs : int, default=None
        Number of jobs to run in parallel over features and permutations. None means 1
        unless in a :obj:`joblib.parallel_backend` context, -1 means all processors. The
        results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations. The scores do not depend on it.
    verbose : int, default=0
        Verbosity level passed to joblib.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features,)
        Mutual information of each feature with the target, in nats. The values are not
        clipped: near independence they can be slightly negative.
    pvalues_ : ndarray of shape (n_features,)
        The permutation p-value of each score. Only with `n_permutations`.
    null_distribution_ : ndarray of shape (n_features, n_permutations)
        The scores of each feature with the permuted target. Only with `n_permutations`.
    ranking_ : ndarray of shape (n_features,)
        The rank of each feature: 1 was chosen first. All features that were not
        selected share the next rank. Not with `strategy="marginal"`.
    discrete_features_ : ndarray of shape (n_features,)
        The mask of nominal features.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`. Only if all of them are strings.

    See Also
    --------
    mutual_information : Mutual information of two variables or vectors.
    mixed_mutual_info : The scores only, for `SelectKBest`.
    skinfo.inspection.DependenceDisplay : Plot of the scores.

    Notes
    -----
    `score` is the Donsker-Varadhan bound
    :math:`E \log r(X, Y) - \log E' r(X, Y) \le I(X; Y)`. The density ratio `r` is
    estimated from the training samples; the means are over new samples, the second one
    over pairs with independent `X` and `Y`. A category that was not seen in `fit` is
    treated as independent. For this, the estimator keeps a copy of the selected columns
    and of the target.

    Each greedy `strategy` starts with the feature `x` that has the largest
    :math:`I(x; y)`. Given the set `S` of features chosen so far, the next one is the
    `x` with the largest value of (see [2]_ for all three)

    - "mrmr": :math:`I(x; y) - \frac{1}{|S|} \sum_{s \in S} I(x; s)`;
    - "jmi": :math:`\sum_{s \in S} I((x, s); y)`;
    - "cmim": :math:`\min_{s \in S} I(x; y \mid s)`, by the chain rule
      :math:`I(x; y \mid s) = I((x, s); y) - I(s; y)`.

    If candidates are equal, the first one in the table is chosen. Candidates whose
    estimates show that they add exactly nothing to a chosen feature,
    :math:`I((x, s); y) = I(s; y)` (or, for "mrmr", that `s` determines them,
    :math:`I(x; s) = I(x; x)`), are ranked after all others. These are copies, constants
    and, with `scale="rank"`, monotone transforms of a chosen feature; the sum in "jmi"
    would otherwise choose copies of good features early. "mrmr" penalises any
    dependence between features, even if it is unrelated to the target, so that it can
    prefer noise to a useful feature; "jmi" and "cmim" do not. Each step computes one
    term for each remaining feature. With `nan_policy="omit"`, a term uses the rows in
    which both features and the target have values.

    References
    ----------
    .. [1] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating Mutual Information for
       Discrete-Continuous Mixtures", NIPS 2017.
    .. [2] G. Brown, A. Pocock, M.-J. Zhao, M. Luján, "Conditional Likelihood
       Maximisation: A Unifying Framework for Information Theoretic Feature Selection",
       JMLR 13:27-66, 2012.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skinfo import MixedMutualInfo
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> selector = MixedMutualInfo(n_features_to_select=2, discrete_target=True)
    >>> selector.fit(X, y).get_feature_names_out()
    array(['petal length (cm)', 'petal width (cm)'], dtype=object)
    >>> selector.scores_.round(1)
    array([0.5, 0.3, 1. , 1. ])

    Marginal scores select a copy of a feature; a greedy strategy does not:

    >>> X["petal width (mm)"] = 10 * X["petal width (cm)"]
    >>> selector.fit(X, y).get_feature_names_out()
    array(['petal width (cm)', 'petal width (mm)'], dtype=object)
    >>> selector.set_params(strategy="jmi").fit(X, y).get_feature_names_out()
    array(['petal length (cm)', 'petal width (cm)'], dtype=object)
    >>> selector.ranking_
    array([3, 3, 2, 1, 3])
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        scale: str | None = "rank",
        ties: str = "adaptive",
        discrete_features: Any = "auto",
        discrete_target: Any = "auto",
        strategy: str = "marginal",
        n_features_to_select: float | None = None,
        n_permutations: int = 0,
        alpha: float | None = None,
        nan_policy: str = "raise",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.ties = ties
        self.discrete_features = discrete_features
        self.discrete_target = discrete_target
        self.strategy = strategy
        self.n_features_to_select = n_features_to_select
        self.n_permutations = n_permutations
        self.alpha = alpha
        self.nan_policy = nan_policy
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _make_measure(self) -> MutualInformation:
        measure = MutualInformation(self.n_neighbors, self.scale, self.ties)
        measure.check_options()
        return measure

    def _check_parameters(self) -> None:
        check_option("strategy", self.strategy, STRATEGIES)
        tested = self.alpha is not None or self.n_permutations != 0
        if self.strategy != "marginal" and tested:
            raise ValueError(
                f"n_permutations={self.n_permutations!r} and alpha={self.alpha!r} must "
                f"be 0 and None with strategy={self.strategy!r}: p-values of features "
                "that were chosen one after the other would not be valid. Pass "
                "strategy='marginal', or test the whole pipeline with "
                "sklearn.model_selection.permutation_test_score."
            )
        super()._check_parameters()

    def _ranking(
        self,
        features: RandomVector,
        target: RandomVector,
        scores: FloatArray,
        n_selected: int,
    ) -> IntArray | None:
        if self.strategy == "marginal":
            return None
        chosen = choose_features(
            self._make_measure(),
            features,
            target,
            scores,
            strategy=self.strategy,
            n_selected=n_selected,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        return ranking_of(chosen, len(scores))

    def _held_out_value(
        self,
        training: tuple[RandomVector, RandomVector],
        new: tuple[RandomVector, RandomVector],
    ) -> float:
        x, y = (training_vector(vector, self.scale) for vector in training)
        ratio = DensityRatio(x.variable, y.variable, int(self.n_neighbors))
        return donsker_varadhan_bound(
            ratio, x.place(new[0]), y.place(new[1]), n_jobs=self.n_jobs
        )


def mixed_mutual_info(
    X: ArrayLike,
    y: ArrayLike,
    *,
    n_neighbors: int = 5,
    scale: str | None = "rank",
    ties: str = "adaptive",
    discrete_features: Any = "auto",
    discrete_target: Any = "auto",
    nan_policy: str = "raise",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> FloatArray:
    """Estimate the mutual information of each feature with the target, in nats.

    A score function for :class:`~sklearn.feature_selection.SelectKBest` and similar
    selectors, as an alternative to `mutual_info_classif` and `mutual_info_regression`.
    These selectors convert a dataframe to an array first, so that categories may arrive
    here as numbers.

    Parameters
    ----------
    X : array-like or dataframe of shape (n_samples, n_features)
        The features. Strings, categories and booleans are nominal; numbers and dates
        are coordinates.
    y : array-like or dataframe of shape (n_samples,) or (n_samples, n_outputs)
        The target; several columns form one random vector.
    n_neighbors : int, default=5
        Number of nearest neighbours.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated.
    discrete_features : "auto", bool, or array-like, default="auto"
        Which features are nominal: a bool for all features, a mask, or indices or names
        of features that are nominal in addition to those of "auto".
    discrete_target : "auto", bool, or array-like, default="auto"
        Which columns of the target are nominal. Pass True for class labels coded as
        integers.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out, for
        each feature, the rows in which it or the target has one.
    n_jobs : int, default=None
        Number of jobs to run in parallel over the features.
    verbose : int, default=0
        Verbosity level passed to joblib.

    Returns
    -------
    ndarray of shape (n_features,)
        The estimates. They are not clipped: near independence they can be slightly
        negative.

    Raises
    ------
    ValueError
        As for :func:`mutual_information`.
    TypeError
        As for :func:`mutual_information`.

    See Also
    --------
    mutual_information : A single pair of variables, with all parameters explained.
    MixedMutualInfo : Feature selection with p-values and a held-out score.

    Examples
    --------
    >>> from functools import partial
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.feature_selection import SelectKBest
    >>> from skinfo import mixed_mutual_info
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> score_function = partial(mixed_mutual_info, discrete_target=True)
    >>> score_function(X, y).round(1)
    array([0.5, 0.3, 1. , 1. ])
    >>> SelectKBest(score_function, k=2).fit(X, y).get_feature_names_out()
    array(['petal length (cm)', 'petal width (cm)'], dtype=object)
    """
    measure = MutualInformation(n_neighbors, scale, ties)
    measure.check_options()
    features, target = read_features_and_target(
        X,
        y,
        discrete_features,
        discrete_target,
        nan_policy=nan_policy,
        is_nominal=measure.is_nominal,
    )
    measure.check_samples(features.n_samples)
    results, _ = feature_results(
        measure, features, target, n_jobs=n_jobs, verbose=verbose
    )
    return np.array([float(result) for result in results])
