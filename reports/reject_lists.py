"""The sheets of a reject workbook that are lists: instructions, summary, unread files, index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.model import Label
from reports.reject_texts import GUIDE, HEADS, OF_ROWS, SAVE_TOPIC, both, title
from reports.workbook_book import Formats
from reports.workbook_cells import Cell, clean_text, line_counts
from reports.workbook_layout import LINE_HEIGHT, page

BAND = "#DEEBF7"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLine:
    """One file and one reason. `rows` counts this sender's refused rows; -1 for a whole file.

    `numbers` names the data rows of confidential units and is empty for every other reason.
    `settled` rows are not asked about: files in `settled_by` brought their keys.
    """

    file: str
    table: Label
    delivered: int
    loaded: int
    refused: int
    reason: Label
    rows: int
    numbers: str = ""
    settled: int = 0
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that was refused as a whole."""

    file: str
    table: Label
    reason: Label
    how: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderLine:
    """A sender in the index; `book` is empty where nothing was refused."""

    key: str
    sender: Label
    n_files: int
    refused: int
    confidential: int
    unread: int
    settled: int
    book: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A file in the index: whose it is, its rows, the reason that most of them were refused for."""

    file: str
    table: Label
    sender: Label
    delivered: int
    loaded: int
    refused: int
    reason: Label
    settled: int = 0
    settled_by: str = ""


def _write(
    sheet: Any, formats: Formats, heading: str, keys: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Write a titled list; numbers are floats."""
    text, number = formats.text(), formats.number()
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, heading, formats.get(font_size=14, bold=True))
    sheet.set_row(1, 42)
    for column, key in enumerate(keys):
        label, width = HEADS[key]
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, both(label), formats.heading(BAND))
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else []
    wrapped = [(values, HEADS[key][1]) for key, values in zip(keys, columns, strict=False)]
    heights = line_counts(wrapped) if wrapped else []
    for row, (values, height) in enumerate(zip(rows, heights, strict=True), 2):
        sheet.set_row(row, LINE_HEIGHT * height + 4)
        for column, value in enumerate(values):
            if isinstance(value, float):
                sheet.write_number(row, column, value, number)
            else:
                sheet.write_string(row, column, clean_text(value or ""), text)
    sheet.freeze_panes(2, 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(rows) + 2}"})
    sheet.repeat_rows(1)
    page(sheet, "zh", "")


def write_guide(
    sheet: Any, formats: Formats, sender: Label, run_id: str, names: Sequence[tuple[str, str]]
) -> None:
    """Write what was refused and how to correct it, Chinese and English side by side.

    `names`: each sheet with the file name that it is to be saved by.
    """
    rows: list[list[Cell]] = [
        [both(Label("报送单位", "Sender")), sender.zh, sender.en],
        [both(Label("批次", "Run")), run_id, run_id],
    ]
    for topic, text in GUIDE if names else (line for line in GUIDE if line not in OF_ROWS):
        rows.append([both(topic), text.zh, text.en])
        if topic is SAVE_TOPIC:
            rows += [[sheet_name, name, name] for sheet_name, name in names]
    _write(sheet, formats, title("guide", sender), ("topic", "zh", "en"), rows)


def write_summary(
    sheet: Any, formats: Formats, sender: Label, lines: Sequence[SummaryLine]
) -> None:
    """Write a line for each file and reason; a file's own counts stand on its first line."""
    keys = (
        "file", "table", "delivered", "loaded", "refused", "reason", "rows", "settled",
        "settled_by", "numbers",
    )  # fmt: skip
    rows: list[list[Cell]] = []
    before = ""
    for line in lines:
        counts = (float(line.delivered), float(line.loaded), float(line.refused))
        shown: Sequence[Cell] = counts if line.file != before else (None, None, None)
        own = None if line.rows < 0 else float(line.rows)
        settled = (float(line.settled), line.settled_by) if line.settled else (None, "")
        rows.append(
            [line.file, both(line.table), *shown, both(line.reason), own, *settled, line.numbers]
        )
        before = line.file
    _write(sheet, formats, title("summary", sender), keys, rows)


def write_unread(sheet: Any, formats: Formats, sender: Label, files: Sequence[UnreadFile]) -> None:
    """Write the files that were refused as a whole, and what to do about each."""
    rows = [[f.file, both(f.table), both(f.reason), both(f.how)] for f in files]
    _write(sheet, formats, title("unread", sender), ("file", "table", "reason", "how"), rows)


def _counts(line: SenderLine) -> tuple[int, ...]:
    return line.n_files, line.refused, line.confidential, line.unread, line.settled


def write_senders(sheet: Any, formats: Formats, lines: Sequence[SenderLine], run_id: str) -> None:
    """Write a line for each sender, those with nothing refused included."""
    keys = ("sender", "n_files", "asked", "confidential", "unread", "settled", "book")
    rows: list[list[Cell]] = [
        [
            f"{line.key} {both(line.sender)}".strip(),
            *map(float, _counts(line)),
            line.book or "—",
        ]
        for line in lines
    ]
    _write(sheet, formats, title("senders", run=run_id), keys, rows)


def write_files(sheet: Any, formats: Formats, lines: Sequence[FileLine]) -> None:
    """Write a line for each delivered file."""
    keys = (
        "file", "table", "sender", "delivered", "loaded", "refused", "reason", "settled",
        "settled_by",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            line.file,
            both(line.table),
            both(line.sender),
            *map(float, (line.delivered, line.loaded, line.refused)),
            both(line.reason),
            float(line.settled) if line.settled else None,
            line.settled_by,
        ]
        for line in lines
    ]
    _write(sheet, formats, title("files"), keys, rows)
