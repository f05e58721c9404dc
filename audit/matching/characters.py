"""Text columns as flat code points: folding, sounds, and hashes of any part in constant time.

A column becomes one array of code points with the bounds of each record in it. A part of a record
is a pair of positions; its hash is a difference of prefix sums mod 2^64 (docs/method). Nothing
here loops over records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.build_tables import SEVERAL, SIZE

U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LETTERS_FROM = 0x30
"""Folded code points below this are separators: ( ) & , - and the blank."""

FIRST_SYLLABLE = 0xD800
"""Sounds are numbered in the range of surrogates, which no text can hold."""

LONGEST_PHRASE = 60
"""Phrases are cut here, so that the bits of a number can tell their lengths."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_BASE_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))


@cache
def tables() -> tuple[U32, U32, tuple[str, ...]]:
    """Return the folds and the sounds of code points (0 to SIZE), and the syllables' names."""
    with np.load(Path(__file__).with_name("characters.npz"), allow_pickle=False) as file:
        own = np.arange(SIZE, dtype=np.uint32)
        fold = file["fold_less_own"] + own
        number = file["sound"].astype(np.uint32)
        names = tuple(file["syllables"].tobytes().decode().split(" "))
    return fold, np.where(number > 0, number + np.uint32(FIRST_SYLLABLE - 1), own), names


def classes(**groups: str) -> tuple[NDArray[np.uint8], dict[str, np.uint8]]:
    """Return a table of bits for code points (0 to SIZE), and the bit of each group."""
    table = np.zeros(SIZE, dtype=np.uint8)
    bits = {name: np.uint8(1 << place) for place, name in enumerate(groups)}
    for name, chars in groups.items():
        table[[ord(c) for c in chars]] |= bits[name]
    return table, bits


def mixed(values: U64) -> U64:
    """Return well-spread hashes of numbers; 0 stays 0 and nothing else becomes 0."""
    x = values * _MIX
    x ^= x >> np.uint64(31)
    x *= _LAST
    x ^= x >> np.uint64(29)
    return x


def joined(first: U64, second: U64) -> U64:
    """Return the hash of two hashes in this order; 0 only where both are."""
    both = mixed(first * np.uint64(3) + np.uint64(1)) + mixed(second)
    return np.where((first == 0) & (second == 0), np.uint64(0), mixed(both | np.uint64(1)))


_powers: list[tuple[U64, U64]] = []


def _powers_to(n: int) -> tuple[U64, U64]:
    """Return the powers of the base and of its inverse, at least n of each."""
    if not _powers or len(_powers[-1][0]) < n:
        size = max(n, 1 << 16) * 2
        both = [np.full(size, base, dtype=np.uint64) for base in (_BASE, _BASE_INVERSE)]
        for row in both:
            row[0] = 1
            np.cumprod(row, out=row)
        _powers.append((both[0], both[1]))
    return _powers[-1]


@dataclass(frozen=True, slots=True)
class Text:
    """A column: `codes` of all records end to end, `starts` and `ends` of each record in it."""

    codes: U32
    starts: Ints
    ends: Ints

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> Ints:
        """Characters of each record."""
        return self.ends - self.starts

    def rows(self) -> Ints:
        """Return for each character the record it belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def only(self, keep: Flags) -> Text:
        """Return the text with only these characters."""
        places = np.zeros(len(self.codes) + 1, dtype=np.int64)
        np.cumsum(keep, out=places[1:])
        return Text(self.codes[keep], places[self.starts], places[self.ends])

    def letters(self) -> Text:
        """Return the text without separators."""
        return self.only(self.codes >= LETTERS_FROM)

    def sounding(self) -> Text:
        """Return the text with each character's syllable in its place."""
        return replace(self, codes=tables()[1][self.codes])

    def at(self, positions: Ints, default: int = 0) -> U32:
        """Return the characters at these positions; outside the array the default."""
        if not len(self.codes):
            return np.full(positions.shape, default, dtype=np.uint32)
        inside = (positions >= 0) & (positions < len(self.codes))
        found = self.codes[np.where(inside, positions, 0)]
        return np.where(inside, found, np.uint32(default)).astype(np.uint32)

    def before(self) -> U32:
        """Return for each character the one before it in its record, 0 at the start."""
        shifted = np.concatenate([np.zeros(1, dtype=np.uint32), self.codes])[:-1]
        shifted[self.starts[self.lengths > 0]] = 0
        return shifted

    def after(self) -> U32:
        """Return for each character the one after it in its record, 0 at the end."""
        shifted = np.concatenate([self.codes, np.zeros(1, dtype=np.uint32)])[1:]
        shifted[self.ends[self.lengths > 0] - 1] = 0
        return shifted

    def first(self, where: Flags, *, last: bool = False) -> Ints:
        """Return each record's first (or last) marked position, -1 where it has none."""
        found = np.flatnonzero(where)
        result = np.full(len(self), -1, dtype=np.int64)
        if len(found):
            bounds = np.searchsorted(found, self.ends if last else self.starts)
            at = bounds - 1 if last else bounds
            held = (at >= 0) & (at < len(found))
            place = found[np.where(held, at, 0)]
            inside = held & (place >= self.starts) & (place < self.ends)
            result[inside] = place[inside]
        return result


def read(column: pl.Series) -> Text:
    """Return a text column as it is written; NULL is an empty record."""
    filled = column.fill_null("")
    whole = filled.str.join("").item() if len(filled) else ""
    codes = np.frombuffer(whole.encode("utf-32-le"), dtype=np.uint32)
    ends = np.cumsum(filled.str.len_chars().to_numpy().astype(np.int64))
    return Text(codes, np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])[: len(ends)], ends)


def folded(column: pl.Series) -> Text:
    """Return a text column with widths, cases, scripts and accents folded.

    What remains are letters, digits and the separators below LETTERS_FROM.
    """
    fold = tables()[0]
    text = read(column)
    codes = fold[np.minimum(text.codes, SIZE - 1)]
    several = codes == SEVERAL
    if several.any():
        hits = np.unique(np.searchsorted(text.ends, np.flatnonzero(several), side="right"))
        longer = column[hits.tolist()].str.normalize("NFKC").str.to_uppercase()
        text = read(column.scatter(hits.tolist(), longer.str.normalize("NFKC")))
        codes = fold[np.minimum(text.codes, SIZE - 1)]
        codes = np.where(codes == SEVERAL, np.uint32(0), codes)
    return replace(text, codes=codes).only(codes > 0)


class Hashes:
    """Hashes of any part of a text: prefix sums of mixed characters times powers of a base."""

    __slots__ = ("_inverse", "_sums", "text")

    def __init__(self, text: Text) -> None:
        self.text = text
        n = len(text.codes)
        powers, self._inverse = _powers_to(n + 1)
        sums = np.zeros(n + 1, dtype=np.uint64)
        codes = text.codes.astype(np.uint64) + np.uint64(1)
        codes *= _MIX
        codes ^= codes >> np.uint64(32)
        codes *= powers[:n]
        np.cumsum(codes, out=sums[1:])
        self._sums = sums

    def raw(self, starts: Ints, ends: Ints) -> U64:
        """Return the sums of the parts, equal for equal parts; starts must not exceed ends."""
        return (self._sums[ends] - self._sums[starts]) * self._inverse[starts]

    def marked(self, word: str) -> Flags:
        """Return for each position whether the word begins there (it may reach too far)."""
        codes = self.text.codes
        result = np.zeros(len(codes), dtype=np.bool_)
        places = np.flatnonzero(codes == ord(word[0]))
        for distance, char in enumerate(word[1:], 1):
            places = places[places + distance < len(codes)]
            places = places[codes[places + distance] == ord(char)]
        result[places] = True
        return result

    def of(self, starts: Ints, ends: Ints) -> U64:
        """Return the hashes of the parts [starts, ends); 0 for an empty part."""
        ends = np.maximum(starts, ends)
        return mixed(self.raw(starts, ends))


def hashed(words: Iterable[str]) -> U64:
    """Return the hashes of folded words as `Hashes.of` gives them."""
    text = folded(pl.Series(list(words), dtype=pl.String))
    return Hashes(text).of(text.starts, text.ends)


class _Edge:
    """Which lengths of phrases are possible, by the first (or last) two characters."""

    __slots__ = ("_at_end", "_masks", "_singles")

    def __init__(self, text: Text, lengths: list[int], *, at_end: bool) -> None:
        self._at_end = at_end
        self._masks = np.zeros(1 << 16, dtype=np.uint64)
        self._singles = np.zeros(1 << 16, dtype=np.uint64)
        bits = np.uint64(1) << np.searchsorted(lengths, text.lengths).astype(np.uint64)
        one, pair = self._slots(text, text.starts, text.ends)
        short = text.lengths == 1
        np.bitwise_or.at(self._singles, one[short], bits[short])
        np.bitwise_or.at(self._masks, pair[~short], bits[~short])

    def _slots(self, text: Text, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
        first = ends - 1 if self._at_end else starts
        second = first - 1 if self._at_end else first + 1
        last = max(len(text.codes) - 1, 0)
        one = text.codes[np.minimum(first, last)]
        two = text.codes[np.clip(second, 0, last)]
        pair = (one * np.uint32(0x9E3779B1) + two * np.uint32(0x85EBCA77)) >> np.uint32(16)
        return (one & np.uint32(0xFFFF)).astype(np.int64), pair.astype(np.int64)

    def masks(self, text: Text, starts: Ints, ends: Ints) -> U64:
        """Return a bit for each length that parts (none empty) may begin or end with."""
        one, pair = self._slots(text, starts, ends)
        found: U64 = self._singles[one] | self._masks[pair]
        return found


class Phrases:
    """A list of folded phrases with a number each, looked for at one end of many parts."""

    __slots__ = ("_by_length", "_edges")

    def __init__(self, phrases: dict[str, int]) -> None:
        text = folded(pl.Series(list(phrases), dtype=pl.String)).letters()
        text = replace(text, ends=np.minimum(text.ends, text.starts + LONGEST_PHRASE))
        sums = Hashes(text).raw(text.starts, text.ends)
        values = np.fromiter(phrases.values(), dtype=np.int64, count=len(phrases))
        lengths = sorted(set(text.lengths.tolist()) - {0})
        self._edges = [_Edge(text, lengths, at_end=at_end) for at_end in (False, True)]
        self._by_length: list[tuple[int, U64, Ints]] = []
        for length in lengths:
            mine = np.flatnonzero(text.lengths == length)
            keys, first = np.unique(sums[mine], return_index=True)
            self._by_length.append((length, keys, values[mine][first]))

    def longest(
        self, hashes: Hashes, starts: Ints, ends: Ints, *, at_end: bool = False
    ) -> tuple[Ints, Ints]:
        """Return length and number of the longest phrase at the start (or end) of each part.

        Length 0 and number 0 where none is there.
        """
        lengths = np.zeros(len(starts), dtype=np.int64)
        numbers = np.zeros(len(starts), dtype=np.int64)
        rows = np.flatnonzero(ends > starts)
        masks = self._edges[at_end].masks(hashes.text, starts[rows], ends[rows])
        rows, masks = rows[masks > 0], masks[masks > 0]
        for place in range(len(self._by_length) - 1, -1, -1):
            length, keys, values = self._by_length[place]
            some = rows[(masks & np.uint64(1 << place)) > 0]
            some = some[(ends[some] - starts[some] >= length) & (lengths[some] == 0)]
            if not len(some):
                continue
            left = ends[some] - length if at_end else starts[some]
            sums = hashes.raw(left, left + length)
            at = np.minimum(np.searchsorted(keys, sums), len(keys) - 1)
            equal = keys[at] == sums
            lengths[some[equal]] = length
            numbers[some[equal]] = values[at[equal]]
        return lengths, numbers


def bags(text: Text, starts: Ints, ends: Ints, *, singles: bool = True) -> U64:
    """Return a 64-bit mask of the characters and neighbours in each part."""
    n = len(text.codes)
    result = np.zeros(len(text), dtype=np.uint64)
    if not n:
        return result
    codes = text.codes.astype(np.uint64)
    pairs = (codes[:-1] * np.uint64(65599) + codes[1:]) * _BASE
    bits = np.zeros(n + 1, dtype=np.uint64)
    one = np.uint64(1)
    bits[: n - 1] = one << (pairs >> np.uint64(58))
    lone = one << ((codes * _MIX) >> np.uint64(58))
    if singles:
        bits[:n] |= lone
    used = np.flatnonzero(ends > starts)
    # The last character's neighbour is outside the part: it is taken by itself.
    inner = np.flatnonzero(ends - starts > 1)
    result[inner] = _either(bits, starts[inner], ends[inner] - 1)
    if singles:
        result[used] |= lone[ends[used] - 1]
    return result


def _either(bits: U64, starts: Ints, ends: Ints) -> U64:
    bounds = np.stack([starts, ends], axis=1).ravel()
    found: U64 = np.bitwise_or.reduceat(bits, bounds)[::2] if len(bounds) else bits[:0]
    return found


def matrix(text: Text, starts: Ints, ends: Ints, width: int) -> U16:
    """Return n x width characters of each part in 16 bits, 0 behind the end.

    A part that is longer keeps its first width - 2 characters and a digest of the others in the
    last two places, so that a difference there is never one edit.
    """
    places = starts[:, None] + np.arange(width)
    points = text.at(np.where(places < ends[:, None], places, -1)).astype(np.uint64)
    wide = points >= np.uint64(1 << 16)
    if wide.any():
        private = np.uint64(0xE000) + (points * _MIX >> np.uint64(40)) % np.uint64(6400)
        points = np.where(wide, private, points)
    result = points.astype(np.uint16)
    long = np.flatnonzero(ends - starts > width)
    if len(long):
        tail = Hashes(text).of(starts[long] + width - 2, ends[long])
        result[long, width - 2] = (tail & np.uint64(0xFFFF)).astype(np.uint16) | np.uint16(1)
        result[long, width - 1] = (tail >> np.uint64(48)).astype(np.uint16) | np.uint16(1)
    return result


def written(text: Text, starts: Ints, ends: Ints) -> pl.Series:
    """Return parts as text; an empty part is NULL."""
    import pyarrow as pa

    lengths = np.maximum(ends - starts, 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    codes = text.codes[places]
    data = codes.astype("<u4").tobytes().decode("utf-32-le").encode()
    sizes = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
    bounds = np.concatenate([[0], np.cumsum(sizes)])[offsets].astype(np.int64)
    buffers = [None, pa.py_buffer(bounds.tobytes()), pa.py_buffer(data)]
    column = pl.Series(pa.LargeStringArray.from_buffers(len(lengths), buffers[1], buffers[2]))
    return column.set(pl.Series(lengths == 0), None)
