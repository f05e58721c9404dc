"""Reject workbooks: what goes back to a sender, and that it can be corrected and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from ingest_night import GOOD, HEADER, Files, households
from openpyxl.worksheet.worksheet import Worksheet
from reject_books import BAD, HEAD, RED, by_head, cell, data, own, returned, save_as

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from pipelines.readers.headers import fold, known_headers
from reports import reject_workbook
from reports.reject_texts import OWN_COLUMNS, both
from reports.reject_workbook import RejectBook, RejectRow, RejectSheet, write_reject_book
from reports.workbook_book import WorkbookInfo

INFO_BOOK = WorkbookInfo(
    run_id="r1", created=datetime.fromisoformat("2018-12-31"), rulebook_digest="d"
)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


def test_refused_rows_go_back_as_delivered_with_the_faulty_cells_marked(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    books = returned(
        engine,
        tmp_path,
        {"self_employed_430405.csv": households(GOOD, "S2,430405010002,0乙店,,三,四", "S3,43,丙")},
    )

    sheet = books["430405_珠晖区"]["个体经营户普查表"]
    assert HEADER.split(",") == sorted(data(sheet)[0], key=HEADER.index)
    assert [
        ("S2", "430405010002", "0乙店", None, "三", "四"),
        ("S3", "43", "丙", None, None, None),
    ] == [tuple(row[name] for name in HEADER.split(",")) for row in by_head(sheet)]
    red = {
        (c.row, sheet.cell(HEAD, c.column).value)
        for row in sheet.iter_rows(min_row=4)
        for c in row
        if c.fill.fgColor.rgb == RED
    }
    assert {(4, "从业人员数"), (4, "营业收入(千元)")} == red
    first = own(sheet)[0]
    assert ("数值错误\nbad number", "self_employed_430405.csv", "2") == (first[0], *first[3:])
    assert first[2].startswith("应填整数")
    assert {"s"} == {c.data_type for row in sheet.iter_rows(min_row=4) for c in row if c.value}


def folded(sheet: Worksheet) -> set[str]:
    """The heads of the columns that are folded away."""
    return {
        str(sheet.cell(HEAD, place).value)
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden
        for place in range(dimension.min, dimension.max + 1)
    }


def test_a_wide_sheet_prints_on_one_page_with_what_is_wrong_in_sight(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    sheet = returned(engine, tmp_path, {"self_employed.csv": households(GOOD, BAD)})[
        "430405_珠晖区"
    ]["个体经营户普查表"]

    heads = [str(c.value) for c in sheet[HEAD]]
    shown = [head for head in heads if head not in folded(sheet)]
    assert ["填报单位标识", *(both(label) for label, _ in OWN_COLUMNS), "从业人员数"] == shown
    # One page wide is what a sheet has unsaid.
    setup = sheet.page_setup
    assert ("landscape", None, 0) == (setup.orientation, setup.fitToWidth, setup.fitToHeight)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert ("$3:$3", "$A:$A") == (sheet.print_title_rows, sheet.print_title_cols)
    assert "B4" == sheet.freeze_panes


def test_a_torn_row_is_told_in_one_cell_and_unfolds_nothing(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    rows = households(GOOD, BAD, "S3,43,丙", "S4,430405010002,丁,店,,1,2")
    sheet = returned(engine, tmp_path, {"self_employed.csv": rows})["430405_珠晖区"][
        "个体经营户普查表"
    ]

    told = {row[4]: (row[1], row[2].splitlines()[-1]) for row in own(sheet)}
    assert {"填报单位标识", "从业人员数"} == {c for c in data(sheet)[0] if c not in folded(sheet)}
    assert ("整行\nthe whole row", "S3 ｜ 43 ｜ 丙") == told["3"]
    assert "S4 ｜ 430405010002 ｜ 丁 ｜ 店 ｜  ｜ 1 ｜ 2" == told["4"][1]
    # A row whose faults are named is not told once more.
    assert "S2" not in told["2"][1]
    cells = [tuple(row[name] for name in HEADER.split(",")[:3]) for row in by_head(sheet)]
    assert ("S3", "43", "丙") in cells


def test_nothing_is_folded_where_all_rows_may_be_wrong_anywhere(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    sheet = returned(engine, tmp_path, {"self_employed.csv": households(GOOD, "S3,43,丙")})[
        "430405_珠晖区"
    ]["个体经营户普查表"]

    assert set() == folded(sheet)
    assert "S3" not in own(sheet)[0][2]


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

    found = cell(sheet, 4, "户名")
    assert (hostile, "s", None) == (found.value, found.data_type, found.hyperlink)


def write(folder: Path, *rows: RejectRow, table: str = "表") -> openpyxl.Workbook:
    sheet = RejectSheet(table, ("a", "b"), rows, n_keys=0, shown=2, save_as="表_430405甲_B")
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
    assert ["表_430405甲_B_更正.xlsx", "表_430405甲_B_2_更正.xlsx"] == [
        save_as(book[name]) for name in names
    ]
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
