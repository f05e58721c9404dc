"""Texts that are parsed once: the fields of every distinct text of a column, found by its hash.

A name, a person or an address comes again in units, registers and the frame. Two 64-bit hashes with
different seeds tell texts apart; the texts themselves are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.characters import U64, Flags, Ints
from audit.matching.chunks import THREADS

BLOCK = 1 << 15
"""Records that fit a processor's cache while they are parsed."""
_FREED_AT_ONCE = 31 << 20
"""Bytes; more than 32 MiB would change nothing."""
_SEEDS = (0x5EED, 0xC0DE)
Arrays = dict[str, NDArray[Any]]
Parse = Callable[[pl.Series], Arrays]
Rows = TypeVar("Rows", pl.Series, pl.DataFrame)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Fields of distinct texts. `first` and `second` are their hashes, sorted by the first.

    Row `row[i]` of every array of `fields` belongs to the text of `first[i]`.
    """

    first: U64
    second: U64
    row: Ints
    fields: Arrays

    def __len__(self) -> int:
        return len(self.first)

    def find(self, first: U64, second: U64) -> tuple[Ints, Flags]:
        """Return the place of each text, and which texts are there at all."""
        if not len(self):
            return np.zeros(len(first), np.int64), np.zeros(len(first), np.bool_)
        at = np.minimum(self.first.searchsorted(first), len(self) - 1)
        there: Flags = (self.first[at] == first) & (self.second[at] == second)
        return at, there

    def some(self, wanted: Flags) -> Known:
        """Return the texts of these places only, their fields copied."""
        rows = self.row[wanted]
        return Known(
            first=self.first[wanted],
            second=self.second[wanted],
            row=np.arange(len(rows)),
            fields={name: values[rows] for name, values in self.fields.items()},
        )

    def plus(self, first: U64, second: U64, fields: Arrays) -> Known:
        """Return these texts and new ones, which have other first hashes."""
        begin = len(next(iter(self.fields.values()))) if self.fields else 0
        keys = np.concatenate([self.first, first])
        order = np.argsort(keys, kind="stable")
        return Known(
            first=keys[order],
            second=np.concatenate([self.second, second])[order],
            row=np.concatenate([self.row, begin + np.arange(len(first))])[order],
            fields={
                name: np.concatenate([self.fields[name], values]) if self.fields else values
                for name, values in fields.items()
            },
        )


def nothing_known() -> Known:
    """Return no texts."""
    none = np.zeros(0, np.uint64)
    return Known(first=none, second=none, row=np.zeros(0, np.int64), fields={})


@dataclass(slots=True)
class Texts:
    """What is known of the texts of each kind of column.

    One object serves all records that are parsed with the same places and industry words.
    """

    known: dict[str, Known] = field(default_factory=dict)

    def fields(self, kind: str, column: pl.Series, parse: Parse) -> Arrays:
        """Return the fields of each record's text; `parse` gets those not seen before."""
        one, two = (column.hash(seed).to_numpy() for seed in _SEEDS)
        first, example, which = np.unique(one, return_index=True, return_inverse=True)
        second = two[example]
        known = self.known.get(kind) or nothing_known()
        _, there = known.find(first, second)
        # Another text that has the first hash of a kept one takes its place.
        new = np.flatnonzero(~there)
        if len(new) or not known.fields:
            clashing = np.isin(known.first, first[new])
            known = known.some(~clashing) if clashing.any() else known
            parsed = in_blocks(column.gather(example[new]), parse)
            known = known.plus(first[new], second[new], parsed)
            self.known[kind] = known
        at, _ = known.find(first, second)
        rows = known.row[at][which]
        found = {name: values[rows] for name, values in known.fields.items()}
        other = np.flatnonzero(two != second[which])
        if len(other):
            for name, values in parse(column.gather(other)).items():
                found[name][other] = values
        return found


def blockwise(rows: Rows, work: Callable[[Rows], Result]) -> Iterator[Result]:
    """Yield what `work` says of each block of rows, in their order, on two threads."""
    blocks = [rows[at : at + BLOCK] for at in range(0, max(len(rows), 1), BLOCK)]
    # glibc gives free memory back once it is twice what was freed in one piece so far, and every
    # page that comes again costs as much as the work on it.
    np.empty(_FREED_AT_ONCE, dtype=np.uint8)
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(work, blocks)


def in_blocks(column: pl.Series, parse: Parse) -> Arrays:
    """Return what `parse` says of a column, a block at a time on two threads."""
    return in_one(blockwise(column, parse), len(column))


def in_one(blocks: Iterable[Arrays], height: int) -> Arrays:
    """Return the arrays of all blocks, one behind the other; `height` rows in all.

    Each block is let go of when it is copied, so that the rows are not held twice.
    """
    whole: Arrays = {}
    at = 0
    for block in blocks:
        size = len(next(iter(block.values())))
        for name, values in block.items():
            if name not in whole:
                whole[name] = np.empty((height, *values.shape[1:]), values.dtype)
            whole[name][at : at + size] = values
        at += size
    return whole
