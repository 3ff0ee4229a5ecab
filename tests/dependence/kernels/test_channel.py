"""Channels, and the joints of kernels against loops over samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from skinfo.dependence.kernels import _channel
from skinfo.dependence.kernels._cells import Cells, gather
from skinfo.dependence.kernels._channel import (
    Channel,
    centred_joint,
    kernel_joint,
    smooth_cells,
)


def random_channel(seed, n_x=5, n_y=4):
    joint = np.random.default_rng(seed).dirichlet(np.ones(n_x * n_y))
    return Channel(joint.reshape(n_x, n_y))


def smoothed(points, groups=None):
    """Smooth samples, those that are equal in one cell and all others apart."""
    points = np.asarray(points, dtype=float).reshape(len(points), -1)
    if groups is None:
        groups = np.zeros(len(points), dtype=np.int64)
    rows, codes, counts = np.unique(
        np.column_stack([groups, points]),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    groups = rows[:, 0].astype(np.int64)
    return smooth_cells(Cells(codes.ravel(), counts, groups, rows[:, 1:]))


def sample_weights(vector):
    """Return W (n, n): the kernel weights of all samples at the samples, in rows."""
    cells = vector.cells
    points, groups = cells.points[cells.codes], cells.groups[cells.codes]
    weights = np.empty((len(points), len(points)))
    for i in range(len(points)):
        for j in range(len(points)):
            distance = np.sum((points[i] - points[j]) ** 2)
            weights[i, j] = np.exp(-distance / 2) * (groups[i] == groups[j])
        weights[i] /= weights[i].sum()
    return weights


def over_cells(matrix, x, y):
    """Add up a matrix over samples to one over the cells of x and y."""
    result = np.zeros((len(x.cells), len(y.cells)))
    np.add.at(result, (x.cells.codes[:, np.newaxis], y.cells.codes), matrix)
    return result


def pairs():
    """Return pairs of smoothed vectors, of all kinds."""
    rng = np.random.default_rng(0)
    n = 40
    x = rng.normal(size=(n, 1))
    y = x[:, 0] + rng.normal(size=n)
    groups = rng.integers(0, 3, size=n)
    far = np.where(np.arange(n) == 0, 50.0, y)
    return {
        "numbers": (smoothed(x), smoothed(y)),
        "ties": (smoothed(x.round()), smoothed(y.round())),
        "vectors": (smoothed(rng.normal(size=(n, 2))), smoothed(y)),
        "nominal": (smoothed(np.empty((n, 0)), groups), smoothed(y)),
        "two nominal": (
            smoothed(np.empty((n, 0)), groups),
            smoothed(np.empty((n, 0)), groups % 2),
        ),
        "mixed": (smoothed(x, groups), smoothed(far)),
        "outliers": (smoothed(far * 1e3), smoothed(far)),
        "blocks": (smoothed(100.0 * groups), smoothed(100.0 * groups + y)),
        "constant": (smoothed(np.zeros(n)), smoothed(y)),
    }


PAIRS = pairs()


@pytest.mark.parametrize("name", PAIRS)
def test_kernel_joint_is_the_product_of_the_weights_of_samples(name):
    x, y = PAIRS[name]
    expected = over_cells(sample_weights(x) @ sample_weights(y).T, x, y)
    joint = kernel_joint(x, y).joint
    np.testing.assert_allclose(joint, expected / expected.sum(), atol=1e-15)
    assert joint.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("name", PAIRS)
def test_centred_joint_is_that_of_the_authors(name):
    x, y = PAIRS[name]
    n = x.cells.n_samples
    matrix = sample_weights(x) @ sample_weights(y).T
    of_rows, of_columns = matrix.sum(axis=1, keepdims=True), matrix.sum(axis=0)
    centred = matrix + 1 / n + matrix.sum() / n**2 - of_rows / n - of_columns / n
    np.testing.assert_allclose(centred.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(centred.sum(axis=1), 1, atol=1e-12)
    expected = over_cells(np.maximum(centred, 0), x, y)
    joint = centred_joint(x, y).joint
    np.testing.assert_allclose(joint, expected / expected.sum(), atol=1e-15)
    assert joint.sum() == pytest.approx(1, abs=1e-14)
    if name in {"outliers", "blocks"}:
        assert centred.min() < 0  # and was cut


@pytest.mark.parametrize("make_joint", [kernel_joint, centred_joint])
@pytest.mark.parametrize("name", PAIRS)
def test_another_order_is_that_of_the_second_samples(name, make_joint):
    x, y = PAIRS[name]
    order = np.random.default_rng(1).permutation(x.cells.n_samples)
    cells = y.cells
    moved = Cells(cells.codes[order], cells.counts, cells.groups, cells.points)
    np.testing.assert_allclose(
        make_joint(x, y, order).joint,
        make_joint(x, smooth_cells(moved)).joint,
        atol=1e-16,
    )


@pytest.mark.parametrize("name", PAIRS)
def test_swapped_vectors_have_the_transposed_joint(name):
    x, y = PAIRS[name]
    np.testing.assert_allclose(
        kernel_joint(x, y).joint, kernel_joint(y, x).joint.T, atol=1e-16
    )


def test_rows_of_the_smoother_are_averages_over_samples():
    cells = gather(
        np.zeros(5, dtype=np.int64),
        np.array([[0.0], [0.0], [1.0], [1.0], [9.0]]),
        np.ones(5, dtype=np.int64),
    )
    vector = smooth_cells(cells)
    np.testing.assert_allclose(vector.smoother @ cells.counts, 1, atol=1e-15)
    kernel = np.exp(-(cdist(cells.points, cells.points) ** 2) / 2)
    np.testing.assert_allclose(
        vector.smoother[0], kernel[0] / (kernel[0] @ [2, 2, 1]), atol=1e-15
    )


@pytest.mark.parametrize("sample", [0, 17])
@pytest.mark.parametrize("name", ["numbers", "mixed", "nominal", "outliers"])
def test_vectors_without_a_sample_keep_their_scale(name, sample):
    x, y = PAIRS[name]
    fewer = [part.without(sample) for part in (x, y)]
    kept = np.delete(np.arange(x.cells.n_samples), sample)
    again = [
        smoothed(part.cells.points[part.cells.codes][kept], part_groups[kept])
        for part, part_groups in (
            (part, part.cells.groups[part.cells.codes]) for part in (x, y)
        )
    ]
    np.testing.assert_allclose(
        kernel_joint(*fewer).joint, kernel_joint(*again).joint, atol=1e-16
    )


# ---- what a channel computes


def test_tilts_and_means_are_those_of_the_conditional_laws():
    channel = random_channel(0)
    joint = channel.joint
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    np.testing.assert_allclose(channel.input_pmf, p)
    np.testing.assert_allclose(channel.output_pmf, q)
    conditional = channel.conditional()
    np.testing.assert_allclose(conditional.sum(axis=1), 1)
    np.testing.assert_allclose(conditional * p[:, np.newaxis], joint)
    tilts = np.random.default_rng(1).gamma(1, size=(5, 3))
    tilts /= p @ tilts
    outputs = (p[:, np.newaxis] * tilts).T @ conditional / q
    np.testing.assert_allclose(channel.output_tilts(tilts), outputs.T)
    np.testing.assert_allclose(q @ channel.output_tilts(tilts), 1)
    values = np.random.default_rng(2).normal(size=(4, 3))
    np.testing.assert_allclose(channel.input_means(values), conditional @ values)


def assert_leading(channel, correlation, function, tolerance):
    """Check that a function of x has the correlation that no other exceeds."""
    p, q = channel.input_pmf, channel.output_pmf
    matrix = channel.joint / np.sqrt(np.outer(p, q))
    singular = np.linalg.svd(matrix, compute_uv=False)
    assert correlation == pytest.approx(singular[1], abs=tolerance)
    assert p @ function == pytest.approx(0, abs=tolerance)
    assert p @ function**2 == pytest.approx(1, abs=tolerance)
    image = function @ channel.joint / q  # E[f(X) | y]
    assert np.sqrt(q @ image**2) == pytest.approx(singular[1], abs=tolerance)


@pytest.mark.parametrize("shape", [(5, 4), (2, 9), (9, 2), (30, 30)])
def test_leading_pair_is_the_second_singular_value(shape):
    channel = random_channel(0, *shape)
    assert_leading(channel, *channel.leading_pair(), 1e-12)


@pytest.mark.parametrize("name", ["numbers", "vectors", "mixed", "outliers", "blocks"])
def test_both_decompositions_find_the_leading_pair(name, monkeypatch):
    channel = kernel_joint(*PAIRS[name])
    assert_leading(channel, *channel.leading_pair(), 1e-12)
    monkeypatch.setattr(_channel, "_DENSE_SVD_UP_TO", 2)
    assert_leading(channel, *channel.leading_pair(), 1e-10)
    first, second = channel.leading_pair(), channel.leading_pair()
    np.testing.assert_array_equal(first[1], second[1])


def test_leading_pair_of_many_values_is_found():
    rng = np.random.default_rng(0)
    joint = rng.gamma(0.3, size=(450, 420))
    channel = Channel(joint / joint.sum())
    assert_leading(channel, *channel.leading_pair(), 1e-10)


def test_leading_pair_is_found_among_many_that_are_nearly_as_good():
    # y is x, and the kernel reaches from each cell to its neighbours
    points = np.sort(np.random.default_rng(5).normal(size=500)) * 350
    joint = kernel_joint(smoothed(points), smoothed(points))
    correlation, function = joint.leading_pair()
    assert correlation == pytest.approx(1, abs=1e-9)
    assert_leading(joint, correlation, function, 1e-6)


@pytest.mark.parametrize("n_values", [3, 450])
def test_functions_of_each_other_have_the_correlation_one(n_values):
    pmf = np.random.default_rng(0).dirichlet(np.ones(n_values))
    correlation, _ = Channel(np.diag(pmf)).leading_pair()
    assert correlation == pytest.approx(1, abs=1e-12)
    assert correlation <= 1


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1)])
def test_one_value_has_no_correlation(shape):
    correlation, function = random_channel(0, *shape).leading_pair()
    assert correlation == 0
    assert function.tolist() == [0] * shape[0]


@pytest.mark.parametrize("shape", [(2, 2), (4, 3), (450, 420)])
def test_independent_variables_have_no_correlation(shape):
    rng = np.random.default_rng(0)
    pmfs = [rng.dirichlet(np.ones(size)) for size in shape]
    correlation, _ = Channel(np.outer(*pmfs)).leading_pair()
    assert correlation == pytest.approx(0, abs=1e-12)
