"""The closed table of scikit-learn's models that can be compressed.

All that distinguishes one class from another stands in its row. To add a class is to
add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from importlib import import_module
from typing import Any

import sklearn


def _only_link(model: Any) -> str:
    """Return the one link in the row of the model."""
    (link,) = family_of(model).links
    return link


@dataclass(frozen=True, eq=False)
class ModelFamily:
    """A class of scikit-learn, and how its fitted models are read and written.

    Attributes
    ----------
    id : int
        The number of the class in files, 1 to 255. A number that was given out keeps
        its meaning.
    name : str
        The name of the class. It is looked up when needed: a version of scikit-learn
        may lack it.
    module : str
        The public module of the class.
    links : mapping of str to dict
        The names of the links that its models can have, and for each the parameters
        that make a new instance predict with it.
    read_link : callable
        Returns the name of the link of a fitted model.
    is_network : bool
        Whether weights are the lists `coefs_` and `intercepts_`, not `coef_` and
        `intercept_`.
    is_classifier : bool
        Whether there are `classes_`.
    least_classes : int
        The least number of classes.
    negative_label : int or None
        The one of the label binarizer that `predict` reads, which also knows several
        labels. None: there is no binarizer.
    sparsifies : bool
        Whether the weights can be sparse, by the method `sparsify`.
    has_power : bool
        Whether predictions or scores depend on the parameter `power`.
    fit_makes_loss : bool
        Whether `predict` or `score` reads a loss that only `fit` makes.
    is_deprecated : bool
        Whether making an instance, even a copy, warns.
    """

    id: int
    name: str
    _: KW_ONLY
    module: str = "sklearn.linear_model"
    links: Mapping[str, dict[str, Any]] = field(
        default_factory=lambda: {"identity": {}}
    )
    read_link: Callable[[Any], str] = _only_link
    is_network: bool = False
    is_classifier: bool = False
    least_classes: int = 2
    negative_label: int | None = None
    sparsifies: bool = False
    has_power: bool = False
    fit_makes_loss: bool = False
    is_deprecated: bool = False

    def __reduce__(self) -> tuple[Callable[[int], ModelFamily], tuple[int]]:
        """Pickle the number alone: a family is one object."""
        return family_with_id, (self.id,)

    def find_class(self) -> Any:
        """Return the class, or None if the installed scikit-learn lacks it."""
        return getattr(import_module(self.module), self.name, None)

    def model_class(self) -> Any:
        """Return the class, or raise a ValueError if scikit-learn lacks it."""
        found = self.find_class()
        if found is None:
            raise ValueError(
                f"scikit-learn {sklearn.__version__} has no {self.name}. Read the "
                "model with a version that has it."
            )
        return found


def family_of(model: Any) -> ModelFamily:
    """Return the family of a model, or raise a TypeError."""
    for family in FAMILIES.values():
        if family.name == type(model).__name__ and family.find_class() is type(model):
            return family
    raise TypeError(
        f"{type(model).__module__}.{type(model).__qualname__} cannot be "
        "compressed. Pass a fitted model of one of these classes of scikit-learn "
        "(subclasses do not count): "
        f"{', '.join(family.name for family in FAMILIES.values())}."
    )


def family_with_id(number: int) -> ModelFamily:
    """Return the family with this number in files, or raise a ValueError."""
    if number not in FAMILIES:
        raise ValueError(f"kind={number} is the number of no model that can be read.")
    return FAMILIES[number]


def _logistic_link(model: Any) -> str:
    """Return the link of a logistic regression, by the rules of its version."""
    is_binary = len(model.classes_) <= 2
    # the parameter multi_class was removed in 1.8
    multi_class = model.get_params(deep=False).get("multi_class")
    if multi_class is None:
        return "logistic" if is_binary else "softmax"
    by_default = multi_class in ("auto", "deprecated")
    is_ovr = multi_class in ("ovr", "warn") or (
        by_default and (is_binary or model.solver == "liblinear")
    )
    if is_binary:
        return "logistic" if is_ovr else "double_logistic"
    return "ovr" if is_ovr else "softmax"


def _sgd_link(model: Any) -> str:
    """Return the link of an SGDClassifier, which its loss decides."""
    binary_or_not = "logistic" if len(model.classes_) <= 2 else "ovr"
    links = {"log_loss": binary_or_not, "modified_huber": "modified_huber"}
    return links.get(model.loss, "identity")


def _tweedie_link(model: Any) -> str:
    """Return the link of a TweedieRegressor; "auto" depends on its power."""
    auto = "exp" if model.power > 0 else "identity"
    return {"auto": auto, "log": "exp"}.get(model.link, "identity")


_LOGISTIC: dict[str, Any] = {
    "links": {
        "softmax": {},
        "logistic": {},
        "ovr": {"multi_class": "deprecated", "solver": "liblinear"},
        "double_logistic": {"multi_class": "multinomial"},
    },
    "read_link": _logistic_link,
    "is_classifier": True,
    "sparsifies": True,
}
_GENERALIZED: dict[str, Any] = {"links": {"exp": {}}, "fit_makes_loss": True}
_RIDGE_CLASSIFIER: dict[str, Any] = {"is_classifier": True, "negative_label": -1}
_SPARSE_CLASSIFIER: dict[str, Any] = {"is_classifier": True, "sparsifies": True}
_NETWORK: dict[str, Any] = {
    "module": "sklearn.neural_network",
    "is_network": True,
    "read_link": lambda model: str(model.out_activation_),
}

FAMILIES: dict[int, ModelFamily] = {
    family.id: family
    for family in (
        ModelFamily(1, "LinearRegression"),
        ModelFamily(2, "Ridge"),
        ModelFamily(3, "RidgeCV"),
        ModelFamily(4, "Lasso"),
        ModelFamily(5, "LassoCV"),
        ModelFamily(6, "LassoLars"),
        ModelFamily(7, "LassoLarsCV"),
        ModelFamily(8, "LassoLarsIC"),
        ModelFamily(9, "Lars"),
        ModelFamily(10, "LarsCV"),
        ModelFamily(11, "ElasticNet"),
        ModelFamily(12, "ElasticNetCV"),
        ModelFamily(13, "MultiTaskLasso"),
        ModelFamily(14, "MultiTaskLassoCV"),
        ModelFamily(15, "MultiTaskElasticNet"),
        ModelFamily(16, "MultiTaskElasticNetCV"),
        ModelFamily(17, "OrthogonalMatchingPursuit"),
        ModelFamily(18, "OrthogonalMatchingPursuitCV"),
        ModelFamily(19, "BayesianRidge"),
        ModelFamily(20, "ARDRegression"),
        ModelFamily(21, "HuberRegressor"),
        ModelFamily(22, "QuantileRegressor"),
        ModelFamily(23, "TheilSenRegressor"),
        ModelFamily(24, "SGDRegressor", sparsifies=True),
        ModelFamily(
            25, "PassiveAggressiveRegressor", sparsifies=True, is_deprecated=True
        ),
        ModelFamily(26, "LinearSVR", module="sklearn.svm"),
        ModelFamily(27, "PoissonRegressor", **_GENERALIZED),
        ModelFamily(28, "GammaRegressor", **_GENERALIZED),
        ModelFamily(
            29,
            "TweedieRegressor",
            links={"identity": {"link": "identity"}, "exp": {"link": "log"}},
            read_link=_tweedie_link,
            has_power=True,
            fit_makes_loss=True,
        ),
        ModelFamily(64, "LogisticRegression", **_LOGISTIC),
        ModelFamily(65, "LogisticRegressionCV", **_LOGISTIC),
        ModelFamily(66, "RidgeClassifier", **_RIDGE_CLASSIFIER),
        ModelFamily(67, "RidgeClassifierCV", **_RIDGE_CLASSIFIER),
        ModelFamily(
            68,
            "SGDClassifier",
            links={
                "identity": {},
                "logistic": {"loss": "log_loss"},
                "ovr": {"loss": "log_loss"},
                "modified_huber": {"loss": "modified_huber"},
            },
            read_link=_sgd_link,
            **_SPARSE_CLASSIFIER,
        ),
        ModelFamily(69, "Perceptron", **_SPARSE_CLASSIFIER),
        ModelFamily(
            70, "PassiveAggressiveClassifier", is_deprecated=True, **_SPARSE_CLASSIFIER
        ),
        ModelFamily(71, "LinearSVC", module="sklearn.svm", **_SPARSE_CLASSIFIER),
        ModelFamily(
            128,
            "MLPRegressor",
            links={"identity": {}, "exp": {"loss": "poisson"}},
            **_NETWORK,
        ),
        ModelFamily(
            129,
            "MLPClassifier",
            links={"softmax": {}, "logistic": {}},
            is_classifier=True,
            least_classes=1,
            negative_label=0,
            **_NETWORK,
        ),
    )
}
