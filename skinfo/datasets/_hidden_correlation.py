"""Samples of two variables that only depend on each other in a rare segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skinfo._core._checks import check_integer, check_option
from skinfo._core._typing import FloatArray
from skinfo.datasets._parameters import check_fraction, check_noise
from skinfo.datasets._truths import hidden_correlation_information

RandomState: TypeAlias = np.random.RandomState

# The functions f(u) of u in [0, 1]; for the circle, without its sign.
_SHAPES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "linear": lambda u: u,
    "quadratic": lambda u: 4 * (u - 0.5) ** 2,
    "cubic": lambda u: (1 + (2 * u - 1) * (4 * (2 * u - 1) ** 2 - 3)) / 2,
    "sine": lambda u: np.sin(4 * np.pi * u),
    "fast_sine": lambda u: np.sin(16 * np.pi * u),
    "fourth_root": lambda u: u**0.25,
    "circle": lambda u: 2 * np.sqrt(u * (1 - u)),
    "step": lambda u: (u > 0.5).astype(np.float64),
}


def make_hidden_correlation(
    n_samples: int = 320,
    *,
    shape: str = "linear",
    noise: float = 0.1,
    fraction: float = 0.05,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw two variables that depend on each other only in a rare segment.

    Each sample is rare with probability `fraction`: `x` is uniform on [0, 1], and `y`
    is a function of `x` plus normal noise. Otherwise `x` is uniform on [1, 1.1], and
    `y` is the same function of another uniform variable on [0, 1] plus noise. So `y` is
    independent of `x` there, and has the same law in both segments. The defaults are a
    case of the power study of [1]_.

    Parameters
    ----------
    n_samples : int, default=320
        Number of samples.
    shape : str, default="linear"
        The function of `x`: "linear", "quadratic", "cubic", "sine", "fast_sine",
        "fourth_root", "circle" or "step". See the Notes.
    noise : float, default=0.1
        Standard deviation of the noise of `y`, at least 0.
    fraction : float, default=0.05
        Probability of a sample of the rare segment, from 0 to 1.
    random_state : int, RandomState instance or None, default=None
        Seeds the samples. Pass an int for the same samples in every call.

    Returns
    -------
    Bunch
        With the attributes

        x, y : ndarray of shape (n_samples,)
            The samples, of dtype float64.
        rare : ndarray of shape (n_samples,)
            Whether each sample is of the rare segment, of dtype bool.
        mutual_information : float
            The mutual information of their law, in nats.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or `shape` not a known one.
    TypeError
        If `noise` or `fraction` is not a number, or `n_samples` not an integer.

    Notes
    -----
    The shapes are

    - "linear": :math:`f(x) = x`;
    - "quadratic": :math:`f(x) = 4 (x - 1/2)^2`;
    - "cubic": :math:`f(x) = (1 + T_3(2x - 1)) / 2`, with the Chebyshev polynomial
      :math:`T_3(t) = 4 t^3 - 3t`;
    - "sine": :math:`f(x) = \sin(4 \pi x)`, of period 1/2;
    - "fast_sine": :math:`f(x) = \sin(16 \pi x)`, of period 1/8;
    - "fourth_root": :math:`f(x) = x^{1/4}`;
    - "circle": :math:`f(x) = \pm\sqrt{1 - (2x - 1)^2}`, with a random sign;
    - "step": :math:`f(x) = 1` for :math:`x > 1/2`, else 0.

    `x` determines its segment, and `y` is independent of the segment. So with the
    probability `p` of the rare segment, the standard deviation :math:`\sigma` of the
    noise, a uniform variable `U` and a standard normal variable `Z`,

    .. math::

        I(X; Y) = p \left[ h(f(U) + \sigma Z) - h(f(U) + \sigma Z | U) \right],

    where the second entropy is :math:`\log(2 \pi e \sigma^2) / 2`, except for the
    circle, where it is that of a mixture of two normal laws. Entropies without a closed
    form are computed by numerical integration, with an error below 1e-6. Without noise,
    mutual information is :math:`p \log 2` for the step; for the other shapes it is
    infinite, unless :math:`p = 0`.

    The hypercontractivity coefficient of `x` and `y` has no closed form where there
    is noise. Without noise it is 1 for every :math:`p > 0`, however small (the
    potential axiom of [1]_). The step is the exception, as `y` then has two values
    only: :math:`\max(p, \log 2 / \log(2 / p))`.

    References
    ----------
    .. [1] H. Kim, W. Gao, S. Kannan, S. Oh, P. Viswanath, "Discovering Potential
       Correlations via Hypercontractivity", NIPS 2017.

    Examples
    --------
    >>> from skinfo.datasets import make_hidden_correlation
    >>> data = make_hidden_correlation(shape="sine", random_state=0)
    >>> data.x.shape, data.y.shape
    ((320,), (320,))
    >>> print(data.rare.sum(), data.x[data.rare].max() < 1)
    15 True
    >>> round(data.mutual_information, 4)
    0.0849
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    check_option("shape", shape, tuple(_SHAPES))
    noise = check_noise(noise)
    fraction = check_fraction("fraction", fraction)
    generator = check_random_state(random_state)
    rare = generator.random_sample(n_samples) < fraction
    driver = generator.random_sample(n_samples)
    apart = 1 + 0.1 * generator.random_sample(n_samples)
    y = noise * generator.standard_normal(n_samples)
    y += _draw_shape(generator, shape, driver)
    truth = hidden_correlation_information(shape, noise, fraction)
    return Bunch(
        x=np.where(rare, driver, apart), y=y, rare=rare, mutual_information=truth
    )


def _draw_shape(generator: RandomState, shape: str, driver: FloatArray) -> FloatArray:
    """Return f(u) for each u in [0, 1], with a random sign for the circle."""
    values = _SHAPES[shape](driver)
    if shape == "circle":
        values *= generator.choice([-1.0, 1.0], size=len(driver))
    return values
