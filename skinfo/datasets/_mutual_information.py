"""Samples of two variables with their exact mutual information, in nats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skinfo._core._checks import check_bool, check_integer
from skinfo._core._typing import BoolArray, FloatArray
from skinfo.datasets._parameters import (
    check_correlation,
    check_dropout,
    check_fraction,
)
from skinfo.datasets._truths import (
    discrete_plus_uniform_information,
    dropout_information,
    mixture_information,
    shared_dropout_information,
    zero_inflated_poisson_information,
)

RandomState: TypeAlias = np.random.RandomState


def make_discrete_continuous_mixture(
    n_samples: int = 1000,
    *,
    correlation: float = 0.9,
    agreement: float = 0.9,
    discrete_fraction: float = 0.5,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw pairs that are jointly normal or, with some probability, discrete.

    Each sample is discrete with probability `discrete_fraction`: `x` is -1 or 1, each
    with probability 1/2, and `y` is equal to it with probability `agreement`, else
    `-x`. Otherwise it is a pair of standard normal variables with that correlation.
    The defaults are Experiment I of [1]_.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    correlation : float, default=0.9
        Correlation of the normal pairs, strictly between -1 and 1.
    agreement : float, default=0.9
        Probability that the values of a discrete pair are equal, from 0 to 1.
    discrete_fraction : float, default=0.5
        Probability of a discrete pair, from 0 to 1.
    random_state : int, RandomState instance or None, default=None
        Seeds the samples. Pass an int for the same samples in every call.

    Returns
    -------
    Bunch
        With the attributes

        x, y : ndarray of shape (n_samples,)
            The samples, of dtype float64.
        mutual_information : float
            The mutual information of their law, in nats.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    TypeError
        If a parameter is not a number, or `n_samples` not an integer.

    Notes
    -----
    Each variable determines whether the pair is discrete, as a continuous variable has
    the values of the atoms with probability 0.
    With correlation :math:`\rho`, agreement `a`, the probability :math:`p_d` of a
    discrete pair, :math:`p_c = 1 - p_d`, and
    :math:`H(p) = -p \log p - (1 - p) \log(1 - p)`,

    .. math::

        I(X; Y) = H(p_d) - \frac{p_c}{2} \log(1 - \rho^2)
        + p_d \left[ \log 2 - H(a) \right].

    References
    ----------
    .. [1] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating Mutual Information for
       Discrete-Continuous Mixtures", NIPS 2017.

    Examples
    --------
    >>> from skinfo.datasets import make_discrete_continuous_mixture
    >>> data = make_discrete_continuous_mixture(500, random_state=0)
    >>> data.x.shape, data.y.shape
    ((500,), (500,))
    >>> round(data.mutual_information, 4)
    1.2924
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    correlation = check_correlation(correlation)
    agreement = check_fraction("agreement", agreement)
    discrete_fraction = check_fraction("discrete_fraction", discrete_fraction)
    x, y = _draw_mixture(
        check_random_state(random_state),
        n_samples,
        correlation=correlation,
        agreement=agreement,
        discrete_fraction=discrete_fraction,
    )
    truth = mixture_information(correlation, agreement, discrete_fraction)
    return Bunch(x=x, y=y, mutual_information=truth)


def make_discrete_plus_uniform(
    n_samples: int = 1000,
    *,
    n_values: int = 5,
    n_pairs: int = 1,
    with_mixture: bool = False,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw a discrete variable and the same plus uniform noise.

    `x` is uniform on the integers from 0 to `n_values - 1`, and `y` is uniform on the
    interval from `x` to `x + 2`. Experiment II of [1]_; with several independent pairs,
    as columns of `x` and `y`, Experiment III.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    n_values : int, default=5
        Number of values of `x`.
    n_pairs : int, default=1
        Number of independent pairs, each one column of `x` and one of `y`.
    with_mixture : bool, default=False
        Whether to append a pair of :func:`make_discrete_continuous_mixture`, with its
        defaults, as the last column of `x` and of `y`.
    random_state : int, RandomState instance or None, default=None
        Seeds the samples. Pass an int for the same samples in every call.

    Returns
    -------
    Bunch
        With the attributes

        x, y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            The samples, of dtype float64; 1-D if there is a single column.
        mutual_information : float
            The mutual information of their law, in nats.

    Raises
    ------
    ValueError
        If a number is below 1.
    TypeError
        If a number is not an integer, or `with_mixture` not a bool.

    See Also
    --------
    make_discrete_continuous_mixture : The pair that `with_mixture` appends.

    Notes
    -----
    With `m` values, `y` has the density `1/m`, but `1/(2m)` in the first and the last
    interval of length 1, and given `x` the density 1/2. So for each pair

    .. math::

        I(X; Y) = \log m - \frac{m - 1}{m} \log 2,

    and the mutual information of independent pairs is the sum.

    References
    ----------
    .. [1] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating Mutual Information for
       Discrete-Continuous Mixtures", NIPS 2017.

    Examples
    --------
    >>> from skinfo.datasets import make_discrete_plus_uniform
    >>> data = make_discrete_plus_uniform(500, random_state=0)
    >>> round(data.mutual_information, 4)
    1.0549
    >>> data = make_discrete_plus_uniform(500, n_pairs=2, with_mixture=True)
    >>> data.x.shape, data.y.shape
    ((500, 3), (500, 3))
    >>> round(data.mutual_information, 4)
    3.4022
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    n_values = check_integer("n_values", n_values, minimum=1)
    n_pairs = check_integer("n_pairs", n_pairs, minimum=1)
    check_bool("with_mixture", with_mixture)
    generator = check_random_state(random_state)
    x = generator.randint(n_values, size=(n_samples, n_pairs)).astype(np.float64)
    y = x + generator.uniform(0, 2, size=x.shape)
    truth = n_pairs * discrete_plus_uniform_information(n_values)
    pairs = [(x, y)]
    if with_mixture:
        mixture = make_discrete_continuous_mixture(n_samples, random_state=generator)
        pairs.append((mixture.x, mixture.y))
        truth += mixture.mutual_information
    columns_x, columns_y = zip(*pairs, strict=True)
    return Bunch(
        x=_stack_columns(columns_x),
        y=_stack_columns(columns_y),
        mutual_information=truth,
    )


def make_zero_inflated_poisson(
    n_samples: int = 1000,
    *,
    zero_probability: float = 0.15,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw a rate and a count that is Poisson with this rate, or else zero.

    `x` is exponential with mean 1, and `y` is 0 with probability `zero_probability`,
    else a Poisson variable of mean `x`. Experiment IV of [1]_.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    zero_probability : float, default=0.15
        Probability that a count is replaced by 0, from 0 to 1.
    random_state : int, RandomState instance or None, default=None
        Seeds the samples. Pass an int for the same samples in every call.

    Returns
    -------
    Bunch
        With the attributes

        x, y : ndarray of shape (n_samples,)
            The samples, of dtype float64.
        mutual_information : float
            The mutual information of their law, in nats.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    TypeError
        If `zero_probability` is not a number, or `n_samples` not an integer.

    Notes
    -----
    As the Poisson variable alone is geometric and :math:`e^{-X}` uniform, both
    entropies of :math:`I(X; Y) = H(Y) - H(Y|X)` are known. With the zero probability
    `p`, Euler's :math:`\gamma`, and :math:`h(q) = -q \log q`,

    .. math::

        I(X; Y) = h\left(\frac{1 + p}{2}\right) + (1 - p) \left[ \frac{3}{2} \log 2
        + \frac{1}{4} - \gamma - \sum_{k=2}^{\infty} \frac{\log k}{2^k} \right]
        - \frac{1 + p}{4} - \frac{p^2 \log p}{2 (1 - p)}

    and 0 for :math:`p = 1`. Between 0 and 1 this is less than :math:`1 - p` times its
    value at :math:`p = 0`, because a zero may also come from the Poisson variable.

    References
    ----------
    .. [1] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating Mutual Information for
       Discrete-Continuous Mixtures", NIPS 2017.

    Examples
    --------
    >>> from skinfo.datasets import make_zero_inflated_poisson
    >>> data = make_zero_inflated_poisson(500, random_state=0)
    >>> data.y[:5]
    array([0., 1., 1., 2., 0.])
    >>> round(data.mutual_information, 4)
    0.2298
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    zero_probability = check_fraction("zero_probability", zero_probability)
    generator = check_random_state(random_state)
    x = generator.standard_exponential(n_samples)
    counts = generator.poisson(x).astype(np.float64)
    y = np.where(_draw_events(generator, n_samples, zero_probability), 0.0, counts)
    truth = zero_inflated_poisson_information(zero_probability)
    return Bunch(x=x, y=y, mutual_information=truth)


def make_gaussian_dropout(
    n_samples: int = 1000,
    *,
    correlation: float = 0.8,
    dropout: float | Sequence[float] = 0.3,
    shared_mask: bool = False,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw pairs of correlated normal variables and set some of the values to zero.

    A model of gene expression in single cells, where many values are lost and recorded
    as zero. `x` and `y` lose their values independently or, with `shared_mask`, in the
    same samples.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    correlation : float, default=0.8
        Correlation before the dropout, strictly between -1 and 1.
    dropout : float or pair of floats, default=0.3
        Probability that a value is set to zero, from 0 to 1: one for both variables,
        or one for `x` and one for `y`.
    shared_mask : bool, default=False
        Whether both variables are set to zero in the same samples.
    random_state : int, RandomState instance or None, default=None
        Seeds the samples. Pass an int for the same samples in every call.

    Returns
    -------
    Bunch
        With the attributes

        x, y : ndarray of shape (n_samples,)
            The samples, of dtype float64.
        mutual_information : float
            The mutual information of their law, in nats.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or `shared_mask` is True and `dropout` a
        pair.
    TypeError
        If `correlation` or `dropout` is not a number, `n_samples` not an integer, or
        `shared_mask` not a bool.

    Notes
    -----
    Each variable determines its own mask. With correlation :math:`\rho` and dropout
    :math:`p_1` of `x` and :math:`p_2` of `y`,

    .. math::

        I(X; Y) = -\frac{(1 - p_1) (1 - p_2)}{2} \log(1 - \rho^2)

    with independent masks. One mask of dropout `p` is determined by both variables:

    .. math::

        I(X; Y) = -p \log p - (1 - p) \log(1 - p) - \frac{1 - p}{2} \log(1 - \rho^2).

    Examples
    --------
    >>> from skinfo.datasets import make_gaussian_dropout
    >>> data = make_gaussian_dropout(500, dropout=(0.5, 0.0), random_state=0)
    >>> print((data.x == 0).mean().round(1), (data.y == 0).mean())
    0.5 0.0
    >>> round(data.mutual_information, 4)
    0.2554
    >>> round(make_gaussian_dropout(shared_mask=True).mutual_information, 4)
    0.9684
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    correlation = check_correlation(correlation)
    check_bool("shared_mask", shared_mask)
    dropouts = check_dropout(dropout, shared_mask=shared_mask)
    generator = check_random_state(random_state)
    x, y = _draw_normal_pair(generator, n_samples, correlation)
    lost_x = _draw_events(generator, n_samples, dropouts[0])
    if shared_mask:
        lost_y = lost_x
        truth = shared_dropout_information(correlation, dropouts[0])
    else:
        lost_y = _draw_events(generator, n_samples, dropouts[1])
        truth = dropout_information(correlation, dropouts)
    x, y = np.where(lost_x, 0.0, x), np.where(lost_y, 0.0, y)
    return Bunch(x=x, y=y, mutual_information=truth)


def _draw_mixture(
    generator: RandomState,
    n_samples: int,
    *,
    correlation: float,
    agreement: float,
    discrete_fraction: float,
) -> tuple[FloatArray, FloatArray]:
    """Draw pairs that are discrete with some probability, else jointly normal."""
    discrete = _draw_events(generator, n_samples, discrete_fraction)
    x, y = _draw_normal_pair(generator, n_samples, correlation)
    sign = np.where(_draw_events(generator, n_samples, 0.5), 1.0, -1.0)
    agrees = _draw_events(generator, n_samples, agreement)
    x = np.where(discrete, sign, x)
    y = np.where(discrete, np.where(agrees, sign, -sign), y)
    return x, y


def _draw_normal_pair(
    generator: RandomState, n_samples: int, correlation: float
) -> tuple[FloatArray, FloatArray]:
    """Draw two standard normal variables of that correlation."""
    x = generator.standard_normal(n_samples)
    noise = generator.standard_normal(n_samples)
    return x, correlation * x + np.sqrt((1 - correlation) * (1 + correlation)) * noise


def _draw_events(
    generator: RandomState, n_samples: int, probability: float
) -> BoolArray:
    """Draw events of that probability: none at 0, all at 1."""
    events: BoolArray = generator.random_sample(n_samples) < probability
    return events


def _stack_columns(columns: Sequence[FloatArray]) -> FloatArray:
    """Return all columns as one 2-D array, or a single one as a 1-D array."""
    stacked = np.column_stack(columns)
    return stacked[:, 0] if stacked.shape[1] == 1 else stacked
