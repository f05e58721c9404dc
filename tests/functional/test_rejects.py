"""Reject workbooks: what goes back to a sender, and that it can be corrected and sent again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from ingest_night import CODE, GOOD, HEADER, Files, context, households, night
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from pipelines import rejects
from pipelines.config import RunConfig
from pipelines.readers.headers import fold, known_headers
from pipelines.superseding import revision_of
from reports import reject_workbook
from reports.reject_texts import OWN_COLUMNS, both
from reports.reject_workbook import RejectBook, RejectRow, RejectSheet, write_reject_book
from reports.workbook_book import WorkbookInfo

RED = "FFFFC7CE"
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


HEADS = {both(label) for label, _ in OWN_COLUMNS}


def columns(sheet: Worksheet, *, own_ones: bool) -> list[tuple[str | None, ...]]:
    rows = list(sheet.iter_rows(min_row=HEAD, values_only=True))
    places = [n for n, head in enumerate(rows[0]) if (head in HEADS) == own_ones]
    return [tuple(row[n] for n in places) for row in rows]


def data(sheet: Worksheet) -> list[tuple[str | None, ...]]:
    """The sender's own cells of a table's sheet, header first."""
    return columns(sheet, own_ones=False)


def by_head(sheet: Worksheet) -> list[dict[str | None, str | None]]:
    head, *rows = data(sheet)
    return [dict(zip(head, row, strict=True)) for row in rows]


def cell(sheet: Worksheet, row: int, head: str) -> Cell:
    """One of the sender's cells; rows count from 1 as in the sheet."""
    place = next(c.column for c in sheet[HEAD] if c.value == head)
    return sheet.cell(row, place)


def own(sheet: Worksheet) -> list[tuple[str, ...]]:
    return columns(sheet, own_ones=True)[1:]


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


def save_as(sheet: Worksheet) -> str:
    """The name that the corrected sheet is to be saved by."""
    found = re.search(r"：(\S+\.xlsx)", str(sheet["A2"].value))
    assert found
    return found.group(1)


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
    cell(book["个体经营户普查表"], 4, "从业人员数").value = "3"

    with DuckDBEngine() as engine:
        files: Files = {"self_employed_更正.xlsx": saved_alone(book, "个体经营户普查表")}
        summary = night(engine, tmp_path / "in", files)
        loaded = engine.rows("SELECT unit_id, region_code, employees FROM census.self_employed")
        twice = rejects.run(context(engine, tmp_path / "again"))

    assert [("S1", "430405010002", 3), ("S2", "430405010002", 3)] == sorted(loaded)
    assert 1 == summary.rows_refused
    assert 5 == len(summary.unknown_columns["self_employed_更正.xlsx"])
    assert {} == twice.books


BAD = "S2,430405010002,乙店,,三,1"
MENDED = "S2,430405010002,乙店,,3,1"


def asked(engine: DuckDBEngine, folder: Path, files: Files) -> list[tuple[str, str]]:
    """File and row of all that the night asks its senders to correct."""
    books = returned(engine, folder, files)
    return sorted(
        (row[3], row[4])
        for book in books.values()
        for name in book.sheetnames
        if name.startswith("个体")
        for row in own(book[name])
    )


def test_a_row_corrected_in_another_file_is_told_and_asked_no_more(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed_430405.csv": households(GOOD, BAD, "S3,430405010002,丙,,四,1"),
        "个体经营户普查表_430405_更正.csv": households(MENDED),
    }

    book = returned(engine, tmp_path, files)
    sheet = book["430405_珠晖区"]["个体经营户普查表"]

    assert [("self_employed_430405.csv", "3")] == [row[3:] for row in own(sheet)]
    corrected = (1, "个体经营户普查表_430405_更正.csv")
    summary, files_told = book["430405_珠晖区"]["汇总"], book["目录"]["各文件情况"]
    assert (1, *corrected) == tuple(summary.cell(3, column).value for column in (7, 8, 9))
    assert (2, *corrected) == tuple(files_told.cell(3, column).value for column in (6, 8, 9))
    assert [(2, corrected[1]), (3, None)] == engine.rows(
        "SELECT row, superseded_by FROM census.rejected_row ORDER BY row"
    )


@pytest.mark.parametrize(
    ("other", "rows", "expected"),
    [
        # A correction that is still wrong is asked about, and the row that it corrects is not.
        ("个体经营户普查表_更正.csv", (BAD,), ["个体经营户普查表_更正.csv"]),
        # What is right in the old file does not settle what is wrong in its correction.
        ("self_employed_0.csv", (MENDED,), ["self_employed_更正.csv"]),
        # Another county's file is no correction.
        ("self_employed_430422.csv", (MENDED,), ["self_employed_430405.csv"]),
        ("self_employed_x.csv", (MENDED.replace("430405", "430422"),), ["self_employed.csv"]),
        # A key given twice in the other file is loaded from neither row.
        (
            "self_employed_x.csv",
            (MENDED, MENDED),
            ["self_employed.csv"] + 2 * ["self_employed_x.csv"],
        ),
    ],
    ids=["still-wrong", "old-is-right", "other-county-by-name", "other-county-by-row", "twice"],
)
def test_a_refused_row_stays_asked_where_nothing_corrects_it(
    engine: DuckDBEngine, tmp_path: Path, other: str, rows: tuple[str, ...], expected: list[str]
) -> None:
    mine = {"self_employed_0.csv": "self_employed_更正.csv"}.get(
        other, "self_employed_430405.csv" if "430422" in other else "self_employed.csv"
    )
    files: Files = {mine: households(GOOD, BAD), other: households(*rows)}

    assert expected == [file for file, _ in asked(engine, tmp_path, files)]


def test_a_corrected_key_is_known_in_any_spelling(engine: DuckDBEngine, tmp_path: Path) -> None:
    header = HEADER.replace("填报单位标识", "UNIT_ID")
    files: Files = {
        "self_employed_a.csv": households(BAD.replace("S2", " Ｓ2")),
        "self_employed_b.csv": households(MENDED, header=header),
    }

    assert [] == asked(engine, tmp_path, files)


def test_names_of_corrections_differ_and_replace_none_but_themselves(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed_430405.csv": households(GOOD, BAD),
        "self_employed_430422.csv": households("S9,430422100001,丁,,三,1"),
    }
    for night_folder in ("1", "2"):
        (tmp_path / night_folder).mkdir()
    first = returned(engine, tmp_path / "1", files)
    files["self_employed_430405.csv"] = households(GOOD, BAD, "S4,430405010002,戊,,五,1")
    with DuckDBEngine() as other:
        second = returned(other, tmp_path / "2", files)

    names = [
        save_as(books[sender]["个体经营户普查表"])
        for books in (first, second)
        for sender in ("430405_珠晖区", "430422_衡南县")
    ]
    # The other county's rows are the same on both nights, and so is their name.
    assert names[1] == names[3]
    distinct = [*dict.fromkeys(names)]
    assert 3 == len(distinct)
    assert all(
        re.fullmatch(r"个体经营户普查表_4304\d\d\D+_[A-Z]{8}_更正.xlsx", n) for n in distinct
    )
    bases = {revision_of(name).base for name in (*distinct, *files)}
    assert 5 == len(bases)
    once_more = revision_of(distinct[0].replace(".xlsx", "(2).xlsx"))
    assert once_more.is_after(revision_of(distinct[0]))
    told = [row[1].value for row in first["430405_珠晖区"]["说明"].iter_rows()]
    assert names[0] in told


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
