"""Mutual information of two random vectors, and its pointwise terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skinfo._core._typing import BoolArray, FloatArray
from skinfo._core._vectors import complete_pair, read_pair
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._triple import IndexedTriple


def mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    *,
    n_neighbors: int = 5,
    scale: str | None = "rank",
    ties: str = "adaptive",
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    nan_policy: str = "raise",
    n_jobs: int | None = None,
) -> float:
    r"""Estimate the mutual information of two variables, in nats.

    Each of `x` and `y` is a random variable or vector: discrete, continuous or a
    mixture of both, such as a column with many zeros. The data are not binned and no
    noise is added: the result is deterministic.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables. Strings, categories and booleans are nominal:
        they are only compared for equality. Numbers and dates are coordinates.
    n_neighbors : int, default=5
        Number of nearest neighbours `k`. 3 to 5 give the least bias, 10 to 20 the least
        variance, which is better for tests of independence.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled. "rank": to the normal scores of its ranks,
        so that the result is invariant to increasing transforms of a column.
        "standard": to unit variance. None: not at all, as in [1]_.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated. "adaptive": by an approximation of the mean over
        all ways of breaking them, which reduces the bias on rounded and integer data;
        for two nominal variables, the bias from few samples per cell is corrected.
        "gao": the estimator of [1]_, without either. Both agree on numeric data without
        ties.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all columns, a mask, or indices or names
        of columns that are nominal in addition to those of "auto". Pass True for class
        labels coded as integers.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out the
        rows that have any.
    n_jobs : int, default=None
        Number of jobs to run in parallel on large samples. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 means all processors.

    Returns
    -------
    float
        The estimate. It is not clipped: near independence it can be slightly negative.

    Raises
    ------
    ValueError
        If `n_neighbors` is not smaller than the number of samples, values are missing,
        lengths differ, or an option is unknown.
    TypeError
        If `n_neighbors` is not an integer, or the data are sparse.

    See Also
    --------
    pointwise_mutual_information : The term of each sample.
    mixed_mutual_info : The mutual information of many features with a target.
    MixedMutualInfo : Feature selection with p-values and a held-out score.

    Notes
    -----
    Let :math:`\rho_i` be the distance of sample `i` to its `k`-th nearest neighbour
    (the largest difference over all columns), and :math:`n_{x,i}` and :math:`n_{y,i}`
    the numbers of samples, `i` included, that are closer than :math:`\rho_i` in `x` and
    in `y`. The estimate is

    .. math::

        \hat I(X; Y) = \frac{1}{N} \sum_{i=1}^{N} \left[ \psi(\tilde k_i) + \log N
        - \psi(n_{x,i}) - \psi(n_{y,i}) \right]

    with :math:`\tilde k_i = k`. If :math:`\rho_i = 0`, all three are the numbers of
    samples that coincide with sample `i`. If fewer than `k` other samples share all
    nominal values of sample `i`, `k` is lowered to their number; if none does, the term
    is 0.
    The :doc:`user guide </user_guide/mutual_information>` explains "adaptive".

    References
    ----------
    .. [1] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating Mutual Information for
       Discrete-Continuous Mixtures", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import mutual_information
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=1000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=1000)
    >>> round(mutual_information(x, y), 2)  # the truth is -log(0.6) = 0.51
    0.5
    >>> sign = np.where(x > 0, "plus", "minus")
    >>> round(mutual_information(x, sign), 2)  # the truth is log(2) = 0.69
    0.69
    """
    measure = MutualInformation(n_neighbors, scale, ties)
    triple, _ = _read(
        x,
        y,
        measure,
        x_discrete=x_discrete,
        y_discrete=y_discrete,
        nan_policy=nan_policy,
    )
    return measure.value(triple, n_jobs)


def pointwise_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    *,
    n_neighbors: int = 5,
    scale: str | None = "rank",
    ties: str = "adaptive",
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    nan_policy: str = "raise",
    n_jobs: int | None = None,
) -> FloatArray:
    """Estimate the pointwise mutual information of each sample, in nats.

    It is the log of the ratio of the joint density (or probability) at (x, y) to the
    product of the marginal ones. Its mean over the samples is the mutual information; a
    single term is noisy, with a standard deviation of about `1 / sqrt(n_neighbors)`.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, as for :func:`mutual_information`.
    n_neighbors : int, default=5
        Number of nearest neighbours.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": return NaN for
        samples that have any.
    n_jobs : int, default=None
        Number of jobs to run in parallel on large samples.

    Returns
    -------
    ndarray of shape (n_samples,)
        The term of each sample, NaN if it was left out.

    Raises
    ------
    ValueError
        As for :func:`mutual_information`.
    TypeError
        As for :func:`mutual_information`.

    See Also
    --------
    mutual_information : The mean of the terms, with all parameters explained.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import pointwise_mutual_information
    >>> weather = ["sun", "sun", "rain", "rain"] * 50
    >>> umbrella = ["no", "no", "yes", "yes"] * 50
    >>> pointwise_mutual_information(weather, umbrella)[:3].round(2)
    array([0.7, 0.7, 0.7])
    """
    measure = MutualInformation(n_neighbors, scale, ties)
    triple, rows = _read(
        x,
        y,
        measure,
        x_discrete=x_discrete,
        y_discrete=y_discrete,
        nan_policy=nan_policy,
    )
    terms = measure.terms(triple, n_jobs)
    of_samples: FloatArray = terms[triple.joint.variable.codes]
    if rows is None:
        return of_samples
    result = np.full(rows.shape, np.nan)
    result[rows] = of_samples
    return result


def _read(
    x: ArrayLike,
    y: ArrayLike,
    measure: MutualInformation,
    *,
    x_discrete: Any,
    y_discrete: Any,
    nan_policy: str,
) -> tuple[IndexedTriple, BoolArray | None]:
    """Return x and y with their indices, and the mask of their complete rows.

    The mask is None if no row was left out.
    """
    measure.check_options()
    vectors = read_pair(
        x, y, x_discrete=x_discrete, y_discrete=y_discrete, nan_policy=nan_policy
    )
    measure.check_samples(vectors[0].n_samples)
    vector_x, vector_y, rows = complete_pair(
        *vectors, minimum=measure.minimum_samples, advice=measure.advice
    )
    return measure.triple(vector_x, vector_y), rows
