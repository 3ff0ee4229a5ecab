"""The functions of mutual information: invariances, kinds of input, bad input."""

from __future__ import annotations

import itertools

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo import mixed_mutual_info, mutual_information, pointwise_mutual_information
from skinfo._core._columns import read_columns
from skinfo.dependence.measures import _mutual_information

SCALES = ("rank", "standard", None)
SMALL = settings(derandomize=True, deadline=None, max_examples=50)
EXACT = {"rel": 0, "abs": 1e-12}  # sums in another order


def correlated(n_samples=200, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_samples)
    y = x + rng.normal(size=n_samples)
    return (
        (x, y) if decimals is None else (np.round(x, decimals), np.round(y, decimals))
    )


def mixed(n_samples=200, seed=0):
    """Return two vectors that have atoms, and are continuous beside them."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n_samples, 2))
    y[:, 0] += x[:, 0]
    keep = rng.random(n_samples) < 0.6
    return x * keep[:, np.newaxis], y * keep[:, np.newaxis]


PAIRS = {
    "continuous": correlated(),
    "rounded": correlated(decimals=1),
    "integers": correlated(decimals=0),
    "mixed vectors": mixed(),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


@st.composite
def lattice_pairs(draw):
    """Draw a small pair of scalars or vectors on the halves of integers."""
    n_samples = draw(st.integers(4, 16))
    return [
        draw(
            hnp.arrays(
                int, (n_samples, draw(st.integers(1, 2))), elements=st.integers(-9, 9)
            )
        )
        / 2
        for _ in range(2)
    ]


scales = st.sampled_from(list(SCALES))


# invariances


@SMALL
@given(lattice_pairs(), scales)
def test_swap_of_x_and_y_changes_nothing(pair, scale):
    x, y = pair
    estimate = mutual_information(x, y, n_neighbors=3, scale=scale)
    swapped = mutual_information(y, x, n_neighbors=3, scale=scale)
    assert swapped == pytest.approx(estimate, **EXACT)


@SMALL
@given(lattice_pairs(), scales, st.randoms(use_true_random=False))
def test_order_of_rows_only_orders_the_terms(pair, scale, random):
    x, y = pair
    order = np.array(random.sample(range(len(x)), len(x)))
    terms = pointwise_mutual_information(x, y, n_neighbors=3, scale=scale)
    shuffled = pointwise_mutual_information(
        x[order], y[order], n_neighbors=3, scale=scale
    )
    np.testing.assert_allclose(shuffled, terms[order], rtol=0, atol=1e-12)


@SMALL
@given(lattice_pairs(), st.integers(-900, 900), st.sampled_from(["standard", None]))
def test_powers_of_two_change_no_bit(pair, exponent, scale):
    x, y = pair
    scaled = (np.ldexp(part, exponent) for part in (x, y))
    assert mutual_information(*scaled, n_neighbors=3, scale=scale) == (
        mutual_information(x, y, n_neighbors=3, scale=scale)
    )


@SMALL
@given(lattice_pairs(), st.integers(-1000, 1000), scales)
def test_translation_changes_no_bit(pair, shift, scale):
    x, y = pair  # halves, so that the sums are exact
    moved = mutual_information(x + shift, y - 3 * shift, n_neighbors=3, scale=scale)
    assert moved == mutual_information(x, y, n_neighbors=3, scale=scale)


@SMALL
@given(lattice_pairs(), scales)
def test_a_duplicated_column_changes_nothing(pair, scale):
    x, y = pair
    estimate = mutual_information(x, y, n_neighbors=3, scale=scale)
    doubled = mutual_information(
        np.hstack([x, x[:, :1]]), y, n_neighbors=3, scale=scale
    )
    assert doubled == pytest.approx(estimate, **EXACT)


@pytest.mark.parametrize("scale", SCALES)
def test_a_mirrored_column_changes_little(pair, scale):
    x, y = pair
    estimate = mutual_information(x, y, scale=scale)
    # differences of mirrored scores are rounded otherwise, which can break ties
    assert mutual_information(-x, y, scale=scale) == pytest.approx(estimate, abs=0.02)


@pytest.mark.parametrize(
    "transform",
    [np.exp, np.sinh, lambda v: v**3, lambda v: 1e300 * v, lambda v: 1e-300 * v + 0],
    ids=["exp", "sinh", "cube", "huge", "tiny"],
)
def test_rank_scale_ignores_increasing_transforms_bit_for_bit(pair, transform):
    x, y = pair
    assert mutual_information(transform(x), y) == mutual_information(x, y)
    assert mutual_information(transform(x), transform(y)) == mutual_information(x, y)


@pytest.mark.parametrize("size", [1e-300, 1e-14, 1e14, 1e300])
@pytest.mark.parametrize("scale", ["rank", "standard"])
def test_scaled_estimates_do_not_depend_on_the_units(scale, size):
    x, y = correlated()
    estimate = mutual_information(x, y, scale=scale)
    assert mutual_information(size * x, y / size, scale=scale) == pytest.approx(
        estimate
    )


def test_relabelling_categories_changes_no_bit():
    rng = np.random.default_rng(0)
    codes = rng.integers(5, size=300)
    y = codes + rng.normal(size=300)
    names = np.array(["delta", "alpha", "echo", "bravo", "charlie"])
    estimate = mutual_information(codes, y, x_discrete=True)
    assert mutual_information(names[codes], y) == estimate
    assert mutual_information(names[::-1][codes], y) == estimate
    assert mutual_information(10.0 ** (7 * codes), y, x_discrete=True) == estimate
    assert mutual_information(names[codes].astype(bytes), y) == estimate
    terms = pointwise_mutual_information(names[codes], y)
    permuted = pointwise_mutual_information(names[rng.permutation(5)][codes], y)
    np.testing.assert_array_equal(terms, permuted)


def test_relabelling_two_nominal_variables_changes_no_bit():
    rng = np.random.default_rng(0)
    x = rng.integers(4, size=300)
    y = (x + rng.integers(3, size=300)) % 4
    estimate = mutual_information(x, y, x_discrete=True, y_discrete=True)
    names = np.array(["q", "p", "s", "r"])
    assert mutual_information(names[x], names[3 - y]) == estimate


@pytest.mark.parametrize("seed", range(5))
def test_renumbering_categories_changes_no_bit(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(4, size=300)
    y = x + rng.normal(size=300)
    estimate = mutual_information(x, y, x_discrete=True)
    for codes in itertools.permutations(range(4)):
        assert mutual_information(np.array(codes)[x], y, x_discrete=True) == estimate


def test_integer_codes_are_coordinates_unless_said_otherwise():
    # the order of the codes carries information for coordinates only
    x = np.arange(200) % 10
    y = x + np.random.default_rng(0).normal(size=200)
    assert mutual_information(x, y) != mutual_information(x, y, x_discrete=True)
    assert mutual_information(x == 3, y) == (
        mutual_information((x == 3).astype(int), y, x_discrete=True)
    )


# special variables


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("constant", [0, 1e300, "a", True, 2**62])
def test_a_constant_gives_exactly_zero(constant, scale):
    for y in (np.arange(50.0), ["p", "q"] * 25, np.zeros(50)):
        assert mutual_information([constant] * 50, y, scale=scale) == 0
        assert mutual_information(y, [constant] * 50, scale=scale) == 0


def test_a_constant_vector_gives_exactly_zero():
    x = np.column_stack([np.full(50, 2.0), np.full(50, 3.0)])
    assert mutual_information(x, np.arange(50)) == 0


def test_a_constant_gives_the_paper_at_most_one_in_n():
    y = np.random.default_rng(0).normal(size=200)
    estimate = mutual_information(np.zeros(200), y, scale=None, ties="gao")
    assert abs(estimate) < 1 / 200


def test_unique_identifiers_give_zero():
    names = [f"id{i}" for i in range(100)]
    y = np.random.default_rng(0).normal(size=100)
    assert mutual_information(names, y) == 0
    assert mutual_information(names, names) == 0
    assert mutual_information(np.arange(100), y, x_discrete=True) == 0


@pytest.mark.parametrize("n_neighbors", [5, 20, 100])
def test_rare_categories_beside_rounded_values_give_a_finite_estimate(n_neighbors):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=500), 1)
    y = rng.choice(["a", "b"], size=500).astype(object)
    y[:3] = "rare"
    terms = pointwise_mutual_information(x, y, n_neighbors=n_neighbors)
    assert np.isfinite(terms).all()
    assert abs(terms.mean()) < 0.1


@pytest.mark.parametrize("n_neighbors", [100, 200, 998])
def test_many_neighbours_give_a_finite_estimate_of_rounded_values(n_neighbors):
    x, y = np.round(np.random.default_rng(0).normal(size=(2, 1000)), 3)
    # 4 standard deviations of 0.01, measured at 100 neighbours
    assert abs(mutual_information(x, y, n_neighbors=n_neighbors)) < 0.04


def test_integers_near_two_to_the_62_keep_their_differences():
    rng = np.random.default_rng(0)
    x = rng.permutation(300)
    y = x + rng.integers(40, size=300)
    for scale in SCALES:
        expected = mutual_information(x, y, scale=scale)
        for start in (2**62, -(2**62), np.iinfo(np.int64).max - 400):
            assert mutual_information(start + x, y, scale=scale) == expected
        unsigned = np.uint64(2**64 - 400) + x.astype(np.uint64)
        assert mutual_information(unsigned, y, scale=scale) == expected


@pytest.mark.parametrize("value", [2**62, 2**62 + 1])
def test_large_nominal_integers_are_not_rounded(value):
    x = np.array([2**62, 2**62 + 1] * 100)
    estimate = mutual_information(x, x == value, x_discrete=True)
    # log 200 - psi(100) exceeds log 2 by 1 / 200, twice
    assert estimate == pytest.approx(np.log(2), abs=2 / 100)


# kinds of input


def read_only(values):
    result = values.copy()
    result.flags.writeable = False
    return result


CONTAINERS = {
    "read-only": read_only,
    "list": lambda v: v.tolist(),
    "tuple": lambda v: tuple(v.tolist()),
    "column": lambda v: v[:, np.newaxis],
    "every other": lambda v: np.repeat(v, 2)[::2],
    "reversed twice": lambda v: v[::-1].copy()[::-1],
    "big-endian": lambda v: v.astype(v.dtype.newbyteorder(">")),
    "object": lambda v: v.astype(object),
    "masked": np.ma.array,
    "pandas": pd.Series,
    "pandas, other index": lambda v: pd.Series(v, index=np.arange(len(v)) + 7),
    "pandas nullable": lambda v: pd.Series(v).convert_dtypes(),
    "pandas pyarrow": lambda v: pd.Series(
        v, dtype=pd.ArrowDtype(pl.Series(v).to_arrow().type)
    ),
    "pandas frame": lambda v: pd.DataFrame({"v": v}),
    "polars": pl.Series,
    "polars frame": lambda v: pl.DataFrame({"v": v}),
    "arrow": pa.array,
    "arrow chunks": lambda v: pa.chunked_array([v[:30], v[30:]]),
    "arrow table": lambda v: pa.table({"v": v}),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [float, np.int64])
@pytest.mark.parametrize("scale", SCALES)
def test_every_container_gives_the_same_result(scale, dtype, container):
    x, y = ((8 * part).astype(dtype) for part in correlated(100))
    expected = mutual_information(x, y, scale=scale)
    wrap = CONTAINERS[container]
    assert mutual_information(wrap(x), wrap(y), scale=scale) == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int16, np.uint8])
@pytest.mark.parametrize("scale", SCALES)
def test_short_types_give_the_result_of_float64(scale, dtype):
    rng = np.random.default_rng(0)
    x = (10 * rng.random(300)).astype(dtype)
    y = (x.astype(float) + 2 * rng.random(300)).astype(dtype)
    expected = mutual_information(x.astype(float), y.astype(float), scale=scale)
    assert mutual_information(x, y, scale=scale) == expected


def test_heavy_tailed_float32_gives_the_result_of_float64():
    x, y = np.random.default_rng(0).standard_cauchy((2, 1000)).astype(np.float32)
    for scale in SCALES:
        expected = mutual_information(x.astype(float), y.astype(float), scale=scale)
        assert mutual_information(x, y, scale=scale) == expected


@pytest.mark.parametrize(
    "wrap",
    [
        np.asfortranarray,
        read_only,
        lambda v: v.tolist(),
        lambda v: pd.DataFrame(v, columns=["a", "b"]),
        pd.DataFrame,
        lambda v: pl.DataFrame(v, schema=["a", "b"], orient="row"),
        lambda v: np.repeat(v, 2, axis=1)[:, ::2],
    ],
    ids=["fortran", "read-only", "lists", "pandas", "no names", "polars", "strided"],
)
def test_every_kind_of_matrix_gives_the_same_result(wrap):
    x, y = mixed()
    assert mutual_information(wrap(x), wrap(y)) == mutual_information(x, y)


def test_input_is_not_written_to():
    x, y = mixed()
    before = x.copy(), y.copy()
    mutual_information(x, y, scale="standard")
    np.testing.assert_array_equal((x, y), before)


@pytest.mark.parametrize(
    "wrap",
    [
        np.array,
        lambda names: np.array(names, dtype=object),
        pd.Series,
        lambda names: pd.Series(names, dtype="category"),
        lambda names: pd.Series(names, dtype="string"),
        lambda names: pd.Series(names, dtype="object"),
        pl.Series,
        lambda names: pl.Series(names, dtype=pl.Categorical),
        lambda names: pl.Series(names, dtype=pl.Enum(["b", "a", "c"])),
        lambda names: np.array(names, dtype=bytes),
    ],
)
def test_every_kind_of_strings_is_nominal(wrap):
    names = list(np.array(["a", "b", "c"])[np.arange(120) % 3])
    y = np.arange(120) % 3 + np.random.default_rng(0).normal(size=120)
    assert mutual_information(wrap(names), y) == mutual_information(names, y)


def test_integer_categories_of_pandas_are_nominal():
    codes = np.arange(120) % 3
    y = codes + np.random.default_rng(0).normal(size=120)
    categories = pd.Series(codes).astype("category")
    expected = mutual_information(codes, y, x_discrete=True)
    assert mutual_information(categories, y) == expected
    assert mutual_information(pd.DataFrame({"c": categories}), y) == expected


@pytest.mark.parametrize(
    "dates_of",
    [
        lambda hours: np.datetime64("2024-02-28", "h") + hours,
        lambda hours: hours.astype("timedelta64[h]"),
        lambda hours: pd.Series(np.datetime64("2024-02-28", "h") + hours),
        lambda hours: pd.DataFrame({"t": np.datetime64("2024-02-28", "h") + hours}),
        lambda hours: pl.Series(np.datetime64("2024-02-28", "ms") + hours),
        lambda hours: pl.DataFrame({"t": np.datetime64("2024-02-28", "ms") + hours}),
    ],
    ids=["numpy", "timedelta", "pandas", "pandas frame", "polars", "polars frame"],
)
def test_dates_are_coordinates(dates_of):
    rng = np.random.default_rng(0)
    hours = rng.integers(10**6, size=200)
    y = hours + 10**5 * rng.normal(size=200)
    assert mutual_information(dates_of(hours), y) == mutual_information(hours, y)


@pytest.mark.parametrize(
    "localized",
    [
        lambda dates: pd.Series(dates).dt.tz_localize("UTC"),
        lambda dates: pl.Series(dates).dt.replace_time_zone("UTC"),
    ],
    ids=["pandas", "polars"],
)
def test_dates_with_a_time_zone_are_coordinates(localized):
    rng = np.random.default_rng(0)
    hours = rng.integers(10**6, size=200)
    y = hours + 10**5 * rng.normal(size=200)
    dates = np.datetime64("2024-02-28", "ms") + hours.astype("timedelta64[h]")
    assert mutual_information(localized(dates), y) == mutual_information(hours, y)


def test_reading_a_series_does_not_depend_on_old_memory(monkeypatch):
    def garbage(shape, *_, **options):
        return np.full(shape, np.nan, **options)

    values = np.arange(5.0)
    monkeypatch.setattr(np, "empty", garbage)
    columns = [
        *read_columns(pd.Series(values), name="x"),
        *read_columns(pl.Series(values), name="x"),
    ]
    monkeypatch.undo()
    for column in columns:
        np.testing.assert_array_equal(column.values, values)


# missing values


def with_gaps(values, rows, gap):
    result = values.astype(object)
    result[rows] = gap
    return result


GAPS = [np.nan, np.inf, -np.inf, None, pd.NA, pd.NaT, np.float32("inf")]
GAP_IDS = ["nan", "inf", "-inf", "None", "NA", "NaT", "float32 inf"]


@pytest.mark.parametrize("gap", GAPS, ids=GAP_IDS)
def test_missing_values_are_an_error(gap):
    x, y = correlated(50)
    with pytest.raises(ValueError, match=r"Input x contains NaN .*1 missing"):
        mutual_information(with_gaps(x, [3], gap), y)
    with pytest.raises(ValueError, match=r"Input y contains NaN .*nan_policy='omit'"):
        pointwise_mutual_information(x, with_gaps(y, [3], gap))


@pytest.mark.parametrize("gap", GAPS, ids=GAP_IDS)
def test_rows_with_missing_values_are_omitted(gap):
    x, y = correlated(80)
    rows_x, rows_y = [3, 70], [3, 4, 5]
    complete = np.setdiff1d(np.arange(80), rows_x + rows_y)
    data = with_gaps(x, rows_x, gap), with_gaps(y, rows_y, gap)
    expected = pointwise_mutual_information(x[complete], y[complete])
    terms = pointwise_mutual_information(*data, nan_policy="omit")
    np.testing.assert_array_equal(terms[complete], expected)
    assert np.isnan(terms[np.setdiff1d(np.arange(80), complete)]).all()
    assert mutual_information(*data, nan_policy="omit") == (
        mutual_information(x[complete], y[complete])
    )


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    "wrap",
    [
        np.array,
        list,
        lambda v: np.array(v, dtype=np.float32),
        pd.Series,
        lambda v: pd.Series(v, dtype="Float64"),
        lambda v: pd.Series(pd.array(v, dtype="Int64")),
        lambda v: pl.Series(v, nan_to_null=True),
        pl.Series,
        np.ma.masked_invalid,
    ],
)
def test_gaps_of_every_container_are_omitted(wrap, scale):
    rng = np.random.default_rng(0)
    x = rng.integers(9, size=60).astype(float)
    y = x + rng.integers(4, size=60)
    complete = np.arange(60) % 7 > 0
    expected = mutual_information(x[complete], y[complete], scale=scale)
    x[~complete] = np.nan
    assert expected == mutual_information(wrap(x), y, scale=scale, nan_policy="omit")


def test_gaps_in_dates_and_names_are_omitted():
    names = np.array(["a", "b", "c"])[np.arange(60) % 3].astype(object)
    dates = np.datetime64("2024-02-28") + np.arange(60)
    complete = np.arange(60) >= 4
    expected = mutual_information(names[complete], dates[complete])
    names[:2], dates[2:4] = None, np.datetime64("NaT")
    assert mutual_information(names, dates, nan_policy="omit") == expected
    frames = pd.DataFrame({"n": names}), pd.DataFrame({"d": dates})
    assert mutual_information(*frames, nan_policy="omit") == expected
    with pytest.raises(ValueError, match="Input y contains NaN"):
        mutual_information(np.arange(60), dates)


def test_omitting_without_gaps_changes_nothing(pair):
    x, y = pair
    assert mutual_information(x, y, nan_policy="omit") == mutual_information(x, y)


def test_a_column_that_is_constant_without_its_gaps_gives_zero():
    x = np.where(np.arange(60) % 3, 1.0, np.nan)
    assert mutual_information(x, np.arange(60), nan_policy="omit") == 0


# threads


@pytest.mark.parametrize("nominal", [False, True])
def test_threads_change_no_bit(nominal):
    rng = np.random.default_rng(0)
    x = rng.normal(size=70_000)  # three tasks
    y = x + rng.normal(size=70_000)
    x = rng.integers(5, size=70_000).astype(str) if nominal else np.round(x, 2)
    one, two = (
        pointwise_mutual_information(x, y, scale=None, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


# bad input


@pytest.fixture
def _no_work(monkeypatch):
    """Fail if anything is computed before the parameters are checked."""

    def work(*_, **__):
        raise AssertionError("work was done before the check")

    for name in ("encode_columns", "make_variable", "index_triple", "pointwise_terms"):
        monkeypatch.setattr(_mutual_information, name, work)


FUNCTIONS = [
    mutual_information,
    pointwise_mutual_information,
    lambda x, y, **options: mixed_mutual_info(np.asarray(x)[:, None], y, **options),
]
X, Y = correlated(50)


@pytest.mark.usefixtures("_no_work")
@pytest.mark.parametrize("function", FUNCTIONS, ids=["mean", "pointwise", "mixed"])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_neighbors": 0}, ValueError, r"n_neighbors=0 must be at least 1"),
        ({"n_neighbors": -3}, ValueError, r"n_neighbors=-3 must be at least 1"),
        ({"n_neighbors": 2.5}, TypeError, r"n_neighbors=2\.5 must be an integer"),
        ({"n_neighbors": 5.0}, TypeError, r"n_neighbors=5\.0 must be an integer"),
        ({"n_neighbors": True}, TypeError, r"n_neighbors=True must be an integer"),
        ({"n_neighbors": "5"}, TypeError, r"n_neighbors='5' must be an integer"),
        ({"n_neighbors": None}, TypeError, r"n_neighbors=None must be an integer"),
        (
            {"n_neighbors": 50},
            ValueError,
            r"n_neighbors=50 must be smaller than .*n_samples=50",
        ),
        (
            {"n_neighbors": np.int64(70)},
            ValueError,
            r"n_neighbors=70 must be smaller than .*n_samples=50",
        ),
        (
            {"scale": "ranks"},
            ValueError,
            r"scale='ranks' .* one of: 'rank', 'standard', None",
        ),
        ({"scale": False}, ValueError, r"scale=False .* one of: 'rank'"),
        ({"ties": "noise"}, ValueError, r"ties='noise' .* one of: 'adaptive', 'gao'"),
        ({"ties": None}, ValueError, r"ties=None .* one of: 'adaptive', 'gao'"),
        (
            {"nan_policy": "propagate"},
            ValueError,
            r"nan_policy='propagate' .* one of: 'raise', 'omit'",
        ),
    ],
)
def test_bad_options_are_named_before_any_work(function, options, error, message):
    with pytest.raises(error, match=message):
        function(X, Y, **options)


@pytest.mark.usefixtures("_no_work")
@pytest.mark.parametrize("side", ["x", "y"])
@pytest.mark.parametrize(
    ("discrete", "message"),
    [
        ("yes", r"='yes' is not a known option.*'auto'"),
        (None, r"=None must be 'auto', a bool, or one-dimensional"),
        ([True, False], r" is a mask of length 2, but there are 1 columns"),
        ([], None),
        (["income"], r" holds .*income.*, which names no column"),
        ([3], r" holds the index 3, but there are 1 columns"),
        ([[0]], r"=\[\[0\]\] must be 'auto', a bool, or one-dimensional"),
        (7, r"=7 must be 'auto', a bool, or one-dimensional"),
    ],
)
def test_bad_masks_are_named_before_any_work(side, discrete, message):
    option = f"{side}_discrete"
    if message is None:  # an empty list names no column: nothing is wrong
        with pytest.raises(AssertionError, match="work was done"):
            mutual_information(X, Y, **{option: discrete})
        return
    with pytest.raises(ValueError, match=option + message):
        mutual_information(X, Y, **{option: discrete})


@pytest.mark.usefixtures("_no_work")
@pytest.mark.parametrize("side", ["x", "y"])
@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (X[:-1], ValueError, r"x has \d\d, y has \d\d"),
        ([], ValueError, r"0 sample\(s\)"),
        (np.empty((0, 2)), ValueError, r"0 sample\(s\)"),
        (np.empty((50, 0)), ValueError, r"0 feature\(s\)"),
        (pd.DataFrame(), ValueError, r"0 sample\(s\)"),
        (pd.DataFrame(index=range(50)), ValueError, r"0 feature\(s\)"),
        (pd.Series([], dtype=float), ValueError, r"0 sample\(s\)"),
        (pl.DataFrame(), ValueError, r"0 sample\(s\)"),
        (pl.Series([], dtype=pl.Float64), ValueError, r"0 sample\(s\)"),
        (np.zeros((50, 2, 2)), ValueError, r"dim 3"),
        (X * 1j, ValueError, r"Complex data not supported"),
        (pd.Series(X * 1j), ValueError, r"Complex data not supported"),
        (pd.DataFrame({"a": X * 1j}), ValueError, r"Complex data not supported"),
        (scipy.sparse.csr_array(np.eye(50)), TypeError, r"Sparse .*toarray\(\)"),
        (scipy.sparse.coo_matrix(np.eye(50)), TypeError, r"Sparse .*toarray\(\)"),
        (3.0, TypeError, r"at least 1 dimension"),
        ("text", TypeError, r"at least 1 dimension"),
        (None, TypeError, r"at least 1 dimension"),
        (np.zeros(50, dtype=[("a", float)]), TypeError, r"has dtype \[\('a'"),
    ],
)
def test_bad_data_are_named_before_any_work(side, data, error, message):
    pair = {"x": X, "y": Y} | {side: data}
    with pytest.raises(error, match=message):
        mutual_information(**pair)


@pytest.mark.parametrize("side", ["x", "y"])
@pytest.mark.parametrize("data", [[], np.zeros((50, 2, 2)), X * 1j])
def test_messages_about_bad_data_say_which_variable(side, data):
    pair = {"x": X, "y": Y} | {side: data}
    with pytest.raises(ValueError, match=rf"\b{side}\b"):
        mutual_information(**pair)


@pytest.mark.usefixtures("_no_work")
def test_names_declared_numeric_are_an_error():
    with pytest.raises(ValueError, match=r"x_discrete .*column 'x' is not discrete"):
        mutual_information(["a", "b"] * 25, Y, x_discrete=False)


@pytest.mark.usefixtures("_no_work")
@pytest.mark.parametrize("n_complete", [1, 6])
def test_too_few_complete_rows_are_an_error(n_complete):
    x = X.copy()
    x[n_complete:] = np.nan
    message = rf"Only {n_complete} rows remain .*'x' misses .*fewer than 7.*n_neighbors"
    with pytest.raises(ValueError, match=message):
        mutual_information(x, Y, nan_policy="omit")


def test_just_enough_complete_rows_are_enough():
    x = X.copy()
    x[7:] = np.nan
    expected = mutual_information(x[:7], Y[:7])
    assert mutual_information(x, Y, nan_policy="omit") == expected


@pytest.mark.parametrize("integer", [np.int8(3), np.uint64(3), 3])
def test_every_kind_of_integer_is_a_number_of_neighbours(integer):
    expected = mutual_information(X, Y, n_neighbors=3)
    assert mutual_information(X, Y, n_neighbors=integer) == expected


@pytest.mark.parametrize("n_samples", [2, 3])
def test_the_largest_number_of_neighbours_is_one_less_than_the_samples(n_samples):
    x = np.arange(n_samples)
    assert np.isfinite(mutual_information(x, x, n_neighbors=n_samples - 1))


# which columns are nominal


@pytest.mark.parametrize(
    "discrete",
    [
        [True, False],
        np.array([True, False]),
        np.array([True, False], dtype=object),
        pd.Series([True, False]),
        pl.Series([True, False]),
        [0],
        [-2],
        np.array([0]),
        ["size"],
        np.array(["size"]),
        pd.Index(["size"]),
    ],
)
def test_masks_indices_and_names_mark_the_same_column(discrete):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.integers(3, size=80), "age": rng.random(80)})
    y = frame["size"] + rng.random(80)
    names = frame["size"].astype(str)
    expected = mutual_information(frame.assign(size=names), y)
    estimate = mutual_information(frame, y, x_discrete=discrete)
    assert estimate == pytest.approx(expected, **EXACT)
    swapped = mutual_information(y, frame, y_discrete=discrete)
    assert swapped == pytest.approx(expected, **EXACT)


def test_true_makes_all_columns_nominal_and_lists_add_to_the_automatic_ones():
    rng = np.random.default_rng(0)
    codes = rng.integers([3, 12], size=(80, 2))
    frame = pd.DataFrame({"a": codes[:, 0].astype(str), "b": codes[:, 1]})
    y = codes.sum(axis=1) + rng.random(80)
    expected = mutual_information(codes.astype(str), y)
    all_nominal = mutual_information(codes, y, x_discrete=True)
    assert all_nominal == pytest.approx(expected, **EXACT)
    added = mutual_information(frame, y, x_discrete=["b"])
    assert added == pytest.approx(expected, **EXACT)
    automatic = mutual_information(frame, y, x_discrete="auto")
    assert automatic != pytest.approx(expected, abs=0.01)


# many features


@pytest.mark.parametrize("scale", SCALES)
def test_mixed_mutual_info_is_mutual_information_of_each_column(scale):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=90),
            "b": rng.choice(["p", "q"], size=90),
            "c": rng.integers(4, size=90),
            "d": np.where(rng.random(90) < 0.1, np.nan, rng.normal(size=90)),
        }
    )
    y = X["a"] + rng.normal(size=90)
    options = {"n_neighbors": 4, "scale": scale, "nan_policy": "omit"}
    estimates = mixed_mutual_info(X, y, discrete_features=["c"], **options)
    expected = [
        mutual_information(X[name], y, x_discrete=name == "c" or "auto", **options)
        for name in X
    ]
    np.testing.assert_array_equal(estimates, expected)
