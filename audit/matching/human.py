"""Decisions that people took on pairs: they bind, and such pairs are never asked again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.features import U32, U64, Flags
from audit.matching.records import Decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """Decided pairs as rows; `same` where people said that both are one unit."""

    left: U32
    right: U32
    same: Flags


def human_pairs(ids: pl.Series, decisions: Decisions | None) -> Human:
    """Return the decided pairs whose records are both here; the last word on a pair counts."""
    if decisions is None or decisions.pairs.is_empty():
        none = np.empty(0, np.uint32)
        return Human(left=none, right=none, same=np.empty(0, bool))
    rows = pl.DataFrame({"id": ids}).with_row_index("row")
    pairs = decisions.pairs.with_row_index("place")
    for side in ("left", "right"):
        pairs = pairs.join(
            rows.rename({"id": f"{side}_id", "row": side}), on=f"{side}_id", how="inner"
        )
    pairs = (
        pairs.filter(pl.col("left") != pl.col("right"))
        .with_columns(
            low=pl.min_horizontal("left", "right"), high=pl.max_horizontal("left", "right")
        )
        .sort("place")
        .unique(["low", "high"], keep="last", maintain_order=True)
    )
    return Human(
        left=pairs["low"].to_numpy().astype(np.uint32),
        right=pairs["high"].to_numpy().astype(np.uint32),
        same=pairs["same"].to_numpy().astype(bool),
    )


def decided(left: U32, right: U32, human: Human) -> NDArray[np.int8]:
    """Return what people said of each pair of rows: 1 same, -1 different, 0 nothing."""
    result = np.zeros(len(left), np.int8)
    if not len(human.left):
        return result
    known = pair_keys(human.left, human.right)
    order = np.argsort(known)
    known, said = known[order], np.where(human.same, 1, -1)[order]
    keys = pair_keys(left, right)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    hit = known[at] == keys
    result[hit] = said[at[hit]]
    return result


def pair_keys(left: U32, right: U32) -> U64:
    """Return one integer a pair of rows, the same in both directions."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    keys: U64 = low.astype(np.uint64) << np.uint64(32) | high
    return keys


def not_in(left: U32, right: U32, known: U64) -> Flags:
    """Say which pairs of rows are not among the keys `known`."""
    keys = pair_keys(left, right)
    if not len(known):
        return np.ones(len(keys), bool)
    known = np.sort(known)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    result: Flags = known[at] != keys
    return result
