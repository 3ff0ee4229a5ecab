"""Samples of a network with one hidden layer and known parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from skinfo._core._activations import ACTIVATIONS
from skinfo._core._checks import check_bool, check_integer, check_option
from skinfo._core._typing import FloatArray
from skinfo.datasets._parameters import (
    check_n_components,
    check_noise,
    check_output_weights,
    check_scale,
)

RandomState: TypeAlias = np.random.RandomState


# Inputs of shape (n_samples, n_features): all of mean 0, and all but the mixture of
# variance 1, as those of the unscaled laws are 2, pi^2 / 3 and 5 / 3.
_INPUT_LAWS: dict[str, Callable[[RandomState, tuple[int, int]], FloatArray]] = {
    "gaussian": lambda generator, shape: generator.standard_normal(shape),
    "laplace": lambda generator, shape: generator.laplace(0, math.sqrt(1 / 2), shape),
    "logistic": lambda generator, shape: generator.logistic(
        0, math.sqrt(3) / math.pi, shape
    ),
    "student": lambda generator, shape: (
        math.sqrt(3 / 5) * generator.standard_t(5, shape)
    ),
    "mixture": lambda generator, shape: (
        generator.choice([-1.0, 1.0], (shape[0], 1)) + generator.standard_normal(shape)
    ),
}


def make_teacher_network(
    n_samples: int = 1000,
    n_features: int = 5,
    *,
    n_components: int | None = None,
    activation: str = "relu",
    input_law: str = "gaussian",
    orthogonal: bool = True,
    output_weights: ArrayLike = "ones",
    bias_scale: float = 0.0,
    noise: float = 0.0,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw a network with a random hidden layer, and samples of its output.

    The inputs follow one of several laws, the targets are the output of the network
    plus normal noise, and the truth is the parameters of the network. This is the
    setting of [1]_, but with directions that are always rotated at random, see the
    Notes.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples.
    n_features : int, default=5
        Number of inputs of the network.
    n_components : int, default=None
        Number of hidden units. None: as many as features.
    activation : str, default="relu"
        The activation of the hidden units: "relu", "tanh" or "logistic".
    input_law : str, default="gaussian"
        The law of the inputs: "gaussian", "laplace", "logistic", "student" or
        "mixture". All have mean 0, and all but "mixture" independent columns of
        variance 1. See the Notes.
    orthogonal : bool, default=True
        Whether the directions of the hidden units are orthogonal to each other, which
        needs at least as many features as units. Otherwise they are independent.
    output_weights : str or array-like, default="ones"
        The weights of the hidden units in the output: "ones", "mixed" for random signs
        times sizes that are uniform on [0.5, 2], or the weights themselves, of shape
        (n_components,) or, for several outputs, (n_components, n_outputs).
    bias_scale : float, default=0.0
        Standard deviation of the biases of the hidden units, at least 0.
    noise : float, default=0.0
        Standard deviation of the noise of `y`, at least 0.
    random_state : int, RandomState instance or None, default=None
        Seeds the network and the samples. Pass an int for reproducible results.

    Returns
    -------
    Bunch
        With the attributes, all of dtype float64,

        X : ndarray of shape (n_samples, n_features)
            The inputs.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The targets; 2-D if `output_weights` is.
        noiseless : ndarray of the shape of y
            The targets without noise.
        components : ndarray of shape (n_components, n_features)
            The directions of the hidden units, as rows of length 1.
        intercepts : ndarray of shape (n_components,)
            The biases of the hidden units.
        output_weights : ndarray of shape (n_components,) or (n_components, n_outputs)
            The weights of the hidden units in the output.

    Raises
    ------
    ValueError
        If a parameter is out of its range or not a known option, if
        `orthogonal=True` and there are more units than features, or if
        `output_weights` has not one finite weight or row per unit.
    TypeError
        If `noise`, `bias_scale` or an output weight is not a number, or a number of
        samples, features or units not an integer.

    Notes
    -----
    With the directions :math:`a_i`, the biases :math:`b_i`, the output weights
    :math:`w_i`, the activation `g`, a scale :math:`\sigma` of the noise, and a
    standard normal variable `Z` (one for each output),

    .. math::

        y = \sum_i w_i \, g(\langle a_i, x \rangle + b_i) + \sigma Z,

    where `g` is :math:`\max(z, 0)` for "relu", :math:`\tanh z` for "tanh" and
    :math:`1 / (1 + e^{-z})` for "logistic".

    The laws of the inputs are

    - "gaussian": standard normal;
    - "laplace": Laplace, of scale :math:`1 / \sqrt{2}`;
    - "logistic": logistic, of scale :math:`\sqrt{3} / \pi`;
    - "student": Student's t with 5 degrees of freedom, times :math:`\sqrt{3/5}`;
    - "mixture": :math:`x = S \mathbf{1} + Z`, with one random sign `S` for all columns,
      the vector of ones :math:`\mathbf{1}` and `Z` normal of covariance `I`. The
      columns have variance 2 and depend on each other: their covariance is
      :math:`I + \mathbf{1} \mathbf{1}^\top`.

    The directions have a uniform law whatever the law of the inputs: orthogonal ones
    are rows of a random orthogonal matrix (of the Haar measure), others independent and
    uniform on the sphere. Directions along the axes are not offered: inputs that are
    "laplace", "logistic" or "student" reveal the axes by themselves, as only their
    components along the axes are independent. A method that returned the axes for any
    targets would seem to recover such a network.

    Some networks cannot be distinguished by their samples. The units have no order. For
    "tanh", :math:`a_i`, :math:`b_i` and :math:`w_i` may all change their sign; for
    "logistic" as well, up to a constant of `y`.

    The network depends on the seed, the numbers of features and units, `orthogonal`,
    `output_weights` and `bias_scale`, but not on the samples: another `n_samples`,
    `input_law`, `activation` or `noise` leaves it as it is.

    References
    ----------
    .. [1] W. Gao, A. V. Makkuva, S. Oh, P. Viswanath, "Learning One-hidden-layer Neural
       Networks under General Input Distributions", AISTATS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo.datasets import make_teacher_network
    >>> data = make_teacher_network(500, 4, n_components=3, noise=0.1, random_state=0)
    >>> data.X.shape, data.y.shape, data.components.shape
    ((500, 4), (500,), (3, 4))
    >>> print(np.allclose(data.components @ data.components.T, np.eye(3)))
    True
    >>> hidden = np.maximum(data.X @ data.components.T + data.intercepts, 0)
    >>> print(np.allclose(hidden @ data.output_weights, data.noiseless))
    True
    >>> print(np.std(data.y - data.noiseless).round(1))
    0.1
    """
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    n_features = check_integer("n_features", n_features, minimum=1)
    check_option("activation", activation, tuple(ACTIVATIONS))
    check_option("input_law", input_law, tuple(_INPUT_LAWS))
    check_bool("orthogonal", orthogonal)
    n_components = check_n_components(n_components, n_features, orthogonal=orthogonal)
    given_weights = check_output_weights(output_weights, n_components)
    bias_scale = check_scale("bias_scale", bias_scale)
    noise = check_noise(noise)
    # The network comes first, so that it does not depend on the samples.
    generator = check_random_state(random_state)
    draw_directions = _draw_orthonormal_rows if orthogonal else _draw_unit_rows
    components = draw_directions(generator, n_components, n_features)
    intercepts = bias_scale * generator.standard_normal(n_components)
    weights = _draw_output_weights(generator, given_weights, n_components)
    X = _INPUT_LAWS[input_law](generator, (n_samples, n_features))
    hidden = ACTIVATIONS[activation](X @ components.T + intercepts)
    noiseless = hidden @ weights
    return Bunch(
        X=X,
        y=noiseless + noise * generator.standard_normal(noiseless.shape),
        noiseless=noiseless,
        components=components,
        intercepts=intercepts,
        output_weights=weights,
    )


def _draw_orthonormal_rows(
    generator: RandomState, n_rows: int, n_columns: int
) -> FloatArray:
    """Draw rows of a random orthogonal matrix, of the Haar measure."""
    normal = generator.standard_normal((n_columns, n_rows))
    columns, triangle = np.linalg.qr(normal)
    # The signs that QR chooses depend on the columns; with these, the law is uniform.
    signs = np.copysign(1.0, np.diagonal(triangle))
    rows: FloatArray = np.ascontiguousarray((columns * signs).T)
    return rows


def _draw_unit_rows(generator: RandomState, n_rows: int, n_columns: int) -> FloatArray:
    """Draw independent rows that are uniform on the sphere."""
    rows = generator.standard_normal((n_rows, n_columns))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _draw_output_weights(
    generator: RandomState, weights: FloatArray | str, n_components: int
) -> FloatArray:
    """Return given weights, or draw those that are named."""
    if not isinstance(weights, str):
        return weights
    if weights == "ones":
        return np.ones(n_components)
    signs = generator.choice([-1.0, 1.0], size=n_components)
    mixed: FloatArray = signs * generator.uniform(0.5, 2, size=n_components)
    return mixed
