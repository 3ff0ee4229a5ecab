"""What the bits of a Gaussian linear model can buy: reverse water-filling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skinfo._core._checks import check_real
from skinfo._core._typing import FloatArray

# relative errors of symmetry and of positive semidefiniteness that are rounding
_TOLERANCES = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4}
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class WaterFilling:
    """The best allocation of a rate to independent Gaussian components.

    Attributes
    ----------
    level : float
        The water level: the largest distortion of a component.
    distortions : ndarray of shape (n,)
        The distortion of each component, min(level, eigenvalue).
    rates : ndarray of shape (n,)
        The rate of each component in bits, max(0, log2(eigenvalue / level) / 2).
    """

    level: float
    distortions: FloatArray
    rates: FloatArray

    @property
    def distortion(self) -> float:
        """The sum of the distortions."""
        return float(self.distortions.sum())

    @property
    def rate(self) -> float:
        """The sum of the rates."""
        return float(self.rates.sum())


def gaussian_rate_distortion(
    weight_covariance: ArrayLike, input_covariance: ArrayLike, distortion: float
) -> float:
    r"""Compute the bits that a Gaussian linear model needs at a distortion.

    The rate-distortion function of a weight vector drawn from
    :math:`N(0, \Sigma_w)` and replaced by :math:`\hat w`, with the distortion
    :math:`E (w - \hat w)^\top \Sigma_x (w - \hat w)`, the expected squared change of
    the output. No code of any kind needs fewer bits on average.

    Parameters
    ----------
    weight_covariance : array-like of shape (n_features, n_features)
        The covariance of the weights, :math:`\Sigma_w`; it may be singular.
    input_covariance : array-like of shape (n_features, n_features)
        The covariance of the inputs, :math:`\Sigma_x`; it may be singular, and need not
        commute with the other.
    distortion : float
        The largest expected distortion, at least 0.

    Returns
    -------
    float
        The rate in bits, of all weights together: 0 where `distortion` is at least the
        one of weights that are all 0, and otherwise infinite where it is 0.

    Raises
    ------
    ValueError
        If a covariance is not a finite, symmetric, positive semidefinite matrix, their
        shapes differ, or `distortion` is negative or missing.
    TypeError
        If `distortion` is not a number, or a covariance is sparse.

    See Also
    --------
    gaussian_distortion_rate : The inverse.

    Notes
    -----
    With the eigenvalues :math:`\lambda_i` of
    :math:`\Sigma_w^{1/2} \Sigma_x \Sigma_w^{1/2}`, reverse water-filling ([1]_,
    [2]_) gives, by the water level :math:`\mu`,

    .. math::

        R = \sum_i \max\left(0, \tfrac12 \log_2 \frac{\lambda_i}{\mu}\right), \qquad
        D = \sum_i \min(\mu, \lambda_i).

    Eigenvalues that rounding cannot tell from 0 count as 0.

    References
    ----------
    .. [1] T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd edition,
       section 10.3.3, Wiley, 2006.
    .. [2] W. Gao, Y.-H. Liu, C. Wang, S. Oh, "Rate Distortion For Model Compression:
       From Theory To Practice", ICML 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import gaussian_rate_distortion
    >>> round(gaussian_rate_distortion(np.eye(3), np.diag([4, 1, 0.25]), 0.75), 6)
    3.0
    """
    eigenvalues = distortion_eigenvalues(weight_covariance, input_covariance)
    bound = _check_amount("distortion", distortion)
    return water_filling(eigenvalues, distortion=bound).rate


def gaussian_distortion_rate(
    weight_covariance: ArrayLike, input_covariance: ArrayLike, rate: float
) -> float:
    r"""Compute the least distortion of a Gaussian linear model at a rate.

    The inverse of :func:`gaussian_rate_distortion`: the least expected squared change
    of the output, when weights drawn from :math:`N(0, \Sigma_w)` are written with
    `rate` bits.

    Parameters
    ----------
    weight_covariance : array-like of shape (n_features, n_features)
        The covariance of the weights, :math:`\Sigma_w`; it may be singular.
    input_covariance : array-like of shape (n_features, n_features)
        The covariance of the inputs, :math:`\Sigma_x`; it may be singular, and need not
        commute with the other.
    rate : float
        The bits of all weights together, at least 0.

    Returns
    -------
    float
        The distortion; at rate 0, the one of weights that are all 0.

    Raises
    ------
    ValueError
        If a covariance is not a finite, symmetric, positive semidefinite matrix, their
        shapes differ, or `rate` is negative or missing.
    TypeError
        If `rate` is not a number, or a covariance is sparse.

    See Also
    --------
    gaussian_rate_distortion : The inverse, with the formulas.

    Notes
    -----
    See :func:`gaussian_rate_distortion`. The water level is found in closed form.

    References
    ----------
    .. [1] W. Gao, Y.-H. Liu, C. Wang, S. Oh, "Rate Distortion For Model Compression:
       From Theory To Practice", ICML 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import gaussian_distortion_rate
    >>> round(gaussian_distortion_rate(np.eye(3), np.diag([4, 1, 0.25]), 3.0), 6)
    0.75
    """
    eigenvalues = distortion_eigenvalues(weight_covariance, input_covariance)
    return water_filling(eigenvalues, rate=_check_amount("rate", rate)).distortion


def water_filling(
    eigenvalues: FloatArray,
    *,
    distortion: float | None = None,
    rate: float | None = None,
) -> WaterFilling:
    """Allocate a total distortion, or a total rate in bits, to components.

    `eigenvalues` (n,) are the variances of the components, at least 0, in any order;
    one of `distortion` and `rate` is given.
    """
    if distortion is not None:
        level = _level_of_distortion(eigenvalues, distortion)
    elif rate is not None:
        level = _level_of_rate(eigenvalues, rate)
    else:
        raise ValueError("Neither distortion nor rate is given. Pass one of them.")
    rates = np.zeros(len(eigenvalues))
    wet = eigenvalues > level
    with np.errstate(divide="ignore"):  # level 0: infinite rates
        rates[wet] = (np.log2(eigenvalues[wet]) - np.log2(level)) / 2
    return WaterFilling(level, np.minimum(eigenvalues, level), rates)


def _level_of_distortion(eigenvalues: FloatArray, distortion: float) -> float:
    """Return mu where sum min(mu, lambda_i) is the distortion; at most max lambda."""
    ordered, rest = _descending(eigenvalues)
    if len(ordered) == 0 or distortion >= rest[0]:
        return float(ordered[0]) if len(ordered) > 0 else 0.0
    counts = np.arange(1, len(ordered) + 1)
    at_eigenvalues = counts * ordered + rest[1:]  # the distortion at mu = lambda_k
    n_coded = max(int(np.count_nonzero(at_eigenvalues > distortion)), 1)
    return float((distortion - rest[n_coded]) / n_coded)


def _level_of_rate(eigenvalues: FloatArray, rate: float) -> float:
    """Return mu where sum max(0, log2(lambda_i / mu) / 2) is the rate."""
    ordered, _ = _descending(eigenvalues)
    if len(ordered) == 0 or rate == 0:
        return float(ordered[0]) if len(ordered) > 0 else 0.0
    logs = np.log2(ordered)
    sums = np.cumsum(logs)
    counts = np.arange(1, len(ordered) + 1)
    at_eigenvalues = (sums - counts * logs) / 2  # the rate at mu = lambda_k
    n_coded = max(int(np.count_nonzero(at_eigenvalues < rate)), 1)
    return float(np.exp2((sums[n_coded - 1] - 2 * rate) / n_coded))


def _descending(eigenvalues: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the positive eigenvalues, descending, and the sums from each to the end.

    The sums (n + 1,) end with 0.
    """
    ordered = np.sort(eigenvalues[eigenvalues > 0])
    rest = np.concatenate([[0.0], np.cumsum(ordered)])
    return ordered[::-1], rest[::-1]


def distortion_eigenvalues(
    weight_covariance: ArrayLike, input_covariance: ArrayLike
) -> FloatArray:
    """Return the eigenvalues of S_w^1/2 S_x S_w^1/2, after checks; ascending.

    They stay the same when the columns of the inputs are scaled and the weights are
    scaled back, so that both covariances are given the same diagonal first: features of
    very different units lose no digits.
    """
    weight = _read_covariance("weight_covariance", weight_covariance)
    inputs = _read_covariance("input_covariance", input_covariance)
    if weight.shape != inputs.shape:
        raise ValueError(
            f"input_covariance has shape {inputs.shape} and must have that of "
            f"weight_covariance, {weight.shape}. Pass covariances of the same features."
        )
    common = np.diag(weight) ** 0.25 * np.diag(inputs) ** 0.25
    largest = float(common.max())
    if largest == 0:
        return np.zeros(len(weight))
    common = common / largest
    root = _root(_correlations(weight)) * common[:, np.newaxis]
    kernel = root.T @ (_correlations(inputs) * np.outer(common, common)) @ root
    eigenvalues = np.linalg.eigvalsh((kernel + kernel.T) / 2)
    # no variance in the products is above 1
    eigenvalues[eigenvalues <= len(weight) * np.finfo(float).eps] = 0.0
    return np.asarray(eigenvalues * largest**2 * largest**2)


def _root(matrix: FloatArray) -> FloatArray:
    """Return L with L L' = a positive semidefinite matrix."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    root: FloatArray = vectors * np.sqrt(np.maximum(eigenvalues, 0))
    return root


def _correlations(covariance: FloatArray) -> FloatArray:
    """Scale a covariance to the diagonal 1; rows of variance 0 become 0."""
    scales = np.sqrt(np.diag(covariance))
    inverse = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
    scaled: FloatArray = covariance * inverse[:, np.newaxis] * inverse
    return scaled


def _read_covariance(name: str, covariance: ArrayLike) -> FloatArray:
    """Return a covariance as a symmetric array of floats, after checks."""
    tolerance = _TOLERANCES.get(getattr(covariance, "dtype", None), _TOLERANCE)
    if np.ndim(covariance) != 2:
        raise ValueError(
            f"{name} has {np.ndim(covariance)} dimensions and must have 2. Pass a "
            "square matrix, such as np.diag(variances) or [[variance]]."
        )
    try:
        matrix: FloatArray = check_array(covariance, dtype=np.float64, input_name=name)
    except ValueError as error:
        raise ValueError(f"{name} cannot be used. {error}") from error
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"{name} has shape {matrix.shape} and must be square. "
            "Pass one row and one column per feature."
        )
    asymmetry = float(np.max(np.abs(matrix - matrix.T)))
    if asymmetry > tolerance * float(np.max(np.abs(matrix))):
        raise ValueError(
            f"{name} is not symmetric: it differs from its transpose by "
            f"{asymmetry:.3g}. Pass a covariance, or (A + A.T) / 2 of your matrix A."
        )
    matrix = (matrix + matrix.T) / 2
    _check_semidefinite(name, matrix, tolerance)
    return matrix


def _check_semidefinite(name: str, matrix: FloatArray, tolerance: float) -> None:
    """Raise if a symmetric matrix has a negative eigenvalue beyond rounding."""
    variances = np.diag(matrix)
    remedy = "Pass a covariance, such as np.cov(X, rowvar=False)."
    if variances.min() < 0:
        raise ValueError(
            f"{name} has the negative variance {float(variances.min())!r} on its "
            f"diagonal. {remedy}"
        )
    largest = float(np.max(np.abs(matrix)))
    constant = variances == 0
    if np.any(np.abs(matrix[constant]) > tolerance * largest):
        raise ValueError(
            f"{name} is not positive semidefinite: a feature of variance 0 has a "
            f"covariance other than 0. {remedy}"
        )
    eigenvalues = np.linalg.eigvalsh(_correlations(matrix))
    if eigenvalues[0] < -tolerance * max(float(eigenvalues[-1]), 1.0):
        raise ValueError(
            f"{name} is not positive semidefinite: with its diagonal scaled to 1 it "
            f"has the eigenvalue {float(eigenvalues[0]):.3g}. {remedy}"
        )


def _check_amount(name: str, value: Any) -> float:
    """Return `value` as a float, or raise unless it is a number of at least 0."""
    remedy = "Pass a number of at least 0."
    amount = check_real(name, value, remedy)
    if math.isnan(amount) or amount < 0:
        raise ValueError(f"{name}={value!r} must be at least 0. {remedy}")
    return amount
