"""Which refused row stands where in the reject workbooks: its sender, its sheet, its place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.quoting import quoted, quoted_list
from pipelines import refusals
from pipelines.places import UNIT_PLACE, UNKNOWN, Variant, variants
from pipelines.readers.headers import fold, known_headers
from pipelines.reject_senders import REGISTER, SOURCE, SOURCES, Senders, department
from reports.reject_texts import OWN_COLUMNS, both

LINE, VARIANT, FILE = "reject_line", "reject_variant", "reject_file"
_OWN = frozenset(
    fold(text) for label, _ in OWN_COLUMNS for text in (both(label), label.zh, label.en)
)
"""Columns that an earlier reject workbook put in front."""
_PLACES = ("region_code", "unit_id", SOURCE)
_LETTERS = dict(zip("0123456789abcdef", "BCDFGHJKLMNPQRST", strict=True))


@dataclass(frozen=True, slots=True)
class Layout:
    """Sheets by number: table and header."""

    sheets: tuple[tuple[str, tuple[str, ...]], ...]
    variants: tuple[tuple[Variant, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """One sheet of a sender: `order` of its header, keys first, then what is wrong in some row.

    `shown` columns of it are looked at; the others are right in every row that is not torn. `tag`
    names its content.
    """

    table: str
    header: tuple[str, ...]
    n_keys: int
    shown: int
    tag: str
    first: int
    last: int


def own_column(label: str) -> bool:
    """Tell whether a column is the sender's own, not one that a reject workbook put in front."""
    return fold(label) not in _OWN


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Tell whether `part` is `whole` with columns left out."""
    rest = iter(whole)
    return all(label in rest for label in part)


def layout(engine: DuckDBEngine) -> Layout:
    """Find the headers of the refused rows, and which of them share a sheet."""
    sheets: list[tuple[str, tuple[str, ...]]] = []
    placed = []
    for variant in variants(engine):
        labels = tuple(filter(own_column, variant.keys))
        fitting = (
            n
            for n, (of, head) in enumerate(sheets)
            if of == variant.table and _within(labels, head)
        )
        number = next(fitting, len(sheets))
        if number == len(sheets):
            sheets.append((variant.table, labels))
        placed.append((variant, number))
    return Layout(tuple(sheets), tuple(placed))


def _register(engine: DuckDBEngine, found: Layout, senders: Senders) -> None:
    headers = [
        {"file": v.file, "keys": list(v.keys), "sheet": number}
        | {column: v.pointer(column) for column in _PLACES}
        for v, number in found.variants
    ]
    schema: dict[str, Any] = {"file": pl.String, "keys": pl.List(pl.String), "sheet": pl.Int32}
    schema |= dict.fromkeys(_PLACES, pl.String)
    engine.register(VARIANT, pl.DataFrame(headers, schema=schema).to_arrow())
    files = [
        {"file": file, "by_path": senders.by_path.get(file), "by_rows": by_rows}
        for file, by_rows in senders.by_rows.items()
    ]
    text = dict.fromkeys(("file", "by_path", "by_rows"), pl.String)
    engine.register(FILE, pl.DataFrame(files, schema=text).to_arrow())


def _lines_sql(senders: Senders) -> str:
    """Return the SELECT of sender, sheet and reason of each refused row, in the order shown.

    A row that another one of its key counts instead of is in no sheet: it is told, not asked.
    """
    counties = quoted_list(sorted(senders.counties.names)) or "''"
    cell = "TRIM(json_extract_string(r.delivered, v.{}))"
    return f"""
WITH placed AS (
  SELECT r.file, r.row, r.reason, r.table_name, r.superseded_by, v.sheet, f.by_path, f.by_rows,
    CASE WHEN r.table_name = '{REGISTER}' THEN {cell.format(SOURCE)} END AS source,
    LEFT({cell.format("region_code")}, 6) AS region, u.county
  FROM census.rejected_row AS r
  LEFT JOIN {VARIANT} AS v ON v.file = r.file AND v.keys = json_keys(r.delivered)
  LEFT JOIN {FILE} AS f ON f.file = r.file
  LEFT JOIN {UNIT_PLACE} AS u ON u.unit_id = {cell.format("unit_id")}
  -- A file that a newer delivery replaced asks nothing of its sender.
  WHERE r.reason IS DISTINCT FROM 'superseded'
), sent AS (
  SELECT file, row, reason, superseded_by,
    CASE WHEN superseded_by IS NULL THEN sheet END AS sheet, COALESCE(
    CASE WHEN source IN ({quoted_list(sorted(SOURCES))}) THEN '{department("")}' || source END,
    NULLIF(by_path, ''),
    CASE WHEN table_name <> '{REGISTER}' AND region IN ({counties}) THEN region END,
    CASE WHEN county IN ({counties}) THEN county END,
    NULLIF(by_rows, ''), '{UNKNOWN}') AS sender
  FROM placed
)
SELECT ROW_NUMBER() OVER (ORDER BY sender, sheet, reason, file, row) AS seq, * FROM sent
"""


def prepare(engine: DuckDBEngine, senders: Senders) -> Layout:
    """Make the scratch table of the lines; `forget` drops it."""
    found = layout(engine)
    _register(engine, found, senders)
    engine.materialise(LINE, _lines_sql(senders))
    return found


def forget(engine: DuckDBEngine) -> None:
    """Drop what `prepare` built."""
    for name in (VARIANT, FILE):
        engine.unregister(name)
    engine.execute(f"DROP TABLE IF EXISTS {LINE}")


def _tag(digest: str) -> str:
    """Return a digest as letters: digits in a file's name may tell a county, a day or a version."""
    return "".join(_LETTERS[digit] for digit in hashlib.sha256(digest.encode()).hexdigest()[:8])


def _wrong(engine: DuckDBEngine, first: int, last: int) -> set[str]:
    """Return the columns that some row of a sheet names as wrong; a torn row names none."""
    told = engine.rows(
        f"SELECT DISTINCT r.column_name, {refusals.OTHERS_SQL} FROM {LINE} AS l "
        "JOIN census.rejected_row AS r ON r.file = l.file AND r.row = l.row "
        f"WHERE l.seq BETWEEN {first} AND {last}"
    )
    found = [
        refusals.faulty_columns(None if column is None else str(column), str(message or ""))
        for column, message in told
    ]
    return {name for names in found for name in names}


def _arranged(
    table: str, header: Sequence[str], wrong: set[str]
) -> tuple[list[str], list[str], list[str]]:
    """Return the labels of a header: the key's, those of wrong columns, all others."""
    known = known_headers(table)
    columns = {label: known.get(fold(label), label) for label in header}
    keys = [label for name in CONTRACT.tables[table].key for label in header
            if columns[label] == name]  # fmt: skip
    bad = [label for label in header if label not in keys and {label, columns[label]} & wrong]
    return keys, bad, [label for label in header if label not in (*keys, *bad)]


def sheet_plans(engine: DuckDBEngine, found: Layout, sender: str) -> list[SheetPlan]:
    """Return the sheets of a sender's workbook in their order."""
    ranges = engine.rows(
        "SELECT l.sheet, MIN(l.seq), MAX(l.seq), "
        "MD5(STRING_AGG(CONCAT_WS('|', l.file, l.row, MD5(r.delivered)), ',' ORDER BY l.seq)) "
        f"FROM {LINE} AS l JOIN census.rejected_row AS r ON r.file = l.file AND r.row = l.row "
        f"WHERE l.sender = {quoted(sender)} AND l.sheet IS NOT NULL "
        "GROUP BY l.sheet ORDER BY l.sheet"
    )
    plans = []
    for number, low, high, digest in ranges:
        table, header = found.sheets[int(str(number))]
        first, last = int(str(low)), int(str(high))
        wrong = _wrong(engine, first, last)
        keys, bad, rest = _arranged(table, header, wrong)
        plans.append(
            SheetPlan(
                table=table,
                header=(*keys, *bad, *rest),
                n_keys=len(keys),
                # Rows cut short or with too many fields may be wrong anywhere.
                shown=len(keys) + len(bad) if wrong else len(header),
                tag=_tag(str(digest)),
                first=first,
                last=last,
            )
        )
    return plans
