"""Two files to link: a register, and field records of which nine in ten are in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.firms import pools
from benchmarks.firms.damage import damage_parts, damage_texts, start
from benchmarks.firms.make import CHUNK
from benchmarks.firms.places import region_list
from benchmarks.firms.render import MATCHER_COLUMNS, own_org_codes, write_columns
from benchmarks.firms.units import TABLES, Options, make_units
from sample_data.draws import Draw

OVERLAP = 0.9


def make_pair(options: Options) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return field records, register records (`options.records` each) and true pairs.

    Every field record is a copy under damage; pairs: left_id (field), right_id (register).
    """
    n = options.records
    units = n + round(n * (1 - OVERLAP))
    if units > CHUNK * 2:
        raise ValueError("at most 1.8 million records a side")
    draw = Draw(options.seed, "pairs")
    parts = make_units(options, units, 0)
    frame = parts.frame().with_columns(
        unit=pl.Series(np.arange(units)),
        table_name=pl.Series(TABLES).gather(parts.kind),
    )
    frame = frame.with_columns(org_code=own_org_codes(draw, frame))
    order = draw.rng.permutation(units)
    province = pools.WORDS[options.words].province
    register = write_columns(frame[order[:n]], province)
    copies = start(frame[draw.rng.permutation(order[units - n :])], draw, options)
    damage_parts(copies)
    copies.frame = write_columns(copies.frame, province)
    damage_texts(copies)
    number = pl.Series(np.arange(n)).cast(pl.String).str.zfill(9)
    field = copies.frame.with_columns(record_id="f" + number)
    register = register.with_columns(
        record_id="market|r" + number, table_name=pl.lit("register_unit")
    )
    pairs = field.join(register, on="unit", suffix="_r")
    return (
        field.select(MATCHER_COLUMNS),
        register.select(MATCHER_COLUMNS),
        pairs.select(left_id="record_id", right_id="record_id_r").sort("left_id"),
    )


def write_pair(options: Options, folder: Path) -> None:
    """Write field.parquet, register.parquet, pairs.parquet and regions.parquet into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(("field", "register", "pairs"), make_pair(options), strict=True):
        frame.write_parquet(folder / f"{name}.parquet")
    regions = region_list(pools.WORDS[options.words], options.city)
    regions.write_parquet(folder / "regions.parquet")
