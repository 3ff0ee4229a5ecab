"""The dependence between all pairs of columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control

from skinfo._core._checks import check_integer
from skinfo._core._permutation import (
    draw_seeds,
    permutation_pvalues,
)
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector, read_vector
from skinfo._core._warnings import warn
from skinfo.dependence.inference._pairs import (
    complete_rows_of_pairs,
    names_of,
    pair_matrix,
    results_of_columns,
    scarce_pair,
)
from skinfo.dependence.measures._by_name import make_measure
from skinfo.dependence.measures._measure import DependenceMeasure


@dataclass(frozen=True, eq=False)
class PairwiseDependence:
    """The result of :func:`pairwise_dependence`.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_features)
        Entry [i, j] is the dependence from feature i to feature j. The diagonal is NaN.
    pvalues : ndarray of shape (n_features, n_features) or None
        The p-value of each pair; None without permutations. The diagonal is NaN.
    pvalues_adjusted : ndarray of shape (n_features, n_features) or None
        The p-values, adjusted over all pairs by the Benjamini-Hochberg procedure.
    feature_names : list of str
        The names of the columns.
    measure : str
        The name of the measure.
    """

    values: FloatArray
    pvalues: FloatArray | None
    pvalues_adjusted: FloatArray | None
    feature_names: list[str]
    measure: str


def pairwise_dependence(
    X: ArrayLike,
    *,
    measure: str | Callable[[Any, Any], float] = "mutual_information",
    measure_params: Mapping[str, Any] | None = None,
    n_permutations: int = 0,
    nan_policy: str = "raise",
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> PairwiseDependence:
    """Estimate the dependence between all pairs of columns, with p-values.

    Columns can be of any kind and can have missing values: each pair is estimated from
    the rows in which both columns have values. The result is symmetric if the measure
    is.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    X : array-like or dataframe of shape (n_samples, n_features)
        The table. Strings, categories and booleans are nominal; numbers and dates are
        coordinates.
    measure : str or callable, default="mutual_information"
        The measure of dependence: "mutual_information", in nats; "hypercontractivity",
        how strongly the feature of the row can influence that of the column;
        "maximal_correlation"; or a function of two arrays of shape (n_samples,) that
        returns a number, larger for more dependence, and is called for both orders of
        each pair.
    measure_params : dict, default=None
        Parameters of the measure: `n_neighbors`, `scale` and `ties` of
        :func:`mutual_information`; `bandwidth_factor`, `min_fraction` and `method` of
        :func:`hypercontractivity`; `bandwidth_factor` of :func:`maximal_correlation`.
        All three also take `discrete_features`, the columns that are nominal: "auto", a
        bool for all columns, a mask, or indices or names of columns that are nominal in
        addition to those of "auto".
    n_permutations : int, default=0
        Number of permutations of the second column of each pair for the p-values. 0
        means no p-values.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out, for
        each pair, the rows in which either column has one. Pairs with too few complete
        rows are NaN, with a warning.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations. The values do not depend on it.
    n_jobs : int, default=None
        Number of jobs to run in parallel over pairs and permutations. None means 1
        unless in a :obj:`joblib.parallel_backend` context, -1 means all processors. The
        results do not depend on it.
    verbose : int, default=0
        Verbosity level passed to joblib.

    Returns
    -------
    PairwiseDependence
        A result with the attributes:

        values : ndarray of shape (n_features, n_features)
            Entry [i, j] is the dependence from feature i to feature j. NaN on the
            diagonal, as the mutual information of a continuous variable with itself is
            infinite, and for pairs with too few complete rows.
        pvalues : ndarray of shape (n_features, n_features) or None
            The p-value of each pair, NaN if its value is NaN; None without
            permutations.
        pvalues_adjusted : ndarray of shape (n_features, n_features) or None
            The p-values after the Benjamini-Hochberg procedure [1]_, over all pairs
            that have one; over both orders of each pair if the measure is not
            symmetric.
        feature_names : list of str
            The names of the columns; "x0", "x1" and so on if X is an array.
        measure : str
            The name of the measure.

    Raises
    ------
    ValueError
        If a parameter is out of range or unknown, values are missing, or no pair has
        enough complete rows.
    TypeError
        If a parameter has the wrong type, or X is sparse.

    Warns
    -----
    UserWarning
        If some pairs have too few complete rows.

    See Also
    --------
    skinfo.inspection.PairwiseDependenceDisplay : Plot of the result.
    MixedMutualInfo : Mutual information of many features with a target.

    Notes
    -----
    If `r` of `n` permutations reach the value, the p-value is `(1 + r) / (1 + n)`, so
    it is never below `1 / (1 + n)`. For a single dependent pair among `m` to be
    significant at level `alpha` after the adjustment, at least `m / alpha - 1`
    permutations are needed.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of
       the Royal Statistical Society B 57, 1995.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skinfo import pairwise_dependence
    >>> X = load_iris(as_frame=True).data
    >>> result = pairwise_dependence(X, n_permutations=99, random_state=0)
    >>> result.feature_names[:2]
    ['sepal length (cm)', 'sepal width (cm)']
    >>> result.values.round(1)
    array([[nan, 0.3, 0.9, 0.6],
           [0.3, nan, 0.3, 0.4],
           [0.9, 0.3, nan, 1.1],
           [0.6, 0.4, 1.1, nan]])
    >>> result.pvalues_adjusted[0].round(2)
    array([ nan, 0.01, 0.01, 0.01])
    """
    chosen = make_measure(measure, measure_params, extra=["discrete_features"])
    check_integer("n_permutations", n_permutations, minimum=0)
    features = read_vector(
        X,
        name="X",
        discrete=chosen.reading.get("discrete_features", "auto"),
        discrete_name="discrete_features",
        nan_policy=nan_policy,
        ensure_2d=True,
        is_nominal=chosen.measure.is_nominal,
    )
    chosen.measure.check_samples(features.n_samples)
    n_complete = complete_rows_of_pairs(features)
    _check_complete_rows(n_complete, features, chosen.measure)
    symmetric = chosen.measure.symmetric
    pairs, values, null = results_of_columns(
        chosen.measure,
        features,
        usable=n_complete >= chosen.measure.minimum_samples,
        seeds=draw_seeds(random_state, n_permutations).tolist(),
        n_jobs=n_jobs,
        verbose=verbose,
    )
    n_features = len(features.columns)
    pvalues = adjusted = None
    if n_permutations > 0:
        of_pairs = permutation_pvalues(values, null)
        pvalues, adjusted = (
            pair_matrix(pairs, each, n_features, symmetric=symmetric)
            for each in (of_pairs, _adjusted(of_pairs))
        )
    return PairwiseDependence(
        pair_matrix(pairs, values, n_features, symmetric=symmetric),
        pvalues,
        adjusted,
        names_of(X, features.columns),
        chosen.name,
    )


def _adjusted(pvalues: FloatArray) -> FloatArray:
    """Return p-values (n,) after the Benjamini-Hochberg procedure, which skips NaN."""
    adjusted = pvalues.copy()
    known = ~np.isnan(pvalues)
    if known.any():
        adjusted[known] = false_discovery_control(pvalues[known])
    return adjusted


def _check_complete_rows(
    n_complete: IntArray, features: RandomVector, measure: DependenceMeasure[Any]
) -> None:
    """Raise if no pair has enough complete rows, warn if some have too few."""
    of_pairs = n_complete[np.triu_indices(len(n_complete), 1)]
    n_scarce = int(np.sum(of_pairs < measure.minimum_samples))
    if n_scarce == 0:
        return
    message = (
        f"{n_scarce} of {len(of_pairs)} pairs have fewer than "
        f"{measure.minimum_samples} complete rows: {scarce_pair(n_complete, features)}."
    )
    remedy = f"Impute the values, or drop columns{measure.advice}."
    if n_scarce == len(of_pairs):
        raise ValueError(f"{message} {remedy}")
    warn(f"{message} Their results are NaN. {remedy}")
