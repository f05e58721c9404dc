"""Spreadsheets (XLSX, and XLS or WPS ET as they come) to batches of delivered text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from audit.contracts import Column
from pipelines.readers import headers
from pipelines.readers.biff import biff_facts
from pipelines.readers.encodings import CELL_MARK
from pipelines.readers.lists import columns_of
from pipelines.readers.model import (
    BATCH_ROWS,
    LINE,
    ROW,
    Batch,
    Header,
    Reading,
    RefusedFileError,
    position,
)
from pipelines.readers.sheet_xml import Facts, damaged, protected, sheet_facts
from pipelines.readers.values import cell_text

SHEET_NAMES_COLUMNS = 2
Cells = list[list[object]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet with a header: its rows are those below `top`."""

    name: str
    cells: Cells
    top: int
    named: int
    header: Header


def _workbook(path: Path) -> CalamineWorkbook:
    """Open by content: the reader would go by the name, and names are often wrong."""
    try:
        with path.open("rb") as stream:
            return CalamineWorkbook.from_filelike(stream)
    except PasswordError as error:
        raise protected() from error
    except (CalamineError, OSError, ValueError) as error:
        raise damaged() from error


def _rows(book: CalamineWorkbook, name: str) -> Cells:
    try:
        # With the empty area kept, an index is the line of the sheet.
        return [list(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
    except (CalamineError, ValueError) as error:
        raise damaged() from error


def _filled(row: Sequence[object]) -> bool:
    return any(
        not (value is None or (isinstance(value, str) and not value.strip())) for value in row
    )


def _trimmed(cells: Cells, top: int) -> Cells:
    """Cut the columns behind the last one that has a header or a value."""
    used = [
        index
        for index in range(len(cells[top]))
        if any(_filled(row[index : index + 1]) for row in cells[top:])
    ]
    return [row[: used[-1] + 1] for row in cells] if used else cells


def _as_sheet(name: str, cells: Cells, table: str) -> _Sheet:
    first = [[cell_text(value, None) for value in row] for row in cells[: headers.HEADER_ROWS]]
    top, named = headers.find_header(first, table)
    body = _trimmed(cells, top)
    header = headers.match_header([cell_text(value, None) for value in body[top]], table)
    return _Sheet(name, body, top, named, header)


def _marked(cells: Cells, facts: Facts) -> Cells:
    """Put marks where the reader gives nothing: errors, and formulas that were never computed."""
    marks = facts.errors | dict.fromkeys(facts.formulas, "=")
    if marks:
        height = max(len(cells), *(row + 1 for row, _ in marks))
        cells += [[] for _ in range(height - len(cells))]
        width = max(len(cells[0]), *(column + 1 for _, column in marks))
        cells = [[*row, *[""] * (width - len(row))] for row in cells]
    for (row, column), text in marks.items():
        cells[row][column] = CELL_MARK + text
    return cells


_HIDDEN = "（隐藏）"


def _title(sheet: SheetMetadata) -> str:
    return sheet.name + ("" if sheet.visible == SheetVisibleEnum.Visible else _HIDDEN)


def _sheets(
    book: CalamineWorkbook, facts: dict[str, Facts], table: str, only: str
) -> tuple[list[_Sheet], list[str]]:
    """Return the sheets of `table`, and the names of other sheets that hold something.

    `only`: the name of the one sheet that is asked for, "" for all.
    A hidden sheet is data like any other: filters and habits hide what was delivered.
    """
    found: list[_Sheet] = []
    for sheet in book.sheets_metadata:
        if sheet.typ != SheetTypeEnum.WorkSheet or only not in ("", sheet.name):
            continue
        name = sheet.name
        cells = _marked(_rows(book, name), facts.get(name, Facts()))
        if any(_filled(row) for row in cells):
            found.append(_as_sheet(_title(sheet), cells, table))
    if not found:
        raise RefusedFileError(
            "unreadable_file",
            "电子表格是空的，没有表头。请确认导出是否成功，重新报送。",
            "The spreadsheet is empty and has no header. Check the export and deliver it again.",
        )
    mine = [sheet for sheet in found if sheet.named >= SHEET_NAMES_COLUMNS] or found[:1]
    return mine, [sheet.name for sheet in found if sheet not in mine]


def _text(value: object, column: Column | None) -> str:
    text = cell_text(value, column)
    # What stands in a column that nobody asked for costs no row.
    return text if column is not None else text.removeprefix(CELL_MARK)


def _columns(rows: Cells, header: Header, table: str) -> dict[str, pl.Series]:
    by_name = columns_of(table)
    columns = zip(*rows, strict=True) if rows else [()] * len(header.columns)
    return {
        position(index): pl.Series(
            [_text(value, by_name.get(name)) for value in values], dtype=pl.String
        )
        for index, (name, values) in enumerate(zip(header.columns, columns, strict=True))
    }


def _batches(sheets: list[_Sheet], table: str, *, damaged: bool) -> Iterator[Batch]:
    row_no = 0
    for sheet in sheets:
        lines = [
            index for index in range(sheet.top + 1, len(sheet.cells)) if _filled(sheet.cells[index])
        ]
        for start in range(0, len(lines), BATCH_ROWS):
            part = lines[start : start + BATCH_ROWS]
            frame = pl.DataFrame(
                _columns([sheet.cells[index] for index in part], sheet.header, table)
            ).with_columns(
                pl.Series(ROW, range(row_no + 1, row_no + len(part) + 1), dtype=pl.Int64),
                pl.Series(LINE, [index + 1 for index in part], dtype=pl.Int64),
            )
            row_no += len(part)
            blank = 0 if start else len(sheet.cells) - sheet.top - 1 - len(lines)
            yield Batch(header=sheet.header, frame=frame, damaged=damaged, blank=blank)


def _named(book: CalamineWorkbook, sheet: str) -> None:
    """Refuse a sheet that the workbook does not have, with the names of those it has."""
    if sheet and sheet not in book.sheet_names:
        there = "、".join(book.sheet_names)
        raise RefusedFileError(
            "unreadable_file",
            f"没有名为“{sheet}”的工作表；有：{there}。请改正工作表名。",
            f"There is no sheet “{sheet}”; there are: {there}. Correct the name.",
        )


def open_spreadsheet(path: Path, table: str, kind: str, sheet: str = "") -> Reading:
    """Open a spreadsheet of `table`: every sheet with a header of it, one after the other.

    `sheet`: the only one to read, else "". RefusedFileError where it cannot be opened, has no such
    sheet, or a column is named twice.
    """
    facts = sheet_facts(path) if kind == "xlsx" else {}
    book = _workbook(path)
    _named(book, sheet)
    if kind != "xlsx":
        found = biff_facts(path)
        if len(found) != len(book.sheet_names):
            raise damaged()
        facts = dict(zip(book.sheet_names, found, strict=True))
    marked = any(fact.errors or fact.formulas for fact in facts.values())
    sheets, others = _sheets(book, facts, table, sheet)
    # A sheet without a required column refuses the file: its rows must not get lost.
    first = next((one.header for one in sheets if one.header.missing), sheets[0].header)
    unknown = {label: None for one in sheets for label in one.header.unknown}
    header = Header(
        labels=first.labels,
        columns=first.columns,
        unknown=(*unknown, *(f"工作表：{name}" for name in others)),
        missing=first.missing,
    )
    return Reading(
        format=kind,
        encoding="",
        header=header,
        batches=_batches(sheets, table, damaged=marked),
        sheets=tuple(one.name.removesuffix(_HIDDEN) for one in sheets),
    )
