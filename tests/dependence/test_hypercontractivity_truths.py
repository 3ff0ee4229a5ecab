"""Exact joints against closed forms and general solvers; samples against laws."""

from __future__ import annotations

import warnings
from math import log

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import rel_entr

from skinfo import hypercontractivity, hypercontractivity_discrete, maximal_correlation


def binary_symmetric(p, q=0.5):
    """Return the joint of P(X=0) = q and Y, which differs with probability p."""
    return np.array([[q * (1 - p), q * p], [(1 - q) * p, (1 - q) * (1 - p)]])


def hidden(a, k):
    """Return the joint of X = 0, Y uniform, and with probability a of X = Y uniform."""
    return np.vstack([np.full((1, k), (1 - a) / k), np.eye(k) * a / k])


def random_joint(seed):
    rng = np.random.default_rng(seed)
    n_x, n_y = rng.integers(2, 7, size=2)
    concentration = rng.choice([0.2, 1, 3])
    return normalised(rng.dirichlet(np.full(n_x * n_y, concentration)), n_x, n_y)


def normalised(joint, n_x, n_y):
    joint = joint.reshape(n_x, n_y)
    return joint / joint.sum()


def ratio(joint, tilt):
    """Return D(r_y || p_y) / D(r_x || p_x) of r_x = tilt p_x."""
    rows = joint.sum(axis=1) > 0
    joint, tilt = joint[rows], tilt[rows]
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    r = p * tilt
    return rel_entr(tilt @ joint, q).sum() / rel_entr(r, p).sum()


def squared_correlation(joint):
    """Return the squared second singular value of p(x, y) / sqrt(p(x) p(y))."""
    joint = joint[joint.sum(axis=1) > 0][:, joint.sum(axis=0) > 0]
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    return np.linalg.svd(joint / np.sqrt(np.outer(p, q)), compute_uv=False)[1] ** 2


# ---- closed forms


@pytest.mark.parametrize("p", [0, 0.01, 0.1, 0.3, 0.45, 0.5, 0.9])
def test_binary_symmetric_channel(p):
    result = hypercontractivity_discrete(binary_symmetric(p))
    assert result.value == pytest.approx((1 - 2 * p) ** 2, abs=1e-9)
    assert result.lower_bound == pytest.approx((1 - 2 * p) ** 2, abs=1e-12)


@pytest.mark.parametrize(
    ("q", "value", "lower_bound"),
    [(0.1, 0.5520955864, 0.3902439024), (0.25, 0.6169949993, 4 / 7)],
)
def test_binary_symmetric_channel_of_unequal_inputs(q, value, lower_bound):
    for joint in (binary_symmetric(0.1, q), binary_symmetric(0.1, 1 - q)):
        result = hypercontractivity_discrete(joint)
        assert result.value == pytest.approx(value, abs=1e-9)
        assert result.lower_bound == pytest.approx(lower_bound, abs=1e-9)


@pytest.mark.parametrize("e", [0, 0.01, 0.3, 0.9, 1])
def test_binary_erasure_channel(e):
    kept, lost = (1 - e) / 2, e / 2
    joint = [[kept, lost, 0], [0, lost, kept]]
    assert hypercontractivity_discrete(joint).value == pytest.approx(1 - e, abs=1e-9)


@pytest.mark.parametrize("z", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_z_channel_from_the_input(q, z):
    joint = np.array([[1 - q, 0], [q * z, q * (1 - z)]])
    value = log(1 - q + q * z) / log(1 - q)
    assert hypercontractivity_discrete(joint).value == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("z", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_z_channel_from_the_output_is_that_of_a_fine_grid(q, z):
    joint = np.array([[1 - q, 0], [q * z, q * (1 - z)]]).T
    probability = joint[0].sum()

    def ratio_of(r):
        return ratio(joint, np.array([r / probability, (1 - r) / (1 - probability)]))

    # the limits of small tilts and of a point mass, and all between
    grid = np.concatenate([[1e-12, 1 - 1e-12], np.linspace(0.0005, 0.9995, 2000)])
    grid = grid[np.abs(grid - probability) > 1e-4]
    best = max(grid, key=ratio_of)
    near = minimize_scalar(
        lambda r: -ratio_of(r),
        bounds=(max(best - 5e-4, 1e-13), min(best + 5e-4, 1 - 1e-13)),
        method="bounded",
        options={"xatol": 1e-12},
    )
    value = max(ratio_of(best), -near.fun, squared_correlation(joint))
    found = hypercontractivity_discrete(joint).value
    assert found == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("a", [0.01, 0.05, 0.3, 0.5])
def test_hidden_discrete_dependence(a, k):
    result = hypercontractivity_discrete(hidden(a, k))
    assert result.value == pytest.approx(max(a, log(k) / log(k / a)), abs=1e-9)
    assert result.lower_bound == pytest.approx(a, abs=1e-12)


@pytest.mark.parametrize("a", [0.6, 0.75, 0.9])
def test_discrete_dependence_that_is_not_rare_is_that_of_small_tilts(a):
    result = hypercontractivity_discrete(hidden(a, 2))
    # log 2 / log(2 / a) is smaller
    assert result.value == pytest.approx(a, abs=1e-9)


@pytest.mark.parametrize("rare", [1e-3, 1e-9, 1e-20, 1e-50])
def test_a_very_rare_value_that_fixes_y_is_seen(rare):
    joint = [[0.5, 0.5 - rare], [rare, 0.0]]
    value = log(0.5 + rare) / log(rare)  # by the tilt to it alone
    found = hypercontractivity_discrete(joint)
    assert found.value == pytest.approx(value, rel=1e-6)
    assert found.lower_bound < 3 * rare + 1e-30  # up to rounding


@pytest.mark.parametrize("rare", [1e-6, 1e-20, 1e-80])
def test_two_very_rare_values_that_fix_y_are_seen(rare):
    # neither tilts far enough to show in the maximal correlation
    joint = [[(1 - rare) / 2] * 2, [rare / 2, 0], [0, rare / 2]]
    found = hypercontractivity_discrete(joint)
    assert found.value == pytest.approx(log(2) / log(2 / rare), rel=1e-9)


def test_a_maximum_beside_a_corner_is_found():
    rows = ["321303113", "001322202", "231201213", "030132213", "301130302"]
    counts = np.array([list(map(int, row)) for row in [*rows, "300133231"]])
    found = hypercontractivity_discrete(counts / counts.sum())
    # the best of 1000 random starts; from the corner alone it is .210387
    assert found.value == pytest.approx(0.2104423611, abs=1e-9)


@pytest.mark.parametrize("pmf", [[0.5, 0.5], [0.05, 0.15, 0.3, 0.5]])
def test_functions_of_x_have_the_value_one(pmf):
    joint = np.diag(pmf)
    result = hypercontractivity_discrete(joint)
    assert result.value == pytest.approx(1, abs=1e-12)
    assert result.value <= 1
    merged = np.column_stack([joint[:, 0], joint[:, 1:].sum(axis=1)])
    assert hypercontractivity_discrete(merged).value == pytest.approx(1, abs=1e-9)


def test_a_function_on_some_part_of_x_has_the_value_one():
    # however rare it is: the potential axiom
    for rare in (0.5, 1e-3, 1e-8):
        joint = np.zeros((3, 4))
        joint[0, 0] = joint[1, 1] = rare / 2
        joint[2, 2:] = (1 - rare) / 2
        value = hypercontractivity_discrete(joint).value
        assert value == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("shape", [(2, 2), (4, 3), (3, 6), (420, 450)])
def test_independent_variables_have_the_value_zero(shape):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        p, q = (rng.dirichlet(np.ones(size)) for size in shape)
        joint = np.outer(p, q) / np.outer(p, q).sum()
        result = hypercontractivity_discrete(joint)
        assert 0 <= result.lower_bound <= result.value < 1e-12
        assert p @ result.tilt == pytest.approx(1, abs=1e-9)
        assert result.tilt.min() >= 0


def test_doubly_uniform_joints_have_the_value_zero():
    for shape in ((2, 2), (3, 5), (500, 500)):
        result = hypercontractivity_discrete(np.full(shape, 1 / np.prod(shape)))
        assert result.value < 1e-12
        assert result.tilt.mean() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (1, 1)])
def test_constants_have_the_value_zero(shape):
    result = hypercontractivity_discrete(np.full(shape, 1 / np.prod(shape)))
    assert (result.value, result.lower_bound) == (0, 0)
    assert result.tilt.tolist() == [1] * shape[0]


def test_values_that_tell_nothing_do_not_count():
    # two rows with exactly the law of y
    joint = np.array([[4, 4], [2, 2], [3, 1], [1, 3]]) / 20
    alone = np.array([[6, 6], [3, 1], [1, 3]]) / 20
    expected = hypercontractivity_discrete(alone).value
    found = hypercontractivity_discrete(joint)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert joint.sum(axis=1) @ found.tilt == pytest.approx(1, abs=1e-9)


# ---- a general solver


def best_of_restarts(joint, n_starts, seed):
    """Climb with L-BFGS over a softmax, from random starts."""
    joint = joint[joint.sum(axis=1) > 0][:, joint.sum(axis=0) > 0]
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    conditional = joint / p[:, np.newaxis]

    def loss(logs):
        r = np.exp(logs - logs.max())
        r /= r.sum()
        outputs = r @ conditional
        below, above = rel_entr(r, p).sum(), rel_entr(outputs, q).sum()
        if below < 1e-9:
            return 0.0, np.zeros_like(logs)
        pull = conditional @ np.log(np.maximum(outputs, 1e-300) / q)
        pull -= above / below * np.log(np.maximum(r, 1e-300) / p)
        return -above / below, -r * (pull - r @ pull) / below

    rng = np.random.default_rng(seed)
    options = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 1000}
    best = 0.0
    for _ in range(n_starts):
        first = rng.choice([0.5, 2, 5]) * rng.normal(size=len(p))
        result = minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
        best = max(best, -result.fun)
    return best


def assert_not_below_restarts(seed):
    joint = random_joint(seed)
    found = hypercontractivity_discrete(joint)
    assert found.value >= best_of_restarts(joint, 30, seed) - 1e-9
    assert found.lower_bound <= found.value <= 1


@pytest.mark.parametrize("seed", range(15))
def test_random_joints_are_not_below_thirty_restarts(seed):
    assert_not_below_restarts(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(i, i + 20) for i in range(0, 200, 20)])
def test_all_random_joints_are_not_below_thirty_restarts(seeds):
    for seed in seeds:
        assert_not_below_restarts(seed)


@pytest.mark.parametrize("seed", range(40))
def test_the_tilt_reaches_the_value(seed):
    joint = random_joint(seed)
    result = hypercontractivity_discrete(joint)
    p = joint.sum(axis=1)
    assert p @ result.tilt == pytest.approx(1, abs=1e-9)
    assert result.tilt.min() >= 0
    assert ratio(joint, result.tilt) == pytest.approx(result.value, abs=2e-6)
    assert result.lower_bound == pytest.approx(squared_correlation(joint), abs=1e-12)
    assert result.lower_bound <= result.value <= 1


@pytest.mark.parametrize(
    "joint",
    [binary_symmetric(0.1), binary_symmetric(0.4), hidden(0.9, 2), hidden(0.6, 2)],
    ids=["symmetric", "weak", "hidden", "less"],
)
def test_where_the_limit_of_small_tilts_is_the_largest_one_is_given(joint):
    result = hypercontractivity_discrete(joint)
    assert joint.sum(axis=1) @ result.tilt == pytest.approx(1, abs=1e-9)
    assert ratio(joint, result.tilt) == pytest.approx(result.value, abs=2e-6)
    assert np.ptp(result.tilt) > 1e-4


# ---- what leaves the value as it is


@pytest.mark.parametrize("seed", range(5))
def test_the_product_of_blocks_has_their_maximum(seed):
    rng = np.random.default_rng(seed)
    first, second = (
        normalised(rng.dirichlet(np.ones(n_x * n_y)), n_x, n_y)
        for n_x, n_y in (rng.integers(2, 5, size=2), rng.integers(2, 4, size=2))
    )
    values = [hypercontractivity_discrete(joint).value for joint in (first, second)]
    product = hypercontractivity_discrete(normalised_kron(first, second))
    assert product.value == pytest.approx(max(values), abs=1e-6)


def normalised_kron(first, second):
    joint = np.kron(first, second)
    return joint / joint.sum()


@pytest.mark.parametrize("e", [0.2, 0.6])
def test_powers_of_a_channel_have_its_value(e):
    joint = np.array([[1 - e, e, 0], [0, e, 1 - e]]) / 2
    square = hypercontractivity_discrete(normalised_kron(joint, joint))
    assert square.value == pytest.approx(1 - e, abs=1e-6)


JOINTS = [random_joint(seed) for seed in range(30)]
JOINTS += [hidden(0.3, 3), binary_symmetric(0.1, 0.1), np.diag([0.2, 0.3, 0.5])]


def test_names_of_values_do_not_count():
    rng = np.random.default_rng(0)
    for joint in JOINTS[::3]:
        expected = hypercontractivity_discrete(joint)
        rows, columns = (rng.permutation(size) for size in joint.shape)
        found = hypercontractivity_discrete(joint[rows][:, columns])
        assert found.value == pytest.approx(expected.value, abs=1e-12)
        assert found.lower_bound == pytest.approx(expected.lower_bound, abs=1e-12)
        assert ratio(joint[rows], found.tilt) == pytest.approx(found.value, abs=2e-6)


def test_rows_and_columns_of_zeros_count_for_nothing():
    for joint in JOINTS[:10]:
        expected = hypercontractivity_discrete(joint)
        padded = np.zeros((joint.shape[0] + 2, joint.shape[1] + 3))
        padded[1:-1, 2:-1] = joint
        found = hypercontractivity_discrete(padded)
        assert found.value == pytest.approx(expected.value, abs=1e-12)
        assert found.lower_bound == pytest.approx(expected.lower_bound, abs=1e-12)
        np.testing.assert_allclose(found.tilt[1:-1], expected.tilt, atol=1e-6)
        assert np.isnan(found.tilt[[0, -1]]).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_values_that_are_split_at_random_are_as_one(axis):
    shares = np.array([0.2, 0.5, 0.3])
    for joint in JOINTS[:8]:
        expected = hypercontractivity_discrete(joint)
        first = np.take(joint, [0], axis=axis)
        split = first * (shares[:, np.newaxis] if axis == 0 else shares)
        rest = np.delete(joint, 0, axis=axis)
        found = hypercontractivity_discrete(np.concatenate([split, rest], axis=axis))
        assert found.value == pytest.approx(expected.value, abs=1e-7)
        assert found.lower_bound == pytest.approx(expected.lower_bound, abs=1e-12)


def test_noise_after_the_channel_never_raises_the_value():
    rng = np.random.default_rng(0)
    for joint in JOINTS[:8]:
        noise = rng.dirichlet(np.ones(3), size=joint.shape[1])
        processed = joint @ noise
        noisy = hypercontractivity_discrete(processed / processed.sum()).value
        assert noisy <= hypercontractivity_discrete(joint).value + 1e-9


def test_the_result_is_deterministic():
    for joint in JOINTS[:5]:
        first, second = (hypercontractivity_discrete(joint) for _ in range(2))
        assert first.value == second.value
        np.testing.assert_array_equal(first.tilt, second.tilt)


def test_a_larger_tolerance_is_no_better():
    for joint in JOINTS[:10]:
        exact = hypercontractivity_discrete(joint).value
        rough = hypercontractivity_discrete(joint, tol=0.1).value
        assert exact - 1e-4 <= rough <= exact + 1e-9


# ---- input


def test_counts_are_normalised_with_a_warning():
    counts = np.array([[30, 10, 5], [2, 8, 40]])
    expected = hypercontractivity_discrete(counts / counts.sum())
    with pytest.warns(UserWarning, match=r"joint sums to 95, not to 1.*Pass joint / j"):
        result = hypercontractivity_discrete(counts)
    assert result.value == pytest.approx(expected.value, abs=1e-12)
    np.testing.assert_allclose(result.tilt, expected.tilt, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e200])
def test_joints_of_any_total_are_normalised(scale):
    with pytest.warns(UserWarning, match="joint sums to"):
        result = hypercontractivity_discrete(scale * binary_symmetric(0.1, 0.25))
    assert result.value == pytest.approx(0.6169949993, abs=1e-9)


def test_sums_of_nearly_one_are_not_warned_of():
    joint = binary_symmetric(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hypercontractivity_discrete(joint * (1 + 9e-10))
    with pytest.warns(UserWarning, match="joint sums to"):
        hypercontractivity_discrete(joint * (1 + 2e-9))


@pytest.mark.parametrize(
    "rare", [1e-9, 1e-15, 1e-100, 1e-200, 1e-300, 1e-310, 5e-324], ids=str
)
def test_very_rare_values_are_no_trouble(rare):
    result = hypercontractivity_discrete([[1 - rare, 0.0], [0.0, rare]])
    assert result.value == pytest.approx(1, abs=1e-6) or (
        rare < 1e-50 and result.value == 0  # as good as constant
    )
    blurred = hypercontractivity_discrete([[0.5 - rare, 0.5], [0.0, rare]])
    assert blurred.lower_bound <= blurred.value <= 1


def test_results_name_their_parts():
    result = hypercontractivity_discrete(binary_symmetric(0.1))
    assert isinstance(result.value, float)
    assert isinstance(result.lower_bound, float)
    assert result.tilt.shape == (2,)
    for nested in (binary_symmetric(0.1).tolist(), binary_symmetric(0.1)[::-1]):
        assert hypercontractivity_discrete(nested).value == pytest.approx(result.value)


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        ([[0.6, 0.6], [-0.2, 0]], r"joint has the negative entry .*-0.2.* Pass prob"),
        ([[0.5, np.nan], [0.5, 0]], "joint cannot be used. .*NaN"),
        ([[0.5, np.inf], [0.5, 0]], "joint cannot be used. .*infinity"),
        (np.empty((0, 3)), "joint cannot be used. .*0 sample"),
        (np.empty((3, 0)), "joint cannot be used. .*0 feature"),
        ([0.5, 0.5], "joint cannot be used. Expected 2D array"),
        (0.5, "joint cannot be used. Expected 2D array"),
        (np.ones((2, 2, 2)) / 8, "joint cannot be used. .*dim 3"),
        (np.zeros((2, 2)), "joint has a total of 0. Pass probabilities or counts"),
        ([["a", "b"]], "joint cannot be used"),
    ],
    ids=["negative", "NaN", "inf", "rows", "columns", "1-D", "0-D", "3-D", "0", "text"],
)
def test_bad_joints_are_named_with_their_remedy(joint, message):
    with pytest.raises(ValueError, match=message):
        hypercontractivity_discrete(joint)


@pytest.mark.parametrize("tol", [0, -1e-9, np.nan, np.inf])
def test_tolerances_are_positive(tol):
    with pytest.raises(ValueError, match=r"tol=.* must be positive and finite\. Pass"):
        hypercontractivity_discrete(binary_symmetric(0.1), tol=tol)
    with pytest.raises(TypeError, match="tol='small' must be a number"):
        hypercontractivity_discrete(binary_symmetric(0.1), tol="small")


# ---- samples: the known attenuation, and what remains under independence


def correlated(seed, n, correlation):
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


@pytest.mark.parametrize("n", [1000, 10_000])
def test_correlated_normals_have_nearly_their_squared_correlation(n):
    values = [hypercontractivity(*correlated(seed, n, 0.6)) for seed in range(10)]
    assert 0.25 <= np.median(values) <= 0.40  # .36 without the kernel
    correlations = [maximal_correlation(*correlated(s, n, 0.6)) for s in range(10)]
    assert 0.5 <= np.median(correlations) <= 0.65


def test_independent_normals_have_a_small_value():
    values = [hypercontractivity(*correlated(seed, 10_000, 0)) for seed in range(10)]
    assert np.median(values) <= 0.01


def test_an_isolated_sample_is_what_the_cap_is_for():
    x, y = correlated(0, 2000, 0)
    x[0] = y[0] = 50
    assert hypercontractivity(x, y, min_fraction=None) > 0.9
    assert hypercontractivity(x, y) == pytest.approx(1, abs=1e-6)  # 1 of 2000 suffices
    assert hypercontractivity(np.delete(x, 0), np.delete(y, 0)) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("n", "n_seeds"), [(1000, 20), (10_000, 20), (100_000, 20)])
def test_the_attenuation_of_normals_stays_in_its_band(n, n_seeds):
    values = [hypercontractivity(*correlated(seed, n, 0.6)) for seed in range(n_seeds)]
    assert 0.25 <= np.median(values) <= 0.40


@pytest.mark.slow
def test_the_attenuation_of_a_million_normals_stays_in_its_band():
    values = [hypercontractivity(*correlated(s, 1_000_000, 0.6)) for s in range(3)]
    assert 0.25 <= np.median(values) <= 0.40
