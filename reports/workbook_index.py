"""The index of a run's workbooks, and what no county answers, for the city office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from audit.contracts import CONTRACT
from reports.workbook_book import Formats, WorkbookInfo
from reports.workbook_cells import Cell, column_cells, line_counts
from reports.workbook_layout import LINE_HEIGHT, page, protect
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
_BESIDE = (
    ("no", 6),
    ("severity", 10),
    ("rule_id", 10),
    ("message", 70),
    ("subject", 26),
    ("code", 15),
    ("place", 30),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexData:
    """What the index shows: `rows` a line each workbook, `draws` as in `audit.task_draw`.

    `leads` and `conclusions` have severity, rule_id, message in both languages, subject, code,
    place.
    """

    rows: Sequence[Sequence[Cell]]
    leads: pa.Table
    conclusions: pa.Table
    draws: pa.Table


def _head(sheet: Any, columns: Sequence[tuple[str, float]], formats: Formats, title: str) -> None:
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, title, formats.get(font_size=14, bold=True))
    sheet.set_row(1, 24)
    for column, (key, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, say(key, formats.lang), formats.heading("#DEEBF7"))


def _heights(rows: Sequence[Sequence[Cell]], widths: Sequence[float]) -> list[float]:
    """Return heights that show every text in full; not every program fits rows by itself."""
    cells = zip(*rows, strict=True)
    columns = [(list(values), width * 0.95) for values, width in zip(cells, widths, strict=True)]
    return [max(30.0, LINE_HEIGHT * n + 4) for n in line_counts(columns)]


def _rows(
    sheet: Any,
    rows: Sequence[Sequence[Cell]],
    widths: Sequence[float],
    formats: Formats,
    *,
    total: bool = False,
) -> None:
    """Write the rows; with `total`, the last one stands out."""
    text, number = formats.text(), formats.number()
    heights = _heights(rows, widths)
    for row, values in enumerate(rows, 2):
        if total and row == len(rows) + 1:
            look: dict[str, Any] = {"bold": True, "bg_color": "#F2F2F2"}
            text, number = formats.text(**look), formats.number(**look)
        sheet.set_row(row, heights[row - 2])
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


def _notes(sheet: Any, data: IndexData, formats: Formats) -> None:
    """Say below the total how many units the draws wanted and got, and what stands elsewhere."""
    lang, row = formats.lang, len(data.rows) + 4
    for draw, people, wanted, drawn in zip(
        *(column_cells(data.draws, name) for name in ("draw", "n_people", "n_wanted", "n_drawn")),
        strict=True,
    ):
        name = CONTRACT.label("task_draw", str(draw))
        key = "index_draw" if people is None else "index_draw_people"
        counts = {"people": people or 0, "wanted": wanted or 0, "drawn": drawn or 0}
        told = {k: f"{v:,.0f}" for k, v in counts.items()}
        words = name.zh if lang == "zh" else name.en
        sheet.write_string(row, 0, say(key, lang, draw=words, **told), formats.get())
        row += 1
    beside = {"leads": data.leads.num_rows, "conclusions": data.conclusions.num_rows}
    if any(beside.values()):
        sheet.write_string(row, 0, say("index_beside", lang, **beside), formats.get())


def _beside(book: Any, name: str, found: pa.Table, info: WorkbookInfo) -> None:
    """Write what no county answers on a sheet of its own, when there is any."""
    if not found.num_rows:
        return
    formats = Formats(book, info.lang)
    sheet = book.add_worksheet(say(f"sheet_{name}", info.lang))
    _head(sheet, _BESIDE, formats, say(f"title_{name}", info.lang))
    columns = [
        [float(number) for number in range(1, found.num_rows + 1)],
        severity_words(column_cells(found, "severity"), info.lang),
        column_cells(found, "rule_id"),
        column_cells(found, f"message_{info.lang}"),
        *(column_cells(found, name) for name in ("subject", "code", "place")),
    ]
    widths = [width for _, width in _BESIDE]
    _rows(sheet, list(zip(*columns, strict=True)), widths, formats)
    _finish(sheet, len(_BESIDE), found.num_rows, info.run_id, info.lang)


def write_index(book: Any, data: IndexData, info: WorkbookInfo) -> None:
    """Write a line for each workbook: place, units, findings by severity, file, SHA-256.

    Their sum and how random visits were drawn stand below; conclusions and leads follow on sheets
    of their own, when there are any.
    """
    formats = Formats(book, info.lang)
    sheet = book.add_worksheet(say("sheet_index", info.lang))
    _head(sheet, _INDEX, formats, say("title_index", info.lang, run=info.run_id))
    rows = [*data.rows, _total(data.rows, info.lang)]
    _rows(sheet, rows, [width for _, width in _INDEX], formats, total=True)
    _notes(sheet, data, formats)
    _finish(sheet, len(_INDEX), len(data.rows), info.run_id, info.lang)
    _beside(book, "conclusions", data.conclusions, info)
    _beside(book, "leads", data.leads, info)
