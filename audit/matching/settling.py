"""Register records that need no comparison: the valid code and the whole name are a unit's own.

They are most of a register. What is settled leaves the pass of its register, so that only the
rest is compared; how rare a name or telephone is, is still counted over all records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.blocking import mix, tokens
from audit.matching.features import KINDS, U8, U32, U64, Features, Flags
from audit.matching.pairs import Scored
from audit.matching.records import LINK_SCHEMA
from audit.matching.weighing import Weights, probability, weights_of

Ints = NDArray[np.int64]

COUNTED = ("core", "trade", "owner", "phone", "road_no", "address")
"""Tokens whose number of holders is evidence."""

_SHARED = (
    *("credit", "org", "segment_a", "segment_b", "name", "core", "core_sound", "trade"),
    *("trade_sound", "branch", "owner", "owner_sound", "phone", "road_no", "address"),
)
_SHARED_ON_A_ROAD = ("head", "tail")
_SAID = (
    '{"zh": "统一社会信用代码有效且相同；名称全同", '
    '"en": "credit code: valid and equal; name: equal", "settled": true}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Pairs of rows (unit, register record) that are one without comparing them."""

    left: Ints
    right: Ints

    def scored(self, weights: Weights) -> Scored:
        """Return the pairs as weighed ones; of their levels only name and code are known."""
        level = {lv.NAME.id: len(lv.NAME.levels) - 1, lv.CODE.id: lv.CODE_SAME}
        pattern = sum(
            level.get(field.id, 0) << int(shift)
            for field, shift in zip(lv.FIELDS, lv.SHIFTS, strict=True)
        )
        n = len(self.left)
        patterns = np.full(n, pattern, np.uint64)
        weight = np.maximum(weights_of(patterns[:1], weights), _LEAST).repeat(n)
        return Scored(
            left=self.left.astype(np.uint32),
            right=self.right.astype(np.uint32),
            keys=np.zeros(n, np.uint64),
            patterns=patterns,
            weight=weight,
            probability=probability(weight),
            gain=np.zeros(n),
        )

    def links(self, records: pl.DataFrame, weights: Weights, matcher: str) -> pl.DataFrame:
        """Return the pairs as links (LINK_SCHEMA), all explained by the same words."""
        scored = self.scored(weights)
        ids, tables = records["record_id"], records["table_name"]
        return pl.DataFrame(
            {
                "left_id": ids.gather(self.left),
                "right_id": ids.gather(self.right),
                "left_table": tables.gather(self.left),
                "right_table": tables.gather(self.right),
                "weight": scored.weight,
                "probability": scored.probability,
            }
        ).select(
            pl.col("left_id", "right_id", "left_table", "right_table"),
            pl.lit(matcher).alias("matcher"),
            pl.col("weight", "probability"),
            pl.lit("link").alias("decision"),
            pl.lit("same_unit").alias("relation"),
            pl.lit(_SAID).alias("comparison"),
        ).cast(pl.Schema(LINK_SCHEMA))  # fmt: skip


_LEAST = 9.0
"""A valid code shared is worth this much by itself (weighing), whatever the scorecard says."""


def settle(features: Features, source: NDArray[np.int16], asked: Flags) -> Settled:
    """Return which register records are settled.

    `source` is the number of each row's register, -1 for units; `asked` marks the rows that
    people decided on, which are left to the comparison. A code and name held by several units or
    by several records of one register are no settled matter; a legal entity goes before its
    establishments.
    """
    local = features.is_headquarters | (features.kind == KINDS["establishment"])
    rows = np.flatnonzero(features.credit_ok & (features.name != 0) & ~asked)
    known = pl.DataFrame(
        {
            "key": mix(features.credit[rows]) ^ features.name[rows],
            "row": rows,
            "source": source[rows],
            "local": local[rows],
        }
    )
    units = (
        known.filter(pl.col("source") < 0)
        .with_columns(best=pl.col("local").min().over("key"))
        .filter(pl.col("local") == pl.col("best"))
        .unique("key", keep="none")
        .select("key", left="row")
    )
    lists = known.filter(pl.col("source") >= 0).unique(["key", "source"], keep="none")
    found = lists.join(units, on="key", how="inner").sort("row")
    return Settled(left=found["left"].to_numpy(), right=found["row"].to_numpy())


def may_pair(units: Features, lists: Features) -> Flags:
    """Say which units share any token with a register record: no key proposes the others."""
    result = np.zeros(len(units), bool)
    if not len(lists):
        return result
    for kind in _SHARED:
        wanted = np.unique(np.concatenate(tokens(lists, kind)))
        for column in tokens(units, kind):
            _mark(result, column, wanted)
    for kind in _SHARED_ON_A_ROAD:
        ours, theirs = (mix(tokens(side, kind)[0]) ^ side.road for side in (units, lists))
        _mark(result, ours, np.unique(theirs))
    return result


def _mark(result: Flags, values: U64, wanted: U64) -> None:
    """Mark the rows whose value is among the sorted ones."""
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    result |= (wanted[at] == values) & (values != 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many records of one side hold each token: sorted tokens and counts, by kind."""

    of: dict[str, tuple[U64, Ints]]

    @classmethod
    def over(cls, features: Features) -> Counts:
        """Count the tokens of `features`; a record that holds one twice counts twice."""
        return cls(
            of={
                kind: np.unique(np.concatenate(tokens(features, kind)), return_counts=True)
                for kind in COUNTED
            }
        )

    def held(self, features: Features, kind: str) -> Ints:
        """Return the largest count of the tokens of each record of `features`."""
        known, counts = self.of[kind]
        result = np.zeros(len(features), np.int64)
        if not len(known):
            return result
        for column in tokens(features, kind):
            at = np.minimum(np.searchsorted(known, column), len(known) - 1)
            hit = (known[at] == column) & (column != 0)
            np.maximum(result, np.where(hit, counts[at], 0), out=result)
        return result


def holders(features: Features, units: Counts, lists: Counts) -> dict[str, U8]:
    """Return how many records of both sides hold each record's tokens, cut at 255."""
    return {
        kind: np.minimum(units.held(features, kind) + lists.held(features, kind), 255).astype(
            np.uint8
        )
        for kind in COUNTED
    }


def rows_of(pairs: tuple[U32, U32], n: int) -> Flags:
    """Say which of n rows stand in any of the pairs."""
    result = np.zeros(n, bool)
    for rows in pairs:
        result[rows] = True
    return result
