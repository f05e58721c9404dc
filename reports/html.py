"""The report of a night for the head of the office: one HTML file, without network, zh and en.

It holds aggregates only. Units are in the workbooks and in the database; nothing here names one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
from markupsafe import Markup

from audit.contracts import CONTRACT
from audit.model import Label, RunInfo, Severity
from reports.charts import Panel, Scale, county_chart, interval_axis, interval_bar, share_bar
from reports.html_gate import county_rows, gate_view, held_counties
from reports.html_intake import file_rows, refusal_sums, table_label, table_rows
from reports.html_texts import (
    CAUSES,
    CENSUSES,
    CLAUSES,
    FAMILIES,
    LEVELS,
    VERDICTS,
    clean,
    clip,
)
from reports.matching import Matching
from reports.reject_texts import INDEX_FILE, link

TEMPLATES = Path(__file__).parent / "templates"
ROWS_AT_FIRST = 12
_STOPPED = ("ERROR", "NOT_APPLICABLE")
# As the check stage writes it: Chinese, English, then tables of the contract.
_STOP_WORDS = re.compile(r"(?P<zh>[^ -~]+) (?P<en>[a-z ]+)(?:: (?P<names>[a-z0-9_, ]+))?$")
_DIGITS = str.maketrans("一二三四五六七八九（）", "123456789()")
_WIDEST_AXIS = 0.25
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The counts of the whole delivery. Waived findings are counted apart, in `changes`.

    `*_units` are units with such a finding, `*_lines` lines of the frame or records of a register
    that no unit answers for; `n_fatal`, `n_query` and `n_info` are the findings about both, as in
    the county books. Leads and conclusions are in none of them.
    """

    n_units: int
    n_legal: int
    n_establishments: int
    n_self_employed: int
    n_fatal_units: int
    n_fatal_lines: int
    n_fatal: int
    n_query_units: int
    n_query_lines: int
    n_query: int
    n_info: int
    n_leads: int
    n_conclusions: int
    n_outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The counts of all files together; rows delivered = loaded + refused.

    `n_replaced` files with `n_rows_replaced` rows, for which newer ones count, are in no other.
    """

    n_files: int
    n_delivered: int
    n_loaded: int
    n_refused: int
    n_replaced: int = 0
    n_rows_replaced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The verification tasks of the night by arm, and when they are due; empty without tasks.

    `draws`: the columns of `audit.task_draw`, how many units each draw wanted and got.
    """

    n_priority: int
    n_random: int
    due_on: str
    draws: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChanges:
    """Names of the regions that are flagged since tonight, and of those that no longer are."""

    became: tuple[str, ...]
    ceased: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """All that the report shows: plain values and small tables, nothing about a single unit.

    `previous_run` is empty on the first night. Tables and their columns, rates as shares:
    `flag_changes` is None where last night's scores are not at hand. flagged: the columns of
    regions with only_child, for the flagged of all levels by rank; a place that is all there is of
    the one above it stands in its line. levels: region_level, n_regions, n_flagged.
    regions: the columns of `audit.region_score` with parent_name; counties and townships in
    full, villages only the first by rank.
    counties: county_code, name, n_units, n_fatal_units, unit_rate, n_fatal, n_query, n_info, n_new,
    n_persisting, n_beside (leads and conclusions), n_flagged, n_register; code "" is what lies in
    no listed county.
    rules: the columns of `audit.rule` without sql, verdict, detail, n_checked, n_failed, n_unknown,
    failure_rate, n_new, n_persisting, n_reopened, n_waived.
    coverage: rule_id, county_code, verdict, n_checked, n_failed, n_unknown; every pair once.
    changes: state, severity, n. causes: cause, n. tables: table_name, n_rows, n_files, state.
    files: the columns of `census.delivered_file`; those in need of attention first.
    refusals: file, reason, n (rows), whole (the file was refused), n_corrected.
    outside: county_code, n_units.
    gate: the columns of `audit.gate` with name, worst first; gate_docs: address of the Data Docs.
    rejects: by file the names of the reject workbooks that its refused rows are in, if any.
    """

    city: str
    reference_date: str
    vintage: str
    info: RunInfo
    finished_at: str
    status: str
    previous_run: str
    limits: tuple[float, float]
    flag_probability: float
    totals: Totals
    intake: Intake
    tasks: Tasks
    flag_changes: FlagChanges | None
    levels: pa.Table
    flagged: pa.Table
    regions: pa.Table
    counties: pa.Table
    rules: pa.Table
    coverage: pa.Table
    changes: pa.Table
    causes: pa.Table
    tables: pa.Table
    files: pa.Table
    refusals: pa.Table
    outside: pa.Table
    gate: pa.Table
    gate_docs: str = ""
    rejects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    matching: Matching | None = None


def _printable(value: Any) -> Any:
    """Clean every text that a template prints; what is markup already went through escape()."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def number(value: float | None) -> str:
    """Write a count with thousands separators; NULL as a dash."""
    return "—" if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """Write a share as per cent with one decimal; NULL as a dash, never as zero."""
    if value is None:
        return "—"
    return "<0.1%" if 0 < value < 0.0005 else f"{value:.1%}"


def probability(value: float | None) -> str:
    """Write a probability as whole per cent, never as a certainty."""
    if value is None:
        return "—"
    if value > 0.99:
        return ">99%"
    return "<1%" if value < 0.01 else f"{value:.0%}"


def sentences(text: str | None, mark: str) -> list[str]:
    """Split the reasons of a region, which are joined by `mark`, into single ones."""
    return [part.strip() for part in (text or "").split(mark) if part.strip()]


def _sums(rows: Sequence[Row], key: str) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        totals[row[key]] = totals.get(row[key], 0) + row["n"]
    return totals


def _scale(rows: Sequence[Row], limits: tuple[float, ...]) -> Scale:
    highest = max((row["rate_high"] or 0.0 for row in rows), default=0.0)
    top = min(max(highest, 2 * max(limits)), max(_WIDEST_AXIS, 2 * max(limits)))
    return Scale(top=top, limits=tuple(sorted(set(limits))))


def _dress(row: dict[str, Any], scale: Scale, data: ReportData) -> None:
    ends = (row["rate_low"], row["rate"], row["rate_high"])
    limit = data.limits[row["kind"] == "self_employed"] if row["kind"] else None
    row["bar"] = interval_bar(ends, scale, limit)
    row["why"] = zip_reasons(row["reasons"], row["reasons_en"])


def _first_places(data: ReportData) -> dict[str, Any]:
    """Return the flagged regions of all levels in one order, with the axis of their bars."""
    rows: list[dict[str, Any]] = data.flagged.to_pylist()
    scale = _scale(rows, data.limits)
    for row in rows:
        _dress(row, scale, data)
        row["label"] = LEVELS[row["region_level"]]
    return {"rows": rows, "axis": interval_axis(scale)}


def _awaited(data: ReportData) -> list[tuple[str, Label]]:
    """Return the clauses of the plan that no rule cites yet."""
    cited = {
        (clause or "").replace("（", "(").replace("）", ")")
        for clause in data.rules["clause"].to_pylist()
    }
    return [(clause, label) for clause, label in CLAUSES.items() if clause not in cited]


def _region_tables(data: ReportData) -> list[dict[str, Any]]:
    rows = data.regions.to_pylist()
    counts = {row["region_level"]: row for row in data.levels.to_pylist()}
    tables = []
    for level, label in LEVELS.items():
        here = [row for row in rows if row["region_level"] == level]
        scale = _scale(here, data.limits)
        for row in here:
            _dress(row, scale, data)
        known = counts.get(level, {"n_regions": 0, "n_flagged": 0})
        tables.append(
            {"level": level, "label": label, "rows": here, "axis": interval_axis(scale), **known}
        )
    return tables


def zip_reasons(zh: str | None, en: str | None) -> list[Label]:
    """Pair the reasons of a region in both languages; unequal lists are shown unsplit."""
    left, right = sentences(zh, "；"), sentences(en, ";")
    if len(left) != len(right):
        left, right = [zh or "—"], [en or "—"]
    return [Label(*pair) for pair in zip(left, right, strict=True)]


def _stopped(detail: str | None) -> Label | None:
    """Say why a rule gave no verdict, in one language at a time where the words are known."""
    if not detail:
        return None
    known = _STOP_WORDS.match(detail)
    if not known:
        return Label(detail, detail)
    names = [name.strip() for name in (known["names"] or "").split(",") if name.strip()]
    labels = [table_label(name) or Label(name, name) for name in names]
    return Label(
        known["zh"] + "：" * bool(names) + "、".join(one.zh for one in labels),
        known["en"] + ": " * bool(names) + ", ".join(one.en for one in labels),
    )


def _rule_rows(data: ReportData) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.rules.to_pylist()
    top = max((row["failure_rate"] or 0.0 for row in rows), default=0.0)
    for row in rows:
        row["severity"] = Severity(row["severity"])
        row["reason"] = _stopped(row["detail"]) if row["verdict"] in _STOPPED else None
        row["clause_label"] = Label(row["clause"] or "—", (row["clause"] or "—").translate(_DIGITS))
        row["urgency"] = -list(VERDICTS).index(row["verdict"])
        row["verdict"] = VERDICTS[row["verdict"]]
        row["bar"] = share_bar(row["failure_rate"], top, str(row["severity"]))
        row["family_label"] = FAMILIES.get(row["family"], Label(row["family"], row["family"]))
    return rows


def _matrix(data: ReportData) -> list[dict[str, Any]]:
    place = {row["county_code"]: i for i, row in enumerate(data.counties.to_pylist())}
    cells: dict[str, list[Row | None]] = {}
    for row in data.coverage.to_pylist():
        line = cells.setdefault(row["rule_id"], [None] * len(place))
        line[place[row["county_code"]]] = {**row, "verdict": VERDICTS[row["verdict"]]}
    families = groupby(data.rules.to_pylist(), key=lambda row: row["family"])
    return [
        {
            "family": FAMILIES.get(family, Label(family, family)),
            "rules": [{**rule, "cells": cells.get(rule["rule_id"], [])} for rule in rules],
        }
        for family, rules in families
    ]


def _life(data: ReportData) -> dict[str, Any]:
    changes = data.changes.to_pylist()
    cells = {(row["state"], row["severity"]): row["n"] for row in changes}
    causes = [
        (CAUSES.get(row["cause"], Label(row["cause"], row["cause"])), row["n"])
        for row in data.causes.to_pylist()
    ]
    return {"cells": cells, "sums": _sums(changes, "state"), "causes": causes}


def _panels() -> tuple[Panel, ...]:
    return (
        Panel(column="n_fatal", title=Label("强制性差错（条）", "Fatal findings"), css="fatal"),
        Panel(column="n_query", title=Label("核实性差错（条）", "Query findings"), css="query"),
        Panel(
            column="unit_rate",
            title=Label("有强制性差错的单位占比", "Share of units with a fatal finding"),
            css="rate",
            percent=True,
        ),
    )


def _view(data: ReportData) -> dict[str, Any]:
    held = held_counties(data.gate.to_pylist())
    counties = county_rows(data.counties.to_pylist(), held)
    rules = _rule_rows(data)
    year = data.reference_date[:4]
    listed = [row for row in counties if row["county_code"]]
    return {
        "d": data,
        "year": year,
        "census": CENSUSES.get(year, Label("全国经济普查", "National Economic Census")),
        "life": _life(data),
        "levels": _region_tables(data),
        "first": _first_places(data),
        "awaited": _awaited(data),
        "counties": counties,
        "held": held,
        "chart": county_chart(listed, _panels()),
        "rules": rules,
        "verdicts": VERDICTS,
        "by_verdict": {
            code: sum(row["verdict"] is verdict for row in rules)
            for code, verdict in VERDICTS.items()
        },
        "matrix": _matrix(data),
        "outside": {row["county_code"]: row["n_units"] for row in data.outside.to_pylist()},
        "tables": table_rows(data.tables.to_pylist()),
        "files": file_rows(data.files.to_pylist(), data.refusals.to_pylist(), data.rejects),
        "gate": gate_view(data.gate.to_pylist()),
        **refusal_sums(data.refusals.to_pylist()),
        "severities": tuple(Severity),
        "draw_names": CONTRACT.code_lists["task_draw"],
        "at_first": ROWS_AT_FIRST,
        "reject_index": link(INDEX_FILE)[1] if data.rejects else "",
    }


@cache
def _environment() -> jinja2.Environment:
    """Return the templates, compiled once a process."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(n=number, pct=percent, prob=probability, clip=clip)
    return environment


def render_report(data: ReportData) -> str:
    """Return the report as one HTML text; the same data give the same text."""
    return _environment().get_template("report.html.j2").render(_view(data))


def write_report(data: ReportData, path: Path) -> int:
    """Write the report to `path` and return its size in bytes; OSError when it cannot."""
    content = render_report(data).encode("utf-8", "replace")
    path.write_bytes(content)
    return len(content)
