"""The estimators that are compared: skinfo's default, and its peers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from skinfo import mutual_information
from skinfo._core._vectors import read_vector
from skinfo.dependence.kernels._kernel_vector import KernelVector
from skinfo.dependence.measures._hypercontractivity import Hypercontractivity
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._triple import index_triple

try:
    import npeet_plus
except ImportError:
    npeet_plus = None


def authors_formula(x: Any, y: Any, *, n_neighbors: int = 5) -> float:
    """Return the estimate of the code of Gao, Kannan, Oh and Viswanath 2017."""
    return mutual_information(x, y, n_neighbors=n_neighbors, scale=None, ties="gao")


def scikit_learn(
    x: Any,
    y: Any,
    *,
    x_discrete: bool = False,
    y_discrete: bool = False,
    n_neighbors: int = 5,
) -> float:
    """Return the estimate of scikit-learn for one feature, with these flags."""
    estimate = mutual_info_classif if y_discrete else mutual_info_regression
    values = estimate(
        np.reshape(x, (-1, 1)),
        y,
        discrete_features=x_discrete,
        n_neighbors=n_neighbors,
        random_state=0,
    )
    return float(values[0])


def npeet(
    x: Any,
    y: Any,
    *,
    x_discrete: bool = False,
    y_discrete: bool = False,
    n_neighbors: int = 5,
) -> float:
    """Return the estimate of NPEET that is meant for these flags.

    It adds noise from the global state of numpy.
    """
    x, y = (np.reshape(values, (len(values), -1)) for values in (x, y))
    np.random.seed(0)  # noqa: NPY002
    if x_discrete and y_discrete:
        return float(npeet_plus.midd(x, y, base=np.e))
    if x_discrete or y_discrete:
        number, category = (y, x) if x_discrete else (x, y)
        return float(
            npeet_plus.micd(number, category, k=n_neighbors, base=np.e, warning=False)
        )
    return float(npeet_plus.mi(x, y, k=n_neighbors, base=np.e))


def mesner_shalizi(
    x: Any, y: Any, *, scale: str | None = None, n_neighbors: int = 5
) -> float:
    """Return the estimate with the counts of Mesner and Shalizi 2019.

    All counts are closed. K leaves out the point itself, q_x and q_y include it:
    mean of psi(K) + log N - psi(q_x - 1) - psi(q_y - 1).
    """
    measure = MutualInformation(n_neighbors, scale, "gao")
    variables = [
        measure.prepare(
            read_vector(
                values,
                name=name,
                discrete="auto",
                discrete_name=f"{name}_discrete",
                nan_policy="raise",
            )
        )
        for name, values in (("x", x), ("y", y))
    ]
    triple = index_triple(*variables)
    joint = triple.joint.variable
    rows = np.arange(joint.n_rows)
    radius, _ = triple.joint.nth_distance(rows, n_neighbors + 1)
    k = triple.joint.closed_counts(rows, radius) - 1
    q_x = triple.xz.closed_counts(triple.rows_xz, radius)
    q_y = triple.yz.closed_counts(triple.rows_yz, radius)
    terms = digamma(k) + np.log(joint.n_samples) - digamma(q_x - 1) - digamma(q_y - 1)
    return float(np.average(terms, weights=joint.counts))


def kernel_pair(
    measure: Hypercontractivity, x: Any, y: Any
) -> tuple[KernelVector, KernelVector]:
    """Return two variables as hypercontractivity sees them."""
    kernel_x, kernel_y = (
        measure.prepare(
            read_vector(
                values,
                name=name,
                discrete="auto",
                discrete_name=f"{name}_discrete",
                nan_policy="raise",
                is_nominal=measure.is_nominal,
            )
        )
        for name, values in (("x", x), ("y", y))
    )
    return kernel_x, kernel_y
