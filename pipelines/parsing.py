"""Delivered text to typed values, by the contract's forms only.

Pure functions on polars series. What is not one of the forms is a fault, never a guess: each fault
names its column, its reason (list `reject_reason`) and the rows it is on.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

import polars as pl

from audit.contracts import Column, Table
from audit.derive import POLARS_TYPES
from pipelines.readers.encodings import CELL_MARK, MARKED
from pipelines.readers.values import is_region

BLANKS = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
ODD = r"[^!-~\x{4000}-\x{9fff}]"
"""What no text needs normalising without: all but printable ASCII and the common characters."""
FIGURES = r"\p{No}"
EMPTY_NUMBER = r"^(?:-|\u2014|\u2014\u2014|(?i:null)|无)$"
NUMBER = r"^[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?$|^[+-]?\.[0-9]+$"
# A point or a sign marks what a spreadsheet writes; a building may well be called 1E5.
EXPONENT = r"^[+-]?[0-9]+\.[0-9]*[eE][+-]?[0-9]+$|^[+-]?[0-9]+[eE][+-][0-9]+$"
DECIMAL = r"^[+-]?[0-9]+\.[0-9]*$"
MONTH = r"^[0-9]{4}-?(?:0[1-9]|1[0-2])$"
DATE_FORMS = (
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
    (r"^[0-9]{4}/[0-9]{2}/[0-9]{2}$", "%Y/%m/%d"),
    (r"^[0-9]{8}$", "%Y%m%d"),
)
TIME = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])"
    r"(?::([0-5][0-9](?:\.[0-9]{1,9})?))?(Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
LOCAL_ZONE = "Asia/Shanghai"
LARGEST = 10**14
"""Beyond a hundred trillion no figure of a census is meant, and sums of such would not be exact."""
LOADED_AT_ANY_LENGTH = {9, 18}


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason to refuse rows. `rows` is true on them; `kind` tells messages of a reason apart."""

    column: str
    reason: str
    kind: str
    rows: pl.Series


@dataclass(frozen=True, slots=True)
class Parsed:
    """Typed columns of a table, in the contract's order, and the faults by column order."""

    values: pl.DataFrame
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> pl.Series:
        """True on every row with a fault."""
        rows = pl.repeat(value=False, n=self.values.height, eager=True, dtype=pl.Boolean)
        for fault in self.faults:
            rows = rows | fault.rows
        return rows


def normalise_text(texts: pl.DataFrame, *, exact: Container[str] = frozenset()) -> pl.DataFrame:
    """Return text columns in NFKC without blanks around them; NULL where nothing is left.

    In columns of `exact`, raised, circled and other figures that are no plain digits stay as they
    are: folded they would make another number.
    """
    bytes_of = texts.select(pl.all().str.len_bytes().sum()).row(0, named=True)
    is_odd = texts.select(
        pl.col(name).str.contains(ODD).any() for name in texts.columns if bytes_of[name]
    ).to_dict(as_series=False)
    columns = []
    for name in texts.columns:
        text = pl.col(name)
        if not bytes_of[name]:
            columns.append(pl.lit(None, dtype=pl.String).alias(name))
        elif any(is_odd[name]):
            columns.append(_folded(text, exact=name in exact).alias(name))
        else:
            columns.append(pl.when(text != "").then(text))
    return texts.with_columns(columns)


def _folded(text: pl.Expr, *, exact: bool) -> pl.Expr:
    # Only the few that may change are looked at; the others are NULL, which costs nothing.
    odd = text.str.contains(ODD)
    some = pl.when(odd).then(text)
    folded = some.str.normalize("NFKC")
    if exact:
        folded = pl.when(some.str.contains(FIGURES)).then(some).otherwise(folded)
    text = pl.when(odd).then(folded.str.strip_chars(BLANKS)).otherwise(text)
    return pl.when(text != "").then(text)


def fold_figures(texts: pl.DataFrame, exact: pl.DataFrame) -> pl.DataFrame:
    """Return all of `texts` normalised; `exact` are the same, normalised but for such figures."""
    names = exact.columns
    beyond = (pl.all().str.len_bytes() - pl.all().str.len_chars()).max()
    odd = [name for name, most in exact.select(beyond).row(0, named=True).items() if most]
    raised = exact.select(pl.col(odd).str.contains(FIGURES).any()).row(0, named=True) if odd else {}
    left = [name for name in names if raised.get(name)]
    return exact.with_columns(normalise_text(texts.select(left))) if left else exact


def _lost(text: pl.Series, value: pl.Series) -> pl.Series:
    return text.is_not_null() & value.is_null()


def parse_code(text: pl.Series, column: Column) -> tuple[pl.Series, list[tuple[str, pl.Series]]]:
    """Return codes with short region codes padded, and which of them a spreadsheet has damaged."""
    values = text
    if is_region(column):
        short = text.str.contains(r"^(?:[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})$")
        if short.any():
            padded = text.str.pad_end(12, "0")
            values = pl.select(pl.when(short).then(padded).otherwise(text)).to_series()
    faults = [("exponent", text.str.contains(EXPONENT)), ("decimal", text.str.contains(DECIMAL))]
    if column.length and column.length not in LOADED_AT_ANY_LENGTH:
        too_short = (values.str.len_chars() < column.length) & values.str.contains(r"^[0-9]+$")
        faults.append(("short", too_short))
    return values, faults


def parse_number(text: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """Return numbers, and which texts are none; an integer may have a fraction of zeros."""
    dtype = POLARS_TYPES[column.type]
    plain = text.cast(pl.Int64, strict=False)
    if plain.null_count() == text.null_count():
        plain = plain.set(~plain.is_between(-LARGEST, LARGEST), None)
        return plain.cast(dtype), _lost(text, plain)
    delivered = text.str.replace_all("\u2212", "-", literal=True)
    delivered = delivered.set(delivered.str.contains(EMPTY_NUMBER), None)
    formed = delivered.set(~delivered.str.contains(NUMBER), None)
    digits = formed.str.replace_all(",", "", literal=True)
    if column.type == "integer":
        value = digits.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
    else:
        value = digits.cast(pl.Float64, strict=False)
    value = value.set(~value.is_between(-LARGEST, LARGEST), None)
    return value, _lost(delivered, value)


def parse_month(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return months as YYYYMM, and which texts are none."""
    right = text.str.contains(MONTH) & ~text.str.starts_with("0000")
    value = text.str.replace("-", "", literal=True).set(~right, None)
    return value, _lost(text, value)


def parse_date(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return dates of the calendar, and which texts are none."""
    value = pl.repeat(None, len(text), dtype=pl.Date, eager=True)
    for form, layout in DATE_FORMS:
        formed = text.set(~text.str.contains(form) | text.str.starts_with("0000"), None)
        if formed.null_count() < len(formed):
            value = value.fill_null(formed.str.to_date(layout, strict=False))
    return value, _lost(text, value)


def parse_time(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return local times, and which texts are none; a time with a zone is brought to local."""
    parts = text.str.extract_groups(TIME).struct.unnest()
    day, clock, second, zone = parts.get_columns()
    local = day.set(day.str.starts_with("0000"), None) + " " + clock + ":" + second.fill_null("00")
    value = local.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    if zone.null_count() < len(zone):
        zoned = local + zone.str.replace("Z", "+00:00").str.replace(":", "", literal=True)
        moved = zoned.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", time_unit="us", strict=False)
        naive = moved.dt.convert_time_zone(LOCAL_ZONE).dt.replace_time_zone(None)
        value = pl.select(pl.when(zone.is_null()).then(value).otherwise(naive)).to_series()
    return value, _lost(text, value)


def _parse_column(
    text: pl.Series, column: Column
) -> tuple[pl.Series, list[tuple[str, str, pl.Series]]]:
    if column.type == "code":
        value, kinds = parse_code(text, column)
        return value, [("bad_code", kind, rows) for kind, rows in kinds]
    if column.type in ("integer", "money", "decimal"):
        value, rows = parse_number(text, column)
        return value, [("bad_number", column.type, rows)]
    parsers = {"month": parse_month, "date": parse_date, "timestamp": parse_time}
    if column.type in parsers:
        value, rows = parsers[column.type](text)
        return value, [("bad_date", column.type, rows)]
    return text, []


def parse(table: Table, texts: pl.DataFrame) -> Parsed:
    """Type the normalised text of a table's columns; faults come in the contract's order."""
    values: dict[str, pl.Series] = {}
    faults: list[Fault] = []
    for column in table.columns:
        text = texts.to_series(texts.get_column_index(column.name))
        if text.null_count() == len(text):
            value = pl.repeat(None, len(text), dtype=POLARS_TYPES[column.type], eager=True)
            found: list[tuple[str, str, pl.Series]] = []
        else:
            value, found = _parse_column(text, column)
        if column.required:
            empty = value.is_null()
            for _, _, rows in found:
                empty = empty & ~rows.fill_null(value=False)
            found.insert(0, ("missing_required", "", empty))
        values[column.name] = value
        for reason, kind, rows in found:
            if rows.any():
                faults.append(Fault(column.name, reason, kind, rows.fill_null(value=False)))
    return Parsed(pl.DataFrame(values), tuple(faults))


def damaged_cells(frame: pl.DataFrame, names: Iterable[str]) -> tuple[Fault, ...]:
    """Return which cells hold marked bytes or are marked themselves, by column."""
    found = []
    for name in names:
        text = frame.to_series(frame.get_column_index(name))
        rows = text.str.contains(MARKED)
        if rows.any():
            cell = text.str.starts_with(CELL_MARK)
            for reason, part in (("bad_cell", rows & cell), ("bad_bytes", rows & ~cell)):
                if part.any():
                    found.append(Fault(name, reason, "", part.fill_null(value=False)))
    return tuple(found)
