"""The closed table of scikit-learn's models that can be compressed, and its numbers.

Files hold the numbers: one that was ever given out keeps its meaning.
"""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn import linear_model, neural_network, svm

# Classes are named, not imported: a version of scikit-learn may lack some of them.
KINDS: dict[int, str] = {
    1: "LinearRegression",
    2: "Ridge",
    3: "RidgeCV",
    4: "Lasso",
    5: "LassoCV",
    6: "LassoLars",
    7: "LassoLarsCV",
    8: "LassoLarsIC",
    9: "Lars",
    10: "LarsCV",
    11: "ElasticNet",
    12: "ElasticNetCV",
    13: "MultiTaskLasso",
    14: "MultiTaskLassoCV",
    15: "MultiTaskElasticNet",
    16: "MultiTaskElasticNetCV",
    17: "OrthogonalMatchingPursuit",
    18: "OrthogonalMatchingPursuitCV",
    19: "BayesianRidge",
    20: "ARDRegression",
    21: "HuberRegressor",
    22: "QuantileRegressor",
    23: "TheilSenRegressor",
    24: "SGDRegressor",
    25: "PassiveAggressiveRegressor",
    26: "LinearSVR",
    27: "PoissonRegressor",
    28: "GammaRegressor",
    29: "TweedieRegressor",
    64: "LogisticRegression",
    65: "LogisticRegressionCV",
    66: "RidgeClassifier",
    67: "RidgeClassifierCV",
    68: "SGDClassifier",
    69: "Perceptron",
    70: "PassiveAggressiveClassifier",
    71: "LinearSVC",
    128: "MLPRegressor",
    129: "MLPClassifier",
}
LINKS: dict[int, str] = {
    0: "identity",
    1: "exp",
    2: "softmax",
    3: "logistic",
    4: "ovr",
    5: "double_logistic",
    6: "modified_huber",
}
ACTIVATIONS: dict[int, str] = {0: "identity", 1: "logistic", 2: "tanh", 3: "relu"}
LAYOUTS: dict[int, str] = {0: "C", 1: "F", 2: "sparse"}
DTYPES: dict[int, str] = {0: "float64", 1: "float32"}
INTERCEPTS: dict[int, str] = {0: "vector", 1: "scalar", 2: "float"}
LABELS: dict[int, str] = {0: "single", 1: "multilabel", 2: "sparse_multilabel"}

NETWORKS = frozenset({"MLPRegressor", "MLPClassifier"})
CLASSIFIERS = frozenset(KINDS[i] for i in range(64, 72)) | {"MLPClassifier"}
LOGISTIC_REGRESSIONS = frozenset({"LogisticRegression", "LogisticRegressionCV"})
RIDGE_CLASSIFIERS = frozenset({"RidgeClassifier", "RidgeClassifierCV"})
# Their fit makes the loss that predict and score read.
GENERALIZED = frozenset({"PoissonRegressor", "GammaRegressor", "TweedieRegressor"})
# Since 1.8: to make an instance, even a copy, warns.
DEPRECATED = frozenset({"PassiveAggressiveRegressor", "PassiveAggressiveClassifier"})

_MODULES = (linear_model, svm, neural_network)
_NUMBERS = {name: kind for kind, name in KINDS.items()}


def kind_of(model: Any) -> int:
    """Return the number of the model's class, or raise a TypeError."""
    kind = _NUMBERS.get(type(model).__name__)
    if kind is None or type(model) is not _find_class(kind):
        raise TypeError(
            f"{type(model).__module__}.{type(model).__qualname__} cannot be "
            "compressed. Pass a fitted model of one of these classes of scikit-learn "
            f"(subclasses do not count): {', '.join(_NUMBERS)}."
        )
    return kind


def class_of(kind: int) -> Any:
    """Return the class with this number, or raise a ValueError."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind} is the number of no model that can be read.")
    found = _find_class(kind)
    if found is None:
        raise ValueError(
            f"scikit-learn {sklearn.__version__} has no {KINDS[kind]}. Read the model "
            "with a version that has it."
        )
    return found


def links_of(name: str) -> frozenset[str]:
    """Return the links that models of this class can have."""
    if name in LOGISTIC_REGRESSIONS:
        return frozenset({"softmax", "logistic", "ovr", "double_logistic"})
    return _LINKS.get(name, frozenset({"identity"}))


_LINKS: dict[str, frozenset[str]] = {
    "PoissonRegressor": frozenset({"exp"}),
    "GammaRegressor": frozenset({"exp"}),
    "TweedieRegressor": frozenset({"identity", "exp"}),
    "SGDClassifier": frozenset({"identity", "logistic", "ovr", "modified_huber"}),
    "MLPRegressor": frozenset({"identity", "exp"}),
    "MLPClassifier": frozenset({"softmax", "logistic"}),
}


def _find_class(kind: int) -> Any:
    """Return the class with this number, or None if scikit-learn lacks it."""
    found = (getattr(module, KINDS[kind], None) for module in _MODULES)
    return next((each for each in found if each is not None), None)
