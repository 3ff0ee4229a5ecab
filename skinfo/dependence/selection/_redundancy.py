"""Greedy selection of features by relevance and redundancy (Brown et al. 2012).

Each step chooses the candidate with the largest criterion. The criterion aggregates
terms that depend on the candidate and one chosen feature. Terms do not change, so a
step computes only those of the candidates with the feature that was chosen last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from skinfo._core._columns import complete_rows
from skinfo._core._parallel import batches, items_per_task, run_tasks
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray, IntArray
from skinfo._core._vectors import RandomVector
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.variables._variable import Variable, join

STRATEGIES = ("marginal", "mrmr", "jmi", "cmim")


@dataclass(frozen=True)
class Feature:
    """A feature, prepared for the terms of a strategy.

    `variable` holds its complete rows. `reference` (nats) is its information about
    itself for "mrmr", about the target for the other strategies.
    """

    vector: RandomVector
    variable: Variable
    reference: float


@dataclass(frozen=True)
class PairTerms:
    """The terms of a strategy, each for a candidate x and a chosen feature s.

    mrmr: I(x; s).  jmi: I((x, s); y).  cmim: I(x; y | s) = I((x, s); y) - I(s; y).
    Each is estimated from the rows in which x, s and y all have values, in nats.
    """

    measure: MutualInformation
    strategy: str
    target: RandomVector
    y: Variable

    def read(self, vector: RandomVector, relevance: float | None = None) -> Feature:
        """Prepare a feature; `relevance` is its I(x; y), None if it is not known."""
        rows = complete_rows(vector.columns, minimum=self.measure.minimum_samples)
        x = self.measure.prepare(vector if rows is None else vector.take(rows))
        if self.strategy == "mrmr":
            return Feature(vector, x, self._information(x, x))
        if relevance is None:
            relevance = self._information(x, self.y)
        return Feature(vector, x, relevance)

    def read_all(self, vector: RandomVector, relevance: FloatArray) -> list[Feature]:
        """Prepare each column of a vector as a feature; `relevance` (n_columns,)."""
        return [
            self.read(vector.select([position]), value)
            for position, value in enumerate(relevance.tolist())
        ]

    def term(self, candidate: Feature, chosen: Feature) -> tuple[float, bool]:
        """Return the term, and whether the candidate adds nothing to the chosen one.

        It adds nothing if the estimates with and without it are exactly equal, as for a
        copy of the chosen feature, which leaves all neighbourhoods unchanged.
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
    def initial_aggregate(self) -> float:
        """The aggregate of no terms."""
        return np.inf if self.strategy == "cmim" else 0.0

    def aggregate(self, so_far: FloatArray, terms: Sequence[float]) -> FloatArray:
        """Add one more term of each candidate to its aggregate, both (n_candidates,).

        The aggregate is the sum of the terms, or their minimum for "cmim".
        """
        combine = np.minimum if self.strategy == "cmim" else np.add
        aggregated: FloatArray = combine(so_far, terms)
        return aggregated

    def criterion(
        self, relevance: FloatArray, aggregate: FloatArray, n_chosen: int
    ) -> FloatArray:
        """Return the criterion of each feature (n_features,): the largest is chosen."""
        if self.strategy == "mrmr":  # I(x; y) - mean over s of I(x; s)
            return relevance - aggregate / n_chosen
        return aggregate

    def _information(self, x: Variable, y: Variable) -> float:
        return self.measure.values(x, y, [None])[0]


def choose_features(
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
    """Return the positions of the chosen features, best first, (n_selected,).

    `relevance` (n_features,) is the mutual information of each feature with the target.
    Candidates that add exactly nothing to one chosen feature are chosen last, although
    their other terms may be large: that feature is a Markov blanket of theirs, so they
    add nothing to all chosen features either (Koller and Sahami 1996). Features whose
    relevance is exactly 0 are also chosen last. Of equal candidates the first is
    chosen.
    """
    rows = complete_rows(target.columns, minimum=measure.minimum_samples)
    if rows is not None:
        features, target = features.take(rows), target.take(rows)
    terms = PairTerms(measure, strategy, target, measure.prepare(target))
    n_features = len(relevance)
    per_task = items_per_task(target.n_samples)
    with one_blas_thread():
        prepared_by_task = run_tasks(
            terms.read_all,
            [
                (features.select(range(n_features)[some]), relevance[some])
                for some in batches(n_features, per_task)
            ],
            n_jobs=n_jobs,
            verbose=verbose,
        )
        prepared = list(chain.from_iterable(prepared_by_task))

        def terms_with(last: int, candidates: IntArray) -> list[tuple[float, bool]]:
            found = run_tasks(
                terms.terms,
                [
                    ([prepared[j] for j in candidates[some]], prepared[last])
                    for some in batches(len(candidates), per_task)
                ],
                n_jobs=n_jobs,
                verbose=verbose,
            )
            return list(chain.from_iterable(found))

        return _choose(terms, relevance, n_selected, terms_with)


def _choose(
    terms: PairTerms,
    relevance: FloatArray,
    n_selected: int,
    terms_with: Callable[[int, IntArray], list[tuple[float, bool]]],
) -> IntArray:
    """Choose one feature after the other; `choose_features` has the rules.

    `terms_with` returns the terms of candidates with the feature that was chosen last,
    and whether they add nothing to it.
    """
    adds_nothing = relevance == 0  # constants and identifiers
    first = (
        relevance if adds_nothing.all() else np.where(adds_nothing, -np.inf, relevance)
    )
    chosen = [int(np.argmax(first))]
    remaining = np.delete(np.arange(len(relevance)), chosen)
    aggregate = np.full(len(relevance), terms.initial_aggregate)
    while len(chosen) < n_selected:
        values, nothing = zip(*terms_with(chosen[-1], remaining), strict=True)
        aggregate[remaining] = terms.aggregate(aggregate[remaining], values)
        adds_nothing[remaining] |= nothing
        criterion = terms.criterion(relevance, aggregate, len(chosen))
        useful = remaining[~adds_nothing[remaining]]
        candidates = useful if len(useful) > 0 else remaining
        chosen.append(int(candidates[np.argmax(criterion[candidates])]))
        remaining = remaining[remaining != chosen[-1]]
    return np.array(chosen)


def ranking_of(chosen: IntArray, n_features: int) -> IntArray:
    """Return the rank of each feature (n_features,): 1 for the one chosen first.

    The features that were not chosen share the next rank.
    """
    ranking = np.full(n_features, len(chosen) + 1)
    ranking[chosen] = np.arange(1, len(chosen) + 1)
    return ranking
