"""Lists of phrases, looked for at the beginning or the end of many parts of a text at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.characters import U32, U64, Flags, Hashes, Ints, Text, folded

_SPREAD = np.uint64(0x9E3779B97F4A7C15)

LONGEST_PHRASE = 60
"""Phrases are cut here, so that the bits of a number can tell their lengths."""


class _Edge:
    """Which lengths of phrases are possible, by the first (or last) two characters."""

    __slots__ = ("_at_end", "_has_singles", "_masks", "_room", "_singles")

    def __init__(self, text: Text, lengths: list[int], *, at_end: bool) -> None:
        self._at_end = at_end
        # The narrowest type that has a bit for each length: small tables stay in the cache.
        kind = np.min_scalar_type((1 << len(lengths)) - 1)
        self._masks = np.zeros(1 << 16, dtype=kind)
        self._singles = np.zeros(1 << 16, dtype=kind)
        # By the size of a part: the lengths that it has room for.
        room = np.searchsorted(lengths, np.arange(LONGEST_PHRASE + 1), side="right").tolist()
        self._room = np.array([(1 << n) - 1 for n in room], dtype=kind)
        bits = np.uint64(1) << np.searchsorted(lengths, text.lengths).astype(np.uint64)
        bits = bits.astype(kind)
        one, pair = self._slots(text, text.starts, text.ends)
        short = text.lengths == 1
        self._has_singles = bool(short.any())
        np.bitwise_or.at(self._singles, one[short], bits[short])
        np.bitwise_or.at(self._masks, pair[~short], bits[~short])

    def _slots(self, text: Text, starts: Ints, ends: Ints) -> tuple[U32, U32]:
        first = ends - 1 if self._at_end else starts
        second = first - 1 if self._at_end else first + 1
        if not len(text.codes):
            return np.zeros(len(starts), dtype=np.uint32), np.zeros(len(starts), dtype=np.uint32)
        one = text.codes.take(first, mode="clip")
        pair = text.codes.take(second, mode="clip")
        pair *= np.uint32(0x85EBCA77)
        pair += one * np.uint32(0x9E3779B1)
        pair >>= np.uint32(16)
        one &= np.uint32(0xFFFF)
        return one, pair

    def masks(self, text: Text, starts: Ints, ends: Ints) -> NDArray[np.unsignedinteger[Any]]:
        """Return a bit for each length of the phrases that parts may begin or end with."""
        one, pair = self._slots(text, starts, ends)
        found = self._masks.take(pair)
        if self._has_singles:
            found |= self._singles.take(one)
        found &= self._room.take(ends - starts, mode="clip")
        return found


class _Index:
    """Where numbers are among sorted keys: by a table of slots, by search where two share one."""

    __slots__ = ("_crowded", "_first", "_keys", "_shift")

    def __init__(self, keys: U64) -> None:
        bits = max((4 * len(keys)).bit_length(), 4)
        self._keys, self._shift = keys, np.uint64(64 - bits)
        slots = self._slots(keys)
        self._first = np.zeros(1 << bits, dtype=np.int32)
        self._first[slots] = np.arange(len(keys))
        self._crowded = np.bincount(slots, minlength=1 << bits) > 1

    def _slots(self, sums: U64) -> Ints:
        return (sums * _SPREAD >> self._shift).astype(np.int64)

    def find(self, sums: U64) -> tuple[NDArray[np.int32], Flags]:
        """Return the place of each number among the keys, and whether it is there at all."""
        slots = self._slots(sums)
        at = self._first.take(slots)
        equal = self._keys.take(at) == sums
        doubtful = np.flatnonzero(self._crowded.take(slots) & ~equal)
        if len(doubtful):
            some = sums[doubtful]
            at[doubtful] = np.minimum(self._keys.searchsorted(some), len(self._keys) - 1)
            equal[doubtful] = self._keys.take(at[doubtful]) == some
        return at, equal


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
        self._by_length: list[tuple[int, _Index, Ints]] = []
        for length in lengths:
            mine = np.flatnonzero(text.lengths == length)
            keys, first = np.unique(sums[mine], return_index=True)
            self._by_length.append((length, _Index(keys), values[mine][first]))

    def longest(
        self, hashes: Hashes, starts: Ints, ends: Ints, *, at_end: bool = False
    ) -> tuple[Ints, Ints]:
        """Return length and number of the longest phrase at the start (or end) of each part.

        Length 0 and number 0 where none is there.
        """
        lengths = np.zeros(len(starts), dtype=np.int64)
        numbers = np.zeros(len(starts), dtype=np.int64)
        masks = self._edges[at_end].masks(hashes.text, starts, ends)
        rows = np.flatnonzero(masks != 0)
        masks, edge = masks[rows], (ends if at_end else starts)[rows]
        present = int(np.bitwise_or.reduce(masks))
        for place in range(present.bit_length() - 1, -1, -1):
            if not present >> place & 1:
                continue
            length, index, values = self._by_length[place]
            some = np.flatnonzero((masks & masks.dtype.type(1 << place)) != 0)
            if not len(some):
                continue
            left = edge[some] - length if at_end else edge[some]
            at, equal = index.find(hashes.raw_of_length(left, length))
            hit = np.flatnonzero(equal)
            found = rows[some[hit]]
            lengths[found] = length
            numbers[found] = values[at[hit]]
            masks[some[hit]] = 0
        return lengths, numbers
