"""Typed cells of spreadsheets and Parquet files as the text that the contract would write."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from audit.contracts import Column

EXACT = 10**15


def number_text(value: float) -> str:
    """Return the shortest decimal text of a number, without exponent and idle fraction."""
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    if value == int(value) and abs(value) < EXACT:
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def is_region(column: Column) -> bool:
    """Tell whether a column holds region codes, which may be shorter and are padded."""
    return column.code_list == "region" or column.name in ("region_code", "parent_code")


def code_text(value: float, column: Column) -> str:
    """Return a code that a spreadsheet holds as a number.

    A whole number of the right length stands for its digits. Any other form shows what the cell
    has become, an exponent or a decimal point, and is refused with that.
    """
    if value != value or value in (math.inf, -math.inf):
        return number_text(value)
    if abs(value) >= EXACT:
        return f"{value:.5E}"
    if value != int(value):
        return number_text(value)
    digits = str(int(value))
    allowed = {column.length or len(digits)} | ({2, 4, 6, 9} if is_region(column) else set())
    return digits if value >= 0 and len(digits) in allowed else digits + ".0"


def _moment_text(value: dt.date, column: Column) -> str:
    if column.type == "month":
        return f"{value.year:04d}-{value.month:02d}"
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        is_date = column.type == "date" and midnight
        return value.date().isoformat() if is_date else value.isoformat(sep=" ")
    return value.isoformat() + (" 00:00:00" if column.type == "timestamp" else "")


def cell_text(value: object, column: Column | None) -> str:
    """Return the text of one typed cell; `column` None where the contract has no such column."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        is_code = column is not None and column.type == "code"
        return code_text(value, column) if is_code and column else number_text(value)
    if isinstance(value, dt.date) and column is not None:
        return _moment_text(value, column)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
