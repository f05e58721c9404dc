"""Reject workbooks (退回表): for each sender what was refused, why, and how to put it right.

A table's sheet holds the refused rows as delivered, all text, with the reason in front and the
faulty cells in colour. Corrected and saved as a workbook of its own it is a delivery again: title
rows above the header are passed over, and the columns in front are none of the contract's.
Nothing delivered ever becomes a formula, a link or a number; the same input gives the same bytes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from audit.model import Label
from reports.reject_lists import (
    FileLine,
    SenderLine,
    SummaryLine,
    UnreadFile,
    write_files,
    write_guide,
    write_senders,
    write_summary,
    write_unread,
)
from reports.reject_texts import (
    CUT,
    INDEX_FILE,
    OWN_COLUMNS,
    SHEETS,
    TITLES,
    TORN,
    both,
    title,
)
from reports.workbook_book import Formats, WorkbookInfo, open_book
from reports.workbook_cells import MAX_TEXT, clean_text, clean_texts, line_counts, safe_name
from reports.workbook_layout import LINE_HEIGHT, page
from reports.workbook_rows import CellColumn, write_rows

HEAD_ROW = 2
"""Below the title and an empty row."""
SHEET_ROWS = 1_048_576
"""Rows that a sheet can hold, its head included."""
SHEET_NAME = 31
BATCH = 2_000
BETWEEN = " ｜ "
RED, BAND, OWN = "#FFC7CE", "#DEEBF7", "#FFF2CC"
FROZEN = 2
"""Columns of the key that stay in sight, at most."""
KEY_WIDTH, CELL_WIDTH, PAGE_WIDTH = 20, 16, 170
"""In characters; a page of that many can still be read."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class RejectRow:
    """One refused row. `cells` stand under the sheet's header; `faulty` are their places.

    `torn`: the cells as they came, where they may stand under wrong heads; else nothing.
    """

    reason: Label
    columns: str
    how: Label
    file: str
    row: int
    cells: Sequence[str | None]
    faulty: frozenset[int]
    torn: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RejectSheet:
    """The refused rows of one table and header, in the order shown. `rows` is read once.

    `header` begins with the key, `n_keys` columns; those after the first `shown` are right in every
    row that is not torn, and folded away: a torn row is told in one cell then. `save_as` begins the
    name of the corrected sheet's file.
    """

    table: str
    header: tuple[str, ...]
    rows: Iterable[RejectRow]
    n_keys: int
    shown: int
    save_as: str

    def file_name(self, part: int) -> str:
        """Return the name for the corrected sheet: no two senders', nor two corrections', alike."""
        return f"{self.save_as}{f'_{part}' if part > 1 else ''}_更正.xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectBook:
    """All that goes back to one sender. `key` is the beginning of the workbook's name."""

    key: str
    sender: Label
    summary: Sequence[SummaryLine]
    unread: Sequence[UnreadFile]
    sheets: Sequence[RejectSheet]


def book_name(key: str, sender: Label, run_id: str) -> str:
    """Return the file name of a sender's workbook: `退回表_<key>_<sender>_<run>.xlsx`."""
    parts = [key, safe_name(clean_text(sender.zh)), safe_name(run_id)]
    return "_".join(["退回表", *filter(None, parts)]) + ".xlsx"


def sender_name(key: str, sender: Label) -> str:
    """Return a sender for the name of a file: its key, then its own name."""
    return f"{key}{safe_name(clean_text(sender.zh))}"


class _Names:
    """Sheet names that every spreadsheet program takes, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def next(self, wanted: str) -> str:
        """Return `wanted` cut to size, numbered where it is taken."""
        base = _FORBIDDEN.sub("", wanted).strip() or "表"
        number, name = 1, base[:SHEET_NAME]
        while name.casefold() in self._taken:
            number += 1
            end = f" ({number})"
            name = base[: SHEET_NAME - len(end)] + end
        self._taken.add(name.casefold())
        return name


def _texts(values: Sequence[str | None]) -> list[str | None]:
    """Return texts as cells show them, also those that are no Unicode text."""
    try:
        return clean_texts(pl.Series(values, dtype=pl.String)).to_list()
    except UnicodeEncodeError:
        whole = [v and v.encode("utf-8", "backslashreplace").decode() for v in values]
        return clean_texts(pl.Series(whole, dtype=pl.String)).to_list()


def _fits(text: str | None) -> str | None:
    """Cut a text whose characters beyond the first plane make it too long for a cell."""
    if text is None or len(text) * 2 <= MAX_TEXT or len(text.encode("utf-16-le")) <= MAX_TEXT * 2:
        return text
    return text.encode("utf-16-le")[: MAX_TEXT * 2].decode("utf-16-le", "ignore") + "…"


class _TableSheets:
    """Writes one `RejectSheet`, on several sheets where one cannot hold it.

    The key stands in front, then what was refused and why, then the sender's other columns.
    """

    def __init__(self, book: Any, formats: Formats, names: _Names, source: RejectSheet) -> None:
        self.book, self.formats, self.names, self.source = book, formats, names, source
        self.cell = formats.text(text_wrap=False)
        self.faulty = formats.text(text_wrap=False, bg_color=RED)
        self.own = formats.text(bg_color="#FFFBEB")
        self.sheet: Any = None
        self.row = SHEET_ROWS
        self.part = 0

    def write(self) -> None:
        """Write all rows."""
        rows = iter(self.source.rows)
        while batch := list(islice(rows, BATCH)):
            self._write_batch(batch)
        self._finish()

    def _place(self, cell: int) -> int:
        """Return the column of one of the sender's own cells."""
        return cell if cell < self.source.n_keys else cell + len(OWN_COLUMNS)

    def _write_batch(self, batch: Sequence[RejectRow]) -> None:
        while batch:
            if self.row >= SHEET_ROWS:
                self._open()
            room = SHEET_ROWS - self.row
            self._write_rows(batch[:room])
            batch = batch[room:]

    def _write_rows(self, batch: Sequence[RejectRow]) -> None:
        files = [file or "" for file in _texts([line.file for line in batch])]
        hows = [self._how(line) for line in batch]
        reasons, columns = [both(line.reason) for line in batch], [line.columns for line in batch]
        wrapped = (reasons, columns, hows, files)
        widths = [width - 1 for _, width in OWN_COLUMNS]
        heights = line_counts(list(zip(wrapped, widths, strict=False)))
        own = [
            CellColumn(values, self.own) for values in (*wrapped, [str(line.row) for line in batch])
        ]
        cells = self._cells(batch)
        n_keys = self.source.n_keys
        self.row = 1 + write_rows(
            self.sheet,
            self.row,
            [LINE_HEIGHT * height + 4 for height in heights],
            [*cells[:n_keys], *own, *cells[n_keys:]],
        )

    def _cells(self, batch: Sequence[RejectRow]) -> list[CellColumn]:
        """Return the sender's own cells; an empty text is a blank cell."""
        width = len(self.source.header)
        texts = _texts([cell for line in batch for cell in line.cells])
        faulty = frozenset[int]().union(*(line.faulty for line in batch))
        return [
            CellColumn(
                [_fits(text) or None for text in texts[place::width]],
                [self.faulty if place in line.faulty else self.cell for line in batch]
                if place in faulty
                else self.cell,
            )
            for place in range(width)
        ]

    def _how(self, line: RejectRow) -> str:
        parts = [both(Label(clean_text(line.how.zh), clean_text(line.how.en)))]
        long = any(cell is not None and len(cell) * 2 > MAX_TEXT for cell in line.cells)
        if long and any(_fits(text) != raw for text, raw in zip(
            _texts(line.cells), line.cells, strict=True
        )):  # fmt: skip
            parts.append(both(CUT))
        if line.torn and self._folds:
            parts += [both(TORN), BETWEEN.join(str(text) for text in _texts(line.torn))]
        return _fits(clean_text("\n".join(parts))) or ""

    def _open(self) -> None:
        self._finish()
        self.part += 1
        self.sheet = self.book.add_worksheet(self.names.next(self.source.table))
        big = self.formats.get(font_size=12, bold=True)
        self.sheet.set_row(0, 24)
        self.sheet.write_string(0, 0, title("table", table=self.source.table), big)
        name = title("save", name=self.source.file_name(self.part))
        self.sheet.write_string(1, 0, name + self._folded(), self.formats.get(bold=True))
        self.sheet.set_row(HEAD_ROW, 30)
        self._columns()
        for column, (label, _) in enumerate(OWN_COLUMNS, self.source.n_keys):
            self.sheet.write_string(HEAD_ROW, column, both(label), self.formats.heading(OWN))
        for place, head in enumerate(_texts(self.source.header)):
            look = self.formats.heading(BAND)
            self.sheet.write_string(HEAD_ROW, self._place(place), head or "", look)
        self.sheet.freeze_panes(HEAD_ROW + 1, min(self.source.n_keys, FROZEN))
        self.row = HEAD_ROW + 1

    @property
    def _folds(self) -> bool:
        return self.source.shown < len(self.source.header)

    def _folded(self) -> str:
        return TITLES["hidden"].zh + TITLES["hidden"].en if self._folds else ""

    def _columns(self) -> None:
        """Set the widths, and fold the columns away that are right in every row."""
        # An empty cell below takes a code as text, too.
        text = self.formats.get(num_format="@")
        for place in range(len(self.source.header)):
            hidden = place >= self.source.shown
            fold = {"level": 1, "hidden": True} if hidden else {}
            width = KEY_WIDTH if place < self.source.n_keys else CELL_WIDTH
            self.sheet.set_column(self._place(place), self._place(place), width, text, fold)
        for column, (_, width) in enumerate(OWN_COLUMNS, self.source.n_keys):
            self.sheet.set_column(column, column, width)
        if self._folds:
            end = self._place(len(self.source.header))
            self.sheet.set_column(end, end, None, None, {"collapsed": True})

    def _finish(self) -> None:
        if self.sheet is None:
            return
        last = len(OWN_COLUMNS) + len(self.source.header) - 1
        self.sheet.autofilter(HEAD_ROW, 0, self.row - 1, last)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{self.row}"})
        self.sheet.repeat_rows(HEAD_ROW)
        page(self.sheet, "zh", "")
        if self.source.n_keys:
            self.sheet.repeat_columns(0, self.source.n_keys - 1)
        self.sheet.print_area(0, 0, self.row - 1, last)
        own = sum(width for _, width in OWN_COLUMNS)
        wide = (
            own
            + KEY_WIDTH * self.source.n_keys
            + CELL_WIDTH * (self.source.shown - self.source.n_keys)
        )
        self.sheet.fit_to_pages(max(round(wide / PAGE_WIDTH), 1), 0)


def _fill(book: Any, source: RejectBook, info: WorkbookInfo) -> None:
    formats, names = Formats(book, "zh"), _Names()
    sender = Label(clean_text(source.sender.zh), clean_text(source.sender.en))

    def sheet(key: str) -> Any:
        return book.add_worksheet(names.next(SHEETS[key].zh))

    saved = [(table.table, table.file_name(1)) for table in source.sheets]
    write_guide(sheet("guide"), formats, sender, info.run_id, saved)
    write_summary(sheet("summary"), formats, sender, source.summary)
    if source.unread:
        write_unread(sheet("unread"), formats, sender, source.unread)
    for table in source.sheets:
        _TableSheets(book, formats, names, table).write()


def write_reject_book(source: RejectBook, folder: Path, info: WorkbookInfo, scratch: Path) -> Path:
    """Write one sender's workbook into `folder` and return its path; OSError on a full disk."""
    path = folder / book_name(source.key, source.sender, info.run_id)
    with open_book(path, info, scratch, title("guide", source.sender)) as book:
        _fill(book, source, info)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSource:
    """All that the reject workbooks show. `books` is read once."""

    books: Iterable[RejectBook]
    senders: Sequence[SenderLine]
    files: Sequence[FileLine]


def write_rejects(source: RejectSource, folder: Path, info: WorkbookInfo) -> list[Path]:
    """Write a workbook for each sender with something refused, and the index, which is last.

    A sender without refusals stands in the index with 0. Raises OSError when the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The writer's scratch files hold unit data: beside the result, not in the shared /tmp.
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
        paths = [write_reject_book(book, folder, info, Path(scratch)) for book in source.books]
        index = folder / INDEX_FILE
        with open_book(index, info, Path(scratch), title("senders", run=info.run_id)) as book:
            formats = Formats(book, "zh")
            senders, files = (book.add_worksheet(SHEETS[key].zh) for key in ("senders", "files"))
            write_senders(senders, formats, source.senders, info.run_id)
            write_files(files, formats, source.files)
    return [*paths, index]
