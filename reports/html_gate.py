"""The gate in the report: verdicts by file and county, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.contracts import CONTRACT
from audit.gate import HELD
from audit.model import Label
from audit.views import UNIT_SOURCES
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


def held_counties(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return verdict and reasons of the counties whose unit data are held back, by county code.

    `rows` as for `gate_view`. These counties have no rate, rank or flag: neither good nor bad.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["verdict"] in HELD and row["region_code"] and row["table_name"] in UNIT_SOURCES:
            dressed = _dressed(row)
            one = found.setdefault(row["region_code"], {**dressed, "why": []})
            zh, en = row["reasons"] or "", row["reasons_en"] or row["reasons"] or ""
            table = dressed["table"]
            one["why"].append(Label(f"{table.zh}：{zh}", f"{table.en}: {en}"))
    return found


def county_rows(
    rows: Sequence[dict[str, Any]], held: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the counties with `held`; one that is held back keeps its counts but has no rate."""
    return [
        {
            **row,
            "held": held.get(row["county_code"]),
            "unit_rate": None if row["county_code"] in held else row["unit_rate"],
        }
        for row in rows
    ]


def _dressed(row: Mapping[str, Any]) -> dict[str, Any]:
    table = CONTRACT.tables.get(row["table_name"])
    return {
        **row,
        "label": CONTRACT.label("gate_verdict", row["verdict"]),
        "css": GATE_STYLES[row["verdict"]],
        "table": table.title if table else Label(row["table_name"], row["table_name"]),
    }
