"""Greedy orders of features that weigh relevance against redundancy.

Each step chooses the feature that adds most to those chosen before. What it adds is
summed up from terms of one candidate and one chosen feature (Brown et al. 2012). A term
never changes, so each step computes one for each candidate: with the feature that was
chosen last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from sklearn.utils import gen_batches

from skinfo._core._columns import complete_rows
from skinfo._core._parallel import items_per_task, run_tasks
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.variables._variable import Variable, join

STRATEGIES = ("marginal", "mrmr", "jmi", "cmim")


@dataclass(frozen=True)
class Feature:
    """A feature, and what its terms need of it where it has no gaps.

    `reference` is its information about itself for "mrmr", about the target otherwise.
    """

    vector: RandomVector
    variable: Variable
    reference: float


@dataclass(frozen=True)
class PairTerms:
    """The terms of a strategy, each of a candidate x and a chosen feature s.

    mrmr: I(x; s).  jmi: I((x, s); y).  cmim: I(x; y | s) = I((x, s); y) - I(s; y).
    Each is estimated from the rows in which x, s and y all have values.
    """

    measure: MutualInformation
    strategy: str
    target: RandomVector
    y: Variable

    def read(self, vector: RandomVector, relevance: float | None = None) -> Feature:
        """Prepare a feature; `relevance` is its I(x; y) where that is known."""
        rows = complete_rows(vector.columns, minimum=self.measure.minimum_samples)
        x = self.measure.prepare(vector if rows is None else vector.take(rows))
        if self.strategy == "mrmr":
            return Feature(vector, x, self._information(x, x))
        if relevance is None:
            relevance = self._information(x, self.y)
        return Feature(vector, x, relevance)

    def read_all(self, vector: RandomVector, relevance: FloatArray) -> list[Feature]:
        """Prepare each column of a vector as a feature."""
        return [
            self.read(vector.select([position]), value)
            for position, value in enumerate(relevance.tolist())
        ]

    def term(self, candidate: Feature, chosen: Feature) -> tuple[float, bool]:
        """Return the term, and whether the candidate adds nothing to the chosen one.

        That is so where the estimates are equal to the last bit: for a copy of the
        chosen feature, or what else leaves all neighbourhoods as they are.
        """
        rows = complete_rows(
            [*candidate.vector.columns, *chosen.vector.columns],
            minimum=self.measure.minimum_samples,
            advice=self.measure.advice,
        )
        if rows is not None:
            target = self.target.take(rows)
            terms = replace(self, target=target, y=self.measure.prepare(target))
            both = (terms.read(each.vector.take(rows)) for each in (candidate, chosen))
            return terms.term(*both)
        if self.strategy == "mrmr":
            shared = self._information(candidate.variable, chosen.variable)
            return shared, shared == candidate.reference  # I(x; s) = I(x; x)
        pair, _, _ = join(candidate.variable, chosen.variable)
        joint = self._information(pair, self.y)
        value = joint - chosen.reference if self.strategy == "cmim" else joint
        return value, joint == chosen.reference  # I((x, s); y) = I(s; y)

    def terms(
        self, candidates: Sequence[Feature], chosen: Feature
    ) -> list[tuple[float, bool]]:
        """Return the terms of several candidates with a chosen feature."""
        return [self.term(candidate, chosen) for candidate in candidates]

    @property
    def empty_summary(self) -> float:
        """What `extend` starts from."""
        return np.inf if self.strategy == "cmim" else 0.0

    def extend(self, summary: FloatArray, values: Sequence[float]) -> FloatArray:
        """Return the least or the sum of the terms so far, with one more of each."""
        combine = np.minimum if self.strategy == "cmim" else np.add
        extended: FloatArray = combine(summary, values)
        return extended

    def criterion(
        self, relevance: FloatArray, summary: FloatArray, n_chosen: int
    ) -> FloatArray:
        """Return what decides between the candidates: the largest is chosen."""
        if self.strategy == "mrmr":  # I(x; y) - mean over s of I(x; s)
            return relevance - summary / n_chosen
        return summary

    def _information(self, x: Variable, y: Variable) -> float:
        return self.measure.values(x, y, [None])[0]


def greedy_order(
    measure: MutualInformation,
    features: RandomVector,
    target: RandomVector,
    relevance: FloatArray,
    *,
    strategy: str,
    n_selected: int,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> IntArray:
    """Return the positions of `n_selected` features in the order of their choice.

    `relevance` (n_features,) is the mutual information of each feature with the target.
    Candidates that add nothing to one of the chosen features come last: they add
    nothing to all of them either (Koller and Sahami 1996 call that one a Markov
    blanket), but sums and means over many terms would outweigh it. So do those that
    tell exactly nothing of the target. Of equal candidates the first is chosen.
    """
    rows = complete_rows(target.columns, minimum=measure.minimum_samples)
    if rows is not None:
        features, target = features.take(rows), target.take(rows)
    terms = PairTerms(measure, strategy, target, measure.prepare(target))
    n_features = len(relevance)
    per_task = items_per_task(target.n_samples)
    with one_blas_thread():
        read = run_tasks(
            terms.read_all,
            [
                (features.select(range(n_features)[some]), relevance[some])
                for some in gen_batches(n_features, per_task)
            ],
            n_jobs=n_jobs,
            verbose=verbose,
        )
        prepared = list(chain.from_iterable(read))

        def terms_with(chosen: int, candidates: IntArray) -> list[tuple[float, bool]]:
            found = run_tasks(
                terms.terms,
                [
                    ([prepared[j] for j in candidates[some]], prepared[chosen])
                    for some in gen_batches(len(candidates), per_task)
                ],
                n_jobs=n_jobs,
                verbose=verbose,
            )
            return list(chain.from_iterable(found))

        return _order(terms, relevance, n_selected, terms_with)


def _order(
    terms: PairTerms,
    relevance: FloatArray,
    n_selected: int,
    terms_with: Callable[[int, IntArray], list[tuple[float, bool]]],
) -> IntArray:
    """Choose one feature after the other.

    `terms_with` gives the terms of a chosen feature with each of some candidates.
    """
    adds_nothing = relevance == 0  # constants and identifiers, by their estimate
    first = (
        relevance if adds_nothing.all() else np.where(adds_nothing, -np.inf, relevance)
    )
    order = [int(np.argmax(first))]
    remaining = np.delete(np.arange(len(relevance)), order)
    summary = np.full(len(relevance), terms.empty_summary)
    while len(order) < n_selected:
        values, nothing = zip(*terms_with(order[-1], remaining), strict=True)
        summary[remaining] = terms.extend(summary[remaining], values)
        adds_nothing[remaining] |= nothing
        criterion = terms.criterion(relevance, summary, len(order))
        useful = remaining[~adds_nothing[remaining]]
        candidates = useful if len(useful) > 0 else remaining
        order.append(int(candidates[np.argmax(criterion[candidates])]))
        remaining = remaining[remaining != order[-1]]
    return np.array(order)


def places(order: IntArray, n_features: int) -> IntArray:
    """Return the place of each feature in an order, from 1; the rest share the next."""
    ranking = np.full(n_features, len(order) + 1)
    ranking[order] = np.arange(1, len(order) + 1)
    return ranking
