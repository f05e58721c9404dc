"""Intake and links of a night, without the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ingest_night import context

from audit.engines.duckdb import DuckDBEngine
from audit.night import create_outputs, create_reference
from pipelines import ingest, link
from pipelines.config import RunConfig
from reports.matching import Matching


@dataclass(frozen=True, slots=True)
class Linked:
    """What the link stage left behind."""

    engine: DuckDBEngine
    summary: Matching

    def table(self, sql: str) -> pl.DataFrame:
        return pl.DataFrame(pl.from_arrow(self.engine.fetch(sql)))


@contextmanager
def linked(delivery: Path, state: Path, config: RunConfig | None = None) -> Iterator[Linked]:
    """Take in a delivery and link it with what `state` keeps, whatever the last run published."""
    state.mkdir(parents=True, exist_ok=True)
    with DuckDBEngine() as engine:
        ctx = context(engine, delivery, config)
        ctx.state_dir = state
        create_outputs(engine)
        create_reference(engine)
        ingest.run(ctx)
        yield Linked(engine, link.run(ctx))
