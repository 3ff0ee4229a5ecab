"""Conditional mutual information of random vectors, from nearest neighbours."""

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

    It measures how much information `x` adds about `y` when `z` is known. Each of `x`,
    `y` and `z` is a random variable or vector: discrete, continuous or a mixture of
    both. The data are not binned and no noise is added: the result is deterministic.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    x, y, z : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables and of the conditioning variable. Strings,
        categories and booleans are nominal: they are only compared for equality.
        Numbers and dates are coordinates. Constant columns of `z` are ignored; if there
        are no others, the result is that of :func:`mutual_information`.
    n_neighbors : int, default=5
        Number of nearest neighbours `k`. 3 to 5 give the least bias, 10 to 20 the least
        variance, which is better for tests of independence.
    scale : {"rank", "standard", None}, default="rank"
        How each numeric column is scaled. "rank": to the normal scores of its ranks;
        from those of `x` and `y`, a linear fit to the normal scores of `z` is
        subtracted, see Notes. "standard": to unit variance. None: not at all. Ranks
        close gaps: prefer "standard" for columns in clusters that lie far apart, if it
        matters to which cluster a sample belongs.
    ties : {"adaptive", "gao"}, default="adaptive"
        How tied distances are treated. "adaptive": by an approximation of the mean over
        all ways of breaking them, as for :func:`mutual_information`. "gao": not at all.
        Both agree on numeric data without ties.
    x_discrete, y_discrete, z_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all columns, a mask, or indices or names
        of columns that are nominal in addition to those of "auto".
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
    mutual_information : The mutual information without a condition.
    independence_test : Test of conditional independence.

    Notes
    -----
    Let :math:`\rho_i` be the distance of sample `i` to its `k`-th nearest neighbour
    (the largest difference over all columns of `x`, `y` and `z`), and :math:`n_{xz,i}`,
    :math:`n_{yz,i}` and :math:`n_{z,i}` the numbers of samples, `i` included, that are
    closer than :math:`\rho_i` in (`x`, `z`), in (`y`, `z`) and in `z`. The estimate is

    .. math::

        \hat I(X; Y | Z) = \frac{1}{N} \sum_{i=1}^{N} \left[ \psi(\tilde k_i)
        - \psi(n_{xz,i}) - \psi(n_{yz,i}) + \psi(n_{z,i}) \right]

    with :math:`\tilde k_i = k`. If :math:`\rho_i = 0`, all four are the numbers of
    samples that coincide with sample `i`, as in [1]_; otherwise, without ties, the
    estimate is that of [2]_. If `z` is nominal, it is the mean of the mutual
    information within each value of `z`, weighted by the number of samples. More
    columns make neighbourhoods larger, which biases the estimate towards 0.

    A strong effect of `z` on `x` and `y` would have the same consequence. Given `z`,
    however, :math:`x - b z` carries the same information as `x`. With "rank", `x` and
    `y` are therefore replaced by the ranks of their least-squares residuals, provided
    that both are numeric, no value is shared by more than `k` samples, neither is a
    function of `z`, and there are at least 20 samples per numeric column of `z`.

    References
    ----------
    .. [1] O. C. Mesner, C. R. Shalizi, "Conditional Mutual Information Estimation for
       Mixed, Discrete and Continuous Data", IEEE Transactions on Information Theory
       67(1), 2021 (arXiv:1912.03387).
    .. [2] S. Frenzel, B. Pompe, "Partial Mutual Information for Coupling Analysis of
       Multivariate Time Series", Physical Review Letters 99, 2007.

    Examples
    --------
    A common cause makes `x` and `y` dependent; given the cause, they are independent:

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
