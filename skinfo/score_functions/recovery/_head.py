"""Scales, biases and output weights of a network whose hidden directions are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfo._core._activations import ACTIVATIONS
from skinfo._core._typing import FloatArray

# Sweeps over the units. The share of the variance of eight tanh units that was left
# was .0039, .0013 and .0013 after 1, 2 and 3 sweeps; for relu, one is enough.
_N_SWEEPS = 3
_MOST_SAMPLES = 10_000  # samples for the shapes, so that their time is bounded
# Candidates for the place of the bend of a unit, in standard deviations of <a, x>, and
# for the steepness of a unit that saturates. Coarse: the polish refines them.
_PLACES = np.linspace(-2, 2, 17)
_STEEPNESSES = np.geomspace(0.25, 8, 11)
# Mean square of a candidate after the other units are projected out, below which it is
# rounding, and its gain would be a quotient of roundings.
_LEAST_SIZE = 1e-12


@dataclass(frozen=True)
class Network:
    """One hidden layer: y = g(x W_1' + b_1) W_2 + b_2.

    `components` (k, d), `intercepts` (k,), `weights` (k, n_outputs), `offsets`
    (n_outputs,).
    """

    activation: str
    components: FloatArray
    intercepts: FloatArray
    weights: FloatArray
    offsets: FloatArray

    def predict(self, X: FloatArray) -> FloatArray:
        """Return the outputs, (n, n_outputs)."""
        hidden = hidden_features(X, self.components, self.intercepts, self.activation)
        outputs: FloatArray = hidden @ self.weights + self.offsets
        return outputs


def hidden_features(
    X: FloatArray, components: FloatArray, intercepts: FloatArray, activation: str
) -> FloatArray:
    """Return g(x W_1' + b_1), (n, k), of weights (k, d) and biases (k,)."""
    return ACTIVATIONS[activation](X @ components.T + intercepts)


def fit_head(
    X: FloatArray, Y: FloatArray, directions: FloatArray, activation: str, alpha: float
) -> Network:
    """Return the network with these unit directions (k, d) that fits best.

    X (n, d) is white, so that its projections have unit variance. `alpha`: ridge on the
    output weights, relative to the mean square of the hidden features.
    """
    shapes = _fit_shapes(X @ directions.T, Y, activation)
    components, intercepts = directions * shapes[:, :1], shapes[:, 1]
    hidden = hidden_features(X, components, intercepts, activation)
    center, mean = hidden.mean(axis=0), Y.mean(axis=0)
    hidden -= center
    gram = hidden.T @ hidden / len(X)
    ridge = alpha * (float(np.trace(gram)) / len(gram) or 1.0)
    gram += max(ridge, np.finfo(float).tiny) * np.eye(len(gram))
    weights, *_ = np.linalg.lstsq(gram, hidden.T @ (Y - mean) / len(X), rcond=None)
    return Network(activation, components, intercepts, weights, mean - center @ weights)


def _fit_shapes(projections: FloatArray, Y: FloatArray, activation: str) -> FloatArray:
    """Return the scale and the bias of each unit, (k, 2).

    By coordinate descent: unit after unit takes the candidate that explains most of the
    residual of Y after regression on the other units. A unit that has no shape yet is
    represented there by |z| and z (relu), or by g(z).
    """
    rows = np.linspace(0, len(Y) - 1, min(len(Y), _MOST_SAMPLES)).astype(np.int64)
    z, Y = projections[rows], Y[rows]
    n_units = z.shape[1]
    g = ACTIVATIONS[activation]
    candidates = _candidate_shapes(activation)
    chosen = np.tile([1.0, 0.0], (n_units, 1))
    units = [
        [np.abs(column), column] if activation == "relu" else [g(column)]
        for column in z.T
    ]
    for _ in range(_N_SWEEPS):
        for i in range(n_units):
            others = [column for j in range(n_units) if j != i for column in units[j]]
            basis, _ = np.linalg.qr(np.column_stack([np.ones(len(z)), *others]))
            tried = g(z[:, [i]] * candidates[:, 0] + candidates[:, 1])
            left, tried = (part - basis @ (basis.T @ part) for part in (Y, tried))
            sizes = np.maximum((tried**2).sum(axis=0), _LEAST_SIZE * len(z))
            gains = ((left.T @ tried) ** 2).sum(axis=0) / sizes
            chosen[i] = candidates[gains.argmax()]
            units[i] = [g(z[:, i] * chosen[i, 0] + chosen[i, 1])]
    return chosen


def _candidate_shapes(activation: str) -> FloatArray:
    """Return scales and biases of g(scale z + bias), (n_candidates, 2)."""
    scales = np.array([1.0, -1.0]) if activation == "relu" else _STEEPNESSES
    scale, place = np.meshgrid(scales, _PLACES, indexing="ij")
    return np.column_stack([scale.ravel(), (scale * place).ravel()])
