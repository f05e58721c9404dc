"""Folders that hold unit records for a while go with their work, or when the next begins."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ingest_night import context

from audit.engines.duckdb import DuckDBEngine
from audit.engines.spark import SparkSettings
from pipelines import check, scratch
from pipelines.config import RunConfig
from pipelines.config import Spark as SparkConfig
from pipelines.scratch import private_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.scratch import private_folder
with private_folder("work-", Path(sys.argv[1])) as folder:
    (folder / "units").mkdir()
    (folder / "units" / "units.csv").write_text("rows")
    (folder / "units").chmod(0o550)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folder_is_private_and_goes_with_its_work(tmp_path: Path) -> None:
    with private_folder("work-", tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "deep").mkdir()
        (folder / "deep").chmod(0o550)

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    (tmp_path / "work-of-somebody").mkdir()
    with private_folder("work-", tmp_path) as other:
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)
        assert len(list(tmp_path.iterdir())) == 3

        with private_folder("work-", tmp_path) as folder:
            assert set(tmp_path.iterdir()) == {other, folder, tmp_path / "work-of-somebody"}


def test_folder_that_stays_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(scratch.shutil, "rmtree", refuse)
    with caplog.at_level(logging.WARNING), private_folder("work-", tmp_path) as folder:
        pass

    assert f"unit records may be left in {folder}" in caplog.text


STOPPED = """
import os, signal, sys, time
from pipelines import cli, rule_bench
from pipelines.scratch import private_folder
def bench(options):
    with private_folder("rules-bench-", options.work):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
rule_bench.bench = bench
sys.argv = ["census-audit", "rules", "bench", "--input", ".", "--work", sys.argv[1]]
cli.main()
"""


def test_stopped_command_clears_up(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED, str(tmp_path)], check=False, timeout=60)

    assert done.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_spark_hands_over_in_a_folder_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spark:
        name = "spark"

        def __init__(self, store: object, settings: SparkSettings) -> None:
            self.folder = settings.folder

        def close(self) -> None:
            (self.folder / "unit-1.parquet").write_text("rows")

    monkeypatch.setattr(check, "SparkEngine", Spark)
    subprocess.run(
        [sys.executable, "-c", KILLED.replace("work-", "spark-"), str(tmp_path)],
        check=False, timeout=60,
    )  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 1
    with DuckDBEngine() as engine:
        ctx = context(engine, tmp_path, RunConfig(spark=SparkConfig(folder=str(tmp_path))))
        ctx.info = replace(ctx.info, engine="spark")
        with check.checking_engine(ctx) as spark:
            assert [spark.folder] == list(tmp_path.iterdir())

    assert list(tmp_path.iterdir()) == []
