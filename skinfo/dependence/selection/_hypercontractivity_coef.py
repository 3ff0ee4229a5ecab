"""HypercontractivityCoef: feature selection by potential correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted, validate_data

from skinfo._core._columns import check_missing, read_columns
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.kernels._tilt import held_out_ratio, tilt_at
from skinfo.dependence.measures._hypercontractivity import (
    FeatureHypercontractivity,
    FeatureScore,
)
from skinfo.dependence.selection._selector import DependenceSelector


class HypercontractivityCoef(DependenceSelector):
    r"""Select features that influence the target, even if only in a few samples.

    Each feature is scored by its hypercontractivity coefficient with the target, also
    called *potential correlation*: how strongly the distribution of the target changes,
    relative to that of the feature, when the samples are reweighted by the feature in
    the most favourable way. A dependence in few samples, which an average over all
    samples hides, scores high. The reweighting is called the *tilt*: it shows which
    samples carry the dependence. p-values come from permutations of the target.

    Read more in the :doc:`user guide </user_guide/hypercontractivity>`.

    Parameters
    ----------
    bandwidth_factor : float, default=1.06
        The standard deviation of the Gaussian kernel is `bandwidth_factor` times that
        of the column times `n_samples ** (-1 / (d + 4))`, with `d` coordinates.
    min_fraction : float, default=0.05
        The smallest fraction of the samples on which the tilt may concentrate, which
        is never fewer than `sqrt(n_samples)` samples: the tilt is at most
        `min(sqrt(n_samples), 1 / min_fraction)`. None removes this bound; the estimate
        is then dominated by isolated samples.
    method : {"kde", "paper"}, default="kde"
        "kde": a kernel estimate of the joint distribution, with its own marginals.
        "paper": the estimator of the authors' code [1]_, solved to convergence.
    direction : {"forward", "backward"}, default="forward"
        "forward": how strongly the feature can influence the target. "backward": how
        strongly the target can influence the feature.
    discrete_features : "auto", bool, or array-like, default="auto"
        Which features are nominal, that is, compared only by equality. "auto": strings,
        categories, booleans, and integers with at most `sqrt(n_samples)` distinct
        values. Otherwise a bool for all features, a mask of shape (n_features,), or
        indices or names of features that are nominal in addition to those of "auto".
    discrete_target : "auto", bool, or array-like, default="auto"
        Which columns of the target are nominal, in the same format as
        `discrete_features`.
    n_features_to_select : int or float, default=None
        The maximal number of features to select, or the maximal fraction of them. The
        best ones are kept. None means no limit.
    n_permutations : int, default=0
        Number of permutations of the target for the p-values. 0 means no p-values.
    alpha : float, default=None
        Select only features that are significant at this false discovery rate
        (Benjamini-Hochberg). None means that significance is not required.
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
        Potential correlation of each feature with the target, in [0, 1]. It can be
        large for independent features with heavy tails: see `pvalues_`.
    scores_without_witness_ : ndarray of shape (n_features,)
        The scores without the *witness*, which is the sample with the largest tilt (of
        several, the one where the distribution of the target is raised most), at the
        same bandwidth. If it is much smaller than the score, the dependence rests on
        this one sample.
    lower_bounds_ : ndarray of shape (n_features,)
        Squared maximal correlation of each feature with the target, from the same
        estimate of their joint distribution. It never exceeds the score.
    effective_sample_sizes_ : ndarray of shape (n_features,)
        Effective sample size :math:`(\sum_i w_i)^2 / \sum_i w_i^2` of the tilt `w`. If
        it is small, the dependence rests on few samples; the converse does not hold.
    pvalues_ : ndarray of shape (n_features,)
        Permutation p-value of each score. Only if `n_permutations > 0`.
    null_distribution_ : ndarray of shape (n_features, n_permutations)
        Scores of each feature with the permuted target. Only if `n_permutations > 0`.
    discrete_features_ : ndarray of shape (n_features,)
        Mask of the nominal features.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`. Only if all of them are strings.

    See Also
    --------
    hypercontractivity : The same measure for two variables or vectors.
    MixedMutualInfo : Selection by mutual information, an average over all samples.
    skinfo.inspection.TiltDisplay : Plot of the tilt of a feature.

    Notes
    -----
    Among the tilts that reach at least 99% of the score, the largest is kept.

    `score` returns the ratio that the fitted tilt `w` reaches on new samples,
    :math:`[E(w \log q) - \log E q] / E(w \log w)`, where `q` is the leave-one-out
    kernel regression of `w` on the target. Independent data score about 0 or below. For
    this, the estimator keeps a copy of the selected columns and of the target.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.

    Examples
    --------
    In 5% of the samples the target equals the first feature plus noise:

    >>> import numpy as np
    >>> from skinfo import HypercontractivityCoef
    >>> from skinfo.datasets import make_hidden_correlation
    >>> data = make_hidden_correlation(1000, noise=0.03, random_state=0)
    >>> noise = np.random.default_rng(0).normal(size=1000)
    >>> X = np.column_stack([data.x, noise])
    >>> selector = HypercontractivityCoef(n_permutations=99, random_state=0)
    >>> selector.fit(X, data.y).scores_.round(2)
    array([0.12, 0.03])
    >>> selector.pvalues_
    array([0.01, 0.5 ])
    >>> tilt = selector.tilt(X)[:, 0]
    >>> bool(tilt[data.rare].mean() > 5 * tilt[~data.rare].mean())
    True
    """

    def __init__(
        self,
        bandwidth_factor: float = 1.06,
        *,
        min_fraction: float | None = 0.05,
        method: str = "kde",
        direction: str = "forward",
        discrete_features: Any = "auto",
        discrete_target: Any = "auto",
        n_features_to_select: float | None = None,
        n_permutations: int = 0,
        alpha: float | None = None,
        nan_policy: str = "raise",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.bandwidth_factor = bandwidth_factor
        self.min_fraction = min_fraction
        self.method = method
        self.direction = direction
        self.discrete_features = discrete_features
        self.discrete_target = discrete_target
        self.n_features_to_select = n_features_to_select
        self.n_permutations = n_permutations
        self.alpha = alpha
        self.nan_policy = nan_policy
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def tilt(self, X: ArrayLike) -> FloatArray:
        """Return the weight that the fitted tilt of each feature gives to each sample.

        The weight is the density ratio of the feature, after to before the reweighting
        found by `fit`. With `direction="forward"` the feature itself is reweighted;
        with "backward" the target is, which changes the feature in turn. The ratio is
        interpolated between the samples of `fit` and constant beyond them.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            Samples of all features, new ones or those passed to `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The density ratios, above 1 for the samples that carry the dependence. 1
            for categories not seen during `fit`, NaN for missing values.

        Raises
        ------
        ValueError
            If values are missing and `nan_policy="raise"`, or if X does not have the
            columns seen during `fit`.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        columns = read_columns(X, name="X", ensure_2d=True)
        check_missing(columns, nan_policy=self.nan_policy, name="X")
        result = np.full((len(columns[0].values), len(columns)), np.nan)
        for j, (column, tilt) in enumerate(zip(columns, self._tilts, strict=True)):
            present = ~column.missing
            result[present, j] = tilt.at(column.take(present))
        return result

    def _make_measure(self) -> FeatureHypercontractivity:
        measure = FeatureHypercontractivity(
            self.bandwidth_factor, self.min_fraction, self.method, self.direction
        )
        measure.check_options()
        return measure

    def _keep_results(self, results: Sequence[FeatureScore]) -> None:
        self.scores_without_witness_ = np.array(
            [result.value_without_witness for result in results]
        )
        self.lower_bounds_ = np.array([result.lower_bound for result in results])
        self.effective_sample_sizes_ = np.array(
            [result.effective_sample_size for result in results]
        )
        self._tilts = [result.tilt for result in results]

    def _held_out_value(
        self,
        training: tuple[RandomVector, RandomVector],
        new: tuple[RandomVector, RandomVector],
    ) -> float:
        measure = self._make_measure()
        x, y = (measure.prepare(vector) for vector in training)
        with one_blas_thread():
            maximum = measure.maximum(x, y)
        new_x, new_y = x.training.place(new[0]), y.training.place(new[1])
        if self.direction == "forward":
            weights = tilt_at(x, maximum.tilt, new_x)
            return held_out_ratio(weights, new_y, y.bandwidth)
        weights = tilt_at(y, maximum.tilt, new_y)
        return held_out_ratio(weights, new_x, x.bandwidth)
