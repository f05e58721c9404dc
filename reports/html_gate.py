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

    `rows`: the columns of `audit.gate` with the region's name, worst first. What only follows from
    the missing units of another file stands in that file's line, and is in no count.
    """
    own = [row for row in rows if not row["because"]]
    told = [row for row in own if row["verdict"] != "accept"]
    verdicts = CONTRACT.code_lists["gate_verdict"]
    states = {row["gx"] for row in rows}
    order = ("could_not_check", "differs", "agreed", "not_asked")
    gx = next((state for state in order if state in states), "not_asked")
    following = _following(rows)
    return {
        "rows": [
            {**_dressed(row), "follow": following.get((row["region_code"], row["file"]), [])}
            for row in told[:GATE_SHOWN]
        ],
        "n_told": len(told),
        "n_following": len(rows) - len(own),
        "held": held_names(own),
        "counts": [
            (label, GATE_STYLES[code], sum(row["verdict"] == code for row in own))
            for code, label in verdicts.items()
        ],
        "gx": CONTRACT.label("gate_gx", gx),
    }


def _following(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Label]]:
    """Return the tables that only follow, by the region and file that they follow from."""
    found: dict[tuple[str, str], dict[Label, None]] = {}
    for row in rows:
        for file in (row["because"] or "").split("|"):
            if file:
                labels = found.setdefault((row["region_code"], file), {})
                labels[_dressed(row)["table"]] = None
    return {key: list(labels) for key, labels in found.items()}


def held_names(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, list[Label]]]:
    """Return name, code and held tables of each region with a table that is held back."""
    found: dict[str, tuple[str, dict[Label, None]]] = {}
    for row in rows:
        if row["verdict"] in HELD:
            _, labels = found.setdefault(row["region_code"] or "", (row["name"] or "", {}))
            labels[_dressed(row)["table"]] = None
    return [(name, code, list(labels)) for code, (name, labels) in sorted(found.items())]


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
