"""How far from its census block each visit was registered."""

from __future__ import annotations

import polars as pl

from audit.estimating.geodesy import edges, metres_apart, outside_by
from audit.estimating.model import Estimate, Frames

AT_ONCE = 100_000
"""Visits laid on boundaries at one time: bounds the memory, changes nothing else."""

VISITS = """
SELECT v.visit_id, v.unit_id, v.longitude, v.latitude, v.accuracy_m,
  u.region_code || u.block_code AS block_id
FROM visit AS v JOIN unit AS u ON u.unit_id = v.unit_id"""
BLOCKS = "SELECT block_id, longitude, latitude, radius_m, boundary_wkt FROM census_block"


def _by_boundary(located: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    borders = edges(blocks)
    bounded = located.join(borders.select("block_id").unique(), on="block_id", how="semi")
    parts = [outside_by(part, borders) for part in bounded.sort("block_id").iter_slices(AT_ONCE)]
    empty = pl.DataFrame(schema={"visit_id": pl.String, "outside_m": pl.Float64})
    return pl.concat([empty, *parts]).with_columns(measured_to=pl.lit("boundary"))


def _by_circle(located: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    centres = blocks.select(
        "block_id", "radius_m", centre_x=pl.col("longitude"), centre_y=pl.col("latitude")
    )
    away = metres_apart(
        pl.col("longitude"), pl.col("latitude"), pl.col("centre_x"), pl.col("centre_y")
    )
    return (
        located.join(centres.drop_nulls(), on="block_id", how="inner")
        .select("visit_id", outside_m=(away - pl.col("radius_m")).clip(lower_bound=0))
        .with_columns(measured_to=pl.lit("circle"))
    )


def visit_places(frames: Frames) -> Frames:
    """Return each visit's distance to the block of its unit, in metres; 0 inside.

    `visits`: visit_id, unit_id, longitude, latitude, accuracy_m, block_id; `blocks`: block_id,
    longitude, latitude, radius_m, boundary_wkt. By the boundary where there is a polygon, else by
    centre and radius; NULL without a position or without either.
    """
    visits, blocks = frames["visits"], frames["blocks"]
    located = visits.drop_nulls(["longitude", "latitude", "block_id"])
    exact = _by_boundary(located, blocks)
    rough = _by_circle(located.join(exact, on="visit_id", how="anti"), blocks)
    placed = visits.join(pl.concat([exact, rough]), on="visit_id", how="left")
    columns = ("visit_id", "unit_id", "block_id", "accuracy_m", "outside_m", "measured_to")
    return {"visit_place": placed.select(columns)}


ESTIMATE = Estimate(
    makes=("visit_place",),
    needs=("visit", "unit", "census_block"),
    selects={"visits": VISITS, "blocks": BLOCKS},
    make=visit_places,
)
