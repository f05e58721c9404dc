"""Write cities as one delivery: `python -m benchmarks.cities.make DIR --cities 10 --units 45000`.

One city is in memory at a time. Its files are Parquet, one a table.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.cities.transform import SALT, Trail, make_city, moved
from sample_data import generate, inject

ERROR_RATE = 0.02
FIRST_SEED = 2018


def write_cities(folder: Path, cities: int, units: int) -> int:
    """Write `cities` cities of `units` legal entities each into `folder`; return the rows.

    The salt of the confidential digests stands beside it, in `<folder>_salt.txt`.
    """
    folder.mkdir(parents=True)
    folder.with_name(f"{folder.name}_salt.txt").write_text(SALT + "\n", encoding="utf-8")
    trail, rows = Trail(), 0
    for number in range(cities):
        seed = FIRST_SEED + number
        made, _ = inject(generate(units, seed), seed, ERROR_RATE)
        city = make_city(number, seed, made["region"])
        for name, frame in moved(made, city, trail).items():
            frame.write_parquet(folder / f"{name}_{city.prefix}.parquet", compression="zstd")
            rows += frame.height
    return rows


def main() -> None:
    """Write the delivery and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cities", type=int, default=10)
    parser.add_argument("--units", type=int, default=45_000)
    args = parser.parse_args()
    sys.stdout.write(f"{write_cities(args.folder, args.cities, args.units)}\n")


if __name__ == "__main__":
    main()
