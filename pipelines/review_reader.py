"""Answered review workbooks, read back: every row with what was asked and what was answered."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from audit.errors import InputError
from pipelines.own_books import VERIFICATION, VERIFICATION_BOOK, kind_of, meta_of
from reports.review import ISSUED_COLUMNS, locked_places
from reports.review_texts import ANSWERS
from reports.workbook_cells import Cell, row_hash
from reports.workbook_layout import FIRST_ROW, HEAD_ROW, SheetColumn
from reports.workbook_texts import LANGUAGES, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One row of a review workbook. `line` is that of the sheet; `intact`: only answers changed.

    `answer` is a key of ANSWERS, "" where nothing was chosen, "?" where it is none of them.
    """

    line: int
    left_id: str
    right_id: str
    left_table: str
    right_table: str
    answer: str
    basis: str
    note: str
    person: str
    date: str
    intact: bool
    left_name: str
    left_credit_code: str
    right_name: str
    right_credit_code: str

    @property
    def is_begun(self) -> bool:
        """Whether anything was filled in beside the answer."""
        return any((self.basis, self.note, self.person, self.date))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFile:
    """A review workbook: the run it was issued by, and its rows."""

    name: str
    run_id: str
    rows: tuple[Answered, ...]


def _refused(path: Path) -> InputError:
    return InputError(
        f"{path.name} 不是待人工判定的工作簿，或者已损坏。请交回本程序下发的 XLSX 文件。",
        f"{path.name} is no review workbook, or it is damaged. Hand in the file as it was issued, "
        "saved as XLSX.",
    )


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()[:10]
    return None if value is None else str(value)


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _answer(text: str) -> str:
    if not text:
        return ""
    known = {word: key for key, label in ANSWERS.items() for word in (label.zh, label.en)}
    return known.get(text, "?")


# Nobody decided before this century: a number typed into a cell for dates is no date of 1905.
_FIRST, _END = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
_DAY_ZERO = dt.date(1899, 12, 30)
_WRITTEN = re.compile(
    r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?(?:[T\s].*)?"
    r"|(\d{4})(\d\d)(\d\d)"
)


def _date(cell: Cell) -> str:
    """Return a date as YYYY-MM-DD, "" where there is none, "?" where it cannot be read.

    A spreadsheet may hold it as a number of days; people also write 20190420, 2019.4.20,
    2019/4/20 and 2019年4月20日.
    """
    if isinstance(cell, float):
        if (_FIRST - _DAY_ZERO).days <= cell < (_END - _DAY_ZERO).days:
            return (_DAY_ZERO + dt.timedelta(days=int(cell))).isoformat()
        cell = f"{cell:.15g}"
    text = unicodedata.normalize("NFKC", _text(cell))
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return "?" if text else ""
    try:
        date = dt.date(*(int(part) for part in found.groups() if part))
    except ValueError:
        return "?"
    return date.isoformat() if _FIRST <= date < _END else "?"


def _row(line: int, cells: Sequence[Cell], columns: Sequence[SheetColumn]) -> Answered:
    known = dict(zip((column.key for column in columns), cells, strict=True))
    locked = [cells[place] or None for place in locked_places(columns)]
    return Answered(
        line=line,
        left_id=_text(known["left_id"]),
        right_id=_text(known["right_id"]),
        left_table=_text(known["left_table"]),
        right_table=_text(known["right_table"]),
        answer=_answer(_text(known["answer"])),
        basis=_text(known["answer_basis"]),
        note=_text(known["answer_note"]),
        left_name=_text(known["left_name"]),
        left_credit_code=_text(known["left_credit_code"]),
        right_name=_text(known["right_name"]),
        right_credit_code=_text(known["right_credit_code"]),
        person=_text(known["answer_person"]),
        date=_date(known["answer_date"]),
        intact=row_hash(locked) == _text(known["pair_hash"]),
    )


def _opened(path: Path) -> CalamineWorkbook:
    """Open the file; InputError where there is none, or it is no workbook."""
    if path.is_dir():
        raise InputError(
            f"{path} 是文件夹。请写其中填好的待人工判定工作簿。",
            f"{path} is a folder. Name the answered review workbooks in it.",
        )
    if not path.is_file():
        raise InputError(
            f"没有文件 {path}。请检查路径和文件名。",
            f"There is no file {path}. Check path and name.",
        )
    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, ValueError) as error:
        raise _refused(path) from error


def _meta(path: Path, book: CalamineWorkbook) -> dict[str, str]:
    """Return what identifies a review workbook; InputError where it is another one."""
    try:
        meta = meta_of(book)
    except (CalamineError, ValueError) as error:
        raise _refused(path) from error
    if kind_of(meta) == VERIFICATION:
        what = VERIFICATION_BOOK
        raise InputError(f"{path.name} {what.zh}", f"{path.name} {what.en}")
    if meta.get("schema") not in ISSUED_COLUMNS:
        raise _refused(path)
    return meta


def _cells_of(path: Path, book: CalamineWorkbook) -> list[list[Any]]:
    names = [say("sheet_review", lang) for lang in LANGUAGES]
    sheet = next((name for name in names if name in book.sheet_names), None)
    if sheet is None:
        raise InputError(
            f"{path.name} 缺少工作表“{names[0]}”，请改回原名。",
            f"{path.name} has no sheet “{names[0]}” (“{names[1]}” in English); give it its name "
            "back.",
        )
    try:
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (CalamineError, ValueError) as error:
        raise _refused(path) from error


def _check_places(path: Path, rows: list[list[Any]], columns: Sequence[SheetColumn]) -> None:
    """Refuse a sheet whose columns are not where they were issued: every row would look edited."""
    heads = [str(cell).strip() for cell in rows[HEAD_ROW]] if len(rows) > HEAD_ROW else []
    for lang in LANGUAGES:
        issued = [say(column.key, lang) for column in columns]
        known = [label for label in issued if issued.count(label) == 1 and label in heads]
        if issued[-1] in known and all(heads.index(x) == issued.index(x) for x in known):
            return
    raise InputError(
        f"{path.name} 的工作表中插入、删除或移动了列（或表头以上的行）。请撤销这一改动，"
        "或用下发的原文件重填。",
        f"In {path.name} columns (or rows above the head) were inserted, deleted or moved. Undo "
        "that, or fill in the file as it was issued.",
    )


def read_review(path: Path) -> ReviewFile:
    """Read a review workbook; InputError where it is none, cannot be opened or was rearranged."""
    book = _opened(path)
    meta = _meta(path, book)
    columns = ISSUED_COLUMNS[meta["schema"]]
    rows = _cells_of(path, book)
    _check_places(path, rows, columns)
    width = len(columns)
    found = []
    for line, row in enumerate(rows[FIRST_ROW:], FIRST_ROW + 1):
        cells = [_cell(value) for value in row[:width]]
        cells += [None] * (width - len(cells))
        if any(_text(cell) for cell in cells):
            found.append(_row(line, cells, columns))
    return ReviewFile(name=path.name, run_id=meta.get("run_id", ""), rows=tuple(found))
