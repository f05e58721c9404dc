"""Where the same words mean different things to DuckDB and Spark, and what is written instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.engines import spark
from audit.engines.spark import SparkSettings, options, require
from audit.engines.spark_sql import SPACES, to_spark
from audit.errors import EngineError, ExitCode, InputError
from pipelines.config import RunConfig, Spark
from pipelines.run import NightOptions, run_night


@pytest.mark.parametrize(
    ("duckdb", "written"),
    [
        ("SELECT a / b AS x FROM t", "CAST((a) AS DOUBLE) / CAST((b) AS DOUBLE)"),
        ("SELECT TRIM(a) AS x FROM t", f"TRIM(BOTH '{SPACES}' FROM a)"),
        ("SELECT LOG10(a) AS x FROM t", "LOG10(a)"),
        ("SELECT a NOT LIKE b AS x FROM t", "a NOT LIKE REPLACE(b,"),
        ("SELECT a LIKE b AS x FROM t", "a LIKE REPLACE(b, '\\\\', '\\\\\\\\')"),
        (
            "SELECT CAST(a AS DECIMAL(18, 2)) AS x FROM t",
            "ROUND(CAST((a) AS DOUBLE) * CAST((100) AS DOUBLE)) AS DECIMAL(18, 0)) * 0.01",
        ),
        ("SELECT ROW_NUMBER() OVER (ORDER BY a) AS x FROM t", "ORDER BY a NULLS LAST"),
        ("SELECT a AS x FROM audit.outcome", "FROM audit__outcome AS outcome"),
    ],
)
def test_words_become_what_they_mean_on_duckdb(duckdb: str, written: str) -> None:
    assert written in to_spark(duckdb)[0]


def test_a_logarithm_of_zero_is_refused_there_too() -> None:
    assert "a) <= 0, CAST(RAISE_ERROR" in to_spark("SELECT LOG10(a) AS x FROM t")[0]


def test_tables_are_named_as_written_and_names_of_with_are_not_tables() -> None:
    text, names = to_spark("WITH a AS (SELECT x FROM unit) SELECT x FROM a JOIN audit.run ON TRUE")

    assert names == {"unit", "audit.run"}
    assert "FROM a " in text


def test_with_stays_where_it_stands() -> None:
    one = "SELECT x FROM (WITH a AS (SELECT 1 AS x FROM t) SELECT x FROM a) AS r"

    assert to_spark(f"{one} UNION ALL {one}")[0].count("WITH a AS") == 2


def test_without_pyspark_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _: None)

    with pytest.raises(EngineError) as told:
        require()

    assert told.value.exit_code == ExitCode.ENGINE
    assert '.venv/bin/pip install -e ".[spark]"' in told.value.zh
    assert '.venv/bin/pip install -e ".[spark]"' in told.value.en


def test_without_java_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _: object())
    monkeypatch.setattr(spark.shutil, "which", lambda *_, **__: None)

    with pytest.raises(EngineError) as told:
        require()

    assert "openjdk-17-jre-headless" in told.value.zh
    assert "openjdk-17-jre-headless" in told.value.en


def test_spark_elsewhere_needs_no_java_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _: object())
    monkeypatch.setattr(spark.shutil, "which", lambda *_, **__: None)

    def night(master: str) -> None:
        config = RunConfig(spark=Spark(master=master))
        run_night(
            NightOptions(
                input_dir=tmp_path / "none", out=tmp_path / "out", config=config, engine="spark"
            )
        )

    with pytest.raises(EngineError):
        night("local[2]")
    # It gets as far as the delivery, which is not there.
    with pytest.raises(InputError):
        night("sc://spark.example")


@pytest.mark.parametrize("master", ["local", "local[2]", "spark://host:7077", "yarn"])
def test_spark_shows_values_in_no_log_and_on_no_page(tmp_path: Path, master: str) -> None:
    told = options(SparkSettings(folder=tmp_path, master=master))

    assert "OFF" == told["spark.log.level"]
    assert "false" == told["spark.ui.enabled"] == told["spark.ui.showConsoleProgress"]


@pytest.mark.parametrize(
    ("master", "address"),
    [("local", "127.0.0.1"), ("local[2]", "127.0.0.1"), ("spark://host:7077", None)],
)
def test_spark_on_this_machine_listens_to_it_alone(
    tmp_path: Path, master: str, address: str | None
) -> None:
    told = options(SparkSettings(folder=tmp_path, master=master))

    assert address == told.get("spark.driver.bindAddress") == told.get("spark.driver.host")
