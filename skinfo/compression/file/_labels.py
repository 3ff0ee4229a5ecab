"""The labels of a classifier as bytes, and back.

There are six encodings, by number:

0. No labels.
1. 0, 1, ... as int64: as many as outputs, but at least two.
2. False and True.
3. Numbers: a byte for the dtype (its place in `_DTYPES`), their count, the first one,
   then each difference to the one before, less 1. Floats are whole numbers.
4. Strings: the width of the dtype in characters, their count, and each as a text.
5. Strings in an array of objects: their count, and each as a text.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from skinfo._core._typing import AnyArray
from skinfo.compression.file._fields import (
    Reader,
    check_size,
    signed_varint,
    text,
    varint,
)

_NONE, _RANGE, _FALSE_TRUE, _NUMBERS, _TEXTS, _OBJECTS = range(6)
_DTYPES = (
    *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
    *("float64", "float32", "float16", "bool"),
)
# the labels of float and bool that can be written
_RANGES = {"f": (-(1 << 63), (1 << 64) - 1), "b": (0, 1)}


def label_encoding(classes: AnyArray | None, n_outputs: int) -> int:
    """Return the number of the encoding that suits the labels."""
    if classes is None:
        return _NONE
    if _is_same(classes, _range(n_outputs)):
        return _RANGE
    if _is_same(classes, np.array([False, True])):
        return _FALSE_TRUE
    return {"U": _TEXTS, "O": _OBJECTS}.get(classes.dtype.kind, _NUMBERS)


def write_labels(encoding: int, classes: AnyArray | None) -> bytes:
    """Return labels that `check_stack` accepts as bytes."""
    if classes is None or encoding in {_RANGE, _FALSE_TRUE}:
        return b""
    if encoding == _NUMBERS:
        return _write_numbers(classes)
    width = varint(classes.dtype.itemsize // 4) if encoding == _TEXTS else b""
    texts = [text(label) for label in classes.tolist()]
    return width + varint(len(texts)) + b"".join(texts)


def read_labels(encoding: int, reader: Reader, n_outputs: int) -> AnyArray | None:
    """Return the labels, not yet known to be sorted."""
    classes = _read(encoding, reader, n_outputs)
    if label_encoding(classes, n_outputs) != encoding:
        raise ValueError("Labels are longer than need be. The file is damaged.")
    return classes


def _read(encoding: int, reader: Reader, n_outputs: int) -> AnyArray | None:
    if encoding == _NONE:
        return None
    if encoding == _RANGE:
        return _range(n_outputs)
    if encoding == _FALSE_TRUE:
        return np.array([False, True])
    if encoding == _NUMBERS:
        return _read_numbers(reader)
    if encoding == _TEXTS:
        return _read_texts(reader)
    if encoding == _OBJECTS:
        return np.array([reader.text() for _ in range(reader.count())], dtype=object)
    raise ValueError(f"Labels of the kind {encoding} are unknown. The file is damaged.")


def _range(n_outputs: int) -> AnyArray:
    return np.arange(max(2, n_outputs), dtype=np.int64)


def _is_same(first: AnyArray, second: AnyArray) -> bool:
    return first.dtype.name == second.dtype.name and np.array_equal(first, second)


def _limits(dtype: np.dtype[np.generic]) -> tuple[int, int]:
    """Return the least and the largest label."""
    if dtype.kind in _RANGES:
        return _RANGES[dtype.kind]
    limits = np.iinfo(dtype.name)
    return int(limits.min), int(limits.max)


def _write_numbers(classes: AnyArray) -> bytes:
    name = classes.dtype.name
    if name not in _DTYPES:
        raise ValueError(
            f"Class labels of dtype {name} cannot be kept. Fit the model with labels "
            f"of one of {', '.join(_DTYPES)}, or with str."
        )
    numbers = [int(label) for label in classes]
    least, largest = _limits(classes.dtype)
    if numbers[0] < least or numbers[-1] > largest:
        raise ValueError(
            f"Class labels as {name} must be from -2^63 to below 2^64. Fit the model "
            "with smaller labels."
        )
    steps = [varint(after - before - 1) for before, after in pairwise(numbers)]
    head = bytes([_DTYPES.index(name)]) + varint(len(numbers))
    return head + signed_varint(numbers[0]) + b"".join(steps)


def _read_numbers(reader: Reader) -> AnyArray:
    i = reader.byte()
    if i >= len(_DTYPES):
        raise ValueError(f"Labels of the dtype {i} are unknown. The file is damaged.")
    n_labels, dtype = reader.count(), np.dtype(_DTYPES[i])
    first = reader.signed_varint()
    steps = (1 + reader.varint() for _ in range(n_labels - 1))
    numbers = list(accumulate(steps, initial=first))
    least, largest = _limits(dtype)
    _demand(least <= numbers[0] and numbers[-1] <= largest)
    labels = np.array(numbers, dtype=dtype)
    # a float that is too short for a number has rounded it
    _demand(bool(np.isfinite(labels).all()) and [int(n) for n in labels] == numbers)
    return labels


def _read_texts(reader: Reader) -> AnyArray:
    n_bytes, width = reader.n_left, reader.size()
    texts = [reader.text() for _ in range(reader.count())]
    check_size(width * len(texts), n_bytes)
    labels = np.array(texts, dtype=f"U{width}")
    _demand(labels.tolist() == texts)  # none was cut, nor zeros at an end
    return labels


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("Labels do not fit their dtype. The file is damaged.")
