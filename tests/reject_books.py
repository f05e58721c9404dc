"""Reject workbooks of a small night, and what stands in them."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
from ingest_night import Files, context, night
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from audit.engines.duckdb import DuckDBEngine
from pipelines import rejects
from pipelines.config import RunConfig
from reports.reject_texts import OWN_COLUMNS, both

RED = "FFFFC7CE"
HEAD = 3
HEADS = {both(label) for label, _ in OWN_COLUMNS}


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


def save_as(sheet: Worksheet) -> str:
    """The name that the corrected sheet is to be saved by."""
    found = re.search(r"：(\S+\.xlsx)", str(sheet["A2"].value))
    assert found
    return found.group(1)


BAD = "S2,430405010002,乙店,,三,1"
