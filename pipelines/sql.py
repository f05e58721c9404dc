"""`census-audit sql`: read-only SQL over the published package."""

from __future__ import annotations

import csv
import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from audit.engines.duckdb import PackageReader
from audit.errors import InputError, UsageError

PACKAGE = "census_audit.duckdb"
XLSX_ROWS = 1_048_575
XLSX_TEXT = 32_767
XLSX_EXACT = 10**15
"""Spreadsheets keep 15 digits of a number; what has more stays text."""


def current_package(out: Path) -> Path:
    """Return the package that OUT/current points to, or that of the folder of one run.

    InputError where there is none.
    """
    package = (out / "current" / PACKAGE).resolve()
    if not package.is_file():
        package = (out / PACKAGE).resolve()
    if not package.is_file():
        raise InputError(
            f"{out} 中没有已发布的数据包。"
            "请先运行 census-audit run --input 送达文件夹 --out 输出文件夹。",
            f"No published package in {out}. Run census-audit run --input DELIVERY --out {out}.",
        )
    return package


def query(out: Path, sql: str) -> pa.Table:
    """Run one statement on the current package and return its rows."""
    with PackageReader(current_package(out)) as reader:
        return reader.fetch(sql)


def write_result(table: pa.Table, path: Path) -> None:
    """Write a result to `.csv` (UTF-8 with BOM) or `.xlsx` (every text stays text)."""
    writers = {".csv": _write_csv, ".xlsx": _write_xlsx}
    if path.suffix.lower() not in writers:
        raise UsageError(
            f"只能写 .csv 或 .xlsx，而不是 {path.suffix or '没有扩展名的文件'}。",
            f"Only .csv and .xlsx can be written, not {path.suffix or 'a file without suffix'}.",
        )
    try:
        writers[path.suffix.lower()](table, path)
    except OSError as error:
        raise InputError(
            f"无法写入 {path}：{error.strerror}", f"Cannot write {path}: {error.strerror}"
        ) from error


def _write_csv(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        for batch in table.to_batches():
            writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _write_xlsx(table: pa.Table, path: Path) -> None:
    if table.num_rows > XLSX_ROWS:
        raise UsageError(
            f"结果有 {table.num_rows} 行，超过电子表格的 {XLSX_ROWS} 行。请写 .csv。",
            f"{table.num_rows} rows are more than a sheet holds ({XLSX_ROWS}). Write .csv.",
        )
    texts = (column for column in table.columns if pa.types.is_string(column.type))
    if any((pc.max(pc.utf8_length(column)).as_py() or 0) > XLSX_TEXT for column in texts):
        raise UsageError(
            f"有文字超过电子表格单元格的 {XLSX_TEXT} 个字符。请写 .csv。",
            f"A text is longer than a cell of a sheet holds ({XLSX_TEXT}). Write .csv.",
        )
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("结果")
        head = book.add_format({"bold": True, "bg_color": "#DDE6F0"})
        text = book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(table.column_names):
            sheet.write_string(0, place, name, head)
        for number, row in enumerate(zip(*(c.to_pylist() for c in table.columns), strict=True), 1):
            for place, value in enumerate(row):
                if isinstance(value, bool) or value is None:
                    sheet.write(number, place, value)
                elif _is_number(value):
                    sheet.write_number(number, place, value)
                else:
                    shown = str(value)
                    # The writer would copy what looks like rich text into the file as it stands.
                    shown += " " if shown.startswith("<r>") else ""
                    sheet.write_string(number, place, shown, text)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | Decimal) and -XLSX_EXACT < value < XLSX_EXACT
