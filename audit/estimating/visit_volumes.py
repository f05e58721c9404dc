"""Visits of each enumerator and day against comparable areas."""

from __future__ import annotations

import math

import polars as pl

from audit.estimating.model import Estimate, Frames

FEWEST_DAYS = 20
"""Days of work below which an area kind says little; all areas are then taken together."""
UPPER_QUARTILE_Z, UPPER_POINT_Z = 0.674490, 2.575829
"""The 75 % and the 99.5 % point of the normal distribution."""

VISITS = """
SELECT v.enumerator_id, v.visited_on, v.unit_id, u.region_code
FROM visit AS v LEFT JOIN unit AS u ON u.unit_id = v.unit_id
WHERE v.visited_on IS NOT NULL"""


def area_kind(region_code: pl.Expr) -> pl.Expr:
    """Return `village` or `community` by digits 10 to 12 of the region code; NULL if neither.

    Code rules of statistical regions: 001 to 199 and 400 to 499 are residents' committees and the
    like, 200 to 399 and 500 to 599 villagers' committees and the like.
    """
    number = region_code.str.slice(9, 3).cast(pl.Int64, strict=False)
    village = number.is_between(200, 399) | number.is_between(500, 599)
    community = number.is_between(1, 199) | number.is_between(400, 499)
    return pl.when(village).then(pl.lit("village")).when(community).then(pl.lit("community"))


def upper_point(counts: pl.Expr) -> pl.Expr:
    """Return the 99.5 % point of counts that are lognormal above their median.

    From median and upper quartile, so that up to a quarter of invented days do not raise it, as
    they would the empirical point.
    """
    median, quartile = counts.quantile(0.5, "linear"), counts.quantile(0.75, "linear")
    spread = (quartile.log(math.e) - median.log(math.e)) / UPPER_QUARTILE_Z
    return median * (spread * UPPER_POINT_Z).exp()


def visit_volumes(frames: Frames) -> Frames:
    """Return units visited by enumerator and day, and the 99.5 % point of comparable days.

    `visits`: enumerator_id, visited_on, unit_id, region_code. Several visits of a unit on one day
    count once. The area kind of a day is that of most of its units.
    """
    days = (
        frames["visits"]
        .with_columns(area=area_kind(pl.col("region_code")).fill_null("unknown"))
        .group_by("enumerator_id", "visited_on")
        .agg(
            n_units=pl.col("unit_id").n_unique().cast(pl.Int64),
            region_code=pl.col("region_code").min(),
            area=pl.col("area").sort().mode(maintain_order=True).first(),
        )
    )
    counts = pl.col("n_units").cast(pl.Float64)
    enough = pl.len().over("area") >= FEWEST_DAYS
    return {
        "enumerator_day": days.with_columns(
            stratum=pl.when(enough).then("area").otherwise(pl.lit("all")),
            n_days=pl.when(enough).then(pl.len().over("area")).otherwise(pl.len()),
            upper_point=pl.when(enough)
            .then(upper_point(counts).over("area"))
            .otherwise(upper_point(counts)),
        ).drop("area")
    }


ESTIMATE = Estimate(
    makes=("enumerator_day",),
    needs=("visit", "unit"),
    selects={"visits": VISITS},
    make=visit_volumes,
)
