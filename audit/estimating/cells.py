"""Cells of units that may be compared: the finest grouping that is large enough."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Levels = Mapping[str, list[pl.Expr]]
"""By name, from fine to coarse: the texts that make the key of a cell."""
BANDS = (8, 20, 100, 300)
"""Head counts at which a band of employees begins; the first band is below 8."""


def head_band(employees: pl.Expr) -> pl.Expr:
    """Return the band of a head count as text: `1` (below 8) to `5` (300 and more).

    Bands of heads and not the reported size class: that class follows revenue, so a wrong revenue
    would choose the cell that it is compared with.
    """
    band = pl.lit(1)
    for bound in BANDS:
        band += (employees >= bound).cast(pl.Int32)
    return band.cast(pl.String)


def industry_levels(*parts: str) -> dict[str, list[pl.Expr]]:
    """Return cells from class to section, then all; `parts` are columns that go with each level.

    Needs `industry_code` (four digits), `section` (a letter) and `specialty`, that of the industry:
    within a division estate developers and property managers have nothing in common. Division and
    section stand alone before the next wider industry is taken: figures differ more by industry
    than by size. The last level, `all`, is there for few units; it is a poor comparison.
    """
    extra = [pl.col(part) for part in parts]
    code = pl.col("industry_code")
    levels = {"class": [code, *extra], "group": [code.str.slice(0, 3), *extra]}
    for name, key in (("division", code.str.slice(0, 2)), ("section", pl.col("section"))):
        industry = [key, pl.col("specialty")]
        if extra:
            levels[f"{name}_size"] = [*industry, *extra]
        levels[name] = industry
    return levels | {"all": []}


def place(rows: pl.DataFrame, levels: Levels, fewest: int) -> pl.DataFrame:
    """Return the same rows with the finest cell that holds at least `fewest` of them.

    Adds for each level a column `_<level>` (text, the level and its keys joined by `|`; NULL where
    a key is unknown), `cell`, NULL where every cell of the row is too small, and `cell_level`.
    """
    keys = [
        pl.concat_str(pl.lit(level), *parts, separator="|").alias(f"_{level}")
        for level, parts in levels.items()
    ]
    choices = [
        pl.when(pl.col(f"_{level}").is_not_null() & (pl.len().over(f"_{level}") >= fewest)).then(
            pl.col(f"_{level}")
        )
        for level in levels
    ]
    placed = rows.with_columns(keys).with_columns(cell=pl.coalesce(choices))
    return placed.with_columns(cell_level=pl.col("cell").str.split("|").list.first())


def summaries(placed: pl.DataFrame, levels: Levels, *figures: pl.Expr) -> pl.DataFrame:
    """Return `cell` and the figures of every cell, made of all its rows.

    Rows that have a finer cell of their own count in the wider one as well.
    """
    parts = [placed.group_by(pl.col(f"_{level}").alias("cell")).agg(*figures) for level in levels]
    return pl.concat(parts).drop_nulls("cell")
