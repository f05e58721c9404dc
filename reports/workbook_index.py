"""The index of a run's workbooks, and the leads, for the city office."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from reports.workbook_book import Formats, WorkbookInfo
from reports.workbook_cells import Cell, column_cells
from reports.workbook_layout import page, protect
from reports.workbook_sheets import severity_words
from reports.workbook_texts import say

_INDEX = (
    ("code", 12),
    ("place", 26),
    ("units", 10),
    ("units_visit", 11),
    ("units_flagged", 9),
    ("units_random", 9),
    ("fatal", 9),
    ("query", 9),
    ("info", 9),
    ("total", 9),
    ("file", 42),
    ("digest", 35),
)
_LEADS = (
    ("no", 6),
    ("severity", 10),
    ("rule_id", 10),
    ("message", 70),
    ("subject", 26),
    ("code", 15),
    ("place", 30),
)


def _head(sheet: Any, columns: Sequence[tuple[str, float]], formats: Formats, title: str) -> None:
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, title, formats.get(font_size=14, bold=True))
    sheet.set_row(1, 24)
    for column, (key, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, say(key, formats.lang), formats.heading("#DEEBF7"))


def _rows(
    sheet: Any, rows: Sequence[Sequence[Cell]], formats: Formats, *, total: bool = False
) -> None:
    """Write the rows; with `total`, the last one stands out."""
    text, number = formats.text(), formats.number()
    for row, values in enumerate(rows, 2):
        if total and row == len(rows) + 1:
            look: dict[str, Any] = {"bold": True, "bg_color": "#F2F2F2"}
            text, number = formats.text(**look), formats.number(**look)
        sheet.set_row(row, 30)
        for column, value in enumerate(values):
            if isinstance(value, float):
                sheet.write_number(row, column, value, number)
            else:
                sheet.write_string(row, column, value or "", text)


def _finish(sheet: Any, columns: int, rows: int, footer: str, lang: str) -> None:
    sheet.freeze_panes(2, 2)
    sheet.autofilter(1, 0, max(rows + 1, 2), columns - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:L{rows + 3}"})
    sheet.repeat_rows(1)
    protect(sheet)
    page(sheet, lang, footer)


def _total(rows: Sequence[Sequence[Cell]], lang: str) -> list[Cell]:
    sums: list[Cell] = [sum(float(row[i] or 0) for row in rows) for i in range(2, 10)]
    return [say("total", lang), None, *sums, None, None]


def write_index(
    book: Any, rows: Sequence[Sequence[Cell]], leads: pa.Table, info: WorkbookInfo
) -> None:
    """Write a line for each workbook: place, units, findings by severity, file, SHA-256.

    `rows` hold these in this order. Leads follow on a sheet of their own, when there are any.
    """
    formats = Formats(book, info.lang)
    sheet = book.add_worksheet(say("sheet_index", info.lang))
    _head(sheet, _INDEX, formats, say("title_index", info.lang, run=info.run_id))
    _rows(sheet, [*rows, _total(rows, info.lang)], formats, total=True)
    _finish(sheet, len(_INDEX), len(rows), info.run_id, info.lang)
    if not leads.num_rows:
        return
    sheet = book.add_worksheet(say("sheet_leads", info.lang))
    _head(sheet, _LEADS, formats, say("title_leads", info.lang))
    columns = [
        [float(number) for number in range(1, leads.num_rows + 1)],
        severity_words(column_cells(leads, "severity"), info.lang),
        column_cells(leads, "rule_id"),
        column_cells(leads, f"message_{info.lang}"),
        *(column_cells(leads, name) for name in ("subject", "code", "place")),
    ]
    _rows(sheet, list(zip(*columns, strict=True)), formats)
    _finish(sheet, len(_LEADS), leads.num_rows, info.run_id, info.lang)
