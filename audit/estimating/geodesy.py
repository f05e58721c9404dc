"""Distances on the ground, in metres, between positions in degrees (WGS 84).

Plane distances about the point asked for: within 20 km the error is below a thousandth, which is
less than any receiver's.
"""

from __future__ import annotations

import polars as pl

from audit.derive import METRES_PER_DEGREE

_RING = r"[-0-9.]+\s+[-0-9.]+"


def metres_apart(
    longitude: pl.Expr, latitude: pl.Expr, other_longitude: pl.Expr, other_latitude: pl.Expr
) -> pl.Expr:
    """Return the distance of two positions in metres; NULL where a coordinate is missing."""
    width = ((latitude + other_latitude) / 2).radians().cos()
    east = (longitude - other_longitude) * width
    north = latitude - other_latitude
    return (east**2 + north**2).sqrt() * METRES_PER_DEGREE


def edges(areas: pl.DataFrame) -> pl.DataFrame:
    """Return the edges of polygons: block_id, and two ends x1, y1, x2, y2 in degrees.

    `areas`: block_id, boundary_wkt (POLYGON or MULTIPOLYGON, longitude first). Rings of fewer than
    three corners and texts that are no polygon give nothing; an open ring is closed.
    """
    rings = (
        areas.drop_nulls("boundary_wkt")
        .filter(pl.col("boundary_wkt").str.contains(r"(?i)^\s*(SRID=\d+;)?\s*(MULTI)?POLYGON"))
        .select("block_id", ring=pl.col("boundary_wkt").str.split(")"))
        .explode("ring")
        .select("block_id", corners=pl.col("ring").str.extract_all(_RING))
        .filter(pl.col("corners").list.len() >= 3)
        .with_row_index("ring")
        .explode("corners")
    )
    pair = pl.col("corners").str.split_exact(" ", 1)
    corners = rings.select(
        "ring",
        "block_id",
        x1=pair.struct.field("field_0").cast(pl.Float64, strict=False),
        y1=pair.struct.field("field_1").str.strip_chars().cast(pl.Float64, strict=False),
    )
    return corners.with_columns(
        x2=pl.col("x1").shift(-1).over("ring").fill_null(pl.col("x1").first().over("ring")),
        y2=pl.col("y1").shift(-1).over("ring").fill_null(pl.col("y1").first().over("ring")),
    ).select("block_id", "x1", "y1", "x2", "y2")


def _to_edge() -> pl.Expr:
    """Return the distance of the origin to the edge (ax, ay)-(bx, by)."""
    along_x, along_y = pl.col("bx") - pl.col("ax"), pl.col("by") - pl.col("ay")
    length = along_x**2 + along_y**2
    part = -(pl.col("ax") * along_x + pl.col("ay") * along_y) / length
    place = pl.when(length > 0).then(part.clip(0, 1)).otherwise(0.0)
    return ((pl.col("ax") + place * along_x) ** 2 + (pl.col("ay") + place * along_y) ** 2).sqrt()


def _crosses() -> pl.Expr:
    """Return whether a ray from the origin to the east crosses the edge (even-odd rule)."""
    ax, ay, bx, by = (pl.col(name) for name in ("ax", "ay", "bx", "by"))
    return ((ay > 0) != (by > 0)) & (ax - ay * (bx - ax) / (by - ay) > 0)


def outside_by(points: pl.DataFrame, borders: pl.DataFrame) -> pl.DataFrame:
    """Return visit_id and `outside_m`: metres from the point to its block, 0 inside.

    `points`: visit_id, block_id, longitude, latitude; `borders`: see `edges`. Points of a block
    without edges are left out. Holes count as outside.
    """
    joined = points.join(borders, on="block_id", how="inner")
    width = METRES_PER_DEGREE * pl.col("latitude").radians().cos()
    local = joined.select(
        "visit_id",
        ax=(pl.col("x1") - pl.col("longitude")) * width,
        ay=(pl.col("y1") - pl.col("latitude")) * METRES_PER_DEGREE,
        bx=(pl.col("x2") - pl.col("longitude")) * width,
        by=(pl.col("y2") - pl.col("latitude")) * METRES_PER_DEGREE,
    )
    found = local.group_by("visit_id").agg(
        nearest=_to_edge().min(), inside=_crosses().sum() % 2 == 1
    )
    return found.select(
        "visit_id", outside_m=pl.when("inside").then(0.0).otherwise(pl.col("nearest"))
    )
