"""What goes back to whom: the refused rows of a night, gathered for the reject workbooks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from pipelines import refusals
from pipelines.context import RunContext
from pipelines.places import UNIT_PLACE, UNKNOWN, Variant, place_units, variants
from pipelines.readers.headers import fold, known_headers
from pipelines.reject_senders import (
    REGISTER,
    SOURCE,
    SOURCES,
    Senders,
    department,
    read_senders,
    sender_label,
)
from reports.reject_lists import FileLine, SenderLine, SummaryLine, UnreadFile
from reports.reject_texts import FOLDER, OWN_COLUMNS, both
from reports.reject_workbook import (
    RejectBook,
    RejectRow,
    RejectSheet,
    RejectSource,
    book_name,
    write_rejects,
)
from reports.workbook_book import WorkbookInfo

CONFIDENTIAL = "confidential"
PAGE = 20_000
NUMBERS_SHOWN = 200
_OWN = frozenset(
    fold(text) for label, _ in OWN_COLUMNS for text in (both(label), label.zh, label.en)
)
"""Columns that an earlier reject workbook put in front: never the sender's own."""
NO_TABLE = Label("不属于任何表", "no table")
_PLACES = ("region_code", "unit_id", SOURCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSummary:
    """What was written. `books` names the workbooks of each file with something refused."""

    n_books: int
    books: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Sheets by number: table and header."""

    sheets: tuple[tuple[str, tuple[str, ...]], ...]
    variants: tuple[tuple[Variant, int], ...]


def _listed(values: object) -> list[str]:
    """Return a LIST of the engine as texts."""
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Tell whether `part` is `whole` with columns left out."""
    rest = iter(whole)
    return all(label in rest for label in part)


def _layout(engine: DuckDBEngine) -> _Layout:
    """Find the headers of the refused rows, and which of them share a sheet."""
    sheets: list[tuple[str, tuple[str, ...]]] = []
    placed = []
    for variant in variants(engine):
        labels = tuple(name for name in variant.keys if fold(name) not in _OWN)
        fitting = (
            n
            for n, (of, head) in enumerate(sheets)
            if of == variant.table and _within(labels, head)
        )
        number = next(fitting, len(sheets))
        if number == len(sheets):
            sheets.append((variant.table, labels))
        placed.append((variant, number))
    return _Layout(tuple(sheets), tuple(placed))


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def _register(engine: DuckDBEngine, layout: _Layout, senders: Senders) -> None:
    headers = [
        {"file": v.file, "keys": list(v.keys), "sheet": number}
        | {column: v.pointer(column) for column in _PLACES}
        for v, number in layout.variants
    ]
    schema: dict[str, Any] = {"file": pl.String, "keys": pl.List(pl.String), "sheet": pl.Int32}
    schema |= dict.fromkeys(_PLACES, pl.String)
    engine.register("reject_variant", pl.DataFrame(headers, schema=schema).to_arrow())
    files = [
        {"file": file, "by_path": senders.by_path.get(file), "by_rows": by_rows}
        for file, by_rows in senders.by_rows.items()
    ]
    text = dict.fromkeys(("file", "by_path", "by_rows"), pl.String)
    engine.register("reject_file", pl.DataFrame(files, schema=text).to_arrow())


def _lines_sql(senders: Senders) -> str:
    """Return the SELECT of sender, sheet and reason of each refused row, in the order shown."""
    counties = _quoted(sorted(senders.counties.names)) or "''"
    cell = "TRIM(json_extract_string(r.delivered, v.{}))"
    return f"""
WITH placed AS (
  SELECT r.file, r.row, r.reason, r.table_name, v.sheet, f.by_path, f.by_rows,
    CASE WHEN r.table_name = '{REGISTER}' THEN {cell.format(SOURCE)} END AS source,
    LEFT({cell.format("region_code")}, 6) AS region, u.county
  FROM census.rejected_row AS r
  LEFT JOIN reject_variant AS v ON v.file = r.file AND v.keys = json_keys(r.delivered)
  LEFT JOIN reject_file AS f ON f.file = r.file
  LEFT JOIN {UNIT_PLACE} AS u ON u.unit_id = {cell.format("unit_id")}
  -- A file that a newer delivery replaced asks nothing of its sender.
  WHERE r.reason IS DISTINCT FROM 'superseded'
), sent AS (
  SELECT file, row, reason, sheet, COALESCE(
    CASE WHEN source IN ({_quoted(sorted(SOURCES))}) THEN '{department("")}' || source END,
    NULLIF(by_path, ''),
    CASE WHEN table_name <> '{REGISTER}' AND region IN ({counties}) THEN region END,
    CASE WHEN county IN ({counties}) THEN county END,
    NULLIF(by_rows, ''), '{UNKNOWN}') AS sender
  FROM placed
)
SELECT ROW_NUMBER() OVER (ORDER BY sender, sheet, reason, file, row) AS seq, * FROM sent
"""


def _prepare(engine: DuckDBEngine, senders: Senders) -> _Layout:
    layout = _layout(engine)
    _register(engine, layout, senders)
    engine.materialise("reject_line", _lines_sql(senders))
    return layout


def forget(ctx: RunContext) -> None:
    """Drop what gathering built."""
    for name in ("reject_variant", "reject_file"):
        ctx.engine.unregister(name)
    ctx.engine.execute("DROP TABLE IF EXISTS reject_line")


def _reason(code: object) -> Label:
    return Label(CONTRACT.label("reject_reason", str(code)).zh, str(code).replace("_", " "))


def _table(name: object) -> Label:
    return CONTRACT.tables[str(name)].title if name else NO_TABLE


def _row(record: dict[str, Any], header: Sequence[str]) -> RejectRow:
    table = record["table_name"]
    columns = refusals.faulty_columns(record["column_name"], record["message_en"])
    known = known_headers(table)
    cells = json.loads(record["delivered"])
    faulty = frozenset(
        place
        for place, label in enumerate(header)
        if label in columns or known.get(fold(label)) in columns
    )
    message = Label(record["message_zh"] or "", record["message_en"] or "")
    return RejectRow(
        reason=_reason(record["reason"]),
        columns=both(refusals.faulty_label(table, columns)) if columns else "",
        how=refusals.advice(table, record["row"], record["line"], message, record["column_name"]),
        file=record["file"],
        row=record["row"],
        cells=[cells.get(label) for label in header],
        faulty=faulty,
    )


def _rows(
    engine: DuckDBEngine, header: Sequence[str], first: int, last: int
) -> Iterator[RejectRow]:
    """Yield the rows of one sheet, fetched page by page."""
    for start in range(first, last + 1, PAGE):
        end = min(start + PAGE - 1, last)
        page = engine.fetch(
            "SELECT r.* FROM reject_line AS l JOIN census.rejected_row AS r "
            "ON r.file = l.file AND r.row = l.row "
            f"WHERE l.seq BETWEEN {start} AND {end} ORDER BY l.seq"
        )
        for record in page.to_pylist():
            yield _row(record, header)


def _sheets(engine: DuckDBEngine, layout: _Layout, sender: str) -> Iterator[RejectSheet]:
    ranges = engine.rows(
        "SELECT sheet, MIN(seq), MAX(seq) FROM reject_line "
        f"WHERE sender = {_quoted([sender])} AND sheet IS NOT NULL GROUP BY sheet ORDER BY sheet"
    )
    for number, first, last in ranges:
        table, header = layout.sheets[int(str(number))]
        rows = _rows(engine, header, int(str(first)), int(str(last)))
        yield RejectSheet(CONTRACT.tables[table].title.zh, header, rows)


def _numbers(rows: object) -> str:
    """Return row numbers as people write them; of many only the first."""
    numbers = _listed(rows)
    shown = "、".join(numbers[:NUMBERS_SHOWN])
    return shown + (f" 等{len(numbers)}行" if len(numbers) > NUMBERS_SHOWN else "")


def _summary(engine: DuckDBEngine, sender: str) -> list[SummaryLine]:
    found = engine.fetch(
        "SELECT l.file, d.table_name, d.rows_delivered, d.rows_loaded, d.rows_refused, l.reason, "
        "MAX(l.row) = 0 AS whole, COUNT(*) AS n, "
        f"LIST(l.row ORDER BY l.row) FILTER (WHERE l.reason = '{CONFIDENTIAL}') AS numbers "
        "FROM reject_line AS l JOIN census.delivered_file AS d ON d.file = l.file "
        f"WHERE l.sender = {_quoted([sender])} GROUP BY ALL "
        "ORDER BY l.file, n DESC, l.reason"
    )
    return [
        SummaryLine(
            file=row["file"],
            table=_table(row["table_name"]),
            delivered=row["rows_delivered"],
            loaded=row["rows_loaded"],
            refused=row["rows_refused"],
            reason=_reason(row["reason"]),
            rows=-1 if row["whole"] else row["n"],
            numbers=_numbers(row["numbers"] or ()),
        )
        for row in found.to_pylist()
    ]


def _unread(engine: DuckDBEngine, sender: str) -> list[UnreadFile]:
    found = engine.rows(
        "SELECT r.file, r.table_name, r.reason, r.message_zh, r.message_en "
        "FROM reject_line AS l JOIN census.rejected_row AS r ON r.file = l.file AND r.row = l.row "
        f"WHERE l.sender = {_quoted([sender])} AND l.row = 0 ORDER BY r.file"
    )
    return [
        UnreadFile(str(file), _table(table), _reason(reason), Label(str(zh or ""), str(en or "")))
        for file, table, reason, zh, en in found
    ]


def _books(engine: DuckDBEngine, layout: _Layout, senders: Senders) -> Iterator[RejectBook]:
    for (sender,) in engine.rows("SELECT DISTINCT sender FROM reject_line ORDER BY sender"):
        key = str(sender)
        yield RejectBook(
            key=key,
            sender=sender_label(key, senders.counties),
            summary=_summary(engine, key),
            unread=_unread(engine, key),
            sheets=list(_sheets(engine, layout, key)),
        )


def _sender_lines(ctx: RunContext, senders: Senders) -> list[SenderLine]:
    refused = {
        str(key): (int(str(rows)), int(str(secret)), int(str(unread)), set(_listed(files)))
        for key, rows, secret, unread, files in ctx.engine.rows(
            "SELECT sender, COUNT(*) FILTER (WHERE row > 0), "
            f"COUNT(*) FILTER (WHERE reason = '{CONFIDENTIAL}'), "
            "COUNT(*) FILTER (WHERE row = 0), LIST(DISTINCT file) FROM reject_line GROUP BY sender"
        )
    }
    own: dict[str, set[str]] = defaultdict(set)
    for file in senders.by_rows:
        own[senders.of_file(file)].add(file)
    lines = []
    for key in sorted({*senders.all, *own, *refused}, key=lambda k: (k == UNKNOWN, k)):
        rows, secret, unread, files = refused.get(key, (0, 0, 0, set()))
        label = sender_label(key, senders.counties)
        lines.append(
            SenderLine(
                key=key,
                sender=label,
                n_files=len(own[key] | files),
                refused=rows,
                confidential=secret,
                unread=unread,
                book=book_name(key, label, ctx.info.run_id) if key in refused else "",
            )
        )
    return lines


def _file_lines(engine: DuckDBEngine, senders: Senders) -> list[FileLine]:
    counts = engine.rows(
        "SELECT file, reason FROM reject_line GROUP BY file, reason ORDER BY COUNT(*), reason DESC"
    )
    # The last of a file stands: the reason with most rows.
    main = {str(file): str(reason) for file, reason in counts}
    found = engine.rows(
        "SELECT file, table_name, rows_delivered, rows_loaded, rows_refused "
        "FROM census.delivered_file ORDER BY file_no"
    )
    return [
        FileLine(
            file=str(file),
            table=_table(table),
            sender=sender_label(senders.of_file(str(file)), senders.counties),
            delivered=int(str(delivered)),
            loaded=int(str(loaded)),
            refused=int(str(refused)),
            reason=_reason(main[str(file)]) if str(file) in main else Label("", ""),
        )
        for file, table, delivered, loaded, refused in found
    ]


def run(ctx: RunContext) -> RejectSummary:
    """Write the reject workbooks into `rejects/` of the run, from what intake left.

    Reads `census.rejected_row` and `census.delivered_file`; the same tables give the same bytes.
    """
    place_units(ctx.engine)
    senders = read_senders(ctx.engine)
    try:
        layout = _prepare(ctx.engine, senders)
        lines = _sender_lines(ctx, senders)
        source = RejectSource(
            books=_books(ctx.engine, layout, senders),
            senders=lines,
            files=_file_lines(ctx.engine, senders),
        )
        info = WorkbookInfo(
            run_id=ctx.info.run_id,
            # Not the clock: identical input gives identical bytes.
            created=datetime.fromisoformat(ctx.config.reference_date),
            rulebook_digest=ctx.info.rulebook_digest,
        )
        paths = write_rejects(source, ctx.run_dir / FOLDER, info)
        names = {line.key: line.book for line in lines}
        books: dict[str, list[str]] = defaultdict(list)
        for file, sender in ctx.engine.rows(
            "SELECT DISTINCT file, sender FROM reject_line ORDER BY file, sender"
        ):
            books[str(file)].append(names[str(sender)])
        by_file = {file: tuple(found) for file, found in books.items()}
        return RejectSummary(n_books=len(paths) - 1, books=by_file)
    finally:
        forget(ctx)
