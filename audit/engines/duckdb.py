"""DuckDB as the engine, and as the store of a night. The only module that imports duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from audit.errors import EngineError
from audit.quoting import quoted

SCHEMAS = ("census", "raw", "ref", "linkage", "estimate", "audit")
STORAGE_VERSION = "v1.5.0"
# From the first quotation mark to the last: a value may hold quotation marks and line breaks.
_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d.]*(e[+-]?\d+)?", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_STOPPED = "Query interrupted"
# These speak of statements, files and resources; all others may quote a unit's value.
_WITHOUT_VALUES = (
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
    duckdb.OperationalError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resources of one engine. `memory` as DuckDB writes it (`1200MB`)."""

    memory: str = "1200MB"
    threads: int = 2
    temp_directory: Path | None = None


def _quiet_config(limits: Limits) -> dict[str, str | bool | int | float | list[str]]:
    """Settings without which DuckDB would reach for the network or for foreign files."""
    return {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "temp_directory": str(limits.temp_directory or ""),
        "preserve_insertion_order": False,
    }


class DuckDBEngine:
    """One DuckDB database, in memory or in a file that older clients (1.5) can read."""

    name = "duckdb"

    def __init__(self, path: Path | None = None, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._con = duckdb.connect(":memory:", config=_quiet_config(limits))
        try:
            self._open(path)
        except duckdb.Error as error:
            self._con.close()
            raise engine_error(error, f"ATTACH {path}") from error

    def _open(self, path: Path | None) -> None:
        # Times on forms are local to the census; nothing may depend on the machine's zone.
        self._con.execute("SET TimeZone = 'Asia/Shanghai'")
        if path is not None:
            # Each commit of a small file would store all that is new and unfinished once more.
            self._con.execute("SET checkpoint_threshold = '1GB'")
            # A night that does not end is begun anew: nothing is read from a log of its writes.
            self._con.execute(
                f"ATTACH {quoted(path)} AS package "
                f"(STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
            )
            self._con.execute("USE package")
        for schema in SCHEMAS:
            self._con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        catalog = "package" if path is not None else "memory"
        names = ["main", "census", "linkage", "estimate", "ref", "audit"]
        search = ",".join(f"{catalog}.{name}" for name in names)
        self._con.execute(f"SET search_path = '{search}'")
        self._catalog = catalog

    @staticmethod
    def _checked(name: str) -> str:
        if not _IDENTIFIER.fullmatch(name):
            raise ValueError(f"not a table name: {name}")
        return name

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        with _told(sql):
            return self._con.execute(sql).fetchall()

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable as `name` for this session."""
        self._con.register(self._checked(name), table)

    def unregister(self, name: str) -> None:
        """Forget a registered Arrow table."""
        self._con.unregister(self._checked(name))

    def columns(self, sql: str) -> list[str]:
        """Return the column names of a SELECT without running it."""
        return [row[0] for row in self._run(f"DESCRIBE {sql}")]

    def fetch(self, sql: str) -> pa.Table:
        """Run a SELECT and return all its rows as an Arrow table."""
        with _told(sql):
            return self._con.sql(sql).to_arrow_table()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Run a SELECT and return its rows; for small results."""
        return self._run(sql)

    def scalar(self, sql: str) -> object:
        """Return the first value of a SELECT of one row."""
        return self.rows(sql)[0][0]

    def materialise(self, name: str, sql: str) -> int:
        """Create or replace a table from a SELECT; a bare name is a scratch table. Return rows."""
        kind = "TABLE" if "." in name else "TEMP TABLE"
        done = self._run(f"CREATE OR REPLACE {kind} {self._checked(name)} AS {sql}")
        return int(done[0][0])

    def append(self, name: str, sql: str) -> int:
        """Insert a SELECT into a table by column name; return the rows added."""
        done = self._run(f"INSERT INTO {self._checked(name)} BY NAME {sql}")
        return int(done[0][0])

    def append_file(self, name: str, path: Path) -> int:
        """Insert the rows of a Parquet file into a table by column name; return the rows added."""
        return self.append(name, f"SELECT * FROM read_parquet({quoted(path)})")

    def append_table(self, name: str, rows_to_append: pa.Table) -> None:
        """Insert the rows of an Arrow table into a table by column name.

        DuckDB finds `rows_to_append` by its Python name; nothing is registered under it. A view
        made by `register` inside a transaction would hold the rows in memory until the commit,
        even when it is dropped.
        """
        sql = f"INSERT INTO {self._checked(name)} BY NAME SELECT * FROM rows_to_append"
        with _told(sql):
            self._con.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        self._run(sql)

    def tables(self) -> set[str]:
        """Return all tables and views of the database, written `schema.table`."""
        sql = (
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            f"WHERE table_catalog = '{self._catalog}'"
        )
        return {str(row[0]) for row in self.rows(sql)}

    def write(self, name: str, path: Path, order: Sequence[str] = ()) -> None:
        """Write a table to a zstd Parquet file; `order` names the columns to sort by."""
        select = f"SELECT * FROM {self._checked(name)}"
        if order:
            select += " ORDER BY " + ", ".join(f'"{column}"' for column in order)
        self._run(f"COPY ({select}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd)")

    def checkpoint(self) -> None:
        """Bring everything committed into the file, so that it can be moved."""
        if self._catalog == "package":
            self.execute("CHECKPOINT package")

    def close(self) -> None:
        """Detach and close; safe to call twice."""
        with suppress(duckdb.Error):
            self._con.execute("USE memory")
            self._con.execute("DETACH package")
        self._con.close()

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PackageReader:
    """A published package, opened read-only and hardened for SQL written by anybody."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        config = _quiet_config(limits or Limits())
        try:
            self._con = duckdb.connect(str(path), read_only=True, config=config)
            self._con.execute("SET TimeZone = 'Asia/Shanghai'")
            self._con.execute("SET search_path = 'main,audit,census,linkage,estimate,ref'")
            self._con.execute("SET enable_external_access = false")
            self._con.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise engine_error(error, f"ATTACH {path}") from error

    def fetch(self, sql: str) -> pa.Table:
        """Run one statement and return all its rows; EngineError tells what is wrong with it."""
        try:
            with _told(sql):
                if len(self._con.extract_statements(sql)) != 1:
                    raise EngineError(
                        "请只给一条查询语句。", "Give one statement, neither none nor several."
                    )
                relation: duckdb.DuckDBPyRelation | None = self._con.sql(sql)
                return pa.table({}) if relation is None else relation.to_arrow_table()
        except EngineError as error:
            why = str(error.__cause__)
            if "read-only" in why or "disabled by configuration" in why:
                raise EngineError(
                    "数据包是只读的：只能查询，不能修改，也不能读写其他文件。",
                    "The package is read-only: it can be asked, not changed, and no other file "
                    "can be read or written from it.",
                ) from error
            raise

    def close(self) -> None:
        """Close the connection."""
        self._con.close()

    def __enter__(self) -> PackageReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _told(sql: str) -> Iterator[None]:
    """Turn DuckDB's errors into those of the project.

    A stop (Ctrl-C, SIGTERM) inside a statement comes out of DuckDB as a RuntimeError, which a stage
    that goes on without its result would take for a fault of its own.
    """
    try:
        yield
    except duckdb.Error as error:
        raise engine_error(error, sql) from error
    except RuntimeError as error:
        if str(error) == _STOPPED:
            raise KeyboardInterrupt from error
        raise


def engine_error(error: Exception, sql: str) -> EngineError:
    """Wrap a DuckDB error with the statement it came from."""
    text = str(error).strip()
    if not isinstance(error, _WITHOUT_VALUES):
        # What follows LINE quotes the statement, and would lengthen the quotation.
        text = _NUMBER.sub("…", _QUOTED.sub("'…'", text.rpartition("\n\nLINE ")[0] or text))
    first = text.splitlines()[0]
    resource = isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException)
    if resource and re.search(
        "disk|no space left|failed to offload", _QUOTED.sub("", first), re.IGNORECASE
    ):
        return EngineError(
            f"磁盘空间不足或无法写入：{first}。请清理磁盘后重新运行，已发布的数据包未受影响。",
            f"Disk full or not writable: {first}. Free space and run again; "
            "the published package is untouched.",
        )
    statement = sql if len(sql) <= 4000 else sql[:4000] + " …"
    return EngineError(
        f"数据库无法执行语句：{first}\n语句：{statement}",
        f"The database refused a statement: {first}",
    )
