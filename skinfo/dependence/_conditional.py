"""Conditional mutual information of random vectors of any kind, from neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo._core._vectors import RandomVector, complete_vectors, read_vectors
from skinfo.dependence._codes import densify
from skinfo.dependence._conditional_ties import conditional_tie_terms
from skinfo.dependence._mutual_info import MutualInformation
from skinfo.dependence._neighbors import NeighborIndex, build_index, group_spacing
from skinfo.dependence._pointwise import grassberger_log, index_pair, mean_term
from skinfo.dependence._remainders import remainders
from skinfo.dependence._scaling import EncodedColumn, encode_columns
from skinfo.dependence._variables import Variable, make_variable, stack

_ROWS_PER_TASK = 1 << 15
_ROUNDING = 1e-12  # in nats: what is no larger is 0


@dataclass(frozen=True)
class IndexedVector:
    """A random vector with its neighbour index."""

    variable: Variable
    index: NeighborIndex

    def counts(self, rows: IntArray, radius: FloatArray) -> tuple[IntArray, IntArray]:
        """Count the samples nearer than, and not farther than, a radius from rows."""
        points, groups = self.variable.points[rows], self.variable.groups[rows]
        return self.index.counts(points, groups, radius)

    def closed_counts(self, rows: IntArray, radius: FloatArray) -> IntArray:
        """Count the samples not farther than a radius from some rows."""
        points, groups = self.variable.points[rows], self.variable.groups[rows]
        return self.index.closed_counts(points, groups, radius)


@dataclass(frozen=True)
class IndexedTriple:
    """Random vectors x, y and z, and what the estimate counts in, with its indices.

    `rows_xz`, `rows_yz` and `rows_z` (n_joint_rows,) are the rows of (x, z), (y, z) and
    z in each joint row; `spacing` exceeds all distances; `digammas` (n_samples + 1,) is
    psi of each count.
    """

    x: Variable
    y: Variable
    xz: IndexedVector
    yz: IndexedVector
    z: IndexedVector
    joint: IndexedVector
    rows_xz: IntArray
    rows_yz: IntArray
    rows_z: IntArray
    spacing: float
    digammas: FloatArray

    def reordered(self, order: IntArray) -> IndexedTriple:
        """Return the triple with y taken at these samples, of which some can recur."""
        return _join(self.x, _resample(self.y, order), self.xz, self.z, self.spacing)

    def exchanged(self) -> IndexedTriple:
        """Return the triple in which x is y and y is x."""
        return replace(
            self,
            x=self.y,
            y=self.x,
            xz=self.yz,
            yz=self.xz,
            rows_xz=self.rows_yz,
            rows_yz=self.rows_xz,
        )


def index_triple(x: Variable, y: Variable, z: Variable) -> IndexedTriple:
    """Join three random vectors and build the four indices."""
    spacing = group_spacing(x, y, z)
    xz, only_z = (_index(vector, spacing) for vector in (stack(x, z)[0], z))
    return _join(x, y, xz, only_z, spacing)


def _index(variable: Variable, spacing: float) -> IndexedVector:
    return IndexedVector(variable, build_index(variable, spacing))


def _join(
    x: Variable, y: Variable, xz: IndexedVector, z: IndexedVector, spacing: float
) -> IndexedTriple:
    joint, yz = stack(xz.variable, y)[0], stack(y, z.variable)[0]
    a_sample = np.empty(joint.n_rows, dtype=np.int64)
    a_sample[joint.codes] = np.arange(joint.n_samples)
    digammas: FloatArray = digamma(np.arange(joint.n_samples + 1.0))
    return IndexedTriple(
        x,
        y,
        xz,
        _index(yz, spacing),
        z,
        _index(joint, spacing),
        xz.variable.codes[a_sample],
        yz.codes[a_sample],
        z.variable.codes[a_sample],
        spacing,
        digammas,
    )


def _resample(variable: Variable, order: IntArray) -> Variable:
    """Return a variable at these samples; rows that none of them has are dropped."""
    codes, kept, n_rows = densify(variable.codes[order], variable.n_rows)
    return replace(
        variable,
        codes=codes,
        counts=np.bincount(codes, minlength=n_rows),
        groups=variable.groups[kept],
        points=variable.points[kept],
    )


def conditional_terms(
    triple: IndexedTriple, *, n_neighbors: int, ties: str, n_jobs: int | None = None
) -> FloatArray:
    """Return the terms of the distinct joint rows, in nats.

    Their mean over the samples is the estimate of conditional mutual information.
    """
    joint = triple.joint.variable
    terms = np.zeros(joint.n_rows)
    if ties == "adaptive" and 1 in (triple.x.n_rows, triple.y.n_rows):
        return terms  # a constant carries no information
    if ties == "adaptive" and joint.n_coordinates == 0:
        return np.where(_vary_in_stratum(triple), _nominal_terms(triple), 0.0)
    order = triple.joint.index.visiting_order()
    if len(order) <= _ROWS_PER_TASK or n_jobs == 1:
        terms[order] = _terms_of_rows(triple, order, n_neighbors, ties)
    else:
        results = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(_terms_of_rows)(triple, order[block], n_neighbors, ties)
            for block in gen_batches(len(order), _ROWS_PER_TASK)
        )
        terms[order] = np.concatenate(results)
    if ties == "adaptive" and triple.z.variable.n_coordinates == 0:
        return np.where(_vary_in_stratum(triple), terms, 0.0)
    return terms


def _vary_in_stratum(triple: IndexedTriple) -> BoolArray:
    """Tell for each joint row whether x and y take several values where z is equal."""
    z = triple.z.variable
    vary = np.ones(z.n_rows, dtype=bool)
    for vector in (triple.xz.variable, triple.yz.variable):
        z_of_row = np.empty(vector.n_rows, dtype=np.int64)
        z_of_row[vector.codes] = z.codes
        vary &= np.bincount(z_of_row, minlength=z.n_rows) > 1
    return vary[triple.rows_z]


def _nominal_terms(triple: IndexedTriple) -> FloatArray:
    """Return G(n_xyz) + log n_z - psi(n_xz) - psi(n_yz), by numbers of equal samples.

    G is that of the terms of mutual information, which these are in each stratum of z.
    """
    n_xyz = triple.joint.variable.counts
    n_xz = triple.xz.variable.counts[triple.rows_xz]
    n_yz = triple.yz.variable.counts[triple.rows_yz]
    n_z = triple.z.variable.counts[triple.rows_z]
    psi = triple.digammas
    terms = grassberger_log(n_xyz, psi) + np.log(n_z) - (psi[n_xz] + psi[n_yz])
    return np.where((n_xz > 1) & (n_yz > 1), terms, 0.0)


def _terms_of_rows(
    triple: IndexedTriple, rows: IntArray, n_neighbors: int, ties: str
) -> FloatArray:
    """Return psi(k~) - psi(n_xz) - psi(n_yz) + psi(n_z) for some joint rows."""
    joint, z = triple.joint.variable, triple.z.variable
    radius, reached = triple.joint.index.nth_distance(
        joint.points[rows], joint.groups[rows], n_neighbors + 1
    )
    strict_xz, closed_xz = triple.xz.counts(triple.rows_xz[rows], radius)
    strict_yz, closed_yz = triple.yz.counts(triple.rows_yz[rows], radius)
    strict_z, closed_z = triple.z.counts(triple.rows_z[rows], radius)
    # As for mutual information, with n_z in place of N. All counts include the point
    # itself. rho = 0: all count what coincides; rho > 0: k~ = k, and the others count
    # what is strictly nearer.
    atom = radius == 0
    k = np.where(atom, joint.counts[rows], np.maximum(reached - 1, 1))
    n_xz = np.where(atom, closed_xz, strict_xz)
    n_yz = np.where(atom, closed_yz, strict_yz)
    n_z = np.where(atom, closed_z, strict_z)
    psi = triple.digammas
    # within a nominal z this is mutual information, which takes the log
    log_n_z = np.log(n_z) if z.n_coordinates == 0 else psi[n_z]
    terms = psi[k] + log_n_z - (psi[n_xz] + psi[n_yz])
    if ties == "adaptive":
        # several samples on the boundary: the k-th neighbour is one of many
        on_boundary = np.maximum(closed_xz - strict_xz, closed_yz - strict_yz)
        tied = np.flatnonzero(~atom & (on_boundary > 1))
        if len(tied) > 0:
            n_inside = triple.joint.closed_counts(rows[tied], radius[tied]) - 1
            tie_terms = conditional_tie_terms(
                k[tied],
                n_inside,
                strict=(strict_xz[tied], strict_yz[tied], strict_z[tied]),
                closed=(closed_xz[tied], closed_yz[tied], closed_z[tied]),
            )
            terms[tied] = psi[k[tied]] - tie_terms + (log_n_z - psi[n_z])[tied]
    return np.where(reached > 1, terms, 0.0)  # 0: nobody shares the nominal values


def conditional_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    n_neighbors: int = 5,
    scale: str | None = "rank",
    ties: str = "adaptive",
    x_discrete: Any = "auto",
    y_discrete: Any = "auto",
    z_discrete: Any = "auto",
    nan_policy: str = "raise",
    n_jobs: int | None = None,
) -> float:
    r"""Estimate the mutual information of two variables given a third, in nats.

    What `x` tells of `y` beyond what `z` tells already. Each of `x`, `y` and `z` is one
    random variable or vector: discrete, continuous or a mixture of both. Nothing is
    binned and no noise is added, so the result is deterministic.

    Read more in the :doc:`user guide </user_guide/testing_and_selecting>`.

    Parameters
    ----------
    x, y, z : array-like or dataframe of shape (n_samples,) or (n_samples, n_columns)
        Samples of the two variables, and of what is conditioned on. Strings, categories
        and booleans are nominal: they are compared by equality alone. Numbers and dates
        are coordinates. Constant columns of `z` count for nothing; without others the
        result is that of :func:`mutual_information`.
    n_neighbors : int, default=5
        Number of nearest neighbours `k`. 3 to 5 have the least bias; 10 to 20 the
        least variance, which is better to test for independence.
    scale : {"rank", "standard", None}, default="rank"
        How numeric columns are scaled, each by itself. "rank": to the normal scores
        of their ranks; those of `x` and `y` also less what is linear in the normal
        scores of `z`, see Notes. "standard": to unit variance. None: not at all. Ranks
        close gaps: take "standard" where a column falls into clusters far apart, and
        which cluster it is matters.
    ties : {"adaptive", "gao"}, default="adaptive"
        What is done where several samples are at the same distance. "adaptive":
        about the mean over all ways to break them, as for :func:`mutual_information`.
        "gao": nothing. Both agree on numeric data without such ties.
    x_discrete, y_discrete, z_discrete : "auto", bool, or array-like, default="auto"
        Which columns are nominal: a bool for all, a mask, or indices or names of
        those to add to what "auto" finds.
    nan_policy : {"raise", "omit"}, default="raise"
        "raise": missing or infinite values are an error. "omit": rows that have any
        are left out.
    n_jobs : int, default=None
        Number of jobs that share large samples. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors.

    Returns
    -------
    float
        The estimate. It is raw: near independence it can be slightly negative.

    Raises
    ------
    ValueError
        If `n_neighbors` is not smaller than the number of samples, values are missing,
        lengths differ, or an option is not known.
    TypeError
        If `n_neighbors` is not an integer, or the data are sparse.

    See Also
    --------
    mutual_information : Of two variables, with nothing given.
    independence_test : Tells whether the value could be chance.

    Notes
    -----
    With :math:`\rho_i` the distance (the largest over all columns of `x`, `y` and `z`)
    of sample `i` to its `k`-th nearest neighbour, and :math:`n_{xz,i}`,
    :math:`n_{yz,i}` and :math:`n_{z,i}` the numbers of samples, itself included, that
    are nearer in these columns, the estimate is

    .. math::

        \hat I(X; Y | Z) = \frac{1}{N} \sum_{i=1}^{N} \left[ \psi(\tilde k_i)
        - \psi(n_{xz,i}) - \psi(n_{yz,i}) + \psi(n_{z,i}) \right]

    with :math:`\tilde k_i = k`. Where :math:`\rho_i = 0`, all four count the samples
    that coincide with sample `i`, as in [1]_; else, without ties, it is that of [2]_.
    Where `z` is nominal, it is the mean of the mutual information within each value of
    `z`. The more columns there are, the farther are the neighbours: then the estimate
    is drawn towards 0.

    So it would be where `z` moves `x` and `y` much. Given `z`, the information in
    :math:`x - b z` is that in `x`. With ranks, what is left of `x` and `y` by least
    squares takes their place, ranked again: where both are numeric, no more than `k`
    samples share a value, neither is a function of `z`, and there are 20 samples or
    more for each numeric column of `z`.

    References
    ----------
    .. [1] O. C. Mesner, C. R. Shalizi, "Conditional Mutual Information Estimation for
       Mixed, Discrete and Continuous Data", IEEE Transactions on Information Theory
       67(1), 2021 (arXiv:1912.03387).
    .. [2] S. Frenzel, B. Pompe, "Partial Mutual Information for Coupling Analysis of
       Multivariate Time Series", Physical Review Letters 99, 2007.

    Examples
    --------
    A common cause makes `x` and `y` dependent; given it they are not:

    >>> import numpy as np
    >>> from skinfo import conditional_mutual_information, mutual_information
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=1000)
    >>> x, y = z + rng.normal(size=(2, 1000))
    >>> round(mutual_information(x, y), 1)
    0.1
    >>> abs(round(conditional_mutual_information(x, y, z), 1))
    0.0
    """
    measure = MutualInformation(n_neighbors, scale, ties)
    measure.check_options()
    vectors = read_vectors(
        {"x": (x, x_discrete), "y": (y, y_discrete), "z": (z, z_discrete)},
        nan_policy=nan_policy,
    )
    measure.check_samples(vectors[0].n_samples)
    (vector_x, vector_y, vector_z), _ = complete_vectors(
        vectors, minimum=measure.minimum_samples, advice=measure.advice
    )
    triple = prepare_triple(measure, vector_x, vector_y, vector_z)
    if triple is None:
        pair = index_pair(measure.prepare(vector_x), measure.prepare(vector_y))
        return mean_term(pair.joint, measure.terms(pair, n_jobs))
    return conditional_value(triple, measure, n_jobs)


def prepare_triple(
    measure: MutualInformation, x: RandomVector, y: RandomVector, z: RandomVector
) -> IndexedTriple | None:
    """Return the indexed triple, or None where z is constant.

    With ranks, what is linear in z is taken from the normal scores of x and y.
    """
    given = _varying_columns(z, measure.scale)
    if not given:
        return None
    both = [encode_columns(vector, measure.scale) for vector in (x, y)]
    if measure.scale == "rank":
        left = remainders([*both[0], *both[1]], given, measure.n_neighbors)
        both = [left[: len(both[0])], left[len(both[0]) :]]
    of_x, of_y = map(make_variable, both)
    return index_triple(of_x, of_y, make_variable(given))


def prepare_condition(vector: RandomVector, scale: str | None) -> Variable | None:
    """Return what is conditioned on, without constant columns; None without others."""
    columns = _varying_columns(vector, scale)
    return make_variable(columns) if columns else None


def _varying_columns(vector: RandomVector, scale: str | None) -> list[EncodedColumn]:
    return [c for c in encode_columns(vector, scale) if len(c.levels) > 1]


def conditional_value(
    triple: IndexedTriple, measure: MutualInformation, n_jobs: int | None = None
) -> float:
    """Return the mean of the terms over the samples, 0 if it is so up to rounding."""
    terms = conditional_terms(
        triple, n_neighbors=measure.n_neighbors, ties=measure.ties, n_jobs=n_jobs
    )
    value = mean_term(triple.joint.variable, terms)
    return 0.0 if abs(value) <= _ROUNDING else value
