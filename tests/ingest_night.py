"""Small deliveries, written and taken in by the tests of ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from pipelines import ingest
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.ingest import IngestSummary

CODE = "92430407481415820B"
HEADER = "填报单位标识,经营地区划代码,户名,统一社会信用代码,从业人员数,营业收入(千元)"
GOOD = "S1,430405010002,甲店,92430407481415820B,3,418"
INFO = RunInfo(
    run_id="r1", started_at="", engine="", code_version="", rulebook_digest="", input_digest=""
)
Files = dict[str, str | bytes]


def context(engine: DuckDBEngine, folder: Path, config: RunConfig | None = None) -> RunContext:
    return RunContext(
        input_dir=folder,
        run_dir=folder,
        state_dir=folder,
        engine=engine,
        config=config or RunConfig(),
        info=INFO,
    )


def night(
    engine: DuckDBEngine, folder: Path, files: Files, config: RunConfig | None = None
) -> IngestSummary:
    """Write a delivery and take it in."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ingest.run(context(engine, folder, config))


def households(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def refused(engine: DuckDBEngine, columns: str = "file, row, line, reason") -> list[Any]:
    return engine.rows(f"SELECT {columns} FROM census.rejected_row ORDER BY file, row")
