import numpy as np
import pytest

from skinfo import hypercontractivity, maximal_correlation, mutual_information
from skinfo._core._vectors import read_vector
from skinfo.dependence.measures._by_name import MEASURES, make_measure

FUNCTIONS = {
    "mutual_information": mutual_information,
    "hypercontractivity": hypercontractivity,
    "maximal_correlation": maximal_correlation,
}


def prepared(measure, data):
    return measure.prepare(
        read_vector(
            data,
            name="x",
            discrete="auto",
            discrete_name="x_discrete",
            nan_policy="raise",
            is_nominal=measure.is_nominal,
        )
    )


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("mutual_information", None),
        ("mutual_information", {"n_neighbors": 3, "scale": None, "ties": "gao"}),
        ("hypercontractivity", {}),
        (
            "hypercontractivity",
            {"bandwidth_factor": 2.0, "min_fraction": None, "method": "paper"},
        ),
        ("maximal_correlation", None),
        ("maximal_correlation", {"bandwidth_factor": 0.8}),
    ],
)
def test_a_measure_is_the_function_of_its_name(name, params):
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    y, order = x + rng.normal(size=80), rng.permutation(80)
    measure = make_measure(name, params).measure
    found = measure.values(prepared(measure, x), prepared(measure, y), [None, order])
    expected = [FUNCTIONS[name](x, values, **params or {}) for values in (y, y[order])]
    assert [float(value) for value in found] == expected


def test_only_hypercontractivity_and_callables_have_a_direction():
    assert set(MEASURES) == set(FUNCTIONS)
    directed = {name for name, measure in MEASURES.items() if not measure.symmetric}
    assert directed == {"hypercontractivity"}
    assert not make_measure(np.dot, None).measure.symmetric


def test_a_callable_sees_columns_as_arrays_and_vectors_as_matrices():
    def sizes(x, y):
        return 10 * np.ndim(x) + np.ndim(y)

    chosen = make_measure(sizes, None)
    x = prepared(chosen.measure, np.zeros(5))
    y = prepared(chosen.measure, np.zeros((5, 2)))
    assert chosen.measure.values(x, y, [None, np.arange(5)]) == [12, 12]
    assert chosen.name == "sizes"


def test_parameters_of_the_reading_are_kept_apart():
    chosen = make_measure(
        "mutual_information",
        {"n_neighbors": 2, "discrete_features": True},
        extra=["discrete_features"],
    )
    assert chosen.measure.n_neighbors == 2
    assert chosen.reading == {"discrete_features": True}
    assert make_measure("mutual_information", None, extra=["a"]).reading == {}


@pytest.mark.parametrize(
    ("measure", "params", "error", "message"),
    [
        ("pearson", None, ValueError, "Pass one of 'mutual_information', 'hyper"),
        (["mutual_information"], None, ValueError, "is not a known measure"),
        (None, None, ValueError, "measure=None is not a known measure"),
        (
            "mutual_information",
            {"bandwidth_factor": 1},
            ValueError,
            "'bandwidth_factor', which is no parameter .* n_neighbors, scale, ties",
        ),
        ("maximal_correlation", {"min_fraction": 0.1}, ValueError, "'min_fraction'"),
        ("mutual_information", {"n_neighbors": 0}, ValueError, "at least 1"),
        ("mutual_information", {"scale": "log"}, ValueError, "scale='log'"),
        ("hypercontractivity", {"min_fraction": 2}, ValueError, "min_fraction=2"),
        ("maximal_correlation", {"bandwidth_factor": 0}, ValueError, "be positive"),
        ("mutual_information", [5], TypeError, "must be a dict or None, not list"),
        (np.dot, {"a": 1}, ValueError, "Bind its parameters with functools.partial"),
    ],
)
def test_what_cannot_be_chosen_is_named(measure, params, error, message):
    with pytest.raises(error, match=message):
        make_measure(measure, params)


@pytest.mark.parametrize("value", [None, "a", np.zeros(2)])
def test_a_callable_must_return_a_number(value):
    measure = make_measure(lambda *_: value, None).measure
    x = prepared(measure, np.zeros(5))
    with pytest.raises(TypeError, match="which is not a number"):
        measure.values(x, x, [None])


@pytest.mark.parametrize("measure", [*MEASURES, np.dot], ids=str)
def test_measures_refuse_too_few_samples(measure):
    with pytest.raises(ValueError, match="n_samples=1"):
        make_measure(measure, None).measure.check_samples(1)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_a_callable_cannot_write_to_the_data(n_columns):
    data = np.arange(10.0 * n_columns).reshape(-1, n_columns)
    chosen = make_measure(lambda x, _: x.sort(axis=0), None)
    with pytest.raises(ValueError, match="read-only"):
        chosen.measure.values(*[prepared(chosen.measure, data)] * 2, [None])
    assert data.flags.writeable
