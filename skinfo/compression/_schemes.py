"""A stack as integers, by each of the methods and to each of the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression._artifact import to_bytes
from skinfo.compression._coded_layers import (
    CodedLayer,
    CodedModel,
    decoded,
    weight_bits,
)
from skinfo.compression._distortion import distortion, without_weights
from skinfo.compression._importance import loss_targets, weight_importance
from skinfo.compression._layers import Stack, forward
from skinfo.compression._pruning import prune, prune_refit
from skinfo.compression._quantization import weighted_kmeans_1d
from skinfo.compression._rate_distortion import Calibration, Settings, with_biases
from skinfo.compression._search import meet

_MOST_SAMPLES = 20_000  # that the steps are chosen by
_MOST_SEARCHED = 20_000  # weights, for which all ways are tried
_MOST_DAMPINGS, _NEXT_DAMPING, _SMALL = 5, 1e-2, 1e-2
_RATIOS = (1.0, 0.6)
_RATE_WEIGHTS = (1.0, 0.5, 0.0)  # times that asked for
_MOST_BITS = 30.0
_LARGEST_CODE = 1 << 40
_MOST_LEVELS = 4096
_FINE_LEVELS = 1 << 9  # of the largest weight that pruning leaves


@dataclass(frozen=True)
class Target:
    """What is asked for: one of "rate", "n_bytes" or "distortion", and how much."""

    kind: str
    amount: float


@dataclass(frozen=True)
class Probe:
    """Samples that tell how good a compressed stack is, and what the stack gives.

    Of networks also the midpoints of pairs of samples: where it was trained, a network
    is so sure that hardly any change shows. `scale`: distortions are relative to it.
    """

    stack: Stack
    X: Any
    raw: FloatArray
    scale: float

    def relative_distortion(self, model: CodedModel) -> float:
        """Return the distortion of a coded model, relative to one without weights."""
        changed = forward(decoded(model), self.X)
        found = distortion(self.stack, self.raw, changed)
        return found / self.scale if self.scale > 0 else 0.0


def make_probe(
    stack: Stack, X: Any, rng: np.random.RandomState, *, midpoints: bool
) -> Probe:
    """Return the samples, and midpoints of them for a network."""
    if midpoints and len(stack.layers) > 1:
        first, second = rng.permutation(X.shape[0]), rng.permutation(X.shape[0])
        middle = (X[first] + X[second]) / 2
        X = middle if hasattr(X, "todense") else np.vstack([X, middle])
    raw = forward(stack, X)
    return Probe(stack, X, raw, without_weights(stack, raw))


def some_samples(X: Any, y: Any, rng: np.random.RandomState) -> tuple[Any, Any]:
    """Return some of the samples, where there are very many."""
    if X.shape[0] <= _MOST_SAMPLES:
        return X, y
    rows = np.sort(rng.choice(X.shape[0], _MOST_SAMPLES, replace=False))
    return X[rows], None if y is None else np.asarray(y)[rows]


def coded_model(stack: Stack, layers: Sequence[CodedLayer]) -> CodedModel:
    """Return the layers with all else that the stack is."""
    activations = tuple(layer.activation for layer in stack.layers)
    return CodedModel(tuple(layers), activations, stack.link, stack.form)


def bits_per_weight(model: CodedModel) -> float:
    """Return the ideal code length of the weights, beside one number for each layer.

    That number is the step, without which there are no weights.
    """
    n_weights = sum(layer.codes.size for layer in model.layers)
    return (weight_bits(model.layers) - 32 * len(model.layers)) / n_weights


def n_bytes(model: CodedModel) -> int:
    """Return the size of the file."""
    return len(to_bytes(model))


# ----- rate-distortion


def rate_distortion(
    stack: Stack,
    X: Any,
    target: Target,
    *,
    damping: float,
    rdo: float,
    rng: np.random.RandomState,
) -> CodedModel:
    """Return the model by the default scheme, the best of several at the target."""
    calibration = Calibration(stack, X)
    probe = make_probe(stack, X, rng, midpoints=target.kind != "distortion")
    search = _Search(calibration, probe, target)
    if not any(layer.weights.any() for layer in stack.layers):
        return search.smallest()
    single = len(stack.layers) == 1
    axes: list[tuple[str, Sequence[Any]]] = [
        ("damping", _dampings(calibration, damping) if single else [damping]),
        ("rate_weight", [rdo * each for each in _RATE_WEIGHTS]),
        ("exponents", _EXPONENTS[:2] if single else _EXPONENTS),
        ("last_ratio", _RATIOS[: 1 if single else 2]),
        ("coupled", [True, False] if calibration.can_couple else [False]),
    ]
    if stack.n_weights <= _MOST_SEARCHED:
        settings = _grid(axes)
        best = min((search.best_of(each) for each in settings), key=_cost)
    else:
        best = search.along(axes)
    if best.model is not None:
        return best.model
    if search.all_failed:
        raise ValueError(
            f"damping={damping!r} is too small for inputs that depend on each other "
            "linearly. Pass a larger damping."
        )
    smallest = search.smallest()
    if target.kind == "rate":  # a model of few weights
        return smallest
    raise ValueError(_unreachable(target, n_bytes(smallest)))


def _dampings(calibration: Calibration, damping: float) -> list[float]:
    """Return smaller and smaller dampings, to where they are below the curvature."""
    least = calibration.least_curvature()
    found = [damping]
    while len(found) < _MOST_DAMPINGS and found[-1] > least * _SMALL:
        found.append(found[-1] * _NEXT_DAMPING)
    return [*found, 0.0]  # for high rates, where it can be


_EXPONENTS = ((True, True), (False, False), (True, False))


@dataclass(frozen=True)
class Candidate:
    """What settings lead to: `cost` is what is to be small at the target."""

    settings: Settings
    model: CodedModel | None
    cost: float


def _cost(candidate: Candidate) -> float:
    return candidate.cost


def _grid(axes: Sequence[tuple[str, Sequence[Any]]]) -> Iterator[Settings]:
    for values in product(*(values for _, values in axes)):
        names = (name for name, _ in axes)
        yield Settings(step=1.0, **dict(zip(names, values, strict=True)))


class _Search:
    """Finds the step of settings that meets the target, and compares settings."""

    def __init__(self, calibration: Calibration, probe: Probe, target: Target) -> None:
        self.calibration, self.probe, self.target = calibration, probe, target
        self.all_failed = True  # of the candidates, numerically
        self._starts: dict[bool, float] = {}

    def _first_step(self, *, coupled: bool) -> float:
        """Return log2 of a step that costs some bits a weight."""
        size = self.calibration.size_of_weights(coupled=coupled)
        bits = self.target.amount if self.target.kind == "rate" else 3.0
        return float(np.log2(size)) - min(bits, _MOST_BITS) if size > 0 else 0.0

    def along(self, axes: Sequence[tuple[str, Sequence[Any]]]) -> Candidate:
        """Return the best candidate, changing one setting at a time."""
        first = {name: values[0] for name, values in axes}
        best = self.best_of(Settings(step=1.0, **first))
        for name, values in axes:
            for value in values[1:]:
                other = self.best_of(replace(best.settings, **{name: value}))
                best = min(best, other, key=_cost)
        return best

    def best_of(self, settings: Settings) -> Candidate:
        """Return the model at the step that meets the target."""
        amount: Callable[[CodedModel], float]
        goal, slope = self.target.amount, -1.0
        if self.target.kind == "rate":
            amount = bits_per_weight
        elif self.target.kind == "n_bytes":
            amount = n_bytes
            slope = -self.calibration.stack.n_weights / 8
        else:
            # distortions grow with the square of the step
            wanted = goal

            def amount(model: CodedModel) -> float:
                return float(np.sqrt(self.probe.relative_distortion(model) / wanted))

            slope = np.log(2)
        found: dict[float, CodedModel] = {}

        def measure(log_step: float) -> float:
            step = replace(settings, step=2.0**log_step)
            model = found[log_step] = self.coded(step)
            largest = max(int(np.abs(layer.codes).max()) for layer in model.layers)
            return np.inf if largest > _LARGEST_CODE else amount(model)

        of_distortion, coupled = self.target.kind == "distortion", settings.coupled
        try:
            if coupled not in self._starts:
                self._starts[coupled] = self._first_step(coupled=coupled)
            start = self._starts[coupled]
            log_step = meet(measure, 1.0 if of_distortion else goal, start, slope=slope)
        except LinAlgError:  # too little damping
            return Candidate(settings, None, np.inf)
        self.all_failed = False
        if log_step is None:
            return Candidate(settings, None, np.inf)
        self._starts[coupled] = log_step
        model = found[log_step]
        if of_distortion:
            return Candidate(settings, model, bits_per_weight(model))
        return Candidate(settings, model, self.probe.relative_distortion(model))

    def coded(self, settings: Settings) -> CodedModel:
        return coded_model(self.calibration.stack, self.calibration.coded(settings))

    def smallest(self) -> CodedModel:
        """Return a model whose weights are all 0."""
        size = self.calibration.size_of_weights(coupled=False)
        step = 2.0**40 * (size if size > 0 else 1.0)
        return self.coded(Settings(step, 1.0, 0.0, (False, False), 1.0))


def _unreachable(target: Target, smallest: int) -> str:
    if target.kind == "n_bytes":
        return (
            f"n_bytes={target.amount:g} cannot be reached: the smallest file of this "
            f"model has about {smallest} bytes. Pass a larger n_bytes."
        )
    return (
        f"{target.kind}={target.amount!r} cannot be reached. Pass a larger "
        f"{target.kind}."
    )


# ----- the methods of the paper


def kmeans(
    stack: Stack,
    X: Any,
    y: Any,
    target: Target,
    *,
    importance: str,
    rng: np.random.RandomState,
) -> CodedModel:
    """Return the model with one codebook a layer, by weighted k-means."""
    weights = importance_of(stack, X, y, importance)
    probe = make_probe(stack, X, rng, midpoints=False)

    def with_levels(n_levels: int) -> CodedModel:
        layers = [
            _with_codebook(layer.weights, layer.biases, each, n_levels)
            for layer, each in zip(stack.layers, weights, strict=True)
        ]
        return coded_model(stack, layers)

    def met(model: CodedModel) -> bool:
        if target.kind == "rate":
            return bits_per_weight(model) <= target.amount
        if target.kind == "n_bytes":
            return n_bytes(model) <= target.amount
        return probe.relative_distortion(model) <= target.amount

    model = _extreme_levels(with_levels, met, grows=target.kind != "distortion")
    if model is not None:
        return model
    smallest = with_levels(1)
    if target.kind == "rate":
        return smallest
    raise ValueError(_unreachable(target, n_bytes(smallest)))


def _extreme_levels(
    with_levels: Callable[[int], CodedModel],
    met: Callable[[CodedModel], bool],
    *,
    grows: bool,
) -> CodedModel | None:
    """Return the model that meets the target with most levels, or else with fewest."""
    low, high = 1, 2
    while high < _MOST_LEVELS and met(with_levels(high)) == grows:
        low, high = high, 2 * high
    # the target changes between low and high, or before, or not at all
    while high - low > 1:
        middle = (low + high) // 2
        if met(with_levels(middle)) == grows:
            low = middle
        else:
            high = middle
    for n_levels in (low, high) if grows else (high, low):
        model = with_levels(n_levels)
        if met(model):
            return model
    return None


def importance_of(stack: Stack, X: Any, y: Any, kind: str) -> list[FloatArray]:
    """Return the importance of each weight."""
    targets = None if y is None else loss_targets(stack, y)
    return weight_importance(stack, X, targets, kind)


def _with_codebook(
    weights: FloatArray, biases: FloatArray, importance: FloatArray, n_levels: int
) -> CodedLayer:
    result = weighted_kmeans_1d(weights.ravel(), importance.ravel(), n_levels)
    codebook = result.centers.astype(np.float32).astype(np.float64)
    codes = result.labels.reshape(weights.shape) - len(codebook) // 2
    zeros = np.zeros(len(biases), dtype=np.int64)
    layer = CodedLayer(codes.astype(np.int64), 1.0, None, codebook, zeros, 0)
    variance = float(np.mean((layer.weights() - weights) ** 2))
    return with_biases(layer, biases, variance)


def pruned(
    stack: Stack,
    X: Any,
    y: Any,
    sparsity: float,
    *,
    importance: str,
    refit: bool,
    damping: float,
) -> CodedModel:
    """Return the model with few weights, each in fine steps."""
    if refit:
        found = prune_refit(stack, X, sparsity, damping=damping)
    else:
        found = prune(stack, importance_of(stack, X, y, importance), sparsity)
    layers = [_finely(layer.weights, layer.biases) for layer in found.layers]
    return coded_model(stack, layers)


def _finely(weights: FloatArray, biases: FloatArray) -> CodedLayer:
    largest = float(np.abs(weights).max())
    step = float(np.float32(largest / _FINE_LEVELS)) or 1.0
    codes: IntArray = np.rint(weights / step).astype(np.int64)
    zeros = np.zeros(len(biases), dtype=np.int64)
    return with_biases(CodedLayer(codes, step, None, None, zeros, 0), biases, step**2)
