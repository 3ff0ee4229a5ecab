"""Conditional mutual information of random vectors of any kind, from neighbours."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from skinfo._core._vectors import complete_vectors, read_vectors
from skinfo.dependence.measures._mutual_information import MutualInformation


def conditional_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    n_neighbors: int = 5,
    scale: str | None = "rank",
    ties: str = "adaptive",
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    z_discrete: Any = "auto",
    nan_policy: str = "raise",
    n_jobs: int | None = None,
) -> float:
    r"""Estimate the mutual information of two variables given a third, in nats.

    What `x` tells of `y` beyond what `z` tells already. Each of `x`, `y` and `z` is one
    random variable or vector: discrete, continuous or a mixture of both. Nothing is
    binned and no noise is added, so the result is deterministic.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    x, y, z : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, and of what is conditioned on. Strings, categories
        and booleans are nominal: they are compared by equality alone. Numbers and dates
        are coordinates. Constant columns of `z` count for nothing; without others the
        result is that of :func:`mutual_information`.
    n_neighbors : int, default=5
        Number of nearest neighbours `k`. 3 to 5 have the least bias; 10 to 20 the
        least variance, which is better to test for independence.
    scale : {"rank", "standard", None}, default="rank"
        How numeric columns are scaled, each by itself. "rank": to the normal scores
        of their ranks; those of `x` and `y` also less what is linear in the normal
        scores of `z`, see Notes. "standard": to unit variance. None: not at all. Ranks
        close gaps: take "standard" where a column falls into clusters far apart, and
        which cluster it is matters.
    ties : {"adaptive", "gao"}, default="adaptive"
        What is done where several samples are at the same distance. "adaptive":
        about the mean over all ways to break them, as for :func:`mutual_information`.
        "gao": nothing. Both agree on numeric data without such ties.
    x_discrete, y_discrete, z_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all, a mask, or indices or names of
        those to add to what "auto" finds.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": missing or infinite values are an error. "omit": rows that have any
        are left out.
    n_jobs : int, default=None
        Number of jobs that share large samples. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors.

    Returns
    -------
    float
        The estimate. It is raw: near independence it can be slightly negative.

    Raises
    ------
    ValueError
        If `n_neighbors` is not smaller than the number of samples, values are missing,
        lengths differ, or an option is not known.
    TypeError
        If `n_neighbors` is not an integer, or the data are sparse.

    See Also
    --------
    mutual_information : Of two variables, with nothing given.
    independence_test : Tells whether the value could be chance.

    Notes
    -----
    With :math:`\rho_i` the distance (the largest over all columns of `x`, `y` and `z`)
    of sample `i` to its `k`-th nearest neighbour, and :math:`n_{xz,i}`,
    :math:`n_{yz,i}` and :math:`n_{z,i}` the numbers of samples, itself included, that
    are nearer in these columns, the estimate is

    .. math::

        \hat I(X; Y | Z) = \frac{1}{N} \sum_{i=1}^{N} \left[ \psi(\tilde k_i)
        - \psi(n_{xz,i}) - \psi(n_{yz,i}) + \psi(n_{z,i}) \right]

    with :math:`\tilde k_i = k`. Where :math:`\rho_i = 0`, all four count the samples
    that coincide with sample `i`, as in [1]_; else, without ties, it is that of [2]_.
    Where `z` is nominal, it is the mean of the mutual information within each value of
    `z`. The more columns there are, the farther are the neighbours: then the estimate
    is drawn towards 0.

    So it would be where `z` moves `x` and `y` much. Given `z`, the information in
    :math:`x - b z` is that in `x`. With ranks, what is left of `x` and `y` by least
    squares takes their place, ranked again: where both are numeric, no more than `k`
    samples share a value, neither is a function of `z`, and there are 20 samples or
    more for each numeric column of `z`.

    References
    ----------
    .. [1] O. C. Mesner, C. R. Shalizi, "Conditional Mutual Information Estimation for
       Mixed, Discrete and Continuous Data", IEEE Transactions on Information Theory
       67(1), 2021 (arXiv:1912.03387).
    .. [2] S. Frenzel, B. Pompe, "Partial Mutual Information for Coupling Analysis of
       Multivariate Time Series", Physical Review Letters 99, 2007.

    Examples
    --------
    A common cause makes `x` and `y` dependent; given it they are not:

    >>> import numpy as np
    >>> from skinfo import conditional_mutual_information, mutual_information
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=1000)
    >>> x, y = z + rng.normal(size=(2, 1000))
    >>> round(mutual_information(x, y), 1)
    0.1
    >>> abs(round(conditional_mutual_information(x, y, z), 1))
    0.0
    """
    measure = MutualInformation(n_neighbors, scale, ties)
    measure.check_options()
    vectors = read_vectors(
        {"x": (x, x_discrete), "y": (y, y_discrete), "z": (z, z_discrete)},
        nan_policy=nan_policy,
    )
    measure.check_samples(vectors[0].n_samples)
    vectors, _ = complete_vectors(
        vectors, minimum=measure.minimum_samples, advice=measure.advice
    )
    return measure.value(measure.triple(*vectors), n_jobs)
