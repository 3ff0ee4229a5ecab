"""The file of a compressed model: round trips, its bytes, and damage of every kind."""

from __future__ import annotations

import struct
import time
import tracemalloc
import warnings
import zlib
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skinfo import load_compressed
from skinfo.compression.coding._range_coder import IntegerReader, encode_integers
from skinfo.compression.file import _fields, _file
from skinfo.compression.file._coded_model import (
    CodedLayer,
    CodedModel,
    decoded,
    step_factors,
)
from skinfo.compression.file._file import from_bytes, to_bytes
from skinfo.compression.models._reading import read_stack
from skinfo.compression.models._writing import write_model
from tests.compression.stacks import FAMILY_OF_NAME, make_coded_model, make_spec

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
X_NEW = RNG.normal(size=(40, 5))
SCORE = X @ RNG.normal(size=5)
TARGETS = {
    "one": np.exp(SCORE / 4),
    "several": np.column_stack([np.exp(SCORE / 4), X[:, 0], SCORE]),
    "binary": (SCORE > 0).astype(int),
    "multiclass": np.digitize(SCORE, [-1, 1]),
    "multilabel": (X[:, :3] + SCORE[:, None] > 0).astype(int),
}
METHODS = ("predict", "predict_proba", "decision_function")


def targets_of(name):
    if name in {"RidgeClassifier", "RidgeClassifierCV", "MLPClassifier"}:
        return ("binary", "multiclass", "multilabel")
    if FAMILY_OF_NAME[name].is_classifier:
        return ("binary", "multiclass")
    if name.startswith("MultiTask"):
        return ("several",)
    return ("one", "several") if name in {"Ridge", "MLPRegressor"} else ("one",)


CASES = [(name, target) for name in FAMILY_OF_NAME for target in targets_of(name)]


@cache
def stack_of(name, target, dtype="float64"):
    """Return a fitted model as a stack."""
    family = FAMILY_OF_NAME[name]
    quick = {"random_state": 0, "max_iter": 20 if family.is_network else 1000}
    quick |= {"hidden_layer_sizes": (6, 4)} if family.is_network else {}
    quick |= {"Cs": 2, "cv": 2} if name == "LogisticRegressionCV" else {}
    quick |= {"max_subpopulation": 100} if name == "TheilSenRegressor" else {}
    quick |= {"power": 1.5} if name == "TweedieRegressor" else {}
    if name == "OrthogonalMatchingPursuitCV":
        del quick["max_iter"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)  # of classes on their way out
        warnings.simplefilter("ignore", RuntimeWarning)  # of fits on such few rows
        model = family.model_class()()
        known = model.get_params()
        model.set_params(**{key: quick[key] for key in quick if key in known})
        return read_stack(model.fit(X.astype(dtype), TARGETS[target]))


def quantised(stack, scheme="step", seed=0):
    """Return the model of a stack, its weights rounded at random."""
    rng = np.random.default_rng(seed)
    layers = tuple(quantised_layer(layer, scheme, rng) for layer in stack.layers)
    activations = tuple(layer.activation for layer in stack.layers)
    return CodedModel(layers, activations, stack.link, stack.spec)


def quantised_layer(layer, scheme, rng):
    weights = layer.weights
    step = float(np.float32((np.abs(weights).max() or 1) / rng.integers(3, 40)))
    exponents = codebook = None
    spacing = 1
    steps = np.full(weights.shape, step)
    if scheme == "exponents":
        exponents = rng.integers(-3, 4, len(weights))
        spacing = int(rng.integers(1, 17))
        steps = steps * step_factors(spacing * exponents)[:, None]
    codes = np.rint(weights / steps + rng.uniform(-0.5, 0.5, weights.shape))
    codes = codes.astype(np.int64)
    if scheme == "codebook":
        codebook = rng.normal(size=rng.integers(1, 20)).astype(np.float32)
        codebook = codebook.astype(np.float64)
        codes = rng.integers(0, len(codebook), weights.shape) - len(codebook) // 2
    bias_exponent = int(rng.integers(-9, -4))
    bias_codes = np.rint(np.ldexp(layer.biases, -bias_exponent)).astype(np.int64)
    return CodedLayer(
        codes, step, exponents, codebook, bias_codes, bias_exponent, spacing
    )


def some_model(name="Ridge", target="one", scheme="step", seed=0):
    return quantised(stack_of(name, target), scheme, seed)


def changed_layer(model, **changes):
    first = replace(model.layers[0], **changes)
    return replace(model, layers=(first, *model.layers[1:]))


def changed_spec(model, **changes):
    return replace(model, spec=replace(model.spec, **changes))


def assert_same(first, second):
    assert first.dtype == second.dtype
    assert_array_equal(first, second, strict=True)


def assert_predicts_alike(first, second, X=X_NEW):
    assert type(first) is type(second)
    found = [method for method in METHODS if hasattr(first, method)]
    assert found == [method for method in METHODS if hasattr(second, method)]
    for method in found:
        for rows in (X, X[:1]):
            mine, other = getattr(first, method)(rows), getattr(second, method)(rows)
            if hasattr(mine, "toarray"):
                mine, other = mine.toarray(), other.toarray()
            assert_same(mine, other)


def assert_same_layers(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.activation == other.activation
        assert_same(one.weights, other.weights)
        assert_same(one.biases, other.biases)


def assert_same_spec(first, second):
    first, second = dict(vars(first)), dict(vars(second))
    classes = [first.pop("classes"), second.pop("classes")]
    assert first == second
    if classes[0] is None:
        assert classes[1] is None
    else:
        assert_same(*classes)


def assert_round_trip(model, feature_names=None):
    """Assert that a file has all of the model, and return its bytes."""
    data = to_bytes(model, feature_names)
    stack, names = from_bytes(data)
    expected = decoded(model)
    assert names == (None if feature_names is None else list(feature_names))
    assert stack.link == expected.link
    assert_same_spec(stack.spec, expected.spec)
    assert_same_layers(stack.layers, expected.layers)
    return data


# Steps


def test_step_factors_are_powers_of_the_root_of_two():
    exponents = np.arange(-9, 10)
    assert_allclose(step_factors(exponents), 2.0 ** (exponents / 2), rtol=1e-15)


def test_step_factors_of_even_exponents_are_exact():
    exponents = np.arange(-40, 41, 2)
    assert_array_equal(step_factors(exponents), 2.0 ** (exponents // 2))


# Round trips


@pytest.mark.parametrize(("name", "target"), CASES)
@pytest.mark.parametrize("scheme", ["step", "exponents", "codebook"])
def test_loaded_model_predicts_the_bits_of_the_written_one(name, target, scheme):
    for dtype in ("float64", "float32"):
        model = quantised(stack_of(name, target, dtype), scheme, seed=0)
        loaded, written = (
            load_compressed(assert_round_trip(model)),
            write_model(decoded(model)),
        )
        assert_predicts_alike(loaded, written)
        assert_predicts_alike(loaded, written, X_NEW.astype("float32"))


integers = st.integers(-(2**41) + 1, 2**41 - 1)
float32s = st.floats(2**-100, 2**100, width=32)


@st.composite
def coded_layers(draw, n_inputs, n_outputs):
    small = st.integers(-300, 300)
    codes = draw(st.lists(integers, min_size=1, max_size=5))
    codes = np.resize(codes, (n_inputs, n_outputs))
    bias_codes = np.resize(draw(st.lists(integers, min_size=1)), n_outputs)
    exponents = codebook = None
    spacing = 1
    scheme = draw(st.sampled_from(["step", "exponents", "codebook"]))
    if scheme == "exponents":
        spacing = draw(st.integers(1, 16))
        exponents = np.resize(draw(st.lists(small, min_size=1)), n_inputs) // spacing
    if scheme == "codebook":
        values = st.floats(allow_nan=False, allow_infinity=False, width=32)
        codebook = np.array(draw(st.lists(values, min_size=1)))
        codes = codes % len(codebook) - len(codebook) // 2
    step, bias_exponent = draw(float32s), draw(small)
    return CodedLayer(
        codes, step, exponents, codebook, bias_codes, bias_exponent, spacing
    )


@st.composite
def networks(draw):
    n_layers = draw(st.integers(1, 4))
    sizes = draw(st.lists(st.integers(1, 6), min_size=n_layers + 1, max_size=9))
    sizes = sizes[: n_layers + 1]
    layers = [draw(coded_layers(*shape)) for shape in pairwise(sizes)]
    activation = draw(st.sampled_from(["identity", "logistic", "tanh", "relu"]))
    layouts = draw(st.lists(st.sampled_from("CF"), min_size=4, max_size=4))
    spec = make_spec(128, layouts=tuple(layouts[:n_layers]))
    return make_coded_model(layers, spec, activation=activation)


@given(networks(), st.none() | st.lists(st.text(), min_size=6, max_size=6))
@settings(deadline=None, max_examples=60)
def test_networks_of_all_sizes_and_numbers_are_kept(model, names):
    if names is not None:
        names = names[: len(model.layers[0].codes)]
    assert_round_trip(model, names)


def classifier(classes):
    """Return a model with these classes, its weights at random."""
    n_outputs = 1 if len(classes) <= 2 else len(classes)
    rng = np.random.default_rng(3)
    codes, bias_codes = (
        rng.integers(-9, 9, (5, n_outputs)),
        rng.integers(-9, 9, n_outputs),
    )
    layer = CodedLayer(codes, 0.25, None, None, bias_codes, -3)
    return make_coded_model([layer], make_spec(71, classes=classes))


CLASSES = [
    *(np.arange(n) for n in (2, 3, 300)),
    np.array([False, True]),
    *(
        np.array([0, 1, 7], dtype=dtype)
        for dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64")
    ),
    np.array([-(2**63), 2**63 - 1]),
    np.array([0, 2**64 - 1], dtype=np.uint64),
    np.array([-128, 127], dtype=np.int8),
    np.array([-5, 3]),
    np.array([1, 2, 3]),
    *(np.array([-1, 0, 2048], dtype=dtype) for dtype in ("f2", "f4", "f8")),
    np.array([0.0, 1.0]),
    np.array([-(2.0**63), 2.0**63]),
    np.array(["apple", "fig", "quince"]),
    np.array(["", "\N{GREEK SMALL LETTER OMEGA}", "\N{GRINNING FACE}"]),
    np.array(["no", "yes"], dtype="U40"),
    np.array(["a\0b", "b"]),
    np.array(["apple", "fig", "quince"], dtype=object),
    np.array(["a\0", "b" * 1000], dtype=object),
]


@pytest.mark.parametrize("classes", CLASSES, ids=lambda classes: str(classes.dtype))
def test_classes_keep_their_dtype(classes):
    model = classifier(classes)
    loaded = load_compressed(assert_round_trip(model))
    assert_same(loaded.classes_, classes)
    assert_same(loaded.predict(X), write_model(decoded(model)).predict(X))


@pytest.mark.parametrize("label", [0, 1, 5, True, False, 2.0, "only"])
def test_single_class_of_a_network_is_kept(label):
    layer = CodedLayer(np.ones((5, 1), int), 1.0, None, None, np.zeros(1, int), 0)
    spec = make_spec(129, classes=np.array([label]))
    model = make_coded_model([layer], spec, "logistic")
    assert_same(load_compressed(assert_round_trip(model)).classes_, np.array([label]))


def test_classes_of_other_byte_order_become_native():
    loaded = load_compressed(to_bytes(classifier(np.array([1, 2, 3], dtype=">i4"))))
    assert_same(loaded.classes_, np.array([1, 2, 3], dtype=np.int32))


def test_frequent_classes_cost_nothing_else():
    one = len(to_bytes(classifier(np.arange(2))))
    assert len(to_bytes(classifier(np.array([False, True])))) == one
    # dtype, number, the first and the difference
    assert len(to_bytes(classifier(np.array([1, 2])))) == one + 4
    assert len(to_bytes(classifier(np.array([0.0, 1.0])))) == one + 4
    assert len(to_bytes(classifier(np.array(["no", "yes"], object)))) == one + 1 + 3 + 4


@pytest.mark.parametrize("n_features", [1, 5, 200])
def test_feature_names_are_kept_when_given(n_features):
    codes = np.arange(n_features)[:, None] % 7
    layer = CodedLayer(codes, 1.0, None, None, np.zeros(1, dtype=int), 0)
    model = make_coded_model([layer], make_spec(2, n_dimensions=1))
    names = [
        f"x{i}" if i else "L\N{LATIN SMALL LETTER A WITH DIAERESIS}nge"
        for i in range(n_features)
    ]
    assert_round_trip(model, names)
    loaded = load_compressed(to_bytes(model, np.array(names, dtype=object)))
    assert_same(loaded.feature_names_in_, np.array(names, dtype=object))
    assert not hasattr(load_compressed(to_bytes(model)), "feature_names_in_")
    with pytest.raises(ValueError, match=f"{n_features} features, not 2 names"):
        to_bytes(model, ["a", "b"] if n_features != 2 else ["a"])
    with pytest.raises(TypeError, match="The feature name 0 is not a str"):
        to_bytes(model, range(n_features))


def test_load_takes_paths_and_all_kinds_of_bytes(tmp_path):
    model = some_model("LogisticRegression", "multiclass")
    data = to_bytes(model)
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    twice = np.frombuffer(data, np.uint8).repeat(2)[::2]  # not contiguous
    for source in (path, str(path), data, bytearray(data), memoryview(twice)):
        loaded = load_compressed(source)
        assert_predicts_alike(loaded, write_model(decoded(model)))
    for wrong in (None, 3, path.open, [1, 2]):
        with pytest.raises(TypeError, match="Pass the path of a file"):
            load_compressed(wrong)
    with pytest.raises(FileNotFoundError):
        load_compressed(tmp_path / "none.bin")


def test_other_files_are_not_read_to_their_end(tmp_path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(10**9)  # zeros, which take no room
    with pytest.raises(ValueError, match="no compressed model"):
        load_compressed(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="no compressed model"):
        load_compressed(path)


@pytest.mark.slow
def test_huge_sparse_model_is_kept():
    codes = np.zeros((10**6, 1), dtype=np.int64)
    model = changed_layer(some_model(), codes=codes)
    data = assert_round_trip(model)
    assert len(data) < 40
    with pytest.raises(ValueError, match="cannot hold 1216385 numbers"):
        to_bytes(changed_layer(model, codes=np.zeros((1_200_000, 1), dtype=np.int64)))


# Its bytes


def coded_bytes(model):
    groups = [[*layer.weight_groups(), layer.bias_codes] for layer in model.layers]
    return len(encode_integers([group for each in groups for group in each]))


def of_sizes(kind, sizes, **spec):
    rng = np.random.default_rng(1)
    layers = tuple(
        CodedLayer(
            rng.integers(-3, 4, shape), 0.1015625, rng.integers(-1, 2, shape[0]), None,
            rng.integers(-50, 50, shape[1]), -7,
        )
        for shape in pairwise(sizes)
    )  # fmt: skip
    spec = make_spec(kind, len(layers), **spec)
    return make_coded_model(layers, spec, activation="relu")


@pytest.mark.parametrize(
    ("kind", "sizes", "spec", "n_bytes"),
    [
        (2, (10, 1), {"n_dimensions": 1, "intercept": "scalar"}, 20),
        (71, (64, 10), {"classes": np.arange(10)}, 20),
        (128, (64, 100, 10), {}, 27),
    ],
)
def test_all_but_the_integers_costs_few_bytes(kind, sizes, spec, n_bytes):
    model = of_sizes(kind, sizes, **spec)
    assert len(assert_round_trip(model)) - coded_bytes(model) == n_bytes


def golden_models():
    ridge = CodedLayer(
        np.array([[3], [-1], [0], [40]]), 0.375, None, None, np.array([1000]), -4
    )
    spec = make_spec(2, intercept="scalar", n_dimensions=1)
    yield make_coded_model([ridge], spec), None
    hidden = CodedLayer(
        np.array([[1, -2, 0], [0, 5, 1]]), 0.1015625, np.array([0, -3]), None,
        np.array([7, -7, 0]), -5,
    )  # fmt: skip
    last = CodedLayer(
        np.array([[0], [-1], [1]]), 1.0, None, np.array([-0.5, 0.0, 0.75]),
        np.array([-3]), 70,
    )  # fmt: skip
    labels = np.array(["no", "y\N{LATIN SMALL LETTER E WITH ACUTE}s"])
    spec = make_spec(
        129,
        dtype="float32",
        intercept_dtype="float32",
        layouts=("F", "C"),
        classes=labels,
    )
    yield make_coded_model([hidden, last], spec, "logistic", "tanh"), ["a", "bc"]
    tweedie = CodedLayer(np.array([[2]]), 1.0, None, None, np.array([0]), 0)
    spec = make_spec(29, intercept_dtype="float32", intercept="float", power=1.5)
    yield make_coded_model([tweedie], spec, "exp"), None
    perceptron = CodedLayer(
        np.array([[1, 0, 2]]), 2.0, None, None, np.array([0, 1, 2]), 0
    )
    spec = make_spec(69, layouts=("sparse",), classes=np.array([-1, 2, 300]))
    yield make_coded_model([perceptron], spec), None


GOLDEN = [
    "a7534b01020400010401000000c03e078be343c5c09d0c4549b8",
    (
        "a7534b01819393020203010302026e6f0479c3a973050000d03d090803000000bf0000000000"
        "00403f8c010161026263514f72fb867d773a7f144c79"
    ),
    "a7534b011d1a01010101000000000000f83f000000803f007a2bf16919",
    "a7534b0145106001010300030102a9020200000040005c028180d41b94",
]


@pytest.mark.parametrize("i", range(4))
def test_bytes_never_change(i):
    model, names = [*golden_models()][i]
    assert assert_round_trip(model, names).hex() == GOLDEN[i]


def test_fields_are_where_the_format_page_says():
    model, names = [*golden_models()][1]
    data = to_bytes(model, names)
    assert data[:5] == bytes([0xA7, 0x53, 0x4B, 1, 129])
    spec = int.from_bytes(data[5:7], "little")
    # float32 both, a vector, 2 dimensions, one label, names, logistic, tanh, texts
    parts = {0: 1, 1: 1, 2: 0, 4: 1, 5: 0, 7: 1, 8: 3, 11: 2, 13: 4}
    assert spec == sum(number << place for place, number in parts.items())
    assert [*data[7:11]] == [2, 2, 3, 1]
    assert data[11:21] == b"\3\2\2no\4y\xc3\xa9s"
    flags, step, exponent = struct.unpack("<Bfb", data[21:27])
    assert (flags, step, exponent) == (1 | 1 << 2, 0.1015625, 2 * 5 - 1)
    flags, n_levels, *levels = struct.unpack("<BB3f", data[27:41])
    assert (flags, n_levels, levels) == (1 << 3, 3, [-0.5, 0, 0.75])
    assert data[41:48] == b"\x8c\1\1a\2bc"  # 140 is twice 70
    groups = [[0, -3], [0, 5, 1], [1, -2, 0], [7, -7, 0], [0, -1, 1], [-3]]
    assert data[48:-4] == encode_integers([np.array(group) for group in groups])
    assert data[-4:] == zlib.crc32(data[:-4]).to_bytes(4, "little")


@given(st.integers(-(2**69), 2**69 - 1))
def test_numbers_of_any_size_are_kept(number):
    reader = _fields.Reader(_fields.signed_varint(number) + _fields.varint(abs(number)))
    assert reader.signed_varint() == number
    assert reader.varint() == abs(number)
    assert reader.n_left == 0


@pytest.mark.parametrize("data", [b"\x80\0", b"\xff\x80\0", b"\x80" * 10, b"\xff" * 30])
def test_numbers_have_one_form_only(data):
    with pytest.raises(ValueError, match="too long"):
        _fields.Reader(data).varint()


# A reader written from the format page alone, but for the range coder

DTYPES = (
    "int64 int32 int16 int8 uint64 uint32 uint16 uint8 float64 float32 float16 bool"
)


class PlainReader:
    def __init__(self, data):
        self.data, self.start = data, 5

    def take(self, n):
        self.start += n
        return self.data[self.start - n : self.start]

    def number(self):
        number = i = 0
        while True:
            byte = self.take(1)[0]
            number += byte % 128 << 7 * i
            i += 1
            if byte < 128:
                return number

    def signed(self):
        number = self.number()
        return number // 2 if number % 2 == 0 else -(number + 1) // 2

    def text(self):
        return self.take(self.number()).decode()

    def texts(self, dtype):
        return np.array([self.text() for _ in range(self.number())], dtype=dtype)

    def classes(self, way, n_outputs):
        if way < 3:
            return [None, np.arange(max(2, n_outputs)), np.array([False, True])][way]
        if way > 3:
            return self.texts(f"U{self.number()}" if way == 4 else object)
        dtype = DTYPES.split()[self.take(1)[0]]
        n_labels, labels = self.number(), [self.signed()]
        while len(labels) < n_labels:
            labels.append(labels[-1] + 1 + self.number())
        return np.array(labels, dtype=dtype)

    def layer(self):
        flags = self.take(1)[0]
        n_levels = self.number() if flags & 8 else 1
        levels = struct.unpack(f"<{n_levels}f", self.take(4 * n_levels))
        return flags, levels, self.signed()

    def integers(self, reader, layer, n_inputs, n_outputs):
        flags, levels, bias_exponent = layer
        exponents = np.zeros(n_inputs, dtype=int)
        if flags & 4:
            exponents[:] = reader.read(n_inputs)
        codes = np.empty((n_inputs, n_outputs), dtype=int)
        for exponent in sorted(set(exponents)):
            rows = [i for i in range(n_inputs) if exponents[i] == exponent]
            group = reader.read(len(rows) * n_outputs)
            for i, row in zip(rows, group.reshape(-1, n_outputs), strict=True):
                codes[i] = row
        if flags & 8:
            weights = np.array(levels)[codes + len(levels) // 2]
        else:
            halves = [(flags // 16 + 1) * e for e in exponents]
            factors = [
                2.0 ** (half // 2) * [1, 1.4142135623730951][half % 2]
                for half in halves
            ]
            weights = codes * levels[0] * np.array(factors)[:, None]
        biases = reader.read(n_outputs) * 2.0**bias_exponent
        return weights, biases

    def read(self):
        """Return the classes, the names, and the weights and biases of each layer."""
        spec = int.from_bytes(self.take(2), "little")
        sizes = [self.number() for _ in range(self.take(1)[0] + 1)]
        if self.data[4] == 29:
            self.take(8)
        classes = self.classes(spec >> 13, sizes[-1])
        layers = [self.layer() for _ in sizes[1:]]
        names = [self.text() for _ in range(sizes[0])] if spec >> 7 & 1 else None
        reader = IntegerReader(self.data[self.start : -4])
        numbers = [
            self.integers(reader, *each)
            for each in zip(layers, sizes[:-1], sizes[1:], strict=True)
        ]
        reader.finish()
        return classes, names, numbers


# Models that no file can hold


def unwritable():
    ridge = some_model()
    scaled = some_model(scheme="exponents")
    book = some_model(scheme="codebook")
    network = some_model("MLPRegressor")
    code = CodedLayer(np.ones((1, 1), int), 1.0, None, None, np.ones(1, int), 0)
    n_features = len(ridge.layers[0].codes)
    for step in (0.0, -1.0, np.nan, np.inf, 0.1, 1e300, 1e-300):
        yield changed_layer(ridge, step=step), "no positive float32"
    for exponent in (1001, -1001, 2**40):
        exponents = np.full(n_features, 2 * exponent)
        yield changed_layer(scaled, exponents=exponents, spacing=1), "is beyond 2000"
        yield changed_layer(scaled, exponents=exponents, spacing=16), "is beyond 125"
        yield changed_layer(ridge, bias_exponent=exponent), "is beyond 1000"
    exponents = np.full(n_features, 2000)
    codes = np.full((n_features, 1), 2**40)
    yield (
        changed_layer(scaled, codes=codes, exponents=exponents, spacing=1),
        "too large for float64",
    )
    yield (
        changed_layer(ridge, bias_codes=np.array([2**40]), bias_exponent=1000),
        "too large for float64",
    )
    single = changed_spec(scaled, dtype="float32")
    exponents = np.full(n_features, 400)
    yield (
        changed_layer(single, codes=codes, exponents=exponents, spacing=1),
        "too large for float32",
    )
    for spacing in (0, 17, -1):
        yield changed_layer(scaled, spacing=spacing), "is not in 1 to 16"
    yield changed_layer(ridge, spacing=2), "a spacing of 2, but no exponents"
    yield changed_layer(ridge, codes=codes * 2), r"must be below 2\^41"
    yield changed_layer(ridge, codes=codes.ravel()), "are no matrix"
    yield changed_layer(ridge, codes=codes[:0]), "are no matrix"
    yield changed_layer(ridge, bias_codes=np.zeros(2, int)), "not one for each output"
    yield changed_layer(scaled, exponents=exponents[1:]), "not one for each input"
    yield changed_layer(book, exponents=exponents * 0), "one excludes the other"
    for codebook in ([np.nan], [np.inf], [0.1], [[1.0]], [], [1e300]):
        yield changed_layer(book, codebook=np.array(codebook)), "no list of finite"
    codebook = np.arange(3.0)
    for index in (-2, 2, 2**40, -(2**40)):
        codes = np.zeros((n_features, 1), dtype=np.int64)
        codes[1] = index
        yield changed_layer(book, codes=codes, codebook=codebook), "but a codebook of 3"
    yield replace(ridge, layers=(), activations=()), "1 to 255 layers"
    deep = replace(
        network,
        layers=(code,) * 256,
        activations=("relu",) * 255 + ("identity",),
        spec=replace(network.spec, layouts=("C",) * 256),
    )
    yield deep, "1 to 255 layers"
    yield replace(network, activations=("relu",)), "argument 2 is shorter"
    yield changed_spec(ridge, power=1.0), "A Ridge has no power"
    yield changed_spec(ridge, dtype="object"), "dtype='object' is unknown"
    yield changed_spec(ridge, layouts=("K",)), "layout='K' is unknown"
    yield changed_spec(ridge, n_dimensions=3), "n_dimensions=3"
    exp = stack_of("PoissonRegressor", "one").link
    yield replace(ridge, link=exp), "link='exp' is unknown"
    yield classifier(np.array([0.5, 1.0])), "must be whole"
    yield classifier(np.array([0.0, 1e30])), "smaller labels"
    yield classifier(np.array([0, 1], dtype=np.longdouble)), "dtype .* cannot be kept"
    yield classifier(np.array(["a", "\ud800"], dtype=object)), "no text that UTF-8"


UNWRITABLE = [*unwritable()]


@pytest.mark.parametrize(("model", "message"), UNWRITABLE)
def test_model_that_no_file_can_hold_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        to_bytes(model)


def test_feature_names_without_utf8_are_refused():
    with pytest.raises(ValueError, match="no text that UTF-8"):
        to_bytes(some_model(), ["a", "b", "c", "d", "\ud800"])


# Damage, of small files with all kinds of fields


def sealed(content):
    """Return the content with its checksum."""
    return content + zlib.crc32(content).to_bytes(4, "little")


def corpus():
    """Return small files of all kinds of fields."""
    models = [
        *golden_models(),
        (some_model("LogisticRegression", "multiclass", "exponents"), None),
        (some_model("MLPClassifier", "multilabel", "codebook"), None),
        (some_model("TweedieRegressor"), list("abcde")),
        *((classifier(classes), None) for classes in CLASSES[3:8] + CLASSES[-5:-1]),
    ]
    return [to_bytes(*each) for each in models]


CORPUS = corpus()


@pytest.mark.parametrize("data", CORPUS, ids=range(len(CORPUS)))
def test_a_reader_written_from_the_page_reads_the_same(data):
    classes, names, numbers = PlainReader(data).read()
    stack, expected_names = from_bytes(data)
    assert names == expected_names
    assert (classes is None) == (stack.spec.classes is None)
    if classes is not None:
        assert_same(classes, stack.spec.classes)
    for layer, (weights, biases) in zip(stack.layers, numbers, strict=True):
        assert_same(weights, layer.weights)
        assert_same(biases, layer.biases)


def read_or_none(data):
    """Return the model of the file, or None after a ValueError."""
    try:
        load_compressed(data)
    except ValueError:
        return None
    model, names = _file._read_model(data)
    assert to_bytes(model, names) == data  # it is the file of this very model
    for layer in decoded(model).layers:
        assert np.isfinite(layer.weights).all()
        assert np.isfinite(layer.biases).all()
    return model


@pytest.mark.parametrize("data", CORPUS, ids=range(len(CORPUS)))
def test_every_truncation_is_an_error(data):
    for n_bytes in range(len(data)):
        with pytest.raises(ValueError, match=r"damaged|no compressed model"):
            load_compressed(data[:n_bytes])


@pytest.mark.parametrize("data", CORPUS, ids=range(len(CORPUS)))
def test_every_flipped_byte_is_an_error(data):
    for i in range(len(data)):
        for flip in (1, 0x80, 0xFF, i % 255 + 1):
            damaged = bytearray(data)
            damaged[i] ^= flip
            with pytest.raises(ValueError, match=r"damaged|no compressed|has version"):
                load_compressed(damaged)


@pytest.mark.parametrize("more", [b"\0", b"\n", b"\xff\xff", bytes(100)])
def test_trailing_bytes_are_an_error(more):
    for data in CORPUS:
        with pytest.raises(ValueError, match="checksum differs"):
            load_compressed(data + more)
        with pytest.raises(ValueError, match="damaged"):
            load_compressed(sealed(data[:-4] + more))


def test_other_versions_are_named():
    for version in (0, 2, 255):
        data = CORPUS[0][:3] + bytes([version]) + CORPUS[0][4:-4]
        with pytest.raises(ValueError, match=f"version {version}, and only 1 is known"):
            load_compressed(sealed(data))


@pytest.mark.parametrize(
    "data", [b"", b"\xa7", b"\x80\x04\x95pickle", b"PK\3\4" + bytes(99), b"\0" * 50]
)
def test_other_files_are_no_models(data):
    with pytest.raises(ValueError, match="no compressed model"):
        load_compressed(data)


def head(kind=2, spec=0, sizes=(1, 5, 1)):
    """Return the start of a file, with a number of layers and sizes."""
    start = b"\xa7SK\1" + bytes([kind]) + spec.to_bytes(2, "little")
    return start + bytes(sizes[:1]) + b"".join(map(_fields.varint, sizes[1:]))


def layer_bytes(flags=0, step=1.0, exponent=0):
    return struct.pack("<Bf", flags, step) + _fields.signed_varint(exponent)


def book_bytes(n_levels, values):
    return (
        b"\x08"
        + _fields.varint(n_levels)
        + struct.pack(f"<{len(values)}f", *values)
        + b"\0"
    )


def coded(*groups):
    return encode_integers([np.array(group) for group in groups])


FIVE = coded([1, 2, 3, 4, 5], [6])
NUMBERS, TEXTS, OBJECTS = (code << 13 for code in (3, 4, 5))
NONSENSE = {
    "no kind": (head(kind=0) + layer_bytes() + FIVE, "kind=0 is the number of no"),
    "no layers": (head(sizes=(0, 5)) + FIVE, "no layers"),
    "two layers": (
        head(sizes=(2, 5, 1, 1)) + layer_bytes() * 2 + FIVE,
        "damaged|one layer",
    ),
    "no features": (head(sizes=(1, 0, 1)) + layer_bytes() + FIVE, "size is 0"),
    "no outputs": (head(sizes=(1, 5, 0)) + layer_bytes() + FIVE, "size is 0"),
    "wide": (head(sizes=(1, 2**30, 1)) + layer_bytes(), "cannot hold 1073741824"),
    "square": (head(sizes=(1, 2**20, 2**20)) + layer_bytes(), "cannot hold 10995"),
    "overflow": (head(sizes=(1, 2**63, 2**6)) + layer_bytes(), "cannot hold 5902"),
    "deep": (
        head(kind=128, sizes=(3, 1000, 1000, 1000, 1000)) + layer_bytes() * 3,
        "cannot hold 3000000 ",
    ),
    "just too many": (
        head(sizes=(1, 2**20 + 1024 * 64, 1)) + layer_bytes(),
        "cannot hold 1114112",
    ),
    "long number": (head()[:8] + b"\xff" * 30, "too long"),
    "classes of a regressor": (
        head(spec=1 << 13) + layer_bytes() + FIVE,
        "Ridge has no classes",
    ),
    "no such classes": (head(spec=7 << 13) + layer_bytes() + FIVE, "kind 7"),
    "unknown intercept": (head(spec=3 << 2) + layer_bytes() + FIVE, "3 is none of"),
    "unknown labels": (head(spec=3 << 5) + layer_bytes() + FIVE, "3 is none of"),
    "unknown link": (head(spec=7 << 8) + layer_bytes() + FIVE, "7 is none of"),
    "unfit link": (head(spec=1 << 8) + layer_bytes() + FIVE, "link='exp' is unknown"),
    "hidden activation": (head(spec=2 << 11) + layer_bytes() + FIVE, "no hidden"),
    "unknown layout": (head() + layer_bytes(3) + FIVE, "3 is none of"),
    "spacing of nothing": (head() + layer_bytes(16) + FIVE, "but no exponents"),
    "sparse": (head() + layer_bytes(2) + FIVE, "Ridge are dense"),
    "zero step": (head() + layer_bytes(step=0.0) + FIVE, "no positive float32: 0"),
    "minus zero step": (head() + layer_bytes(step=-0.0) + FIVE, "no positive"),
    "negative step": (head() + layer_bytes(step=-1.0) + FIVE, "no positive float32"),
    "NaN step": (head() + layer_bytes(step=np.nan) + FIVE, "no positive float32"),
    "signalling NaN step": (
        head() + b"\0\1\0\xa0\x7f\0" + FIVE,
        "no positive float32: nan",
    ),
    "infinite step": (head() + layer_bytes(step=np.inf) + FIVE, "no positive float32"),
    "bias exponent": (head() + layer_bytes(exponent=1001) + FIVE, "beyond 1000: 1001"),
    "huge bias exponent": (
        head() + layer_bytes(exponent=-(2**65)) + FIVE,
        "beyond 1000: -36893488147419103232",
    ),
    "overflowing bias": (
        head() + layer_bytes(exponent=1000) + coded([0] * 5, [2**40]),
        "too large for float64",
    ),
    "overflowing float32": (
        head(spec=1) + layer_bytes(step=2.0**127) + coded([2] * 5, [0]),
        "too large for float32",
    ),
    "exponent": (
        head() + layer_bytes(4) + coded([0, 0, 0, 0, -2001], [0], [0] * 4, [0]),
        "beyond 2000: -2001",
    ),
    "overflowing weight": (
        head() + layer_bytes(4) + coded([2000] * 5, [2**40] * 5, [0]),
        "too large for float64",
    ),
    "exponents and codebook": (
        head() + b"\x0c" + book_bytes(1, [0.5])[1:] + coded([0] * 5, [0] * 5, [0]),
        "one excludes the other",
    ),
    "no codebook": (head() + book_bytes(0, []) + FIVE, "size is 0"),
    "long codebook": (head() + book_bytes(10**9, [1.0]) + FIVE, "do not fit"),
    "NaN level": (head() + book_bytes(1, [np.nan]) + coded([0] * 5, [0]), "no list"),
    "infinite level": (
        head() + book_bytes(1, [np.inf]) + coded([0] * 5, [0]),
        "no list",
    ),
    "index below": (
        head() + book_bytes(2, [1.0, 2.0]) + coded([0, 0, 0, 0, -2], [0]),
        "indices from -1 to 1, but a codebook of 2",
    ),
    "index above": (
        head() + book_bytes(2, [1.0, 2.0]) + coded([0, 0, 0, 0, 1], [0]),
        "indices from 1 to 2, but a codebook of 2",
    ),
    "too few integers": (head() + layer_bytes() + coded([9] * 3), "damaged"),
    "too many integers": (head() + layer_bytes() + FIVE + b"\0\1", "damaged"),
    "names that lack": (head(spec=1 << 7) + layer_bytes() + b"\1a\1b", "do not fit"),
    "names of bytes": (head(spec=1 << 7) + layer_bytes() + b"\1\xff" * 5, "not UTF-8"),
    "long names": (
        head(spec=1 << 7) + layer_bytes() + b"\x7fa" * 5,
        "bytes are missing",
    ),
    "NaN power": (
        head(kind=29) + struct.pack("<d", np.nan) + layer_bytes() + FIVE,
        "power=nan is not finite",
    ),
    "classes of no dtype": (head(71, NUMBERS) + b"\x0c\2\0\0" + FIVE, "dtype 12"),
    "no classes": (head(71, NUMBERS) + b"\1\0\0\0" + FIVE, "size is 0"),
    "a billion classes": (
        head(71, NUMBERS) + b"\1" + _fields.varint(10**9) + bytes(9),
        "do not fit",
    ),
    "a million classes by no bytes": (
        head(71, 1 << 13, (1, 1, 10**6)) + layer_bytes() + b"\1\2",
        "damaged",
    ),
    "classes out of their dtype": (
        head(71, NUMBERS)
        + b"\3\2"
        + _fields.signed_varint(127)
        + b"\0"
        + layer_bytes(),
        "do not fit their dtype",
    ),
    "classes below their dtype": (
        head(71, NUMBERS) + b"\5\2" + _fields.signed_varint(-1) + b"\0" + layer_bytes(),
        "do not fit their dtype",
    ),
    "no bool": (head(71, NUMBERS) + b"\x0b\2\0\1" + layer_bytes(), "do not fit their"),
    "infinite classes": (
        head(71, NUMBERS) + b"\x0a\2\0" + _fields.varint(70000) + layer_bytes(),
        "do not fit their dtype",
    ),
    "rounded classes": (
        head(71, NUMBERS) + b"\x0a\2\0" + _fields.varint(2048) + layer_bytes(),
        "do not fit their dtype",
    ),
    "huge classes": (
        head(71, NUMBERS) + b"\x08\2\0" + _fields.varint(2**66) + layer_bytes(),
        "do not fit their dtype",
    ),
    "frequent classes in full": (
        head(71, NUMBERS) + b"\0\2\0\0" + layer_bytes() + FIVE,
        "longer than need be",
    ),
    "objects that are bytes": (head(71, OBJECTS) + b"\2\1\xff\1b", "not UTF-8"),
    "texts of no width": (head(71, TEXTS) + b"\0\2\1a\1b" + layer_bytes(), "size is 0"),
    "texts that are cut": (
        head(71, TEXTS) + b"\1\2\1a\2bc" + layer_bytes() + FIVE,
        "do not fit their dtype",
    ),
    "texts of zeros": (
        head(71, TEXTS) + b"\2\2\1a\2b\0" + layer_bytes() + FIVE,
        "do not fit their dtype",
    ),
    "wide texts": (
        head(71, TEXTS) + _fields.varint(2**40) + b"\2\1a\1b" + layer_bytes(),
        "cannot hold 2199023255552 numbers",
    ),
    "unsorted texts": (
        head(71, TEXTS) + b"\1\2\1b\1a" + layer_bytes() + FIVE,
        "sorted, none twice",
    ),
    "equal objects": (
        head(71, OBJECTS) + b"\2\1a\1a" + layer_bytes() + FIVE,
        "sorted, none twice",
    ),
    "three classes and one output": (
        head(71, OBJECTS) + b"\3\1a\1b\1c" + layer_bytes() + FIVE,
        "3 classes need 3 outputs",
    ),
    "nothing": (b"\xa7SK\1", "bytes are missing"),
}


@pytest.mark.parametrize(("content", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_with_a_checksum_is_an_error(content, message):
    with pytest.raises(ValueError, match=message):
        load_compressed(sealed(content))


def peak_memory(function, *arguments):
    """Return the result of a call, and the most bytes that it has allocated."""
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_tiny_files_ask_for_little_memory():
    for content, _ in NONSENSE.values():
        model, peak = peak_memory(read_or_none, sealed(content))
        assert model is None
        assert peak < 50e6  # a million labels, of which there are two arrays


def test_deep_networks_need_bytes():
    """The coder takes as long for each group as for many zeros."""
    layer = CodedLayer(np.zeros((9, 9), int), 1.0, None, None, np.zeros(9, int), 0)
    spec = make_spec(128, 200)
    model = make_coded_model((layer,) * 200, spec)
    with pytest.raises(ValueError, match="cannot hold 3294800 numbers"):
        to_bytes(model)
    spec = replace(spec, layouts=("C",) * 20)
    assert_round_trip(
        replace(model, layers=(layer,) * 20, activations=("identity",) * 20, spec=spec)
    )


@pytest.mark.slow  # measuring memory takes its time
def test_most_zeros_of_a_tiny_file_fit_in_memory():
    n_features = 2**20 + 1024 * 22 - 2 * 2**13 - 1  # two groups and a bias
    data = sealed(head(sizes=(1, n_features, 1)) + layer_bytes())
    assert len(data) == 22
    model = load_compressed(data)
    assert model.n_features_in_ == n_features
    assert not model.coef_.any()
    # integers, their copies, float64 and the list of the coder: about 8 bytes each
    assert peak_memory(from_bytes, data)[1] < 200e6


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_garbage_is_an_error(garbage):
    for data in (garbage, b"\xa7SK\1" + garbage, sealed(garbage)):
        with pytest.raises(ValueError, match=r"damaged|no compressed model"):
            load_compressed(data)
    read_or_none(sealed(b"\xa7SK\1" + garbage))


def mutated(data, rng):
    """Return the content of a file, changed in one of many ways."""
    content = bytearray(data[:-4])
    for _ in range(rng.integers(1, 4)):
        way, i = rng.integers(6), int(rng.integers(4, len(content)))
        if way == 0:
            content[i] ^= 1 << rng.integers(8)
        elif way == 1:
            content[i] = rng.integers(256)
        elif way == 2:
            content[i:i] = rng.bytes(rng.integers(1, 4))
        elif way == 3 and len(content) > 12:
            del content[i : i + rng.integers(1, 4)]
        elif way == 4:
            content[i] = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
        else:
            other = CORPUS[rng.integers(len(CORPUS))]
            content[i:] = other[i:-4] if len(other) > i + 4 else b"\0"
    return bytes(content)


def mutants(n_files, seed):
    """Yield mutated files, most of them with the right checksum."""
    rng = np.random.default_rng(seed)
    for _ in range(n_files):
        content = mutated(CORPUS[rng.integers(len(CORPUS))], rng)
        yield sealed(content) if rng.random() < 0.7 else content + rng.bytes(4)


def test_mutated_files_are_errors_or_other_models():
    models = [read_or_none(data) for data in mutants(300, seed=1)]
    assert 0 < sum(model is not None for model in models) < 300


@pytest.mark.slow
def test_ten_thousand_mutated_files_take_no_second_each():
    n_models, longest = 0, 0.0
    for data in mutants(10_000, seed=0):
        start = time.process_time()  # what other programs take does not count
        n_models += read_or_none(data) is not None
        longest = max(longest, time.process_time() - start)
    assert 0 < n_models < 10_000
    assert longest < 1


@pytest.mark.slow
def test_ten_thousand_mutated_files_ask_for_little_memory():
    peaks = [peak_memory(read_or_none, data)[1] for data in mutants(10_000, seed=0)]
    assert max(peaks) < 200e6
