"""A confidential unit leaves no trace, however it is written and however the night ends."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from ingest_night import CODE, HEADER

from audit.engines.duckdb import DuckDBEngine, PackageReader
from audit.errors import EngineError
from pipelines import writing
from pipelines.config import RunConfig
from pipelines.run import NightOptions, run_night

SALT = b"a salt of thirty-two characters."
NAME = "绝密精密机械厂"
WRITTEN = "绝密 精密机械（厂）"
FORMS = (CODE, CODE.lower(), NAME, WRITTEN, "绝密")
CODECS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
SECRETS = [form.encode(codec) for form in FORMS for codec in CODECS]


def lines(*rows: str, sound: int = 400) -> str:
    filler = [f"S{n:05},430405010002,店{n},,1,1" for n in range(sound)]
    return "\n".join([HEADER, *filler, *rows]) + "\n"


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "salt").write_bytes(SALT + b"\n")
    digests = [hashlib.sha256(SALT + text.encode()).hexdigest() for text in (CODE, NAME)]
    files = {
        "confidential_digest.csv": f"digest,kind\n{digests[0]},1\n{digests[1]},2\n".encode(),
        "self_employed_1.csv": lines(f"S9,430405010002,甲,{CODE.lower()},3,418").encode(),
        "self_employed_2.csv": f"{HEADER}\nS8,430405010002,{WRITTEN},,三,1\n".encode("gb18030"),
        "self_employed_3.csv": f"{HEADER}\nS7,4,甲,{CODE}\nS6,4,甲,,{WRITTEN},1\n".encode("utf-16"),
        f"self_employed_{WRITTEN}.csv": f"{HEADER}\nS5,430405010002,丙,,三,1\n".encode(),
        "finance.csv": f"unit_id,form,revenue_kyuan,{NAME}\nS4,611-3,七,1\n".encode(),
        "finance_2.csv": b"unit_id,form,revenue_kyuan\nS9,611-3,424242\n",
        "edit_event.csv": (
            "event_id,unit_id,table_name,field,old_value,new_value,editor_id,editor_role,edited_at,"
            "reason\n"
            f"1,S00001,self_employed,name,{WRITTEN},甲,E1,1,2019-04-01 10:00:00,更名\n"
            f"2,S00001,self_employed,name,乙,甲,E1,1,2019-04-01 10:00:00,原代码{CODE}，已改\n"
        ).encode(),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file as it stands, and what compressed ones hold."""
    for path in sorted(folder.rglob("*")):
        yield path.name, path.name.encode()
        if not path.is_file():
            continue
        yield path.name, path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield from ((f"{path.name}/{name}", book.read(name)) for name in book.namelist())
        if path.suffix == ".parquet":
            yield path.name, pl.read_parquet(path).write_ndjson().encode()
        if path.name == "census_audit.duckdb" and "partial" not in str(path):
            with PackageReader(path) as reader:
                listed = reader.fetch(
                    "SELECT table_schema || '.' || table_name AS t FROM information_schema.tables "
                    "WHERE table_type = 'BASE TABLE'"
                )
                for table in listed["t"].to_pylist():
                    frame = pl.from_arrow(reader.fetch(f"SELECT * FROM {table}"))
                    yield f"{path.name}/{table}", str(frame.rows()).encode()


def leaks(folder: Path) -> set[str]:
    return {name for name, data in contents(folder) if any(secret in data for secret in SECRETS)}


def start(delivery: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pipelines.cli", "run", "--input", str(delivery),
               "--out", str(tmp_path / "out"), "--salt-file", str(tmp_path / "salt")]  # fmt: skip
    env = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "CENSUS_AUDIT_LOG": "DEBUG"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)


def test_a_whole_night_leaves_no_trace(delivery: Path, tmp_path: Path) -> None:
    process = start(delivery, tmp_path)
    said, _ = process.communicate(timeout=120)

    out = tmp_path / "out"
    with PackageReader((out / "current" / "census_audit.duckdb").resolve()) as reader:
        hidden = reader.fetch(
            "SELECT COUNT(*) AS n FROM census.rejected_row WHERE reason = 'confidential'"
        )
        found = reader.fetch("SELECT COUNT(*) AS n FROM audit.finding WHERE rule_id = 'SEC002'")
        kept = reader.fetch("SELECT COUNT(*) AS n FROM census.self_employed")
    assert 0 == process.returncode
    assert [7, 7, 400] == [table["n"][0].as_py() for table in (hidden, found, kept)]
    assert set() == leaks(out) | leaks(tmp_path / "tmp")
    assert not any(secret in said for secret in SECRETS)
    # The search would see it: the delivery itself is full of it.
    assert 6 <= len(leaks(delivery))


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.5])
def test_a_killed_night_leaves_no_trace(delivery: Path, tmp_path: Path, delay: float) -> None:
    process = start(delivery, tmp_path)
    said = b""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if b"stage ingest" in line:
            break
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    said += process.communicate()[0]

    assert b"stage ingest" in said
    assert set() == leaks(tmp_path / "out") | leaks(tmp_path / "tmp")
    assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize("n_th", [1, 4, 9])
def test_an_error_in_mid_intake_leaves_no_trace(
    delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_th: int
) -> None:
    calls = iter(range(1, 1000))
    real = writing.append

    def broken(engine: DuckDBEngine, name: str, frame: pl.DataFrame) -> None:
        real(engine, name, frame)
        if next(calls) == n_th:
            engine.execute(f"INSERT INTO {name} SELECT CAST(error('x') AS INTEGER)")

    monkeypatch.setattr(writing, "append", broken)
    options = NightOptions(
        input_dir=delivery,
        out=tmp_path / "out",
        config=RunConfig(salt_file=tmp_path / "salt"),
    )

    with pytest.raises(EngineError) as error:
        run_night(options)

    assert set() == leaks(tmp_path / "out")
    assert not any(form in f"{error.value.zh} {error.value.en}" for form in FORMS)
