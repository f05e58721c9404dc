"""A whole night with `--engine spark` publishes what the night on DuckDB publishes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from audit.engines import spark
from pipelines.config import RunConfig
from pipelines.run import NightOptions, NightSummary, run_night
from pipelines.sql import query
from sample_data import write_sample

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1800), pytest.mark.usefixtures("compiling")]
# Row rules, which share scans, and some of each other kind; the cases run them all.
RULES = "FRM*,COD00*,DUP001,LNK003,REG006,PLA001"
NOT_THE_SAME = ["seconds", "run_id", "first_run_id", "last_run_id"]


def night(folder: Path, engine: str) -> NightSummary:
    config = RunConfig(salt_file=folder / "in_truth" / "salt.txt")
    options = NightOptions(
        input_dir=folder / "in", out=folder / engine, config=config, engine=engine, rules=RULES
    )
    return run_night(options)


def rows(out: Path, table: str, key: list[str]) -> list[dict[str, object]]:
    frame = pl.from_arrow(query(out, f"SELECT * FROM audit.{table}"))
    assert isinstance(frame, pl.DataFrame)
    return frame.drop(NOT_THE_SAME, strict=False).sort(key).to_dicts()


def test_the_night_on_spark_publishes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(tmp_path / "in", units=500)
    on_duckdb = night(tmp_path, "duckdb")
    # Large enough for memory, but some tables should go the way of large ones.
    monkeypatch.setattr(spark, "ARROW_ROWS", 100)
    on_spark = night(tmp_path, "spark")
    outs = (tmp_path / "duckdb", tmp_path / "spark")
    outcomes = [rows(out, "outcome", ["rule_id", "region_code"]) for out in outs]
    findings = [rows(out, "finding", ["finding_key"]) for out in outs]
    engines = [query(out, "SELECT engine FROM audit.run")["engine"].to_pylist() for out in outs]

    assert on_spark.check == on_duckdb.check
    assert on_spark.findings == on_duckdb.findings
    assert outcomes[1] == outcomes[0]
    assert findings[1] == findings[0]
    assert engines == [["duckdb"], ["spark"]]
    assert on_duckdb.check.n_findings > 100
    assert [path for path in (outs[1] / "runs").rglob("*") if path.name.startswith("spark-")] == []
