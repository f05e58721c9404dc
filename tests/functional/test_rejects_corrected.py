"""Refused rows that come corrected: asked no more, and told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from ingest_night import GOOD, HEADER, Files, context, households, night
from reject_books import BAD, cell, own, returned, save_as

from audit.engines.duckdb import DuckDBEngine
from pipelines import rejects
from pipelines.superseding import revision_of


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


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
