"""Figures of link mode: field records against a register, one to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.linkage.results import numbered, spent
from benchmarks.linkage.scoring import best_threshold, quality


def one_to_one(scored: pl.DataFrame) -> pl.DataFrame:
    """Return pairs taken best first, each record at most once."""
    order = scored.sort(["match_weight", "left_id", "right_id"], descending=[True, False, False])
    ids, left, right = numbered(order)
    taken, keep = np.zeros(len(ids), np.bool_), np.zeros(order.height, np.bool_)
    for at, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        if not taken[a] and not taken[b]:
            taken[a] = taken[b] = keep[at] = True
    return order.filter(pl.Series(keep))


def pair_figures(folder: Path, mine: Path, other: Path) -> dict[str, Any]:
    """Return the figures of both systems."""
    truth = pl.read_parquet(folder / "pairs.parquet")
    links = pl.read_parquet(mine / "links.parquet", columns=["left_id", "right_id", "decision"])
    linked = links.filter(pl.col("decision") == "link")
    scored = pl.read_parquet(other / "scored.parquet").filter(~pl.col("apart"))
    swapped = pl.col("left_id").str.starts_with("market|")
    scored = scored.with_columns(
        left_id=pl.when(swapped).then("right_id").otherwise("left_id"),
        right_id=pl.when(swapped).then("left_id").otherwise("right_id"),
    )
    assigned = one_to_one(scored)
    return {
        "ours": {
            "spent": spent(mine / "spent.json"),
            "links": quality(linked, truth).as_dict(),
            "review_pairs": links.filter(pl.col("decision") == "possible_link").height,
        },
        "splink": {
            "spent": spent(other / "splink.json"),
            "normalise": spent(other / "normalise.json"),
            "pairs": best_threshold(scored, truth, "match_weight")[1].as_dict(),
            "one_to_one": best_threshold(assigned, truth, "match_weight")[1].as_dict(),
        },
    }
