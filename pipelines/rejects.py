"""What goes back to whom: the refused rows of a night, gathered for the reject workbooks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from audit.quoting import quoted
from pipelines import refusals
from pipelines.context import RunContext
from pipelines.places import UNKNOWN
from pipelines.readers.headers import fold, known_headers
from pipelines.reject_lines import Layout, forget, own_column, prepare, sheet_plans
from pipelines.reject_senders import Senders, read_senders, sender_label
from reports.reject_lists import FileLine, SenderLine, SummaryLine, UnreadFile
from reports.reject_texts import FOLDER, WHOLE_ROW, both
from reports.reject_workbook import (
    RejectBook,
    RejectRow,
    RejectSheet,
    RejectSource,
    book_name,
    sender_name,
    write_rejects,
)
from reports.workbook_book import WorkbookInfo

CONFIDENTIAL = "confidential"
PAGE = 20_000
NUMBERS_SHOWN, FILES_SHOWN = 200, 5
NO_TABLE = Label("不属于任何表", "no table")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSummary:
    """What was written. `books` names the workbooks of each file with something refused."""

    n_books: int
    books: dict[str, tuple[str, ...]]


def _listed(values: object) -> list[str]:
    """Return a LIST of the engine as texts."""
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


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
        columns=both(refusals.faulty_label(table, columns) if columns else WHOLE_ROW),
        how=refusals.advice(table, record["row"], record["line"], message, record["column_name"]),
        file=record["file"],
        row=record["row"],
        cells=[cells.get(label) for label in header],
        faulty=faulty,
        torn=() if columns else _as_it_came(cells),
    )


def _as_it_came(cells: dict[str, str | None]) -> list[str]:
    """Return a row's own cells in their order; those that it was too short for are left out."""
    texts = [text or "" for label, text in cells.items() if own_column(label)]
    n_there = max((n for n, text in enumerate(texts, 1) if text), default=0)
    return texts[:n_there]


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


def _sheets(
    engine: DuckDBEngine, layout: Layout, sender: str, label: Label
) -> Iterator[RejectSheet]:
    for plan in sheet_plans(engine, layout, sender):
        title = CONTRACT.tables[plan.table].title.zh
        yield RejectSheet(
            table=title,
            header=plan.header,
            rows=_rows(engine, plan.header, plan.first, plan.last),
            n_keys=plan.n_keys,
            shown=plan.shown,
            save_as=f"{title}_{sender_name(sender, label)}_{plan.tag}",
        )


def _numbers(rows: object) -> str:
    """Return row numbers as people write them; of many only the first."""
    numbers = _listed(rows)
    shown = "、".join(numbers[:NUMBERS_SHOWN])
    return shown + (f" 等{len(numbers)}行" if len(numbers) > NUMBERS_SHOWN else "")


def _files(names: object) -> str:
    """Return names of files as people write them; of many only the first."""
    listed = sorted(_listed(names))
    more = f" 等{len(listed)}个文件" if len(listed) > FILES_SHOWN else ""
    return "、".join(listed[:FILES_SHOWN]) + more


def _summary(engine: DuckDBEngine, sender: str) -> list[SummaryLine]:
    found = engine.fetch(
        "SELECT l.file, d.table_name, d.rows_delivered, d.rows_loaded, d.rows_refused, l.reason, "
        "MAX(l.row) = 0 AS whole, COUNT(*) FILTER (WHERE l.superseded_by IS NULL) AS n, "
        "COUNT(l.superseded_by) AS settled, LIST(DISTINCT l.superseded_by) "
        "FILTER (WHERE l.superseded_by IS NOT NULL) AS settled_by, "
        f"LIST(l.row ORDER BY l.row) FILTER (WHERE l.reason = '{CONFIDENTIAL}') AS numbers "
        "FROM reject_line AS l JOIN census.delivered_file AS d ON d.file = l.file "
        f"WHERE l.sender = {quoted(sender)} GROUP BY ALL "
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
            settled=row["settled"],
            settled_by=_files(row["settled_by"]),
        )
        for row in found.to_pylist()
    ]


def _unread(engine: DuckDBEngine, sender: str) -> list[UnreadFile]:
    found = engine.rows(
        "SELECT r.file, r.table_name, r.reason, r.message_zh, r.message_en "
        "FROM reject_line AS l JOIN census.rejected_row AS r ON r.file = l.file AND r.row = l.row "
        f"WHERE l.sender = {quoted(sender)} AND l.row = 0 ORDER BY r.file"
    )
    return [
        UnreadFile(str(file), _table(table), _reason(reason), Label(str(zh or ""), str(en or "")))
        for file, table, reason, zh, en in found
    ]


def _books(engine: DuckDBEngine, layout: Layout, senders: Senders) -> Iterator[RejectBook]:
    """Yield the workbook of every sender who has something to do."""
    for (sender,) in engine.rows(
        "SELECT DISTINCT sender FROM reject_line WHERE superseded_by IS NULL ORDER BY sender"
    ):
        key = str(sender)
        label = sender_label(key, senders.counties)
        yield RejectBook(
            key=key,
            sender=label,
            summary=_summary(engine, key),
            unread=_unread(engine, key),
            sheets=list(_sheets(engine, layout, key, label)),
        )


def _refused_of_senders(
    engine: DuckDBEngine,
) -> dict[str, tuple[tuple[int, int, int, int], set[str]]]:
    """Return by sender the rows asked, confidential, files unread, rows settled; and the files."""
    found = engine.fetch(
        "SELECT sender, COUNT(*) FILTER (WHERE superseded_by IS NULL AND row > 0) AS asked, "
        f"COUNT(*) FILTER (WHERE reason = '{CONFIDENTIAL}') AS secret, "
        "COUNT(*) FILTER (WHERE row = 0) AS unread, COUNT(superseded_by) AS settled, "
        "LIST(DISTINCT file) AS files FROM reject_line GROUP BY sender"
    )
    return {
        row["sender"]: (
            (row["asked"], row["secret"], row["unread"], row["settled"]),
            set(_listed(row["files"])),
        )
        for row in found.to_pylist()
    }


def _sender_lines(ctx: RunContext, senders: Senders) -> list[SenderLine]:
    refused = _refused_of_senders(ctx.engine)
    own: dict[str, set[str]] = defaultdict(set)
    for file in senders.by_rows:
        own[senders.of_file(file)].add(file)
    lines = []
    for key in sorted({*senders.all, *own, *refused}, key=lambda k: (k == UNKNOWN, k)):
        (rows, secret, unread, settled), files = refused.get(key, ((0, 0, 0, 0), set()))
        label = sender_label(key, senders.counties)
        lines.append(
            SenderLine(
                key=key,
                sender=label,
                n_files=len(own[key] | files),
                refused=rows,
                confidential=secret,
                unread=unread,
                settled=settled,
                book=book_name(key, label, ctx.info.run_id) if rows or unread else "",
            )
        )
    return lines


def _file_lines(engine: DuckDBEngine, senders: Senders) -> list[FileLine]:
    counts = engine.rows(
        "SELECT file, reason FROM reject_line GROUP BY file, reason ORDER BY COUNT(*), reason DESC"
    )
    # The last of a file stands: the reason with most rows.
    main = {str(file): str(reason) for file, reason in counts}
    settled = {
        str(file): (int(str(n)), _files(names))
        for file, n, names in engine.rows(
            "SELECT file, COUNT(*), LIST(DISTINCT superseded_by) FROM reject_line "
            "WHERE superseded_by IS NOT NULL GROUP BY file"
        )
    }
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
            settled=settled.get(str(file), (0, ""))[0],
            settled_by=settled.get(str(file), (0, ""))[1],
        )
        for file, table, delivered, loaded, refused in found
    ]


def run(ctx: RunContext) -> RejectSummary:
    """Write the reject workbooks into `rejects/` of the run, from what intake left.

    Reads `census.rejected_row`, `census.delivered_file` and the `unit_place` that intake leaves;
    the same tables give the same bytes.
    """
    senders = read_senders(ctx)
    try:
        layout = prepare(ctx.engine, senders)
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
            "SELECT DISTINCT file, sender FROM reject_line WHERE superseded_by IS NULL "
            "ORDER BY file, sender"
        ):
            books[str(file)].append(names[str(sender)])
        by_file = {file: tuple(found) for file, found in books.items()}
        return RejectSummary(n_books=len(paths) - 1, books=by_file)
    finally:
        forget(ctx.engine)
