"""To whom refused rows go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_night import CODE, GOOD, Files, households
from reject_books import data, returned

from audit.engines.duckdb import DuckDBEngine
from pipelines.config import RunConfig


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


@pytest.mark.parametrize("table", ["self_employed", "frame_unit"])
def test_returns_of_a_refused_unit_go_to_its_county(
    engine: DuckDBEngine, tmp_path: Path, table: str
) -> None:
    told = {
        "self_employed": households("S9,430422100001,丁,,三,1"),
        "frame_unit": "frame_id,unit_kind,region_code,name,unit_id\nF1,3,430422100001,丁,S9\n",
    }
    files: Files = {
        f"{table}.csv": told[table],
        "self_employed_a.csv": households(GOOD),
        "employment.csv": "unit_id,form,employees\nS9,602,三\n",
    }

    books = returned(engine, tmp_path, files)

    assert {"430422_衡南县", "目录"} == set(books)
    assert "从业人员及工资总额" in books["430422_衡南县"].sheetnames


CONFIDENTIAL = "confidential_digest.csv"


@pytest.mark.parametrize(
    ("file", "row", "sender"),
    [
        ("self_employed_430422.csv", "S2,430405010002,乙,,三,1", "430422_衡南县"),
        ("衡南县/self_employed.csv", "S2,430405010002,乙,,三,1", "430422_衡南县"),
        ("self_employed.csv", "S2,430422100001,乙,,三,1", "430422_衡南县"),
        ("self_employed.csv", "S2,4.3E+11,乙,,1,1", "430405_珠晖区"),
    ],
)
def test_a_row_goes_to_the_county_of_its_file_its_region_or_the_rest_of_its_file(
    engine: DuckDBEngine, tmp_path: Path, file: str, row: str, sender: str
) -> None:
    books = returned(engine, tmp_path, {file: households(GOOD, row)})

    assert {sender, "目录"} == set(books)


def test_a_register_row_goes_to_its_department(engine: DuckDBEngine, tmp_path: Path) -> None:
    files: Files = {"register_unit.csv": "source,register_id,name,capital_kyuan\n2,R1,甲,多\n"}

    books = returned(engine, tmp_path, files)

    assert {"部门2_税务", "目录"} == set(books)
    # The key in front, then what is wrong.
    assert ("source", "register_id", "capital_kyuan", "name") == data(
        books["部门2_税务"]["部门单位名录"]
    )[0]


def test_a_sender_with_nothing_refused_is_in_the_index_alone(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed_430405.csv": households(GOOD),
        "self_employed_430422.csv": households("S2,430422100001,乙,,三,1"),
        "纪要.csv": "a\n1\n",
    }

    books = returned(engine, tmp_path, files)

    rows = list(books["目录"]["目录"].iter_rows(min_row=3, values_only=True))
    assert {"430422_衡南县", "未识别", "目录"} == set(books)
    assert [
        ("430405 珠晖区", 1, 0, 0, 0, 0, "—"),
        ("430422 衡南县", 1, 1, 0, 0, 0, "退回表_430422_衡南县_r1.xlsx"),
        ("未识别\nunidentified", 1, 0, 0, 1, 0, "退回表_未识别_r1.xlsx"),
    ] == rows
    unread = books["未识别"]["未读入的文件"]
    assert ("纪要.csv", "无法识别的表\nunknown table") == (unread["A3"].value, unread["C3"].value)


def test_confidential_rows_are_numbers_only(engine: DuckDBEngine, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"salz" + CODE.encode()).hexdigest()
    (tmp_path / "salt").write_bytes(b"salz")
    files: Files = {
        CONFIDENTIAL: f"digest,kind\n{digest},1\n",
        "self_employed_430405.csv": households("S0,430405010002,乙,,1,1", GOOD),
    }

    books = returned(engine, tmp_path, files, RunConfig(salt_file=tmp_path / "salt"))

    book = books["430405_珠晖区"]
    assert ["说明", "汇总"] == book.sheetnames
    assert ("保密单位\nconfidential", 1, "2") == tuple(
        book["汇总"].cell(3, column).value for column in (6, 7, 10)
    )
    assert not any(CODE in str(c.value) for sheet in book for row in sheet for c in row)
    topics = [str(row[0].value).split("\n")[0] for row in book["说明"].iter_rows(min_row=3)]
    assert ["报送单位", "批次", "为什么退回", "未读入的文件", "保密单位", "保密要求"] == topics
