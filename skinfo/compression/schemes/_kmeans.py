"""Weighted k-means as a compression method: one codebook per layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.compression.distortion._importance import importance_of
from skinfo.compression.file._coded_model import CodedLayer, CodedModel, with_biases
from skinfo.compression.kmeans._kmeans_1d import weighted_kmeans_1d
from skinfo.compression.schemes._target import (
    CompressionProblem,
    bits_per_weight,
    coded_model,
    fallback,
    make_evaluation_samples,
    n_bytes,
)

_MOST_CENTERS = 4096  # centers of a codebook; 16 KiB of a file


def kmeans(problem: CompressionProblem) -> CodedModel:
    """Return the model with one codebook a layer, by weighted k-means."""
    stack, X, target = problem.stack, problem.X, problem.target
    evaluation = make_evaluation_samples(stack, X, problem.generator, midpoints=False)
    weights = importance_of(stack, X, problem.y, problem.importance)

    def with_centers(n_centers: int) -> CodedModel:
        layers = [
            _with_codebook(layer.weights, layer.biases, each, n_centers)
            for layer, each in zip(stack.layers, weights, strict=True)
        ]
        return coded_model(stack, layers)

    def met(model: CodedModel) -> bool:
        if target.name == "rate":
            return bits_per_weight(model) <= target.amount
        if target.name == "n_bytes":
            return n_bytes(model) <= target.amount
        return evaluation.relative_distortion(model) <= target.amount

    model = _extreme_codebooks(with_centers, met, grows=target.name != "distortion")
    return fallback(with_centers(1), target) if model is None else model


def _extreme_codebooks(
    with_centers: Callable[[int], CodedModel],
    met: Callable[[CodedModel], bool],
    *,
    grows: bool,
) -> CodedModel | None:
    """Return the model that meets the target with most centers, or else with fewest."""
    if not grows and met(with_centers(1)):
        return with_centers(1)
    low, high = 1, 2
    while high < _MOST_CENTERS and met(with_centers(high)) == grows:
        low, high = high, 2 * high
    # the target changes between low and high, or before, or not at all
    while high - low > 1:
        middle = (low + high) // 2
        if met(with_centers(middle)) == grows:
            low = middle
        else:
            high = middle
    for n_centers in (low, high) if grows else (high, low):
        model = with_centers(n_centers)
        if met(model):
            return model
    return None


def _with_codebook(
    weights: FloatArray, biases: FloatArray, importance: FloatArray, n_centers: int
) -> CodedLayer:
    result = weighted_kmeans_1d(weights.ravel(), importance.ravel(), n_centers)
    codebook = result.centers.astype(np.float32).astype(np.float64)
    codes = result.labels.reshape(weights.shape) - len(codebook) // 2
    layer = CodedLayer(codes.astype(np.int64), 1.0, codebook=codebook)
    variance = float(np.mean((layer.weights() - weights) ** 2))
    return with_biases(layer, biases, variance)
