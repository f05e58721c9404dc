"""From one visit of an enumerator to the next: time between them, way, least speed."""

from __future__ import annotations

import polars as pl

from audit.estimating.geodesy import metres_apart
from audit.estimating.model import Estimate, Frames

UNKNOWN_ACCURACY_M = 100.0
"""Taken for a position that does not say how good it is: the poorest that counts as one."""

# Nines and eighteens of 1 stand for a parent that cannot be found: no family of theirs.
FAMILY = (
    "CASE WHEN REPLACE(COALESCE(u.parent_credit_code, u.credit_code, ''), '1', '') = '' "
    "THEN v.unit_id ELSE COALESCE(u.parent_credit_code, u.credit_code) END"
)
"""SQL of the legal entity that the unit of a visit belongs to: one talk may serve several forms."""
VISITS = f"""
SELECT v.visit_id, v.enumerator_id, v.started_at, v.ended_at, v.longitude, v.latitude,
  v.accuracy_m, u.region_code, {FAMILY} AS family
FROM visit AS v LEFT JOIN unit AS u ON u.unit_id = v.unit_id"""


def visit_legs(frames: Frames) -> Frames:
    """Return one row for each visit that follows another of the same enumerator.

    `gap_s`: seconds from the latest end before to this start, negative where they overlap, NULL
    for an overlap within one family. `way_m`: metres between the two positions less what both may
    be off. `speed_kmh`: way by gap; a gap below one second counts as one.
    """
    order = ("enumerator_id", "started_at", "visit_id")
    visits = frames["visits"].drop_nulls(["started_at", "ended_at"]).sort(order)
    before = [
        pl.col(name).shift(1).over("enumerator_id").alias(f"_{name}")
        for name in ("visit_id", "family", "longitude", "latitude", "accuracy_m")
    ]
    ended = pl.col("ended_at").cum_max().shift(1).over("enumerator_id")
    legs = visits.with_columns(*before, _ended_at=ended).drop_nulls("_visit_id")
    gap = (pl.col("started_at") - pl.col("_ended_at")).dt.total_seconds()
    same = pl.col("family") == pl.col("_family")
    away = metres_apart(
        pl.col("longitude"), pl.col("latitude"), pl.col("_longitude"), pl.col("_latitude")
    )
    off = pl.sum_horizontal(
        pl.col(name).fill_null(UNKNOWN_ACCURACY_M) for name in ("accuracy_m", "_accuracy_m")
    )
    measured = legs.with_columns(
        gap_s=pl.when(~(same & (gap < 0)).fill_null(value=False)).then(gap),
        way_m=(away - off).clip(lower_bound=0),
    )
    hours = pl.col("gap_s").clip(lower_bound=1) / 3600
    return {
        "visit_leg": measured.select(
            "visit_id",
            "enumerator_id",
            "region_code",
            "gap_s",
            "way_m",
            previous_visit_id="_visit_id",
            speed_kmh=pl.col("way_m") / 1000 / hours,
        )
    }


ESTIMATE = Estimate(
    makes=("visit_leg",),
    needs=("visit", "unit"),
    selects={"visits": VISITS},
    make=visit_legs,
)
