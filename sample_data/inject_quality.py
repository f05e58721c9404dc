"""Planted results of the quality check: family PES. The census itself stays as it is."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.plot import Plot

SPOKEN_OF = {"PES002": (6, 4), "PES003": (12, 9, 6), "PES004": (6,)}
"""Digits of the regions that each rule speaks of: village 12, township 9, county 6, city 4."""


def _block(plot: Plot, number: int) -> pl.DataFrame:
    """Return the recheck records of one block; the largest has the number 0."""
    sizes = plot["recheck"].filter(pl.col("unit_id").is_not_null()).group_by("block_id").len()
    order = sizes.sort("len", "block_id", descending=[True, False])["block_id"]
    return plot["recheck"].filter(pl.col("block_id") == order[number % len(order)])


def _missed(plot: Plot, block: pl.DataFrame, household: bool, share: float) -> None:
    """Add units that the census has not: a share of those that it has, and two more."""
    households = pl.col("unit_kind") == "3"
    like = block.filter((households if household else ~households) & (pl.col("result") == "1"))
    rows = like.head(round(share * like.height) + 2)
    kind = "户" if household else "单位"
    number = f"{plot.rule}-{kind}"
    first = plot["recheck"].filter(pl.col("recheck_id").str.starts_with(number)).height
    place = digits(np.arange(first, first + rows.height), 2)
    plot.append(
        "recheck",
        rows.with_columns(
            recheck_id=join_text(number, place),
            unit_id=pl.lit(None, dtype=pl.String),
            name=join_text(f"漏登{kind}", place, "经营部"),
            result=pl.lit("2"),
            indicator=pl.lit(None, dtype=pl.String),
            census_value=pl.lit(None, dtype=pl.Float64),
            recheck_value=pl.lit(None, dtype=pl.Float64),
        ),
    )


def _set(plot: Plot, rows: pl.DataFrame, column: str, values: pl.Series | str) -> None:
    plot.assign("recheck", column, rows["recheck_id"], values, key="recheck_id")


def _region(block: pl.DataFrame, length: int) -> pl.Series:
    return block["block_id"].head(1).str.slice(0, length).str.pad_end(12, "0")


def _also(plot: Plot, block: pl.DataFrame, *, over: bool = True) -> None:
    """The block, its county and what is around it stand out as well."""
    if over and plot.rule != "PES001":
        plot.note(block["block_id"].head(1), rule="PES001", kind="consequence")
    if over:
        plot.note(_region(block, 6), rule="PES002", kind="consequence")
    for rule, lengths in SPOKEN_OF.items():
        plot.also(pl.concat([_region(block, length) for length in lengths]), "possible", (rule,))


def pes001(plot: Plot) -> None:
    """A block where 3 % of the units and 5 % of the households and more were missed."""
    block = _block(plot, 0)
    _missed(plot, block, household=False, share=0.05)
    _missed(plot, block, household=True, share=0.07)
    plot.note(block["block_id"].head(1), note="units and households missed")
    _also(plot, block)


def pes002(plot: Plot) -> None:
    """A county where more than 1 % of the values asked are wrong."""
    block = _block(plot, 0)
    asked = block.filter(pl.col("indicator").is_not_null() & (pl.col("result") == "1"))
    wrong = asked.head(max(3, asked.height // 10))
    _set(plot, wrong, "result", "4")
    _set(plot, wrong, "recheck_value", wrong["census_value"] * 2 + 3)
    plot.note(_region(block, 6), note="wrong values")
    _also(plot, block, over=False)


def pes003(plot: Plot) -> None:
    """A village where two units in five do not exist."""
    block = _block(plot, 1)
    units = block.filter((pl.col("unit_kind") != "3") & (pl.col("result") == "1"))
    _set(plot, units.head(2 * units.height // 5), "result", "3")
    plot.note(_region(block, 12), note="units that do not exist")
    _also(plot, block)


def pes004(plot: Plot) -> None:
    """A county where two households in five were missed."""
    block = _block(plot, 2)
    _missed(plot, block, household=True, share=0.4)
    plot.note(_region(block, 6), note="households missed")
    _also(plot, block)


PLANTERS = {"PES001": pes001, "PES002": pes002, "PES003": pes003, "PES004": pes004}
