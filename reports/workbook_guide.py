"""The sheets around the tables: instructions, summary by township, and the hidden ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from reports.workbook_book import Formats
from reports.workbook_cells import Cell, column_cells, line_counts
from reports.workbook_layout import (
    FINDING_COLUMNS,
    FIRST_ROW,
    LINE_HEIGHT,
    cells_of,
    page,
    position,
    protect,
)
from reports.workbook_sheets import Part, severity_words
from reports.workbook_texts import (
    EVIDENCE,
    EXAMPLES,
    RESULT_RULES,
    RESULTS,
    VISITS,
    choices,
    say,
)

BLUE, GREY = "#DEEBF7", "#F2F2F2"
SUMMARY_COLUMNS = (
    ("township_code", 15),
    ("township", 24),
    ("units", 10),
    ("units_visit", 12),
    ("units_flagged", 10),
    ("units_random", 10),
    ("fatal", 10),
    ("query", 10),
    ("info", 10),
    ("total", 10),
    ("answered", 11),
    ("outstanding", 11),
)
ANSWERED = 10
"""Place of the column that counts the answers, behind the total of findings."""

_COUNTS = (
    "n_units",
    "n_visit",
    "n_flagged",
    "n_random",
    "n_fatal",
    "n_query",
    "n_info",
    "n_findings",
)
_WIDTHS = (10, 24, 9, 10, 12, 38, 38)
_LAST = len(_WIDTHS) - 1


class _Lines:
    """Writes the instruction sheet line by line; a merged cell needs its height told."""

    def __init__(self, sheet: Any, formats: Formats) -> None:
        self.sheet, self.formats, self.row = sheet, formats, 0

    def skip(self) -> None:
        """Leave a little room."""
        self.sheet.set_row(self.row, 8)
        self.row += 1

    def wide(self, text: str, height: float = 18, **look: object) -> None:
        """Write one text over the whole width."""
        cell = self.formats.get(text_wrap=True, **look)
        self.sheet.set_row(self.row, height)
        self.sheet.merge_range(self.row, 0, self.row, _LAST, text, cell)
        self.row += 1

    def heading(self, text: str) -> None:
        """Write the heading of a block."""
        self.skip()
        self.wide(text, 20, bold=True, font_size=12, bg_color=BLUE, border=1)

    def cells(self, spans: Sequence[tuple[str, int, int]], height: float, **look: object) -> None:
        """Write bordered texts, each over the columns `first` to `last`."""
        cell = self.formats.text(**look)
        self.sheet.set_row(self.row, height)
        for text, first, last in spans:
            if first == last:
                self.sheet.write_string(self.row, first, text, cell)
            else:
                self.sheet.merge_range(self.row, first, self.row, last, text, cell)
        self.row += 1


def _facts(part: Part) -> list[tuple[str, str]]:
    due = max((str(day) for day in column_cells(part.units, "due_on") if day), default="")
    counts = say(
        "guide_counts_value",
        part.lang,
        units=part.units.num_rows,
        flagged=part.units.num_rows - part.n_random,
        random=part.n_random,
        findings=part.findings.num_rows,
    )
    return [
        (say("guide_place", part.lang), f"{part.place}（{part.code}）"),
        (say("guide_run", part.lang), part.run_id),
        (say("guide_issued", part.lang), part.issued),
        (say("guide_who", part.lang), say("guide_who_value", part.lang)),
        (say("guide_export", part.lang), part.export_id),
        (say("guide_rules", part.lang), part.rulebook_digest[:12]),
        (say("guide_counts", part.lang), counts),
        (say("guide_due", part.lang), due or say("guide_due_none", part.lang)),
    ]


def _how(lines: _Lines, part: Part) -> None:
    lang = part.lang
    lines.heading(say("guide_how", lang))
    for number in range(1, 9):
        lines.wide(say(f"guide_how_{number}", lang), 17)
    lines.wide(say("guide_visits", lang, codes="　".join(choices(VISITS, lang))), 31)
    if part.n_random:
        lines.heading(say("guide_random", lang))
        for number in range(1, 4):
            lines.wide(say(f"guide_random_{number}", lang), 17)


def _answers(lines: _Lines, part: Part) -> None:
    lang = part.lang
    lines.heading(say("guide_results", lang))
    for result, rule in zip(choices(RESULTS, lang), choices(RESULT_RULES, lang), strict=True):
        lines.cells([(result, 0, 1), (rule, 2, _LAST)], 18)
    lines.heading(say("guide_examples", lang))
    keys = ("message", "result", "correction", "evidence", "explanation")
    places = ((0, 1), (2, 3), (4, 4), (5, 5), (6, 6))
    heads = [(say(key, lang), *place) for key, place in zip(keys, places, strict=True)]
    lines.cells(heads, 18, bold=True, bg_color=GREY)
    for example in EXAMPLES:
        texts = choices(example, lang)
        lines.cells([(t, *place) for t, place in zip(texts, places, strict=True)], 18)


def _rules(lines: _Lines, part: Part) -> None:
    used = part.rules.filter(pc.is_in(part.rules["rule_id"], part.findings["rule_id"].unique()))
    lines.heading(say("guide_rulelist", part.lang))
    keys = ("rule_id", "title", "severity", "clause", "verify", "false_positives")
    places = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 5), (6, 6))
    heads = [(say(key, part.lang), *place) for key, place in zip(keys, places, strict=True)]
    lines.cells(heads, 18, bold=True, bg_color=GREY)
    columns = [
        column_cells(used, "rule_id"),
        part.texts(used, "title"),
        severity_words(column_cells(used, "severity"), part.lang),
        column_cells(used, "clause"),
        part.texts(used, "verify"),
        part.texts(used, "false_positives"),
    ]
    heights = line_counts([(columns[1], 24), (columns[4], 50), (columns[5], 38)])
    for n_lines, *row in zip(heights, *columns, strict=True):
        texts = [str(text or "") for text in row]
        spans = [(t, *p) for t, p in zip(texts, places, strict=True)]
        lines.cells(spans, LINE_HEIGHT * n_lines + 5)


def write_guide(sheet: Any, part: Part, formats: Formats) -> None:
    """Write who, when and how: facts of the export, answer codes, examples, rules, secrecy."""
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    lines = _Lines(sheet, formats)
    lines.wide(
        say("title_guide", part.lang, place=part.place), 32, bold=True, font_size=18, align="center"
    )
    if not part.findings.num_rows:
        lines.wide(part.good_news, 30, bold=True, font_size=14, font_color="#00713A")
    for label, value in _facts(part):
        lines.cells([(label, 0, 0), (value, 1, _LAST)], 18)
    if not part.is_clean:
        _how(lines, part)
    if part.findings.num_rows:
        _answers(lines, part)
        _rules(lines, part)
        lines.skip()
        lines.wide(say("guide_plan", part.lang), 17)
    lines.skip()
    lines.wide(say("guide_secret", part.lang), 24, bold=True, font_color="#C00000")
    protect(sheet)
    page(sheet, part.lang, part.footer)


@dataclass(frozen=True, slots=True)
class _Townships:
    """The rows of the summary by township; `same`: findings of each answered in another's row."""

    sheet: Any
    part: Part
    formats: Formats
    same: Mapping[Cell, int]

    def write(self, row: int, values: Sequence[Cell]) -> None:
        """Write one township: answered by COUNTIFS over the findings, outstanding by difference."""
        last = FIRST_ROW + max(self.part.findings.num_rows, 1) - 1
        name = say("sheet_findings", self.part.lang)
        township, result, same = (
            f"'{name}'!{cells_of(position(FINDING_COLUMNS, key), FIRST_ROW, last)}"
            for key in ("township_code", "result", "same")
        )
        sheet, number = self.sheet, self.formats.number()
        code, place, *counts = values
        sheet.write_string(row, 0, str(code or ""), self.formats.text())
        sheet.write_string(row, 1, str(place or ""), self.formats.text())
        for column, count in enumerate(counts, 2):
            sheet.write_number(row, column, count or 0, number)
        answered = f'=COUNTIFS({township},A{row + 1},{result},"<>")'
        sheet.write_formula(row, ANSWERED, answered, number, 0)
        outstanding = f"=J{row + 1}-K{row + 1}"
        if n_same := self.same.get(code, 0):
            outstanding += f'-SUMPRODUCT(({township}=A{row + 1})*({same}<>"")*({result}=""))'
        left = float(counts[-1] or 0) - n_same
        sheet.write_formula(row, ANSWERED + 1, outstanding, number, left)


def _asked_elsewhere(part: Part) -> Counter[Cell]:
    """Return by township how many findings are answered in the row of another one."""
    codes = column_cells(part.findings, "township_code")
    marks = part.texts(part.findings, "same")
    return Counter(code for code, mark in zip(codes, marks, strict=True) if mark is not None)


def _summary_total(
    sheet: Any, row: int, counts: Sequence[list[Cell]], part: Part, formats: Formats
) -> None:
    bold = formats.number(bold=True, bg_color=GREY)
    sheet.write_string(row, 0, say("total", part.lang), formats.text(bold=True, bg_color=GREY))
    sheet.write_blank(row, 1, None, formats.text(bg_color=GREY))
    sums = [sum(float(value or 0) for value in values) for values in counts]
    n_same = sum(mark is not None for mark in part.texts(part.findings, "same"))
    for column, value in enumerate([*sums, 0.0, sums[-1] - n_same], 2):
        letter = "ABCDEFGHIJKL"[column]
        formula = f"=SUM({letter}3:{letter}{row})" if row > 2 else "=0"
        sheet.write_formula(row, column, formula, bold, value)


def write_summary(sheet: Any, part: Part, formats: Formats) -> None:
    """Write the table by township: units, findings by severity, answered, outstanding."""
    big = formats.get(font_size=14, bold=True)
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, say("title_summary", part.lang, place=part.place), big)
    sheet.set_row(1, 24)
    for column, (key, width) in enumerate(SUMMARY_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, say(key, part.lang), formats.heading(BLUE))
    keys = [column_cells(part.townships, name) for name in ("township_code", "township")]
    counts = [column_cells(part.townships, name) for name in _COUNTS]
    townships = _Townships(sheet, part, formats, _asked_elsewhere(part))
    for row, values in enumerate(zip(*keys, *counts, strict=True), 2):
        townships.write(row, values)
    rows = part.townships.num_rows
    _summary_total(sheet, rows + 2, counts, part, formats)
    sheet.freeze_panes(2, 2)
    sheet.ignore_errors({"number_stored_as_text": f"A1:A{rows + 3}"})
    sheet.repeat_rows(1)
    protect(sheet)
    page(sheet, part.lang, part.footer)


def write_codes(sheet: Any, part: Part) -> None:
    """Write the answer lists, for dropdowns and for those who collect the answers."""
    lists = [
        [say(key, part.lang), *choices(labels, part.lang)]
        for key, labels in (("result", RESULTS), ("evidence", EVIDENCE), ("visit", VISITS))
    ]
    for row in range(max(map(len, lists))):
        for column, entries in enumerate(lists):
            if row < len(entries):
                sheet.write_string(row, column, entries[row])
    sheet.protect("")
    sheet.very_hidden()


def write_meta(sheet: Any, part: Part) -> None:
    """Write what identifies the export when the workbook comes back."""
    facts = {
        "format": "1",
        "export_id": part.export_id,
        "run_id": part.run_id,
        "rulebook_digest": part.rulebook_digest,
        "region_code": part.code,
        "place": part.place,
        "language": part.lang,
        "findings": str(part.findings.num_rows),
        "units": str(part.units.num_rows),
        "keys_digest": part.keys_digest,
        "first_row": str(FIRST_ROW + 1),
        "columns": "|".join(column.key for column in FINDING_COLUMNS),
    }
    for row, (key, value) in enumerate(facts.items()):
        sheet.write_string(row, 0, key)
        sheet.write_string(row, 1, value)
    sheet.protect("")
    sheet.very_hidden()
