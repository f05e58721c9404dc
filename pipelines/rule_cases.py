"""Rule cases: small worlds in YAML beside each rule, built into an engine and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa

from audit.check_plan import CheckPlan
from audit.checking import check
from audit.contracts import CONTRACT, read_yaml
from audit.derive import POLARS_TYPES, DeriveLists, derive
from audit.engines.duckdb import DuckDBEngine
from audit.errors import RuleError
from audit.estimating.registry import making
from audit.model import Rule
from audit.night import create_outputs, create_reference, rule_texts
from audit.reference import load_reference
from audit.rulebook import ESTIMATE_TABLES, RULES_DIR, RuleBook, render
from audit.views import UNIT_SOURCES
from pipelines.estimate import fill, states

CASE_KEYS = {"given", "checked", "unknown", "findings", "parameters"}
LISTS = DeriveLists(cast("pl.DataFrame", pl.from_arrow(load_reference()["industry_profile"])))


@dataclass(frozen=True, slots=True)
class Case:
    """One case: rows given, what must come out."""

    rule_id: str
    name: str
    given: dict[str, list[dict[str, str]]]
    checked: int
    unknown: int
    findings: list[dict[str, str]]
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The rule and the name of the case."""
        return f"{self.rule_id}-{self.name}"


def read_cases(path: Path) -> list[Case]:
    """Return the cases of one rule; ValueError where a case has a key that is none."""
    data = read_yaml(path)
    rule_id = data.pop("rule")
    cases = []
    for name, body in data.items():
        if extra := set(body) - CASE_KEYS:
            raise ValueError(f"{path.name} {name}: unknown keys {extra}")
        cases.append(
            Case(
                rule_id,
                name,
                {table: _spread(rows or []) for table, rows in body["given"].items()},
                int(body["checked"]),
                int(body.get("unknown", 0)),
                body.get("findings") or [],
                body.get("parameters", {}),
            )
        )
    return cases


def all_cases() -> list[Case]:
    """Return the cases of all rules, by file."""
    return [case for path in sorted(RULES_DIR.glob("*/*.cases.yaml")) for case in read_cases(path)]


def value_of(kind: str, text: str) -> Any:
    """Return a text of a case as a value of the contract's type; empty is NULL."""
    if text == "":
        return None
    if kind == "integer":
        return int(text)
    if kind in ("money", "decimal"):
        return float(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    if kind == "boolean":
        return {"true": True, "false": False}[text.lower()]
    return text


def _spread(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Write out rows that stand for many: `times: 30` makes 30, with their number for every `#`."""
    return [
        {name: value.replace("#", str(number)) for name, value in row.items() if name != "times"}
        if "times" in row
        else row
        for row in rows
        for number in range(1, int(row.get("times", "1")) + 1)
    ]


def build(table: str, rows: list[dict[str, str]]) -> pl.DataFrame:
    """Return the typed frame of a contract table, derived columns included."""
    contract = CONTRACT.tables[table]
    for row in rows:
        if extra := set(row) - set(contract.by_name):
            raise ValueError(f"{table} has no columns {sorted(extra)}")
    given = {name for row in rows for name in row}
    columns = [c for c in contract.all_columns if c in contract.columns or c.name in given]
    frame = pl.DataFrame(
        {c.name: [value_of(c.type, row.get(c.name, "")) for row in rows] for c in columns},
        schema={c.name: POLARS_TYPES[c.type] for c in columns},
    )
    return derive(table, frame, LISTS)


@cache
def _empty(table: str) -> pa.Table:
    """Return the frame of a table without rows: a case names more tables than it fills."""
    return build(table, []).to_arrow()


def load(engine: DuckDBEngine, rule: Rule, given: dict[str, list[dict[str, str]]]) -> None:
    """Create just the tables that the rule's header names."""
    named = {*rule.tables, *rule.optional_tables}
    estimates = making(frozenset(named - set(given)))
    # Rows of an estimate may be given; else it is made of raw rows, as the night makes it.
    named |= {table for e in estimates for table in (*e.needs, *e.uses)}
    if extra := set(given) - named:
        raise ValueError(f"{rule.id} does not name the tables {sorted(extra)}")
    for table in sorted(named - set(ESTIMATE_TABLES) | set(given)):
        _load(engine, table, given.get(table, []))
    if "unit" not in named:
        _unit_of(engine, named)
    for estimate in estimates:
        fill(engine, estimate, frozenset(named))


def _load(engine: DuckDBEngine, table: str, rows: list[dict[str, str]]) -> None:
    if table.startswith("ref_"):
        return
    if f"census.{table}" in CONTRACT.outputs:
        columns = CONTRACT.outputs[f"census.{table}"].duckdb_columns()
        engine.execute(f"CREATE OR REPLACE TABLE census.{table} ({columns})")
        _append(engine, f"census.{table}", rows)
    elif table in CONTRACT.tables:
        engine.register("incoming", build(table, rows).to_arrow() if rows else _empty(table))
        engine.materialise(f"census.{table}", "SELECT * FROM incoming")
    else:
        schema = "estimate" if table in ESTIMATE_TABLES else "linkage"
        _append(engine, f"{schema}.{table}", rows)


def _append(engine: DuckDBEngine, table: str, rows: list[dict[str, str]]) -> None:
    for row in rows:
        values = ", ".join(f"'{value}' AS {name}" for name, value in row.items() if value)
        engine.append(table, f"SELECT {values}")


def _unit_of(engine: DuckDBEngine, named: set[str]) -> None:
    """Findings take the specialty from `unit`; give it the units that the case has."""
    parts = ["SELECT NULL AS unit_id, NULL AS specialty WHERE FALSE"]
    for table in sorted(named & set(UNIT_SOURCES)):
        column = "industry_specialty" if table == "self_employed" else "specialty"
        parts.append(f"SELECT unit_id, {column} FROM census.{table}")
    engine.materialise("census.unit", " UNION ALL ".join(parts))


@contextmanager
def case_engine() -> Iterator[DuckDBEngine]:
    """Give an engine with the reference lists, in which cases can be run one after the other."""
    with DuckDBEngine() as engine:
        create_reference(engine)
        create_outputs(engine)
        yield engine


def _empty_outputs(engine: DuckDBEngine) -> None:
    """Take away what the case before left: most of the published tables stay empty in a case."""
    filled = engine.rows(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "WHERE estimated_size > 0 AND schema_name IN ('audit', 'linkage', 'estimate')"
    )
    for (name,) in filled:
        engine.execute(f"TRUNCATE {name}")


def run_case(
    case: Case, rule: Rule, engine: DuckDBEngine
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the summed outcome and the findings of one case; RuleError where the rule crashes."""
    book = RuleBook((rule,))
    _empty_outputs(engine)
    load(engine, rule, case.given)
    rule_texts(engine, book)
    plan = CheckPlan(
        book=book,
        run_id="R",
        filled_tables=frozenset(rule.tables),
        estimates=states(engine),
        whole_region="430400000000",
        parameters={rule.id: case.parameters},
    )
    summary = check(engine, plan)
    if summary.errors:
        detail = engine.fetch("SELECT detail FROM audit.outcome").to_pylist()
        raise RuleError(
            f"用例 {case.id} 使规则出错：{detail}",
            f"Case {case.id} crashed: {detail}\n{render(rule, case.parameters)}",
        )
    if summary.repeated:
        raise RuleError(
            f"用例 {case.id}：规则对同一对象重复提示",
            f"Case {case.id}: the rule tells one doubt about one subject twice",
        )
    total = engine.fetch(
        "SELECT CAST(SUM(n_checked) AS BIGINT) AS checked, "
        "CAST(SUM(n_unknown) AS BIGINT) AS unknown, "
        "CAST(SUM(n_failed) AS BIGINT) AS failed FROM audit.outcome"
    ).to_pylist()[0]
    findings = engine.fetch(
        "SELECT * FROM audit.finding ORDER BY subject_id, related_id, variable"
    ).to_pylist()
    return total, findings


def comes_out(case: Case, rule: Rule, engine: DuckDBEngine) -> bool:
    """Return whether a case gives what is written beside it."""
    try:
        total, findings = run_case(case, rule, engine)
    except RuleError:
        return False
    if len(findings) != len(case.findings):
        return False
    seen = [
        {name: finding[name] for name in wanted}
        for finding, wanted in zip(findings, case.findings, strict=True)
    ]
    wanted = [{name: value or None for name, value in row.items()} for row in case.findings]
    counts = (total["checked"], total["unknown"], total["failed"])
    return seen == wanted and counts == (case.checked, case.unknown, len(case.findings))
