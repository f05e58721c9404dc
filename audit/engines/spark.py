"""Spark as the engine of the check. The only module that imports pyspark, and only when asked.

Spark computes, DuckDB keeps: tables are handed over from the night's database when a statement
first reads them, every SELECT runs on Spark, and what is kept goes back into the database.
"""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from sqlglot import exp

from audit.engines.duckdb import DuckDBEngine
from audit.engines.spark_sql import parse, tables_of, to_spark, view_name
from audit.errors import EngineError

ARROW_ROWS = 50_000
"""Tables up to this size go to Spark through memory, larger ones as Parquet."""

_CAUSES = 4
"""Links of a chain of Java exceptions that are told."""
_REMOTE = "sc://"
_T = TypeVar("_T")

# Without ANSI an overflow wraps around and a cast that fails is NULL.
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "Asia/Shanghai",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.caseSensitive": "false",
    # Spark 4.3 leaves columns of LNK003 unresolved with it, and refuses its own plan.
    "spark.sql.optimizer.excludedRules": (
        "org.apache.spark.sql.catalyst.optimizer.RemoveRedundantAliases"
    ),
}
# Logs and pages of the driver hold the statements, and the values of rows that fail.
_QUIET = {
    "spark.log.level": "OFF",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSettings:
    """Where Spark runs.

    `master`: `local[2]`, `spark://host:port`, `yarn`, or `sc://host` (Connect); `memory`: of the
    driver, as Java writes it (`2g`); `folder`: where large tables are handed over, which all
    machines of a cluster must see, its executors under the same user (what is written there is
    private); `extra`: further settings of Spark.
    """

    folder: Path
    master: str = "local[2]"
    memory: str = "2g"
    extra: Mapping[str, str] = field(default_factory=dict)


def require(master: str = "") -> None:
    """Raise EngineError with the remedy where pyspark or Java is missing.

    With a `master` of Spark Connect (`sc://host`) the Java is over there.
    """
    if find_spec("pyspark") is None or find_spec("grpc") is None:
        raise EngineError(
            '没有安装 Spark 引擎。请在项目文件夹执行 .venv/bin/pip install -e ".[spark]"，'
            "或去掉 --engine spark。",
            'The Spark engine is not installed. Run .venv/bin/pip install -e ".[spark]" in the '
            "folder of the project, or leave --engine spark out.",
        )
    if master.startswith(_REMOTE):
        return
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        raise EngineError(
            "没有 Java，Spark 无法运行。请安装 Java 17"
            "（Debian：apt install openjdk-17-jre-headless），或去掉 --engine spark。",
            "Spark needs Java and there is none. Install Java 17 (Debian: apt install "
            "openjdk-17-jre-headless), or leave --engine spark out.",
        )


def _condition(error: Exception) -> str:
    """Return what an error of Spark may be called: its condition, never the row's values."""
    told = getattr(error, "getCondition", None) or getattr(error, "getErrorClass", None)
    state = getattr(error, "getSqlState", None)
    words = [type(error).__name__, told and told(), state and state(), *_java_classes(error)]
    return " ".join(str(word) for word in words if word)


def _java_classes(error: Exception) -> list[str]:
    """Return the classes of a Java exception and its causes; their messages hold values."""
    from py4j.protocol import Py4JError

    found: list[str] = []
    cause = getattr(error, "java_exception", None)
    # A Java that has died since cannot be asked.
    with suppress(Py4JError):
        while cause is not None and len(found) < _CAUSES:
            found.append(str(cause.getClass().getName()))
            cause = cause.getCause()
    return found


def _once_more(work: Callable[[], _T]) -> _T:
    """Return what `work` returns; where Spark's own machinery breaks it is asked a second time.

    What is wrong with a statement or its values comes as an error of PySpark, and once. A lost
    block, connection or broadcast comes as Java's, and need not come again.
    """
    from py4j.protocol import Py4JJavaError

    try:
        return work()
    except Py4JJavaError:
        return work()


@contextmanager
def _spoken() -> Iterator[None]:
    """Turn errors of Spark and of its Java into EngineError, and keep its remarks to itself."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    with warnings.catch_warnings():
        # Spark warns of every pandas from 3 on; pandas is not used here.
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
        try:
            yield
        except (PySparkException, Py4JError) as error:
            condition = _condition(error)
            raise EngineError(
                f"Spark 无法执行语句：{condition}", f"Spark refused a statement: {condition}"
            ) from error


def running(master: str = "") -> bool:
    """Return whether this process has a Spark session already, as under spark-submit."""
    require(master)
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession() is not None


def options(settings: SparkSettings) -> dict[str, str]:
    """Return what a Spark that is started here is told before it begins."""
    told = {"spark.master": settings.master, "spark.driver.memory": settings.memory, **_QUIET}
    told |= {"spark.sql.warehouse.dir": str(settings.folder / "warehouse")}
    if settings.master == "local" or settings.master.startswith("local["):
        told |= _LOCAL | {"spark.local.dir": str(settings.folder)}
    return {**told, **settings.extra}


def start(settings: SparkSettings) -> Any:
    """Return the Spark session, made anew where none is running; EngineError without Spark."""
    require(settings.master)
    from pyspark.sql import SparkSession

    # pyspark writes whole Java stacks, with values, to this logger on every error.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    builder = SparkSession.builder.appName("census-audit")
    if settings.master.startswith(_REMOTE):
        builder = builder.remote(settings.master)
    else:
        for name, value in options(settings).items():
            builder = builder.config(name, value)
    with _spoken():
        session = builder.getOrCreate()
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
    return session


class SparkEngine:
    """Spark over the tables of a DuckDB database.

    Scratch tables stay on Spark until something is appended to them. Views of the database are
    handed over as they are when first read. Statements that return nothing run in the database.
    """

    name = "spark"

    def __init__(self, store: DuckDBEngine, settings: SparkSettings, session: Any = None) -> None:
        """Work beside `store`; `session` is a running Spark session, which stays with its owner."""
        self._store = store
        self._folder = settings.folder
        self._owned = session is None and not running(settings.master)
        self._session = session if session is not None else start(settings)
        self._handed: set[str] = set()
        self._scratch: dict[str, Any] = {}
        self._files = 0

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable as `name` for this session."""
        self._store.register(name, table)
        self._forget()

    def unregister(self, name: str) -> None:
        """Forget a registered Arrow table."""
        self._store.unregister(name)
        self._forget()

    def columns(self, sql: str) -> list[str]:
        """Return the column names of a SELECT without running it."""
        with _spoken():
            return list(self._frame(sql).columns)

    def fetch(self, sql: str) -> pa.Table:
        """Run a SELECT on Spark and return all its rows as an Arrow table."""
        with _spoken():
            return _once_more(lambda: self._frame(sql).toArrow())

    def materialise(self, name: str, sql: str) -> int:
        """Create or replace a table from a SELECT; a bare name stays on Spark. Return rows."""
        if "." in name:
            table = self.fetch(sql)
            self._keep(name, table)
            self._forget()
            return int(table.num_rows)
        with _spoken():
            # A view alone would carry its whole plan into every statement that reads it.
            frame = _once_more(lambda: self._frame(sql).localCheckpoint())
            rows = int(frame.count())
            self._drop(name)
            frame.createOrReplaceTempView(view_name(name))
        self._handed.discard(name)
        self._scratch[name] = frame
        return rows

    def append(self, name: str, sql: str) -> int:
        """Run a SELECT on Spark and insert its rows into a table of the database by column name."""
        rows = self.fetch(sql)
        self._settle([name])
        self._store.append_table(name, rows)
        self._forget([name])
        return int(rows.num_rows)

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing, in the database."""
        tree = parse(sql)
        names = list(tables_of(tree))
        if isinstance(tree, exp.Drop):
            for name in names:
                self._drop(name)
        else:
            self._settle(names)
        self._store.execute(sql)
        self._forget(names)

    def tables(self) -> set[str]:
        """Return all tables and views of the database, written `schema.table`."""
        return self._store.tables()

    def write(self, name: str, path: Path, order: Sequence[str] = ()) -> None:
        """Write a table to a Parquet file; `order` names the columns to sort by."""
        self._settle([name])
        self._store.write(name, path, order)

    def close(self) -> None:
        """Give Spark's memory back, and Spark itself where this engine started it."""
        with _spoken():
            for name in list(self._scratch):
                self._drop(name)
            self._forget()
            if self._owned:
                self._session.stop()

    def _frame(self, sql: str) -> Any:
        text, names = to_spark(sql)
        for name in sorted(names - self._handed - set(self._scratch)):
            self._hand_over(name)
        return self._session.sql(text)

    def _hand_over(self, name: str) -> None:
        counted = self._store.scalar(f"SELECT COUNT(*) FROM {name}")
        if int(str(counted)) <= ARROW_ROWS:
            frame = self._session.createDataFrame(self._store.fetch(f"SELECT * FROM {name}"))
        else:
            self._files += 1
            path = self._folder / f"{view_name(name)}-{self._files}.parquet"
            self._store.write(name, path)
            frame = self._session.read.parquet(str(path))
        frame.createOrReplaceTempView(view_name(name))
        self._handed.add(name)

    def _keep(self, name: str, table: pa.Table) -> None:
        self._store.register("spark_result", table)
        self._store.materialise(name, "SELECT * FROM spark_result")
        self._store.unregister("spark_result")

    def _settle(self, names: Sequence[str]) -> None:
        """Move scratch tables into the database, where they can be changed."""
        for name in names:
            if name in self._scratch:
                self._keep(name, self._scratch[name].toArrow())
                self._drop(name)

    def _drop(self, name: str) -> None:
        if self._scratch.pop(name, None) is not None:
            self._session.catalog.dropTempView(view_name(name))

    def _forget(self, names: Sequence[str] | None = None) -> None:
        """Hand tables over anew when they are next read: those of these names, or all."""
        last = None if names is None else {name.rpartition(".")[2] for name in names}
        for name in sorted(self._handed):
            if last is None or name.rpartition(".")[2] in last:
                self._session.catalog.dropTempView(view_name(name))
                self._handed.discard(name)
