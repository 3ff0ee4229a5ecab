"""Score tensors against explicit sums, and average tensors against brute force."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from skinfo.score_functions.tensors import _average
from skinfo.score_functions.tensors._average import (
    ExplicitTensor,
    ImplicitTensor,
    QuadraticPart,
    average_tensor,
    total,
)
from skinfo.score_functions.tensors._contraction import polarized
from skinfo.score_functions.tensors._pointwise import contracted_scores, score_tensors


def derivatives(n=6, d=3, seed=0):
    rng = np.random.default_rng(seed)
    hessian = rng.normal(size=(n, d, d))
    return rng.normal(size=(n, d)), hessian + hessian.transpose(0, 2, 1)


def plain_tensor(a, b, order):
    """Return S_order of one sample, entry by entry from its sum over pairings."""
    d = len(a)
    tensor = np.zeros((d,) * order)
    for index in np.ndindex(tensor.shape):
        for p in permutations(range(order)):
            i = [index[k] for k in p]
            # every term divided by the number of permutations that give it
            tensor[index] += np.prod([a[k] for k in i]) / math.factorial(order)
            if order == 2:
                tensor[index] += b[i[0], i[1]] / 2
            if order == 3:
                tensor[index] += a[i[0]] * b[i[1], i[2]] / 2
            if order == 4:
                tensor[index] += a[i[0]] * a[i[1]] * b[i[2], i[3]] / 4
                tensor[index] += b[i[0], i[1]] * b[i[2], i[3]] / 8
    return (-1) ** order * tensor


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_tensors_equal_the_sum_over_pairings(order):
    gradient, hessian = derivatives()
    tensors = score_tensors(gradient, hessian, order)
    for i, (a, b) in enumerate(zip(gradient, hessian, strict=True)):
        np.testing.assert_allclose(tensors[i], plain_tensor(a, b, order), atol=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_tensors_are_symmetric(order):
    tensors = score_tensors(*derivatives(), order)
    for axes in permutations(range(1, order + 1)):
        np.testing.assert_allclose(tensors.transpose(0, *axes), tensors, atol=1e-12)


def test_fourth_order_is_that_of_the_second_and_the_first():
    gradient, hessian = derivatives()
    first = score_tensors(gradient, hessian, 1)
    second = score_tensors(gradient, hessian, 2)
    # S_4 = 3 sym(S_2 S_2) - 2 S_1 S_1 S_1 S_1
    expected = -2 * np.einsum("ni,nj,nk,nl->nijkl", first, first, first, first)
    for pair in ("nij,nkl", "nik,njl", "nil,njk"):
        expected += np.einsum(f"{pair}->nijkl", second, second)
    fourth = score_tensors(gradient, hessian, 4)
    np.testing.assert_allclose(fourth, expected, atol=1e-11)


def test_third_order_is_that_of_the_second_and_the_first():
    gradient, hessian = derivatives()
    first = score_tensors(gradient, hessian, 1)
    second = score_tensors(gradient, hessian, 2)
    expected = -2 * np.einsum("ni,nj,nk->nijk", first, first, first)
    for pair in ("ni,njk", "nj,nik", "nk,nij"):
        expected += np.einsum(f"{pair}->nijk", first, second)
    third = score_tensors(gradient, hessian, 3)
    np.testing.assert_allclose(third, expected, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_contractions_are_those_of_the_tensors(order):
    gradient, hessian = derivatives()
    v = np.random.default_rng(1).normal(size=3)
    contracted = score_tensors(gradient, hessian, order)
    for _ in range(order):
        contracted = contracted @ v
    slope, curvature = gradient @ v, np.einsum("nij,i,j->n", hessian, v, v)
    np.testing.assert_allclose(
        contracted_scores(slope, curvature, order), contracted, rtol=1e-10, atol=1e-11
    )


# ---- average tensors


def parts_of(kind, n=40, d=4):
    rng = np.random.default_rng(3)
    parts = []
    for seed in range(2):
        slopes, hessians = derivatives(n, d, seed)
        curvature = hessians if kind == "varying" else hessians[0]
        parts.append(QuadraticPart(rng.normal(size=n), slopes, curvature))
    return parts


def brute_force(parts, order):
    """Return the sum of weights times S_order over samples and parts."""
    total = 0
    for part in parts:
        curvature = np.broadcast_to(
            part.curvature, part.slopes.shape + part.slopes.shape[1:]
        )
        tensors = score_tensors(-part.slopes, np.array(curvature), order)
        total = total + np.tensordot(part.weights, tensors, axes=1)
    return total


@pytest.fixture(params=["constant", "varying"])
def parts(request, monkeypatch):
    # blocks of five samples, so that they are summed
    monkeypatch.setattr(_average, "_BLOCK_ENTRIES", 5 * 16)
    return parts_of(request.param)


def test_second_moment_equals_brute_force(parts):
    np.testing.assert_allclose(total(parts, 2), brute_force(parts, 2), atol=1e-10)


def test_third_tensor_equals_brute_force(parts):
    np.testing.assert_allclose(total(parts, 3), brute_force(parts, 3), atol=1e-9)


def test_fourth_tensor_equals_brute_force(parts):
    tensor = average_tensor(parts, 4)
    assert isinstance(tensor, ExplicitTensor)
    np.testing.assert_allclose(tensor.entries, brute_force(parts, 4), atol=1e-9)


@pytest.mark.parametrize("order", [3, 4])
def test_powers_equal_the_contracted_tensor(parts, order):
    vectors = np.random.default_rng(4).normal(size=(3, 4))
    powers = average_tensor(parts, order).powers(vectors)
    for v, power in zip(vectors, powers, strict=True):
        expected = brute_force(parts, order)
        for _ in range(order - 1):
            expected = expected @ v
        np.testing.assert_allclose(power, expected, rtol=1e-10, atol=1e-9)


def test_folded_sums_the_contractions_with_each_vector(parts):
    vectors = np.random.default_rng(4).normal(size=(3, 4))
    expected = sum(brute_force(parts, 4) @ v @ v for v in vectors)
    folded = average_tensor(parts, 4).folded(vectors)
    np.testing.assert_allclose(folded, expected, rtol=1e-10, atol=1e-9)


def test_implicit_and_explicit_tensors_agree(parts, monkeypatch):
    vectors = np.random.default_rng(4).normal(size=(3, 4))
    explicit = average_tensor(parts, 4)
    for limit in ("MOST_EXPLICIT", "_MOST_VARYING"):
        monkeypatch.setattr(_average, limit, 3)
    implicit = average_tensor(parts, 4)
    assert isinstance(implicit, ImplicitTensor)
    for method in ("powers", "folded"):
        np.testing.assert_allclose(
            getattr(implicit, method)(vectors),
            getattr(explicit, method)(vectors),
            rtol=1e-10,
            atol=1e-9,
        )


@pytest.mark.parametrize("order", [3, 4])
def test_parts_along_a_basis_are_the_tensor_along_it(parts, order):
    basis = np.random.default_rng(5).normal(size=(4, 2))
    expected = brute_force(parts, order)
    for _ in range(order):  # the first axis goes last, so that each is met once
        expected = np.tensordot(expected, basis, axes=(0, 0))
    found = brute_force([part.along(basis) for part in parts], order)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9)


def test_parts_of_samples_sum_to_the_whole(parts):
    some, others = np.arange(10), np.arange(10, 40)
    halves = [part.take(rows) for part in parts for rows in (some, others)]
    np.testing.assert_allclose(
        brute_force(halves, 4), brute_force(parts, 4), rtol=1e-10, atol=1e-9
    )


def test_weights_multiply(parts):
    weights = np.random.default_rng(6).uniform(size=40)
    weighted = [part.weighted(weights) for part in parts]
    by_hand = [
        QuadraticPart(part.weights * weights, part.slopes, part.curvature)
        for part in parts
    ]
    np.testing.assert_array_equal(total(weighted, 2), total(by_hand, 2))


@pytest.mark.parametrize("order", [2, 3, 4])
def test_polarization_gives_the_tensor_of_its_powers(order):
    rng = np.random.default_rng(0)
    A, w = rng.normal(size=(6, 3)), rng.normal(size=6)
    axes = "abcd"[:order]
    spec = ",".join(["n", *(f"n{axis}" for axis in axes)])
    tensor = np.einsum(f"{spec}->{axes}", w, *[A] * order)
    found = polarized(lambda v: ((v @ A.T) ** order) @ w, 3, order)
    np.testing.assert_allclose(found, tensor, atol=1e-12)
