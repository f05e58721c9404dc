"""Great Expectations beside the night: dead, late, killed, or not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from deliveries import run
from gate_judging import EAST, deliver, judge, units, verdicts
from ingest_night import context

from audit.engines.duckdb import DuckDBEngine
from audit.gate import GateSettings
from pipelines import gate_worker
from pipelines.config import RunConfig

GATE = ("gate", "gate_check")


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


def gx_with(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(gate_worker, "COMMAND", (sys.executable, "-c", code))


@pytest.mark.parametrize(
    "code",
    ["import os; os._exit(1)", "print('{}')", "print('no json')", "import time; time.sleep(60)"],
    ids=["dead", "empty", "babble", "silent"],
)
def test_own_verdict_stands_when_the_other_judge_cannot_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    gx_with(monkeypatch, code)
    config = RunConfig(gate=GateSettings(judge="gx", timeout_seconds=1))
    began = time.monotonic()
    night = judge(deliver(tmp_path / "1", units(EAST, 30), []), tmp_path / "out", config)

    assert "could_not_check" == night.summary.gx
    assert {"430421000000": "accept"} == verdicts(night)
    assert time.monotonic() - began < 50


def test_night_goes_on_and_tells_when_the_other_judge_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gx_with(monkeypatch, "import os; os._exit(1)")
    config = RunConfig(gate=GateSettings(judge="gx", timeout_seconds=1))
    night = run(deliver(tmp_path / "1", units(EAST, 30), []), tmp_path / "out", config=config)

    assert "could_not_check" == night.summary.gate.gx
    assert "Great Expectations" in (night.out / "current" / "report.html").read_text("utf-8")


def test_what_the_other_judge_says_last_of_all_stands_in_tables_report_and_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers when all else is written, or never: the night waits for it at its very end."""
    last = (
        "import json, pathlib, sys, time\n"
        "request = json.loads(sys.stdin.readline())\n"
        "docs = pathlib.Path(request['docs'])\n"
        "while not (docs.parent / 'validation_report.json').is_file():\n"
        "    time.sleep(0.02)\n"
        "docs.mkdir()\n"
        "(docs / 'index.html').write_text('pages')\n"
        "said = {row['cell']: dict.fromkeys(row['values'], 'within') for row in request['rows']}\n"
        "print(json.dumps({'results': said}))"
    )
    gx_with(monkeypatch, last)
    monkeypatch.setattr(gate_worker, "find_spec", lambda _: True)
    config = RunConfig(gate=GateSettings(judge="auto", timeout_seconds=30))
    delivery = deliver(tmp_path / "1", units(EAST, 30), [])
    night = run(delivery, tmp_path / "out", config=config, rules="FRM002")

    published = night.out / "current"
    files = {name: pl.read_parquet(published / f"parquet/audit.{name}.parquet") for name in GATE}
    comments = night.table(
        "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'audit'"
    )
    assert "agreed" == night.summary.gate.gx
    assert {"agreed"} == set(files["gate"]["gx"])
    assert {"within"} == set(files["gate_check"]["gx_result"])
    assert 'href="gx/index.html"' in (published / "report.html").read_text("utf-8")
    assert set(GATE) < set(comments.drop_nulls()["table_name"])


def test_pages_are_asked_for_where_a_relative_output_folder_lies(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gx_with(monkeypatch, "pass")
    monkeypatch.chdir(tmp_path)
    ctx = context(engine, tmp_path, RunConfig(gate=GateSettings(judge="gx")))
    ctx.run_dir = Path("out")
    worker = gate_worker.start(ctx, [])

    asked = json.loads((worker.folder / "request.json").read_text(encoding="utf-8"))

    assert str(tmp_path.resolve() / "out" / "gx") == asked["docs"]
    gate_worker.stop(worker)


def test_pages_of_a_judge_that_was_late_are_not_shown(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = (
        "import json, pathlib, sys, time\n"
        "docs = pathlib.Path(json.loads(sys.stdin.readline())['docs'])\n"
        "docs.mkdir()\n"
        "(docs / 'index.html').write_text('half')\n"
        "time.sleep(60)"
    )
    gx_with(monkeypatch, late)
    ctx = context(engine, tmp_path, RunConfig(gate=GateSettings(judge="gx", timeout_seconds=60)))
    worker = gate_worker.start(ctx, [])
    until = time.monotonic() + 30
    while not (tmp_path / "gx" / "index.html").is_file():
        assert time.monotonic() < until
        time.sleep(0.02)

    answer = gate_worker.collect(ctx, replace(worker, deadline=0.0))

    assert not answer.has_docs
    assert not (tmp_path / "gx").exists()


def test_judge_ends_with_the_night_that_was_killed(tmp_path: Path) -> None:
    judge = (
        "import time; from pipelines import gate_gx\n"
        "gate_gx.answer = lambda request: time.sleep(60)\n"
        "gate_gx.main()"
    )
    night = (
        "import subprocess, sys, time\n"
        f"judge = subprocess.Popen([sys.executable, '-c', {judge!r}], stdin=open('asked'))\n"
        "print(judge.pid, flush=True)\n"
        "time.sleep(60)"
    )
    (tmp_path / "asked").write_text("{}\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(gate_worker.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", night], stdout=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        time.sleep(2)  # the judge knows by now whose it is
        os.kill(pid, 0)
        process.kill()

    until = time.monotonic() + 30
    while Path(f"/proc/{pid}/cmdline").is_file() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_killed_judge_leaves_nothing_behind(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(shared))
    silent = "import time\ngate_gx._context = lambda folder: time.sleep(60)\n"
    gx_with(monkeypatch, f"from pipelines import gate_gx\n{silent}gate_gx.main()")
    config = RunConfig(gate=GateSettings(judge="gx"))
    ctx = context(engine, tmp_path, config)
    worker = gate_worker.start(ctx, [])
    until = time.monotonic() + 30
    while not any(path.is_dir() for path in worker.folder.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.02)

    gate_worker.stop(worker)

    assert [] == list(shared.iterdir())
    assert not worker.folder.exists()


def test_night_never_imports_great_expectations(tmp_path: Path) -> None:
    deliver(tmp_path / "in", units(EAST, 3), [])
    code = (
        "import sys\n"
        "sys.modules['great_expectations'] = None\n"
        "from pathlib import Path\n"
        "from pipelines.config import RunConfig\n"
        "from audit.gate import GateSettings\n"
        "from pipelines.run import NightOptions, run_night\n"
        f"options = NightOptions(input_dir=Path({str(tmp_path / 'in')!r}), "
        f"out=Path({str(tmp_path / 'out')!r}), rules='FRM002', "
        "config=RunConfig(gate=GateSettings(judge='auto')))\n"
        "print(run_night(options).gate.gx, 'pyspark' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip

    assert "not_asked False\n" == done.stdout, done.stderr
