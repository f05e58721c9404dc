"""What one workbook holds, and its two sheets to fill in: units and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from audit.model import Severity
from reports.workbook_book import Formats
from reports.workbook_cells import Cell, column_cells, row_hash
from reports.workbook_layout import (
    A3,
    FINDING_COLUMNS,
    FIRST_ROW,
    FROZEN,
    UNIT_COLUMNS,
    SheetColumn,
    cells_of,
    finish_table,
    list_rule,
    page,
    position,
    write_body,
    write_head,
)
from reports.workbook_texts import (
    EVIDENCE,
    RESULTS,
    VISITS,
    choices,
    say,
)

CODES_SHEET = "_代码"
ORANGE, GREEN = "#F8CBAD", "#C6EFCE"
SHORT_KEY = 8
"""Digits of a finding's key that are printed, to name it on the telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one workbook holds: a county, or a township of a county too large for one file."""

    code: str
    place: str
    export_id: str
    run_id: str
    issued: str
    rulebook_digest: str
    keys_digest: str
    lang: str
    townships: pa.Table
    units: pa.Table
    findings: pa.Table
    rules: pa.Table

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to verify."""
        return not self.units.num_rows and not self.findings.num_rows

    @property
    def n_random(self) -> int:
        """Return how many units are to be visited though nothing was found."""
        return sum(not count for count in column_cells(self.units, "n_findings"))

    @property
    def good_news(self) -> str:
        """What a workbook without findings says; units drawn at random are still to be visited."""
        key = "no_findings_random" if self.units.num_rows else "no_findings"
        return say(key, self.lang, units=self.units.num_rows)

    @property
    def footer(self) -> str:
        """What is printed below every page."""
        return f"{self.place}  {self.export_id}"

    def texts(self, table: pa.Table, name: str) -> list[Cell]:
        """Return a column, in this workbook's language where the table has both."""
        by_lang = f"{name}_{self.lang}"
        return column_cells(table, by_lang if by_lang in table.column_names else name)


def severity_words(codes: Sequence[Cell], lang: str) -> list[Cell]:
    """Return the plan's words for severities."""
    words = {s.value: s.zh if lang == "zh" else s.value for s in Severity}
    return [words.get(str(code), None if code is None else str(code)) for code in codes]


def _states(part: Part) -> list[Cell]:
    """Return the words for the states of the findings."""
    known = {"new", "persisting", "reopened"}
    states = column_cells(part.findings, "state")
    return [say(f"state_{s}", part.lang) if s in known else s for s in states]


def _numbers(rows: int) -> list[Cell]:
    return [float(number) for number in range(1, rows + 1)]


def _unit_numbers(part: Part) -> list[Cell]:
    keys = column_cells(part.units, "place_key")
    numbers = {key: float(number) for number, key in enumerate(keys, 1)}
    return [numbers.get(key) for key in column_cells(part.findings, "place_key")]


def _values(part: Part, name: str) -> list[Cell]:
    """Return a value as number where it is one, else as text."""
    numbers = column_cells(part.findings, f"{name}_number")
    texts = column_cells(part.findings, name)
    return [t if n is None else n for n, t in zip(numbers, texts, strict=True)]


def _table_cells(
    part: Part, table: pa.Table, columns: Sequence[SheetColumn], known: Mapping[str, list[Cell]]
) -> list[list[Cell]]:
    empty: list[Cell] = [None] * table.num_rows
    return [
        known[c.key] if c.key in known else empty if c.is_answer else part.texts(table, c.key)
        for c in columns
    ]


def finding_cells(part: Part) -> list[list[Cell]]:
    """Return the cells of the findings sheet, one list a column, row hashes included."""
    known: dict[str, list[Cell]] = {
        "no": _numbers(part.findings.num_rows),
        "unit_no": _unit_numbers(part),
        "severity": severity_words(column_cells(part.findings, "severity"), part.lang),
        "state": _states(part),
        "short_key": [str(key)[:SHORT_KEY] for key in column_cells(part.findings, "finding_key")],
        "observed": _values(part, "observed"),
        "expected": _values(part, "expected"),
        "row_hash": [],
    }
    cells = _table_cells(part, part.findings, FINDING_COLUMNS, known)
    locked = [
        values
        for column, values in zip(FINDING_COLUMNS, cells, strict=True)
        if column.kind in ("text", "number")
    ]
    cells[position(FINDING_COLUMNS, "row_hash")] = [
        row_hash(row) for row in zip(*locked, strict=True)
    ]
    return cells


def unit_cells(part: Part) -> list[list[Cell]]:
    """Return the cells of the units sheet, one list a column."""
    reasons = part.texts(part.units, "reason")
    random = say("random", part.lang)
    known: dict[str, list[Cell]] = {
        "no": _numbers(part.units.num_rows),
        "reason": [random if reason is None else reason for reason in reasons],
    }
    return _table_cells(part, part.units, UNIT_COLUMNS, known)


def _say_clean(sheet: Any, part: Part, formats: Formats) -> None:
    look = formats.get(font_size=14, bold=True, font_color="#00713A")
    sheet.write_string(FIRST_ROW, 0, part.good_news, look)


def _date_rule(lang: str) -> dict[str, object]:
    return {
        "validate": "date",
        "criteria": ">=",
        "value": "=DATE(2018,1,1)",
        "error_title": say("date_title", lang),
        "error_message": say("date_text", lang),
    }


def _hint(lang: str, title: str, text: str) -> dict[str, object]:
    return {"validate": "any", "input_title": say(title, lang), "input_message": say(text, lang)}


def write_units(sheet: Any, part: Part, formats: Formats) -> None:
    """Write a row for each unit to visit; one visit clears all its findings."""
    title = say("title_units", part.lang, place=part.place)
    write_head(sheet, UNIT_COLUMNS, formats, title, part.lang)
    last = write_body(sheet, UNIT_COLUMNS, formats, unit_cells(part))
    if last < FIRST_ROW:
        _say_clean(sheet, part, formats)
    else:
        entries = choices(VISITS, part.lang)
        where = f"='{CODES_SHEET}'!{cells_of(2, 1, len(VISITS))}"
        visit, date = (position(UNIT_COLUMNS, key) for key in ("visit", "date"))
        sheet.data_validation(FIRST_ROW, visit, last, visit, list_rule(entries, part.lang, where))
        sheet.data_validation(FIRST_ROW, date, last, date, _date_rule(part.lang))
        note = position(UNIT_COLUMNS, "visit_note")
        hint = _hint(part.lang, "visit_title", "visit_text")
        sheet.data_validation(FIRST_ROW, note, last, note, hint)
        _ask(sheet, formats, _Asked(visit, note, "7", last))
    finish_table(sheet, UNIT_COLUMNS, last)
    page(sheet, part.lang, part.footer, A3)


def _finding_rules(sheet: Any, part: Part, last: int) -> None:
    at = {c.key: i for i, c in enumerate(FINDING_COLUMNS)}
    lists = (("result", RESULTS, 0), ("evidence", EVIDENCE, 1))
    for key, labels, column in lists:
        where = f"='{CODES_SHEET}'!{cells_of(column, 1, len(labels))}"
        rule = list_rule(choices(labels, part.lang), part.lang, where)
        sheet.data_validation(FIRST_ROW, at[key], last, at[key], rule)
    sheet.data_validation(FIRST_ROW, at["date"], last, at["date"], _date_rule(part.lang))
    for key, title, text in (
        ("correction", "correct_title", "correct_text"),
        ("explanation", "explain_title", "explain_text"),
    ):
        sheet.data_validation(FIRST_ROW, at[key], last, at[key], _hint(part.lang, title, text))


def _finding_marks(sheet: Any, part: Part, formats: Formats, last: int) -> None:
    at = {c.key: i for i, c in enumerate(FINDING_COLUMNS)}
    fatal = formats.book.add_format({"font_color": "#C00000", "bold": True})
    sheet.conditional_format(
        FIRST_ROW,
        at["severity"],
        last,
        at["severity"],
        {
            "type": "cell",
            "criteria": "==",
            "value": f'"{severity_words(["fatal"], part.lang)[0]}"',
            "format": fatal,
        },
    )
    for state, colour in (("new", GREEN), ("reopened", ORANGE)):
        mark = formats.book.add_format({"bg_color": colour})
        word = say(f"state_{state}", part.lang)
        rule = {
            "type": "formula",
            "criteria": f'=${_first(at["state"])}="{word}"',
            "format": mark,
        }
        sheet.conditional_format(FIRST_ROW, 0, last, FROZEN - 1, rule)
        sheet.conditional_format(FIRST_ROW, at["state"], last, at["state"], rule)
    for key, digits in (("correction", "24"), ("explanation", "1")):
        _ask(sheet, formats, _Asked(at["result"], at[key], digits, last))


@dataclass(frozen=True, slots=True)
class _Asked:
    """An answer in column `own` that a result with one of `digits` in `result` asks for."""

    result: int
    own: int
    digits: str
    last: int


def _first(column: int) -> str:
    """Return the first cell of a column without dollar signs."""
    return cells_of(column, FIRST_ROW, FIRST_ROW).split(":")[0].replace("$", "")


def _ask(sheet: Any, formats: Formats, asked: _Asked) -> None:
    """Colour an answer that is asked for and still empty."""
    missing = formats.book.add_format({"bg_color": ORANGE})
    tests = ",".join(f'LEFT(${_first(asked.result)},1)="{digit}"' for digit in asked.digits)
    criteria = f'=AND(OR({tests}),{_first(asked.own)}="")'
    rule = {"type": "formula", "criteria": criteria, "format": missing}
    sheet.conditional_format(FIRST_ROW, asked.own, asked.last, asked.own, rule)


def write_findings(sheet: Any, part: Part, formats: Formats) -> int:
    """Write a row for each finding: number, name, four bands; return the last row used."""
    title = say("title_findings", part.lang, place=part.place)
    write_head(sheet, FINDING_COLUMNS, formats, title, part.lang)
    last = write_body(sheet, FINDING_COLUMNS, formats, finding_cells(part))
    if last < FIRST_ROW:
        _say_clean(sheet, part, formats)
    else:
        _finding_rules(sheet, part, last)
        _finding_marks(sheet, part, formats, last)
    finish_table(sheet, FINDING_COLUMNS, last)
    page(sheet, part.lang, part.footer, A3)
    return last
