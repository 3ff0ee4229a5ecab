"""Conditional mutual information: against plain loops, truths, kinds, bad input."""

from __future__ import annotations

import re

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from skinfo import conditional_mutual_information, mutual_information
from skinfo._core import _parallel
from skinfo._core._vectors import read_vectors
from skinfo.dependence.measures._mutual_information import MutualInformation
from skinfo.dependence.neighbors._ties import tie_terms

SMALL = settings(derandomize=True, deadline=None, max_examples=50)
EXACT = {"rel": 0, "abs": 1e-12}  # sums in another order
N_SEEDS = 20


def fork(n_samples=200, seed=0, correlation=0.0):
    """Return normals x <- z -> y; the noises of x and y correlate."""
    rng = np.random.default_rng(seed)
    z, noise_x, noise = rng.normal(size=(3, n_samples))
    noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
    return z + noise_x, z + noise_y, z


def mixed(n_samples=200, seed=0):
    """Return three vectors that have atoms, and are continuous beside them."""
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(3, n_samples, 2))
    x[:, 0] += z[:, 0]
    y += x
    keep = rng.random((3, n_samples, 1)) < 0.6
    return tuple(part * mask for part, mask in zip((x, y, z), keep, strict=True))


TRIPLES = {
    "continuous": fork(),
    "rounded": tuple(np.round(part, 1) for part in fork()),
    "integers": tuple(np.round(part) for part in fork()),
    "only z rounded": (*fork()[:2], np.round(fork()[2])),
    "mixed vectors": mixed(),
}


@pytest.fixture(params=TRIPLES)
def triple(request):
    return TRIPLES[request.param]


@st.composite
def lattice_triples(draw):
    """Draw small vectors on the halves of integers."""
    n_samples = draw(st.integers(5, 14))
    return [
        draw(
            hnp.arrays(
                int, (n_samples, draw(st.integers(1, 2))), elements=st.integers(-4, 4)
            )
        )
        / 2
        for _ in range(3)
    ]


# against plain loops


def distances(vector, nominal):
    """Return the largest differences between all samples, infinite for nominal ones."""
    columns = np.reshape(vector, (len(vector), -1))
    differences = np.abs(columns[:, np.newaxis] - columns)
    if nominal:
        differences = np.where(differences > 0, np.inf, 0)
    return differences.max(axis=2)


def slow_estimate(x, y, z, n_neighbors, *, nominal=(False, False, False)):
    """Return the mean of the terms, point by point, where not all is nominal."""
    d_x, d_y, d_z = map(distances, (x, y, z), nominal)
    d_xz, d_yz = np.maximum(d_x, d_z), np.maximum(d_y, d_z)
    terms = []
    for to_x, to_y, to_z in zip(d_xz, d_yz, d_z, strict=True):
        to_all = np.maximum(to_x, to_y)
        near = np.sort(to_all[np.isfinite(to_all)])[1:]  # without the point itself
        k = min(n_neighbors, len(near))
        same_z = to_z == 0
        if k == 0 or (nominal[2] and (np.ptp(to_x[same_z]) == 0)):
            terms.append(0.0)
            continue
        if nominal[2] and np.ptp(to_y[same_z]) == 0:
            terms.append(0.0)
            continue
        radius = near[k - 1]
        s_x, s_y, s_z = (int(np.sum(to < radius)) for to in (to_x, to_y, to_z))
        q_x, q_y, q_z = (int(np.sum(to <= radius)) for to in (to_x, to_y, to_z))
        log_or_psi = np.log if nominal[2] else digamma
        inside = int(np.sum(to_all <= radius)) - 1
        if radius == 0:
            term = digamma(inside + 1) - digamma(q_x) - digamma(q_y) + log_or_psi(q_z)
        elif max(q_x - s_x, q_y - s_y) <= 1:
            term = digamma(k) - digamma(s_x) - digamma(s_y) + log_or_psi(s_z)
        else:
            counts = [np.array([count]) for count in (k, inside, s_x, s_y, s_z)]
            closed = tuple(np.array([count]) for count in (q_x, q_y, q_z))
            of_ties = tie_terms(*counts[:2], tuple(counts[2:]), closed)[0]
            term = digamma(k) - of_ties + log_or_psi(s_z) - digamma(s_z)
        terms.append(term)
    return np.mean(terms)


def is_constant(vector):
    return bool(np.all(vector == vector[0]))


@SMALL
@given(lattice_triples(), st.integers(1, 4), st.booleans())
def test_lattice_data_agree_with_plain_loops(triple, n_neighbors, nominal_z):
    x, y, z = triple
    varying = z[:, np.any(z != z[0], axis=0)]
    result = conditional_mutual_information(
        x, y, z, n_neighbors=n_neighbors, scale=None, z_discrete=nominal_z
    )
    if is_constant(x) or is_constant(y):
        assert result == 0
    elif varying.shape[1] == 0:
        pair = mutual_information(x, y, n_neighbors=n_neighbors, scale=None)
        assert result == pair
    else:
        expected = slow_estimate(
            x, y, varying, n_neighbors, nominal=(False, False, nominal_z)
        )
        assert result == pytest.approx(expected, **EXACT)


def test_every_kind_of_data_agrees_with_plain_loops(triple):
    result = conditional_mutual_information(*triple, scale=None)
    assert result == pytest.approx(slow_estimate(*triple, 5), **EXACT)


@pytest.mark.parametrize("ties", ["adaptive", "gao"])
def test_data_without_ties_have_the_plain_counts(ties):
    x, y, z = fork(n_samples=101, seed=3)
    d_x, d_y, d_z = (distances(part, nominal=False) for part in (x, y, z))
    radius = np.sort(np.max([d_x, d_y, d_z], axis=0), axis=1)[:, [4]]
    n_xz = np.sum(np.maximum(d_x, d_z) < radius, axis=1)
    n_yz = np.sum(np.maximum(d_y, d_z) < radius, axis=1)
    n_z = np.sum(d_z < radius, axis=1)
    expected = np.mean(digamma(4) - digamma(n_xz) - digamma(n_yz) + digamma(n_z))
    result = conditional_mutual_information(
        x, y, z, n_neighbors=4, scale=None, ties=ties
    )
    assert result == pytest.approx(expected, **EXACT)


# the condition


@pytest.mark.parametrize("z_kind", ["strings", "two columns", "codes"])
@pytest.mark.parametrize("nominal", [False, True])
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_nominal_z_gives_the_mean_of_its_strata(z_kind, nominal, decimals):
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=300)
    codes[:3] = [7, 8, 8]  # strata of one and of two samples
    x = np.round(codes + rng.normal(size=300), decimals)
    y = np.round(codes + x + rng.normal(size=300), decimals)
    x[codes == 1] = 3.0  # constant in a stratum
    z = {
        "strings": np.array(list("abcdefghi"))[codes],
        "two columns": np.column_stack([codes // 2, codes % 2]),
        "codes": codes,
    }[z_kind]
    kinds = {"x_discrete": nominal, "y_discrete": nominal}
    total = 0.0
    for code in np.unique(codes):
        rows = codes == code
        k = min(5, rows.sum() - 1)
        if k > 0:
            total += rows.sum() * mutual_information(
                x[rows], y[rows], n_neighbors=k, scale=None, **kinds
            )
    result = conditional_mutual_information(
        x, y, z, scale=None, z_discrete=True, **kinds
    )
    assert result == pytest.approx(total / 300, **EXACT)


@pytest.mark.parametrize(
    "constant",
    [np.zeros(200), np.ones((200, 2)), np.full(200, "a"), np.full(200, True)],
    ids=["zeros", "ones", "strings", "booleans"],
)
@pytest.mark.parametrize("scale", ["rank", "standard", None])
def test_constant_z_gives_mutual_information_exactly(constant, scale):
    x, y, _ = fork()
    result = conditional_mutual_information(x, y, constant, scale=scale)
    assert result == mutual_information(x, y, scale=scale)


def test_constant_columns_of_z_change_nothing(triple):
    x, y, z = triple
    wider = np.column_stack([np.full(len(x), 3.0), z])
    result = conditional_mutual_information(x, y, wider)
    assert result == conditional_mutual_information(x, y, z)


def test_z_that_is_constant_in_the_complete_rows_is_ignored():
    x, y, z = fork()
    x[0], z[1:] = np.nan, 2.0
    result = conditional_mutual_information(x, y, z, nan_policy="omit")
    assert result == mutual_information(x[1:], y[1:])


def test_given_an_identifier_there_is_no_information():
    x, y, _ = fork()
    names = [f"sample {i}" for i in range(200)]
    assert conditional_mutual_information(x, y, names) == 0


def test_a_constant_has_no_information(triple):
    x, y, z = triple
    constant = np.zeros(len(x))
    assert conditional_mutual_information(constant, y, z) == 0
    assert conditional_mutual_information(x, constant, z) == 0


# truths


def mean_estimate(draw, **options):
    return np.mean(
        [
            conditional_mutual_information(*draw(seed), **options)
            for seed in range(N_SEEDS)
        ]
    )


@pytest.mark.parametrize("nominal", [False, True])
def test_exclusive_or_is_a_bit(nominal):
    def draw(seed):
        x, y = np.random.default_rng(seed).integers(2, size=(2, 1000))
        return x, y, x ^ y

    kinds = dict.fromkeys(["x_discrete", "y_discrete", "z_discrete"], nominal)
    assert mean_estimate(draw, **kinds) == pytest.approx(np.log(2), abs=0.005)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9])
def test_normals_have_the_information_of_the_partial_correlation(correlation):
    truth = -0.5 * np.log(1 - correlation**2)
    mean = mean_estimate(lambda seed: fork(1000, seed, correlation))
    assert mean == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("z_discrete", ["auto", True])
@pytest.mark.parametrize("step", [None, 0.5])
def test_discrete_common_cause_explains_everything(z_discrete, step):
    def draw(seed):
        rng = np.random.default_rng(seed)
        z = rng.integers(4, size=1000)
        x, y = z + rng.normal(size=(2, 1000))
        return (x, y, z) if step is None else (np.round(x / step), y, z)

    mean = mean_estimate(draw, z_discrete=z_discrete)
    assert mean == pytest.approx(0, abs=0.015)


@pytest.mark.parametrize(
    "steps",
    [
        (1, 1, 1),
        pytest.param((0.5, 0, 0.5), marks=pytest.mark.slow),
        pytest.param((0.25, 0.25, 0.25), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_rounding_leaves_the_estimate_about_as_it_is(steps, correlation):
    def rounded(values, step):
        return np.round(values / step) * step if step else values

    def draw(seed):
        z, noise_x, noise = np.random.default_rng(seed).normal(size=(3, 1000))
        noise_y = correlation * noise_x + np.sqrt(1 - correlation**2) * noise
        # x and y are functions of the rounded z, so that the truth is that of the noise
        z = rounded(z, steps[2])
        return z + rounded(noise_x, steps[0]), z + rounded(noise_y, steps[1]), z

    plain = mean_estimate(lambda seed: fork(1000, seed, correlation))
    # rounding itself loses up to .04 of .22 nats
    lost = 0.05 if correlation else 0.01
    assert mean_estimate(draw) == pytest.approx(plain, abs=lost)
    assert mean_estimate(draw, ties="gao") > mean_estimate(draw) + 0.05


# invariances


@SMALL
@given(lattice_triples(), st.sampled_from(["rank", "standard", None]))
def test_swap_of_x_and_y_changes_nothing(triple, scale):
    x, y, z = triple
    options = {"n_neighbors": 3, "scale": scale}
    forth = conditional_mutual_information(x, y, z, **options)
    back = conditional_mutual_information(y, x, z, **options)
    assert forth == pytest.approx(back, **EXACT)


def test_order_of_the_samples_changes_nothing(triple):
    order = np.random.default_rng(1).permutation(len(triple[0]))
    shuffled = [part[order] for part in triple]
    result = conditional_mutual_information(*shuffled)
    assert result == conditional_mutual_information(*triple)


def test_increasing_transforms_change_nothing(triple):
    transformed = [np.exp(part) for part in triple]
    result = conditional_mutual_information(*transformed)
    assert result == conditional_mutual_information(*triple)


def test_a_power_of_two_changes_nothing(triple):
    scaled = [part * 2.0**30 for part in triple]
    result = conditional_mutual_information(*scaled, scale=None)
    assert result == conditional_mutual_information(*triple, scale=None)


def test_repeated_columns_change_nothing(triple):
    repeated = [np.column_stack([part, part]) for part in triple]
    result = conditional_mutual_information(*repeated)
    assert result == pytest.approx(conditional_mutual_information(*triple), **EXACT)


# y at other samples


@pytest.mark.parametrize("repeats", [False, True])
def test_reordered_triple_is_that_of_the_reordered_samples(triple, repeats):
    x, y, z = triple
    rng = np.random.default_rng(2)
    order = rng.integers(200, size=200) if repeats else rng.permutation(200)
    measure = MutualInformation(5, None, "adaptive")
    vectors = read_vectors(
        {"x": (x, "auto"), "y": (y, "auto"), "z": (z, "auto")}, nan_policy="raise"
    )
    reordered = measure.value(measure.triple(*vectors).reordered(order))
    expected = conditional_mutual_information(x, y[order], z, scale=None)
    assert reordered == pytest.approx(expected, **EXACT)


# kinds of input, gaps, threads


def test_dataframes_and_arrays_agree():
    x, y, z = mixed()
    frame = pd.DataFrame(z, columns=["a", "b"])
    expected = conditional_mutual_information(x, y, z)
    assert conditional_mutual_information(pd.DataFrame(x), y, frame) == expected
    assert conditional_mutual_information(x, y, pl.from_pandas(frame)) == expected


def test_columns_of_z_can_be_named_as_nominal():
    rng = np.random.default_rng(0)
    x, y, z = fork()
    codes = rng.integers(3, size=200)
    numbers = pd.DataFrame({"level": z, "group": codes})
    strings = numbers.assign(group=np.array(["c", "a", "b"])[codes])
    named = conditional_mutual_information(x, y, numbers, z_discrete=["group"])
    assert named == conditional_mutual_information(x, y, strings)
    assert named != conditional_mutual_information(x, y, numbers)


def test_omitted_rows_are_as_if_they_were_not_there():
    triple = fork()
    complete = np.ones(200, dtype=bool)
    for part, row in zip(triple, (3, 50, 199), strict=True):
        part[row], complete[row] = np.nan, False
    result = conditional_mutual_information(*triple, nan_policy="omit")
    expected = conditional_mutual_information(*(part[complete] for part in triple))
    assert result == expected


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_blocks_of_rows_change_nothing(monkeypatch, triple, n_jobs):
    expected = conditional_mutual_information(*triple)
    monkeypatch.setattr(_parallel, "_SAMPLES_PER_TASK", 30)
    assert conditional_mutual_information(*triple, n_jobs=n_jobs) == expected


def test_inputs_are_not_written_to():
    triple = fork()
    for part in triple:
        part.flags.writeable = False
    conditional_mutual_information(*triple)


def test_numpy_integers_are_fine():
    triple = fork()
    result = conditional_mutual_information(*triple, n_neighbors=np.uint8(5))
    assert result == conditional_mutual_information(*triple)
    assert type(result) is float


# bad input


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"n_neighbors": 20}, ValueError, "n_neighbors=20 must be smaller"),
        ({"n_neighbors": 2.5}, TypeError, "n_neighbors=2.5 must be an integer"),
        ({"scale": "log"}, ValueError, "scale='log' is not a known option"),
        ({"ties": "noise"}, ValueError, "ties='noise' is not a known option"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy='drop' is not a known"),
        ({"z_discrete": [3]}, ValueError, "z_discrete holds the index 3"),
        ({"z": np.arange(19)}, ValueError, "x has 20, y has 20, z has 19"),
        ({"z": [np.nan] * 20}, ValueError, "Input z contains NaN"),
        ({"z": np.empty((20, 0))}, ValueError, "z cannot be used"),
        ({"z": scipy.sparse.eye(20, format="csr")}, TypeError, "z cannot be used"),
    ],
    ids=str,
)
def test_bad_input_is_named(options, error, message):
    data = dict(zip("xyz", np.arange(60.0).reshape(3, 20), strict=True))
    with pytest.raises(error, match=re.escape(message)):
        conditional_mutual_information(**(data | options))


def test_too_few_complete_rows_are_named():
    x, y, z = np.random.default_rng(0).normal(size=(3, 20))
    z[:15] = np.nan
    with pytest.raises(ValueError, match=r"Only 5 rows remain .*column 'z' misses 15"):
        conditional_mutual_information(x, y, z, nan_policy="omit")
