"""Measure the intake of one GB18030 file beside DuckDB's own reader on the same rows in UTF-8.

`make bench` writes `benchmarks/INTAKE.md` and `benchmarks/results/intake-<date>.json`. Three ways,
two threads each, the least wall time of a few runs:

- DuckDB: CREATE TABLE AS SELECT from the UTF-8 file with the contract's types, into a database
  file, with a checkpoint;
- checked (ours, the GB18030 file): decoded, split, normalised, typed, each bad, missing or broken
  value refused, up to typed batches in memory;
- stored (ours): the same, and derived columns, the typed table, the table of the delivered text,
  into a database file, with a checkpoint.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audit.contracts import CONTRACT, DUCKDB_TYPES
from audit.engines.duckdb import DuckDBEngine
from pipelines import ingest
from pipelines.confidential import Confidential
from pipelines.loading import Loader, check, normal_texts
from pipelines.readers.ahead import ahead
from pipelines.readers.model import Source
from pipelines.readers.opening import open_source

HERE = Path(__file__).parent
ROWS = 500_000
REPEATS = 3
CELLS = {
    "unit_id": "S{n}",
    "region_code": "430405010002",
    "name": "衡阳市第{n}号小吃店",
    "operator": "王{n}",
    "industry_code": "6210",
    "employees": "{n}",
    "employees_female": "1",
    "revenue_kyuan": "{n}.5",
    "opened_ym": "201806",
    "source": "market",
    "register_id": "R{n}",
    "unit_kind": "1",
    "opened_on": "2016-03-04",
    "legal_rep": "李{n}",
    "address": "衡阳市蒸湘区解放大道{n}号",
}
SHAPES = ("self_employed", "register_unit")
PACKAGES = ("duckdb", "polars", "pyarrow")


def _write(folder: Path, table: str, rows: int) -> dict[str, Path]:
    columns = [c.name for c in CONTRACT.tables[table].columns]
    known = ",".join(CELLS.get(name, "") for name in columns)
    paths = {codec: folder / f"{table}_{codec}.csv" for codec in ("utf-8", "gb18030")}
    for codec, path in paths.items():
        with path.open("w", encoding=codec, newline="\n") as file:
            file.write(",".join(columns) + "\n")
            file.writelines(known.replace("{n}", str(n)) + "\n" for n in range(rows))
    return paths


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _best(work: Callable[[], tuple[float, float]]) -> dict[str, float]:
    """Return the quickest of a few runs: the others were disturbed."""
    wall, cpu = min(work() for _ in range(REPEATS))
    return {"wall": wall, "cpu": cpu}


def _theirs(table: str, path: Path) -> tuple[float, float]:
    columns = CONTRACT.tables[table].columns
    types = ", ".join(f"'{c.name}': '{DUCKDB_TYPES[c.type]}'" for c in columns)
    with tempfile.TemporaryDirectory() as name, DuckDBEngine(Path(name, "t.duckdb")) as engine:
        sql = f"SELECT * FROM read_csv('{path}', header=true, columns={{{types}}})"

        def work() -> None:
            engine.execute(f"CREATE TABLE census.{table} AS {sql}")
            engine.checkpoint()

        return _spent(work)


def _checked(table: str, path: Path, rows: int) -> tuple[float, float]:
    source = Source(file_no=1, file=path.name, path=path, table=table)

    def work() -> None:
        sound = sum(
            check(source, b, normal_texts(CONTRACT.tables[table], b)).sound.height
            for b in ahead(open_source(source).batches)
        )
        if sound != rows:
            raise SystemExit(f"{table}: only {sound} of {rows} rows are sound")

    return _spent(work)


def _stored(table: str, path: Path, rows: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name, DuckDBEngine(Path(name, "t.duckdb")) as engine:
        ingest.create_tables(engine)
        loader = Loader(engine, ingest.derive_lists(), Confidential())
        source = Source(file_no=1, file=path.name, path=path, table=table)

        def work() -> None:
            loader.load(source)
            engine.checkpoint()

        spent = _spent(work)
        loaded = engine.scalar(f"SELECT COUNT(*) FROM census.{table}")
        if loaded != rows:
            raise SystemExit(f"{table}: only {loaded} of {rows} rows loaded")
        return spent


def _measure(table: str, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        paths = _write(Path(name), table, rows)
        return {
            "file": table,
            "mb": paths["gb18030"].stat().st_size / 1e6,
            "duckdb": _best(lambda: _theirs(table, paths["utf-8"])),
            "checked": _best(lambda: _checked(table, paths["gb18030"], rows)),
            "stored": _best(lambda: _stored(table, paths["gb18030"], rows)),
        }


def _row(result: dict[str, Any], way: str) -> str:
    spent, theirs = result[way], result["duckdb"]
    cells = [result["file"], f"{result['mb']:.0f}", way, f"{spent['wall']:.2f}"]
    cells += [f"{spent['cpu']:.2f}", f"{theirs['wall'] / spent['wall']:.2f}"]
    cells.append(f"{theirs['cpu'] / spent['cpu']:.2f}")
    return "| " + " | ".join(cells) + " |"


def _page(result: dict[str, Any]) -> str:
    ways = str(__doc__).split("Three ways", 1)[1]
    lines = [
        "# Intake measured",
        "",
        f"{result['date']}, {result['machine']}; {result['versions']}.",
        f"{result['rows']} rows a file.",
        "",
        "Three ways" + ways.rstrip(),
        "",
        "| file | MB | way | wall s | CPU s | speed by wall, DuckDB = 1 | by CPU |",
        "| --- | ---: | --- " + "| ---: " * 4 + "|",
    ]
    for measured in result["files"]:
        lines += [_row(measured, way) for way in ("duckdb", "checked", "stored")]
    return "\n".join(lines) + "\n"


def main(rows: int = ROWS) -> None:
    """Measure, write the results and print the page."""
    result = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "rows": rows,
        "files": [_measure(table, rows) for table in SHAPES],
    }
    target = HERE / "results" / f"intake-{result['date']}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1), encoding="utf-8")
    page = _page(result)
    (HERE / "INTAKE.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
