"""The fields of a file: numbers and strings as bytes, and back.

Nonnegative integers are variable-length: 7 bits in a byte, the lowest first; the top
bit is set in all bytes but the last, and the last is 0 for the number 0 only. An
integer n of either sign is written as 2n, or -2n - 1 if negative. A text is the number
of its bytes, then these in UTF-8. All else has a fixed size, the lowest byte first.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from skinfo._core._typing import FloatArray

_LARGEST_VARINT = 10  # bytes; enough for 64 bits and a sign, with 7 bits in each
# Numbers that a file of n bytes may have: 2^20 + 2^10 n, at most 2^27 (1 GiB of
# float64), so that a short damaged file cannot take much memory or time.
_FREE_NUMBERS = 1 << 20
_NUMBERS_PER_BYTE = 1 << 10
_MOST_NUMBERS = 1 << 27


def check_size(n_numbers: int, n_bytes: int) -> None:
    """Raise a ValueError if a file of `n_bytes` has too many numbers.

    Zeros cost next to no bytes in a file, but memory and time in a reader.
    """
    most = min(_FREE_NUMBERS + _NUMBERS_PER_BYTE * n_bytes, _MOST_NUMBERS)
    if n_numbers > most:
        raise ValueError(
            f"A file of {n_bytes} bytes cannot hold {n_numbers} numbers, but {most} at "
            "most. It is damaged, or the model too large or too empty."
        )


def pack_bits(values: Sequence[int], widths: Sequence[int]) -> bytes:
    """Return integers of these bit widths as bytes, the first in the lowest bits."""
    packed = 0
    for value, width in zip(reversed(values), reversed(widths), strict=True):
        packed = packed << width | value
    return packed.to_bytes(sum(widths) // 8, "little")


def unpack_bits(data: bytes, widths: Sequence[int]) -> list[int]:
    """Return the integers of the given bit widths."""
    packed, values = int.from_bytes(data, "little"), []
    for width in widths:
        values.append(packed & ((1 << width) - 1))
        packed >>= width
    return values


def varint(number: int) -> bytes:
    """Return a nonnegative integer as bytes."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def signed_varint(number: int) -> bytes:
    """Return an integer of either sign as bytes."""
    return varint(2 * number if number >= 0 else -2 * number - 1)


def text(string: str) -> bytes:
    """Return a text as bytes."""
    try:
        data = string.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{string!r} is no text that UTF-8 can keep.") from None
    return varint(len(data)) + data


def singles(values: FloatArray) -> bytes:
    """Return floats, each of them exact in float32, as bytes."""
    return values.astype("<f4").tobytes()


def double(value: float) -> bytes:
    """Return a float64 as bytes."""
    return struct.pack("<d", value)


class Reader:
    """A cursor over the bytes of a file. Reading past the end raises a ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._start = 0

    @property
    def n_left(self) -> int:
        """The number of bytes that are left."""
        return len(self._data) - self._start

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        if n_bytes > self.n_left:
            raise ValueError(
                f"{n_bytes - self.n_left} bytes are missing. The file is damaged."
            )
        start, self._start = self._start, self._start + n_bytes
        return self._data[start : self._start]

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def varint(self) -> int:
        """Return a nonnegative integer."""
        number = 0
        for i in range(_LARGEST_VARINT):
            byte = self.byte()
            number |= (byte & 0x7F) << (7 * i)
            if byte <= 0x7F:
                if byte == 0 and i > 0:
                    break
                return number
        raise ValueError("A number is too long. The file is damaged.")

    def signed_varint(self) -> int:
        """Return an integer of either sign."""
        half, is_negative = divmod(self.varint(), 2)
        return -half - 1 if is_negative else half

    def size(self) -> int:
        """Return a positive integer."""
        number = self.varint()
        if number == 0:
            raise ValueError("A size is 0. The file is damaged.")
        return number

    def count(self, n_bytes_each: int = 1) -> int:
        """Return the number of entries that follow, each of at least `n_bytes_each`."""
        number = self.size()
        self.check_room(number, n_bytes_each)
        return number

    def check_room(self, number: int, n_bytes_each: int = 1) -> None:
        """Raise a ValueError unless that many entries can follow."""
        if number * n_bytes_each > self.n_left:
            raise ValueError(
                f"{number} entries do not fit into {self.n_left} bytes. The file is "
                "damaged."
            )

    def text(self) -> str:
        """Return a text."""
        data = self.take(self.varint())
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ValueError("A text is not UTF-8. The file is damaged.") from None

    def singles(self, number: int) -> FloatArray:
        """Return the next `number` float32, as float64."""
        return np.frombuffer(self.take(4 * number), dtype="<f4").astype(np.float64)

    def double(self) -> float:
        """Return a float64."""
        return float(struct.unpack("<d", self.take(8))[0])
