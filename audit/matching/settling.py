"""Register records that need no comparison: the valid code and the whole name are a unit's own.

They are most of a register. What is settled leaves the pass of its register, so that only the
rest is compared; how rare a name or telephone is, is still counted over all records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.blocking import VILLAGE_UNIT, mix
from audit.matching.features import KINDS, U8, U32, U64, Features, Flags
from audit.matching.keys import tokens
from audit.matching.pairs import Scored, same_names
from audit.matching.records import LINK_SCHEMA
from audit.matching.sorting import distinct, order_of
from audit.matching.weighing import Weights, probability, weights_of

Ints = NDArray[np.int64]
RowPairs = tuple[Ints, Ints]
"""Rows of units, and of the register record that belongs to each."""

COUNTED = ("core", "trade", "owner", "phone", "road_no", "address", "village")
"""Tokens whose number of holders is evidence."""

_SHARED = (
    *("credit", "org", "name", "core", "core_sound", "trade", "trade_sound", "branch"),
    *("owner", "owner_sound", "phone", "address"),
)
_SHARED_AT = (
    *(("head", "road"), ("head", "township"), ("segment", "township")),
    *(("road_no", "industry"), ("road_no", "activity")),
    ("tail", "road"),  # No key, but rare ends of trade names are, and elsewhere they say little.
)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BY_CODE, _ALIKE = 0, 1
_SAID = (
    '{"zh": "统一社会信用代码有效且相同；名称全同", '
    '"en": "credit code: valid and equal; name: equal", "settled": true}',
    '{"zh": "名称、负责人、地址全同；名录一方无代码", '
    '"en": "name, person in charge and address: equal; list: no code", "settled": true}',
)
_LEVELS = (
    {lv.NAME.id: lv.NAME, lv.CODE.id: lv.CODE},
    {lv.NAME.id: lv.NAME, lv.OWNER.id: lv.OWNER, lv.ADDRESS.id: lv.ADDRESS},
)
_LEAST = (9.0, 6.0)
"""Least weight of both kinds. A valid code shared is worth the first by itself (weighing); pairs of
the second kind weigh more than this when they are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Pairs of rows (unit, register record) that are one without comparing them.

    `alike` tells pairs that are settled without a code.
    """

    left: Ints
    right: Ints
    alike: Flags

    def verified(self, features: Features, names: pl.Series) -> Settled:
        """Return the pairs whose texts, not their hashes alone, are the same (`pairs.verified`)."""
        left, right = self.left, self.right
        kept = same_names(names.gather(left), names.gather(right))
        for field in ("owner_chars", "code_symbols"):
            at = np.flatnonzero(self.alike == (field == "owner_chars"))
            values = getattr(features, field)
            kept[at] &= (values[left[at]] == values[right[at]]).all(axis=1)
        return self.where(kept)

    def where(self, wanted: Flags | Ints) -> Settled:
        """Return some of the pairs, or all in another order."""
        return Settled(left=self.left[wanted], right=self.right[wanted], alike=self.alike[wanted])

    def scored(self, weights: Weights) -> Scored:
        """Return the pairs as weighed ones; only the levels that settled them are known."""
        patterns = np.array([_pattern(kind) for kind in (_BY_CODE, _ALIKE)], np.uint64)
        weight = np.maximum(weights_of(patterns, weights), _LEAST)
        n, kind = len(self.left), self.alike.astype(np.intp)
        return Scored(
            left=self.left.astype(np.uint32),
            right=self.right.astype(np.uint32),
            keys=np.zeros(n, np.uint64),
            patterns=patterns[kind],
            weight=weight[kind],
            probability=probability(weight)[kind],
            gain=np.zeros(n),
        )

    def links(self, records: pl.DataFrame, weights: Weights, matcher: str) -> pl.DataFrame:
        """Return the pairs as links (LINK_SCHEMA), all of a kind explained by the same words."""
        scored = self.scored(weights)
        ids, tables = records["record_id"], records["table_name"]
        said = pl.Series(_SAID, dtype=pl.String).gather(self.alike.astype(np.uint32))
        return pl.DataFrame(
            {
                "left_id": ids.gather(self.left),
                "right_id": ids.gather(self.right),
                "left_table": tables.gather(self.left),
                "right_table": tables.gather(self.right),
                "weight": scored.weight,
                "probability": scored.probability,
                "comparison": said,
            }
        ).select(
            pl.col("left_id", "right_id", "left_table", "right_table"),
            pl.lit(matcher).alias("matcher"),
            pl.col("weight", "probability"),
            pl.lit("link").alias("decision"),
            pl.lit("same_unit").alias("relation"),
            pl.col("comparison"),
        ).cast(pl.Schema(LINK_SCHEMA))  # fmt: skip


def _pattern(kind: int) -> int:
    level = {name: len(field.levels) - 1 for name, field in _LEVELS[kind].items()}
    level |= {lv.CODE.id: lv.CODE_SAME} if kind == _BY_CODE else {}
    return sum(
        level.get(field.id, 0) << int(shift)
        for field, shift in zip(lv.FIELDS, lv.SHIFTS, strict=True)
    )


def settle(features: Features, source: NDArray[np.int16], asked: Flags) -> Settled:
    """Return which register records are settled.

    `source` is the number of each row's register, -1 for units; `asked` marks the rows that
    people decided on, which are left to the comparison. First by the valid code and the whole
    name; of what is left, register records without any code by name, person and address. What is
    held by several units or by several records of one register is no settled matter; a legal
    entity goes before its establishments.
    """
    coded = np.flatnonzero(features.credit_ok & (features.name != 0) & ~asked)
    by_code = _unique_pairs(
        features, source, coded, mix(features.credit[coded]) ^ features.name[coded]
    )
    codeless = (features.credit == 0) & (features.org == 0)
    given = (features.name != 0) & (features.owner != 0) & (features.address != 0)
    rows = np.flatnonzero(given & ~asked & (codeless | (source < 0)))
    key = mix(mix(features.name[rows]) ^ features.owner[rows], 1) ^ features.address[rows]
    alike = _unclaimed(features, source, _unique_pairs(features, source, rows, key), by_code)
    left, right = (np.concatenate(sides) for sides in zip(by_code, alike, strict=True))
    is_alike = np.repeat([False, True], [len(by_code[0]), len(alike[0])])
    order = np.argsort(right, kind="stable")
    return Settled(left=left[order], right=right[order], alike=is_alike[order])


def _unclaimed(
    features: Features, source: NDArray[np.int16], alike: RowPairs, by_code: RowPairs
) -> RowPairs:
    """Return the pairs whose unit no record of the same register claims by its code.

    Neither one that is settled nor one that shows the unit's code under another name.
    """
    left, right = alike
    own = _in_register(left, source[right])
    free = ~_among(own, _in_register(by_code[0], source[by_code[1]]))
    orgs = distinct(features.org[left])
    coded = np.flatnonzero((source >= 0) & (features.org != 0))
    place, shown = _places(features.org[coded], orgs)
    claims = _in_register(place[shown], source[coded[shown]])
    place, _ = _places(features.org[left], orgs)
    free &= ~_among(_in_register(place, source[right]), claims)
    return left[free], right[free]


def _in_register(rows: Ints, source: NDArray[np.int16]) -> Ints:
    """Return one integer for a row (or place) and a register."""
    return rows << 16 | source


def _places(values: U64 | Ints, known: U64 | Ints) -> tuple[Ints, Flags]:
    """Return the place of each value among sorted ones, and which are there at all."""
    if not len(known):
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    at = np.minimum(known.searchsorted(values), len(known) - 1)
    return at, known[at] == values


def _among(values: Ints, known: Ints) -> Flags:
    """Say which values are among others."""
    _, there = _places(values, np.sort(known))
    return there


def _unique_pairs(features: Features, source: NDArray[np.int16], rows: Ints, key: U64) -> RowPairs:
    """Return the rows of the unit and the record whose key only they have."""
    listed = source[rows] >= 0
    units, keys = _only_units(features, rows[~listed], key[~listed])
    place, there = _places(key[listed], keys)
    place, records = place[there], rows[listed][there]
    held = _in_register(place, source[records])
    ordered = np.sort(held)
    several = ordered[1:][ordered[1:] == ordered[:-1]]
    once = ~_among(held, several)
    return units[place[once]], records[once]


def _only_units(features: Features, rows: Ints, key: U64) -> tuple[Ints, U64]:
    """Return the units that hold a key alone, and the keys in order.

    A legal entity holds it alone whatever establishments and headquarters do.
    """
    local = features.is_headquarters[rows] | (features.kind[rows] == KINDS["establishment"])
    order = order_of(key)
    key, local = key[order], local[order]
    start = np.flatnonzero(np.concatenate((key[:1] >= 0, key[1:] != key[:-1])))
    length = np.diff(start, append=len(key))
    n_local = np.add.reduceat(local, start, dtype=np.int64) if len(start) else length
    by_local = n_local == length
    one = np.where(by_local, n_local, length - n_local) == 1
    at = np.flatnonzero(np.repeat(one, length) & (local == np.repeat(by_local, length)))
    return rows[order[at]], key[at]


def may_pair(units: Features, lists: Features) -> Flags:
    """Say which units share any token with a register record.

    No key proposes the others, but for a rare beginning or end of a trade name elsewhere.
    """
    result = np.zeros(len(units), bool)
    if not len(lists):
        return result
    for kind in _SHARED:
        wanted = distinct(np.concatenate(tokens(lists, kind)))
        for column in tokens(units, kind):
            _mark(result, column, wanted)
    for kind, place in _SHARED_AT:
        ours, theirs = (
            _both(tokens(side, kind)[0], tokens(side, place)[0]) for side in (units, lists)
        )
        _mark(result, ours, distinct(theirs))
    return result


def _both(one: U64, other: U64) -> U64:
    """Return what stands for two tokens together; 0 where a record lacks either."""
    return np.where((one == 0) | (other == 0), np.uint64(0), mix(one) ^ other)


def _mark(result: Flags, values: U64, wanted: U64) -> None:
    """Mark the rows whose value is among the sorted ones."""
    shift = np.uint64(64 - max(16, (16 * len(wanted)).bit_length()))
    # Most are not there: a table of slots that fits the cache says so at once.
    taken = np.zeros(1 << (64 - int(shift)), np.bool_)
    taken[wanted * _SPREAD >> shift] = True
    rows = np.flatnonzero(taken.take((values * _SPREAD >> shift).astype(np.int64)) & (values != 0))
    some = values[rows]
    at = np.minimum(np.searchsorted(wanted, some), len(wanted) - 1)
    result[rows[wanted[at] == some]] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many records of one side hold each token: sorted tokens and counts, by kind.

    `own[kind]` is the largest count among the tokens of each counted record.
    """

    of: dict[str, tuple[U64, Ints]]
    own: dict[str, Ints]

    @classmethod
    def over(cls, features: Features, rows: Ints | None = None) -> Counts:
        """Count the tokens of `features`, or of some rows; one held twice counts twice."""
        some = slice(None) if rows is None else rows
        found = cls(of={}, own={})
        for kind in COUNTED:
            columns = [column[some] for column in tokens(features, kind)]
            known, counts, each = _counted(np.concatenate(columns))
            found.of[kind] = known, counts
            found.own[kind] = each.reshape(len(columns), -1).max(axis=0)
        return found

    def held(self, columns: Sequence[U64], kind: str) -> Ints:
        """Return the largest count of the tokens of each record; `columns` are its tokens."""
        known, counts = self.of[kind]
        result = np.zeros(len(columns[0]), np.int64)
        for column in columns:
            at, there = _places(column, known)
            hit = np.flatnonzero(there & (column != 0))
            result[hit] = np.maximum(result[hit], counts[at[hit]])
        return result


def _counted(tokens: U64) -> tuple[U64, Ints, Ints]:
    """Return distinct tokens in order, how often each stands here, and that of every place."""
    order = order_of(tokens)
    ordered = tokens[order]
    start = np.flatnonzero(np.concatenate((ordered[:1] >= 0, ordered[1:] != ordered[:-1])))
    counts = np.diff(start, append=len(ordered))
    each = np.empty(len(tokens), np.int64)
    each[order] = np.repeat(counts, counts)
    each[tokens == 0] = 0
    return ordered[start], counts, each


def holders(
    features: Features, units: tuple[Counts, Ints], lists: tuple[Counts, Ints]
) -> dict[str, U8]:
    """Return how many records of both sides hold each record's tokens, as `blocking.held` does.

    `features` are those of some counted units and behind them some counted register records: with
    the counts go their places among those that were counted.
    """
    found = {}
    for kind in COUNTED:
        columns, n = tokens(features, kind), len(units[1])
        of_units = lists[0].held([column[:n] for column in columns], kind)
        of_lists = units[0].held([column[n:] for column in columns], kind)
        of_units += units[0].own[kind][units[1]]
        of_lists += lists[0].own[kind][lists[1]]
        found[kind] = np.concatenate([of_units, of_lists])
    found["village"] //= VILLAGE_UNIT
    return {kind: np.minimum(count, 255).astype(np.uint8) for kind, count in found.items()}


def rows_of(pairs: tuple[U32, U32], n: int) -> Flags:
    """Say which of n rows stand in any of the pairs."""
    result = np.zeros(n, bool)
    for rows in pairs:
        result[rows] = True
    return result
