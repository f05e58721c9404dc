"""Signs of invented visits, one number a visit, and what is to be expected of comparable visits.

Signs after Bredl, Winker and Kötschau (2012), Survey Methodology 38(1), and Schwanhäuser, Sakshaug
and Kosyakova (2022), Public Opinion Quarterly: short time on site, equal answers, round values,
poor or equal positions, photographs, odd hours, later edits. None is proof.
"""

from __future__ import annotations

import math

import polars as pl

from audit.estimating.visit_volumes import area_kind

POOREST_FIX_M = 100
MANY_BUILDINGS = 3
WORK_FROM, WORK_TO = 7, 21
"""Hours of the day outside of which nobody is called on."""
LEAST_SPREAD, MOST_STEPS = 0.1, 4.0
"""Least spread of a log duration within a cell, and the steps of it that count at most."""

SIGNS = {
    "duration": "用时短",
    "match": "答案雷同",
    "heaping": "数值取整",
    "position": "定位差",
    "point": "同点多楼",
    "photo": "照片",
    "hours": "非常时段",
    "edits": "事后修改",
}
"""Name of each sign to its word in the finding."""


def _equal_answers() -> pl.Expr:
    """Return whether the enumerator has another unit of the same trade, head counts and revenue.

    Only units with revenue: zeros are alike by nature.
    """
    answers = ("enumerator_id", "industry_code", "employees", "employees_female", "revenue_kyuan")
    told = (pl.col("revenue_kyuan") > 0) & pl.col("employees").is_not_null()
    return pl.when(told).then(pl.col("unit_id").n_unique().over(answers) > 1)


def _round_value() -> pl.Expr:
    """Return whether the revenue ends in zero: tens below 100 thousand yuan, else hundreds."""
    value = pl.col("revenue_kyuan")
    return pl.when(value >= 100).then(value % 100 == 0).when(value >= 10).then(value % 10 == 0)


def _photo() -> pl.Expr:
    """Return whether there is no photograph, or one that another legal entity has as well."""
    holders = pl.col("family").n_unique().over("photo_hash")
    shared = pl.col("photo_hash").is_not_null() & (holders > 1)
    missing = pl.col("photo_hash").is_null() & (pl.col("photo_count") == 0)
    known = pl.col("photo_hash").is_not_null() | pl.col("photo_count").is_not_null()
    return pl.when(known).then(shared | missing.fill_null(value=False))


def _signs(has_edits: bool) -> dict[str, pl.Expr]:
    buildings = pl.col("building").n_unique().over("enumerator_id", "point_cell")
    hour = pl.col("started_at").dt.hour()
    located = pl.col("point_cell").is_not_null()
    return {
        "match": _equal_answers(),
        "heaping": _round_value(),
        "position": ~located | (pl.col("accuracy_m") > POOREST_FIX_M),
        "point": pl.when(located & pl.col("building").is_not_null()).then(
            buildings >= MANY_BUILDINGS
        ),
        "photo": _photo(),
        "hours": ~hour.is_between(WORK_FROM, WORK_TO - 1),
        "edits": pl.when(pl.lit(has_edits)).then(pl.col("edited")),
    }


def _shortness() -> pl.Expr:
    """Return how much shorter than its cell's median a visit was, in robust spreads of the log."""
    log = pl.col("duration_s").clip(lower_bound=1).cast(pl.Float64).log(math.e)
    away = log - log.median().over("cell")
    spread = 1.4826 * away.abs().median().over("cell")
    return (-away / spread.clip(lower_bound=LEAST_SPREAD)).clip(-MOST_STEPS, MOST_STEPS)


def signs_of(visits: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    """Return of each visit `area` and whose it is, and for each sign its value and what is usual.

    `visits`: see `enumerator_risk.VISITS`; `edits`: unit_id of units that their enumerator edited.
    Columns `<sign>`, `<sign>_mean` and `<sign>_var`; NULL where a visit says nothing. Means are
    those of the cell, area kind by household or unit, drawn a little towards a half.
    """
    edited = edits.select("unit_id", edited=pl.lit(value=True)).unique()
    placed = visits.join(edited, on="unit_id", how="left").with_columns(
        pl.col("edited").fill_null(value=False),
        area=area_kind(pl.col("region_code")).fill_null("unknown"),
    )
    placed = placed.with_columns(
        cell=pl.col("area")
        + pl.when(pl.col("unit_kind") == "3").then(pl.lit("|3")).otherwise(pl.lit("|1"))
    )
    signs = {name: sign.cast(pl.Float64) for name, sign in _signs(edits.height > 0).items()}
    # Only what is told goes on: sorting hundreds of thousands of rows of all columns takes as long.
    measured = placed.select(
        "visit_id", "enumerator_id", "region_code", "area", "cell", **signs, duration=_shortness()
    )
    mean = {name: (pl.col(name).sum() + 0.5) / (pl.col(name).count() + 1) for name in signs}
    usual = measured.group_by("cell").agg(
        *(value.alias(f"{name}_mean") for name, value in mean.items()),
        *((value * (1 - value)).alias(f"{name}_var") for name, value in mean.items()),
        duration_mean=pl.lit(0.0),
        duration_var=pl.lit(1.0),
    )
    # Sums of fractions follow the order of rows.
    return measured.sort("visit_id").join(usual, on="cell", maintain_order="left")
