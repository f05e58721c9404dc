"""The report's part on intake: files, their refused rows by reason, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.contracts import CONTRACT
from audit.model import Label
from reports.html_texts import TABLE_STATES
from reports.reject_texts import link

Row = Mapping[str, Any]
SUPERSEDED, CONFIDENTIAL = "superseded", "confidential"


def reason_label(code: str) -> Label:
    """Return the name of a reason of refusal."""
    return Label(CONTRACT.label("reject_reason", code).zh, code.replace("_", " "))


def table_label(name: str | None) -> Label | None:
    """Return the title of a table of the contract; None for any other name."""
    table = CONTRACT.tables.get(name or "")
    return table.title if table else None


def file_rows(
    files: Sequence[dict[str, Any]], refusals: Sequence[Row], books: Mapping[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Return the files with their refusals by reason, and the workbooks that hold their rows."""
    refused: dict[str, list[dict[str, Any]]] = {}
    for row in refusals:
        entry = {**row, "label": reason_label(row["reason"])}
        refused.setdefault(row["file"], []).append(entry)
    return [
        {
            **row,
            "refusals": refused.get(row["file"], []),
            "books": [link(name) for name in books.get(row["file"], ())],
            "unknown": [name for name in (row["unknown_columns"] or "").split("|") if name],
            # The header of a file that nothing was loaded from may be a unit's row: count it only.
            "quotable": bool(row["rows_loaded"]),
            "table": table_label(row["table_name"]),
        }
        for row in files
    ]


def table_rows(tables: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the tables of the contract with their titles and states."""
    return [
        {**row, "title": table_label(row["table_name"]), "state": TABLE_STATES[row["state"]]}
        for row in tables
    ]


def refusal_sums(refusals: Sequence[Row]) -> dict[str, Any]:
    """Return the refused rows by reason, which add up to all that are refused, and what is apart.

    `unread`: files refused as a whole by reason; some had no row that could be counted.
    `unread_files`: their names.
    """
    rows: dict[str, int] = {}
    unread: dict[str, int] = {}
    for row in refusals:
        if row["reason"] == SUPERSEDED:
            continue
        rows[row["reason"]] = rows.get(row["reason"], 0) + row["n"]
        if row["whole"]:
            unread[row["reason"]] = unread.get(row["reason"], 0) + 1
    return {
        "refusals": {reason_label(code): n for code, n in rows.items() if n},
        "unread": {reason_label(code): n for code, n in unread.items()},
        "unread_files": sorted(
            {row["file"] for row in refusals if row["whole"] and row["reason"] != SUPERSEDED}
        ),
        "n_confidential": rows.get(CONFIDENTIAL, 0),
        "n_corrected": sum(row["n_corrected"] for row in refusals),
    }
