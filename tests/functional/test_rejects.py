"""Reject workbooks: what goes back to a sender, and that it can be corrected and sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from ingest_night import CODE, GOOD, HEADER, Files, context, households, night
from openpyxl.worksheet.worksheet import Worksheet

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from pipelines import rejects
from pipelines.config import RunConfig
from pipelines.readers.headers import fold, known_headers
from reports import reject_workbook
from reports.reject_texts import OWN_COLUMNS, both
from reports.reject_workbook import RejectBook, RejectRow, RejectSheet, write_reject_book
from reports.workbook_book import WorkbookInfo

RED = "FFFFC7CE"
OWN = len(OWN_COLUMNS)
HEAD = 3
INFO_BOOK = WorkbookInfo(
    run_id="r1", created=datetime.fromisoformat("2018-12-31"), rulebook_digest="d"
)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


def returned(
    engine: DuckDBEngine, folder: Path, files: Files, config: RunConfig | None = None
) -> dict[str, openpyxl.Workbook]:
    """Take a delivery in and return the reject workbooks by what their name says of the sender."""
    night(engine, folder / "in", files, config)
    rejects.run(context(engine, folder, config))
    paths = (folder / "rejects").glob("*.xlsx")
    return {
        path.stem.removeprefix("退回表_").removesuffix("_r1"): openpyxl.load_workbook(path)
        for path in paths
    }


def data(sheet: Worksheet) -> list[tuple[str | None, ...]]:
    """The sender's own cells of a table's sheet, header first."""
    rows = list(sheet.iter_rows(min_row=HEAD, values_only=True))
    return [row[OWN:] for row in rows]


def own(sheet: Worksheet) -> list[tuple[str, ...]]:
    return [row[:OWN] for row in sheet.iter_rows(min_row=HEAD + 1, values_only=True)]


def test_refused_rows_go_back_as_delivered_with_the_faulty_cells_marked(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    books = returned(
        engine,
        tmp_path,
        {"self_employed_430405.csv": households(GOOD, "S2,430405010002,0乙店,,三,四", "S3,43,丙")},
    )

    sheet = books["430405_珠晖区"]["个体经营户普查表"]
    assert [
        tuple(HEADER.split(",")),
        ("S2", "430405010002", "0乙店", None, "三", "四"),
        ("S3", "43", "丙", None, None, None),
    ] == data(sheet)
    red = {
        c.coordinate for row in sheet.iter_rows(min_row=4) for c in row if c.fill.fgColor.rgb == RED
    }
    assert {"J4", "K4"} == red
    first = own(sheet)[0]
    assert ("数值错误\nbad number", "self_employed_430405.csv", "2") == (first[0], *first[3:])
    assert first[2].startswith("应填整数")
    assert {"s"} == {c.data_type for row in sheet.iter_rows(min_row=4) for c in row if c.value}


def saved_alone(book: openpyxl.Workbook, title: str) -> bytes:
    """One sheet as a clerk saves it: moved to a workbook of its own."""
    for name in book.sheetnames:
        if name != title:
            book.remove(book[name])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_corrected_sheet_is_a_delivery_again(tmp_path: Path) -> None:
    bad = "S2,430405010002,乙店,92430407481415820B,三,0418"
    with DuckDBEngine() as engine:
        books = returned(engine, tmp_path, {"self_employed.csv": households(GOOD, bad)})
    book = books["430405_珠晖区"]
    book["个体经营户普查表"]["J4"] = "3"

    with DuckDBEngine() as engine:
        files: Files = {"self_employed_更正.xlsx": saved_alone(book, "个体经营户普查表")}
        summary = night(engine, tmp_path / "in", files)
        loaded = engine.rows("SELECT unit_id, region_code, employees FROM census.self_employed")
        twice = rejects.run(context(engine, tmp_path / "again"))

    assert [("S1", "430405010002", 3), ("S2", "430405010002", 3)] == sorted(loaded)
    assert 1 == summary.rows_refused
    assert 5 == len(summary.unknown_columns["self_employed_更正.xlsx"])
    assert {"self_employed.csv"} == set(twice.books)


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
    assert ("source", "register_id", "name", "capital_kyuan") == data(
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
        ("430405 珠晖区", 1, 0, 0, 0, "—"),
        ("430422 衡南县", 1, 1, 0, 0, "退回表_430422_衡南县_r1.xlsx"),
        ("未识别\nunidentified", 1, 0, 0, 1, "退回表_未识别_r1.xlsx"),
    ] == rows
    unread = books["未识别"]["未读入的文件"]
    assert ("纪要.csv", "无法识别的表\nunknown table") == (unread["A3"].value, unread["C3"].value)


def test_repeated_keys_name_the_other_place(engine: DuckDBEngine, tmp_path: Path) -> None:
    files: Files = {
        "self_employed_1.csv": households(GOOD),
        "self_employed_2.csv": households("S0,430405010002,乙,,1,1", GOOD),
    }

    sheet = returned(engine, tmp_path, files)["430405_珠晖区"]["个体经营户普查表"]

    places = [(row[3], row[4], row[2]) for row in own(sheet)]
    assert [("self_employed_1.csv", "1"), ("self_employed_2.csv", "2")] == [p[:2] for p in places]
    assert "“self_employed_2.csv”第2条" in places[0][2]
    assert "“self_employed_1.csv”第1条" in places[1][2]


@pytest.mark.parametrize(
    "hostile", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "http://a.b/c", "007"]
)
def test_hostile_cells_are_plain_text(engine: DuckDBEngine, tmp_path: Path, hostile: str) -> None:
    row = f"S2,430405010002,{hostile},,三,1"
    sheet = returned(engine, tmp_path, {"self_employed.csv": households(row)})["430405_珠晖区"][
        "个体经营户普查表"
    ]

    cell = sheet["H4"]
    assert (hostile, "s", None) == (cell.value, cell.data_type, cell.hyperlink)


def write(folder: Path, *rows: RejectRow, table: str = "表") -> openpyxl.Workbook:
    sheet = RejectSheet(table, ("a", "b"), rows)
    book = RejectBook(
        key="", sender=Label("甲", "甲"), summary=[], unread=[], sheets=[sheet]
    )  # fmt: skip
    path = write_reject_book(book, folder, INFO_BOOK, folder)
    return openpyxl.load_workbook(path)


def refused_row(number: int, *cells: str) -> RejectRow:
    return RejectRow(
        Label("因", "why"), "a", Label("改", "mend"), "f.csv", number, cells, frozenset()
    )


def test_what_no_cell_can_hold_is_shown_or_cut_with_a_word(tmp_path: Path) -> None:
    cells = [("\x00\x07", "甲\ud800"), ("长" * 40_000, "𠀀" * 20_000)]
    book = write(tmp_path, *(refused_row(n, *pair) for n, pair in enumerate(cells, 1)))

    control, long = list(book["表"].iter_rows(min_row=4, values_only=True))
    assert ("␀␇", "甲\\ud800") == control[5:7]
    assert 32_001 == len(long[5]) and 32_767 >= len(long[6].encode("utf-16-le")) // 2
    assert ("已截短" in control[2], "已截短" in long[2]) == (False, True)


def test_more_rows_than_a_sheet_holds_go_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reject_workbook, "SHEET_ROWS", 5)

    book = write(
        tmp_path, *(refused_row(n, "x", "y") for n in range(1, 4)), table="表[1]:" + "长" * 40
    )

    names = book.sheetnames[2:]
    assert 2 == len(names)
    assert ["1", "2", "3"] == [row[4] for name in names for row in own(book[name])]
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        with DuckDBEngine() as engine:
            files: Files = {"self_employed.csv": households(GOOD, "S2,430405010002,乙,,三,1")}
            returned(engine, tmp_path / place, files)
        paths = sorted((tmp_path / place / "rejects").glob("*.xlsx"))
        made.append({path.name: path.read_bytes() for path in paths})

    assert made[0] == made[1]
    assert 2 == len(made[0])


@pytest.mark.parametrize("table", [table.name for table in CONTRACT.delivered])
def test_the_columns_in_front_are_no_column_of_a_table(table: str) -> None:
    heads = {fold(text) for label, _ in OWN_COLUMNS for text in (both(label), label.zh)}

    assert set() == heads & set(known_headers(table))


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
        book["汇总"].cell(3, column).value for column in (6, 7, 8)
    )
    assert not any(CODE in str(c.value) for sheet in book for row in sheet for c in row)
