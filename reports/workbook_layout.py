"""The columns of the workbook's sheets, and the writing of one table into a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.workbook_book import Formats
from reports.workbook_cells import Cell, line_counts
from reports.workbook_rows import CellColumn, write_rows
from reports.workbook_texts import say

TITLE_ROW, BAND_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2, 3
LINE_HEIGHT = 13.5
TABLE_FONT, TABLE_LINE = 11, 15
A4, A3 = 9, 8
CODES, LONGEST_CODE = ("credit_code", "observed", "expected", "place_id", "short_key"), 24
YELLOW = "#FFFFB3"
BAND_COLOURS = {
    "band_key": ("#BFBFBF", "#EDEDED"),
    "band_why": ("#F4B183", "#FBE5D6"),
    "band_who": ("#9DC3E6", "#DEEBF7"),
    "band_values": ("#A9D18E", "#E2F0D9"),
    "band_answer": ("#FFD966", "#FFF2CC"),
    "band_unit": ("#9DC3E6", "#DEEBF7"),
    "band_reason": ("#F4B183", "#FBE5D6"),
    "band_visit": ("#FFD966", "#FFF2CC"),
    "band_pair": ("#BFBFBF", "#EDEDED"),
    "band_name": ("#9DC3E6", "#DEEBF7"),
    "band_code": ("#A9D18E", "#E2F0D9"),
    "band_person": ("#9DC3E6", "#DEEBF7"),
    "band_phone": ("#A9D18E", "#E2F0D9"),
    "band_address": ("#9DC3E6", "#DEEBF7"),
    "band_record": ("#A9D18E", "#E2F0D9"),
    "band_matcher": ("#F4B183", "#FBE5D6"),
    "band_decision": ("#FFD966", "#FFF2CC"),
}


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column. `kind`: text, number, answer, date or hidden; `width` in characters."""

    key: str
    width: float
    kind: str
    band: str

    @property
    def is_answer(self) -> bool:
        """Whether the field team fills it in."""
        return self.kind in ("answer", "date")


FINDING_COLUMNS = (
    SheetColumn("no", 5, "number", "band_key"),
    SheetColumn("name", 20, "text", "band_key"),
    SheetColumn("severity", 7, "text", "band_why"),
    SheetColumn("state", 6, "text", "band_why"),
    SheetColumn("rule_id", 8, "text", "band_why"),
    SheetColumn("message", 27, "text", "band_why"),
    SheetColumn("clause", 8, "text", "band_why"),
    SheetColumn("first_run", 10, "text", "band_why"),
    SheetColumn("short_key", 9.5, "text", "band_why"),
    SheetColumn("unit_no", 5, "number", "band_who"),
    SheetColumn("township", 9, "text", "band_who"),
    SheetColumn("place_id", 15, "text", "band_who"),
    SheetColumn("credit_code", 20.5, "text", "band_who"),
    SheetColumn("related", 23, "text", "band_who"),
    SheetColumn("item", 12, "text", "band_values"),
    SheetColumn("observed", 20.5, "number", "band_values"),
    SheetColumn("expected", 20.5, "number", "band_values"),
    SheetColumn("difference", 10, "number", "band_values"),
    SheetColumn("same", 11, "text", "band_answer"),
    SheetColumn("result", 11, "answer", "band_answer"),
    SheetColumn("correction", 11, "answer", "band_answer"),
    SheetColumn("evidence", 9, "answer", "band_answer"),
    SheetColumn("explanation", 17, "answer", "band_answer"),
    SheetColumn("visitor", 7, "answer", "band_answer"),
    SheetColumn("date", 11, "date", "band_answer"),
    SheetColumn("finding_key", 34, "hidden", "band_answer"),
    SheetColumn("row_hash", 18, "hidden", "band_answer"),
    SheetColumn("township_code", 14, "hidden", "band_answer"),
)

UNIT_COLUMNS = (
    SheetColumn("no", 5, "number", "band_key"),
    SheetColumn("name", 26, "text", "band_key"),
    SheetColumn("credit_code", 20.5, "text", "band_unit"),
    SheetColumn("place_id", 15, "text", "band_unit"),
    SheetColumn("kind", 10, "text", "band_unit"),
    SheetColumn("township", 11, "text", "band_unit"),
    SheetColumn("address", 28, "text", "band_unit"),
    SheetColumn("phone", 14, "text", "band_unit"),
    SheetColumn("contact", 9, "text", "band_unit"),
    SheetColumn("enumerator", 14, "text", "band_unit"),
    SheetColumn("n_findings", 7, "number", "band_reason"),
    SheetColumn("n_fatal", 7, "number", "band_reason"),
    SheetColumn("reason", 28, "text", "band_reason"),
    SheetColumn("visit", 16, "answer", "band_visit"),
    SheetColumn("visit_note", 24, "answer", "band_visit"),
    SheetColumn("visitor", 8, "answer", "band_visit"),
    SheetColumn("date", 11, "date", "band_visit"),
)
FROZEN = 2
"""Columns that stay in sight: number and name."""


def position(columns: Sequence[SheetColumn], key: str) -> int:
    """Return the place of a column in its sheet, from 0."""
    return next(i for i, column in enumerate(columns) if column.key == key)


def last_visible(columns: Sequence[SheetColumn]) -> int:
    """Return the place of the last column that is not hidden."""
    return max(i for i, column in enumerate(columns) if column.kind != "hidden")


@dataclass(frozen=True, slots=True)
class _Look:
    text: Any
    code: Any
    whole: Any
    broken: Any


def _look(column: SheetColumn, formats: Formats) -> _Look:
    size: dict[str, Any] = {"font_size": TABLE_FONT}
    if column.is_answer:
        form = "yyyy-mm-dd" if column.kind == "date" else "@"
        cell = formats.text(bg_color=YELLOW, locked=False, num_format=form, **size)
        return _Look(cell, cell, cell, cell)
    if column.key in ("no", "unit_no"):
        centred = formats.number(align="center", shrink=True, **size)
        return _Look(centred, centred, centred, centred)
    middle = ("severity", "state", "rule_id", "clause", "short_key")
    align = "center" if column.key in middle else "left"
    # A number too wide for its column would print as ####, a code would break; they shrink instead.
    return _Look(
        formats.text(align=align, **size),
        formats.text(align=align, text_wrap=False, shrink=True, **size),
        formats.number(shrink=True, **size),
        formats.number(whole=False, shrink=True, **size),
    )


def _is_code(column: SheetColumn, text: str) -> bool:
    """Whether a text must stay on one line: a code, not a sentence."""
    return column.key in CODES and len(text) <= LONGEST_CODE and text.isascii() and " " not in text


def write_head(
    sheet: Any, columns: Sequence[SheetColumn], formats: Formats, title: str, lang: str
) -> None:
    """Write the title, the merged and coloured band titles, and the column heads."""
    last = last_visible(columns)
    big = formats.get(font_size=14, bold=True, align="left")
    sheet.set_row(TITLE_ROW, 26)
    sheet.write_string(TITLE_ROW, 0, title, big)
    for column, spec in enumerate(columns):
        hidden = {"hidden": True} if spec.kind == "hidden" else {}
        sheet.set_column(column, column, spec.width, None, hidden)
    sheet.set_row(BAND_ROW, 20)
    bands = list(dict.fromkeys(spec.band for spec in columns[: last + 1]))
    for band in bands:
        places = [i for i, spec in enumerate(columns[: last + 1]) if spec.band == band]
        look = formats.heading(BAND_COLOURS[band][0], font_size=11)
        if len(places) == 1:
            sheet.write_string(BAND_ROW, places[0], say(band, lang), look)
        else:
            sheet.merge_range(BAND_ROW, places[0], BAND_ROW, places[-1], say(band, lang), look)
    sheet.set_row(HEAD_ROW, 30)
    for column, spec in enumerate(columns):
        look = formats.heading(BAND_COLOURS[spec.band][1])
        sheet.write_string(HEAD_ROW, column, say(spec.key, lang), look)


def _looked(column: SheetColumn, values: Sequence[Cell], formats: Formats) -> CellColumn:
    """Return the cells of a column with their formats."""
    look = _look(column, formats)
    if (column.kind != "number" and column.key not in CODES) or column.key in ("no", "unit_no"):
        return CellColumn(values, look.text)
    return CellColumn(
        values,
        [
            look.text
            if value is None
            else (look.code if _is_code(column, value) else look.text)
            if isinstance(value, str)
            else (look.whole if value == int(value) else look.broken)
            for value in values
        ],
    )


def write_body(
    sheet: Any, columns: Sequence[SheetColumn], formats: Formats, cells: Sequence[Sequence[Cell]]
) -> int:
    """Write the rows of a table, one list of cells a column; return the last row used."""
    wrapped = [
        (values, spec.width * 0.95)
        for spec, values in zip(columns, cells, strict=True)
        if spec.kind == "text" or spec.key in ("observed", "expected")
    ]
    # Not every program fits rows to wrapped text by itself.
    heights = [TABLE_LINE * n_lines + 4 for n_lines in line_counts(wrapped)]
    looked = [_looked(spec, values, formats) for spec, values in zip(columns, cells, strict=True)]
    return write_rows(sheet, FIRST_ROW, heights, looked)


def finish_table(sheet: Any, columns: Sequence[SheetColumn], last_row: int) -> None:
    """Freeze, filter, protect and silence a sheet that holds one table."""
    last = last_visible(columns)
    sheet.freeze_panes(FIRST_ROW, FROZEN)
    sheet.autofilter(HEAD_ROW, 0, max(last_row, FIRST_ROW), last)
    sheet.ignore_errors(
        {"number_stored_as_text": f"A1:{_letter(len(columns) - 1)}{max(last_row, FIRST_ROW) + 1}"}
    )
    sheet.repeat_rows(BAND_ROW, HEAD_ROW)
    sheet.print_area(0, 0, max(last_row, FIRST_ROW), last)
    protect(sheet)


def protect(sheet: Any) -> None:
    """Guard a sheet against slips; there is no password, and filters and widths stay free."""
    free = ("autofilter", "format_columns", "format_rows", "sort")
    sheet.protect("", dict.fromkeys(free, True))


def page(sheet: Any, lang: str, footer: str, paper: int = A4, *, sign: str = "footer_sign") -> None:
    """Set up landscape, one page wide, with place, export id, page and signature below."""
    sheet.set_landscape()
    sheet.set_paper(paper)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.25, right=0.25, top=0.4, bottom=0.7)
    safe = footer.replace("&", "&&")
    pages, signed = say("footer_page", lang), say(sign, lang)
    sheet.set_footer(f"&L{safe}&C{pages}&R{signed}")


def list_rule(entries: Sequence[str], lang: str, where: str) -> dict[str, object]:
    """Return a dropdown that stops anything else.

    A list that is over 255 characters, or has a comma in it, comes from the range `where`.
    """
    short = len(",".join(entries)) <= 255 and not any("," in entry for entry in entries)
    return {
        "validate": "list",
        "source": list(entries) if short else where,
        "error_type": "stop",
        "error_title": say("stop_title", lang),
        "error_message": say("stop_text", lang),
    }


def _letter(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def cells_of(column: int, first: int, last: int) -> str:
    """Return an absolute range of one column; rows count from 0."""
    return f"${_letter(column)}${first + 1}:${_letter(column)}${last + 1}"
