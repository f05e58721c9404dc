"""Score pairs and clusters against the truth; one way for every system."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

PAIR = ["left_id", "right_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How many pairs a system gave, how many of them are true, how many there are."""

    given: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the given pairs that are true."""
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were given."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.given + self.true
        return 2 * self.right / both if both else 1.0

    def as_dict(self) -> dict[str, float]:
        """Return counts and shares."""
        shares = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {**asdict(self), **shares}


def ordered(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return distinct pairs, the smaller id first."""
    low = pl.min_horizontal(*PAIR)
    high = pl.max_horizontal(*PAIR)
    return pairs.with_columns(left_id=low, right_id=high).unique(PAIR)


def cluster_pairs(clusters: pl.DataFrame) -> pl.DataFrame:
    """Return all pairs within clusters: columns cluster_id, record_id."""
    several = clusters.filter(pl.len().over("cluster_id") > 1)
    return (
        several.join(several, on="cluster_id", suffix="_2")
        .filter(pl.col("record_id") < pl.col("record_id_2"))
        .select(left_id="record_id", right_id="record_id_2")
    )


def quality(pairs: pl.DataFrame, truth: pl.DataFrame) -> Quality:
    """Compare pairs with the true ones (both ordered)."""
    right = pairs.select(PAIR).join(truth.select(PAIR), on=PAIR, how="semi").height
    return Quality(given=pairs.height, right=right, true=truth.height)


def hard(pairs: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs that do not both show one and the same credit code."""
    codes = records.select("record_id", "credit_code")
    both = pairs.join(codes, left_on="left_id", right_on="record_id").join(
        codes, left_on="right_id", right_on="record_id", suffix="_2"
    )
    same = (pl.col("credit_code") == pl.col("credit_code_2")).fill_null(False)
    return both.filter(~same).select(pairs.columns)


def calibration_error(scored: pl.DataFrame, truth: pl.DataFrame, bins: int = 10) -> float:
    """Return the expected calibration error of probabilities over equal bins of [0, 1]."""
    labelled = scored.join(truth.select(*PAIR, same=pl.lit(1.0)), on=PAIR, how="left")
    bucket = (pl.col("probability") * bins).floor().clip(0, bins - 1)
    sums = labelled.group_by(bucket.alias("bin")).agg(
        n=pl.len(), p=pl.col("probability").sum(), y=pl.col("same").fill_null(0.0).sum()
    )
    return float((sums["p"] - sums["y"]).abs().sum()) / max(labelled.height, 1)


def by_damage(found: pl.DataFrame, truth: pl.DataFrame, damage: pl.DataFrame) -> dict[str, Any]:
    """Return, for each kind of damage, the true pairs of a copy that shows it and their recall.

    `damage`: record_id, damage (list). A pair counts for every kind that one of its two shows.
    """
    hit = truth.join(found.select(*PAIR, found=pl.lit(1)), on=PAIR, how="left")
    kinds = damage.explode("damage", empty_as_null=False).drop_nulls()
    sides = [
        hit.join(kinds, left_on=side, right_on="record_id").select(*PAIR, "found", "damage")
        for side in PAIR
    ]
    table = (
        pl.concat(sides)
        .unique([*PAIR, "damage"])
        .group_by("damage")
        .agg(pairs=pl.len(), recall=pl.col("found").fill_null(0).mean())
        .sort("damage")
    )
    return {row["damage"]: {k: row[k] for k in ("pairs", "recall")} for row in table.to_dicts()}


def best_threshold(scored: pl.DataFrame, truth: pl.DataFrame, column: str) -> tuple[float, Quality]:
    """Return the threshold with the best F1 in hindsight, and the quality there."""
    labelled = (
        scored.join(truth.select(*PAIR, same=pl.lit(1)), on=PAIR, how="left")
        .sort(column, descending=True)
        .select(column, pl.col("same").fill_null(0))
    )
    values, right = labelled[column].to_numpy(), np.cumsum(labelled["same"].to_numpy())
    given = np.arange(1, len(values) + 1)
    last = np.append(values[1:] < values[:-1], True)
    f1 = np.where(last, 2 * right / (given + truth.height), 0.0)
    at = int(f1.argmax())
    return float(values[at]), Quality(given=at + 1, right=int(right[at]), true=truth.height)
