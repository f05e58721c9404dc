"""The columns of the workbook's sheets, and the writing of one table into a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.workbook_book import Formats
from reports.workbook_cells import Cell, line_counts
from reports.workbook_texts import say

TITLE_ROW, BAND_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2, 3
LINE_HEIGHT = 13.5
YELLOW = "#FFFFB3"
BAND_COLOURS = {
    "band_why": ("#F4B183", "#FBE5D6"),
    "band_who": ("#9DC3E6", "#DEEBF7"),
    "band_values": ("#A9D18E", "#E2F0D9"),
    "band_answer": ("#FFD966", "#FFF2CC"),
    "band_unit": ("#9DC3E6", "#DEEBF7"),
    "band_reason": ("#F4B183", "#FBE5D6"),
    "band_visit": ("#FFD966", "#FFF2CC"),
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
    SheetColumn("no", 5, "number", "band_why"),
    SheetColumn("severity", 7, "text", "band_why"),
    SheetColumn("rule_id", 7.5, "text", "band_why"),
    SheetColumn("message", 30, "text", "band_why"),
    SheetColumn("clause", 7.5, "text", "band_why"),
    SheetColumn("unit_no", 5, "number", "band_who"),
    SheetColumn("township", 10, "text", "band_who"),
    SheetColumn("place_id", 10.5, "text", "band_who"),
    SheetColumn("credit_code", 19.5, "text", "band_who"),
    SheetColumn("name", 20, "text", "band_who"),
    SheetColumn("related", 18, "text", "band_who"),
    SheetColumn("item", 12, "text", "band_values"),
    SheetColumn("observed", 11, "number", "band_values"),
    SheetColumn("expected", 11, "number", "band_values"),
    SheetColumn("difference", 11, "number", "band_values"),
    SheetColumn("result", 12, "answer", "band_answer"),
    SheetColumn("correction", 10.5, "answer", "band_answer"),
    SheetColumn("evidence", 9.5, "answer", "band_answer"),
    SheetColumn("explanation", 19, "answer", "band_answer"),
    SheetColumn("visitor", 7.5, "answer", "band_answer"),
    SheetColumn("date", 10.5, "date", "band_answer"),
    SheetColumn("finding_key", 34, "hidden", "band_answer"),
    SheetColumn("row_hash", 18, "hidden", "band_answer"),
    SheetColumn("township_code", 14, "hidden", "band_answer"),
)

UNIT_COLUMNS = (
    SheetColumn("no", 5, "number", "band_unit"),
    SheetColumn("credit_code", 20, "text", "band_unit"),
    SheetColumn("name", 28, "text", "band_unit"),
    SheetColumn("place_id", 10.5, "text", "band_unit"),
    SheetColumn("kind", 10, "text", "band_unit"),
    SheetColumn("township", 12, "text", "band_unit"),
    SheetColumn("address", 30, "text", "band_unit"),
    SheetColumn("phone", 14, "text", "band_unit"),
    SheetColumn("contact", 9, "text", "band_unit"),
    SheetColumn("enumerator", 15, "text", "band_unit"),
    SheetColumn("n_findings", 7, "number", "band_reason"),
    SheetColumn("n_fatal", 7, "number", "band_reason"),
    SheetColumn("reason", 24, "text", "band_reason"),
    SheetColumn("visit", 15, "answer", "band_visit"),
    SheetColumn("visitor", 9, "answer", "band_visit"),
    SheetColumn("date", 11, "date", "band_visit"),
)


def position(columns: Sequence[SheetColumn], key: str) -> int:
    """Return the place of a column in its sheet, from 0."""
    return next(i for i, column in enumerate(columns) if column.key == key)


def last_visible(columns: Sequence[SheetColumn]) -> int:
    """Return the place of the last column that is not hidden."""
    return max(i for i, column in enumerate(columns) if column.kind != "hidden")


@dataclass(frozen=True, slots=True)
class _Look:
    text: Any
    whole: Any
    broken: Any


def _look(column: SheetColumn, formats: Formats) -> _Look:
    if column.kind == "answer":
        cell = formats.text(bg_color=YELLOW, locked=False)
        return _Look(cell, cell, cell)
    if column.kind == "date":
        cell = formats.text(bg_color=YELLOW, locked=False, num_format="yyyy-mm-dd")
        return _Look(cell, cell, cell)
    if column.key in ("no", "unit_no"):
        centred = formats.number(align="center")
        return _Look(centred, centred, centred)
    align = "center" if column.key in ("severity", "rule_id", "clause") else "left"
    # A number too wide for its column would print as ####; it shrinks instead.
    whole = formats.number(shrink=True)
    return _Look(formats.text(align=align), whole, formats.number(whole=False, shrink=True))


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
        sheet.merge_range(BAND_ROW, places[0], BAND_ROW, places[-1], say(band, lang), look)
    sheet.set_row(HEAD_ROW, 30)
    for column, spec in enumerate(columns):
        look = formats.heading(BAND_COLOURS[spec.band][1])
        sheet.write_string(HEAD_ROW, column, say(spec.key, lang), look)


def write_body(
    sheet: Any, columns: Sequence[SheetColumn], formats: Formats, cells: Sequence[Sequence[Cell]]
) -> int:
    """Write the rows of a table, one list of cells a column; return the last row used."""
    looks = [_look(column, formats) for column in columns]
    wrapped = [
        (values, spec.width)
        for spec, values in zip(columns, cells, strict=True)
        if spec.kind == "text" or spec.key in ("observed", "expected")
    ]
    row = HEAD_ROW
    lines = line_counts(wrapped)
    for row, (n_lines, *values) in enumerate(zip(lines, *cells, strict=True), FIRST_ROW):
        # Not every program fits rows to wrapped text by itself.
        sheet.set_row(row, LINE_HEIGHT * n_lines + 4)
        for column, value in enumerate(values):
            look = looks[column]
            if value is None:
                sheet.write_blank(row, column, None, look.text)
            elif isinstance(value, str):
                sheet.write_string(row, column, value, look.text)
            else:
                number = look.whole if value == int(value) else look.broken
                sheet.write_number(row, column, value, number)
    return row


def finish_table(sheet: Any, columns: Sequence[SheetColumn], last_row: int, frozen: int) -> None:
    """Freeze, filter, protect and silence a sheet that holds one table."""
    last = last_visible(columns)
    sheet.freeze_panes(FIRST_ROW, frozen)
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


def page(sheet: Any, lang: str, footer: str) -> None:
    """Set up A4 landscape, one page wide, with place, export id, page and signature below."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.3, right=0.3, top=0.4, bottom=0.7)
    safe = footer.replace("&", "&&")
    pages, sign = say("footer_page", lang), say("footer_sign", lang)
    sheet.set_footer(f"&L{safe}&C{pages}&R{sign}")


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
