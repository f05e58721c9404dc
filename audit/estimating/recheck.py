"""What the post-enumeration quality check (事后质量抽查) found: blocks, standards, regions.

A unit counts once, however many indicators were asked of it. A missed unit has no identifier: its
rows are told by name and indicator, and a name that comes again with the same indicator, or with
none, is another unit, for households bear generic names. Missed (漏报) is a share of the units that
are there; listed falsely (虚报), a duplicate included, is a share of the units that the census has.
The unit error counts both (单位差错数 = 漏报 + 虚报); the item error is wrong values by values
asked, by the team's verdict, which knows rounding.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import special

from audit.estimating.design import jeffreys, share
from audit.estimating.dual_system import dual_system
from audit.estimating.model import Estimate, Frames
from audit.shrinkage import ROOT_STRENGTH, BetaPrior, fit_tree, own_low

EARLY = 0.8
"""Confidence of the bounds of a block, and of the rate of a region that the teams are sent to."""
STANDARD = 0.95
"""Confidence of each bound of the rates that the standard is about."""
LEVELS = (12, 9, 6, 4)
"""Digits of a village, a township, a county, a city."""

TALLY = """
SELECT block_id, unit_kind, COUNT(*) AS n_checked, SUM(missed) AS n_missed,
  SUM(surplus) AS n_surplus
FROM (
  SELECT block_id, unit_kind,
    MAX(CASE WHEN result = '2' THEN 1 ELSE 0 END) AS missed,
    MAX(CASE WHEN result IN ('3', '5') THEN 1 ELSE 0 END) AS surplus
  FROM (
    SELECT block_id, unit_kind, result, COALESCE(unit_id, name, recheck_id) AS unit_key,
      CASE WHEN unit_id IS NULL THEN ROW_NUMBER() OVER (
        PARTITION BY block_id, unit_kind, unit_id, COALESCE(name, recheck_id), indicator
        ORDER BY recheck_id) ELSE 0 END AS place
    FROM recheck
  ) AS r
  GROUP BY block_id, unit_kind, unit_key, place
) AS u
GROUP BY block_id, unit_kind"""

LISTED = """
SELECT u.region_code || u.block_code AS block_id, u.unit_kind, COUNT(*) AS n_census
FROM unit AS u
JOIN (SELECT block_id FROM recheck GROUP BY block_id) AS b
  ON b.block_id = u.region_code || u.block_code
GROUP BY u.region_code || u.block_code, u.unit_kind"""

ITEMS = """
SELECT block_id, COUNT(*) AS n_items, SUM(CASE WHEN result = '4' THEN 1 ELSE 0 END) AS n_wrong
FROM recheck WHERE result = '4' OR (result = '1' AND indicator IS NOT NULL) GROUP BY block_id"""

FRAME = """
SELECT LEFT(region_code, 6) AS county, COUNT(*) AS n_blocks FROM census_block
GROUP BY LEFT(region_code, 6)"""

REVENUE = """
SELECT region_code, SUM(revenue_kyuan) AS revenue_kyuan FROM unit
WHERE region_code IS NOT NULL GROUP BY region_code"""


def _ratio(top: str, bottom: pl.Expr) -> pl.Expr:
    return pl.when(bottom > 0).then(pl.col(top) / bottom)


def _bounded(frame: pl.DataFrame, top: str, bottom: pl.Expr, name: str) -> pl.DataFrame:
    """Add a rate and its two bounds; a block whose units were all rechecked leaves no doubt."""
    size = frame.select(bottom.cast(pl.Float64)).to_series().to_numpy()
    low, high = jeffreys(frame[top].cast(pl.Float64).to_numpy(), size, EARLY)
    rate, whole = _ratio(top, bottom), pl.col("n_unchecked") == 0
    seen = bottom > 0
    return frame.with_columns(
        rate.alias(name),
        pl.when(whole).then(rate).otherwise(pl.when(seen).then(pl.lit(pl.Series(low))))
        .alias(f"{name}_low"),
        pl.when(whole).then(rate).otherwise(pl.when(seen).then(pl.lit(pl.Series(high))))
        .alias(f"{name}_high"),
    )  # fmt: skip


def blocks(tally: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Return the missed and falsely listed shares of each rechecked block and kind of unit."""
    found = tally.join(listed, on=["block_id", "kind"], how="left").sort("block_id", "kind")
    checked, missed, surplus = (pl.col(f"n_{n}") for n in ("checked", "missed", "surplus"))
    census = pl.col("n_census").fill_null(0)
    counted = found.with_columns(
        region_code=pl.col("block_id").str.slice(0, 12),
        n_census=census,
        n_unchecked=(census - (checked - missed)).clip(lower_bound=0),
    )
    omitted = _bounded(counted, "n_missed", checked - surplus, "omission")
    return _bounded(omitted, "n_surplus", checked - missed, "surplus")


def _sample(tally: pl.DataFrame, items: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return hits and size of both measures by block, with the weight of its county's sample."""
    units = tally.group_by("block_id").agg(
        hits=(pl.col("n_missed") + pl.col("n_surplus")).sum(), size=pl.col("n_checked").sum()
    )
    asked = units.select("block_id").join(items, on="block_id", how="left")
    both = pl.concat(
        [
            units.with_columns(measure=pl.lit("unit")),
            asked.select(
                "block_id",
                hits=pl.col("n_wrong").fill_null(0),
                size=pl.col("n_items").fill_null(0),
                measure=pl.lit("item"),
            ),
        ],
        how="vertical_relaxed",
    ).with_columns(stratum=pl.col("block_id").str.slice(0, 6))
    taken = pl.col("block_id").n_unique().over("stratum")
    there = pl.max_horizontal(pl.col("n_blocks").fill_null(0), taken)
    weighted = both.join(frame, left_on="stratum", right_on="county", how="left").with_columns(
        weight=there / taken, fraction=taken / there
    )
    return weighted.sort("block_id", "measure")


def rates(tally: pl.DataFrame, items: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return unit and item error of the city and of each county with rechecked blocks."""
    sample = _sample(tally, items, frame)
    rows = []
    for digits in LEVELS[2:]:
        level = sample.with_columns(region_code=pl.col("block_id").str.slice(0, digits))
        for (code, measure), part in sorted(
            level.partition_by("region_code", "measure", as_dict=True).items()
        ):
            found = share(part, STANDARD)
            rows.append(
                {
                    "region_code": str(code).ljust(12, "0"),
                    "measure": measure,
                    "n_blocks": part.height,
                    "n_checked": part["size"].sum(),
                    "n_errors": part["hits"].sum(),
                    "rate": found and found.rate,
                    "rate_low": found and found.low,
                    "rate_high": found and found.high,
                    "standard_error": found and found.error,
                    "design_effect": found and found.effect,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _tree(tally: pl.DataFrame) -> pl.DataFrame:
    """Return units and errors of all regions above the blocks, with the code of the parent."""
    levels = [
        tally.group_by(region_code=pl.col("block_id").str.slice(0, digits)).agg(
            pl.col("n_checked").sum(), n_errors=(pl.col("n_missed") + pl.col("n_surplus")).sum()
        ).with_columns(parent=pl.col("region_code").str.slice(0, above))
        for digits, above in zip(LEVELS, (*LEVELS[1:], 0), strict=True)
    ]  # fmt: skip
    return pl.concat(levels).sort("region_code")


def _shrunk(tally: pl.DataFrame) -> pl.DataFrame:
    tree = _tree(tally)
    codes = tree["region_code"].to_list()
    place = {code: i for i, code in enumerate(codes)}
    parents = np.array([place.get(code, -1) for code in tree["parent"]], dtype=np.int64)
    units = tree["n_checked"].cast(pl.Int64).to_numpy()
    errors = tree["n_errors"].cast(pl.Int64).to_numpy()
    top = parents < 0
    mean = (float(errors[top].sum()) + 0.5) / (float(units[top].sum()) + 1.0)
    prior = BetaPrior(ROOT_STRENGTH * mean, ROOT_STRENGTH * (1 - mean))
    a, b = fit_tree(parents, errors, units, prior)
    a, b = a + errors, b + units - errors
    return tree.select(
        "region_code",
        "n_checked",
        "n_errors",
        rate=pl.Series(a / (a + b)),
        rate_low=pl.Series(special.betaincinv(a, b, 1 - EARLY)),
        own_low=pl.Series(own_low(errors, units, 1 - EARLY)),
    )


def regions(tally: pl.DataFrame, revenue: pl.DataFrame) -> pl.DataFrame:
    """Return the shrunk unit error of each region with rechecked blocks, and its revenue."""
    kinds = [
        _shrunk(part).with_columns(kind=pl.lit(kind))
        for (kind,), part in sorted(tally.partition_by("kind", as_dict=True).items())
    ]
    money = pl.concat(
        revenue.group_by(region_code=pl.col("region_code").str.slice(0, digits)).agg(
            pl.col("revenue_kyuan").sum()
        )
        for digits in LEVELS
    )
    city = pl.col("region_code").str.slice(0, LEVELS[-1])
    within = money.select(city=pl.col("region_code"), whole=pl.col("revenue_kyuan"))
    found = pl.concat(kinds).join(money, on="region_code", how="left").with_columns(city=city)
    return (
        found.join(within, on="city", how="left")
        .with_columns(
            region_code=pl.col("region_code").str.pad_end(12, "0"),
            revenue_share=_ratio("revenue_kyuan", pl.col("whole")),
        )
        .drop("city", "whole")
    )


def _kinds(frame: pl.DataFrame) -> pl.DataFrame:
    """Return counts by block and the two kinds that have a limit of their own."""
    households = pl.col("unit_kind") == "3"
    kind = pl.when(households).then(pl.lit("self_employed")).otherwise(pl.lit("units"))
    return frame.group_by("block_id", kind.alias("kind")).agg(pl.exclude("unit_kind").sum())


def recheck(frames: Frames) -> Frames:
    """Return the tables of the quality check from its tallies; columns as in the contract."""
    by_kind = frames["tally"].with_columns(
        pl.col("n_checked", "n_missed", "n_surplus").cast(pl.Int64)
    )
    items = frames["items"].with_columns(pl.col("n_items", "n_wrong").cast(pl.Int64))
    tally = _kinds(by_kind)
    return {
        "recheck_block": blocks(tally, _kinds(frames["listed"])),
        "recheck_rate": rates(tally, items, frames["frame"]),
        "recheck_region": regions(tally, frames["revenue"]),
        "dual_system": dual_system(by_kind, frames["listed"]),
    }


ESTIMATE = Estimate(
    makes=("recheck_block", "recheck_rate", "recheck_region", "dual_system"),
    needs=("recheck",),
    uses=("unit", "census_block"),
    selects={
        "tally": TALLY, "listed": LISTED, "items": ITEMS, "frame": FRAME, "revenue": REVENUE,
    },
    make=recheck,
)  # fmt: skip
