"""A list of units with any header, read as the matcher's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from audit.errors import InputError, UsageError
from audit.matching.records import RECORD_SCHEMA
from pipelines.readers.encodings import MARKED
from pipelines.readers.headers import fold
from pipelines.readers.lists import ALIASES, LIST
from pipelines.readers.model import (
    ROW,
    Batch,
    Header,
    Reading,
    RefusedFileError,
    Source,
    position,
)
from pipelines.readers.opening import open_source

COLUMNS = tuple(ALIASES)
_CODES = ("credit_code", "org_code", "region_code", "industry_code")
# What spreadsheets make of a code: an exponent, or a decimal point.
_DAMAGED = r"^\d+(\.\d+)?[eE]\+?\d+$|^\d+\.0+$"
_EMPTY = ("", "-", "—", "NULL", "无")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitList:
    """A list as read. `records` as RECORD_SCHEMA; `columns`: header cell of each column found.

    `n_broken` rows are not as long as the header and `n_unreadable` hold bytes that are no text:
    they are left out, as are `n_blank` rows with nothing in them. `n_mute` rows have neither name
    nor code. `n_damaged` codes had lost digits and are taken as empty;
    `by_row`: rows are named by their number, for want of a column of unique ids.
    """

    file: str
    records: pl.DataFrame
    columns: Mapping[str, str]
    unused: tuple[str, ...]
    n_blank: int
    n_broken: int
    n_unreadable: int
    n_damaged: int
    by_row: bool

    @property
    def n_mute(self) -> int:
        """Return how many rows have neither a name nor a credit code to compare."""
        nothing = pl.col("name").is_null() & pl.col("credit_code").is_null()
        return self.records.filter(nothing).height


def parse_overrides(texts: tuple[str, ...]) -> dict[str, str]:
    """Return `name=企业名称` options as a mapping; UsageError for what is not of that form."""
    found: dict[str, str] = {}
    for text in texts:
        column, equals, label = text.partition("=")
        if not equals or column not in COLUMNS or not label.strip():
            raise UsageError(
                f"--column 的写法是 列=表头，列为 {', '.join(COLUMNS)} 之一，例如 name=企业名称。",
                f"--column takes COLUMN=HEADER, where COLUMN is one of {', '.join(COLUMNS)}.",
            )
        found[column] = label.strip()
    return found


def _place(header: Header, label: str) -> int | None:
    """Return the position of a header cell, given by its text or by its number from 1."""
    folded = [fold(cell) for cell in header.labels]
    if fold(label) in folded:
        return folded.index(fold(label))
    if label.isascii() and label.isdigit() and 1 <= int(label) <= len(folded):
        return int(label) - 1
    return None


def _places(header: Header, wanted: Mapping[str, str], file: str) -> dict[str, int]:
    """Return the position of each column in a header, the wanted ones first."""
    found = {name: place for place, name in enumerate(header.columns) if name}
    for column, label in wanted.items():
        place = _place(header, label)
        if place is None:
            raise UsageError(
                f"{file} 没有 --column {column} 所写的表头。可写表头文字，或第几列（从 1 起）。",
                f"{file} has no header cell as given with --column {column}. Give its text, or the "
                "number of the column from 1.",
            )
        found = {name: at for name, at in found.items() if at != place} | {column: place}
    if "name" not in found:
        known = ", ".join(sorted(found)) or "—"
        raise InputError(
            f"{file} 中没有认出名称列（认出的列：{known}）。请用 --column name=表头 指明，"
            "例如 --column name=企业名称，或用列号 --column name=2。",
            f"No column of names was recognised in {file} (recognised: {known}). Name it with "
            "--column name=HEADER, or by its number: --column name=2.",
        )
    return found


def _rows(batch: Batch, places: Mapping[str, int]) -> tuple[pl.DataFrame, int]:
    """Return the columns of a batch by name, and how many rows hold bytes that are no text."""
    cells = {name: pl.col(position(place)) for name, place in places.items()}
    frame = batch.frame.select(pl.col(ROW), **cells)
    if not batch.damaged:
        return frame, 0
    texts = frame.select(pl.exclude(ROW))
    marked = texts.select(pl.any_horizontal(pl.all().str.contains(MARKED).fill_null(False)))
    is_marked = marked.to_series()
    return frame.filter(~is_marked), int(is_marked.sum())


def _clean(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the rows with blanks as NULL and without damaged codes, and how many those were."""
    names = [name for name in frame.columns if name != ROW]
    trimmed = [pl.col(name).str.strip_chars() for name in names]
    frame = frame.with_columns(trimmed).with_columns(
        pl.when(~pl.col(name).is_in(_EMPTY)).then(pl.col(name)) for name in names
    )
    codes = [name for name in names if name in _CODES]
    n_damaged = sum(int(frame[name].str.contains(_DAMAGED).sum() or 0) for name in codes)
    return frame.with_columns(
        pl.when(~pl.col(name).str.contains(_DAMAGED)).then(pl.col(name)) for name in codes
    ), n_damaged


def _ids(frame: pl.DataFrame, wanted: bool, file: str) -> tuple[pl.Series, bool]:
    """Return the ids of the rows, and whether they are row numbers."""
    if "id" in frame.columns:
        ids = frame["id"]
        if not ids.null_count() and ids.n_unique() == len(ids):
            return ids, False
        if wanted:
            raise InputError(
                f"{file} 中 --column id 所指的列有空值或重复，不能作标识。请换一列，或改用行号。",
                f"The column given with --column id has empty or repeated values in {file}. Choose "
                "another one, or leave it out to use row numbers.",
            )
    return frame[ROW].cast(pl.String), True


def _records(frame: pl.DataFrame, ids: pl.Series, table: str) -> pl.DataFrame:
    rows = frame.select(pl.exclude(ROW, "id")).with_columns(
        ids.alias("record_id"), pl.lit(table).alias("table_name")
    )
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in RECORD_SCHEMA.items()
    )


def _without_rows(file: str, n_broken: int, n_unreadable: int, n_blank: int) -> InputError:
    return InputError(
        f"{file} 没有可用的数据行：列数不对 {n_broken} 行，含无法读取的字符 {n_unreadable} 行，"
        f"空行 {n_blank} 行。请确认导出是否成功。",
        f"{file} has no rows that can be used; left out: {n_broken} for the number of their "
        f"fields, {n_unreadable} for characters that cannot be read, {n_blank} blank ones. "
        "Check the export.",
    )


def _file_and_sheet(path: Path) -> tuple[Path, str]:
    """Return the file and the sheet of `清单.xlsx#工作表`; the sheet is "" where none is named."""
    file, mark, sheet = path.name.rpartition("#")
    if mark and not path.exists() and path.with_name(file).is_file():
        return path.with_name(file), sheet
    return path, ""


def _one_sheet(reading: Reading, path: Path) -> None:
    """Refuse a workbook of several lists: joined they would be compared as one."""
    if len(reading.sheets) < 2:
        return
    names, first = "、".join(reading.sheets), reading.sheets[0]
    raise InputError(
        f"{path.name} 有 {len(reading.sheets)} 张工作表是单位清单：{names}。"
        f"请在文件名后写明用哪一张，例如 '{path.name}#{first}'；两张互相对应时，两份清单各写一张。",
        f"{path.name} has {len(reading.sheets)} sheets that are lists of units: {names}. Name one "
        f"behind the file's name, such as '{path.name}#{first}'; to match two of them with each "
        "other, name both as the two lists.",
    )


def read_list(path: Path, wanted: Mapping[str, str], table: str) -> UnitList:
    """Read a CSV, TSV, XLSX or Parquet list of units.

    `wanted`: header cell (or number) by column, over what the header says. `path` may name a sheet
    behind the file: `清单.xlsx#工作表`. InputError where the file cannot be read, has several
    lists, no column of names, or no rows; UsageError where a wanted header cell is not there.
    """
    path, sheet = _file_and_sheet(path)
    if not path.is_file():
        raise InputError(
            f"没有文件 {path}。请检查路径和文件名。",
            f"There is no file {path}. Check path and name.",
        )
    try:
        source = Source(file_no=1, file=path.name, path=path, table=LIST, sheet=sheet)
        reading = open_source(source)
        _one_sheet(reading, path)
        parts: list[pl.DataFrame] = []
        labels: dict[str, str] = {}
        n_blank = n_broken = n_unreadable = 0
        for batch in reading.batches:
            places = _places(batch.header, wanted, path.name)
            labels = labels or {c: batch.header.labels[p] for c, p in places.items()}
            rows, n_marked = _rows(batch, places)
            parts.append(rows)
            n_unreadable += n_marked
            n_broken += len(batch.broken)
            n_blank += batch.blank
    except RefusedFileError as error:
        raise InputError(f"{path.name}：{error.zh}", f"{path.name}: {error.en}") from error
    if not parts or not sum(part.height for part in parts):
        raise _without_rows(path.name, n_broken, n_unreadable, n_blank)
    frame, n_damaged = _clean(pl.concat(parts, how="diagonal"))
    ids, by_row = _ids(frame, "id" in wanted, path.name)
    return UnitList(
        file=f"{path.name}#{sheet}" if sheet else path.name,
        records=_records(frame, ids, table),
        columns=labels,
        unused=tuple(c for c in reading.header.labels if c not in labels.values()),
        n_blank=n_blank,
        n_broken=n_broken,
        n_unreadable=n_unreadable,
        n_damaged=n_damaged,
        by_row=by_row,
    )
