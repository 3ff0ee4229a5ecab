"""The weight of each parameter in the distortion: the paper's importances, exactly.

All are means over samples of quantities of one sample. A weight from input i to output
h of an affine layer acts through the pre-activation `z_h` alone, and `dz_h/dw_ih` is
the input `a_i`, so that each is a product of powers of inputs with a derivative with
respect to pre-activations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import AnyArray, BoolArray, FloatArray
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._links import OutputMetric
from skinfo.compression.models._stack import Stack, forward, layer_inputs

IMPORTANCES = ("uniform", "kl", "gradient", "hessian", "gradient+hessian")
_BLOCK_BYTES = 1 << 26  # bytes of a block of samples; larger ones are not faster
_LEAST_BIAS = 1e-10  # share of the largest curvature of biases; less is rounding


def weight_importance(
    stack: Stack, X: Any, targets: FloatArray | None, importance: str
) -> list[FloatArray]:
    r"""Return the importance of each weight, (n_inputs, n_outputs) per layer.

    Parameters
    ----------
    stack : Stack
        The model.
    X : array or sparse matrix of shape (n, n_inputs)
        The calibration samples.
    targets : array of shape (n, n_outputs) or None
        What :func:`loss_targets` returns. Only the last three importances need it.
    importance : {"uniform", "kl", "gradient", "hessian", "gradient+hessian"}
        Which importance is returned.

    Returns
    -------
    list of ndarray
        At least 0.

    Notes
    -----
    With the loss `L` of one sample, the cross-entropy of the true label where the model
    predicts probabilities and otherwise half the squared error:

    - "uniform": 1;
    - "kl": the diagonal of :math:`E[J^\top M J]`, J the derivatives of the outputs
      before the link and M the curvature of the distortion, as
      `Link.metric` returns it. For a layer with the inputs A it is
      :math:`(A^2)^\top S / n`, where :math:`S_{nh} = d_{nh}^\top M_n d_{nh}` and d are
      the derivatives with respect to pre-activation h;
    - "gradient": :math:`E[(\partial L / \partial w_i)^2]`, the empirical Fisher
      information;
    - "hessian": :math:`\max(0, E[\partial^2 L / \partial w_i^2])`, the exact diagonal.
      Without activations or with "relu" it is "kl" for the links softmax, logistic and
      identity;
    - "gradient+hessian": the second-order expansion of :math:`E[(L_w - L_0)^2]` when
      weight i becomes 0, divided by :math:`w_i^2`:
      :math:`E[(\partial L / \partial w_i)^2]
      + \tfrac14 w_i^2 E[(\partial^2 L / \partial w_i^2)^2]`.
    """
    if importance == "uniform":
        return [np.ones_like(layer.weights) for layer in stack.layers]
    if importance == "kl":
        return _kl_importance(stack, X)
    if targets is None:
        raise ValueError(
            f"importance={importance!r} needs the true labels or values. Pass y, or "
            'importance="kl".'
        )
    gradients, hessians, squares = _loss_moments(stack, X, targets)
    if importance == "gradient":
        return gradients
    if importance == "hessian":
        return [np.maximum(hessian, 0) for hessian in hessians]
    return [
        gradient + layer.weights**2 * square / 4
        for layer, gradient, square in zip(
            stack.layers, gradients, squares, strict=True
        )
    ]


def loss_targets(stack: Stack, y: Any) -> FloatArray:
    """Return y as numbers to compare the predictions with, (n, n_outputs).

    Indicators of the labels where the model predicts probabilities; -1 and 1 for other
    classifiers; y itself for regressors.
    """
    y = y.toarray() if is_sparse(y) else np.asarray(y)
    classes = stack.spec.classes
    if classes is not None and stack.spec.labels == "single":
        y = _indicators(y.reshape(len(y)), classes, stack.n_outputs)
    targets: FloatArray = y.astype(np.float64).reshape(len(y), stack.n_outputs)
    # labels count as -1 and 1 for a decision function
    is_margin = classes is not None and stack.link.is_identity
    return 2 * targets - 1 if is_margin else targets


def _indicators(y: AnyArray, classes: AnyArray, n_outputs: int) -> BoolArray:
    """Return whether each sample has the label of the output, (n, n_outputs)."""
    unknown = ~np.isin(y, classes)
    if unknown.any():
        raise ValueError(
            f"y contains {y[unknown].tolist()[0]!r}, which is none of the classes that "
            "the model was fitted on. Pass samples of these classes."
        )
    positions = np.searchsorted(classes, y)[:, np.newaxis]
    return np.equal(positions, 1 if n_outputs == 1 else np.arange(n_outputs))


def _kl_importance(stack: Stack, X: Any) -> list[FloatArray]:
    totals = [np.zeros_like(layer.weights) for layer in stack.layers]
    for i, inputs, curvatures in _unit_curvatures(stack, X):
        totals[i] += _power(inputs, 2).T @ curvatures
    return [total / X.shape[0] for total in totals]


def unit_importance(stack: Stack, X: Any) -> list[FloatArray]:
    """Return the mean curvature of the distortion by pre-activations, per layer.

    (n_outputs,) per layer: E[S] of "kl", the weights of squared changes of the
    pre-activations in the distortion.
    """
    totals = [np.zeros_like(layer.biases) for layer in stack.layers]
    for i, _, curvatures in _unit_curvatures(stack, X):
        totals[i] += curvatures.sum(axis=0)
    return [total / X.shape[0] for total in totals]


def _unit_curvatures(
    stack: Stack, X: Any
) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Yield the indices of layers, blocks of their inputs, and S, (n, n_units)."""
    for block in _blocks(stack, X, n_rows=stack.n_outputs):
        inputs = list(layer_inputs(stack, X[block]))
        metric = stack.link.metric(inputs[-1])
        for i, derivatives in _output_derivatives(stack, inputs):
            # rounding makes the curvature of certain samples negative
            yield i, inputs[i], np.maximum(metric.diagonal(derivatives), 0)


def _output_derivatives(
    stack: Stack, inputs: list[FloatArray]
) -> Iterator[tuple[int, FloatArray]]:
    """Yield each layer's index, last first, and d outputs / d pre-activations.

    (n, n_outputs, n_units).
    """
    n, n_outputs = inputs[-1].shape
    derivatives = np.broadcast_to(np.eye(n_outputs), (n, n_outputs, n_outputs))
    for i in reversed(range(len(stack.layers))):
        yield i, derivatives
        if i > 0:
            slopes = ACTIVATIONS[stack.layers[i - 1].activation].first(inputs[i])
            derivatives = derivatives @ stack.layers[i].weights.T
            derivatives *= slopes[:, np.newaxis]


def _loss_moments(
    stack: Stack, X: Any, targets: FloatArray
) -> tuple[list[FloatArray], list[FloatArray], list[FloatArray]]:
    """Return E[L'^2], E[L''] and E[L''^2] for each weight, per layer."""
    totals = [
        [np.zeros_like(layer.weights) for layer in stack.layers] for _ in range(3)
    ]
    n_rows = stack.n_outputs + sum(
        len(layer.weights)
        for layer in stack.layers[1:]
        if not ACTIVATIONS[layer.activation].is_piecewise_linear
    )
    for block in _blocks(stack, X, n_rows=n_rows):
        inputs = list(layer_inputs(stack, X[block]))
        for i, gradients, hessians in _backward(stack, inputs, targets[block]):
            squares = _power(inputs[i], 2)
            totals[0][i] += squares.T @ gradients**2
            totals[1][i] += squares.T @ hessians
            totals[2][i] += _power(inputs[i], 4).T @ hessians**2
    gradient, hessian, square = (
        [total / X.shape[0] for total in layers] for layers in totals
    )
    return gradient, hessian, square


def _backward(
    stack: Stack, inputs: list[FloatArray], targets: FloatArray
) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Yield each layer's index, last first, and dL/dz and d2L/dz2, (n, n_units).

    The second derivative is exact. It has a term from the curvature of the loss,
    through the derivatives of the outputs, and one from the curvature of each later
    activation, through the derivatives of its pre-activation.
    """
    gradients = stack.link.loss_gradient(inputs[-1], targets)
    metric = stack.link.loss_metric(inputs[-1], targets)
    n, n_outputs = gradients.shape
    outputs = np.broadcast_to(np.eye(n_outputs), (n, n_outputs, n_outputs))
    curved: list[tuple[FloatArray, FloatArray]] = []  # (n, m), (n, m, n_units)
    own = np.zeros_like(gradients)  # the curvature of this layer's activation
    for i in reversed(range(len(stack.layers))):
        hessians = metric.diagonal(outputs) + own
        for curvatures, derivatives in curved:
            hessians += np.einsum("nm,nmh->nh", curvatures, derivatives**2)
        yield i, gradients, hessians
        if i == 0:
            return
        activation = ACTIVATIONS[stack.layers[i - 1].activation]
        weights = stack.layers[i].weights
        slopes = activation.first(inputs[i])[:, np.newaxis]
        outputs = (outputs @ weights.T) * slopes
        curved = [(c, (d @ weights.T) * slopes) for c, d in curved]
        if own.any():
            curved.append((own, weights.T * slopes))
        passed = gradients @ weights.T
        gradients = passed * slopes[:, 0]
        own = passed * activation.second(inputs[i])


def _power(A: Any, exponent: int) -> Any:
    return A.power(exponent) if is_sparse(A) else A**exponent


def _blocks(stack: Stack, X: Any, n_rows: int) -> Iterator[slice]:
    """Return blocks of samples with `n_rows` derivatives of each unit in memory."""
    widths = [len(layer.weights) for layer in stack.layers] + [stack.n_outputs]
    budget = min(_BLOCK_BYTES, int(get_config()["working_memory"] * 2**20))
    size = max(1, budget // (8 * 4 * (n_rows + 4) * max(widths)))
    blocks: Iterator[slice] = gen_batches(X.shape[0], size)
    return blocks


def input_covariance(X: Any) -> tuple[FloatArray, FloatArray]:
    """Return the covariance (d, d), divided by n, and the means (d,) of the inputs."""
    means = np.asarray(X.mean(axis=0)).ravel()
    if is_sparse(X):
        gram = (X.T @ X).toarray() / X.shape[0]
        return gram - np.outer(means, means), means
    centred = X - means
    return centred.T @ centred / len(X), means


def gauss_newton_matrix(stack: Stack, X: Any) -> FloatArray:
    r"""Return the Gauss-Newton matrix of the weights of one layer, biases refitted.

    (n_weights, n_weights), in the order of `weights.ravel()`. With :math:`u = (1, x)`
    it is the Schur complement with respect to the biases of
    :math:`E[u u^\top \otimes M(x)]`, M the `metric` of the link. Where M is the
    identity this is the Kronecker product of :func:`input_covariance` with it, and the
    small factor is enough.
    """
    n_outputs = stack.n_outputs
    if stack.link.is_identity:
        return np.asarray(np.kron(input_covariance(X)[0], np.eye(n_outputs)))
    metric = stack.link.metric(forward(stack, X))
    X = X.toarray() if is_sparse(X) else X
    X = X - X.mean(axis=0)  # changes the biases only, and keeps the digits
    whole, mixed = _weight_products(X, metric)
    of_biases = np.diag(metric.scales.mean(axis=0))
    if metric.directions is not None:
        of_biases -= metric.directions.T @ metric.directions / len(X)
    # softmax: equal changes of all biases change nothing
    inverse = np.linalg.pinv(of_biases, rcond=_LEAST_BIAS, hermitian=True)
    whole -= mixed @ inverse @ mixed.T
    return (whole + whole.T) / 2


def _weight_products(
    X: FloatArray, metric: OutputMetric
) -> tuple[FloatArray, FloatArray]:
    """Return E[x x' (x) M], (d k, d k), and E[x (x) M], (d k, k)."""
    (n, d), k = X.shape, metric.scales.shape[1]
    whole = np.zeros((d, k, d, k))
    mixed = np.zeros((d, k, k))
    for h in range(k):
        scaled = X * metric.scales[:, h, np.newaxis]
        whole[:, h, :, h] = scaled.T @ X
        mixed[:, h, h] = scaled.sum(axis=0)
    whole, mixed = whole.reshape(d * k, d * k), mixed.reshape(d * k, k)
    directions = metric.directions
    if directions is not None:
        size = max(1, _BLOCK_BYTES // (8 * d * k))
        for block in gen_batches(n, size):
            rows = X[block, :, np.newaxis] * directions[block, np.newaxis]
            rows = rows.reshape(len(rows), d * k)
            whole -= rows.T @ rows
            mixed -= rows.T @ directions[block]
    return whole / n, mixed / n


def importance_of(stack: Stack, X: Any, y: Any, importance: str) -> list[FloatArray]:
    """Return `weight_importance` for targets y as the user passes them, or None."""
    targets = None if y is None else loss_targets(stack, y)
    return weight_importance(stack, X, targets, importance)
