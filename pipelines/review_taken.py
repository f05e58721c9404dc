"""What a person who decides on a pair must know: which records are linked to a unit already."""

from __future__ import annotations

import polars as pl

_SIDES = {"left": ("左侧", "left"), "right": ("右侧", "right")}
_PAIR = ["left_id", "right_id"]


def _told(pairs: pl.DataFrame, taken: pl.DataFrame, side: str) -> pl.DataFrame:
    """Return left_id, right_id and the sentences about one side, of the pairs that have any."""
    zh, en = _SIDES[side]
    other = next(name for name in _PAIR if name != f"{side}_id")
    return (
        pairs.select(_PAIR)
        .with_columns(record_id=pl.col(f"{side}_id"))
        .join(taken.unique(["record_id", "other_id"]), on="record_id")
        .filter(pl.col("other_id") != pl.col(other))
        .sort("other_id")
        .group_by(_PAIR, maintain_order=True)
        .agg(zh=pl.col("other").str.join("、"), en=pl.col("other").str.join(", "))
        .select(
            *_PAIR,
            pl.format("{}记录已与 {} 判为同一单位", pl.lit(zh), "zh").alias(f"{side}_linked_zh"),
            pl.format("the {} record is linked to {} already", pl.lit(en), "en").alias(
                f"{side}_linked_en"
            ),
        )
    )


def add_linked(pairs: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Add linked_zh and linked_en to pairs, in their order: empty where neither record is linked.

    `taken`: record_id, other_id and `other`, the words for it, of every unit that a record is
    linked to.
    """
    for side in _SIDES:
        pairs = pairs.join(_told(pairs, taken, side), on=_PAIR, how="left", maintain_order="left")
    return pairs.with_columns(
        pl.concat_str(
            *(f"{side}_linked_{lang}" for side in _SIDES), separator="\n", ignore_nulls=True
        )
        .replace("", None)
        .alias(f"linked_{lang}")
        for lang in ("zh", "en")
    )
