import math
import zlib
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinfo.compression.coding import _adaptive_model, _distributions, _range_coder
from skinfo.compression.coding._range_coder import (
    code_length,
    decode_integers,
    encode_integers,
)

LARGEST = 2**41 - 1
GOLDEN = [[0, 1, -1, 2, 0, 0, -3, 1], [], [40, -1000, 5000, LARGEST], [0] * 50]
GOLDEN_BYTES = "4654e72beb05195fbacda91f4ceaafffffb6"
TABLE_CRCS = [3818820487, 813521954, 3268526533]


def normals(scale, n, seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(scale * rng.standard_normal(n)).astype(np.int64)


def laplaces(scale, n, seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(rng.laplace(0, scale, n)).astype(np.int64)


def rows_of_other_scales(n_rows, n_columns, seed=0):
    """Return rows of normals, the scales of which go from 8 to 1 / 8."""
    rng = np.random.default_rng(seed)
    scales = np.geomspace(8, 1 / 8, n_rows)[:, np.newaxis]
    values = scales * rng.standard_normal((n_rows, n_columns))
    return np.rint(values).astype(np.int64).ravel()


def empirical_entropy(integers):
    """Return the zeroth-order entropy in bytes."""
    _, counts = np.unique(integers, return_counts=True)
    return -(counts * np.log2(counts / integers.size)).sum() / 8


def arrays(groups):
    return [np.array(group, dtype=np.int64) for group in groups]


def assert_round_trip(groups):
    data = encode_integers(groups)
    decoded = decode_integers(data, [len(group) for group in groups])
    assert len(decoded) == len(groups)
    for found, expected in zip(decoded, groups, strict=True):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected)
    return data


# A reader written from the docstrings alone, in integers of any size


def _root_table(bits):
    """Return floor(2^bits 2^(-i / 256)) for i below 256."""
    found = []
    for i in range(256):
        low, high = 0, 1 << (bits + 1)
        while high - low > 1:
            middle = (low + high) // 2
            if middle**256 <= 1 << (256 * bits - i):
                low = middle
            else:
                high = middle
        found.append(low)
    return found


P = _root_table(40)
W = _root_table(15)


def plain_log2(x):
    k = x.bit_length() - 1
    i = (256 * x >> k) - 256
    return 256 * k + ((256 + i) ** 256).bit_length() - 1 - 256 * 8


def plain_intervals():
    """Return the least magnitude and the number of further bits of each interval."""
    ones = [(m, 0) for m in range(1, 32)]
    quarters = [
        (2**k + i * 2 ** (k - 2), k - 2) for k in range(5, 12) for i in range(4)
    ]
    return ones + quarters + [(2**k, k) for k in range(12, 41)]


def plain_distributions():
    """Yield the probabilities and the prior of each distribution."""
    distributions = [(2, j, 0, 0) for j in range(-8, 25)]
    distributions += [(2, j, 0, 128 * i) for i, j in enumerate(range(28, 157, 4), 1)]
    distributions += [(1, j, 0, 0) for j in range(-6, 13)]
    distributions += [(1, j, 0, 128 * i) for i, j in enumerate(range(14, 79, 2), 1)]
    distributions += [(2, j, z, 768) for z in range(1, 6) for j in range(2, 24, 3)]
    distributions += [(1, j, z, 768) for z in range(1, 6) for j in range(-1, 12, 3)]
    for power, j, z, prior in distributions:
        d = math.isqrt(2 ** (j + 48))
        shares = [2**80]
        for least, b in plain_intervals():
            e = 2**32 * (2 * least + 2**b - 1) ** power // (2**power * d)
            share = 2 ** (40 + b) * P[e % 256] // 2 ** min(e // 256, 1000)
            shares += [share, share]
        if z:
            shares[0] = (2**z - 1) * sum(shares[1:])
        probabilities = [1 + (2**20 - 177) * share // sum(shares) for share in shares]
        probabilities[0] += 2**20 - sum(probabilities)
        yield probabilities, prior


class PlainReader:
    def __init__(self, data):
        self.x = int.from_bytes(data, "big") << (8 * 7)
        self.n_bits = 8 * len(data) + 8 * 7
        self.low, self.width, self.shift = 0, 2**56, 0
        self.distributions = list(plain_distributions())
        self.lengths = [
            [5120 - plain_log2(p) for p in distribution]
            for distribution, _ in self.distributions
        ]

    def symbol(self, frequencies):
        """Read a symbol, with the exact interval in units of 2^-(56 + shift)."""
        unit = self.width // sum(frequencies)
        x = self.x >> (self.n_bits - 56 - self.shift)
        ends = list(accumulate(frequencies))
        symbol = next(i for i, end in enumerate(ends) if x < self.low + unit * end)
        self.low += unit * (ends[symbol] - frequencies[symbol])
        self.width = unit * frequencies[symbol]
        while self.width < 2**40:
            self.low, self.width = self.low << 16, self.width << 16
            self.shift += 16
            self.x, self.n_bits = self.x << 16, self.n_bits + 16
        return symbol

    def mean(self, evidence):
        least = min(evidence)
        w = [W[(e - least) % 256] >> ((e - least) // 256) for e in evidence]
        used = [
            (v, distribution)
            for v, (distribution, _) in zip(w, self.distributions, strict=True)
            if v
        ]
        return [
            sum(v * distribution[t] for v, distribution in used) // sum(w)
            for t in range(177)
        ]

    def prediction(self, mean, tokens, c):
        counts = [tokens.count(token) for token in range(177)]
        pairs = zip(mean, counts, strict=True)
        predicted = [(c * m + 2**20 * count) // (c + len(tokens)) for m, count in pairs]
        predicted[0] += 2**20 - sum(predicted)
        return predicted

    def evidence(self, tokens):
        return [sum(length[token] for token in tokens) for length in self.lengths]

    def shares(self, a, b):
        u = [max(0, a, b) - advantage for advantage in (0, a, b)]
        w = [W[v % 256] >> (v // 256) for v in u]
        return 64 * w[1] // sum(w), 64 * w[2] // sum(w)

    def block(self, integers, contexts, tokens, size, advantages):
        """Read a block of integers, and return the new advantages."""
        s, t = self.shares(*advantages)
        priors = [prior for _, prior in self.distributions]
        total = self.evidence(tokens)
        mean = self.mean([p + e for p, e in zip(priors, total, strict=True)])
        common = self.prediction(mean, tokens, 256)
        free = self.prediction(mean, tokens, 8)
        by_context = {}
        for context in set(contexts):
            own = [
                token
                for token, at in zip(tokens, contexts, strict=True)
                if at == context
            ]
            shared = [8 * e // max(len(tokens), 16) for e in total]
            parts = zip(priors, self.evidence(own), shared, strict=True)
            mean = self.mean([sum(three) for three in parts])
            by_context[context] = self.prediction(mean, own, 256)
        gains = [0, 0]
        for _ in range(size):
            context = sum(min(abs(i), 2**12) for i in integers[-8:]).bit_length()
            mine = by_context.get(context, common)
            three = list(zip(mine, free, common, strict=True))
            token = self.symbol(
                [s * x + t * y + (64 - s - t) * z + 1 for x, y, z in three]
            )
            integers.append(self.integer(token))
            tokens.append(token)
            contexts.append(context)
            x, y, z = (plain_log2(1 + prediction) for prediction in three[token])
            gains = [gains[0] + x - z, gains[1] + y - z]
        kept = max(0, 512 - size)
        return [
            a * kept // 512 + gain for a, gain in zip(advantages, gains, strict=True)
        ]

    def integer(self, token):
        if token == 0:
            return 0
        magnitude, left = plain_intervals()[(token + 1) // 2 - 1]
        while left:
            now = min(left, 16)
            left -= now
            magnitude += self.symbol([1] * 2**now) << left
        return magnitude if token % 2 else -magnitude

    def group(self, size):
        integers, contexts, tokens, advantages = [], [], [], [-512, -1024]
        while len(integers) < size:
            n = len(integers)
            b = min(max(1, min(n // 8, max(32, n // 16))), size - n)
            advantages = self.block(integers, contexts, tokens, b, advantages)
        return integers


@pytest.mark.parametrize(
    "groups",
    [
        GOLDEN,
        [normals(3, 60), normals(0.4, 30)],
        [np.concatenate([np.zeros(30, int), laplaces(20, 30)])],
        [normals(3000, 12)],
    ],
    ids=["golden", "two groups", "two scales", "wide"],
)
def test_a_reader_written_from_the_docstrings_reads_the_same(groups):
    reader = PlainReader(encode_integers(arrays(groups)))
    for group in groups:
        assert reader.group(len(group)) == list(group)


def test_the_format_has_not_changed():
    data = encode_integers(arrays(GOLDEN))
    assert data.hex() == GOLDEN_BYTES
    distributions = _distributions.distributions()
    tables = distributions.probabilities, distributions.lengths, distributions.prior
    crcs = [zlib.crc32(table.astype("<i8").tobytes()) for table in tables]
    assert crcs == TABLE_CRCS


@st.composite
def lists_of_groups(draw):
    bound = draw(st.sampled_from([1, 5, 100, LARGEST]))
    integers = st.integers(-bound, bound)
    return draw(st.lists(st.lists(integers, max_size=60), max_size=4))


@given(lists_of_groups())
@settings(deadline=None)
def test_decoding_returns_what_was_encoded(groups):
    assert_round_trip(arrays(groups))


@given(lists_of_groups())
@settings(deadline=None)
def test_bytes_are_at_most_one_more_than_the_code_length(groups):
    groups = arrays(groups)
    n_bytes = code_length(groups) / 8
    # a whole number of bytes tells the interval; code_length rounds the frequencies
    assert len(encode_integers(groups)) < n_bytes + 1 + 1e-3 * (n_bytes + 1)


@pytest.mark.parametrize("n", [1, 10, 100, 1000])
@pytest.mark.parametrize("scale", [0.3, 2.0, 100.0])
def test_code_length_is_near_the_bytes(scale, n):
    groups = [normals(scale, n, seed) for seed in range(3)]
    n_bytes = code_length(groups) / 8
    assert abs(len(encode_integers(groups)) - n_bytes) <= 2 + 1e-3 * n_bytes


@pytest.mark.parametrize(
    "integers",
    [
        normals(0.3, 20_000),
        normals(4, 20_000),
        normals(2**13, 3000),
        normals(2**38, 3000),
        rows_of_other_scales(100, 64),
        np.arange(-3000, 3000),
        np.repeat([0, 2**40, 0, -(2**40)], 200),
        np.array([LARGEST, -LARGEST] * 40),
    ],
    ids=["narrow", "normal", "wide", "widest", "rows", "ramp", "steps", "extremes"],
)
def test_long_groups_return(integers):
    data = assert_round_trip([integers])
    n_bytes = code_length([integers]) / 8
    assert abs(len(data) - n_bytes) <= 2 + 1e-3 * n_bytes


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_narrower_integers_have_the_same_code(dtype):
    integers = normals(20, 300)
    assert encode_integers([integers.astype(dtype)]) == encode_integers([integers])


def test_nothing_costs_nothing():
    empty = np.zeros(0, dtype=np.int64)
    assert encode_integers([]) == b""
    assert assert_round_trip([empty, empty]) == b""
    assert code_length([]) == code_length([empty]) == 0
    assert decode_integers(b"", []) == []
    data = encode_integers([normals(2, 30)])
    assert encode_integers([empty, normals(2, 30), empty]) == data


@pytest.mark.parametrize("integer", [0, 1, -1, 31, 32, -2000, 2**40, LARGEST])
def test_one_integer_costs_its_magnitude(integer):
    data = assert_round_trip([np.array([integer])])
    # two bits of magnitude for one of the choice of its distribution, and 4 bits more
    assert 8 * len(data) <= 8 + 4 + 2 * integer.bit_length()


@pytest.mark.parametrize(
    ("integer", "n", "most"),
    [(0, 100, 1), (0, 1_000_000, 8), (1, 10_000, 16), (-20, 10_000, 24)],
)
def test_constant_groups_cost_next_to_nothing(integer, n, most):
    integers = np.full(n, integer)
    assert len(encode_integers([integers])) <= most
    assert_round_trip([integers[:10_000]])


@pytest.mark.parametrize("draw", [normals, laplaces])
@pytest.mark.parametrize("scale", [0.2, 0.4, 1.0, 4.0, 16.0])
def test_the_code_is_near_the_empirical_entropy(draw, scale):
    integers = draw(scale, 10_000)
    n_bytes = len(encode_integers([integers]))
    assert n_bytes <= 1.02 * empirical_entropy(integers) + 16


@pytest.mark.parametrize("scale", [0.5, 2.0, 8.0])
def test_short_groups_cost_two_bytes_above_their_entropy(scale):
    """The distribution is not stored: half a byte finds its scale, 2 bytes are all."""
    groups = [normals(scale, 64, seed) for seed in range(100)]
    pooled = empirical_entropy(np.concatenate(groups)) / len(groups)
    n_bytes = np.mean([len(encode_integers([group])) for group in groups])
    assert n_bytes <= pooled + 2


def test_sparse_groups_cost_little_above_their_entropy():
    integers = normals(8, 700)
    integers[np.random.default_rng(1).random(700) < 0.9] = 0
    # 60 integers other than zero, of 5 bits each, teach little
    assert len(encode_integers([integers])) <= empirical_entropy(integers) + 16


def test_scales_that_change_slowly_are_followed():
    integers = rows_of_other_scales(100, 64)
    entropies = [empirical_entropy(row) for row in integers.reshape(100, 64)]
    n_bytes = len(encode_integers([integers]))
    assert n_bytes < 0.85 * empirical_entropy(integers)
    # that of rows alone is too small by half a bit of each of their distinct values
    assert n_bytes < 1.15 * sum(entropies)


def test_each_group_has_its_own_statistics():
    narrow, wide = normals(0.3, 500), normals(30, 500)
    apart = len(encode_integers([narrow])) + len(encode_integers([wide]))
    assert abs(len(assert_round_trip([narrow, wide])) - apart) <= 1
    assert assert_round_trip([wide, narrow]) != assert_round_trip([narrow, wide])


@pytest.mark.parametrize("integer", [2**41, -(2**41), 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("function", [encode_integers, code_length])
def test_larger_integers_are_an_error(function, integer):
    with pytest.raises(ValueError, match=r"below 2\^41"):
        function([np.array([0, integer])])


def test_floats_are_an_error():
    with pytest.raises(TypeError):
        encode_integers([np.array([1.5])])


# Damage


def decoded_or_none(data, sizes):
    try:
        groups = decode_integers(data, sizes)
    except ValueError:
        return None
    assert [group.size for group in groups] == list(sizes)
    assert all(np.abs(group).max(initial=0) <= LARGEST for group in groups)
    return groups


def test_longer_data_are_an_error():
    groups = [normals(2, 40), normals(100, 40), np.zeros(9, dtype=np.int64)]
    sizes = [group.size for group in groups]
    for stop in range(len(groups) + 1):
        data = encode_integers(groups[:stop])
        for more in (b"\0", b"\1", b"\xff", b"\0\0", bytes(9), b"\x80" * 50):
            with pytest.raises(ValueError, match="damaged"):
                decode_integers(data + more, sizes[:stop])


def test_much_shorter_data_are_an_error():
    group = normals(4, 100)
    data = encode_integers([group])
    for n_bytes in range(1, len(data)):
        groups = decoded_or_none(data[:n_bytes], [100])
        # the last bytes may be those of other integers; without any, all are zero
        assert groups is None or n_bytes >= len(data) - 3
        assert groups is None or not np.array_equal(groups[0], group)
    np.testing.assert_array_equal(decode_integers(b"", [100]), [np.zeros(100)])


def test_data_have_one_code_only():
    """What is decoded at all is encoded to the same bytes."""
    rng = np.random.default_rng(0)
    n_read = 0
    for n_bytes in np.repeat(range(9), 10):
        data = rng.bytes(n_bytes)
        for size in range(1, 12, 2):
            groups = decoded_or_none(data, [size])
            if groups is not None:
                assert encode_integers(groups) == data
                n_read += 1
    assert n_read > 10


@given(st.binary(max_size=200), st.lists(st.integers(0, 400), max_size=4))
@settings(deadline=None)
def test_garbage_is_an_error_or_bounded_integers(data, sizes):
    decoded_or_none(data, sizes)


def test_flipped_bits_are_an_error_or_other_integers():
    groups = [normals(2, 20), normals(5000, 5)]
    data = encode_integers(groups)
    for i in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[i // 8] ^= 1 << i % 8
        read = decoded_or_none(bytes(flipped), [20, 5])
        if read is not None:
            assert any((a != b).any() for a, b in zip(read, groups, strict=True))


def test_long_groups_of_short_data_end_early():
    with pytest.raises(ValueError, match="damaged"):
        decode_integers(b"\x12\x34\x56", [10**15])


# Parts


def test_laws_are_those_of_the_formulas():
    """Probabilities of (floor(m^power / d)) against floats, apart from the rounding."""
    m = np.arange(32.0)
    found = _distributions.distributions().probabilities / 2**20
    for (power, j, z, _), distribution in zip(
        _distributions._parameters(), found, strict=True
    ):
        if z > 0 or 16 * 2 ** (j / 2) > 31**power:
            continue  # the magnitudes below 32 have not nearly all
        expected = 2.0 ** -(m**power / 2 ** (j / 2))
        expected /= 2 * expected.sum() - 1
        # exponents to 1 / 256 bit, probabilities to 2^-20, and 177 of them as the least
        tolerance = 0.004 * expected + 3e-4
        assert (abs(distribution[0] - expected[0]) <= tolerance[0]).all()
        assert (abs(distribution[1:63:2] - expected[1:]) <= tolerance[1:]).all()
        assert (distribution[1::2] == distribution[2::2]).all()


def test_laws_and_frequencies_have_constant_sums():
    distributions = _distributions.distributions()
    assert (distributions.probabilities.sum(axis=1) == 2**20).all()
    assert distributions.probabilities.min() == 1
    model = _adaptive_model.GroupModel()
    for integers in (normals(3, 1), normals(3, 50), normals(9, 300)):
        assert (model.frequencies.sum(axis=1) == _adaptive_model.TOTAL).all()
        assert model.frequencies.min() >= 1
        tokens = _distributions.tokenize(integers)[0]
        model.update(tokens, _adaptive_model.contexts_of(integers))


def test_intervals_of_tokens_leave_no_gap():
    least, bits = _distributions.intervals()
    np.testing.assert_array_equal(least[:-1] + 2 ** bits[:-1], least[1:])
    assert least[-1] + 2 ** bits[-1] == LARGEST + 1
    assert 2 * least.size + 1 == _distributions.N_TOKENS


def test_code_log2_is_log2():
    values = np.concatenate([np.arange(1, 3000), 2 ** np.arange(12, 53)]).astype(float)
    error = np.log2(values) - _distributions.code_log2(values) / 256
    assert error.min() >= 0
    assert error.max() <= 1 / 256 + np.log2(1 + 1 / 256)


def test_quotients_are_exact_up_to_two_to_53():
    rng = np.random.default_rng(0)
    quotients = rng.integers(1, 2**30, 10_000)
    denominators = rng.integers(1, 2**22, 10_000)
    for rest in (0, denominators - 1):
        numerators = (quotients * denominators + rest).astype(float)
        found = _adaptive_model._quotients(numerators, denominators.astype(float))
        np.testing.assert_array_equal(found, quotients)


@given(st.integers(-(2**57), 2**57), st.integers(1, 2**56))
def test_the_shortest_number_lies_in_the_interval(low, width):
    number, n_bytes = _range_coder._shortest(low, width)
    assert low <= number < low + width
    assert number % 2 ** (56 - 8 * n_bytes) == 0
    if n_bytes > 0:
        unit = 2 ** (64 - 8 * n_bytes)
        assert -(-low // unit) * unit >= low + width


def test_carries_run_through_the_words_before():
    data = _range_coder._ended([1, 0xFFFF, 0xFFFF], low=2**56 - 1, width=2**40)
    assert data == bytes([0, 2, 0, 0, 0, 0])
