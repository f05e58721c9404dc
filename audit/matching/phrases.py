"""Lists of phrases, looked for at the beginning or the end of many parts of a text at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.characters import U32, U64, Flags, Hashes, Ints, Text, folded

_FACTORS = tuple(np.uint32(x) for x in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D))
_TO_SLOT = np.uint32(16)
"""Bits of a sum that its slot in a table of 65536 leaves out."""

LONGEST_PHRASE = 60
"""Phrases are cut here, so that the bits of a number can tell their lengths."""


class _Edge:
    """Which lengths of phrases are possible, by the first (or last) one, two or three characters.

    Phrases of one and of two characters have a table each, all longer ones that of three.
    """

    __slots__ = ("_room", "_step", "_tables")

    def __init__(self, text: Text, lengths: list[int], *, at_end: bool) -> None:
        """Take phrases and their lengths, the longest first: the first has the lowest bit."""
        self._step = -1 if at_end else 1
        # The narrowest type that has a bit for each length: small tables stay in the cache.
        kind = np.min_scalar_type((1 << len(lengths)) - 1)
        bit = {length: 1 << place for place, length in enumerate(lengths)}
        sizes = range(LONGEST_PHRASE + 1)
        # By the size of a part: the lengths that it has room for.
        self._room = np.array([sum(bit[n] for n in lengths if n <= size) for size in sizes], kind)
        bits = np.array([bit.get(length, 0) for length in text.lengths.tolist()], kind)
        self._tables: list[NDArray[np.unsignedinteger[Any]] | None] = []
        for places, sums in enumerate(self._sums(text, text.starts, text.ends), 1):
            mine = np.flatnonzero(np.minimum(text.lengths, 3) == places)
            table = np.zeros(1 << 16, dtype=kind)
            np.bitwise_or.at(table, sums[mine] >> _TO_SLOT, bits[mine])
            self._tables.append(table if len(mine) else None)

    def _sums(self, text: Text, starts: Ints, ends: Ints) -> Iterator[U32]:
        """Yield sums of the character, of two and of three characters at the edge; one array."""
        at = ends - 1 if self._step < 0 else starts.copy()
        sums = np.zeros(len(at), dtype=np.uint32)
        for factor in _FACTORS:
            if len(text.codes):
                sums += text.codes.take(at, mode="clip") * factor
            at += self._step
            yield sums

    def masks(self, text: Text, starts: Ints, ends: Ints) -> NDArray[np.unsignedinteger[Any]]:
        """Return a bit for each length of the phrases that parts may begin or end with."""
        found = np.zeros(len(starts), dtype=self._room.dtype)
        for table, sums in zip(self._tables, self._sums(text, starts, ends), strict=True):
            if table is not None:
                found |= table.take(sums >> _TO_SLOT)
        found &= self._room.take(ends - starts, mode="clip")
        return found


class _Index:
    """Where numbers are among sorted keys, by a table of slots: the leading bits of a number."""

    __slots__ = ("_crowded", "_first", "_keys", "_most", "_shift")

    def __init__(self, keys: U64) -> None:
        bits = max((4 * len(keys)).bit_length(), 4)
        self._keys, self._shift = keys, np.uint64(64 - bits)
        slots = self._slots(keys)
        # Keys that share a slot stand behind each other.
        self._first = np.zeros(1 << bits, dtype=np.int64)
        self._first[slots[::-1]] = np.arange(len(keys))[::-1]
        counts = np.bincount(slots, minlength=1 << bits)
        self._crowded, self._most = counts > 1, int(counts.max())

    def _slots(self, sums: U64) -> Ints:
        return (sums >> self._shift).view(np.int64)

    def find(self, sums: U64) -> tuple[Ints, Flags]:
        """Return the place of each number among the keys, and whether it is there at all."""
        slots = self._slots(sums)
        at = self._first.take(slots)
        equal: Flags = self._keys.take(at) == sums
        doubtful = np.flatnonzero(self._crowded.take(slots))
        for _ in range(1, self._most):
            doubtful = doubtful[~equal[doubtful]]
            if not len(doubtful):
                break
            at[doubtful] += 1
            equal[doubtful] = self._keys.take(at[doubtful], mode="clip") == sums[doubtful]
        return at, equal


class Phrases:
    """A list of folded phrases with a number each, looked for at one end of many parts."""

    __slots__ = ("_edges", "_index", "_lengths", "_numbers")

    def __init__(self, phrases: dict[str, int]) -> None:
        text = folded(pl.Series(list(phrases), dtype=pl.String)).letters()
        text = replace(text, ends=np.minimum(text.ends, text.starts + LONGEST_PHRASE))
        values = np.fromiter(phrases.values(), dtype=np.int64, count=len(phrases))
        # The longest comes first.
        lengths = sorted(set(text.lengths.tolist()) - {0}, reverse=True)
        self._lengths = np.array(lengths, dtype=np.int64)
        self._edges = [_Edge(text, lengths, at_end=at_end) for at_end in (False, True)]
        keys, first = np.unique(Hashes(text).raw(text.starts, text.ends), return_index=True)
        self._index, self._numbers = _Index(keys), values[first]

    def longest(
        self, hashes: Hashes, starts: Ints, ends: Ints, *, at_end: bool = False
    ) -> tuple[Ints, Ints]:
        """Return length and number of the longest phrase at the start (or end) of each part.

        Length 0 and number 0 where none is there.
        """
        lengths, numbers = np.zeros((2, len(starts)), dtype=np.int64)
        masks = self._edges[at_end].masks(hashes.text, starts, ends)
        rows = np.flatnonzero(masks != 0)
        masks, edges = masks.take(rows), (ends if at_end else starts).take(rows)
        while len(rows):
            # Each part's longest phrase that is still possible: its lowest bit.
            less = masks - masks.dtype.type(1)
            length = self._lengths.take(np.bitwise_count(less & ~masks))
            bounds = (edges - length, edges) if at_end else (edges, edges + length)
            at, equal = self._index.find(hashes.raw(*bounds))
            hit = np.flatnonzero(equal)
            found = rows.take(hit)
            lengths[found] = length.take(hit)
            numbers[found] = self._numbers.take(at.take(hit))
            masks &= less
            masks[hit] = 0
            live = np.flatnonzero(masks != 0)
            rows, masks, edges = rows.take(live), masks.take(live), edges.take(live)
        return lengths, numbers
