"""Rows into tables of the database, in a thread and in portions that it stores in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl

from audit.engines.duckdb import DuckDBEngine

PORTION = 122_880
"""Rows of a row group of DuckDB: fewer at a time are stored twice, first as they come, then
compressed when all is committed."""


def append(engine: DuckDBEngine, name: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table by column name."""
    if frame.height:
        # A column without a value is NULL unsaid, and texts need no copy in their newest form.
        filled = [c for c in frame.get_columns() if c.null_count() < frame.height]
        incoming = pl.DataFrame(filled).to_arrow(compat_level=pl.CompatLevel.newest())
        engine.append_table(name, incoming)


@dataclass(slots=True)
class Writer:
    """Takes frames for tables; one portion is written while the next is made."""

    engine: DuckDBEngine
    pool: ThreadPoolExecutor
    waiting: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    written: Future[None] | None = None

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Take rows for a table; what the writing of earlier ones raised is raised here."""
        self.waiting[name].append(frame)
        if sum(part.height for part in self.waiting[name]) >= PORTION:
            rows = self._take(name)
            whole = rows.height // PORTION * PORTION
            for start in range(0, whole, PORTION):
                self._submit(name, rows.slice(start, PORTION))
            self.waiting[name].append(rows.slice(whole))

    def _take(self, name: str) -> pl.DataFrame:
        # In one chunk: the database would give each to another thread, too small for a portion.
        return pl.concat(self.waiting.pop(name), how="vertical_relaxed", rechunk=True)

    def _submit(self, name: str, frame: pl.DataFrame) -> None:
        self.wait()
        self.written = self.pool.submit(append, self.engine, name, frame)

    def wait(self) -> None:
        """Wait until what was submitted is written."""
        if self.written is not None:
            self.written.result()

    def finish(self) -> None:
        """Write what is left."""
        for name in list(self.waiting):
            self._submit(name, self._take(name))
        self.wait()


@contextmanager
def writing(engine: DuckDBEngine) -> Iterator[Writer]:
    """Give a writer; at the end without an error all it took is written.

    Nothing else may use the engine meanwhile.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        writer = Writer(engine, pool)
        yield writer
        writer.finish()
