"""The functions for hypercontractivity and maximal correlation."""

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
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity
from skinfo.dependence.measures._kernel_measure import KernelMeasure
from skinfo.dependence.measures._maximal_correlation import MaximalCorrelation

_SUM_TOLERANCE = 1e-9  # far above the rounding of a sum, far below any mistake
_SMALLEST_PROBABILITY = 1e-100  # rarer values count as absent; 1 / p must stay finite
_N_VERTICES = 50  # point masses to start from: in an exact joint every value counts
_SLACK = 1e-6  # share of the value given up for a larger tilt


@dataclass(frozen=True)
class DiscreteHypercontractivity:
    """The result of :func:`hypercontractivity_discrete`.

    Attributes
    ----------
    value : float
        The hypercontractivity coefficient, in [0, 1].
    tilt : ndarray of shape (n_x,)
        The ratio r(x) / p(x) that reaches `value`; NaN where x has probability 0.
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

    The coefficient measures how strongly X can influence Y. It is directed, 0 if and
    only if X and Y are independent, and at most 1.

    Parameters
    ----------
    joint : array-like of shape (n_x, n_y)
        The joint probabilities p(x, y), with one row for each x. Rows and columns of
        zeros are ignored. Counts are normalised, with a warning.
    tol : float, default=1e-10
        Relative gain of a step below which the fixed-point ascent stops. A quasi-Newton
        search refines its result.

    Returns
    -------
    DiscreteHypercontractivity
        A result with the attributes:

        value : float
            The coefficient, in [0, 1].
        tilt : ndarray of shape (n_x,)
            The ratio r(x) / p(x) that reaches `value` within a relative 1e-6; of
            several, the largest. NaN where p(x) is 0 (below 1e-100).
        lower_bound : float
            The squared maximal correlation, which never exceeds `value`.

    Raises
    ------
    ValueError
        If `joint` is not two-dimensional, has a negative or missing entry or no
        positive one, or if `tol` is not positive.
    TypeError
        If `tol` is not a number.

    Warns
    -----
    UserWarning
        If `joint` does not sum to 1 within 1e-9.

    See Also
    --------
    hypercontractivity : Estimate from samples.

    Notes
    -----
    The coefficient is the supremum

    .. math::

        s(X; Y) = \sup_{r \ne p_X} \frac{D(r_Y \| p_Y)}{D(r \| p_X)},
        \qquad r_Y(y) = \sum_x p(y | x) \, r(x),

    over the distributions `r` of X. It is maximised by Dinkelbach's method, which never
    lowers the ratio, from several starts: tilts along both signs of the function of X
    that attains the maximal correlation, and the best 50 point masses. The result is
    deterministic. The ratio is not concave, so the global maximum is not guaranteed;
    none was missed on 200 random joint distributions.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.
    .. [2] V. Anantharam, A. Gohari, S. Kamath, C. Nair, "On Maximal Correlation,
       Hypercontractivity, and the Data Processing Inequality studied by Erkip and
       Cover", arXiv:1304.6133, 2013.

    Examples
    --------
    The rare value of X determines Y; the other one does not:

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
    # sorted, so that a relabelling of values does not change even the last digit
    rows_in_order = np.lexsort(np.sort(present, axis=1).T)
    columns_in_order = np.lexsort(np.sort(present, axis=0))
    present = present[rows_in_order][:, columns_in_order]
    with one_blas_thread():
        maximum = maximise(
            Channel(present / present.sum()),
            cap=math.inf,
            tol=tol,
            n_vertices=_N_VERTICES,
            slack=_SLACK,
            polished=True,
        )
    tilt = np.full(len(joint), np.nan)
    tilt[rows[rows_in_order]] = maximum.tilt
    return DiscreteHypercontractivity(maximum.value, tilt, maximum.lower_bound)


def _read_joint(joint: ArrayLike) -> FloatArray:
    """Return joint probabilities, normalised; warn if they do not sum to 1."""
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
    scaled_total = float(np.sort(table, axis=None).sum())  # sorted: see above
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
    r"""Estimate the hypercontractivity coefficient from x to y.

    It measures how strongly `x` can influence `y`, even if only in a small part of its
    range, and is also called *potential correlation*. It is near 0 for independent
    variables, and increases the better `x` determines `y` in some part of its range
    that holds at least the fraction `min_fraction` of the samples. Each of `x` and `y`
    is one random variable or random vector. The estimate is deterministic.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables. By default, strings, categories, booleans, and
        integers with at most `sqrt(n_samples)` distinct values are nominal; other
        numbers and dates are numeric.
    bandwidth_factor : float, default=1.06
        The standard deviation of the Gaussian kernel is `bandwidth_factor` times that
        of the column times `n_samples ** (-1 / (d + 4))`, with `d` numeric columns. A
        larger factor smooths more, which lowers the value.
    min_fraction : float, default=0.05
        The smallest fraction of the samples on which the tilt may concentrate: what is
        estimated is the potential correlation within a sub-population of at least this
        size. The tilt is at most `min(sqrt(n_samples), 1 / min_fraction)`. None removes
        this bound; the estimate is then dominated by isolated samples.
    method : {"kde", "paper"}, default="kde"
        "kde": a kernel estimate of the joint distribution, with its own marginals.
        "paper": the estimator of the authors' code [1]_, solved to convergence: their
        matrix, their bound `sqrt(n_samples)` of the tilt, one bandwidth for all columns
        of a variable, and integers as numeric.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all of them, a mask, or indices or names
        of columns that are nominal in addition to those of "auto".
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out the
        rows that have any.

    Returns
    -------
    float
        The estimate, in [0, 1]; 0 if x or y is constant. The kernel attenuates it, and
        its size under independence depends on the marginals: compare it with its values
        under permutations rather than across variables.

    Raises
    ------
    ValueError
        If there are fewer than 5 samples, values are missing, lengths differ, or a
        parameter is out of range.
    TypeError
        If a parameter has the wrong type, or the data are sparse.

    See Also
    --------
    hypercontractivity_discrete : The coefficient of a given joint distribution.
    maximal_correlation : Symmetric; its square is never larger.
    HypercontractivityCoef : The same for many features, with p-values and the tilt.

    Notes
    -----
    Let `W_x` and `W_y` be the Gaussian kernel matrices of the samples of x and y, each
    row scaled to sum 1. The joint distribution is estimated by
    :math:`P = W_x W_y^\top / \sum`, and the coefficient by

    .. math::

        \sup_{r \le c \, p_X} \frac{D(r_Y \| p_Y)}{D(r \| p_X)},

    with the marginals :math:`p_X, p_Y` of `P` and the bound `c` of the tilt. Samples of
    one numeric column are gathered in cells of an eighth of the bandwidth; those of
    several are gathered if there are more than 2000 distinct ones. Each nominal value
    has its own cells (of more than 2000, the rarest share one). The :doc:`user guide
    </user_guide/hypercontractivity>` explains the effects of the bound and the kernel.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.

    Examples
    --------
    In 5% of the samples `y` is `x` plus noise; in the others they are independent:

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
    measure = Hypercontractivity(bandwidth_factor, min_fraction, method)
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
    r"""Estimate the maximal correlation of two variables.

    The maximal correlation is the largest correlation between a function of `x` and a
    function of `y`: 0 if and only if they are independent, and 1 if some non-constant
    function of one equals a function of the other. It is symmetric. It is estimated
    from the same joint distribution as :func:`hypercontractivity`, by one singular
    value decomposition, and often detects rare dependence equally well.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, as for :func:`hypercontractivity`.
    bandwidth_factor : float, default=1.06
        Factor of the kernel bandwidth, as for :func:`hypercontractivity`.
    x_discrete, y_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal, as for :func:`hypercontractivity`.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out the
        rows that have any.

    Returns
    -------
    float
        The estimate, in [0, 1]; 0 if x or y is constant.

    Raises
    ------
    ValueError
        If there are fewer than 5 samples, values are missing, lengths differ, or a
        parameter is out of range.
    TypeError
        If a parameter has the wrong type, or the data are sparse.

    See Also
    --------
    hypercontractivity : Directed, and at least the square of this measure.

    Notes
    -----
    The estimate is the second singular value of the matrix
    :math:`p(x, y) / \sqrt{p(x) p(y)}`.

    References
    ----------
    .. [1] A. Renyi, "On Measures of Dependence", Acta Mathematica Hungarica 10, 1959.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import maximal_correlation
    >>> x = np.random.default_rng(0).uniform(-1, 1, size=1000)
    >>> round(maximal_correlation(x, x**2), 1)  # their linear correlation is 0
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
    measure: KernelMeasure,
    *,
    x_discrete: Any,
    y_discrete: Any,
    nan_policy: str,
) -> tuple[KernelVector, KernelVector]:
    """Return two variables, read, checked and prepared for the measure."""
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
