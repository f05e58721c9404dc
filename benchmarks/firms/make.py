"""Write records and their truth: `python -m benchmarks.firms.make --records 100000 --out DIR`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.firms import pools
from benchmarks.firms.damage import damage_parts, damage_texts, start
from benchmarks.firms.places import region_list
from benchmarks.firms.render import MATCHER_COLUMNS, own_org_codes, write_columns
from benchmarks.firms.units import TABLES, Options, make_units
from sample_data.draws import Draw, Ints, mask

CHUNK = 1_000_000
EXTRA_COPIES, EXTRA_SHARES = (1, 2, 3), (85.0, 11.0, 4.0)


def make(options: Options) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return records (the matcher's columns) and truth, in one order drawn at random.

    Truth: record_id, unit (number), copy (0 the original), kind of unit, damage (list of kinds).
    """
    sizes = [min(CHUNK, options.records - at) for at in range(0, options.records, CHUNK)]
    records, truths, first = [], [], 0
    for number, size in enumerate(sizes):
        record, truth, units = _chunk(options, size, number)
        records.append(record)
        truths.append(truth.with_columns(pl.col("unit") + first))
        first += units
    order = Draw(options.seed, "order").rng.permutation(options.records)
    ids = pl.Series(np.arange(options.records)).cast(pl.String).str.zfill(9)
    record = pl.concat(records)[order].with_columns(record_id="r" + ids)
    truth = pl.concat(truths)[order].with_columns(record_id="r" + ids)
    record = record.with_columns(_covered(options, record))
    return record.select(MATCHER_COLUMNS), truth.select(
        "record_id", "unit", "copy", "kind", "damage"
    )


def _covered(options: Options, records: pl.DataFrame) -> list[pl.Series]:
    if options.coverage >= 1.0:
        return []
    keep = Draw(options.seed, "coverage").chance(records.height, options.coverage)
    return [mask(records[c], keep) for c in ("credit_code", "org_code")]


def _copied(draw: Draw, units: int, copies: int) -> Ints:
    """Return the unit each copy is of: clusters of two to four records."""
    extra = np.array(EXTRA_COPIES)[draw.index(3, copies, EXTRA_SHARES)]
    return np.repeat(draw.rng.permutation(units)[:copies], extra)[:copies]


def _chunk(options: Options, size: int, number: int) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    draw = Draw(options.seed * 1000 + number, "copies")
    n_copies = round(size * options.copies)
    units = size - n_copies
    parts = make_units(options, units, number)
    frame = parts.frame().with_columns(
        unit=pl.Series(np.arange(units)),
        table_name=pl.Series(TABLES).gather(parts.kind),
    )
    frame = frame.with_columns(org_code=own_org_codes(draw, frame))
    province = pools.WORDS[options.words].province
    copies = start(frame[_copied(draw, units, n_copies)], draw, options)
    damage_parts(copies)
    copies.frame = write_columns(copies.frame, province)
    damage_texts(copies)
    again = copies.frame.with_columns(copy=pl.lit(1, pl.Int8), damage=copies.labels())
    whole = write_columns(frame, province).with_columns(
        copy=pl.lit(0, pl.Int8), damage=pl.lit([], pl.List(pl.String))
    )
    keep = [c for c in MATCHER_COLUMNS if c != "record_id"]
    records = pl.concat([whole.select(keep), again.select(keep)])
    truth_columns = ["unit", "copy", "kind", "damage"]
    return records, pl.concat([whole.select(truth_columns), again.select(truth_columns)]), units


def true_pairs(truth: pl.DataFrame) -> pl.DataFrame:
    """Return the true pairs left_id < right_id of a truth table."""
    several = truth.filter(pl.len().over("unit") > 1).select("record_id", "unit")
    return (
        several.join(several, on="unit", suffix="_right")
        .filter(pl.col("record_id") < pl.col("record_id_right"))
        .select(left_id="record_id", right_id="record_id_right")
        .sort("left_id", "right_id")
    )


def write(options: Options, folder: Path) -> None:
    """Write records.parquet, truth.parquet and regions.parquet into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    records, truth = make(options)
    records.write_parquet(folder / "records.parquet")
    truth.write_parquet(folder / "truth.parquet")
    regions = region_list(pools.WORDS[options.words], options.city)
    regions.write_parquet(folder / "regions.parquet")


def main() -> None:
    """Make the firms that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=float, default=0.05)
    parser.add_argument("--families", type=float, default=0.14)
    parser.add_argument("--no-branches", action="store_true")
    parser.add_argument("--coverage", type=float, default=1.0)
    parser.add_argument("--careless", action="store_true")
    parser.add_argument("--city", default=None)
    parser.add_argument("--words", default="main", choices=sorted(pools.WORDS))
    parser.add_argument("--out", type=Path, required=True)
    args = vars(parser.parse_args())
    folder, args["branches"] = args.pop("out"), not args.pop("no_branches")
    started = time.perf_counter()
    write(Options(**args), folder)
    print(f"{args['records']} records in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
