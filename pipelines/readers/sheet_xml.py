"""What the XML of an XLSX file tells that its reader does not, looked at before anything is read.

Cells with an error (#N/A) or with a formula whose value was never computed come out of the reader
as empty; and the reader takes memory for the whole rectangle up to the last cell, wherever that is.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from pipelines.readers.model import RefusedFileError

PIECE = 4 << 20
LONGEST = 64 << 20
MAX_BYTES = 4 << 30
MAX_RATIO, RATIO_FROM = 250, 64 << 20
MAX_CELLS = 30_000_000
WIDE_AREA, THIN = 16_000_000, 16
"""An area of more cells than this, of which less than one in THIN is filled, is not laid out."""

_TAG = rb"<(?:\w+:)?"
_CELL = re.compile(_TAG + rb"""c\s(?:[^>]*?\s)?r=["']([A-Z]+)([0-9]+)""")
_CELL_TAGS = (b"<c ", b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t", b":c ", b":c>", b":c/")
_DIGITS, _LETTERS = 8, 5
"""Characters of a row's number and of a column that are looked at: no program writes more."""
_FILLED = re.compile(_TAG + rb"""c\s(?:[^>]*?\s)?r=["']([A-Z]+)([0-9]+)["'][^>]*(?<!/)>""")
_UNPLACED = re.compile(_TAG + rb"""c(?:\s(?![^>]*\br=)[^>]*)?(?<!/)>""")
_ROW = re.compile(_TAG + rb"""row\s(?:[^>]*?\s)?r=["']([0-9]+)""")
_ERROR = re.compile(
    _TAG + rb"""c\s(?=[^>]*\bt=["']e["'])(?:[^>]*?\s)?r=["']([A-Z]+)([0-9]+)["'][^>]*>"""
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)
_FORMULA = re.compile(
    _TAG + rb"""c\s([^>]*)>\s*<(?:\w+:)?f\b((?:(?!</(?:\w+:)?c>).)*)</(?:\w+:)?c>""", re.DOTALL
)
_VALUE = re.compile(_TAG + rb"v(?:\s[^>]*)?>[^<]")
_EMPTY_TEXT = re.compile(_TAG + rb"v\b")
_PLACE = re.compile(rb"""(?:^|\s)r=["']([A-Z]+)([0-9]+)["']""")
_IS_TEXT = re.compile(rb"""(?:^|\s)t=["']str["']""")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")

Place = tuple[int, int]


@dataclass(slots=True)
class Facts:
    """Of one sheet, by (row, column) from 0: errors with their text, formulas without a value."""

    errors: dict[Place, str] = field(default_factory=dict)
    formulas: set[Place] = field(default_factory=set)
    cells: int = 0


@dataclass(slots=True)
class _Extent:
    """How far the cells of a sheet reach, blank ones too: columns, last row.

    Taken fast it may be too large, where a text looks like a reference, and never too small.
    """

    columns: int = 0
    rows: int = 0
    unplaced: bool = False

    def area(self) -> int:
        """Rows times columns."""
        return self.rows * max(self.columns, 1)

    def take(self, rows: int, columns: int) -> None:
        """Reach at least so far."""
        self.rows, self.columns = max(self.rows, rows), max(self.columns, columns)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:5]:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _place(letters: bytes, row: bytes) -> Place:
    return int(row[:10]) - 1, _column(letters)


def _tags(pattern: re.Pattern[str], text: str) -> list[dict[str, str]]:
    return [
        {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}
        for tag in pattern.findall(text)
    ]


def _parts(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the name of each sheet by its file inside the archive."""
    relations = _tags(_RELATION, book.read("xl/_rels/workbook.xml.rels").decode())
    targets = {relation.get("Id", ""): relation.get("Target", "") for relation in relations}
    parts = {}
    for sheet in _tags(_SHEET, book.read("xl/workbook.xml").decode()):
        key = next((value for name, value in sheet.items() if name.endswith(":id")), "")
        target = targets.get(key, "")
        path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        parts[path] = sheet.get("name", "")
    return parts


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Give a sheet's XML in pieces that end before a row begins."""
    rest = b""
    while chunk := stream.read(PIECE):
        rest += chunk
        cut = max(rest.rfind(b"<row"), rest.rfind(b":row"))
        cut = rest.rfind(b"<", 0, cut + 1)
        if cut > 0 or len(rest) > LONGEST:
            cut = cut if cut > 0 else len(rest)
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _references(piece: bytes) -> tuple[int, int, int]:
    """Return how many cells name their place, the last row that any names, and the columns.

    All at once over the bytes: one expression a cell would take longer than reading the sheet.
    """
    text = np.frombuffer(piece + bytes(_LETTERS + _DIGITS + 3), dtype=np.uint8)
    quote = (text[3:] == ord('"')) | (text[3:] == ord("'"))
    found = (text[1:-2] == ord("r")) & (text[2:-1] == ord("=")) & (text[:-3] <= ord(" ")) & quote
    at = np.flatnonzero(found) + 4
    columns = np.zeros(len(at), dtype=np.int64)
    letters = np.ones(len(at), dtype=bool)
    for _ in range(_LETTERS):
        here = text[at]
        letters &= (here >= ord("A")) & (here <= ord("Z"))
        columns = np.where(letters, columns * 26 + here - (ord("A") - 1), columns)
        at = at + letters
    rows = np.zeros(len(at), dtype=np.int64)
    digits = np.ones(len(at), dtype=bool)
    for step in range(_DIGITS):
        here = text[at + step]
        digits &= (here >= ord("0")) & (here <= ord("9"))
        rows = np.where(digits, rows * 10 + here - ord("0"), rows)
    last = int(rows.max(initial=0)), int(columns.max(initial=0))
    return int(np.count_nonzero(columns)), *last


def _look(piece: bytes, facts: Facts, extent: _Extent) -> None:
    cells = sum(piece.count(tag) for tag in _CELL_TAGS)
    placed, rows, columns = _references(piece)
    facts.cells += cells
    extent.take(rows, columns)
    if placed != cells:
        extent.unplaced = extent.unplaced or _UNPLACED.search(piece) is not None
    if b't="e"' in piece or b"t='e'" in piece:
        for name, row, text in _ERROR.findall(piece):
            facts.errors[_place(name, row)] = html.unescape(text.decode(errors="replace"))
    if b"<f" in piece or b":f" in piece:
        for attributes, body in _FORMULA.findall(piece):
            has_value = _VALUE.search(body) is not None
            is_empty_text = _IS_TEXT.search(attributes) and _EMPTY_TEXT.search(body)
            place = _PLACE.search(attributes)
            if place and not has_value and not is_empty_text:
                facts.formulas.add(_place(*place.groups()))


def _exact_extent(book: zipfile.ZipFile, part: str) -> _Extent:
    """Take a sheet's extent cell by cell."""
    extent = _Extent()
    with book.open(part) as stream:
        for piece in _pieces(stream):
            for letters, number in _CELL.findall(piece):
                row, column = _place(letters, number)
                extent.take(row + 1, column + 1)
            for number in _ROW.findall(piece):
                extent.take(int(number[:10]), 0)
            extent.unplaced = extent.unplaced or _UNPLACED.search(piece) is not None
    return extent


def _far(book: zipfile.ZipFile, part: str, extent: _Extent, cells: int) -> None:
    """Refuse a sheet whose filled cells lie so far apart that laying them out takes all memory."""
    limit = max(WIDE_AREA, THIN * cells)
    if extent.area() <= limit:
        return
    extent = _exact_extent(book, part)
    if extent.area() <= limit:
        return
    rows, columns, last = extent.rows if extent.unplaced else 0, 0, ""
    with book.open(part) as stream:
        for piece in _pieces(stream):
            for letters, number in _FILLED.findall(piece):
                row, column = _place(letters, number)
                if row + 1 > rows or column + 1 > columns:
                    last = f"{letters[:5].decode()}{row + 1}"
                rows, columns = max(rows, row + 1), max(columns, column + 1)
    if rows * columns > limit:
        raise RefusedFileError(
            "unreadable_file",
            f"工作表在远离数据的位置有内容（直到单元格 {last}），无法整表读取。"
            "请删除数据区以外的行和列，另存后重新报送。",
            f"A sheet holds something far from its data (up to cell {last}) and cannot be laid "
            "out. Delete the rows and columns outside the data, save it and deliver it again.",
        )


def _within_bounds(book: zipfile.ZipFile) -> None:
    entries = book.infolist()
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > MAX_BYTES or (size > RATIO_FROM and size > MAX_RATIO * packed):
        raise RefusedFileError(
            "unreadable_file",
            f"电子表格解压后有 {size >> 20} MB，远大于文件本身，不像是普查数据，未解压。"
            "请改用 CSV 重新导出后报送。",
            f"The spreadsheet expands to {size >> 20} MB, far beyond its own size, so it was not "
            "expanded. Export it again as CSV.",
        )


def _too_many() -> RefusedFileError:
    return RefusedFileError(
        "unreadable_file",
        f"电子表格超过 {MAX_CELLS // 10_000} 万个单元格，请拆成几个文件，或改用 CSV 报送。",
        f"The spreadsheet has more than {MAX_CELLS // 1_000_000} million cells. Split it, or "
        "deliver it as CSV.",
    )


def sheet_facts(path: Path) -> dict[str, Facts]:
    """Return what each sheet of an XLSX file holds, by the sheet's name.

    RefusedFileError where reading it would take more memory than a table needs.
    """
    found: dict[str, Facts] = {}
    try:
        with zipfile.ZipFile(path) as book:
            _within_bounds(book)
            names = _parts(book)
            sheets = [n for n in book.namelist() if n in names or "worksheets/sheet" in n]
            total = 0
            for part in sheets:
                facts, extent = Facts(), _Extent()
                with book.open(part) as stream:
                    for piece in _pieces(stream):
                        _look(piece, facts, extent)
                        if total + facts.cells > MAX_CELLS:
                            raise _too_many()
                total += facts.cells
                _far(book, part, extent, facts.cells)
                found[names.get(part, part)] = facts
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, zlib.error) as error:
        raise damaged() from error
    except RuntimeError as error:
        # zipfile has no class of its own for a part with a password, or with a cipher it lacks.
        raise protected() from error
    return found


def damaged() -> RefusedFileError:
    """Return the refusal of a spreadsheet that cannot be opened."""
    return RefusedFileError(
        "unreadable_file",
        "电子表格无法打开：文件不完整、已损坏、设有密码或不是电子表格。请在原电脑上打开确认、"
        "取消密码、另存后重新报送。",
        "The spreadsheet cannot be opened: it is cut short, damaged, protected by a password, or "
        "no spreadsheet. Open it where it was made, save it again and deliver it anew.",
    )


def protected() -> RefusedFileError:
    """Return the refusal of a spreadsheet with a password."""
    return RefusedFileError(
        "unreadable_file",
        "电子表格设有打开密码，无法读取。请取消密码、另存后重新报送。",
        "The spreadsheet is protected by a password. Take the password off, save it and deliver it "
        "again.",
    )
