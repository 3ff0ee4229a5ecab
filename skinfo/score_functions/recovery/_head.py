"""The head of a network whose hidden directions are known: shapes, then weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfo._core._activations import ACTIVATIONS
from skinfo._core._typing import FloatArray

_N_SWEEPS = 3
_MOST_SAMPLES = 10_000  # that the shapes are fitted on
_PLACES = np.linspace(-2, 2, 17)  # of the bend of a unit, in standard deviations
_STEEPNESSES = np.geomspace(0.25, 8, 11)  # of a unit that saturates
_LEAST_SIZE = 1e-12  # mean square of a column that the others do not explain


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
    """Return the network with these directions (k, d) that fits best.

    X is white, so that projections have unit variance. `alpha`: ridge of the weights.
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

    Unit after unit takes the shape that explains most of what the others leave of Y,
    by least squares on all of them. As long as the shape of a unit is not known, |z|
    and z stand for it (relu), or g(z).
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
