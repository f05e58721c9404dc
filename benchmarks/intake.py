"""Measure the intake of one GB18030 file beside DuckDB's own reader on the same rows in UTF-8.

DuckDB's side is CREATE TABLE AS SELECT with the types of the contract, into a database file as
ours. Ours also normalises, checks, derives, and keeps the delivered text. Prints a table.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from audit.contracts import CONTRACT, DUCKDB_TYPES
from audit.engines.duckdb import DuckDBEngine
from pipelines import ingest
from pipelines.confidential import Confidential
from pipelines.loading import Loader
from pipelines.readers.model import Source

ROWS = 300_000
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


def _theirs(folder: Path, table: str, path: Path) -> tuple[float, float]:
    columns = CONTRACT.tables[table].columns
    types = ", ".join(f"'{c.name}': '{DUCKDB_TYPES[c.type]}'" for c in columns)
    with DuckDBEngine(folder / f"{table}_theirs.duckdb") as engine:
        sql = f"SELECT * FROM read_csv('{path}', header=true, columns={{{types}}})"

        def work() -> None:
            engine.execute(f"CREATE TABLE census.{table} AS {sql}")
            engine.checkpoint()

        return _spent(work)


def _ours(folder: Path, table: str, path: Path) -> tuple[float, float]:
    with DuckDBEngine(folder / f"{table}_ours.duckdb") as engine:
        ingest.create_tables(engine)
        loader = Loader(engine, ingest.derive_lists(), Confidential())
        source = Source(file_no=1, file=path.name, path=path, table=table)

        def work() -> None:
            report = loader.load(source)
            engine.checkpoint()
            loaded = engine.scalar(f"SELECT COUNT(*) FROM census.{table}")
            if report.rows_delivered != loaded:
                raise SystemExit(f"{table}: only {loaded} of {report.rows_delivered} rows loaded")

        return _spent(work)


def main(rows: int = ROWS) -> None:
    """Print wall and CPU seconds of both, and how fast ours is measured by theirs."""
    lines = ["| file | MB | DuckDB wall s | CPU s | ours wall s | CPU s | speed by wall | by CPU |"]
    lines.append("| --- " + "| ---: " * 7 + "|")
    for table in SHAPES:
        with tempfile.TemporaryDirectory() as name:
            paths = _write(Path(name), table, rows)
            theirs = _theirs(Path(name), table, paths["utf-8"])
            ours = _ours(Path(name), table, paths["gb18030"])
            size = paths["gb18030"].stat().st_size / 1e6
        cells = [f"{size:.0f}", *(f"{s:.2f}" for s in (*theirs, *ours))]
        cells += [f"{theirs[0] / ours[0]:.2f}", f"{theirs[1] / ours[1]:.2f}"]
        lines.append(f"| {table} | " + " | ".join(cells) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
