"""Hypercontractivity and maximal correlation: the functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skinfo._core._checks import check_positive
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo._core._vectors import complete_pair, read_pair
from skinfo._core._warnings import warn
from skinfo.dependence.kernels._ascent import maximise
from skinfo.dependence.kernels._channel import Channel
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.measures._hypercontractivity import PotentialCorrelation
from skinfo.dependence.measures._maximal_correlation import MaximalCorrelation

_SUM_TOLERANCE = 1e-9
_SMALLEST_PROBABILITY = 1e-100  # of a value; below, its tilts would overflow
_MOST_STARTS = 50  # point masses that an exact joint is searched from
_SLACK = 1e-6  # of the value, for the tilt where the ratio is largest for small ones


@dataclass(frozen=True)
class DiscreteHypercontractivity:
    """What :func:`hypercontractivity_discrete` returns.

    Attributes
    ----------
    value : float
        The hypercontractivity coefficient, in [0, 1].
    tilt : ndarray of shape (n_x,)
        The ratio r(x) / p(x) that reaches it; NaN where x never occurs.
    lower_bound : float
        The squared maximal correlation.
    """

    value: float
    tilt: FloatArray
    lower_bound: float


def hypercontractivity_discrete(
    joint: ArrayLike, *, tol: float = 1e-10
) -> DiscreteHypercontractivity:
    r"""Compute the hypercontractivity coefficient of a discrete joint distribution.

    How strongly X can drive Y, from X to Y: 0 for independent variables, at most 1.

    Parameters
    ----------
    joint : array-like of shape (n_x, n_y)
        The joint probabilities, x along the rows. Rows and columns of zeros count for
        nothing. Counts are normalised, with a warning.
    tol : float, default=1e-10
        The relative gain below which an ascent ends; a quasi-Newton search follows.

    Returns
    -------
    DiscreteHypercontractivity
        With the attributes

        value : float
            The coefficient, in [0, 1].
        tilt : ndarray of shape (n_x,)
            The ratio r(x) / p(x) that reaches it, up to 1e-6 of the value; of several,
            the largest. NaN where x never occurs (below 1e-100).
        lower_bound : float
            The squared maximal correlation, which is never larger.

    Raises
    ------
    ValueError
        If `joint` has no positive entry, a negative or missing one, or is not
        two-dimensional, or `tol` is not positive.
    TypeError
        If `tol` is not a number.

    Warns
    -----
    UserWarning
        If `joint` does not sum to 1 within 1e-9.

    See Also
    --------
    hypercontractivity : From samples.

    Notes
    -----
    The coefficient is the supremum

    .. math::

        s(X; Y) = \sup_{r \ne p_X} \frac{D(r_Y \| p_Y)}{D(r \| p_X)},
        \qquad r_Y(y) = \sum_x p(y | x) \, r(x),

    over the distributions `r` of X. Every start (both signs of the function of the
    maximal correlation, the best 50 point masses) climbs by Dinkelbach's method, which
    never lowers the ratio. The result is deterministic. A supremum over a function
    that is not concave can be missed; on 200 random joints it never was.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.
    .. [2] V. Anantharam, A. Gohari, S. Kamath, C. Nair, "On Maximal Correlation,
       Hypercontractivity, and the Data Processing Inequality studied by Erkip and
       Cover", arXiv:1304.6133, 2013.

    Examples
    --------
    A rare value of X determines Y; the other leaves it free:

    >>> from skinfo import hypercontractivity_discrete
    >>> result = hypercontractivity_discrete([[0.45, 0.45], [0.1, 0.0]])
    >>> round(result.value, 2), round(result.lower_bound, 2)
    (0.26, 0.09)
    >>> result.tilt.round(2)
    array([ 0., 10.])
    """
    check_positive("tol", tol)
    joint = _read_joint(joint)
    rows = np.flatnonzero(joint.sum(axis=1) > _SMALLEST_PROBABILITY)
    present = joint[rows][:, joint.sum(axis=0) > _SMALLEST_PROBABILITY]
    # what the values are called does not count: not even in the last digit
    rows_in_order = np.lexsort(np.sort(present, axis=1).T)
    columns_in_order = np.lexsort(np.sort(present, axis=0))
    present = present[rows_in_order][:, columns_in_order]
    with one_blas_thread():
        maximum = maximise(
            Channel(present / present.sum()),
            cap=math.inf,
            tol=tol,
            n_vertices=_MOST_STARTS,
            slack=_SLACK,
            polished=True,
        )
    tilt = np.full(len(joint), np.nan)
    tilt[rows[rows_in_order]] = maximum.tilt
    return DiscreteHypercontractivity(maximum.value, tilt, maximum.lower_bound)


def _read_joint(joint: ArrayLike) -> FloatArray:
    """Read joint probabilities; warn where they do not sum to 1."""
    try:
        table = check_array(joint, dtype=np.float64, input_name="joint")
    except ValueError as error:
        raise ValueError(f"joint cannot be used. {error}") from error
    if table.min() < 0:
        raise ValueError(
            f"joint has the negative entry {float(table.min())!r}. "
            "Pass probabilities or counts, which are at least 0."
        )
    largest = float(table.max())
    if largest == 0:
        raise ValueError(
            "joint has a total of 0. Pass probabilities or counts, some of them "
            "positive."
        )
    table = table / largest  # so that no sum overflows
    scaled_total = float(np.sort(table, axis=None).sum())  # in an order of its own
    total = scaled_total * largest
    if abs(total - 1) > _SUM_TOLERANCE:
        warn(
            f"joint sums to {total:.10g}, not to 1, and was divided by its sum. "
            "Pass joint / joint.sum() to say that this is meant.",
            UserWarning,
        )
    normalised: FloatArray = table / scaled_total
    return normalised


def hypercontractivity(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth_factor: float = 1.06,
    min_fraction: float | None = 0.05,
    method: str = "kde",
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    nan_policy: str = "raise",
) -> float:
    r"""Estimate how strongly x can drive y, if only in some region of x.

    The hypercontractivity coefficient from `x` to `y`, or *potential correlation*,
    within a sub-population of at least the size `min_fraction`: near 0 for independent
    variables, and larger the more of `y` follows from `x` in some part of the range of
    `x`, even if that holds few samples. Each of `x` and `y` is one random variable or
    vector. The estimate is deterministic.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables. Strings, categories, booleans, and integers with
        at most `sqrt(n_samples)` distinct values are nominal; other numbers and dates
        are coordinates.
    bandwidth_factor : float, default=1.06
        The standard deviation of the Gaussian kernel is `bandwidth_factor` times that
        of the column times `n_samples ** (-1 / (d + 4))`, with `d` coordinates. A
        larger one smooths more, which lowers the value.
    min_fraction : float, default=0.05
        The tilt may concentrate on no less than this fraction of the samples: the
        potential correlation within a sub-population of at least this size. The cap on
        the tilt is `min(sqrt(n_samples), 1 / min_fraction)`. None removes it; the
        estimate then moves to single isolated samples as they become more.
    method : {"kde", "paper"}, default="kde"
        "kde": the kernel joint with its own marginals. "paper": the estimator of the
        authors' code [1]_, solved to convergence: their matrix, their cap
        `sqrt(n_samples)`, one bandwidth for all columns, and integers as coordinates.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all, a mask, or indices or names of
        those to add to what "auto" finds.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": missing or infinite values are an error. "omit": rows that have any
        are left out.

    Returns
    -------
    float
        The estimate, in [0, 1]; 0 where x or y is constant. It is attenuated by the
        kernel, and its size under independence depends on the marginals: compare it
        with permutations, not across variables.

    Raises
    ------
    ValueError
        If there are fewer than 5 samples, values are missing, lengths differ, or a
        parameter is out of its range.
    TypeError
        If a parameter has the wrong type, or the data are sparse.

    See Also
    --------
    hypercontractivity_discrete : Of an exact joint distribution.
    maximal_correlation : Of the same joint; its square is never larger.
    HypercontractivityCoef : For many features, with p-values and the tilt.

    Notes
    -----
    With Gaussian kernels on the samples and each row scaled to sum 1, in `W_x` and
    `W_y`, the joint is :math:`P = W_x W_y^\top / \sum`. Of it the estimate is

    .. math::

        \sup_{r \le c \, p_X} \frac{D(r_Y \| p_Y)}{D(r \| p_X)},

    with `p` its own marginals and `c` the cap, so that it is in [0, 1]. Scalars are
    gathered in cells of an eighth of the bandwidth; vectors are where there are more
    than 2000 samples. Nominal values have cells of their own (of more than 2000 the
    rarest share one). The :doc:`user guide </user_guide/hypercontractivity>` says what
    the cap and the kernel do.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.

    Examples
    --------
    In 5% of the samples `y` is `x` plus noise; in the others it is independent:

    >>> import numpy as np
    >>> from skinfo import hypercontractivity
    >>> from skinfo.datasets import make_hidden_correlation
    >>> data = make_hidden_correlation(1000, noise=0.03, random_state=0)
    >>> round(hypercontractivity(data.x, data.y), 2)
    0.12
    >>> rng = np.random.default_rng(0)
    >>> round(hypercontractivity(data.x, rng.permutation(data.y)), 2)
    0.02
    """
    measure = PotentialCorrelation(bandwidth_factor, min_fraction, method)
    pair = _read_kernel_pair(
        x,
        y,
        measure,
        x_discrete=x_discrete,
        y_discrete=y_discrete,
        nan_policy=nan_policy,
    )
    with one_blas_thread():
        return measure.maximum(*pair).value


def maximal_correlation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth_factor: float = 1.06,
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    nan_policy: str = "raise",
) -> float:
    r"""Estimate the maximal correlation of two variables of any kind.

    The largest correlation between a function of `x` and a function of `y`: 0 for
    independent variables, 1 where some function of the one is a function of the other.
    It is symmetric, and estimated from the joint that :func:`hypercontractivity` takes,
    by one singular value decomposition. Its power against rare dependence is often as
    good.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, as for :func:`hypercontractivity`.
    bandwidth_factor : float, default=1.06
        The factor of the bandwidth of the kernel.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal.
    nan_policy : {"raise", "omit"}, default="raise"
        "omit": rows with a missing or infinite value are left out.

    Returns
    -------
    float
        The estimate, in [0, 1]; 0 where x or y is constant.

    Raises
    ------
    ValueError
        As for :func:`hypercontractivity`.
    TypeError
        As for :func:`hypercontractivity`.

    See Also
    --------
    hypercontractivity : Directed, and at least the square of this one.

    Notes
    -----
    It is the second singular value of the matrix
    :math:`p(x, y) / \sqrt{{p(x) p(y)}}`.

    References
    ----------
    .. [1] A. Renyi, "On Measures of Dependence", Acta Mathematica Hungarica 10, 1959.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import maximal_correlation
    >>> x = np.random.default_rng(0).uniform(-1, 1, size=1000)
    >>> round(maximal_correlation(x, x**2), 1)  # the correlation of x and x^2 is 0
    0.9
    """
    measure = MaximalCorrelation(bandwidth_factor)
    pair = _read_kernel_pair(
        x,
        y,
        measure,
        x_discrete=x_discrete,
        y_discrete=y_discrete,
        nan_policy=nan_policy,
    )
    with one_blas_thread():
        return measure.values(*pair, [None])[0]


def _read_kernel_pair(
    x: ArrayLike,
    y: ArrayLike,
    measure: PotentialCorrelation | MaximalCorrelation,
    *,
    x_discrete: Any,
    y_discrete: Any,
    nan_policy: str,
) -> tuple[KernelVector, KernelVector]:
    """Read two variables, check them, and prepare them for the measure."""
    measure.check_options()
    vectors = read_pair(
        x,
        y,
        x_discrete=x_discrete,
        y_discrete=y_discrete,
        nan_policy=nan_policy,
        is_nominal=measure.is_nominal,
    )
    measure.check_samples(vectors[0].n_samples)
    vector_x, vector_y, _ = complete_pair(*vectors, minimum=measure.minimum_samples)
    return measure.prepare(vector_x), measure.prepare(vector_y)
