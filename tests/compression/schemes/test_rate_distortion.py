"""The default scheme, the other methods, and their reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix

from skinfo import gaussian_rate_distortion
from skinfo.compression._reports import make_report, report_layers
from skinfo.compression.file._coded_model import decoded, weight_bytes
from skinfo.compression.schemes import _calibration, _candidates
from skinfo.compression.schemes._methods import METHODS
from skinfo.compression.schemes._target import (
    CompressionProblem,
    Target,
    bits_per_weight,
    coded_model,
    make_evaluation_samples,
    n_bytes,
)
from tests.compression.stacks import (
    LINK_NAMES,
    distortion_between,
    make_layers,
    make_linear_layer,
    make_stack,
    n_outputs_of,
    outputs_of,
)


def random_stack(d=8, hidden=(), link="identity"):
    sizes = (d, *hidden, n_outputs_of(link))
    return make_stack(make_layers(sizes, scale_biases=0.3), link)


def make_inputs(n=300, d=8, seed=1):
    """Return correlated samples with means, (n, d)."""
    rng = np.random.default_rng(seed)
    lags = np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    return rng.normal(size=(n, d)) @ np.linalg.cholesky(0.8**lags).T + 0.5


def compressed(
    stack,
    X,
    target,
    method="rate_distortion",
    *,
    importance="kl",
    damping=1e-2,
    rdo=0.1,
):
    generator = np.random.RandomState(0)
    problem = CompressionProblem(
        stack, X, None, target, importance, damping, rdo, generator
    )
    return METHODS[method].compress(problem)


def relative_distortion(stack, model, X):
    return make_report(stack, decoded(model), X, X).relative_distortion


def coded(stack, X, step, **changes):
    """Return the model by the default scheme with this step and other settings."""
    settings = _calibration.Settings(**{"damping": 1e-6, "step": step, **changes})
    return coded_model(stack, _calibration.Calibration(stack, X).coded(settings))


# The default scheme at a given step


@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
@pytest.mark.parametrize("link", LINK_NAMES)
def test_fine_steps_keep_the_outputs(link, hidden):
    if hidden and link not in ("identity", "softmax", "logistic", "exp"):
        pytest.skip("networks have other links")
    stack, X = random_stack(hidden=hidden, link=link), make_inputs()
    found = decoded(coded(stack, X, 2.0**-20, damping=1e-9))
    # the damping moves weights by about its size, without an effect on X; equal shifts
    # of all outputs are nothing to softmax
    raw, changed = (stack.link.function(outputs_of(each, X)) for each in (stack, found))
    assert_allclose(changed, raw, rtol=1e-3, atol=1e-3)


def test_distortion_of_a_linear_model_is_that_of_uniform_errors():
    # the sum of U_ii^2 step_i^2 / 12: all errors e_i / U_ii count alike
    stack, X = random_stack(d=30), make_inputs(n=4000, d=30)
    step = 2.0**-4
    found = decoded(coded(stack, X, step, row_step_spacing=(1, 1)))
    total = distortion_between(stack, found, X)
    # exponents are rounded to half octaves: factors of at most 2^(1/4) either way
    expected = 3 * 30 * step**2 / 12
    assert 0.6 * expected < total < 1.6 * expected


def test_orthogonality_gap_of_a_linear_model_vanishes():
    stack, X = random_stack(d=20), make_inputs(d=20)
    found = decoded(coded(stack, X, 0.7))
    # but for the shrinkage by the damping, 1e-6 of the reach
    assert abs(make_report(stack, found, X, X).orthogonality_gap) < 1e-4


def test_inputs_that_do_not_vary_have_codes_zero():
    stack, X = random_stack(), make_inputs()
    X[:, [2, 5]] = 3.0
    model = coded(stack, X, 0.01)
    assert not model.layers[0].codes[[2, 5]].any()
    found = outputs_of(decoded(model), X)
    assert_allclose(found, outputs_of(stack, X), atol=0.2)


@pytest.mark.parametrize(
    "as_sparse", [pytest.param(csr_matrix, marks=pytest.mark.slow), csr_array]
)
@pytest.mark.parametrize("link", ["identity", "softmax", "exp"])
def test_sparse_samples_give_the_same_layers(link, as_sparse):
    stack, X = random_stack(link=link), make_inputs()
    X[np.abs(X) < 0.7] = 0
    model = compressed(stack, X, Target("rate", 3.0))
    sparse = compressed(stack, as_sparse(X), Target("rate", 3.0))
    for one, other in zip(model.layers, sparse.layers, strict=True):
        assert_allclose(one.weights(), other.weights(), atol=1e-6)
        assert_allclose(one.biases(), other.biases(), atol=1e-6)


def test_second_layer_makes_up_for_the_first():
    """The second layer is fitted to the inputs that it will have."""
    stack, X = random_stack(hidden=(12,)), make_inputs(n=2000)
    found = decoded(coded(stack, X, 0.5, last_ratio=2.0**-12))
    kept = replace(found, layers=(found.layers[0], stack.layers[1]))
    # with the best biases, the squared error is the variance
    errors = outputs_of(stack, X) - outputs_of(kept, X)
    least = errors.var(axis=0).sum()
    assert distortion_between(stack, found, X) < 0.9 * least


@pytest.mark.parametrize("n_levels", [4, 16, 64])
def test_rounding_the_biases_adds_little(n_levels):
    stack, X = random_stack(d=40), make_inputs(d=40)
    target = Target("rate", np.log2(n_levels) + 1)
    model = compressed(stack, X, target, "kmeans", importance="uniform")
    [before], [after] = stack.layers, decoded(model).layers
    variance = np.mean((after.weights - before.weights) ** 2)
    # 2% of the variance is a step of sqrt(12 * .02 * variance), of which errors are
    # half; steps are powers of 2, and no finer than need be
    step = 2.0 ** model.layers[0].bias_exponent
    assert 1 / 2 < step / np.sqrt(12 * 0.02 * variance) <= 1
    assert np.abs(after.biases - before.biases).max() <= step / 2


# Targets


CASES = [
    ((), "identity"),
    ((), "softmax"),
    pytest.param((), "logistic", marks=pytest.mark.slow),
    ((), "exp"),
    pytest.param((10,), "identity", marks=pytest.mark.slow),
    pytest.param((10,), "softmax", marks=pytest.mark.slow),
    pytest.param((10, 6), "logistic", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("hidden", "link"), CASES)
def test_rate_is_met_and_more_bits_mean_less_distortion(hidden, link):
    stack, X = random_stack(d=25, hidden=hidden, link=link), make_inputs(d=25)
    distortions = []
    for rate in (1.5, 4.0):
        model = compressed(stack, X, Target("rate", rate))
        found = bits_per_weight(model)
        assert found <= rate
        if stack.n_outputs > 1 or hidden:  # small models change by many bits at once
            assert found > 0.85 * rate
        # the coder spends 2 bytes at its end, and 4 for each step
        bound = rate * stack.n_weights / 8 + 2 + 4 * len(stack.layers)
        assert weight_bytes(model.layers) <= bound
        distortions.append(relative_distortion(stack, model, X))
    assert distortions[0] > distortions[1]


@pytest.mark.parametrize(("hidden", "link"), CASES)
def test_number_of_bytes_is_met(hidden, link):
    stack, X = random_stack(d=25, hidden=hidden, link=link), make_inputs(d=25)
    wanted = 40 + stack.n_weights // 2
    model = compressed(stack, X, Target("n_bytes", wanted))
    assert wanted - 6 <= n_bytes(model) <= wanted


@pytest.mark.parametrize(("hidden", "link"), CASES)
@pytest.mark.parametrize("wanted", [0.2, 0.01])
def test_distortion_is_met(hidden, link, wanted):
    stack, X = random_stack(d=25, hidden=hidden, link=link), make_inputs(d=25)
    model = compressed(stack, X, Target("distortion", wanted))
    found = relative_distortion(stack, model, X)
    # at the smallest size, little of it is left unused
    assert 0.5 * wanted < found <= wanted * (1 + 1e-9)


@pytest.mark.parametrize("kind", ["n_bytes"])
def test_target_that_cannot_be_reached_names_the_smallest_file(kind):
    stack, X = random_stack(), make_inputs()
    with pytest.raises(ValueError, match="smallest file of this model has") as error:
        compressed(stack, X, Target(kind, 5))
    smallest = int(str(error.value).split("about ")[1].split(" ")[0])
    assert n_bytes(compressed(stack, X, Target(kind, smallest))) <= smallest


@pytest.mark.parametrize("link", ["identity", "softmax"])
def test_integers_that_were_found_before_are_not_fitted_anew(monkeypatch, link):
    stack, X = random_stack(link=link), make_inputs()
    known = compressed(stack, X, Target("rate", 3.0)).layers[0]
    monkeypatch.setattr(_calibration, "_FEW_WEIGHTS", 0)
    anew = compressed(stack, X, Target("rate", 3.0)).layers[0]
    assert_array_equal(known.codes, anew.codes)
    assert_allclose(known.weights(), anew.weights(), rtol=1e-6)
    assert_allclose(known.biases(), anew.biases(), rtol=1e-6)


def test_tiny_model_gets_two_bytes_at_least():
    stack, X = random_stack(d=2), make_inputs(d=2)
    model = compressed(stack, X, Target("rate", 1e-3))
    assert model.layers[0].codes.any()
    assert bits_per_weight(model) * stack.n_weights <= 16


def test_linear_gaussian_gap_is_small():
    """0.30 bit above reverse water-filling at 4 bits, as the benchmark measures."""
    d, k = 64, 256
    rng = np.random.default_rng(0)
    lags = np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    X = rng.normal(size=(4000, d)) @ np.linalg.cholesky(0.95**lags).T
    stack = make_stack([make_linear_layer(rng.normal(size=(d, k)))])
    model = compressed(stack, X, Target("rate", 4.0))
    total = distortion_between(stack, decoded(model), X)
    covariance = np.cov(X.T, bias=True)
    limit = gaussian_rate_distortion(np.eye(d), covariance, total / k) / d
    spent = 8 * weight_bytes(model.layers) / (d * k)
    assert 0 < spent - limit < 0.30


# The other methods


@pytest.mark.parametrize("hidden", [(), (10,)])
@pytest.mark.parametrize(
    "target", [Target("rate", 2.5), Target("n_bytes", 150), Target("distortion", 0.1)]
)
def test_kmeans_meets_its_target(hidden, target):
    stack = random_stack(d=30, hidden=hidden, link="softmax")
    X = make_inputs(d=30)
    model = compressed(stack, X, target, "kmeans")
    if target.name == "rate":
        assert bits_per_weight(model) <= target.amount
    elif target.name == "n_bytes":
        assert n_bytes(model) <= target.amount
    else:
        assert relative_distortion(stack, model, X) <= target.amount


def test_kmeans_with_as_many_levels_as_weights_keeps_them():
    stack, X = random_stack(), make_inputs()
    target = Target("n_bytes", 10_000)
    model = compressed(stack, X, target, "kmeans", importance="uniform")
    weights = decoded(model).layers[0].weights
    assert_array_equal(weights, stack.layers[0].weights.astype(np.float32))


@pytest.mark.parametrize("method", ["prune", "prune_refit"])
@pytest.mark.parametrize("sparsity", [0.5, 0.9])
def test_pruning_leaves_its_share_of_the_weights(method, sparsity):
    stack, X = random_stack(d=40, hidden=(20,), link="softmax"), make_inputs(d=40)
    model = compressed(stack, X, Target("sparsity", sparsity), method)
    n_kept = sum(np.count_nonzero(layer.codes) for layer in model.layers)
    # weights below half a step, 1/1024 of the largest, go too
    assert abs(n_kept / stack.n_weights - (1 - sparsity)) < 0.02


def test_refitting_beats_pruning():
    stack, X = random_stack(d=40, link="softmax"), make_inputs(d=40)
    target = Target("sparsity", 0.7)
    pruned, refitted = (
        relative_distortion(stack, compressed(stack, X, target, method), X)
        for method in ("prune", "prune_refit")
    )
    assert refitted < 0.5 * pruned


# Samples


def test_evaluation_samples_of_a_network_has_midpoints_of_samples():
    stack, X = random_stack(hidden=(5,)), make_inputs(n=20)
    evaluation = make_evaluation_samples(
        stack, X, np.random.RandomState(0), midpoints=True
    )
    assert_array_equal(evaluation.X[:20], X)
    distances = np.abs(
        evaluation.X[20:, np.newaxis, np.newaxis] - (X[:, np.newaxis] + X) / 2
    ).max(axis=-1)
    assert_array_equal(distances.min(axis=(1, 2)), 0)


def test_evaluation_samples_of_a_linear_model_has_the_samples():
    stack, X = random_stack(), make_inputs(n=20)
    assert (
        make_evaluation_samples(stack, X, np.random.RandomState(0), midpoints=True).X
        is X
    )


# Reports


def test_gaussian_rate_of_one_layer_is_that_of_water_filling():
    stack, X = random_stack(d=12), make_inputs(d=12)
    report = make_report(stack, with_weights_times(stack, 1.1), X, X)
    [layer] = stack.layers
    expected = gaussian_rate_distortion(
        np.mean(layer.weights**2) * np.eye(12),
        np.cov(X.T, bias=True),
        report.distortion / 3,
    )
    assert report.gaussian_rate > 0.5
    assert_allclose(report.gaussian_rate, expected / 12, rtol=1e-9)


def test_gaussian_rate_is_zero_where_everything_is_lost():
    stack, X = random_stack(link="softmax"), make_inputs()
    report = make_report(stack, with_weights_times(stack, -1e6), X, X)
    assert report.gaussian_rate == 0


def with_weights_times(stack, factor):
    [layer] = stack.layers
    return replace(stack, layers=(replace(layer, weights=factor * layer.weights),))


def test_report_of_the_model_itself_is_without_distortion():
    stack, X = random_stack(hidden=(5,)), make_inputs()
    report = make_report(stack, stack, X, X)
    assert report.distortion == report.relative_distortion == 0
    assert report.orthogonality_gap == 0


def test_report_is_of_plain_formulas():
    stack, X = random_stack(), make_inputs()
    layer = stack.layers[0]
    found = replace(stack, layers=(replace(layer, weights=np.round(layer.weights, 1)),))
    raw, changed = outputs_of(stack, X), outputs_of(found, X)
    report = make_report(stack, found, X, X)
    total = np.mean(np.sum((raw - changed) ** 2, axis=1))
    assert_allclose(report.distortion, total)
    assert_allclose(report.relative_distortion, total / raw.var(axis=0).sum())
    raw, changed = raw - raw.mean(axis=0), changed - changed.mean(axis=0)
    gap = np.sum(changed * (raw - changed)) / np.sum(raw**2)
    assert_allclose(report.orthogonality_gap, gap)


def test_what_all_logits_have_in_common_is_no_orthogonality_gap():
    stack, X = random_stack(link="softmax"), make_inputs()
    layer = stack.layers[0]
    common = layer.weights + np.linspace(-1, 1, len(layer.weights))[:, np.newaxis]
    found = replace(stack, layers=(replace(layer, weights=common),))
    report = make_report(stack, found, X, X)
    assert abs(report.distortion) < 1e-12
    assert abs(report.orthogonality_gap) < 1e-12


def test_layers_are_reported_by_what_they_cost():
    stack, X = random_stack(d=40, hidden=(20,)), make_inputs(d=40)
    model = compressed(stack, X, Target("rate", 2.0))
    reports = report_layers(model)
    assert [report.shape for report in reports] == [(40, 20), (20, 3)]
    for report, layer in zip(reports, model.layers, strict=True):
        assert report.step == layer.step
        assert report.n_levels == len(np.unique(layer.codes))
        assert report.sparsity == np.mean(layer.codes == 0)
    sizes = np.array([layer.codes.size for layer in model.layers])
    rates = np.array([report.rate for report in reports])
    spent = 8 * weight_bytes(model.layers)
    # the end of the coder, and whole bytes
    assert_allclose(rates @ sizes, spent, atol=24)


def test_codebooks_are_reported_without_a_step():
    stack, X = random_stack(d=30, link="softmax"), make_inputs(d=30)
    target = Target("rate", 6.0)
    model = compressed(stack, X, target, "kmeans", importance="uniform")
    [report] = report_layers(model)
    assert report.step is None
    assert report.n_levels == len(model.layers[0].codebook)


@pytest.mark.parametrize("seed", [0, 1])
def test_reduced_lattice_is_chosen_where_inputs_are_nearly_collinear(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    d = 20
    axes, _ = np.linalg.qr(rng.normal(size=(d, d)))
    scales = np.geomspace(1, 1e-4, d)  # a condition of the covariance of 1e8
    X = rng.normal(size=(300, d)) @ (axes * scales) @ axes.T
    stack = make_stack([make_linear_layer(rng.normal(size=(d, 1)))])
    target = Target("n_bytes", 55)
    best = compressed(stack, X, target)
    monkeypatch.setattr(_calibration, "_MOST_REDUCED", 0)
    row_by_row = compressed(stack, X, target)
    found, other = (relative_distortion(stack, each, X) for each in (best, row_by_row))
    assert n_bytes(best) <= 55
    assert n_bytes(row_by_row) <= 55
    assert other > 10 * found  # 20 times on these samples


def test_outputs_of_a_softmax_are_rounded_together_where_it_is_better(monkeypatch):
    stack, X = random_stack(link="softmax"), make_inputs()
    target = Target("n_bytes", 60)
    best = compressed(stack, X, target)
    monkeypatch.setattr(_calibration, "_MOST_JOINT_WEIGHTS", 0)
    apart = compressed(stack, X, target)
    found, other = (relative_distortion(stack, each, X) for each in (best, apart))
    assert other > 2 * found  # 3.4 times on these samples


def test_damping_is_refined_around_the_best(monkeypatch):
    stack, X = random_stack(link="softmax"), make_inputs()
    target = Target("n_bytes", 60)
    best = compressed(stack, X, target)
    monkeypatch.setattr(_candidates, "_DAMPING_FACTORS", ())
    coarse = compressed(stack, X, target)
    found, other = (relative_distortion(stack, each, X) for each in (best, coarse))
    assert other > 1.2 * found  # 1.5 times on these samples


def test_an_rdo_that_is_far_too_large_does_no_harm():
    """0 is tried too; so many squared steps a bit would make most weights 0."""
    stack, X = random_stack(d=30, hidden=(10,), link="softmax"), make_inputs(d=30)
    target = Target("rate", 3.0)
    found, without = (
        relative_distortion(stack, compressed(stack, X, target, rdo=rdo), X)
        for rdo in (200.0, 0.0)
    )
    assert found <= 2 * without  # 1.2 here: the rough search has other finalists
