"""Blocking: which pairs are compared at all, by adaptive keys of one or two fields.

A token (a code, a name, an owner, a telephone …) with at most c1 holders is a key alone. Otherwise
it is joined with another frequent token from a list, and the key is kept with at most c2 holders.
Places, industries, house numbers and the second half of a code say too little alone and are joined
only; where records of one industry are more than c2 in a village, as in larger files, the
characters of their trade names part them.
So the number of pairs is O(records) whatever the data are; blocks over a cap are counted, and the
large ones listed. A key is a 40-bit hash over a 24-bit row (fewer hash bits beyond 16.7 million
rows): one sort of integers brings the holders of a key together.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.chunks import THREADS
from audit.matching.features import U8, U32, U64, Features, Flags
from audit.matching.keys import (
    COUNTED_PARTNERS,
    JOINTS,
    KINDS,
    LISTED,
    ONE_SET_ONLY,
    ORDER,
    PARTNERS,
    REFINED,
    SINGLES,
    tokens,
)
from audit.matching.settings import MatchSettings
from audit.matching.sorting import in_order, run_starts

VILLAGE_UNIT = 16
"""Records of a village are counted in units of so many: thousands may stand in one."""

_MIXED = 1 << 14
"""Values that are mixed at once: they fit a processor's cache."""
_SAMPLE = 10_000
"""Pairs whose median parts all pairs into halves for two threads."""
_ROW_BITS = 24
_PAIR_BITS = np.uint64(28)
_PAIR_MASK = np.uint64((1 << 28) - 1)
MAX_ROWS = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeBlock:
    """One block over its cap: kind, 40-bit digest, its rows (up to a limit) and counts."""

    kind: str
    digest: int
    n_records: int
    n_counties: int
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Pairs of rows to compare, `left` before `right` in rank, and what was left out.

    `keys` is a bit mask over KINDS of the keys that proposed the pair; `holders[kind]` the number
    of holders of the record's token, cut at 255; `proposed[kind]` the pairs of a key kind;
    `capped[kind]` blocks and records over the cap.
    """

    left: U32
    right: U32
    keys: U64
    holders: dict[str, U8]
    proposed: dict[str, int]
    capped: dict[str, tuple[int, int]]
    large: tuple[LargeBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What blocking needs to know of the records beside their tokens.

    `rank` is the place of each row in the order of record ids (results do not depend on the order
    of rows); `side` 0 or 1 for two sets, of which only pairs across are wanted, `side_of_rank` the
    same in order of rank.
    """

    rank: U32
    row_of_rank: U32
    side: U8 | None = None
    side_of_rank: U8 | None = None


def mix(values: U64, salt: int = 0) -> U64:
    """Scramble 64 bits (splitmix64's finaliser), so that any bits of the result may be used."""
    result = values + np.uint64((0x9E3779B97F4A7C15 * (salt + 1)) & 0xFFFFFFFFFFFFFFFF)
    for start in range(0, len(result), _MIXED):
        z = result[start : start + _MIXED]
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return result


def held(column: U64, unit: int = 1) -> U8:
    """Return how many times `unit` records hold each record's token, cut at 255; 0 of none."""
    counts = pl.DataFrame({"token": column}).select(pl.len().over("token")).to_series().to_numpy()
    return np.where(column == 0, 0, np.minimum(counts // unit, 255)).astype(np.uint8)


def candidates(features: Features, rows: Rows, settings: MatchSettings) -> Candidates:
    """Return the pairs that some key proposes: at most (c1 + c2) a record and kind, O(n) in all."""
    n = len(features)
    if n >= MAX_ROWS:
        raise ValueError("more rows than a pass can hold; split them by region")
    with ThreadPoolExecutor(settings.threads) as pool:
        villages = pool.submit(held, features.village, VILLAGE_UNIT)
        kinds = (*SINGLES, *COUNTED_PARTNERS)
        singles = list(pool.map(lambda kind: _single(features, rows, kind, settings), kinds))
        holders = {s.kind: s.holders for s in singles if s.holders is not None}
        holders["village"] = villages.result()
        wanted = JOINTS if rows.side is None else [j for j in JOINTS if j != ONE_SET_ONLY]
        joints = list(pool.map(lambda j: _joint(features, rows, (j, holders), settings), wanted))
    blocks = [*singles, *(block for found in joints for block in found)]
    proposed = _proposed([pairs for block in blocks for pairs in block.pairs])
    left, right, keys = _unique_pairs(_together(blocks), rows.row_of_rank)
    return Candidates(
        left=left,
        right=right,
        keys=keys,
        holders=holders,
        proposed=proposed,
        capped={b.kind: b.capped for b in blocks if b.kind in KINDS},
        large=tuple(block for s in singles for block in s.large),
    )


@dataclass(slots=True, kw_only=True)
class _Blocks:
    kind: str
    pairs: list[U64]
    capped: tuple[int, int]
    holders: U8 | None = None
    large: tuple[LargeBlock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """Sorted keys (hash over rank), and `start` and `length` of each run of equal hashes."""

    packed: U64
    bits: int
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def hashes(self, at: NDArray[np.int64]) -> U64:
        """Return the hashes at some places."""
        return self.packed[at] >> np.uint64(self.bits)

    def ranks(self, at: NDArray[np.int64] | slice) -> U32:
        """Return the ranks at some places."""
        return (self.packed[at] & np.uint64((1 << self.bits) - 1)).astype(np.uint32)


def _sorted_runs(hashes: U64, ranks: U32, n: int) -> _Runs:
    bits = max(_ROW_BITS, n.bit_length())
    low = np.uint64((1 << bits) - 1)
    packed = hashes & ~low
    packed |= ranks
    packed = in_order(packed)
    start = np.flatnonzero(run_starts(packed, low))
    return _Runs(packed=packed, bits=bits, start=start, length=np.diff(start, append=len(packed)))


def _emit(runs: _Runs, cap: int, kind: int, rows: Rows) -> list[U64]:
    """Return packed pairs (28 bits each and the kind) of all runs of 2 to `cap` holders."""
    wanted = (runs.length >= 2) & (runs.length <= cap)
    if rows.side_of_rank is not None and len(runs.start):
        sides = rows.side_of_rank[runs.ranks(slice(None))]
        second = np.add.reduceat(sides, runs.start, dtype=np.int64)
        wanted &= (second > 0) & (second < runs.length)
    start, length = runs.start[wanted], runs.length[wanted]
    found = []
    for j in range(1, cap):
        base = start[length > j]
        second = runs.ranks(base + j)
        found += [_pack(runs.ranks(base + i), second, kind, rows) for i in range(j) if len(base)]
    return found


def _chain(runs: _Runs, over: NDArray[np.bool_], kind: int, rows: Rows) -> list[U64]:
    """Return neighbours within over-long runs: equal codes stay joined at n - 1 pairs a block."""
    start, steps = runs.start[over], runs.length[over] - 1
    ends = np.cumsum(steps)
    first = np.repeat(start - ends + steps, steps) + np.arange(steps.sum())
    return [_pack(runs.ranks(first), runs.ranks(first + 1), kind, rows)]


def _pack(first: U32, second: U32, kind: int, rows: Rows) -> U64:
    if rows.side_of_rank is not None:
        across = rows.side_of_rank[first] != rows.side_of_rank[second]
        first, second = first[across], second[across]
    differ = first != second  # a record may hold one telephone twice
    if not differ.all():
        first, second = first[differ], second[differ]
    packed = first.astype(np.uint64) << _PAIR_BITS
    packed |= second
    packed <<= np.uint64(8)
    packed |= np.uint64(kind)
    return packed


def _gather(features: Features, rows: Rows, kind: str) -> tuple[U64, U32]:
    """Return mixed tokens of a kind and the ranks of their holders, missing ones left out."""
    salt = ORDER.index(kind)
    columns = tokens(features, kind)
    found = [np.flatnonzero(column != 0) for column in columns]
    if len(columns) > 1:
        found[1] = found[1][columns[1][found[1]] != columns[0][found[1]]]
    values = [mix(column[at], salt) for column, at in zip(columns, found, strict=True)]
    ranks = [rows.rank[at] for at in found]
    return np.concatenate(values), np.concatenate(ranks)


def _single(features: Features, rows: Rows, kind: str, settings: MatchSettings) -> _Blocks:
    """Return the pairs of one token kind and how many hold each record's token."""
    n = len(features)
    runs = _sorted_runs(*_gather(features, rows, kind), n)
    count = np.repeat(np.minimum(runs.length, 255).astype(np.uint8), runs.length)
    holders = np.zeros(n, np.uint8)
    ranks = runs.ranks(slice(None))
    if len(tokens(features, kind)) > 1:
        np.maximum.at(holders, ranks, count)
    else:
        holders[ranks] = count
    over = runs.length > settings.single_cap
    pairs = _emit(runs, settings.single_cap, KINDS.index(kind), rows) if kind in SINGLES else []
    if kind in ("credit", "org"):
        pairs += _chain(runs, over, KINDS.index(f"{kind}*"), rows)
    return _Blocks(
        kind=kind,
        pairs=pairs,
        capped=(int(over.sum()), int(runs.length[over].sum())),
        holders=holders[rows.rank],
        large=_large(features, rows, (kind, runs), settings) if kind in LISTED else (),
    )


def _joint(
    features: Features,
    rows: Rows,
    joint: tuple[tuple[str, str], dict[str, U8]],
    settings: MatchSettings,
) -> list[_Blocks]:
    """Return the pairs that share two tokens, neither of which is a key alone for its records."""
    (first, second), holders = joint
    frequent: Flags = np.ones(len(features), np.bool_)
    for kind in (first, second):
        if kind not in PARTNERS:
            frequent &= holders[kind] > settings.single_cap
    found_hashes, found_ranks = [], []
    for a in tokens(features, first):
        for b in tokens(features, second):
            at = np.flatnonzero(frequent & (a != 0) & (b != 0))
            hashes = mix(mix(a[at], ORDER.index(first)) ^ b[at], 64 + ORDER.index(second))
            found_hashes.append(hashes)
            found_ranks.append(rows.rank[at])
    runs = _sorted_runs(np.concatenate(found_hashes), np.concatenate(found_ranks), len(features))
    found = [_capped(runs, f"{first}+{second}", rows, settings)]
    if (first, second) in REFINED:
        third = REFINED[first, second]
        parts = _parted(features, rows, (runs, third), settings)
        found.append(_capped(parts, f"{first}+{second}+{third}", rows, settings))
    return found


def _capped(runs: _Runs, kind: str, rows: Rows, settings: MatchSettings) -> _Blocks:
    """Return the pairs of joined keys, and what is over their cap."""
    over = runs.length > settings.joint_cap
    return _Blocks(
        kind=kind,
        pairs=_emit(runs, settings.joint_cap, KINDS.index(kind), rows),
        capped=(int(over.sum()), int(runs.length[over].sum())),
    )


def _parted(
    features: Features, rows: Rows, block: tuple[_Runs, str], settings: MatchSettings
) -> _Runs:
    """Return the blocks over the cap, each parted by the tokens of another kind."""
    runs, third = block
    over = np.repeat(runs.length > settings.joint_cap, runs.length)
    at = np.flatnonzero(over)
    keys, ranks = mix(runs.hashes(at)), runs.ranks(at)
    members = rows.row_of_rank[ranks]
    columns = [column[members] for column in tokens(features, third)]
    hashes, holders = [], []
    for place, column in enumerate(columns):
        # A character that stands twice in a name makes its record no second holder.
        new = np.logical_and.reduce([column != 0, *(column != one for one in columns[:place])])
        hashes.append(mix(keys[new] ^ column[new], 128 + ORDER.index(third)))
        holders.append(ranks[new])
    return _sorted_runs(np.concatenate(hashes), np.concatenate(holders), len(features))


def _large(
    features: Features, rows: Rows, block: tuple[str, _Runs], settings: MatchSettings
) -> tuple[LargeBlock, ...]:
    """Return the largest blocks of a kind, in order of size and digest."""
    kind, runs = block
    big = np.flatnonzero(runs.length >= settings.large_at)
    order = np.lexsort((runs.hashes(runs.start[big]), -runs.length[big]))
    found = []
    for at in big[order[: settings.large_blocks]].tolist():
        start, length = int(runs.start[at]), int(runs.length[at])
        members = rows.row_of_rank[runs.ranks(slice(start, start + length))]
        found.append(
            LargeBlock(
                kind=kind,
                digest=int(runs.packed[start]) >> runs.bits,
                n_records=length,
                n_counties=len(np.unique(features.county[members])),
                rows=members[: settings.large_members].astype(np.int64),
            )
        )
    return tuple(found)


def _proposed(packed: Sequence[U64]) -> dict[str, int]:
    """Return how many pairs each kind of key proposes (every part is of one kind)."""
    counts = dict.fromkeys(KINDS, 0)
    for part in packed:
        if len(part):
            counts[KINDS[int(part[0] & np.uint64(255))]] += len(part)
    return counts


def _together(blocks: Sequence[_Blocks]) -> U64:
    """Return the packed pairs of all blocks; those of a block are let go when they are copied."""
    sizes = [sum(len(pairs) for pairs in block.pairs) for block in blocks]
    together = np.empty(sum(sizes), np.uint64)
    at = 0
    for block in blocks:
        while block.pairs:
            pairs = block.pairs.pop()
            together[at : at + len(pairs)] = pairs
            at += len(pairs)
    return together


def _unique_pairs(together: U64, row_of_rank: U32) -> tuple[U32, U32, U64]:
    """Return distinct pairs of rows in order of their ranks, with the kinds that proposed each."""
    sample = np.sort(together[:: len(together) // _SAMPLE + 1])
    # All kinds of a pair lie in one half.
    middle = sample[len(sample) // 2] & ~np.uint64(255) if len(sample) else np.uint64(0)
    with ThreadPoolExecutor(THREADS) as pool:
        lower = together < middle
        halves = list(pool.map(together.__getitem__, (lower, ~lower)))
        del together, lower  # As large as all that follows.
        found = list(pool.map(lambda half: _distinct(half, row_of_rank), halves))
    left, right, keys = (np.concatenate(column) for column in zip(*found, strict=True))
    return left, right, keys


def _distinct(together: U64, row_of_rank: U32) -> tuple[U32, U32, U64]:
    """Return the pairs of a half, each once, with a mask of its kinds."""
    together = in_order(together)
    kinds = np.uint64(255)
    start = np.flatnonzero(run_starts(together, kinds))
    pairs = together[start] >> np.uint64(8)
    together = together & kinds
    np.left_shift(np.uint64(1), together, out=together)
    keys = np.bitwise_or.reduceat(together, start) if len(start) else together
    return row_of_rank[pairs >> _PAIR_BITS], row_of_rank[pairs & _PAIR_MASK], keys
