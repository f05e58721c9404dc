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
U8 = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LETTERS_FROM = 0x30
"""Folded code points below this are separators: ( ) & , - and the blank."""

FIRST_SYLLABLE = 0xD800
"""Sounds are numbered in the range of surrogates, which no text can hold."""

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


def counted(keep: Flags) -> NDArray[np.int32]:
    """Return how many are marked before each position, and in all."""
    places = np.zeros(len(keep) + 1, dtype=np.int32)
    np.cumsum(keep.view(np.int8), dtype=np.int32, out=places[1:])
    return places


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
        if keep.all():
            return self
        places = counted(keep)
        starts, ends = (places.take(at).astype(np.int64) for at in (self.starts, self.ends))
        return Text(self.codes[keep], starts, ends)

    def some(self, rows: Ints) -> Text:
        """Return these records only, which touch each other in what comes out."""
        return Text(self.codes, self.starts[rows], self.ends[rows]).together()

    def together(self) -> Text:
        """Return the records without what stands between them."""
        ends = np.cumsum(self.lengths)
        return Text(self.codes.take(self.places()), ends - self.lengths, ends)

    def places(self) -> Ints:
        """Return the positions of the characters of all records, one record behind the other."""
        lengths = self.lengths
        first = self.starts - np.cumsum(lengths) + lengths
        places = np.repeat(first, lengths)
        places += np.arange(len(places))
        return places

    def letters(self) -> Text:
        """Return the text without separators."""
        return self.only(self.codes >= LETTERS_FROM)

    def sounding(self) -> Text:
        """Return the text with each character's syllable in its place."""
        return replace(self, codes=tables()[1].take(self.codes))

    def at(self, positions: Ints, default: int = 0) -> U32:
        """Return the characters at these positions; outside the array the default."""
        if not len(self.codes):
            return np.full(positions.shape, default, dtype=np.uint32)
        found = self.codes.take(positions, mode="clip")
        # A negative position is a large one without a sign.
        found[positions.view(np.uint64) >= len(self.codes)] = default
        return found

    def beside(self, spots: Ints, *steps: int, rows: Ints | None = None) -> list[U32]:
        """Return for each step the characters so many places from the spots.

        They are 0 outside of the record of the spot, which `rows` tells where it is known.
        """
        rows = self.row_of(spots) if rows is None else rows
        starts, ends = self.starts[rows], self.ends[rows]
        found = []
        for step in steps:
            places = spots + step
            codes = self.codes.take(places, mode="clip")
            codes[(places < starts) | (places >= ends)] = 0
            found.append(codes)
        return found

    def row_of(self, spots: Ints) -> Ints:
        """Return the record that each of these positions, in order, belongs to."""
        return np.searchsorted(self.ends, spots, side="right")

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

    def places_of(self, word: str) -> Ints:
        """Return the positions where the word begins (it may reach too far)."""
        places = np.flatnonzero(self.codes == ord(word[0]))
        for distance, char in enumerate(word[1:], 1):
            places = places[places + distance < len(self.codes)]
            places = places[self.codes[places + distance] == ord(char)]
        return places

    def first(self, where: Flags, *, last: bool = False) -> Ints:
        """Return each record's first (or last) marked position, -1 where it has none."""
        return self.first_of(np.flatnonzero(where), last=last)

    def first_of(self, found: Ints, *, last: bool = False, rows: Ints | None = None) -> Ints:
        """Return each record's first (or last) of these positions in order, -1 of none.

        `rows` are the records that they belong to, where these are known.
        """
        rows = self.row_of(found) if rows is None else rows
        starts, ends = (bound.take(rows, mode="clip") for bound in (self.starts, self.ends))
        inside = np.flatnonzero((found >= starts) & (found < ends))
        # Of several places for one record the one that is written last stays.
        inside = inside if last else inside[::-1]
        place = np.full(len(self), -1, dtype=np.int64)
        place[rows[inside]] = found[inside]
        return place


def in_utf8(column: pl.Series) -> tuple[memoryview, Ints, Flags]:
    """Return a text column's bytes, where its cells begin and end (n + 1), which are not NULL."""
    array = column.to_arrow()
    valid, bounds, data = array.buffers()
    mine = slice(array.offset, array.offset + len(column))
    ends = np.frombuffer(bounds, dtype=np.int64)[mine.start : mine.stop + 1]
    given: Flags = np.ones(len(column), dtype=np.bool_)
    if array.null_count:
        bits = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")
        given = bits[mine].view(np.bool_)
    return memoryview(data or b""), ends, given


def read(column: pl.Series) -> Text:
    """Return a text column as it is written; NULL is an empty record."""
    # Bytes may stand where a cell is NULL.
    column = column.fill_null("") if column.null_count() else column
    data, bounds, _ = in_utf8(column)
    whole = str(data[bounds[0] : bounds[-1]], "utf-8")
    codes = np.frombuffer(whole.encode("utf-32-le"), dtype=np.uint32)
    if len(codes) == bounds[-1] - bounds[0]:
        lengths = np.diff(bounds)
    else:
        lengths = column.str.len_chars().to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    return Text(codes, ends - lengths, ends)


def folded(column: pl.Series) -> Text:
    """Return a text column with widths, cases, scripts and accents folded.

    What remains are letters, digits and the separators below LETTERS_FROM.
    """
    fold = tables()[0]
    text = read(column)
    codes = fold.take(text.codes, mode="clip")
    several = codes == SEVERAL
    if several.any():
        hits = np.unique(text.row_of(np.flatnonzero(several)))
        longer = column[hits.tolist()].str.normalize("NFKC").str.to_uppercase()
        text = read(column.scatter(hits.tolist(), longer.str.normalize("NFKC")))
        codes = fold.take(text.codes, mode="clip")
        codes = np.where(codes == SEVERAL, np.uint32(0), codes)
    return replace(text, codes=codes).only(codes > 0)


class Hashes:
    """Hashes of any part of a text: prefix sums of mixed characters times powers of a base."""

    __slots__ = ("_powers", "_shifted", "text")

    def __init__(self, text: Text) -> None:
        self.text = text
        n = len(text.codes)
        self._powers, inverse = _powers_to(n + 1)
        # What stands before each position, shifted so that a part's sum begins at the power 0.
        self._shifted = np.empty(n + 1, dtype=np.uint64)
        self._shifted[0] = 0
        codes = text.codes.astype(np.uint64)
        codes += np.uint64(1)
        codes *= _MIX
        before = self._shifted[1:]
        codes ^= np.right_shift(codes, np.uint64(32), out=before)
        codes *= self._powers[:n]
        np.cumsum(codes, out=before)
        self._shifted *= inverse[: n + 1]

    def raw(self, starts: Ints, ends: Ints) -> U64:
        """Return the sums of the parts, equal for equal parts; starts must not exceed ends."""
        sums = self._shifted.take(ends)
        sums *= self._powers.take(ends - starts)
        sums -= self._shifted.take(starts)
        return sums

    def of(self, starts: Ints, ends: Ints) -> U64:
        """Return the hashes of the parts [starts, ends); 0 for an empty part."""
        ends = np.maximum(starts, ends)
        return mixed(self.raw(starts, ends))


def hashed(words: Iterable[str]) -> U64:
    """Return the hashes of folded words as `Hashes.of` gives them."""
    text = folded(pl.Series(list(words), dtype=pl.String))
    return Hashes(text).of(text.starts, text.ends)


def bags(text: Text, starts: Ints, ends: Ints, *, singles: bool = True) -> U64:
    """Return a 64-bit mask of the characters and neighbours in each part."""
    n = len(text.codes)
    result = np.zeros(len(text), dtype=np.uint64)
    if not n:
        return result
    codes = text.codes.astype(np.uint64)
    one, top = np.uint64(1), np.uint64(58)
    pairs = codes * np.uint64(65599)
    pairs[:-1] += codes[1:]
    pairs *= _BASE
    pairs >>= top
    bits = np.zeros(n + 1, dtype=np.uint64)
    np.left_shift(one, pairs[: n - 1], out=bits[: n - 1])
    codes *= _MIX
    codes >>= top
    lone = np.left_shift(one, codes, out=codes)
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


def _narrow(codes: U32) -> U16:
    """Return code points in 16 bits, those that need more in the private range."""
    wide = np.flatnonzero(codes >= 1 << 16)
    narrow = codes.astype(np.uint16)
    if len(wide):
        points = codes[wide].astype(np.uint64)
        narrow[wide] = np.uint64(0xE000) + (points * _MIX >> np.uint64(40)) % np.uint64(6400)
    return narrow


def matrix(hashes: Hashes, starts: Ints, ends: Ints, width: int) -> U16:
    """Return n x width characters of each part in 16 bits, 0 behind the end.

    A part that is longer keeps its first width - 2 characters and a digest of the others in the
    last two places, so that a difference there is never one edit.
    """
    codes = hashes.text.codes
    points = np.zeros(len(codes) + width, dtype=np.uint16)
    points[: len(codes)] = _narrow(codes)
    # One item is all of a row: it begins at any character.
    row = np.dtype((np.void, 2 * width))
    windows = np.ndarray(len(codes) + 1, row, points, strides=(2,))
    result = windows[starts].view(np.uint16).reshape(-1, width)
    lengths = ends - starts
    inside = np.tri(width + 1, width, -1, dtype=np.uint16) * np.uint16(0xFFFF)
    kept = inside.view(row).ravel().take(lengths, mode="clip")
    result &= kept.view(np.uint16).reshape(-1, width)
    long = np.flatnonzero(lengths > width)
    if len(long):
        tail = hashes.of(starts[long] + width - 2, ends[long])
        result[long, width - 2] = (tail & np.uint64(0xFFFF)).astype(np.uint16) | np.uint16(1)
        result[long, width - 1] = (tail >> np.uint64(48)).astype(np.uint16) | np.uint16(1)
    return result


def written(text: Text, starts: Ints, ends: Ints) -> pl.Series:
    """Return parts of a folded text (which has no U+0000) as text; an empty part is NULL."""
    lengths = np.maximum(ends - starts, 0)
    behind = np.cumsum(lengths + 1) - 1
    letters = np.ones(lengths.sum() + len(lengths), dtype=np.bool_)
    letters[behind] = False
    codes = np.zeros(len(letters), dtype="<u4")
    codes[letters] = text.codes[Text(text.codes, starts, starts + lengths).places()]
    whole = codes.tobytes().decode("utf-32-le")
    column = pl.Series([whole]).str.split("\0").explode().head(len(lengths))
    return column.set(pl.Series(lengths == 0), None)
