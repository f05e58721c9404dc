"""Deliveries of two counties, and intake and gate of a night without the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deliveries import Night
from ingest_night import context
from tiny import entity, write_csv

from audit.engines.duckdb import DuckDBEngine
from audit.gate import GateSettings
from audit.night import create_outputs, create_reference
from pipelines import gate, gate_worker, ingest
from pipelines.config import RunConfig

OWN = RunConfig(gate=GateSettings(judge="own"))
EAST, WEST = "430421100013", "430422100013"


def units(region: str, count: int, **changes: str) -> list[dict[str, str]]:
    return [
        entity(unit_id=f"{region[:6]}-{n}", region_code=region, **changes) for n in range(count)
    ]


def deliver(folder: Path, east: list[dict[str, str]], west: list[dict[str, str]]) -> Path:
    write_csv(folder / "legal_entity_east.csv", east)
    if west:
        write_csv(folder / "legal_entity_west.csv", west)
    return folder


@dataclass(frozen=True, slots=True)
class Judged:
    """What intake and gate of a night gave, without the rest of it."""

    summary: gate.GateSummary
    tables: dict[str, pl.DataFrame]

    def table(self, sql: str) -> pl.DataFrame:
        return pl.SQLContext(self.tables, eager=True).execute(sql.replace("audit.", ""))


def judge(delivery: Path, out: Path, config: RunConfig = OWN) -> Judged:
    """Run intake and gate alone, and leave the verdicts where the next night looks for them."""
    out.mkdir(exist_ok=True)
    with DuckDBEngine() as engine:
        ctx = context(engine, delivery, config)
        ctx.run_dir, ctx.state_dir = out, out / "state"
        create_outputs(engine)
        create_reference(engine)
        ingest.run(ctx)
        begun = gate.begin(ctx)
        try:
            summary = gate.finish(ctx, begun, collect=True)
        finally:
            gate_worker.stop(begun.worker)
        published = out / gate.LAST
        published.parent.mkdir(parents=True, exist_ok=True)
        published.unlink(missing_ok=True)
        engine.write("audit.gate", published)
        tables = {
            name: pl.DataFrame(pl.from_arrow(engine.fetch(f"SELECT * FROM audit.{name}")))
            for name in ("gate", "gate_check")
        }
    return Judged(summary, tables)


def verdicts(night: Night | Judged) -> dict[str, str]:
    rows = night.table(
        "SELECT region_code, verdict FROM audit.gate WHERE table_name = 'legal_entity'"
    )
    return dict(rows.rows())
