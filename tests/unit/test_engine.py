"""DuckDB as the engine of a night and as the reader of a published package."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.engines.duckdb import DuckDBEngine, Limits, PackageReader
from audit.errors import EngineError


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "census_audit.duckdb"
    with DuckDBEngine(path) as engine:
        engine.materialise("audit.finding", "SELECT 'F1' AS finding_key, '0110' AS observed")
        engine.materialise("census.legal_entity", "SELECT 'L1' AS unit_id")
    return path


def test_registered_table_is_readable_and_replaced(engine: DuckDBEngine) -> None:
    engine.register("incoming", pa.table({"code": ["0110"]}))
    engine.register("incoming", pa.table({"code": ["0111", None]}))

    assert engine.rows("SELECT code FROM incoming ORDER BY code") == [("0111",), (None,)]
    engine.unregister("incoming")
    with pytest.raises(EngineError):
        engine.rows("SELECT code FROM incoming")


def test_fetch_returns_arrow(engine: DuckDBEngine) -> None:
    table = engine.fetch("SELECT '0110' AS code, 1.5::DOUBLE AS amount WHERE TRUE")

    assert table.to_pylist() == [{"code": "0110", "amount": 1.5}]
    assert table.schema.types == [pa.string(), pa.float64()]


def test_columns_does_not_run_the_statement(engine: DuckDBEngine) -> None:
    assert engine.columns("SELECT CAST(x AS INTEGER) AS a, 1 AS b FROM (VALUES ('x')) AS v(x)") == [
        "a",
        "b",
    ]


def test_append_goes_by_name(engine: DuckDBEngine) -> None:
    engine.execute("CREATE TABLE audit.note (a VARCHAR, b BIGINT, c VARCHAR)")

    assert engine.append("audit.note", "SELECT 2 AS b, 'x' AS a UNION ALL SELECT 3, 'y'") == 2
    assert engine.rows("SELECT a, b, c FROM note ORDER BY b") == [("x", 2, None), ("y", 3, None)]
    with pytest.raises(EngineError):
        engine.append("audit.note", "SELECT 1 AS d")


def test_materialise_replaces_and_counts(engine: DuckDBEngine) -> None:
    assert engine.materialise("audit.note", "SELECT 1 AS a") == 1
    assert engine.materialise("audit.note", "SELECT UNNEST([1, 2, 3]) AS a") == 3
    assert engine.materialise("audit.note", "SELECT 1 AS a WHERE FALSE") == 0
    assert engine.rows("SELECT a FROM audit.note") == []


def test_bare_name_is_a_scratch_table_outside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with DuckDBEngine(path) as engine:
        assert engine.materialise("scratch", "SELECT 1 AS a UNION ALL SELECT 2") == 2
        engine.materialise("census.kept", "SELECT SUM(a) AS a FROM scratch")
        assert engine.tables() == {"census.kept"}

    with DuckDBEngine(path) as engine:
        assert engine.tables() == {"census.kept"}
        assert engine.scalar("SELECT a FROM kept") == 3
        with pytest.raises(EngineError):
            engine.rows("SELECT a FROM scratch")


def test_tables_names_tables_and_views_but_nothing_registered(engine: DuckDBEngine) -> None:
    engine.materialise("census.unit", "SELECT 1 AS a")
    engine.execute("CREATE VIEW ref_unit AS SELECT a FROM census.unit")
    engine.register("incoming", pa.table({"a": [1]}))

    assert engine.tables() == {"census.unit", "main.ref_unit"}


@pytest.mark.parametrize("name", ["a b", "a.b.c", 'a"', "a;b", "A", "", "a\n", "a.", "é"])
def test_name_that_is_no_table_name_is_refused(engine: DuckDBEngine, name: str) -> None:
    with pytest.raises(ValueError, match="not a table name"):
        engine.register(name, pa.table({"a": [1]}))
    with pytest.raises(ValueError, match="not a table name"):
        engine.append(name, "SELECT 1 AS a")
    with pytest.raises(ValueError, match="not a table name"):
        engine.materialise(name, "SELECT 1 AS a")


def test_write_makes_parquet(engine: DuckDBEngine, tmp_path: Path) -> None:
    engine.materialise("audit.note", "SELECT '0110' AS code")
    path = tmp_path / "it's.parquet"

    engine.write("audit.note", path)

    assert pq.read_table(path).to_pylist() == [{"code": "0110"}]
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_file_is_of_the_storage_version_that_older_clients_read(tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "it's.duckdb") as engine:
        tags = engine.rows("SELECT tags FROM duckdb_databases() WHERE database_name = 'package'")

    assert tags == [({"storage_version": "v1.5.0+"},)]


def test_closed_file_has_no_log_beside_it(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path / "x.duckdb")
    engine.materialise("census.kept", "SELECT 1 AS a")
    engine.checkpoint()
    engine.close()
    engine.close()

    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]
    with DuckDBEngine() as memory:
        memory.checkpoint()


SETTINGS = """
SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions',
  'autoload_known_extensions', 'allow_community_extensions', 'threads', 'TimeZone') ORDER BY name"""
QUIET = [
    ("TimeZone", "Asia/Shanghai"),
    ("allow_community_extensions", "false"),
    ("autoinstall_known_extensions", "false"),
    ("autoload_known_extensions", "false"),
    ("threads", "1"),
]


def test_nothing_is_fetched_from_the_network(tmp_path: Path, package: Path) -> None:
    limits = Limits(threads=1, memory="500MB", temp_directory=tmp_path / "spill")
    with DuckDBEngine(limits=limits) as engine, PackageReader(package, limits) as reader:
        assert engine.rows(SETTINGS) == QUIET
        assert [tuple(row.values()) for row in reader.fetch(SETTINGS).to_pylist()] == QUIET
        assert engine.scalar("SELECT current_setting('temp_directory')") == str(tmp_path / "spill")
        with pytest.raises(EngineError):
            engine.execute("LOAD httpfs")


def test_time_of_day_is_that_of_the_census(engine: DuckDBEngine) -> None:
    sql = "SELECT CAST(TIMESTAMPTZ '2018-12-31 16:00:00+00' AS TIMESTAMP)"

    assert engine.scalar(sql) == datetime(2019, 1, 1)  # noqa: DTZ001


def test_error_names_the_statement(engine: DuckDBEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.rows("SELECT nosuch FROM (SELECT 1 AS a)")

    assert caught.value.en == (
        "The database refused a statement: Binder Error: "
        'Referenced column "nosuch" not found in FROM clause!'
    )
    assert caught.value.zh.endswith("语句：SELECT nosuch FROM (SELECT 1 AS a)")


def test_table_called_disk_is_no_disk_failure(engine: DuckDBEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.rows("SELECT a FROM disk_list")

    assert caught.value.en.startswith("The database refused a statement: Catalog Error")


def test_full_disk_is_told_with_a_remedy(tmp_path: Path) -> None:
    limits = Limits(memory="20MB", threads=1)
    with DuckDBEngine(limits=limits) as engine, pytest.raises(EngineError) as caught:
        engine.execute("SET max_temp_directory_size = '1MB'")
        engine.execute(f"SET temp_directory = '{tmp_path}'")
        engine.materialise(
            "audit.x", "SELECT MD5(CAST(n AS VARCHAR)) AS a FROM range(3000000) r(n)"
        )

    assert caught.value.en.startswith("Disk full or not writable: ")
    assert caught.value.en.endswith("the published package is untouched.")


@pytest.mark.parametrize(
    "value",
    ["衡阳甲公司", "it's 衡阳", "'衡阳'", 'a"衡阳"', "a\n衡阳", "a\n\nLINE 衡阳", "12345 衡阳"],
)
@pytest.mark.parametrize(
    "expression",
    ["CAST(v AS INTEGER)", "CAST(v AS DATE)", "strptime(v, '%Y')", "CAST(v AS DECIMAL(9, 2))"],
)
def test_conversion_error_does_not_show_the_value(
    engine: DuckDBEngine, value: str, expression: str
) -> None:
    engine.register("incoming", pa.table({"v": [value]}))

    for run in (engine.rows, engine.fetch):
        with pytest.raises(EngineError) as caught:
            run(f"SELECT {expression} FROM incoming")
        assert "衡阳" not in str(caught.value)
        assert "12345" not in str(caught.value)
        assert expression in caught.value.zh


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        (98765, "CAST(v AS TINYINT)"),
        (98765, "v * 9223372036854775807"),
        (98765, "CAST(v AS DECIMAL(4, 2))"),
    ],
)
def test_overflow_does_not_show_the_value(
    engine: DuckDBEngine, value: int, expression: str
) -> None:
    engine.register("incoming", pa.table({"v": [value]}))

    with pytest.raises(EngineError) as caught:
        engine.rows(f"SELECT {expression} FROM incoming")

    assert "98765" not in str(caught.value)


def test_broken_constraint_does_not_show_the_value(engine: DuckDBEngine) -> None:
    engine.execute("CREATE TABLE audit.note (a VARCHAR PRIMARY KEY)")
    engine.register("incoming", pa.table({"a": ["衡阳", "衡阳"]}))

    with pytest.raises(EngineError) as caught:
        engine.append("audit.note", "SELECT a FROM incoming")

    assert "衡阳" not in str(caught.value)


@pytest.mark.parametrize("kind", [DuckDBEngine, PackageReader])
def test_file_that_cannot_be_opened_is_told(
    tmp_path: Path, kind: type[DuckDBEngine] | type[PackageReader]
) -> None:
    (tmp_path / "junk.duckdb").write_bytes(b"junk" * 5000)

    with pytest.raises(EngineError, match="not a valid DuckDB database file"):
        kind(tmp_path / "junk.duckdb")
    with pytest.raises(EngineError, match="IO Error"):
        kind(tmp_path / "nowhere" / "x.duckdb")


def test_package_is_read_by_bare_names(package: Path) -> None:
    with PackageReader(package) as reader:
        assert reader.fetch("SELECT * FROM finding").to_pylist() == [
            {"finding_key": "F1", "observed": "0110"}
        ]
        assert reader.fetch("SELECT unit_id FROM legal_entity").num_rows == 1


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO audit.finding VALUES ('F2', 'x')",
        "UPDATE audit.finding SET observed = 'x'",
        "DELETE FROM audit.finding",
        "DROP TABLE audit.finding",
        "ALTER TABLE audit.finding ADD COLUMN x INTEGER",
        "CREATE TABLE main.x AS SELECT 1 AS a",
        "SELECT 1; DELETE FROM audit.finding",
        "COPY audit.finding TO '{folder}/x.csv'",
        "COPY (SELECT 1) TO '{folder}/x.parquet'",
        "EXPORT DATABASE '{folder}/x'",
        "ATTACH '{folder}/x.duckdb' AS x",
        "ATTACH ':memory:' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{folder}/secret.csv'",
        "SET enable_external_access = true",
        "SET GLOBAL threads = 1",
        "PRAGMA threads = 1",
        "RESET lock_configuration",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM read_text('{folder}/secret.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "CREATE SECRET s (TYPE s3)",
        "SELECT getenv('HOME')",
    ],
)
def test_package_reader_refuses(package: Path, sql: str) -> None:
    folder = package.parent
    (folder / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    before = package.read_bytes()

    with PackageReader(package) as reader, pytest.raises(EngineError):
        reader.fetch(sql.format(folder=folder))

    assert package.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["census_audit.duckdb", "secret.csv"]


@pytest.mark.parametrize("sql", ["", " -- nothing", "SELECT 1; SELECT 2"])
def test_package_reader_takes_one_statement(package: Path, sql: str) -> None:
    with PackageReader(package) as reader, pytest.raises(EngineError, match="一条"):
        reader.fetch(sql)


def test_stop_inside_a_statement_is_no_fault_of_the_statement(engine: DuckDBEngine) -> None:
    # As the command line does it: SIGINT may be ignored where the tests run.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()

    try:
        with pytest.raises(KeyboardInterrupt):
            engine.fetch("SELECT SUM(a.i * b.i) AS s FROM range(16000) a(i), range(16000) b(i)")
    finally:
        signal.signal(signal.SIGTERM, before)


def test_statement_without_rows_gives_an_empty_table(package: Path) -> None:
    with PackageReader(package) as reader:
        assert reader.fetch("SET VARIABLE a = 1").num_rows == 0
        assert reader.fetch("SELECT getvariable('a') AS a").to_pylist() == [{"a": 1}]


def test_appended_rows_are_those_given_whatever_is_registered(engine: DuckDBEngine) -> None:
    engine.execute("CREATE TABLE census.t (a VARCHAR)")
    for name in ("incoming", "rows", "table"):
        engine.register(name, pa.table({"a": ["another"]}))

    engine.append_table("census.t", pa.table({"a": ["given"]}))

    assert [("given",)] == engine.rows("SELECT a FROM census.t")
