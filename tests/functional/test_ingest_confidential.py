"""Confidential units: recognised by salted digests, counted, and written nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_night import CODE, GOOD, Files, households, night, refused

from audit.engines.duckdb import DuckDBEngine
from audit.errors import InputError
from pipelines import ingest
from pipelines.config import RunConfig


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_shipped_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "REGIONS", Path("not-there.csv"))


SALT = b"salz"


def digest_file(*texts: str) -> str:
    rows = [f"{hashlib.sha256(SALT + text.encode()).hexdigest()},1" for text in texts]
    return "摘要,摘要对象\n" + "".join(row + "\n" for row in rows)


def salted(folder: Path, content: bytes = SALT + b"\n") -> RunConfig:
    path = folder / "salt.txt"
    path.write_bytes(content)
    return RunConfig(salt_file=path)


@pytest.mark.parametrize(
    "row",
    [
        f"S1,430405010002,甲店,{CODE},3,418",
        f"S1,430405010002,甲店, {CODE.lower()}　,3,418",
        f"S1,4.3E+11,甲店,{CODE},三,418",
        f"S1,430405010002,甲店,{CODE}",
        f'"S1,430405010002,甲店,{CODE},3,418',
        "S1,430405010002,秘 密（厂）,,3,418",
        "S1,430405010002,秘密厂有限责任公司,,3,418",
    ],
)
def test_a_confidential_row_is_counted_and_nowhere_else(tmp_path: Path, row: str) -> None:
    files: Files = {
        "confidential_digest.csv": digest_file(CODE, "秘密(厂)", "秘密厂有限公司"),
        "self_employed.csv": households("S0,430405010002,乙店,,1,1", row),
    }
    path = tmp_path / "night.duckdb"

    with DuckDBEngine(path) as engine:
        summary = night(engine, tmp_path / "in", files, salted(tmp_path))
        rows = refused(engine, "*")
        loaded = engine.rows("SELECT unit_id FROM census.self_employed")

    assert [("self_employed.csv", 2, *[None] * 4, "confidential", *[None] * 4)] == rows
    assert ([("S0",)], 1, 1) == (loaded, summary.rows_confidential, summary.rows_refused)
    written = path.read_bytes()
    assert not any(text.encode() in written for text in (CODE, CODE.lower(), "秘密", "甲店"))


def test_all_pieces_of_a_confidential_row_that_a_line_end_cuts_are_hidden(tmp_path: Path) -> None:
    cut = "S1,430405010002,秘密厂\r,,张三李四,13900001111"
    files: Files = {
        "confidential_digest.csv": digest_file("秘密厂"),
        "self_employed.csv": households(
            "S0,430405010002,乙店", cut, "S2,430405010002,丙店,,1,1", "S3"
        ),
    }
    path = tmp_path / "night.duckdb"

    with DuckDBEngine(path) as engine:
        summary = night(engine, tmp_path / "in", files, salted(tmp_path))
        rows = refused(engine, "row, reason")
        loaded = engine.rows("SELECT unit_id FROM census.self_employed")

    # The piece before is joined to them as well; S3 is not.
    hidden = [(row, "confidential") for row in (1, 2, 3)]
    assert [*hidden, (5, "too_few_fields")] == rows
    assert ([("S2",)], 3) == (loaded, summary.rows_confidential)
    assert "张三李四".encode() not in path.read_bytes()


def test_digests_without_a_salt_stop_the_run_before_anything_is_read(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "confidential_digest.csv": digest_file(CODE),
        "self_employed.csv": households(GOOD),
    }

    with pytest.raises(InputError, match="--salt-file") as error:
        night(engine, tmp_path / "in", files)

    assert 10 == error.value.exit_code
    assert "census.self_employed" not in engine.tables()


@pytest.mark.parametrize(
    "content", ["摘要,摘要对象\nabc,1\n", "摘要,摘要对象\nabc\n", "摘要对象\n1\n", b""]
)
def test_a_list_of_digests_that_cannot_be_relied_on_stops_the_run(
    engine: DuckDBEngine, tmp_path: Path, content: str | bytes
) -> None:
    files: Files = {"confidential_digest.csv": content, "self_employed.csv": households(GOOD)}

    with pytest.raises(InputError, match="confidential_digest"):
        night(engine, tmp_path / "in", files, salted(tmp_path))


def test_an_empty_list_of_digests_needs_no_salt(engine: DuckDBEngine, tmp_path: Path) -> None:
    files: Files = {
        "confidential_digest.csv": "摘要,摘要对象\n",
        "self_employed.csv": households(GOOD),
    }

    assert 1 == night(engine, tmp_path / "in", files).rows_loaded


def test_returns_and_visits_of_a_confidential_unit_are_hidden_too(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "confidential_digest.csv": digest_file(CODE),
        "finance.csv": "unit_id,form,revenue_kyuan\nS1,611-3,777\nS0,611-3,5\n",
        "self_employed.csv": households(
            "S0,430405010002,乙店,,1,1", f"S1,430405010002,甲店,{CODE},3,418"
        ),
    }

    summary = night(engine, tmp_path / "in", files, salted(tmp_path))

    assert [("S0",)] == engine.rows("SELECT unit_id FROM census.finance")
    assert 2 == summary.rows_confidential
    assert [("finance.csv", 1), ("self_employed.csv", 2)] == refused(engine, "file, row")


def test_a_column_that_nobody_asked_for_tells_nothing_either(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "confidential_digest.csv": digest_file("秘密厂"),
        "finance.csv": "unit_id,form,revenue_kyuan,核对名称\nS5,611-3,七百,秘密厂\n",
        "self_employed.csv": households(GOOD),
    }

    night(engine, tmp_path / "in", files, salted(tmp_path))

    assert [("finance.csv", "confidential", None)] == refused(engine, "file, reason, delivered")
