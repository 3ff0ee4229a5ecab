"""The file: a coded model as bytes, and back.

The bytes are, with the fields of `_fields`:

- the magic `a7 53 4b` and the version, 1;
- the class of the model (its id in FAMILIES), a byte;
- its spec, two bytes of these numbers of bits: dtype 1, dtype of the intercept 1, kind
  of the intercept 2, dimensions of coef_ less 1 1, labels 2, whether there are feature
  names 1, link 3, activation of the hidden layers 2, encoding of the class labels 3;
- the number of layers, a byte, and of features, then of outputs of each layer;
- the power, a float64, if the model is a TweedieRegressor;
- the class labels, in the encoding of `_labels`;
- of each layer a byte of layout 2 bits, has exponents 1, has a codebook 1, and their
  spacing less 1 4; the number of centers and the codebook, each a float32, or else the
  step, a float32; and the exponent of the biases;
- the names of the features, if any;
- of each layer the exponents, the codes row by row (with exponents: a group for each
  distinct one, ascending), and the codes of the biases, all as one code of the range
  coder, up to
- the CRC-32 of all before.

Sizes are checked before memory is allocated, both in writing and in reading.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from skinfo._core._typing import FloatArray, IntArray
from skinfo.compression.coding._range_coder import IntegerReader, encode_integers
from skinfo.compression.file._checks import checked_stack
from skinfo.compression.file._coded_model import CodedLayer, CodedModel
from skinfo.compression.file._fields import (
    Reader,
    check_size,
    double,
    pack_bits,
    signed_varint,
    singles,
    text,
    unpack_bits,
    varint,
)
from skinfo.compression.file._labels import label_encoding, read_labels, write_labels
from skinfo.compression.models._activations import ACTIVATIONS
from skinfo.compression.models._families import family_with_id
from skinfo.compression.models._links import LINKS
from skinfo.compression.models._stack import (
    DTYPES,
    INTERCEPTS,
    LABELS,
    LAYOUTS,
    ModelSpec,
    Stack,
)
from skinfo.compression.models._writing import write_model

# the format: doc/compression_format.rst
_MAGIC = b"\xa7SK"
_VERSION = 1
_CRC_BYTES = 4
_SPEC_BITS = {
    "dtype": 1,
    "intercept_dtype": 1,
    "intercept": 2,
    "n_dimensions": 1,
    "labels": 2,
    "has_names": 1,
    "link": 3,
    "activation": 2,
    "classes": 3,
}
_LAYER_BITS = (2, 1, 1, 4)  # layout, has exponents, has a codebook, spacing less 1
_NUMBERS_PER_GROUP = 1 << 13  # numbers that take as long to decode as an empty group
_DAMAGED = "The file is damaged."


def to_bytes(model: CodedModel, feature_names: Sequence[str] | None = None) -> bytes:
    """Return the file of a model, or raise a ValueError if none can hold it."""
    checked_stack(model)
    layers = model.layers
    groups = [
        group for each in layers for group in (*each.weight_groups(), each.bias_codes)
    ]
    content = b"".join(
        [
            _MAGIC,
            bytes([_VERSION]),
            _write_head(model, has_names=feature_names is not None),
            *(
                _write_layer(layer, layout)
                for layer, layout in zip(layers, model.spec.layouts, strict=True)
            ),
            b"" if feature_names is None else _write_names(feature_names, layers[0]),
            encode_integers(groups),
        ]
    )
    data = content + zlib.crc32(content).to_bytes(_CRC_BYTES, "little")
    _check_groups([group.size for group in groups], data)
    return data


def from_bytes(data: bytes) -> tuple[Stack, list[str] | None]:
    """Return the stack and the feature names of a file.

    Raises a ValueError for bytes that `to_bytes` never returns.
    """
    with np.errstate(all="ignore"):  # NaN and infinity are refused thereafter
        model, names = _read_model(data)
    return checked_stack(model), names


def load_compressed(
    path_or_bytes: str | os.PathLike[str] | bytes | bytearray | memoryview,
) -> Any:
    """Read a compressed model from its file.

    Parameters
    ----------
    path_or_bytes : str, path-like or bytes-like
        The path of the file, or its content.

    Returns
    -------
    estimator
        A fitted model of the class of the original, with the decoded weights and what
        its predictions depend on. Other parameters have their defaults.
        `feature_names_in_` is there only if it was saved.

    Raises
    ------
    ValueError
        If the file is damaged or of an unknown version, or holds a model that the
        installed scikit-learn lacks.
    TypeError
        If `path_or_bytes` has another type.
    OSError
        If the file cannot be read.

    Notes
    -----
    Nothing in the file is executed: it has only numbers, strings and a checksum, all of
    which are checked. The size of the file limits the memory and time needed to read
    it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skinfo import RDCompressor, load_compressed
    >>> X, y = load_diabetes(return_X_y=True)
    >>> compressor = RDCompressor(Ridge(), rate=6).fit(X, y)
    >>> model = load_compressed(compressor.to_bytes())
    >>> bool((model.predict(X) == compressor.predict(X)).all())
    True
    """
    if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
        data = bytes(path_or_bytes)
    elif isinstance(path_or_bytes, (str, os.PathLike)):
        data = _read_file(Path(path_or_bytes))
    else:
        raise TypeError(
            f"path_or_bytes is a {type(path_or_bytes).__name__}. Pass the path of a "
            "file as str or PathLike, or its content as bytes."
        )
    return write_model(*from_bytes(data))


def _read_file(path: Path) -> bytes:
    """Return the bytes of a file, or its first bytes if it has another magic."""
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        return start + file.read() if start == _MAGIC else start


def _check_groups(sizes: Sequence[int], data: bytes) -> None:
    """Raise a ValueError where a file has too many integers, or groups of them."""
    check_size(sum(sizes) + _NUMBERS_PER_GROUP * len(sizes), len(data))


# ----- writing


def _write_head(model: CodedModel, *, has_names: bool) -> bytes:
    """Return the fields from the class of the model to the class labels."""
    spec, layers = model.spec, model.layers
    n_outputs = layers[-1].codes.shape[1]
    encoding = label_encoding(spec.classes, n_outputs)
    numbers = {
        "dtype": _number_of(spec.dtype, DTYPES),
        "intercept_dtype": _number_of(spec.intercept_dtype, DTYPES),
        "intercept": _number_of(spec.intercept, INTERCEPTS),
        "n_dimensions": spec.n_dimensions - 1,
        "labels": _number_of(spec.labels, LABELS),
        "has_names": has_names,
        "link": model.link.id,
        "activation": ACTIVATIONS[model.activations[0]].id,
        "classes": encoding,
    }
    sizes = [len(layers[0].codes), *(layer.codes.shape[1] for layer in layers)]
    return b"".join(
        [
            bytes([spec.family.id]),
            pack_bits([numbers[name] for name in _SPEC_BITS], [*_SPEC_BITS.values()]),
            bytes([len(layers)]),
            *(varint(size) for size in sizes),
            double(spec.power) if spec.family.has_power else b"",
            write_labels(encoding, spec.classes),
        ]
    )


def _number_of(word: str, table: Mapping[int, str]) -> int:
    return next(number for number, known in table.items() if known == word)


def _write_layer(layer: CodedLayer, layout: str) -> bytes:
    flags = [
        _number_of(layout, LAYOUTS),
        layer.exponents is not None,
        layer.codebook is not None,
        layer.spacing - 1,
    ]
    if layer.codebook is None:
        values = singles(np.array([layer.step]))
    else:
        values = varint(len(layer.codebook)) + singles(layer.codebook)
    return pack_bits(flags, _LAYER_BITS) + values + signed_varint(layer.bias_exponent)


def _write_names(names: Sequence[str], first: CodedLayer) -> bytes:
    if len(names) != len(first.codes):
        raise ValueError(f"{len(first.codes)} features, not {len(names)} names.")
    return b"".join(_name(name) for name in names)


def _name(name: object) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"The feature name {name!r} is not a str.")
    return text(name)


# ----- reading


def _checked_content(data: bytes) -> bytes:
    """Return the bytes between the version and the checksum."""
    n_head = len(_MAGIC) + 1
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("This is no compressed model: the first bytes differ.")
    if len(data) < n_head + _CRC_BYTES:
        raise ValueError(f"The file ends after {len(data)} bytes. It is damaged.")
    if data[len(_MAGIC)] != _VERSION:
        raise ValueError(
            f"The file has version {data[len(_MAGIC)]}, and only {_VERSION} is known. "
            "Read it with a newer skinfo."
        )
    checksum = int.from_bytes(data[-_CRC_BYTES:], "little")
    if zlib.crc32(data[:-_CRC_BYTES]) != checksum:
        raise ValueError(f"The checksum differs. {_DAMAGED}")
    return data[n_head:-_CRC_BYTES]


def _read_model(data: bytes) -> tuple[CodedModel, list[str] | None]:
    """Return the model and the feature names of a file, field by field."""
    reader = Reader(_checked_content(data))
    family = family_with_id(reader.byte())
    family.model_class()
    bits = unpack_bits(reader.take(2), [*_SPEC_BITS.values()])
    numbers = dict(zip(_SPEC_BITS, bits, strict=True))
    sizes = _read_sizes(reader, len(data))
    power = reader.double() if family.has_power else 0.0
    classes = read_labels(numbers["classes"], reader, sizes[-1])
    headers = [_read_layer(reader, shape) for shape in pairwise(sizes)]
    _check_groups([size for header in headers for size in header.least_groups], data)
    names = _read_names(reader, sizes[0]) if numbers["has_names"] else None
    layers = _read_integers(reader.take(reader.n_left), headers, data)
    spec = ModelSpec(
        family=family,
        dtype=_word(numbers["dtype"], DTYPES),
        intercept_dtype=_word(numbers["intercept_dtype"], DTYPES),
        layouts=tuple(header.layout for header in headers),
        intercept=_word(numbers["intercept"], INTERCEPTS),
        n_dimensions=numbers["n_dimensions"] + 1,
        classes=classes,
        labels=_word(numbers["labels"], LABELS),
        power=power,
    )
    activations = _activations(numbers["activation"], len(layers))
    link = _word(numbers["link"], {each.id: name for name, each in LINKS.items()})
    return CodedModel(layers, activations, LINKS[link], spec), names


def _read_sizes(reader: Reader, n_bytes: int) -> list[int]:
    """Return the numbers of features, and of outputs of each layer."""
    n_layers = reader.byte()
    if n_layers == 0:
        raise ValueError(f"The model has no layers. {_DAMAGED}")
    sizes = [reader.size() for _ in range(n_layers + 1)]
    check_size(sum(first * second for first, second in pairwise(sizes)), n_bytes)
    return sizes


def _activations(number: int, n_layers: int) -> tuple[str, ...]:
    """Return the activation of each layer, from the number of the hidden ones."""
    hidden = _word(number, {each.id: name for name, each in ACTIVATIONS.items()})
    if n_layers == 1 and number != 0:
        raise ValueError(f"The model has no hidden layer to activate. {_DAMAGED}")
    return (hidden,) * (n_layers - 1) + ("identity",)


@dataclass(frozen=True)
class _LayerHeader:
    """The fields of a layer before the coded integers."""

    shape: tuple[int, int]
    layout: str
    has_exponents: bool
    step: float
    codebook: FloatArray | None
    bias_exponent: int
    spacing: int

    @property
    def least_groups(self) -> list[int]:
        """The sizes of the groups of integers if all exponents are equal."""
        n_inputs, n_outputs = self.shape
        exponents = [n_inputs] if self.has_exponents else []
        return [*exponents, n_inputs * n_outputs, n_outputs]


def _read_layer(reader: Reader, shape: tuple[int, int]) -> _LayerHeader:
    layout, has_exponents, has_codebook, spacing = unpack_bits(
        reader.take(1), _LAYER_BITS
    )
    codebook = reader.singles(reader.count(4)) if has_codebook else None
    return _LayerHeader(
        shape=shape,
        layout=_word(layout, LAYOUTS),
        has_exponents=bool(has_exponents),
        step=float(reader.singles(1)[0]) if codebook is None else 1.0,
        codebook=codebook,
        bias_exponent=reader.signed_varint(),
        spacing=spacing + 1,
    )


def _read_names(reader: Reader, n_features: int) -> list[str]:
    reader.check_room(n_features)
    return [reader.text() for _ in range(n_features)]


def _read_integers(
    encoded: bytes, headers: list[_LayerHeader], data: bytes
) -> tuple[CodedLayer, ...]:
    """Return the layers; the exponents of each determine the groups of its codes."""
    integers = IntegerReader(encoded)
    sizes = [size for header in headers for size in header.least_groups]
    layers = []
    for header in headers:
        n_inputs, n_outputs = header.shape
        exponents = integers.read(n_inputs) if header.has_exponents else None
        scales = np.zeros(n_inputs, dtype=np.int64) if exponents is None else exponents
        sizes += [0] * (len(np.unique(scales)) - 1)  # so many groups more
        _check_groups(sizes, data)
        layers.append(
            CodedLayer(
                codes=_read_codes(integers, scales, n_outputs),
                step=header.step,
                exponents=exponents,
                codebook=header.codebook,
                bias_codes=integers.read(n_outputs),
                bias_exponent=header.bias_exponent,
                spacing=header.spacing,
            )
        )
    integers.finish()
    return tuple(layers)


def _read_codes(integers: IntegerReader, scales: IntArray, n_outputs: int) -> IntArray:
    """Return the codes of a layer, a group for the rows of each scale."""
    codes = np.empty((len(scales), n_outputs), dtype=np.int64)
    for scale in np.unique(scales):
        rows = np.flatnonzero(scales == scale)
        codes[rows] = integers.read(len(rows) * n_outputs).reshape(-1, n_outputs)
    return codes


def _word(number: int, table: Mapping[int, str]) -> str:
    if number not in table:
        raise ValueError(f"{number} is none of {dict(table)}. {_DAMAGED}")
    return table[number]
