import inspect
import pickle
import subprocess
import sys
from dataclasses import fields

import pytest
from sklearn.base import BaseEstimator

import skinfo
from skinfo.dependence.measures._hypercontractivity import (
    FeatureHypercontractivity,
    Hypercontractivity,
)
from skinfo.dependence.measures._maximal_correlation import MaximalCorrelation
from skinfo.dependence.measures._mutual_information import MutualInformation

MODULES = [skinfo, skinfo.datasets, skinfo.inspection]
PUBLIC = [
    pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
    for module in MODULES
    for name in module.__all__
    if callable(getattr(module, name))
]
CLASSES = [public for public in PUBLIC if inspect.isclass(public.values[0])]
ESTIMATORS = [
    public for public in CLASSES if issubclass(public.values[0], BaseEstimator)
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_all_lists_the_public_names(module):
    found = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    modules = {"datasets", "inspection", "__version__"} if module is skinfo else set()
    assert set(module.__all__) == found | modules
    assert sorted(module.__all__) == sorted(set(module.__all__))


@pytest.mark.parametrize("public", PUBLIC)
def test_public_names_have_documented_parameters_and_an_example(public):
    doc = inspect.getdoc(public)
    assert ">>>" in doc
    for name in inspect.signature(public).parameters:
        assert name in doc


@pytest.mark.parametrize("public", PUBLIC)
def test_public_names_are_annotated(public):
    function = public.__init__ if inspect.isclass(public) else public
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    assert all(p.annotation is not p.empty for p in parameters)
    assert signature.return_annotation is not signature.empty


@pytest.mark.parametrize("public", PUBLIC)
def test_only_the_first_two_parameters_are_positional(public):
    # but for what is required, y, and parameters that are passed on
    parameters = list(inspect.signature(public).parameters.values())
    assert all(
        p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) or p.default is p.empty
        for p in parameters[2:]
        if p.name not in ("y", "z")
    )


def with_parameter(name, measure):
    return [
        pytest.param(*public.values, measure, id=f"{public.id}-{measure.__name__}")
        for public in PUBLIC
        if name in inspect.signature(public.values[0]).parameters
    ]


@pytest.mark.parametrize(
    ("public", "measure"),
    [
        *with_parameter("ties", MutualInformation),
        *with_parameter("min_fraction", Hypercontractivity),
        *with_parameter("direction", FeatureHypercontractivity),
        (skinfo.maximal_correlation, MaximalCorrelation),
    ],
)
def test_parameters_of_a_measure_have_its_defaults(public, measure):
    parameters = inspect.signature(public).parameters
    defaults = {field.name: field.default for field in fields(measure)}
    assert {name: parameters[name].default for name in defaults} == defaults


@pytest.mark.parametrize("public", CLASSES)
def test_public_methods_are_documented(public):
    for name, method in inspect.getmembers(public, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.getdoc(method), name


@pytest.mark.parametrize("public", ESTIMATORS)
def test_estimators_pickle_unfitted(public):
    required = [
        p.name
        for p in inspect.signature(public).parameters.values()
        if p.default is p.empty
    ]
    defaults = public(**dict.fromkeys(required)).get_params(deep=False)
    parameters = {name: f"value of {name}" for name in defaults}
    restored = pickle.loads(pickle.dumps(public(**parameters)))
    assert restored.get_params(deep=False) == parameters


def test_import_loads_nothing_beyond_scikit_learn():
    optional = "{'dask', 'matplotlib', 'pandas', 'polars'}"
    code = (
        "import sys, sklearn.feature_selection; "
        f"before = {optional} & set(sys.modules); "
        "import skinfo; "
        f"print(({optional} & set(sys.modules)) == before)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert out.stdout.decode().strip() == "True"
