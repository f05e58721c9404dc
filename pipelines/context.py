"""What the stages of a night share: where to read and write, the engine, the settings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from pipelines.config import RunConfig
from pipelines.contents import Contents
from pipelines.parts import Store

LOG = logging.getLogger("census_audit")


class Progress(Protocol):
    """A bar for one long stage."""

    def start(self, zh: str, en: str, total: int) -> None:
        """Begin a stage of `total` steps."""

    def advance(self, steps: int = 1) -> None:
        """Tell that steps are done."""

    def stop(self) -> None:
        """End the stage."""


class NoProgress:
    """Shows nothing: for tests and for output that is not a terminal."""

    def start(self, zh: str, en: str, total: int) -> None:
        """Begin nothing."""

    def advance(self, steps: int = 1) -> None:
        """Count nothing."""

    def stop(self) -> None:
        """End nothing."""


@dataclass(slots=True, kw_only=True)
class RunContext:
    """One night: its folders, its engine, its settings.

    `store` holds the rows of files as last read; without one, every file is read.
    `contents_tonight` tells what tables hold, once intake has settled its parts. `contents`: by
    published table, the digest of what its Parquet file holds, where that is known.
    """

    input_dir: Path
    run_dir: Path
    state_dir: Path
    engine: DuckDBEngine
    config: RunConfig
    info: RunInfo
    progress: Progress = field(default_factory=NoProgress)
    store: Store | None = None
    contents_tonight: Contents | None = None
    contents: dict[str, str] = field(default_factory=dict)


@contextmanager
def bar(progress: Progress, zh: str, en: str, total: int) -> Iterator[Progress]:
    """Show a bar while a stage runs, and take it away also when the stage fails."""
    progress.start(zh, en, total)
    try:
        yield progress
    finally:
        progress.stop()
