"""Reject workbooks: what goes back to a sender, and that it can be corrected and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from ingest_night import GOOD, HEADER, Files, context, households, night
from openpyxl.worksheet.worksheet import Worksheet

from audit.engines.duckdb import DuckDBEngine
from pipelines import rejects
from pipelines.config import RunConfig
from reports.reject_texts import OWN_COLUMNS

RED = "FFFFC7CE"
OWN = len(OWN_COLUMNS)
HEAD = 3


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
