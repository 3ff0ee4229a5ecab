"""ChowLiuTree: the tree with the most mutual information between columns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import minimum_spanning_tree
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skinfo._core._columns import nominal_by_kind
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector, complete_pair, read_vector
from skinfo.dependence.inference._pairs import (
    complete_rows_of_pairs,
    pair_matrix,
    results_of_columns,
    scarce_pair,
)
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._density_ratio import (
    DensityRatio,
    donsker_varadhan_bound,
)
from skinfo.dependence.variables._new_samples import training_vector


class ChowLiuTree(BaseEstimator):
    r"""Connect the columns of a table by the tree with the most mutual information.

    Among all tree-structured distributions, the one closest to the distribution of the
    data, in Kullback-Leibler divergence, has the edges with the largest sum of mutual
    information [1]_. Columns are discrete, continuous or mixtures of both.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest neighbours. 3 to 5 give the least bias, 10 to 20 the least
        variance.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled. "rank": to the normal scores of its ranks, so
        that the result is invariant to increasing transforms of a column. "standard":
        to unit variance. None: not at all.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated, as for :func:`mutual_information`.
    discrete_features : "auto", bool, or array-like, default="auto"
        Which features are nominal, that is, only compared for equality. "auto":
        strings, categories and booleans. Otherwise a bool for all features, a mask of
        shape (n_features,), or indices or names of features that are nominal in
        addition to those of "auto".
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out, for
        each pair of features, the rows in which either is missing.
    n_jobs : int, default=None
        Number of jobs to run in parallel over the pairs. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 means all processors. The results do
        not depend on it.
    verbose : int, default=0
        Verbosity level passed to joblib.

    Attributes
    ----------
    edges_ : ndarray of shape (n_features - 1, 2)
        The indices of the two features of each edge, the smaller one first. Edges are
        sorted by decreasing mutual information.
    mutual_information_ : ndarray of shape (n_features, n_features)
        Mutual information of all pairs, in nats; the diagonal is NaN. That of the edges
        is `mutual_information_[*edges_.T]`.
    discrete_features_ : ndarray of shape (n_features,)
        The mask of nominal features.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`. Only if all of them are strings.

    See Also
    --------
    pairwise_dependence : All pairs, with p-values.
    skinfo.inspection.ChowLiuTreeDisplay : Plot of the tree.

    Notes
    -----
    `score` is the sum over the edges of the Donsker-Varadhan bound that
    :meth:`MixedMutualInfo.score` describes. For this, the estimator keeps a copy of the
    data.

    The tree connects all columns, including those that are independent of all others;
    the mutual information of their edges is close to 0.

    References
    ----------
    .. [1] C. K. Chow, C. N. Liu, "Approximating Discrete Probability Distributions with
       Dependence Trees", IEEE Transactions on Information Theory 14, 1968.

    Examples
    --------
    Each column is the one before it plus noise:

    >>> import numpy as np
    >>> from skinfo import ChowLiuTree
    >>> X = np.random.default_rng(0).normal(size=(500, 4)).cumsum(axis=1)
    >>> tree = ChowLiuTree().fit(X)
    >>> tree.edges_
    array([[2, 3],
           [1, 2],
           [0, 1]])
    >>> tree.mutual_information_[*tree.edges_.T].round(1)
    array([0.7, 0.6, 0.4])
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        scale: str | None = "rank",
        ties: str = "adaptive",
        discrete_features: Any = "auto",
        nan_policy: str = "raise",
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.ties = ties
        self.discrete_features = discrete_features
        self.nan_policy = nan_policy
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Estimate the mutual information of all pairs and find the tree.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            The table: numbers, dates, booleans, strings or categories.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is invalid for the data, values are missing and `nan_policy`
            is "raise", or a pair of features has too few complete rows.
        TypeError
            If a parameter has the wrong type, or X is sparse.
        """
        measure = self._make_measure()
        validate_data(self, X, skip_check_array=True)
        features = read_vector(
            X,
            name="X",
            discrete=self.discrete_features,
            discrete_name="discrete_features",
            nan_policy=self.nan_policy,
            ensure_2d=True,
            is_nominal=measure.is_nominal,
        )
        measure.check_samples(features.n_samples)
        n_complete = complete_rows_of_pairs(features)
        enough = n_complete >= measure.minimum_samples
        if not enough[np.triu_indices(len(enough), 1)].all():
            raise ValueError(
                f"A tree needs {measure.minimum_samples} complete rows of each pair of "
                f"columns, but {scarce_pair(n_complete, features)}. Impute the values, "
                f"or drop a column{measure.advice}."
            )
        pairs, values, _ = results_of_columns(
            measure,
            features,
            usable=enough,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        self.mutual_information_ = pair_matrix(
            pairs, values, self.n_features_in_, symmetric=True
        )
        self.edges_ = maximum_spanning_tree(self.mutual_information_)
        self.discrete_features_ = features.nominal
        self._training = features.copy()
        return self

    def _make_measure(self) -> MutualInformation:
        measure = MutualInformation(self.n_neighbors, self.scale, self.ties)
        measure.check_options()
        return measure

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the mutual information along the edges on new samples, in nats.

        The score evaluates the fitted tree on samples that were not seen in `fit`:
        larger is better, and independent columns score about 0 or below.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            New samples of all features.
        y : None
            Ignored.

        Returns
        -------
        float
            The sum over the edges of a lower bound of the mutual information; 0.0 if
            there is only one feature.

        Raises
        ------
        ValueError
            If values are missing and `nan_policy` is "raise", or X does not have the
            columns of `fit`.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        new = read_vector(
            X,
            name="X",
            discrete="auto",
            discrete_name="discrete_features",
            nan_policy=self.nan_policy,
            ensure_2d=True,
            is_nominal=nominal_by_kind,  # `like` makes it the same as in fit
        ).like(self._training)
        self._make_measure().check_samples(self._training.n_samples)
        return float(
            sum(self._held_out_value(edge, new) for edge in self.edges_.tolist())
        )

    def _held_out_value(self, edge: list[int], new: RandomVector) -> float:
        """Return the bound of the mutual information of an edge on new samples."""
        measure = self._make_measure()
        fitted = complete_pair(
            *(self._training.select([end]) for end in edge),
            minimum=measure.minimum_samples,
            advice=measure.advice,
        )
        x, y = (training_vector(vector, self.scale) for vector in fitted[:2])
        ratio = DensityRatio(x.variable, y.variable, measure.n_neighbors)
        new_x, new_y, _ = complete_pair(*(new.select([end]) for end in edge), minimum=1)
        return donsker_varadhan_bound(
            ratio, x.place(new_x), y.place(new_y), n_jobs=self.n_jobs
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.nan_policy == "omit"
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def maximum_spanning_tree(values: FloatArray) -> IntArray:
    """Return the edges (n - 1, 2) of the tree with the largest sum of values.

    `values` (n, n) is symmetric; its diagonal is ignored. Edges are sorted by
    decreasing value, and edges of equal value by row and column.
    """
    first, second = np.triu_indices(len(values), 1)
    if len(first) == 0:
        return np.empty((0, 2), dtype=np.int64)
    of_pairs = values[first, second]
    # a constant minus the values, so that all costs are positive: 0 means no edge
    costs = np.zeros(values.shape)
    costs[first, second] = of_pairs.max() - of_pairs + 1
    edges = np.transpose(minimum_spanning_tree(costs).nonzero()).astype(np.int64)
    edges = edges[np.lexsort(edges.T[::-1])]
    return edges[np.argsort(-values[edges[:, 0], edges[:, 1]], kind="stable")]
