"""Pruning: the most important weights alone, or refitted to replace the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from skinfo._core._sparse import is_sparse
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo.compression.distortion._distortion import distortion
from skinfo.compression.distortion._importance import (
    importance_of,
    input_covariance,
    unit_importance,
)
from skinfo.compression.file._coded_model import CodedLayer, CodedModel, with_biases
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._stack import (
    AffineLayer,
    Stack,
    forward,
    pre_activations,
)
from skinfo.compression.schemes._target import (
    CompressionProblem,
    check_outputs,
    coded_model,
)

# Steps in the largest weight. For four models, half as many gave up to 0.4% more
# distortion, and twice as many the same for 15% more bytes.
_FINE_STEPS = 1 << 9
# The share of an output's weights that a round leaves. The last rounds decide, the
# first ones cost the time: 30 rounds, or 10, leave a tenth.
_FINE, _COARSE = 10 ** (-1 / 30), 10 ** (-1 / 10)
_FINE_BELOW = 256  # weights left, from which rounds are fine
# Layers keep shares in proportion to size^-exponent; the best on the samples is taken.
# It was 1 for three networks, for which 2/3 gave 13% and 1/3 170% more distortion.
_EXPONENTS = (1 / 3, 2 / 3, 1.0)
_PASSES = 3  # of moving weights from layers that cannot use them to others
_LEAST_DAMPING = 1e-10  # in units of the inputs' variances; keeps H positive definite
# Variances, relative to the squared mean, that are rounding: of centred inputs, and of
# sparse ones, which are not centred.
_CONSTANT, _SPARSE_CONSTANT = 1e-26, 1e-10


def keep_largest(
    stack: Stack, importance: Sequence[FloatArray], sparsity: float
) -> list[BoolArray]:
    """Return which weights stay, per layer: those of the largest importance x w^2.

    Each layer keeps the share 1 - sparsity, and at least one weight. Of equal weights
    the first in memory stays.
    """
    return [
        _largest(weights * layer.weights**2, _count(weights.size, sparsity))
        for layer, weights in zip(stack.layers, importance, strict=True)
    ]


def prune(stack: Stack, importance: Sequence[FloatArray], sparsity: float) -> Stack:
    """Return the stack with all but the largest weights 0; see keep_largest."""
    masks = keep_largest(stack, importance, sparsity)
    layers = tuple(
        replace(layer, weights=np.where(mask, layer.weights, 0.0))
        for layer, mask in zip(stack.layers, masks, strict=True)
    )
    return replace(stack, layers=layers)


def _count(n_weights: int, sparsity: float) -> int:
    return max(1, round((1 - sparsity) * n_weights))


def _largest(scores: FloatArray, n_kept: int) -> BoolArray:
    mask = np.zeros(scores.size, dtype=bool)
    mask[np.argsort(-scores, axis=None, kind="stable")[:n_kept]] = True
    return mask.reshape(scores.shape)


def prune_refit(
    stack: Stack, X: Any, sparsity: float, *, damping: float = 1e-2
) -> Stack:
    r"""Return the stack with few weights, refitted to the original outputs.

    Parameters
    ----------
    stack : Stack
        The model.
    X : array or sparse matrix of shape (n, n_inputs)
        The calibration samples.
    sparsity : float
        The share of all weights that become 0; more where the inputs that vary have
        fewer weights, since those of constant inputs are 0 too.
    damping : float
        Ridge, relative to the inputs' variances; at least 1e-10 is used.

    Returns
    -------
    Stack
        With zeros among its weights.

    Notes
    -----
    Layer by layer, with the inputs A from the layers already pruned and the original
    pre-activations T as targets, the weights q of an output minimise

    .. math::

        \|T - Aq\|^2 / n + \lambda \|q - w\|^2 = (q - w^*)^\top H (q - w^*) + c,

    A and T centred, the inputs in units of their standard deviations,
    :math:`\lambda` the damping, :math:`H = A^\top A / n + \lambda I` and
    :math:`w^* = H^{-1} (A^\top T / n + \lambda w)`. Which weights stay is found by
    blocks of optimal brain surgery, see :func:`removal_path`; those that stay are
    :math:`q_s = H_{ss}^{-1} (H w^*)_s`. The losses of outputs are compared after
    weighting with :func:`unit_importance`. The biases restore the means.

    How many weights each layer keeps is chosen among a few allocations, all of the
    asked total, by the distortion on the samples.
    """
    if sparsity == 0:
        return stack
    targets = list(pre_activations(stack, X))
    first = _Refit.of(stack.layers[0], X, targets[0], damping)
    weights = unit_importance(stack, X)

    @cache
    def prune_to(counts: tuple[int, ...]) -> Stack:
        layers: list[AffineLayer] = []
        inputs = X
        for i, layer in enumerate(stack.layers):
            refit = _Refit.of(layer, inputs, targets[i], damping) if i else first
            pruned = refit.layer(refit.support(weights[i], counts[i]))
            outputs = inputs @ pruned.weights + pruned.biases
            inputs = ACTIVATIONS[layer.activation].function(outputs)
            layers.append(pruned)
        return replace(stack, layers=tuple(layers))

    n_kept = _count(stack.n_weights, sparsity)
    found = [_prune_whole(stack, prune_to, n_kept, each) for each in _EXPONENTS]
    found = list(dict.fromkeys(found))
    if len(found) == 1:
        return found[0]
    distortions = [distortion(stack, targets[-1], forward(each, X)) for each in found]
    return found[int(np.argmin(distortions))]


def _prune_whole(
    stack: Stack,
    prune_to: Callable[[tuple[int, ...]], Stack],
    n_kept: int,
    exponent: float,
) -> Stack:
    """Return the stack with `n_kept` weights, as far as inputs vary.

    Weights that a layer cannot use, because units before it have become constant, are
    given to the other layers.
    """
    sizes = np.array([layer.weights.size for layer in stack.layers])
    for _ in range(_PASSES):
        counts = allocation(sizes, min(n_kept, int(sizes.sum())), exponent)
        pruned = prune_to(counts)
        used = np.array([np.count_nonzero(layer.weights) for layer in pruned.layers])
        if (used >= counts).all():
            break
        sizes = np.where(used < counts, np.maximum(used, 1), sizes)
    return pruned


@dataclass(frozen=True, eq=False)
class _Refit:
    """The least-squares problem of one layer, its inputs in units of their deviations.

    Attributes
    ----------
    original : AffineLayer
        The layer.
    hessian : ndarray of shape (n_inputs, n_inputs)
        H.
    products : ndarray of shape (n_inputs, n_outputs)
        H w*.
    deviations : ndarray of shape (n_inputs,)
        Of the inputs; 0 where they are constant.
    input_means, target_means : ndarray
        Of shape (n_inputs,) and (n_outputs,).
    """

    original: AffineLayer
    hessian: FloatArray
    products: FloatArray
    deviations: FloatArray
    input_means: FloatArray
    target_means: FloatArray

    @classmethod
    def of(cls, layer: AffineLayer, A: Any, T: FloatArray, damping: float) -> _Refit:
        """Make the problem from the inputs (n, n_inputs) and targets (n, n_outputs)."""
        damping = max(damping, _LEAST_DAMPING)
        covariance, means = input_covariance(A)
        variances = np.diag(covariance)
        constant = _SPARSE_CONSTANT if is_sparse(A) else _CONSTANT
        varies = variances > constant * means**2
        deviations = np.where(varies, np.sqrt(np.maximum(variances, 0)), 0.0)
        inverse = np.divide(1.0, deviations, out=np.zeros(len(means)), where=varies)
        hessian = covariance * inverse[:, np.newaxis] * inverse
        hessian[np.diag_indices_from(hessian)] = 1 + damping
        target_means = T.mean(axis=0)
        centred = T - target_means
        products = A.T @ centred / A.shape[0]
        products -= np.outer(means, centred.mean(axis=0))  # rounding, times far inputs
        products *= inverse[:, np.newaxis]
        products += damping * layer.weights * deviations[:, np.newaxis]
        return cls(layer, hessian, products, deviations, means, target_means)

    @cached_property
    def removals(self) -> list[tuple[IntArray, FloatArray]]:
        """The removal path of each output."""
        factor = cho_factor(self.hessian, lower=True)
        inverse = cho_solve(factor, np.eye(len(self.hessian)))
        weights = cho_solve(factor, self.products)
        return [removal_path(inverse, column) for column in weights.T]

    def support(self, weights: FloatArray, n_kept: int) -> BoolArray:
        """Return which weights stay, (n_inputs, n_outputs): the costliest to remove.

        `weights` (n_outputs,) are the weights of the outputs in the loss.
        """
        weights = weights if weights.any() else np.ones_like(weights)
        n_inputs, n_outputs = self.products.shape
        order = np.column_stack([order for order, _ in self.removals])
        costs = np.column_stack([costs for _, costs in self.removals])
        # none is removed before those that come first in its output
        costs = np.maximum.accumulate(costs, axis=0) * weights
        positions = np.repeat(np.arange(n_inputs), n_outputs)
        last = np.lexsort((positions, costs.ravel()))[-n_kept:]
        mask = np.zeros((n_inputs, n_outputs), dtype=bool)
        mask[order.ravel()[last], last % n_outputs] = True
        return mask

    def layer(self, mask: BoolArray) -> AffineLayer:
        """Return the layer with the weights in `mask` refitted and the others 0."""
        weights = np.zeros_like(self.products)
        for output, kept in enumerate(mask.T):
            used = np.flatnonzero(kept & (self.deviations > 0))
            if used.size == 0:
                continue
            factor = cho_factor(self.hessian[np.ix_(used, used)], lower=True)
            solved = cho_solve(factor, self.products[used, output])
            weights[used, output] = solved / self.deviations[used]
        biases = self.target_means - self.input_means @ weights
        return replace(self.original, weights=weights, biases=biases)


def removal_path(
    inverse: FloatArray, weights: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Return the order in which weights become 0, (d,), and what each one costs, (d,).

    Optimal brain surgery of `(q - w)' H (q - w)` in blocks: in each round the weights
    of the least w_i^2 / P_ii go, and those that stay take over what they can,
    `w_s -= P_sr P_rr^-1 w_r`. `inverse` (d, d) is P = H^-1, `weights` (d,). The costs
    of a round add to its loss, `w_r' P_rr^-1 w_r`.
    """
    P, w = inverse, weights
    active = np.arange(len(w))
    order, costs = [], []
    while len(active) > 0:
        saliencies = w**2 / np.diag(P)
        ranking = np.argsort(saliencies, kind="stable")
        n_removed = len(w) - _n_left(len(w))
        removed, left = ranking[:n_removed], np.sort(ranking[n_removed:])
        cross = P[removed][:, left]
        factor = cho_factor(P[removed][:, removed], lower=True)
        solved = cho_solve(factor, np.column_stack([cross, w[removed]]))
        order.append(active[removed])
        costs.append(_share(saliencies[removed], float(w[removed] @ solved[:, -1])))
        w = w[left] - cross.T @ solved[:, -1]
        P = P[left][:, left]
        P -= cross.T @ solved[:, :-1]
        active = active[left]
    return np.concatenate(order), np.concatenate(costs)


def _n_left(n_weights: int) -> int:
    """Return how many of the weights a round leaves, at least one fewer."""
    share = _FINE if n_weights <= _FINE_BELOW else _COARSE
    return min(n_weights - 1, int(n_weights * share))


def _share(saliencies: FloatArray, loss: float) -> FloatArray:
    """Split the loss of a round in proportion to the saliencies of its weights."""
    total = saliencies.sum()
    return saliencies * (loss / total) if total > 0 else np.zeros_like(saliencies)


def allocation(sizes: IntArray, n_kept: int, exponent: float) -> tuple[int, ...]:
    """Return the numbers of weights that layers may keep, `n_kept` in sum.

    The shares are in proportion to size^-exponent, with at least 1 weight in each
    layer: small layers, such as the last, tolerate less pruning.
    """
    wanted = sizes.astype(np.float64) ** (1 - exponent)
    counts = np.zeros(len(sizes))
    is_open = np.ones(len(sizes), dtype=bool)
    while is_open.any():  # layers that would keep more than they have are full
        factor = (n_kept - sizes[~is_open].sum()) / wanted[is_open].sum()
        counts = np.where(is_open, factor * wanted, sizes)
        if (counts <= sizes).all():
            break
        is_open &= counts < sizes
    whole = np.clip(np.floor(counts).astype(np.int64), 1, sizes)
    while whole.sum() < n_kept and (whole < sizes).any():
        whole[np.argmax(np.where(whole < sizes, counts - whole, -np.inf))] += 1
    while whole.sum() > n_kept and (whole > 1).any():
        whole[np.argmax(whole)] -= 1
    return tuple(whole.tolist())


def pruned(problem: CompressionProblem, *, refit: bool) -> CodedModel:
    """Return the pruned model, its weights quantised with fine steps."""
    stack, X, sparsity = problem.stack, problem.X, problem.target.amount
    check_outputs(stack, forward(stack, X))
    if refit:
        found = prune_refit(stack, X, sparsity, damping=problem.damping)
    else:
        importance = importance_of(stack, X, problem.y, problem.importance)
        found = prune(stack, importance, sparsity)
    return coded_model(stack, [_finely(layer) for layer in found.layers])


def _finely(layer: AffineLayer) -> CodedLayer:
    largest = float(np.abs(layer.weights).max())
    step = float(np.float32(largest / _FINE_STEPS)) or 1.0
    codes: IntArray = np.rint(layer.weights / step).astype(np.int64)
    return with_biases(CodedLayer(codes, step), layer.biases, step**2)
