"""The gate in the report: verdicts by file and county, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.contracts import CONTRACT
from audit.model import Label
from reports.html_texts import GATE_STYLES

GATE_SHOWN = 400


def gate_view(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows that need attention, the counts by verdict, and what the second judge said.

    `rows`: the columns of `audit.gate` with the region's name, worst first.
    """
    told = [row for row in rows if row["verdict"] != "accept"]
    verdicts = CONTRACT.code_lists["gate_verdict"]
    states = {row["gx"] for row in rows}
    order = ("could_not_check", "differs", "agreed", "not_asked")
    gx = next((state for state in order if state in states), "not_asked")
    return {
        "rows": [_dressed(row) for row in told[:GATE_SHOWN]],
        "n_told": len(told),
        "counts": [
            (label, GATE_STYLES[code], sum(row["verdict"] == code for row in rows))
            for code, label in verdicts.items()
        ],
        "gx": CONTRACT.label("gate_gx", gx),
    }


def _dressed(row: Mapping[str, Any]) -> dict[str, Any]:
    table = CONTRACT.tables.get(row["table_name"])
    return {
        **row,
        "label": CONTRACT.label("gate_verdict", row["verdict"]),
        "css": GATE_STYLES[row["verdict"]],
        "table": table.title if table else Label(row["table_name"], row["table_name"]),
    }
