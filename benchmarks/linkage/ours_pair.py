"""Link field records to a register, one to one.

`python -m benchmarks.linkage.ours_pair FOLDER OUT`. FOLDER holds field.parquet,
register.parquet and regions.parquet. OUT gets links.parquet and spent.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from audit.matching.registers import Side, match_registers
from benchmarks.linkage.ours import Clock, features_of


def main() -> None:
    """Run and measure."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    records = [pl.read_parquet(folder / f"{name}.parquet") for name in ("field", "register")]
    left, right = (
        Side(records=one, features=parsed)
        for one, parsed in zip(records, features_of(folder, *records), strict=True)
    )
    clock.lap("read and parse")
    found = match_registers(left, right)
    clock.lap("match")
    found.links.write_parquet(out / "links.parquet")
    found.quality.write_parquet(out / "quality.parquet")
    clock.lap("write")
    clock.write(out / "spent.json")


if __name__ == "__main__":
    main()
