"""What the audit needs of a database engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa


class Engine(Protocol):
    """A database that runs rule SQL. Table names may carry a schema (`audit.finding`)."""

    name: str

    def unregister(self, name: str) -> None:
        """Forget a registered table."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable as `name` for this session, replacing an earlier one."""

    def columns(self, sql: str) -> list[str]:
        """Return the column names of a SELECT without running it."""

    def fetch(self, sql: str) -> pa.Table:
        """Run a SELECT and return all its rows."""

    def materialise(self, name: str, sql: str) -> int:
        """Create or replace a table from a SELECT; return its rows.

        A name without a schema is a scratch table of this session.
        """

    def append(self, name: str, sql: str) -> int:
        """Insert a SELECT into table `name` by column name; return the rows added."""

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""

    def tables(self) -> set[str]:
        """Return the names of all tables and views, written `schema.table`."""

    def write(self, name: str, path: Path, order: Sequence[str] = ()) -> None:
        """Write a table to a Parquet file, sorted by the columns of `order`."""

    def close(self) -> None:
        """Give the resources back."""
