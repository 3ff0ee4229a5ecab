"""Numbers that must not move: all public functions and estimators on small data.

The test compares with goldens.json, in which long arrays are weighted sums. As a script
it keeps every number, and compares those of two versions of the code bit by bit:

    PYTHONPATH=before python tests/test_goldens.py --dump before.json
    PYTHONPATH=after python tests/test_goldens.py --dump after.json
    python tests/test_goldens.py --compare before.json after.json

`--write` rewrites goldens.json. With dumps of other environments and processors, it
leaves out what is not about the same in all of them: where rounding decides between two
codes or two starts that are as good, only dumps of one machine tell.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import datetime as dt
import hashlib
import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import LinearSVC

import skinfo
from skinfo import datasets, inspection

GOLDENS = Path(__file__).with_name("goldens.json")
SHOWN = 16  # digits of a checksum
TOLERANCE = 1e-9  # relative to the number, or to 1 where it is smaller

# The names of cases of mutual information, and of what is built on it, begin so, or
# name it after a hyphen.
INFORMATION = (
    *("chow_liu", "conditional", "information", "interval", "mixed_mutual_info"),
    "pointwise",
)


def is_of_information(name):
    return name.startswith(INFORMATION) or "-information" in name


@dataclass(frozen=True)
class Case:
    """A function that returns numbers, arrays and files by name."""

    compute: Callable[[], dict[str, Any]]
    slow: bool
    tolerance: float


CASES = {}


def case(*parameters, slow=(), tolerance=TOLERANCE):
    """Register a function as a case, or as one for each of the parameters.

    `slow`: whether it is slow, or for which parameters.
    """

    def register(function):
        name = function.__name__
        if not parameters:
            CASES[name] = Case(function, slow is True, tolerance)
        for each in parameters:
            is_slow = slow is True or each in slow
            CASES[f"{name}-{each}"] = Case(partial(function, each), is_slow, tolerance)
        return function

    return register


# ----- data


def latent(n, seed=0):
    """Return x, y and z, of which y depends on both others and x on z."""
    z, x, y = np.random.default_rng(seed).normal(size=(3, n))
    x = x + 0.7 * z
    return x, x - 0.5 * z + 0.6 * y, z


def rounded(x, y, z):
    return x.round(1), y.round(1), z.round(0)


def zeros(x, y, z):
    return np.maximum(x, 0), np.where(y > 0.3, y, 0), np.maximum(z, -0.5)


def integers(x, y, z):
    return tuple(np.rint(2 * each).astype(np.int64) for each in (x, y, z))


def few_integers(x, y, z):
    return tuple(np.clip(np.rint(each), -2, 2).astype(np.int64) for each in (x, y, z))


def strings(x, y, z):
    letters = np.array(list("dbeac"))
    return tuple(letters[each + 2] for each in few_integers(x, y, z))


def string_and_number(x, y, z):
    return strings(x, y, z)[0], y, z


def number_and_string(x, y, z):
    _, y_text, z_text = strings(x, y, z)
    return x, y_text, z_text


def booleans(x, y, z):
    return x > 0.2, y > 0, z > -0.3


def single_precision(x, y, z):
    return tuple(each.astype(np.float32) for each in (x, y, z))


def huge(x, y, z):
    return 1e100 * x, 1e-100 * y, 1e6 + z


def large_integers(x, y, z):
    return tuple(2**62 + np.rint(1e3 * each).astype(np.int64) for each in (x, y, z))


def unsigned(x, y, z):
    return tuple(each.astype(np.uint64) for each in large_integers(x, y, z))


def dates(x, y, _z):
    start = np.datetime64("2024-02-29T12:00")
    hours = np.rint(500 * x).astype("m8[h]")
    return start + hours, np.rint(50 * y).astype("m8[m]"), start + hours // 100


def vectors(x, y, z):
    return np.column_stack([x, x * z]), np.column_stack([y, z + y**2]), z


def tied_vectors(x, y, z):
    a, b, _ = vectors(x, y, z)
    return a.round(0), b.round(1), np.column_stack([z.round(0), x > 0])


def text_vectors(x, y, z):
    a, b, c = strings(x, y, z)
    return np.column_stack([a, c]), np.column_stack([b, a]), np.column_stack([c, b])


def frames(x, y, z):
    a, b, c = strings(x, y, z)
    first = pd.DataFrame({"number": x, "text": pd.Categorical(a), "flag": z > 0})
    second = pd.DataFrame({"count": integers(x, y, z)[1], "text": b})
    return first, second, pd.DataFrame({"rounded": z.round(1), "text": c})


def polars_frames(x, y, z):
    import polars as pl

    return tuple(pl.from_pandas(each) for each in frames(x, y, z))


def arrow_tables(x, y, z):
    import pyarrow as pa

    return tuple(pa.Table.from_pandas(each) for each in frames(x, y, z))


def missing(x, y, z):
    x, y, z = x.copy(), y.astype(object), z.round(1)
    x[::7], x[3::50], y[1::9], z[2::11] = np.nan, np.inf, None, np.nan
    return x, y, z


def missing_text(x, y, z):
    a, b, c = strings(x, y, z)
    columns = pd.Series(a), pd.Series(b, dtype=object), pd.Series(c)
    for step, column in enumerate(columns):
        column[step :: 7 + step] = None
    return columns


def objects(x, y, z):
    large = [int(each) * 10**20 for each in np.rint(3 * x)]
    exact = np.array([Decimal(f"{each:.1f}") for each in y], dtype=object)
    mixed = ["low" if each < 0 else round(each) for each in z.tolist()]
    return np.array(large, dtype=object), exact, mixed


def constant(x, y, z):
    return np.ones_like(x), y, np.zeros_like(z)


def identifiers(x, y, z):
    return np.array([f"row {i}" for i in range(len(x))]), y, z


def repeated(x, y, z):
    return tuple(np.repeat(each[::4], 4)[: len(each)] for each in (x, y, z))


def functions(_x, _y, z):
    return z**3, np.where(z > 0, z, -2 * z), z


def moments(x, y, _z):
    zone = dt.timezone(dt.timedelta(hours=2))
    start = dt.datetime(2024, 2, 29, 12, tzinfo=zone)
    days = [dt.timedelta(days=each) for each in x.tolist()]
    hours = np.array([dt.timedelta(hours=round(each, 1)) for each in y.tolist()])
    dates = np.array([(start + each).date() for each in days])
    return [start + each for each in days], hours, dates


def unhashable(x, y, z):
    a, b, c = few_integers(x, y, z)
    found = np.empty((3, len(x)), dtype=object)
    for i, (first, second, third) in enumerate(zip(a, b, c, strict=True)):
        found[0, i] = [int(first), (1, {"two"})] if first > 0 else np.arange(2)
        found[1, i] = {"key": int(second)} if second != 0 else bytearray(b"0")
        found[2, i] = {int(third)}
    return tuple(found)


def close(x, y, z):
    near = 1 + np.spacing(1.0) * np.rint(8 * y)
    return np.where(x > 0, near, -1e5 * (x < -0.5)), y, np.where(z > 0, near, -1e5)


def masked(x, y, z):
    return np.ma.masked_greater(x, 1.5), np.ma.masked_less(integers(x, y, z)[1], -6), z


def continuous(x, y, z):
    return x, y, z


KINDS = {
    kind.__name__: kind
    for kind in (
        continuous,
        rounded,
        zeros,
        integers,
        few_integers,
        strings,
        string_and_number,
        number_and_string,
        booleans,
        single_precision,
        huge,
        large_integers,
        unsigned,
        dates,
        vectors,
        tied_vectors,
        text_vectors,
        frames,
        polars_frames,
        arrow_tables,
        missing,
        missing_text,
        objects,
        constant,
        identifiers,
        repeated,
        functions,
        moments,
        unhashable,
        close,
        masked,
    )
}
OMITTED = {"missing", "missing_text", "masked"}


def variables(kind, n, seed=0):
    """Return x, y and z of a kind, and the policy for its gaps."""
    policy = "omit" if kind in OMITTED else "raise"
    return KINDS[kind](*latent(n, seed)), {"nan_policy": policy}


def table(n, seed=0, gaps=False):
    """Return a frame of columns of many kinds, and a target."""
    x, y, z = latent(n, seed)
    texts = strings(x, y, z)
    frame = pd.DataFrame(
        {
            "number": x,
            "rounded": z.round(1),
            "zeros": np.maximum(y, 0),
            "count": integers(x, y, z)[2],
            "text": texts[0],
            "flag": y > 0,
            "copy": 2 * x,
            "class": pd.Categorical(texts[2]),
        }
    )
    if gaps:
        frame.loc[::6, "number"] = np.nan
        frame.loc[1::8, "text"] = None
        frame.loc[2::9, "rounded"] = np.nan
    return frame, y + 0.3 * x**2


# ----- mutual information

OPTIONS = [
    {},
    {"n_neighbors": 1, "scale": None, "ties": "gao"},
    {"n_neighbors": 3, "scale": "standard"},
    {"n_neighbors": 5, "scale": None},
    {"n_neighbors": 20},
    {"n_neighbors": 20, "scale": "standard", "ties": "gao"},
]


@case(*KINDS)
def information(kind):
    (x, y, _), policy = variables(kind, 120)
    of = partial(skinfo.mutual_information, x, y, **policy)
    return {"by options": [of(**options) for options in OPTIONS]}


@case(*KINDS)
def pointwise(kind):
    (x, y, z), policy = variables(kind, 120, seed=1)
    terms = partial(skinfo.pointwise_mutual_information, **policy)
    return {
        "terms": [terms(x, y, n_neighbors=3), terms(y, x, n_neighbors=3)],
        "paper": terms(z, y, scale=None, ties="gao"),
    }


@case(*KINDS)
def conditional(kind):
    (x, y, z), policy = variables(kind, 120, seed=2)
    of = partial(skinfo.conditional_mutual_information, x, y, z, **policy)
    return {"by options": [of(**options) for options in OPTIONS]}


@case()
def information_discrete():
    (x, y, z), _ = variables("few_integers", 150)
    X, Y, _ = frames(*latent(150))
    of, given = skinfo.mutual_information, skinfo.conditional_mutual_information
    return {
        "x": of(x, y, x_discrete=True),
        "both": of(x, y, x_discrete=True, y_discrete=True),
        "mask": of(np.column_stack([x, y]), z, x_discrete=[True, False]),
        "index": of(np.column_stack([x, y]), z, x_discrete=[-1], ties="gao"),
        "names": of(X, Y, y_discrete=["count"]),
        "z": given(x, y, z, z_discrete=True),
        "all": given(x, y, z, x_discrete=True, y_discrete=True, z_discrete=True),
        "x y": given(x, y, z + 0.1 * y, x_discrete=True, y_discrete=True),
    }


@case(3, 7, 12)
def information_few(n):
    result = {}
    for kind in ("continuous", "rounded", "strings", "string_and_number", "vectors"):
        (x, y, z), _ = variables(kind, n, seed=3)
        result[kind] = [
            estimate(*given, n_neighbors=k)
            for k in (1, n - 1)
            for estimate, given in (
                (skinfo.mutual_information, (x, y)),
                (skinfo.conditional_mutual_information, (x, y, z)),
            )
        ]
    return result


@case("continuous", "rounded", "string_and_number", "tied_vectors", "missing")
def information_many(kind):
    (x, y, z), policy = variables(kind, 4000, seed=4)
    return {
        "one job": skinfo.mutual_information(x, y, **policy),
        "two jobs": skinfo.mutual_information(x, z, n_jobs=2, **policy),
    }


@case("continuous", "zeros", "number_and_string", "missing")
def conditional_many(kind):
    (x, y, z), policy = variables(kind, 3000, seed=5)
    estimate = partial(skinfo.conditional_mutual_information, **policy)
    return {
        "one job": estimate(x, y, z),
        "two jobs": estimate(x, z, y, n_neighbors=3, n_jobs=2),
    }


@case(1, 2, slow={1})
def information_blocks(n_jobs):
    x, y, z = latent(33_500, seed=6)
    return {
        "x y": skinfo.mutual_information(x, y, n_jobs=n_jobs),
        "terms": skinfo.pointwise_mutual_information(x.round(2), z, n_jobs=n_jobs)[::9],
    }


@case(1, 2, slow=True)
def conditional_blocks(n_jobs):
    x, y, z = latent(33_500, seed=6)
    estimate = partial(skinfo.conditional_mutual_information, n_jobs=n_jobs)
    return {"x y": estimate(x, y, z), "rounded": estimate(x, y.round(1), z.round(1))}


@case()
def mixed_mutual_info():
    X, y = table(120)
    scores = skinfo.mixed_mutual_info
    iris, labels = load_iris(return_X_y=True)
    gaps, _ = table(120, gaps=True)
    many = np.random.default_rng(0).normal(size=(4000, 14)).round(2)
    return {
        "frame": scores(X, y),
        "options": scores(X, y, n_neighbors=3, scale="standard", ties="gao", n_jobs=2),
        "labels": scores(iris, labels, discrete_target=True),
        "features": scores(iris, labels, discrete_features=[0, 2]),
        "outputs": scores(X, np.column_stack([y, X["zeros"]]), n_neighbors=20),
        "text": scores(X, X["text"]),
        "gaps": scores(gaps, y, nan_policy="omit"),
        "both gaps": scores(gaps, gaps["text"], nan_policy="omit"),
        "many": scores(many, many.sum(axis=1), n_jobs=2),
    }


def ends(interval):
    return [interval.low, interval.high, interval.estimate, interval.confidence_level]


@case("rounded", "strings", "frames", "missing", slow={"frames", "missing"})
def interval(kind):
    (x, y, _), policy = variables(kind, 600)
    found = partial(skinfo.mutual_information_interval, x, y, random_state=0, **policy)
    return {
        "default": ends(found()),
        "options": ends(
            found(confidence_level=0.8, n_neighbors=3, scale="standard", ties="gao")
        ),
    }


@case()
def interval_sizes():
    x, y, z = latent(10_500)
    of = partial(skinfo.mutual_information_interval, random_state=1)
    return {
        "few, with a warning": ends(of(x[:80], y[:80])),
        "many": ends(of(strings(x, y, z)[0], y, n_jobs=2)),
    }


# ----- tests of independence, and pairs of columns


def outcome(result):
    found = [result.statistic, result.pvalue]
    return {"result": found, "null": result.null_distribution}


def undefined(_x, _y):
    return np.nan


def covariance(x, y):
    return abs(np.mean((x - np.mean(x)) * (y - np.mean(y))))


TESTED = {
    "continuous": {},
    "rounded": {"measure_params": {"n_neighbors": 10}},
    "strings": {},
    "frames": {"measure_params": {"n_neighbors": 3, "scale": "standard"}},
    "few_integers": {"measure_params": {"x_discrete": True, "ties": "gao"}},
    "missing": {"n_jobs": 2},
}


@case(*(f"information, {kind}" for kind in TESTED))
def independence_test(name):
    kind = name.removeprefix("information, ")
    (x, y, z), policy = variables(kind, 80)
    options = {**TESTED[kind], **policy, "n_permutations": 29, "random_state": 0}
    without = outcome(skinfo.independence_test(x, z, **options))
    given = outcome(skinfo.independence_test(x, y, z, **options))
    return {**without, **{f"{key} given z": value for key, value in given.items()}}


def independent():
    """Return triples x, y and z of which x and y are independent given z, by name."""
    x, y, z = latent(80, seed=7)
    noise = np.random.default_rng(8).normal(size=80)
    mixed = pd.DataFrame({"text": np.where(y > 0, "a", "b"), "number": z.round(1)})
    return {
        "continuous": (z + x, z + noise, z),
        "function of z": (z**3, np.exp(z), z),
        "y follows z": (z + x, np.sin(2 * z), z),
        "x follows z": (np.sin(2 * z), z + noise, z),
        "two columns": (z + x, noise, np.column_stack([z, y])),
        "strata": (x, noise, np.rint(z)),
        "text and number": (x, noise + z, mixed),
        "constant": (x, noise, np.zeros(len(z))),
    }


QUICK_CONDITIONS = {"information given strata", "information given two columns"}
CONDITIONS = tuple(f"information given {name}" for name in independent())


@case(*CONDITIONS, slow=set(CONDITIONS) - QUICK_CONDITIONS)
def independence_test_null(name):
    triple = independent()[name.removeprefix("information given ")]
    options = {"n_permutations": 45, "random_state": 1}
    test = partial(skinfo.independence_test, *triple, **options)
    found = outcome(test())
    if name.endswith(("continuous", "strata")):
        found["early"] = list(test(stop_early=True))
    return found


@case("information early", "information tasks")
def independence_test_of_many(name):
    x, y, z = latent(300, seed=9)
    noise = np.random.default_rng(10).normal(size=300)
    if name == "information tasks":
        options = {"n_permutations": 80, "n_jobs": 2, "random_state": 2}
        tied = outcome(skinfo.independence_test(x.round(1), noise.round(0), **options))
        return {**tied, "x y": skinfo.independence_test(x, y, **options).pvalue}
    options = {"n_permutations": 199, "stop_early": True, "random_state": 3}
    far = skinfo.independence_test(x[:60], noise[:60], **options)
    near = skinfo.independence_test(z[:60], y[:60], n_jobs=2, **options)
    return {**outcome(far), "near": list(near), "near null": near.null_distribution}


@case(
    *("hypercontractivity", "hypercontractivity, paper", "maximal_correlation"),
    slow={"hypercontractivity, paper"},
)
def independence_test_by_measure(name):
    measure, _, method = name.partition(", ")
    params = {"method": method} if method else {"x_discrete": [0]}
    X, Y, _ = frames(*latent(80))
    x, y = (X[["flag"]], Y[["count"]]) if not method else (X["number"], Y["count"])
    options = {"n_permutations": 19, "random_state": 0, "measure": measure}
    result = skinfo.independence_test(x, y, measure_params=params, **options)
    return outcome(result)


@case()
def independence_test_by_function():
    x, y, z = latent(90)
    options = {"measure": covariance, "n_permutations": 49, "random_state": 0}
    test = partial(skinfo.independence_test, **options)
    vector = partial(test, measure=lambda a, b: float(np.abs(a.T @ b).sum()))
    return {
        **outcome(test(x, y)),
        "vectors": outcome(vector(np.column_stack([x, z]), y))["result"],
        "undefined": list(test(x, y, measure=undefined, stop_early=True)),
    }


def arrays(result):
    found = vars(result).items()
    return {name: value for name, value in found if isinstance(value, np.ndarray)}


@case(
    *("information", "hypercontractivity", "maximal_correlation", "function"),
    slow={"hypercontractivity"},
)
def pairwise(name):
    X, _ = table(70)
    params = {
        "information": {"n_neighbors": 3, "discrete_features": ["count"]},
        "hypercontractivity": {"min_fraction": 0.1},
        "maximal_correlation": {"bandwidth_factor": 0.8},
    }
    measure = "mutual_information" if name == "information" else name
    X = X[["number", "rounded", "zeros", "count", "text", "flag"]]
    if name == "function":
        X, measure = X.iloc[:, :3], covariance
    if name == "hypercontractivity":
        X = X.iloc[:, 2:5]
    result = skinfo.pairwise_dependence(
        X,
        measure=measure,
        measure_params=params.get(name),
        n_permutations=2 if name == "hypercontractivity" else 9,
        random_state=0,
    )
    return arrays(result)


@case("information with gaps", "information of many", "information of few")
def pairwise_dependence(name):
    if name == "information of many":
        X = np.random.default_rng(0).normal(size=(4000, 7)).cumsum(axis=1)
        return arrays(skinfo.pairwise_dependence(X, n_jobs=2))
    X, _ = table(90, gaps=True)
    options = {"nan_policy": "omit", "n_permutations": 9, "random_state": 0}
    if name == "information of few":
        X.loc[5:, "zeros"] = np.nan  # with a warning
        options |= {"measure_params": {"n_neighbors": 4}, "n_jobs": 2}
    return arrays(skinfo.pairwise_dependence(X, **options))


@case("frame", "gaps", "numbers", "options", slow={"frame"})
def chow_liu(name):
    X, _ = table(110, gaps=name == "gaps")
    new, _ = table(60, seed=1, gaps=name == "gaps")
    options = {"nan_policy": "omit" if name == "gaps" else "raise"}
    if name == "numbers":
        X, new = (each[["number", "rounded", "zeros"]].to_numpy() for each in (X, new))
    if name == "options":
        options = {"n_neighbors": 3, "scale": "standard", "ties": "gao", "n_jobs": 2}
        options |= {"discrete_features": ["count"]}
    tree = skinfo.ChowLiuTree(**options).fit(X)
    return {**attributes(tree), "score": tree.score(new)}


# ----- selectors


def attributes(estimator):
    """Return the numbers among the attributes that fit has made."""
    found = {}
    for name, value in sorted(vars(estimator).items()):
        if (
            name.startswith("_")
            or not name.endswith("_")
            or name in {"n_features_in_", "n_iter_"}
        ):
            continue
        if isinstance(value, (int, float, list)) or hasattr(value, "dtype"):
            array = np.asarray(value)
            if array.dtype.kind in "biuf":
                found[name] = array
    return found


def of_selector(selector, X, y, new, new_y):
    selector.fit(X, y)
    found = {**attributes(selector), "support": selector.get_support()}
    if hasattr(selector, "tilt"):
        found |= {"tilt": selector.tilt(X), "new tilt": selector.tilt(new)}
    return {**found, "score": selector.score(new, new_y)}


SELECTORS = {
    "marginal": {"n_features_to_select": 3},
    "mrmr": {"strategy": "mrmr", "n_features_to_select": 4},
    "jmi": {"strategy": "jmi", "n_features_to_select": 0.5, "n_jobs": 2},
    "cmim": {"strategy": "cmim", "scale": "standard", "n_neighbors": 3},
    "cmim, gao": {"strategy": "cmim", "scale": None, "ties": "gao"},
    "tested": {"n_permutations": 39, "alpha": 0.2, "random_state": 0},
    "shared": {"n_permutations": 510, "random_state": 0, "n_jobs": 2},
    "warned": {"n_permutations": 9, "alpha": 0.05, "random_state": 0},
}


@case(*(f"information, {name}" for name in SELECTORS), slow={"information, shared"})
def selector(name):
    (X, y), (new, new_y) = table(100), table(70, seed=1)
    if name.endswith("shared"):
        X, new = X[["rounded"]], new[["rounded"]]
    if name.endswith("tested"):
        X, new = X.iloc[:, 1:5], new.iloc[:, 1:5]
    options = SELECTORS[name.removeprefix("information, ")]
    made = skinfo.MixedMutualInfo(**options)
    return of_selector(made, X, y, new, new_y)


STRATEGIES = tuple(
    f"information, {name}" for name in ("marginal", "mrmr", "jmi", "cmim")
)


@case(*STRATEGIES, slow=STRATEGIES[:3])
def selector_with_gaps(name):
    (X, y), (new, new_y) = table(90, gaps=True), table(260, seed=1, gaps=True)
    y[::10], new_y[::10] = np.nan, np.nan
    made = skinfo.MixedMutualInfo(
        strategy=name.removeprefix("information, "),
        nan_policy="omit",
        n_features_to_select=3,
    )
    return of_selector(made, X, y, new, new_y)


@case("information of text", "information of iris", "information of dates")
def selector_of_kind(name):
    X, _ = table(120)
    new, _ = table(250, seed=1)
    y, new_y = X.pop("text"), new.pop("text")
    made = skinfo.MixedMutualInfo(n_neighbors=3)
    if name.endswith("text"):
        X, new = X[["flag", "class"]], new[["flag", "class"]].astype(object)
        new.loc[::9, "class"] = "unseen"
    elif name.endswith("dates"):
        start = np.datetime64("2024-02-29")
        seconds, milliseconds = (
            np.rint(size * column.to_numpy()).astype(unit)[:, np.newaxis]
            for size, unit, column in (
                (1e4, "m8[s]", X["number"]),
                (1e7, "m8[ms]", new["number"]),
            )
        )
        X, new = start + seconds, start + milliseconds
    else:
        X, y = load_iris(return_X_y=True)
        X, new, y, new_y = X[::2], X[1::2], y[::2], y[1::2]
        made.set_params(discrete_target=True, discrete_features=[3])
    return of_selector(made, X, y, new, new_y)


@case()
def mixed_mutual_info_transformed():
    import polars as pl

    X, y = table(80)
    X = X[["number", "rounded", "zeros", "count"]]
    made = skinfo.MixedMutualInfo(n_features_to_select=2).fit(X, y)
    frame = pl.from_pandas(X)
    array = made.transform(frame)
    kept = clone(made).set_output(transform="polars").fit(frame, y).transform(frame)
    return {"array": array, "kept": kept.to_numpy(), "pandas": made.transform(X)}


POTENTIAL = {
    "forward": {},
    "backward": {"direction": "backward", "n_features_to_select": 2},
    "paper": {"method": "paper", "bandwidth_factor": 1.5},
    "uncapped": {"min_fraction": None, "n_features_to_select": 1},
    "tested": {"n_permutations": 9, "alpha": 0.5, "random_state": 0, "n_jobs": 2},
    "gaps": {"nan_policy": "omit", "n_features_to_select": 3},
    "backward gaps": {"nan_policy": "omit", "direction": "backward"},
}


@case(*POTENTIAL, slow={"tested", "gaps", "uncapped"})
def potential_selector(name):
    gaps = name.endswith("gaps")
    (X, y), (new, new_y) = table(60, gaps=gaps), table(40, seed=1, gaps=gaps)
    columns = ["number", "rounded", "zeros", "text"]
    X, new = X[columns], new[columns]
    if name == "paper":
        X, new = X[["number", "zeros"]], new[["number", "zeros"]]
    if name == "backward":
        y, new_y = X.pop("text"), new.pop("text")
    return of_selector(
        skinfo.HypercontractivityCoef(**POTENTIAL[name]), X, y, new, new_y
    )


# ----- hypercontractivity

SMOOTHED = [
    kind
    for kind in KINDS
    if kind not in {"polars_frames", "arrow_tables", "unsigned", "missing_text"}
]


@case(*SMOOTHED)
def hypercontractivity(kind):
    (x, y, _), policy = variables(kind, 50)
    value = partial(skinfo.hypercontractivity, x, y, **policy)
    found = {
        "values": [
            value(),
            value(bandwidth_factor=0.5, min_fraction=0.2),
            value(min_fraction=None),
            skinfo.maximal_correlation(x, y, **policy),
        ]
    }
    if kind in {
        "continuous",
        "few_integers",
        "vectors",
        "missing",
        "number_and_string",
    }:
        found["paper"] = value(method="paper")
    return found


@case()
def hypercontractivity_discrete_variables():
    (x, y, z), _ = variables("few_integers", 100)
    return {
        "none": skinfo.hypercontractivity(x, y, x_discrete=False, y_discrete=False),
        "all": skinfo.hypercontractivity(x, y + 0.1 * z, y_discrete=True),
        "correlation": skinfo.maximal_correlation(x, y, x_discrete=False),
    }


@case(
    *("rare", "many cells", "more cells", "landmarks", "many labels"),
    slow={"landmarks"},
)
def hypercontractivity_of_many(name):
    data = datasets.make_hidden_correlation(1200, noise=0.03, random_state=0)
    x, y = data.x, data.y
    if name == "landmarks":
        x, y, z = latent(2100)
        x, y = np.column_stack([x, z])[:, :2], (y > 0)
    if name == "many cells":
        x, y = np.arange(1500) % 7, np.arange(1500) ** 1.5
    if name == "more cells":
        x, y, _ = latent(2500)
        return {"value": skinfo.maximal_correlation(y, x > 0, bandwidth_factor=0.01)}
    if name == "many labels":
        x = np.array([f"label {i % 2050}" for i in range(3000)])
        y = np.arange(3000) % 7
    found = {"correlation": skinfo.maximal_correlation(x, y)}
    if name != "many labels":
        found["value"] = skinfo.hypercontractivity(x, y)
    return found


JOINTS = {
    "erasure": [[0.45, 0.45], [0.1, 0.0]],
    "symmetric": [[0.4, 0.1], [0.1, 0.4]],
    "independent": np.outer([0.2, 0.8], [0.5, 0.3, 0.2]),
    "counts, with a warning": [[5, 0, 1, 0], [0, 3, 2, 0], [0, 0, 0, 0], [1, 1, 8, 0]],
    "equal": np.diag([0.5, 0.25, 0.25]),
    "large": np.random.default_rng(0).dirichlet(np.full(60, 0.3)).reshape(10, 6),
    "constant": [[0.3], [0.7]],
}


# The search ends with steps of a quasi-Newton method, which was rewritten in SciPy 1.15
# and rounds otherwise.
@case(*JOINTS, slow={"symmetric"}, tolerance=1e-7)
def hypercontractivity_discrete(name):
    result = skinfo.hypercontractivity_discrete(JOINTS[name])
    return {"values": [result.value, result.lower_bound], "tilt": result.tilt}


# ----- score functions


def derivatives(estimator, X, new):
    """Return all that an estimator tells of a density."""
    estimator = estimator.fit(X)
    directions = np.random.default_rng(1).normal(size=(3, X.shape[1]))
    found = {
        **attributes(estimator),
        "transformed": estimator.transform(new),
        "scores": [estimator.score(), estimator.score(new)],
    }
    for name, points in (("new", new), ("own", None)):
        parts = [*estimator.log_density_derivatives(points)]
        for order in (1, 2, 3, 4):
            parts.append(estimator.score_function(points, order))
            parts.append(estimator.contract(points, directions, order))
        found[name] = np.concatenate([part.ravel() for part in parts])
    return found


def clusters(n, d, seed=0):
    """Return samples of two normal laws far apart."""
    rng = np.random.default_rng(seed)
    centers = np.where(np.arange(n) % 3 == 0, -4.0, 3.0)[:, np.newaxis]
    return centers + rng.normal(size=(n, d)) * np.arange(1, d + 1)


DENSITIES = {
    "gaussian": skinfo.GaussianScore(),
    "singular gaussian": skinfo.GaussianScore(),
    "full": skinfo.GaussianMixtureScore(random_state=0),
    "tied": skinfo.GaussianMixtureScore(covariance_type="tied", random_state=0),
    "diagonal": skinfo.GaussianMixtureScore(covariance_type="diag", random_state=0),
    "spherical": skinfo.GaussianMixtureScore(
        covariance_type="spherical", n_init=2, reg_covar=1e-3, random_state=0
    ),
    "single": skinfo.GaussianMixtureScore(1, random_state=0),
    "local": skinfo.LocalLikelihoodScore(bandwidth_factor=5),
    "local fourth": skinfo.LocalLikelihoodScore(
        bandwidth_factor=5, derivative_order=4, n_jobs=2
    ),
    "local fixed": skinfo.LocalLikelihoodScore(bandwidth=4.0, regularization=0.1),
    "local plain": skinfo.LocalLikelihoodScore(bandwidth=5.0, regularization=0),
    "local few": skinfo.LocalLikelihoodScore(bandwidth_factor=1.2),
    "local constant": skinfo.LocalLikelihoodScore(bandwidth_factor=5),
}


@case(*DENSITIES)
def density(name):
    X, new = clusters(90, 3), clusters(10, 3, seed=1)
    if name in {"singular gaussian", "local constant"}:
        X[:, 1], new[:, 1] = 2.0, 2.0
    return derivatives(clone(DENSITIES[name]), X, new)


@case(1, 2)
def local_likelihood_of_columns(d):
    X, new = clusters(300, d), clusters(40, d, seed=1)
    return derivatives(skinfo.LocalLikelihoodScore(bandwidth_factor=3.5), X, new)


@case(1, 2, slow={2})
def local_likelihood_on_a_grid(d):
    X = clusters(20_000, d)
    X[::5000] *= 4  # far from all others
    queries = X[::19]
    estimator = skinfo.LocalLikelihoodScore(bandwidth_factor=4).fit(X)
    gradient, hessian = estimator.log_density_derivatives(queries)
    found = {
        "gradient": gradient,
        "hessian": hessian,
        "score": estimator.score(queries),
    }
    if d == 1:
        found["own"] = estimator.score_function()[::50]
    return found


class ContractedGaussian(skinfo.GaussianScore):
    """An estimator of another package, of which only contractions are known."""

    quadratic_parts = None

    def __getattribute__(self, name):
        if name in {"quadratic_parts", "log_density_derivatives"}:
            raise AttributeError(name)
        return super().__getattribute__(name)


class DerivativesOfGaussian(skinfo.GaussianScore):
    """An estimator of another package, of which only derivatives are known."""

    def __getattribute__(self, name):
        if name in {"quadratic_parts", "contract"}:
            raise AttributeError(name)
        return super().__getattribute__(name)


GAUSSIAN = skinfo.GaussianScore()
# Of several starts that end at the same optimum, rounding chooses the best: but for a
# few cases there is one start.
UNPOLISHED = {
    "score_estimator": GAUSSIAN,
    "polish": False,
    "n_init": 1,
    "random_state": 0,
}
LOSSES = {
    "relu": UNPOLISHED,
    "relu, lbfgs": {**UNPOLISHED, "solver": "lbfgs", "n_init": 2},
    "relu, sgd": {**UNPOLISHED, "solver": "sgd", "max_iter": 15},
    "relu, paper": {
        **UNPOLISHED,
        "solver": "sgd",
        "residual_degree": None,
        "max_iter": 15,
        "mu": 10.0,
    },
    "relu, no residual": {**UNPOLISHED, "residual_degree": None, "max_iter": 4},
    "relu, linear": {**UNPOLISHED, "residual_degree": 1, "n_components": 2},
    "relu, mixed": UNPOLISHED,
    "relu, third": {**UNPOLISHED, "order": 3},
    "relu, outputs": UNPOLISHED,
    "relu, contracted": {**UNPOLISHED, "score_estimator": ContractedGaussian()},
    "relu, derivatives": {**UNPOLISHED, "score_estimator": DerivativesOfGaussian()},
    "relu, mixture": {
        **UNPOLISHED,
        "score_estimator": skinfo.GaussianMixtureScore(random_state=0),
    },
    "relu, local": {
        **UNPOLISHED,
        "max_iter": 4,
        "score_estimator": skinfo.LocalLikelihoodScore(
            bandwidth_factor=3.5, derivative_order=4
        ),
    },
    "relu, chosen": {"polish": False, "n_init": 1, "random_state": 0},
    "relu, ridge": {"estimator": Ridge(), **UNPOLISHED},
    "relu, slow": {**UNPOLISHED, "max_iter": 1},
    "tanh": {**UNPOLISHED, "activation": "tanh"},
    "tanh, few": {**UNPOLISHED, "activation": "tanh", "n_components": 2},
    "tanh, fourth": {
        **UNPOLISHED,
        "activation": "tanh",
        "order": 4,
        "max_iter": 4,
    },
    "logistic": {**UNPOLISHED, "activation": "logistic", "alpha": 1e-3},
}


def of_loss(model, data):
    model.fit(data.X, data.y)
    some = data.X[:50]
    found = {
        **attributes(model),
        "outputs": np.column_stack([model.transform(some), model.predict(some)]),
        "score": model.score(data.X, data.y),
    }
    with suppress(ValueError):  # there is none of order 3
        found["loss of truth"] = model.designed_loss(data.components)
    return found


def teacher(name, n=400, d=4):
    """Return samples of a network with the activation that a name begins with."""
    options = {"activation": name.partition(",")[0], "noise": 0.05, "random_state": 1}
    if options["activation"] != "relu":
        options |= {"bias_scale": 0.5}
    if name == "relu, mixed":
        options |= {"output_weights": "mixed"}
    if name == "relu, outputs":
        weights = np.random.default_rng(2).uniform(0.5, 1.5, size=(d, 2))
        options |= {"output_weights": weights}
    if name in {"relu, mixture", "relu, local"}:
        options |= {"input_law": "mixture"}
    return datasets.make_teacher_network(n, d, **options)


@case(*LOSSES)
def loss(name):
    model = skinfo.ScoreFunctionLoss(**LOSSES[name])
    return of_loss(model, teacher(name))


# The polish is by L-BFGS, which was rewritten in SciPy 1.15 and rounds otherwise. What
# is kept does not depend on the order of the units.
@case("relu", "tanh", "relu, chosen", slow={"relu, chosen"}, tolerance=1e-6)
def loss_polished(name):
    data = teacher(name, d=2 if name.endswith("chosen") else 4)
    activation, _, chosen = name.partition(", ")
    model = skinfo.ScoreFunctionLoss(
        activation=activation,
        score_estimator=None if chosen else GAUSSIAN,
        random_state=0,
    ).fit(data.X, data.y)
    return {
        "lengths": np.sort(np.linalg.norm(model.components_, axis=1)),
        "score": model.score(data.X, data.y),
        "predictions": model.predict(data.X[:50]),
    }


@case(
    *("few samples", "dependent features", "many features", "network"),
    slow={"many features"},
)
def loss_of_data(name):
    model = skinfo.ScoreFunctionLoss(**UNPOLISHED)
    data = teacher("relu", n=11 if name == "few samples" else 300, d=2)
    if name == "dependent features":
        data = teacher("relu", n=300, d=3)
        data.X = np.column_stack([data.X, 2 * data.X[:, 0], np.ones(300)])
        data.components = np.pad(data.components, [(0, 0), (0, 2)])
    if name == "many features":
        data = teacher("relu", n=4000, d=21)
    if name == "network":
        model.set_params(estimator=MLPRegressor(solver="lbfgs", random_state=0))
    return of_loss(model, data)


@case(slow=True)
def loss_of_truth():
    """Of so many features, of which the tensor is never formed."""
    data = datasets.make_teacher_network(150, 51, random_state=0)
    model = skinfo.ScoreFunctionLoss(**UNPOLISHED, max_iter=1)
    model.set_params(score_estimator=skinfo.LocalLikelihoodScore(bandwidth=8.0))
    model.fit(data.X, data.y)
    return {"loss": model.designed_loss(data.components)}


# ----- compression

FEATURES = 5


@cache
def inputs(n=80, d=FEATURES, seed=0):
    """Return correlated samples."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 0.7 * rng.normal(size=(n, 1))
    return X.round(4)


@cache
def targets(n=80, d=FEATURES):
    """Return numbers, labels, flags and counts that depend on the samples."""
    X = inputs(n, d)
    outputs = X[:, :3] + X[:, 2:5] / 2
    return {
        "number": outputs[:, 0],
        "numbers": outputs,
        "positive": np.exp(outputs[:, 0] / 4).round(3),
        "flag": outputs[:, 0] > 0,
        "label": np.array(["low", "mid", "top"])[outputs.argmax(axis=1)],
        "class": outputs.argmax(axis=1) * 10 - 7,
        "flags": (outputs > 0).astype(int),
        "sparse flags": csr_matrix((outputs > 0).astype(int)),
        "object": np.where(outputs[:, 0] > 0, "yes", "no").astype(object),
        "float": outputs.argmax(axis=1) - 1.0,
    }


NETWORK = {"hidden_layer_sizes": (4,), "max_iter": 1, "random_state": 0}
MODELS = {
    "LinearRegression": (LinearRegression(), "number"),
    "no intercept": (LinearRegression(fit_intercept=False), "number"),
    "Ridge": (Ridge(), "numbers"),
    "Lasso": (Lasso(0.1), "number"),
    "PoissonRegressor": (PoissonRegressor(), "positive"),
    "GammaRegressor": (GammaRegressor(), "positive"),
    "TweedieRegressor": (TweedieRegressor(power=1.5), "positive"),
    "normal TweedieRegressor": (TweedieRegressor(power=0), "number"),
    "binary LogisticRegression": (LogisticRegression(), "flag"),
    "LogisticRegression": (LogisticRegression(), "label"),
    "RidgeClassifier": (RidgeClassifier(), "class"),
    "RidgeClassifier of flags": (RidgeClassifier(), "flags"),
    "SGDClassifier": (SGDClassifier(random_state=0), "label"),
    "SGDClassifier of log_loss": (SGDClassifier("log_loss", random_state=0), "class"),
    "SGDClassifier of huber": (SGDClassifier("modified_huber", random_state=0), "flag"),
    "LinearSVC": (LinearSVC(), "flag"),
    "LogisticRegression of objects": (LogisticRegression(), "object"),
    "RidgeClassifier of floats": (RidgeClassifier(), "float"),
    "RidgeClassifier of booleans": (RidgeClassifier(), "flag"),
    "MLPClassifier": (MLPClassifier(**NETWORK), "label"),
    "MLPClassifier of sparse flags": (MLPClassifier(**NETWORK), "sparse flags"),
    "binary MLPClassifier": (MLPClassifier(activation="logistic", **NETWORK), "flag"),
    "MLPClassifier of flags": (MLPClassifier(**NETWORK), "flags"),
    "MLPRegressor": (MLPRegressor(activation="tanh", **NETWORK), "number"),
    "deep MLPRegressor": (
        MLPRegressor(activation="logistic", **NETWORK | {"hidden_layer_sizes": (4, 3)}),
        "numbers",
    ),
}


def with_numbers(model, X, y, seed=0, size=0.5):
    """Return a fitted model whose numbers do not depend on who fitted it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = clone(model).fit(X[:60], y[:60])
    rng = np.random.default_rng(seed)

    def others(numbers):
        return (size * rng.standard_normal(np.shape(numbers))).round(3)

    if hasattr(model, "coefs_"):
        model.coefs_ = [others(weights) for weights in model.coefs_]
        model.intercepts_ = [others(biases) for biases in model.intercepts_]
        return model
    model.coef_ = others(model.coef_)
    if getattr(model, "fit_intercept", True):
        model.intercept_ = np.float64(0.25) + others(model.intercept_)
    return model


@cache
def model_and_target(name):
    model, kind = MODELS[name]
    y = targets()[kind]
    return with_numbers(model, inputs(), y), y


def as_numbers(predictions):
    if issparse(predictions):
        return predictions.toarray()
    predictions = np.asarray(predictions)
    if predictions.dtype.kind in "USO":
        return np.unique(predictions, return_inverse=True)[1]
    return predictions


def of_compressor(compressor, X):
    """Return all that a fitted compressor tells."""
    model, data = compressor.compressed_estimator_, compressor.to_bytes()
    weights = [model.coef_, model.intercept_] if hasattr(model, "coef_") else []
    if not weights:
        weights = [*model.coefs_, *model.intercepts_]
    if issparse(weights[0]):
        weights[0] = weights[0].toarray()
    names = (
        *("n_bytes_", "rate_", "compression_ratio_", "distortion_"),
        *("relative_distortion_", "orthogonality_gap_", "gaussian_rate_"),
    )
    layers = [
        [*each.shape, each.rate, each.step or 0, each.n_levels, each.sparsity]
        for each in compressor.layers_
    ]
    report = [getattr(compressor, name) for name in names]
    outputs = compressor.transform(X)
    predictions = as_numbers(skinfo.load_compressed(data).predict(X))
    return {
        "file": data,
        "report": np.concatenate([report, np.ravel(layers)]),
        "numbers": np.concatenate(
            [np.ravel(each) for each in (*weights, outputs, predictions)]
        ),
    }


def compressed(model, X, y=None, **params):
    frozen = FrozenEstimator(model)
    compressor = skinfo.RDCompressor(frozen, random_state=0, **params)
    return of_compressor(compressor.fit(X, y), X)


QUICK_MODELS = {"LinearRegression", "binary LogisticRegression"}


@case(*MODELS, slow=MODELS.keys() - QUICK_MODELS)
def compressor(name):
    model, _ = model_and_target(name)
    return compressed(model, inputs())


METHODS = {
    "prune": {"method": "prune", "sparsity": 0.5},
    "prune all": {"method": "prune", "importance": "uniform"},
    "refit": {"method": "prune_refit", "sparsity": 0.6},
    "refit, damped": {"method": "prune_refit", "damping": 0.5},
    "kmeans": {"method": "kmeans"},
    "kmeans, n_bytes": {"method": "kmeans", "n_bytes": 60, "importance": "uniform"},
    "kmeans, distortion": {"method": "kmeans", "distortion": 0.05},
    "kmeans, gradient": {"method": "kmeans", "importance": "gradient", "rate": 2},
    "kmeans, hessian": {"method": "kmeans", "importance": "hessian"},
    "kmeans, both": {"method": "kmeans", "importance": "gradient+hessian"},
}
BY_METHOD = (
    "Ridge",
    "LogisticRegression",
    "PoissonRegressor",
    "SGDClassifier of log_loss",
    "binary MLPClassifier",
    "deep MLPRegressor",
)


@case(*METHODS, slow=METHODS.keys() - {"kmeans, both"})
def compressor_by_method(method):
    found, reports = {}, []
    for name in BY_METHOD:
        model, y = model_and_target(name)
        result = compressed(model, inputs(), y, **METHODS[method])
        found[name] = result["file"]
        reports.append(result["report"])
    return {**found, "reports": np.concatenate(reports)}


TARGETS = {
    "rate of 1": {"rate": 1},
    "rate of 6": {"rate": 6},
    "bytes": {"n_bytes": 70},
    "distortion": {"distortion": 0.02},
    "any distortion": {"distortion": 2},
    "plain": {"rdo": 0, "damping": 1e-6},
    "damped": {"damping": 0.3, "rdo": 0.5},
}


OF_ONE_LAYER = ("Ridge", "binary LogisticRegression", "LogisticRegression")
TARGETED = {f"{model}, {target}" for model, target in product(OF_ONE_LAYER, TARGETS)}
TARGETED |= {"MLPClassifier, bytes", "MLPClassifier, distortion"}
QUICK_TARGETED = {"Ridge, bytes", "Ridge, distortion", "Ridge, rate of 6"}


@case(*sorted(TARGETED), slow=TARGETED - QUICK_TARGETED)
def compressor_by_target(name):
    name, _, target = name.partition(", ")
    model, y = model_and_target(name)
    return compressed(model, inputs(), y, **TARGETS[target])


def sparse(X):
    return csr_array(np.where(np.abs(X) > 1, X, 0))


@case(
    *("Ridge", "LogisticRegression", "MLPClassifier"),
    slow=True,
)
def compressor_of_sparse(name):
    model, y = model_and_target(name)
    X = sparse(inputs())
    pruned = compressed(model, X, y, method="prune_refit", sparsity=0.5)
    clustered = compressed(model, X, y, method="kmeans", importance="hessian")
    return {
        **compressed(model, X),
        "pruned": pruned["file"],
        "clustered": clustered["file"],
    }


FEW = tuple(
    f"{name}, {n}"
    for name, n in product(
        ("Ridge", "LogisticRegression", "PoissonRegressor", "MLPRegressor"), (3, 8, 15)
    )
)


@case(*FEW, slow=True)
def compressor_of_few(name):
    name, _, n = name.partition(", ")
    model, _ = model_and_target(name)
    X = inputs()[: int(n)]
    met = compressed(model, X, distortion=0.1)
    found = {**compressed(model, X), "met": met["file"]}
    if not name.startswith("MLP"):
        found["sparse"] = compressed(model, sparse(X), rate=2)["file"]
    return found


def unusual_model(name):
    X, y = inputs(), targets()
    if name == "single precision":
        model = LogisticRegression().fit(X[:60].astype(np.float32), y["label"][:60])
        weights = np.random.default_rng(0).normal(size=(3, FEATURES))
        model.coef_ = weights.astype(np.float32)
        model.intercept_ = np.array([0.25, 0.5, -1], dtype=np.float32)
        return model
    if name == "sparse weights":
        model = LinearSVC().fit(X[:60], y["flag"][:60])
        model.coef_ = np.array([[0, 0.5, 0, -0.25, 0]])
        model.intercept_ = np.array([0.5])
        return model.sparsify()
    model = with_numbers(Ridge(), X, y["numbers"])
    if name == "fortran order":
        model.coef_ = np.asfortranarray(model.coef_)
    if name == "large":
        model.coef_ *= 1e6
    if name == "zero weights":
        model.coef_[:] = 0
    if name == "unused feature":
        model.coef_[:, 2] = 0
    return model


def unusual_samples(name):
    X = inputs().copy()
    if name == "constant samples":
        X[:] = 1.0
    if name == "constant features":
        X[:, 1], X[:, 3] = 3.0, 0.0
    if name == "dependent features":
        X[:, 4] = X[:, 0] + X[:, 1]
    if name == "large":
        X *= 1e-3
    if name == "scales":
        X *= np.logspace(-3, 3, FEATURES)
    return X


@case(
    *("single precision", "sparse weights", "fortran order", "zero weights"),
    *("unused feature", "large", "constant samples", "constant features"),
    *("dependent features", "scales"),
    slow={
        *("single precision", "sparse weights", "fortran order", "large"),
        *("dependent features", "scales"),
    },
)
def compressor_of_unusual(name):
    return compressed(unusual_model(name), unusual_samples(name), rate=4)


@case(
    *("many samples", "many weights", "many inputs", "coupled"),
    slow={"many weights", "many inputs", "coupled"},
)
def compressor_of_many(name):
    if name == "many samples":
        X = inputs(20_500, 3)
        model = with_numbers(LinearRegression(), X, X.sum(axis=1))
        return compressed(model, X)
    if name == "many weights":
        X = inputs(600, 250)
        model = with_numbers(Ridge(), X, X[:, :84])
        return compressed(model, X, rate=2)
    if name == "many inputs":
        X = inputs(60, 2100)
        model = with_numbers(Ridge(), X, X[:, 0])
        return compressed(model, X, method="kmeans", rate=1)
    X = inputs(100, 21)
    labels = np.arange(100) % 50
    model = with_numbers(LogisticRegression(max_iter=1), X, labels)
    return compressed(model, X, rate=2)


@case()
def compressor_that_fits():
    X, y = pd.DataFrame(inputs()).add_prefix("x"), targets()["number"]
    made = skinfo.RDCompressor(Ridge(), rate=5, random_state=0).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        made.save(path)
        made.save(path, feature_names=True)
        data, loaded = path.read_bytes(), skinfo.load_compressed(str(path))
    return {
        **of_compressor(made, X),
        "named file": data,
        "loaded": loaded.predict(X),
        "score": made.score(X, y, sample_weight=np.arange(len(y))),
    }


@case()
def compressor_as_classifier():
    model, y = model_and_target("binary LogisticRegression")
    X = inputs()
    made = skinfo.RDCompressor(FrozenEstimator(model), method="kmeans", rate=2).fit(X)
    small = skinfo.compress(model, X, y, method="kmeans", importance="gradient")
    return {
        "probabilities": made.predict_proba(X),
        "logarithms": made.predict_log_proba(X),
        "decisions": made.decision_function(X),
        "predictions": as_numbers(made.predict(X)),
        "score": made.score(X, y),
        "small": small.coef_,
    }


@case("Ridge", "LogisticRegression", slow={"LogisticRegression"})
def rate_distortion_curve(name):
    model, _ = model_and_target(name)
    made = skinfo.RDCompressor(FrozenEstimator(model), method="kmeans")
    X = inputs()
    curve = made.fit(X).rate_distortion_curve(X, [4, 1, 2])
    made.set_params(method="rate_distortion", random_state=0)
    return {
        **arrays(curve),
        "rounded": vars(made.rate_distortion_curve(X, [3]))["rates"],
    }


@case()
def gaussian_bounds():
    rng = np.random.default_rng(0)
    weights, samples = rng.normal(size=(2, 30, 6))
    first, second = np.cov(weights, rowvar=False), np.cov(samples, rowvar=False)
    singular = second.copy()
    singular[:2], singular[:, :2] = 0, 0
    pairs = {
        "full": (first, second),
        "singular": (first, singular),
        "none": (0 * first, second),
        "scales": (np.diag(np.logspace(-6, 6, 6)), second.astype(np.float32)),
    }
    amounts = (0.0, 0.1, 1.0, 5.0, 100.0)
    rates = {
        name: [skinfo.gaussian_rate_distortion(*pair, each) for each in amounts]
        for name, pair in pairs.items()
    }
    distortions = {
        f"{name}, inverse": [skinfo.gaussian_distortion_rate(*pair, r) for r in amounts]
        for name, pair in pairs.items()
    }
    return rates | distortions


CLUSTERED = {
    "normal": (400, 8),
    "ties": (500, 5),
    "few": (6, 10),
    "single": (50, 1),
    "large": (300, 4),
    "zero weights": (200, 6),
    "many": (4000, 16),
    "many tight": (4000, 3),
}


@case(*CLUSTERED)
def kmeans(name):
    n, n_clusters = CLUSTERED[name]
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=n), rng.exponential(size=n)
    if name == "ties":
        values = values.round(1)
    if name == "large":
        values = 1e15 + 1e3 * values
    if name == "zero weights":
        weights[::3] = 0
    if name == "many tight":
        values = values * 1e-6 + np.arange(n) % 5
    weighted = skinfo.weighted_kmeans_1d(values, weights, n_clusters)
    plain = skinfo.weighted_kmeans_1d(values, None, n_clusters)
    return {
        "centers": weighted.centers,
        "labels": weighted.labels,
        "inertia": [weighted.inertia, plain.inertia],
        "plain centers": plain.centers,
        "plain labels": plain.labels,
    }


# ----- datasets

GENERATED = {
    "mixture": partial(datasets.make_discrete_continuous_mixture, agreement=0.7),
    "plus uniform": datasets.make_discrete_plus_uniform,
    "pairs": partial(
        datasets.make_discrete_plus_uniform, n_values=3, n_pairs=2, with_mixture=True
    ),
    "poisson": partial(datasets.make_zero_inflated_poisson, zero_probability=0.3),
    "only zeros": partial(datasets.make_zero_inflated_poisson, zero_probability=1.0),
    "dropout": partial(datasets.make_gaussian_dropout, dropout=(0.2, 0.5)),
    "shared dropout": partial(datasets.make_gaussian_dropout, shared_mask=True),
    **{
        f"hidden {shape}": partial(
            datasets.make_hidden_correlation, shape=shape, fraction=0.3
        )
        for shape in (
            *("linear", "quadratic", "cubic", "sine", "fast_sine"),
            *("fourth_root", "circle", "step"),
        )
    },
    "hidden without noise": partial(datasets.make_hidden_correlation, noise=0.0),
    "hidden without segment": partial(datasets.make_hidden_correlation, fraction=0.0),
    **{
        f"teacher {law}": partial(
            datasets.make_teacher_network, n_features=3, input_law=law, noise=0.1
        )
        for law in ("gaussian", "laplace", "logistic", "student", "mixture")
    },
    "teacher tanh": partial(
        datasets.make_teacher_network,
        activation="tanh",
        bias_scale=0.5,
        output_weights="mixed",
        orthogonal=False,
        n_components=7,
    ),
    "teacher logistic units": partial(
        datasets.make_teacher_network,
        activation="logistic",
        n_components=2,
        output_weights=np.array([[1.0, -1.0], [0.5, 2.0]]),
    ),
}


@case(*GENERATED)
def generated(name):
    return dict(GENERATED[name](40, random_state=0))


# ----- displays


def drawn(display):
    """Return the numbers of a picture, and close it."""
    from matplotlib import pyplot as plt

    axes = display.ax_
    found = {
        "bars": [[each.get_y(), each.get_width()] for each in axes.patches],
        "lines": [np.asarray(each.get_xydata(), dtype=float) for each in axes.lines],
        "marks": [np.asarray(each.get_offsets()) for each in axes.collections],
        "images": [np.ma.filled(each.get_array(), np.nan) for each in axes.images],
        "limits": [*axes.get_xlim(), *axes.get_ylim()],
    }
    plt.close(display.figure_)
    return {
        name: np.concatenate([np.ravel(each) for each in parts])
        for name, parts in found.items()
        if len(parts) > 0
    }


@case("information, scores", "information, tree", "information, pairs")
def selector_display(name):
    X, y = table(60)
    if name.endswith("tree"):
        tree = skinfo.ChowLiuTree().fit(X)
        return drawn(inspection.ChowLiuTreeDisplay.from_estimator(tree))
    if name.endswith("pairs"):
        display = inspection.PairwiseDependenceDisplay.from_data(
            X.iloc[:, :4], n_permutations=9, alpha=0.2, random_state=0
        )
        return drawn(display)
    made = skinfo.MixedMutualInfo(
        n_features_to_select=3, n_permutations=9, random_state=0
    ).fit(X, y)
    return drawn(inspection.DependenceDisplay.from_estimator(made))


@case("number", "text", "class", "day", slow={"number", "class"})
def tilt_display(feature):
    X, y = table(60)
    X = X[["number", "text", "class"]]
    X["day"] = np.datetime64("2024-02-29") + np.rint(X["number"] * 9).astype("m8[D]")
    made = skinfo.HypercontractivityCoef().fit(X, y)
    display = inspection.TiltDisplay.from_estimator(made, X, y, feature=feature)
    return {**drawn(display), "sizes": display.scatter_.get_sizes()}


@case()
def rate_distortion_display():
    model, y = model_and_target("Ridge")
    X = inputs()
    made = skinfo.RDCompressor(FrozenEstimator(model), method="kmeans").fit(X)
    from_estimator = inspection.RateDistortionDisplay.from_estimator
    return drawn(from_estimator(made, X, y, rates=[3, 2]))


# ----- the numbers of a case, whole and in short


def computed(name):
    """Return the values of a case, and how many warnings it gave if there were any."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = dict(CASES[name].compute())
    if caught:
        values["warnings"] = len(caught)
    return values


def whole(value):
    """Return a value as it goes into a dump: every bit of it."""
    if isinstance(value, bytes):
        return {"n_bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    array = np.asarray(value)
    numbers = map(float, array.ravel().tolist())
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "values": [number.hex() for number in numbers],
    }


def short(value):
    """Return a value as it goes into goldens.json: of an array, weighted sums."""
    if isinstance(value, bytes):
        return [len(value), hashlib.sha256(value).hexdigest()[:SHOWN]]
    numbers = np.asarray(value, dtype=np.float64).ravel()
    if numbers.size > 3:
        numbers = np.nan_to_num(numbers, nan=0.7, posinf=5.3, neginf=-4.1)
        places = np.arange(numbers.size)
        numbers = np.array([numbers.mean(), np.mean(numbers * np.cos(1 + 2 * places))])
    found = [_written(number) for number in numbers.tolist()]
    return found if len(found) != 1 else found[0]


def _written(number):
    """Return a number with as many digits as count."""
    if not np.isfinite(number):
        return str(number)
    number = float(f"{number:.10g}")
    return int(number) if number.is_integer() else number


@cache
def goldens():
    return json.loads(GOLDENS.read_text())


def differences(found, expected, tolerance):
    """Return where the short values of a case differ, and how.

    None is expected where rounding decides.
    """
    different = {}
    for key in sorted(found.keys() | expected.keys()):
        one, other = found.get(key), expected.get(key, "nothing")
        if other is not None and not _is_close(one, other, tolerance):
            different[key] = f"{one}, not {other}"
    return different


def _is_close(one, other, tolerance):
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return False
        return all(map(partial(_is_close, tolerance=tolerance), one, other))
    if not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
        return one == other
    return abs(one - other) <= tolerance * max(1, abs(other))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if each.slow else [])
        for name, each in CASES.items()
    ],
)
def test_numbers_have_not_moved(name):
    expected = goldens()[name]
    found = {key: short(value) for key, value in computed(name).items()}
    assert not differences(found, expected, CASES[name].tolerance)


def test_no_golden_is_left_over():
    assert goldens().keys() == CASES.keys()


# ----- the script


def dump():
    """Return all values of all cases, every bit of them."""
    return {
        name: {key: whole(value) for key, value in computed(name).items()}
        for name in CASES
    }


def compare(first, second, relative):
    """Yield the lines of a report on two dumps; those of differences are indented."""
    largest, n_values = 0.0, 0
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name, {}), second.get(name, {})
        for key in sorted(one.keys() | other.keys()):
            n_values += len(one.get(key, {}).get("values", "1"))
            if one.get(key) == other.get(key):
                continue
            distance = _distance(one.get(key), other.get(key))
            if is_of_information(name) and distance < np.inf:
                largest = max(largest, distance)
                if distance <= relative:
                    continue
            yield f"  {name}: {key} differs by {distance:.3g}"
    yield f"{n_values} values of {len(first.keys() | second.keys())} cases"
    yield f"largest relative difference of mutual information: {largest:.3g}"


def _distance(one, other):
    """Return the largest relative difference of two values of dumps.

    Infinity, if they are not arrays of one shape with NaN at the same places.
    """
    if not (one and other and "values" in one and "values" in other):
        return np.inf
    if one["shape"] != other["shape"] or one["dtype"] != other["dtype"]:
        return np.inf
    first, second = (
        np.array([float.fromhex(number) for number in each["values"]])
        for each in (one, other)
    )
    known = np.isfinite(first) & np.isfinite(second)
    if not np.array_equal(first[~known], second[~known], equal_nan=True):
        return np.inf
    first, second = first[known], second[known]
    scales = np.maximum(1, np.abs(first))
    return float(np.max(np.abs(first - second) / scales, initial=0.0))


def short_of_dump(value):
    """Return a value of a dump as it goes into goldens.json."""
    if "values" not in value:
        return [value["n_bytes"], value["sha256"][:SHOWN]]
    return short([float.fromhex(number) for number in value["values"]])


def write(dumps):
    """Write goldens.json, without what is not about the same in all dumps."""
    lines = []
    for name, each in CASES.items():
        found = {key: short(value) for key, value in computed(name).items()}
        for dumped in dumps:
            other = {key: short_of_dump(value) for key, value in dumped[name].items()}
            for key in differences(found, other, each.tolerance / 10):
                found[key] = None
        written = json.dumps(found, separators=(",", ":"))
        lines.append(f"{json.dumps(name)}: {written}")
    GOLDENS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--dump", metavar="FILE", type=Path)
    action.add_argument("--compare", metavar="FILE", type=Path, nargs=2)
    action.add_argument("--write", metavar="DUMP", type=Path, nargs="*")
    parser.add_argument(
        "--relative",
        metavar="DIFFERENCE",
        type=float,
        default=0.0,
        help="what cases of mutual information may differ by, relative to 1 or more",
    )
    options = parser.parse_args()
    if options.dump is not None:
        options.dump.write_text(json.dumps(dump(), indent=0))
        return 0
    if options.write is not None:
        write([json.loads(path.read_text()) for path in options.write])
        return 0
    first, second = (json.loads(path.read_text()) for path in options.compare)
    lines = list(compare(first, second, options.relative))
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(line.startswith("  ") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
