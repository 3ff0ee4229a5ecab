"""Permutation tests of independence and of conditional independence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skinfo._core._checks import check_bool, check_integer
from skinfo._core._parallel import batches, items_per_task, run_tasks
from skinfo._core._permutation import (
    draw_seeds,
    permutation_pvalues,
    permuted_order,
    reaches,
)
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo._core._vectors import RandomVector, complete_vectors, read_vectors
from skinfo.dependence.inference._local_permutation import (
    LocalPermutation,
    local_permutation,
)
from skinfo.dependence.measures._by_name import make_measure
from skinfo.dependence.measures._measure import ConditionalMeasure, DependenceMeasure
from skinfo.dependence.measures._mutual_information import varying_columns
from skinfo.dependence.neighbors._triple import IndexedTriple
from skinfo.dependence.variables._variable import make_variable

# Null values that reach the statistic before a test stops early: the relative standard
# error of its p-value is then about 1 / sqrt(10).
_ENOUGH_REACHED = 10
# Permutations in the first round of such a test; each round doubles their number. Under
# independence, starting with 40 takes 89 permutations in 1.5 rounds on average, where
# 59 would suffice; 20 takes 74 in 2.0 rounds, 80 takes 111 in 1.2 (of at most 999, with
# uniform p-values).
_FIRST_DRAWS = 40

_Statistics = Callable[[Sequence[int | None]], Sequence[float]]


@dataclass(frozen=True, eq=False)
class IndependenceTestResult:
    """The result of :func:`independence_test`, which unpacks to statistic and p-value.

    Attributes
    ----------
    statistic : float
        The dependence between `x` and `y`.
    pvalue : float
        The p-value.
    null_distribution : ndarray of shape (n_draws,)
        The dependence after each permutation.
    """

    statistic: float
    pvalue: float
    null_distribution: FloatArray

    def __iter__(self) -> Iterator[float]:
        return iter((self.statistic, self.pvalue))


def independence_test(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    measure: str | Callable[[Any, Any], float] = "mutual_information",
    measure_params: Mapping[str, Any] | None = None,
    n_permutations: int = 999,
    stop_early: bool = False,
    nan_policy: str = "raise",
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> IndependenceTestResult:
    r"""Test whether two variables are independent, or independent given a third.

    The dependence between `x` and `y` is compared with that after permutations of `y`.
    Given `z`, samples exchange their `y` only with neighbours in `z` [1]_, so that `y`
    keeps its dependence on `z`. If `x` depends on `z` less closely than `y` does, `x`
    is permuted instead.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    x, y : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, as for :func:`mutual_information`.
    z : array-like or dataframe, of the same length, default=None
        Samples of the conditioning variable or vector, or None. Constant columns are
        ignored.
    measure : str or callable, default="mutual_information"
        The measure of dependence: "mutual_information" (with `z`, the conditional one),
        "hypercontractivity", "maximal_correlation", or a function of two arrays that
        returns a float, larger for more dependence. With `z`, only
        "mutual_information" is available.
    measure_params : dict, default=None
        Parameters of the measure: `n_neighbors`, `scale` and `ties`, or
        `bandwidth_factor`, `min_fraction` and `method`; also `x_discrete`, `y_discrete`
        and `z_discrete`. `{"n_neighbors": 10}` or more usually gives more power than
        the default of 5, but less for few samples with many zeros.
    n_permutations : int, default=999
        Number of permutations, at least 1. The smallest possible p-value is
        `1 / (n_permutations + 1)`.
    stop_early : bool, default=False
        Whether to stop as soon as 10 permutations reach the statistic [2]_. The p-value
        remains valid. Large p-values then need few permutations, but are less precise.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": raise an error for missing or infinite values. "omit": leave out the
        rows that have any.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations. Pass an int for reproducible results, which do not
        depend on `n_jobs` or the backend.
    n_jobs : int, default=None
        Number of jobs to run in parallel over the permutations. None means 1 unless in
        a :obj:`joblib.parallel_backend` context, -1 means all processors.
    verbose : int, default=0
        Verbosity level passed to joblib.

    Returns
    -------
    IndependenceTestResult
        A result that unpacks to `statistic, pvalue`, with the attributes:

        statistic : float
            The dependence between `x` and `y`.
        pvalue : float
            The p-value. Permutations whose value equals the statistic are counted as
            reaching it. NaN if the statistic is NaN.
        null_distribution : ndarray of shape (n_permutations,)
            The dependence after each permutation; shorter if the test stopped early.

    Raises
    ------
    ValueError
        If a parameter is out of range or unknown, values are missing, or lengths
        differ.
    TypeError
        If a parameter has the wrong type, or the data are sparse.

    See Also
    --------
    mutual_information : The default measure.
    conditional_mutual_information : The measure with `z`.
    MixedMutualInfo : Tests of many features against a target.

    Notes
    -----
    If `r` of `n` permutations reach the statistic, the p-value is
    :math:`(1 + r) / (1 + n)`. If the test stops early after `n` permutations, it is
    :math:`10 / n`.

    Without `z` the p-value is exact. With `z`, each sample takes the `y` of a random
    one of its 5 nearest neighbours in `z` (itself included), if possible one that no
    other sample has taken; distances are between the normal scores of ranks. (With
    `scale="rank"`, the residuals of `y` are exchanged, see
    :func:`conditional_mutual_information`.) Samples with different nominal values of
    `z` are never exchanged. Samples that share a nominal `z`, or a value of `z` that
    occurs at least 5 times, are permuted among themselves. If this applies to all
    samples, the p-value is exact. Otherwise it is approximate: neighbourhoods must be
    so small that the exchanged variable hardly varies with `z` inside them.

    This fails for a variable that is nearly a function of `z`. The test therefore
    counts, for `x` and for `y` (after the linear fit to `z`, with "rank"), in how many
    neighbourhoods the nearest sample in `z` is also closer in that variable than the
    farthest one. The variable with the smaller count is permuted, so that swapping `x`
    and `y` hardly changes the result. If both counts exceed 55% of the neighbourhoods,
    and half of them by three standard deviations, `x` and `y` are treated as functions
    of `z`: only samples with equal `z` are exchanged, and the p-value is 1 if there are
    none. With few samples or many
    columns in `z`, the test can reject too often. Numeric labels in `z`, such as group
    numbers, have no meaningful neighbours: pass them as strings, or pass
    `measure_params={"z_discrete": True}`.

    References
    ----------
    .. [1] J. Runge, "Conditional Independence Testing Based on a Nearest-Neighbor
       Estimator of Conditional Mutual Information", AISTATS 2018.
    .. [2] J. Besag, P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78(2),
       1991.

    Examples
    --------
    A common cause makes `x` and `y` dependent; given the cause, they are independent:

    >>> import numpy as np
    >>> from skinfo import independence_test
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=300)
    >>> x, y = z + rng.normal(size=(2, 300))
    >>> options = {"n_permutations": 99, "random_state": 0}
    >>> round(independence_test(x, y, **options).pvalue, 2)
    0.01
    >>> independence_test(x, y, z, **options).pvalue > 0.05
    True
    """
    n_permutations = check_integer("n_permutations", n_permutations, minimum=1)
    check_bool("stop_early", stop_early)
    discrete = ["x_discrete", "y_discrete"] + ["z_discrete"] * (z is not None)
    chosen = make_measure(measure, measure_params, extra=discrete)
    variables = {"x": x, "y": y} | ({} if z is None else {"z": z})
    if z is not None and chosen.measure.conditional is None:
        raise ValueError(
            f"measure={measure!r} cannot be used with z. "
            "Pass measure='mutual_information', or z=None."
        )
    vectors = read_vectors(
        {
            name: (data, chosen.reading.get(f"{name}_discrete", "auto"))
            for name, data in variables.items()
        },
        nan_policy=nan_policy,
        is_nominal=chosen.measure.is_nominal,
    )
    chosen.measure.check_samples(vectors[0].n_samples)
    vectors, _ = complete_vectors(
        vectors, minimum=chosen.measure.minimum_samples, advice=chosen.measure.advice
    )
    statistics = _statistics(chosen.measure, vectors)
    seeds = draw_seeds(random_state, n_permutations).tolist()
    draw = partial(
        _draw,
        statistics,
        n_samples=vectors[0].n_samples,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    with one_blas_thread():
        if stop_early:
            return _stopped_test(draw, seeds)
        statistic, *null = draw([None, *seeds])
    null_distribution = np.array(null)
    (pvalue,) = permutation_pvalues(np.array([statistic]), null_distribution[None])
    return IndependenceTestResult(statistic, float(pvalue), null_distribution)


def _statistics(
    measure: DependenceMeasure[Any], vectors: Sequence[RandomVector]
) -> _Statistics:
    """Return the function that maps seeds to the dependence after permutation."""
    x, y, *given = vectors
    ranks_of_z = [column for z in given for column in varying_columns(z, "rank")]
    if ranks_of_z and measure.conditional is not None:
        triple = measure.conditional.triple(*vectors)
        permutation = local_permutation(make_variable(ranks_of_z))
        trend_of_x, trend_of_y = map(permutation.trend, (triple.x, triple.y))
        permuted = triple if trend_of_y <= trend_of_x else triple.exchanged()
        if min(trend_of_x, trend_of_y) > 1:
            permutation = permutation.among_equals()
        return partial(
            _conditional_values, measure.conditional, triple, permuted, permutation
        )
    prepared = measure.prepare(x), measure.prepare(y)
    return partial(_marginal_values, measure, *prepared, x.n_samples)


def _marginal_values(
    measure: DependenceMeasure[Any],
    x: Any,
    y: Any,
    n_samples: int,
    seeds: Sequence[int | None],
) -> list[float]:
    """Return the dependence for each seed; None stands for the original order."""
    orders = [
        None if seed is None else permuted_order(seed, n_samples) for seed in seeds
    ]
    return [float(value) for value in measure.values(x, y, orders)]


def _conditional_values(
    measure: ConditionalMeasure,
    triple: IndexedTriple,
    permuted: IndexedTriple,
    permutation: LocalPermutation,
    seeds: Sequence[int | None],
) -> list[float]:
    """Return the dependence given z for each seed; None stands for no permutation."""
    return [
        measure.value(
            triple if seed is None else permuted.reordered(permutation.order(seed)),
            n_jobs=1,  # this already runs inside a task
        )
        for seed in seeds
    ]


def _draw(
    statistics: _Statistics,
    seeds: Sequence[int | None],
    *,
    n_samples: int,
    n_jobs: int | None,
    verbose: int,
) -> list[float]:
    """Return the statistic for each seed; the seeds are split into tasks."""
    tasks = batches(len(seeds), items_per_task(n_samples))
    results = run_tasks(
        statistics, [(seeds[task],) for task in tasks], n_jobs=n_jobs, verbose=verbose
    )
    return [value for result in results for value in result]


def _stopped_test(
    draw: Callable[[Sequence[int | None]], list[float]], seeds: Sequence[int]
) -> IndependenceTestResult:
    """Draw in rounds until enough null values reach the statistic.

    Only the draws up to the last of these values count, so the result does not depend
    on the rounds.
    """
    statistic, *null = draw([None, *seeds[:_FIRST_DRAWS]])
    if np.isnan(statistic):
        return IndependenceTestResult(statistic, np.nan, np.array(null))
    while True:
        reached = np.flatnonzero(reaches(statistic, np.array(null)))
        if len(reached) >= _ENOUGH_REACHED:
            n_draws = int(reached[_ENOUGH_REACHED - 1]) + 1
            pvalue = _ENOUGH_REACHED / n_draws
            return IndependenceTestResult(statistic, pvalue, np.array(null[:n_draws]))
        if len(null) == len(seeds):
            pvalue = (1 + len(reached)) / (1 + len(seeds))
            return IndependenceTestResult(statistic, pvalue, np.array(null))
        null += draw(seeds[len(null) : 2 * len(null)])
