"""What every reader gives: a header, and batches of delivered text with their rows and lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

# `line_no` is a column of two tables of the contract.
ROW, LINE = "row_no", "file_line"
BATCH_ROWS = 65_536


class RefusedFileError(Exception):
    """A file that cannot be read, with the reason (list `reject_reason`) and what to do."""

    def __init__(self, reason: str, zh: str, en: str, column: str = "") -> None:
        super().__init__(f"{zh} {en}")
        self.reason = reason
        self.zh = zh
        self.en = en
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One delivered file. `file` is its path below the delivery, as shown to people.

    `encoding`: that of its text where the configuration names it, else "". `sheet`: the only one
    to read of a workbook, else "".
    """

    file_no: int
    file: str
    path: Path
    table: str
    encoding: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the columns of a file are, by position.

    `labels`: the header cells, unique, as `delivered` names them. `columns`: the contract's column
    or "" where the contract has none. `unknown`: header cells without a column. `missing`: required
    columns that are not there.
    """

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A row that is not as long as its header; `reason` is of the list `reject_reason`."""

    row_no: int
    line_no: int
    reason: str
    cells: tuple[str, ...]
    quotes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of one file.

    `frame` has `row_no` (data row, from 1), `file_line` (line of the file or sheet) and one text
    column a header cell, named by `position`. `damaged` tells that cells hold marked bytes.
    `blank`: rows with nothing in any cell, which are in neither and count as no rows.
    """

    header: Header
    frame: pl.DataFrame
    broken: tuple[BrokenRow, ...] = ()
    damaged: bool = False
    blank: int = 0

    @property
    def rows(self) -> int:
        """Rows delivered in this batch."""
        return self.frame.height + len(self.broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An opened file. `header` is that of its first sheet; `batches` may be read once.

    `checksums`: of a Parquet file, whether damage to its values would be noticed; else None.
    `sheets`: the sheets of a workbook that are read.
    """

    format: str
    encoding: str
    header: Header
    batches: Iterator[Batch]
    checksums: bool | None = None
    sheets: tuple[str, ...] = ()


def position(index: int) -> str:
    """Return the name of the column at `index` of a batch's frame."""
    return f"c{index}"
