"""HypercontractivityCoef: selects features by potential correlation with the target."""

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
from skinfo.dependence.measures._hypercontractivity import FeaturePotential, Potential
from skinfo.dependence.selection._selector import DependenceSelector


class HypercontractivityCoef(DependenceSelector):
    r"""Select the features that can drive a target, if only in some region.

    Estimates the hypercontractivity coefficient (*potential correlation*) of each
    feature with the target: how strongly the target responds where the samples are
    reweighted by the feature in the way that shows it best. A dependence in few samples
    counts, which an average over all of them hides. The reweighting is the *tilt*: it
    tells which samples carry the dependence. Permutations of the target give p-values;
    new samples give a held-out score.

    Read more in the :doc:`user guide </user_guide/hypercontractivity>`.

    Parameters
    ----------
    bandwidth_factor : float, default=1.06
        The standard deviation of the Gaussian kernel is `bandwidth_factor` times that
        of the column times `n_samples ** (-1 / (d + 4))`, with `d` coordinates.
    min_fraction : float, default=0.05
        The tilt may concentrate on no less than this fraction of the samples, nor on
        fewer than the square root of their number. None removes the cap; the estimate
        then moves to single isolated samples.
    method : {"kde", "paper"}, default="kde"
        "kde": the kernel joint with its own marginals. "paper": the estimator of the
        authors' code [1]_, solved to convergence.
    direction : {"forward", "backward"}, default="forward"
        "forward": how strongly the feature can drive the target. "backward": how
        strongly the target can drive the feature.
    discrete_features : "auto", bool, or array-like, default="auto"
        Which features are nominal, that is, compared by equality alone. "auto":
        strings, categories, booleans, and integers with at most `sqrt(n_samples)`
        distinct values. Or a bool for all features, a mask of shape (n_features,), or
        indices or names of those to add to what "auto" finds.
    discrete_target : "auto", bool, or array-like, default="auto"
        The same for the columns of the target.
    n_features_to_select : int or float, default=None
        How many features to select at most, the best ones: a number, or a fraction of
        all. None sets no limit.
    n_permutations : int, default=0
        Number of permutations of the target for the p-values. 0 means no p-values.
    alpha : float, default=None
        Select only features that are significant at this false discovery rate
        (Benjamini and Hochberg). None selects without a test.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": missing or infinite values are an error. "omit": for each feature, the
        rows in which it or the target is missing are left out; `score` leaves out the
        rows in which any selected feature is.
    n_jobs : int, default=None
        Number of jobs that share features and permutations. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors. The results do not
        depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations. The scores are the same for every seed.
    verbose : int, default=0
        How much joblib tells of the progress.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features,)
        Potential correlation of each feature with the target, in [0, 1]. Independent
        features with heavy tails can have large ones: see `pvalues_`.
    scores_without_witness_ : ndarray of shape (n_features,)
        The same with the sample left out that has the largest tilt (of several, the one
        whose target responds most), at the same bandwidth. Where it is much smaller
        than the score, one sample carries the dependence.
    lower_bounds_ : ndarray of shape (n_features,)
        Squared maximal correlation of each feature with the target, of the same joint.
    effective_sample_sizes_ : ndarray of shape (n_features,)
        Over how many samples the mean under the tilt `w` of the driving variable runs:
        :math:`(\sum_i w_i)^2 / \sum_i w_i^2`. A small one says that few samples carry
        the dependence; a large one does not say that many do.
    pvalues_ : ndarray of shape (n_features,)
        Probability, were the feature independent of the target, of a score at least
        as large. Only with `n_permutations`.
    null_distribution_ : ndarray of shape (n_features, n_permutations)
        Scores of each feature with the permuted target. Only with `n_permutations`.
    discrete_features_ : ndarray of shape (n_features,)
        The mask of nominal features.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    hypercontractivity : Of two variables or vectors.
    MixedMutualInfo : Selects by mutual information, an average over all samples.
    skinfo.inspection.TiltDisplay : A picture of the tilt of a feature.

    Notes
    -----
    The tilt is the largest of those that reach the score up to 1% of it.

    `score` is the ratio that the fitted tilt `w` reaches on new samples, with `q` the
    kernel regression of `w` on the target, each sample left out of its own:
    :math:`[E(w \log q) - \log E q] / E(w \log w)`. Independent data score about 0 or
    below. For this the estimator keeps a copy of the selected columns and of the
    target.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.

    Examples
    --------
    In 5% of the samples the target is the first feature plus noise:

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
        """Return how much more often the tilt draws each sample, feature by feature.

        The density ratio of each feature under the reweighting that `fit` found, which
        is that of the feature itself (`direction="forward"`) or what a tilt of the
        target makes of it ("backward"). Between the samples of `fit` it is
        interpolated, beyond them it stays as at the last one.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            Samples of all features, new ones or those of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The ratios: above 1 for the samples that carry the dependence. 1 for
            categories that were not seen in `fit`, NaN for missing values.

        Raises
        ------
        ValueError
            If values are missing and `nan_policy` is "raise", or X does not have the
            columns of `fit`.
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

    def _make_measure(self) -> FeaturePotential:
        measure = FeaturePotential(
            self.bandwidth_factor, self.min_fraction, self.method, self.direction
        )
        measure.check_options()
        return measure

    def _keep_results(self, results: Sequence[Potential]) -> None:
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
