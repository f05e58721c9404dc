"""Telephone numbers as integers: one way of writing each number."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import cells
from audit.matching.cells import Cells
from audit.matching.characters import U8, U64, Flags, read

AREA_CODES = {
    1100: 10, 1200: 22, 3100: 21, 5000: 23, 4301: 731, 4302: 731, 4303: 731, 4304: 734,
    4305: 739, 4306: 730, 4307: 736, 4308: 744, 4309: 737, 4310: 735, 4311: 746, 4312: 745,
    4313: 738, 4331: 743, 4401: 20, 4403: 755, 4201: 27, 3201: 25, 3301: 571, 5101: 28,
    6101: 29, 2101: 24, 3701: 531, 4101: 371, 3401: 551, 3601: 791, 3501: 591, 4501: 771,
    5201: 851, 5301: 871, 2201: 431, 2301: 451, 1301: 311, 1401: 351, 1501: 471, 4601: 898,
    6201: 931, 6301: 971, 6401: 951, 6501: 991, 5401: 891,
}  # fmt: skip
"""Area codes (without 0) of cities by the first four digits of their region code."""

_AREAS = np.zeros(10_000, dtype=np.int64)
_AREAS[list(AREA_CODES)] = list(AREA_CODES.values())

WIDTH = 26
PARTING = ",、;；/，|\n或\\"
EXTENSION = "转轉"
Ints = NDArray[np.int64]
_POWERS = 10 ** np.arange(18, dtype=np.int64)


_PART, _EXTENSION = 20, 21
_STEPS = tuple(np.uint64(step * 0x0101010101010101 % 2**64) for step in (0, 1, -1))
_LATER = np.uint64(0x00FFFFFFFFFFFF00)
"""The bytes of a word that compare the second digit with the third, and so on."""


def _kinds() -> NDArray[np.int8]:
    """Return for code points below 65536 the digit, -1 of none, or the mark of a part's end."""
    table = np.full(1 << 16, -1, dtype=np.int8)
    for digit in range(10):
        table[[ord("0") + digit, 0xFF10 + digit]] = digit
    table[[ord(c) for c in PARTING]] = _PART
    table[[ord(c) for c in EXTENSION]] = _EXTENSION
    return table


_KINDS = _kinds()


def _pieces(column: pl.Series) -> tuple[Ints, NDArray[np.int8], Ints]:
    """Return the record of each piece, its digits (n x WIDTH, -1 behind the end), their number."""
    text = read(column)
    digit = _KINDS[np.minimum(text.codes, len(_KINDS) - 1)]
    rows = text.rows()
    step = np.zeros(len(rows), dtype=np.int32)
    step[1:] = (rows[1:] != rows[:-1]) | (digit[1:] == _PART)
    piece = np.cumsum(step)
    cut = np.flatnonzero(digit == _EXTENSION)
    behind = np.zeros(len(rows), dtype=np.bool_)
    if len(cut):
        first = np.full(piece[-1] + 1, len(rows), dtype=np.int64)
        np.minimum.at(first, piece[cut], cut)
        behind = np.arange(len(rows)) > first[piece]
    kept = np.flatnonzero((digit >= 0) & (digit < _PART) & ~behind)
    if not len(kept):
        return np.zeros(0, np.int64), np.zeros((0, WIDTH), np.int8), np.zeros(0, np.int64)
    owner = piece[kept]
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    counts = np.diff(np.concatenate([starts, [len(kept)]]))
    width = min(WIDTH, int(counts.max()))
    places = starts[:, None] + np.arange(width)
    inside = np.arange(width) < counts[:, None]
    digits = np.full((len(starts), WIDTH), -1, dtype=np.int8)
    digits[:, :width] = np.where(inside, digit[kept[np.where(inside, places, 0)]], -1)
    return rows[kept[starts]], digits, counts


def _dropped(digits: NDArray[np.int8], counts: Ints, where: Ints, n: int) -> Ints:
    """Drop the first n digits of these rows, in place; return the new counts."""
    digits[where, : WIDTH - n] = digits[where, n:]
    digits[where, WIDTH - n :] = -1
    counts[where] -= n
    return counts


def _prefixes_off(digits: NDArray[np.int8], counts: Ints) -> Ints:
    """Take 0086, 86 and the 0 in front of a mobile number off, in place."""
    zeros = (digits[:, :4] == [0, 0, 8, 6]).all(axis=1) & (counts > 12)
    counts = _dropped(digits, counts, np.flatnonzero(zeros), 2)
    country = (digits[:, :2] == [8, 6]).all(axis=1) & (counts >= 11)
    long_ = (counts >= 12) & ((digits[:, 2] == 1) | (digits[:, 2] == 0) | (counts <= 13))
    counts = _dropped(digits, counts, np.flatnonzero(country & long_), 2)
    mobile = (digits[:, 0] == 0) & (digits[:, 1] == 1) & (digits[:, 2] >= 3) & (counts == 12)
    return _dropped(digits, counts, np.flatnonzero(mobile), 1)


def _value(digits: NDArray[np.int8], lengths: Ints) -> Ints:
    """Return the number that the first so many digits (at most 15) write."""
    result = np.zeros(len(digits), dtype=np.int64)
    for place in range(15):
        used = place < lengths
        result = np.where(used, result * 10 + digits[:, place], result)
    return result


def _lengths(digits: NDArray[np.int8], counts: Ints) -> Ints:
    """Return how many of the digits are the number: behind it extensions and other numbers."""
    mobile = (digits[:, 0] == 1) & (digits[:, 1] >= 3)
    short_area = (digits[:, 0] == 0) & ((digits[:, 1] == 1) | (digits[:, 1] == 2))
    area = digits[:, 0] == 0
    service = (counts >= 10) & ((digits[:, :3] == [4, 0, 0]) | (digits[:, :3] == [8, 0, 0])).all(
        axis=1
    )
    full = np.where(short_area, 11, np.where(area, 12, np.where(service, 10, counts)))
    # Hunan writes 0 + 3 + 7; a number of 0 + 3 + 8 has 12 digits and nothing behind it.
    full = np.where(area & ~short_area & (counts != 12), 11, full)
    full = np.where(mobile & (counts >= 11), 11, full)
    local = ~area & ~mobile & ~service & (counts > 8) & (counts != 10)
    full = np.where(local, np.where(counts - 8 == 1, counts, np.where(counts <= 11, 7, 8)), full)
    return np.minimum(full, counts)


def _plausible(digits: NDArray[np.int8], lengths: Ints) -> Flags:
    """Return whether numbers are of a length that exists, and not one digit or a ladder."""
    area = digits[:, 0] == 0
    at = np.where(area, np.where((digits[:, 1] <= 2), 3, 4), 0)
    places = np.minimum(at[:, None] + np.arange(8), WIDTH - 1)
    tail = np.take_along_axis(digits, places, axis=1).astype(np.int64)
    inside = (at[:, None] + np.arange(8)) < lengths[:, None]
    steps = np.diff(tail, axis=1)
    both = inside[:, 1:]
    same = ((steps == 0) | ~both).all(axis=1)
    ladder = ((steps == 1) | ~both).all(axis=1) | ((steps == -1) | ~both).all(axis=1)
    least = np.where(area, 10, 7)
    answer: Flags = (lengths >= least) & (lengths <= 13) & ~same & ~ladder
    return answer


def _usual(column: Cells) -> tuple[Ints, U64]:
    """Return the records that write one number in the usual way, and it (0: not plausible).

    That is, in eleven ASCII digits: a mobile number, or a fixed one with area code and perhaps a
    dash behind it.
    """
    dashed, longer = column.of_width(12)
    parts = [column.of_width(11)]
    for place in (3, 4):
        mine = np.flatnonzero(longer[:, place] == ord("-"))
        parts.append((dashed[mine], np.delete(longer[mine], place, axis=1)))
    rows = np.concatenate([part for part, _ in parts])
    chars = np.concatenate([part for _, part in parts])
    value, plain = cells.numbers(chars)
    first, second = chars[:, 0], chars[:, 1]
    area = first == ord("0")
    plain &= area | ((first == ord("1")) & (second >= ord("3")))
    value[area & _even(chars[:, 3:], second <= ord("2"))] = 0
    return rows[plain], value[plain]


def _even(chars: U8, whole: Flags) -> Flags:
    """Return where eight digits (n x 8), or the last seven, are one digit or a ladder.

    The first counts where `whole` says so.
    """
    words = np.ascontiguousarray(chars).view("<u8")[:, 0]
    result = np.zeros(len(words), dtype=np.bool_)
    for step in _STEPS:
        # Bytes that are not the one before them and the step.
        wrong = (words >> np.uint64(8)) ^ (words + step)
        first = (wrong & np.uint64(0xFF)) != 0
        result |= ((wrong & _LATER) == 0) & ~(whole & first)
    return result


def numbers(column: pl.Series, county: NDArray[np.uint32]) -> tuple[U64, U64]:
    """Return the first and the second plausible number of each record, 0 where there is none.

    A fixed number has its area code (without 0) in front; where it is not written the city's own
    is taken (AREA_CODES), and none where the city is not known.
    """
    first, second = np.zeros((2, len(column)), dtype=np.uint64)
    written = Cells(column)
    usual, value = _usual(written)
    first[usual] = value
    other = written.given.copy()
    other[usual] = False
    rest = np.flatnonzero(other)
    if len(rest):
        first[rest], second[rest] = _any(column[rest], county[rest])
    return first, second


def _any(column: pl.Series, county: NDArray[np.uint32]) -> tuple[U64, U64]:
    """Return what `numbers` says of cells however written."""
    rows, digits, counts = _pieces(column)
    counts = _prefixes_off(digits, counts)
    lengths = _lengths(digits, counts)
    rest = counts - lengths
    again = np.flatnonzero(rest >= 7)
    if len(again):
        # Two numbers with no more than a blank between them.
        places = np.minimum(lengths[again][:, None] + np.arange(WIDTH), WIDTH - 1)
        more = np.take_along_axis(digits[again], places, axis=1)
        left = _prefixes_off(more, rest[again].copy())
        rows = np.concatenate([rows, rows[again]])
        digits = np.concatenate([digits, more])
        lengths = np.concatenate([lengths, _lengths(more, left)])
    good = np.flatnonzero(_plausible(digits, lengths))
    good = good[np.argsort(rows[good], kind="stable")]
    rows, digits, lengths = rows[good], digits[good], lengths[good]
    value = _value(digits, lengths)
    bare = (lengths <= 8) & (digits[:, 0] > 1)
    area = _AREAS[np.minimum(county[rows] // 100, len(_AREAS) - 1)]
    value = np.where(bare, value + area * _POWERS[lengths], value)
    return _first_two(rows, value, len(column))


def _first_two(rows: Ints, value: Ints, n: int) -> tuple[U64, U64]:
    first, second = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
    lead = np.ones(len(rows), dtype=np.bool_)
    lead[1:] = rows[1:] != rows[:-1]
    first[rows[lead]] = value[lead]
    other = np.flatnonzero(~lead & (value.astype(np.uint64) != first[rows]))
    second[rows[other[::-1]]] = value[other[::-1]]
    return first, second


def both(fixed: pl.Series, mobile: pl.Series, county: NDArray[np.uint32]) -> tuple[U64, U64]:
    """Return the numbers of two columns: the first's, the second's, a spare one where one lacks."""
    a, a_more = numbers(fixed, county)
    b, b_more = numbers(mobile, county)
    one = np.where(a == 0, np.where(b_more != 0, b_more, a), a)
    two = np.where(b == 0, a_more, b)
    lone = (one == 0) & (two != 0)
    return one, np.where((two == one) & ~lone, np.uint64(0), two)
