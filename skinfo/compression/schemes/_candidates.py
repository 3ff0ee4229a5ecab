"""Settings of the default scheme, compared by their distortion at the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from skinfo.compression.file._coded_model import (
    CodedLayer,
    CodedModel,
)
from skinfo.compression.schemes._calibration import Calibration, Settings
from skinfo.compression.schemes._search import CLOSE, ROUGH, Precision, meet
from skinfo.compression.schemes._target import (
    EvaluationSamples,
    Target,
    bits_per_weight,
    checked_smallest,
    coded_model,
    n_bytes,
)

_MOST_BITS = 30.0  # bits a weight; the search starts no finer than this
# Bits of all weights together: a rate below two bytes cannot be written
_LEAST_BITS = 16
_LARGEST_LOG = 1000.0  # log2 of a step; keeps steps within float64
_LARGEST = 1 << 40  # magnitude of a code; the coder takes magnitudes below 2^41
# Rough candidates that are searched closely. In twelve fits, 2 gave up to 6% more
# distortion, and 8 took 45% longer for 0.2% less on average.
_N_FINALISTS = 4
_FEW_WEIGHTS = 1000  # weights up to which distortion is uneven in the step
# Octaves around the best step, in which other trials compete then. Without them, eight
# fits had 5% more distortion; a quarter and a whole octave gave the same.
_NEAR = 0.5
# Bits a weight that rough candidates are credited with at most. Of twelve fits, 0
# changed three, by up to 6% in both directions; 1 changed none.
_MOST_UNUSED = 0.3
# Ratios to the best damping, tried in turn in both directions. Without them, one of
# eight fits had 3% more distortion, the others the same.
_DAMPING_FACTORS = (0.3, 0.5, 0.8)


@dataclass(frozen=True)
class Candidate:
    """The model that settings lead to, or None; `cost` is to be small at the target."""

    settings: Settings
    model: CodedModel | None
    cost: float


_cost = attrgetter("cost")


class CandidateSearch:
    """Finds the step of settings that meets the target, and compares settings."""

    def __init__(
        self, calibration: Calibration, evaluation: EvaluationSamples, target: Target
    ) -> None:
        self.calibration, self.evaluation, self.target = calibration, evaluation, target
        self.all_failed = True  # of the candidates, numerically
        self._starts: dict[bool, float] = {}
        self._amounts: dict[tuple[CodedLayer, ...], float] = {}

    def best_of(
        self, settings: Iterable[Settings], rdo_lambdas: Sequence[float]
    ) -> Candidate:
        """Return the best candidate: all are searched roughly, and the best closely.

        `rdo_lambdas`: values that are tried with each of the best.
        """
        rough = sorted(map(self._rough_candidate, settings), key=_cost)
        finalists = dict.fromkeys(
            replace(
                each.settings,
                rdo_lambda=0.0 if each.settings.lattice_reduced else rdo_lambda,
            )
            for each in rough[:_N_FINALISTS]
            for rdo_lambda in rdo_lambdas
        )
        return min(map(self.candidate, finalists), key=_cost)

    def along(self, axes: Mapping[str, Sequence[Any]]) -> Candidate:
        """Return the best candidate of a coordinate search, one setting at a time."""
        first = {name: values[0] for name, values in axes.items()}
        best = self.candidate(Settings(**first))
        for name, values in axes.items():
            for value in values[1:]:
                settings = replace(best.settings, **{name: value})
                best = min(best, self.candidate(settings), key=_cost)
        return best

    def around(self, best: Candidate) -> Candidate:
        """Return the best candidate with a damping near that of `best`."""
        for factor in _DAMPING_FACTORS:
            for each in (factor, 1 / factor):
                damping = best.settings.damping * each
                settings = replace(best.settings, damping=damping)
                best = min(best, self.candidate(settings), key=_cost)
        return best

    def candidate(self, settings: Settings) -> Candidate:
        """Return the best model among the steps that meet the target.

        With few weights, the finest step need not give the least distortion.
        """
        candidates = [
            Candidate(settings, model, self._lost(model))
            for model, _ in self._models(settings, CLOSE)
        ]
        return min(candidates, key=_cost, default=Candidate(settings, None, np.inf))

    def _rough_candidate(self, settings: Settings) -> Candidate:
        """Return a model near the target, with an estimate of its cost there."""
        models = self._models(settings, ROUGH)
        if not models:
            return Candidate(settings, None, np.inf)
        model, found = models[0]
        cost = self._lost(model)
        if self.target.name != "distortion":
            # one bit more for each weight divides the distortion by four
            _, goal, slope = self._amount()
            cost *= 4.0 ** -min((goal - found) / abs(slope), _MOST_UNUSED)
        return Candidate(settings, model, cost)

    def _models(
        self, settings: Settings, precision: Precision
    ) -> list[tuple[CodedModel, float]]:
        """Return models that meet the target, and their amounts, the nearest first."""
        amount, goal, slope = self._amount()
        met: dict[float, tuple[CodedModel, float]] = {}

        def measure(log_step: float) -> float:
            step = 2.0 ** float(np.clip(log_step, -_LARGEST_LOG, _LARGEST_LOG))
            model = self.coded(replace(settings, step=step))
            if max(int(np.abs(each.codes).max()) for each in model.layers) > _LARGEST:
                return np.inf
            found = self._amounts.get(model.layers)
            if found is None:
                found = amount(model)
                if self.calibration.is_small:
                    self._amounts[model.layers] = found
            if found <= goal:
                met[log_step] = model, found
            return found

        joint_outputs = settings.joint_outputs
        try:
            start = self._starts.get(joint_outputs)
            if start is None:
                start = self._first_step(joint_outputs=joint_outputs)
            nearest = meet(measure, goal, start, slope=slope, precision=precision)
        except LinAlgError:  # too little damping
            return []
        self.all_failed = False
        if nearest is None:
            return []
        self._starts[joint_outputs] = nearest
        if self.calibration.stack.n_weights > _FEW_WEIGHTS:
            return [met[nearest]]
        others = [met[each] for each in met if 0 < abs(each - nearest) < _NEAR]
        return [met[nearest], *others]

    def _amount(self) -> tuple[Callable[[CodedModel], float], float, float]:
        """Return the measured amount, its bound, and its slope by log2 of the step."""
        if self.target.name == "rate":
            least = _LEAST_BITS / self.calibration.stack.n_weights
            return bits_per_weight, max(self.target.amount, least), -1.0
        if self.target.name == "n_bytes":
            slope = -self.calibration.stack.n_weights / 8
            return n_bytes, self.target.amount, slope

        def root_of_distortion(model: CodedModel) -> float:
            found = self.evaluation.relative_distortion(model)
            return float(np.sqrt(found / self.target.amount))

        # distortions grow with the square of the step
        return root_of_distortion, 1.0, float(np.log(2))

    def _lost(self, model: CodedModel) -> float:
        if self.target.name == "distortion":
            return bits_per_weight(model)
        return self.evaluation.relative_distortion(model)

    def _first_step(self, *, joint_outputs: bool) -> float:
        """Return log2 of the step from which the search starts."""
        size = self.calibration.size_of_weights(joint_outputs=joint_outputs)
        bits = self.target.amount if self.target.name == "rate" else 3.0
        return float(np.log2(size)) - min(bits, _MOST_BITS) if size > 0 else 0.0

    def coded(self, settings: Settings) -> CodedModel:
        """Return the model with these settings."""
        return coded_model(self.calibration.stack, self.calibration.coded(settings))

    def smallest(self) -> CodedModel:
        """Return a model in which all weights and the hidden biases are 0.

        Raises a ValueError if even its file is too large.
        """
        size = self.calibration.size_of_weights(joint_outputs=False)
        step = 2.0**40 * (size if size > 0 else 1.0)
        model = self.coded(Settings(damping=1.0, step=step))
        hidden = [
            replace(layer, bias_codes=np.zeros_like(layer.bias_codes), bias_exponent=0)
            for layer in model.layers[:-1]
        ]
        smallest = replace(model, layers=(*hidden, model.layers[-1]))
        return checked_smallest(smallest, self.target)
