"""Rules times tables: outcomes by region, and every finding.

Row rules of one table share two scans of it (rows in scope, then verdicts that are not a pass);
other rules run once each into a scratch table. A rule that crashes becomes an outcome with status
ERROR and the night goes on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.check_plan import CheckPlan, failed_estimates, missing_tables, without_links
from audit.engines.base import Engine
from audit.errors import AuditError
from audit.memory import Memory
from audit.model import OutcomeStatus, Rule
from audit.portable import OPTIONAL_COLUMNS, ROW_ALIAS, RowShape, row_shape
from audit.quoting import quoted
from audit.rulebook import render
from audit.told import STAGED, publish_findings, repeated_rules

SCRATCH = "rule_result"
VERDICTS = "open_verdict"
NOT_LINKED = "未匹配"
"""How the detail of an outcome begins where a rule over links was not decided for want of them."""

NOT_ESTIMATED = "估计量未算出"

FINDING_COLUMNS = (
    "rule_id", "subject_id", "region_code", "observed", "expected",
    "related_id", "variable", "score", "group_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """Counts of a check: rules by status, findings. `repeated`: rules that told a doubt twice."""

    statuses: Mapping[str, int]
    n_findings: int
    errors: tuple[str, ...]
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule whose SQL is rendered."""

    rule: Rule
    sql: str
    shape: RowShape | None


def _region_filter(plan: CheckPlan, column: str = "region_code") -> str:
    if not plan.region_prefix:
        return "TRUE"
    return f"{column} LIKE {quoted(plan.region_prefix + '%')}"


def _outcome_select(plan: CheckPlan, counts: str, seconds: float) -> str:
    # A rule with nothing in scope in a region has no row there.
    return f"""
SELECT {quoted(plan.run_id)} AS run_id, rule_id, region_code,
  n_checked, n_failed, n_unknown,
  CASE WHEN n_failed > 0 THEN 'FAILED' ELSE 'PASSED' END AS status,
  CAST({seconds:.6f} AS DOUBLE) AS seconds
FROM ({counts}) AS counts WHERE n_checked > 0"""


def _no_outcome(plan: CheckPlan, rule_id: str, status: OutcomeStatus, detail: str) -> str:
    return f"""
SELECT {quoted(plan.run_id)} AS run_id, {quoted(rule_id)} AS rule_id,
  {quoted(plan.whole_region)} AS region_code, 0 AS n_checked, 0 AS n_failed, 0 AS n_unknown,
  {quoted(status)} AS status, CAST(0 AS DOUBLE) AS seconds, {quoted(detail)} AS detail"""


def _column(rule: Rule, columns: Mapping[str, str], name: str) -> str:
    if name in columns:
        return columns[name]
    return {"variable": quoted(rule.variable), "score": "CAST(1 AS DOUBLE)"}.get(name, "NULL")


def _scopes(ready: Sequence[_Ready]) -> dict[str, str]:
    """Return a column name for each different scope: many rules share one."""
    scopes = {item.shape.scope for item in ready if item.shape}
    return {scope: f"s{number}" for number, scope in enumerate(sorted(scopes))}


def _scope_scan(table: str, ready: Sequence[_Ready], plan: CheckPlan) -> str:
    """Count the rows in each scope by region."""
    region = f"COALESCE({ROW_ALIAS}.region_code, '')"
    counts = [f"COUNT_IF({scope}) AS {name}" for scope, name in _scopes(ready).items()]
    return f"""
SELECT {region} AS region_code, {", ".join(counts)}
FROM {table} AS {ROW_ALIAS} WHERE {_region_filter(plan, f"{ROW_ALIAS}.region_code")}
GROUP BY {region}"""


def _verdict_scan(table: str, ready: Sequence[_Ready], plan: CheckPlan) -> str:
    """Return a row for each verdict that is not a pass: failed or unknown.

    Nearly all verdicts are passes, so this keeps little; texts are made for failing rows only.
    """
    entries, conditions = [], []
    for item in ready:
        if item.shape is None:
            continue
        columns, scope = item.shape.columns, item.shape.scope
        holds = f"({columns['holds']})"
        values = [f"'rule_id': {quoted(item.rule.id)}", f"'failed': {holds} IS NOT NULL"]
        for name in FINDING_COLUMNS[1:]:
            kind = "DOUBLE" if name == "score" else "VARCHAR"
            values.append(f"'{name}': CAST({_column(item.rule, columns, name)} AS {kind})")
        open_verdict = f"({scope}) AND {holds} IS NOT TRUE"
        entries.append(f"CASE WHEN {open_verdict} THEN {{{', '.join(values)}}} END")
        conditions.append(f"({open_verdict})")
    found = f"UNNEST([{', '.join(entries)}]) AS f"
    return f"""
SELECT {", ".join(f"f.{name}" for name in ("failed", *FINDING_COLUMNS))}
FROM (SELECT {found} FROM {table} AS {ROW_ALIAS}
  WHERE {_region_filter(plan, f"{ROW_ALIAS}.region_code")} AND ({" OR ".join(conditions)}))
WHERE f IS NOT NULL"""


def _shared_counts(ready: Sequence[_Ready]) -> str:
    """Return checked, failed and unknown by rule and region from the two scans."""
    scopes = _scopes(ready)
    checked = "\nUNION ALL ".join(
        f"SELECT {quoted(item.rule.id)} AS rule_id, region_code, {scopes[item.shape.scope]} AS n "
        f"FROM {SCRATCH}"
        for item in ready
        if item.shape
    )
    return f"""
SELECT c.rule_id, c.region_code, c.n AS n_checked, COALESCE(v.n_failed, 0) AS n_failed,
  COALESCE(v.n_unknown, 0) AS n_unknown
FROM ({checked}) AS c
LEFT JOIN (
  SELECT rule_id, COALESCE(region_code, '') AS region_code,
    COUNT(*) FILTER (WHERE failed) AS n_failed, COUNT(*) FILTER (WHERE NOT failed) AS n_unknown
  FROM {VERDICTS} GROUP BY rule_id, COALESCE(region_code, '')
) AS v ON v.rule_id = c.rule_id AND v.region_code = c.region_code"""


def _check_rows(engine: Engine, table: str, ready: Sequence[_Ready], plan: CheckPlan) -> None:
    began = time.perf_counter()
    engine.materialise(SCRATCH, _scope_scan(table, ready, plan))
    engine.materialise(VERDICTS, _verdict_scan(table, ready, plan))
    columns = ", ".join(FINDING_COLUMNS)
    engine.append(STAGED, f"SELECT {columns} FROM {VERDICTS} WHERE failed")
    seconds = (time.perf_counter() - began) / len(ready)
    engine.append("audit.outcome", _outcome_select(plan, _shared_counts(ready), seconds))


def _check_single(engine: Engine, item: _Ready, plan: CheckPlan) -> None:
    began = time.perf_counter()
    asked = _region_filter(plan, "r.region_code")
    if item.rule.grain == "row":
        # What is known of a confidential unit is its row alone: it concerns whoever asks.
        asked = f"({asked} OR r.region_code IS NULL)"
    engine.materialise(SCRATCH, f"SELECT * FROM ({item.sql}) AS r WHERE {asked}")
    given = set(engine.columns(f"SELECT * FROM {SCRATCH}"))
    columns = {name: name for name in OPTIONAL_COLUMNS if name in given}
    values = [f"{quoted(item.rule.id)} AS rule_id", "subject_id", "region_code"]
    values += ["observed", "expected"]
    values += [f"{_column(item.rule, columns, name)} AS {name}" for name in FINDING_COLUMNS[5:]]
    engine.append(STAGED, f"SELECT {', '.join(values)} FROM {SCRATCH} WHERE NOT holds")
    counts = (
        f"SELECT {quoted(item.rule.id)} AS rule_id, "
        "COALESCE(region_code, '') AS region_code, COUNT(*) AS n_checked, "
        "COUNT(CASE WHEN NOT holds THEN 1 END) AS n_failed, "
        "COUNT(CASE WHEN holds IS NULL THEN 1 END) AS n_unknown "
        f"FROM {SCRATCH} GROUP BY COALESCE(region_code, '')"
    )
    seconds = time.perf_counter() - began
    engine.append("audit.outcome", _outcome_select(plan, counts, seconds))


def _undecided(engine: Engine, plan: CheckPlan, rule: Rule, errors: list[str]) -> bool:
    """Record a rule that cannot be decided for want of links or estimates."""
    status = without_links(rule, plan)
    detail = f"{NOT_LINKED} units were not matched tonight: {plan.links}"
    if failed := failed_estimates(rule, plan):
        status = OutcomeStatus.ERROR
        detail = f"{NOT_ESTIMATED} an estimate failed tonight: {', '.join(failed)}"
    if status is None:
        return False
    if status is OutcomeStatus.ERROR:
        errors.append(rule.id)
    engine.append("audit.outcome", _no_outcome(plan, rule.id, status, detail))
    return True


def _render(engine: Engine, plan: CheckPlan, errors: list[str]) -> dict[str, tuple[Rule, str]]:
    """Return the rules that can run with their SQL; of the others the outcome is recorded."""
    rendered = {}
    for rule in plan.book.rules:
        if missing := missing_tables(rule, plan):
            detail = f"未送达 not delivered: {', '.join(missing)}"
            engine.append(
                "audit.outcome", _no_outcome(plan, rule.id, OutcomeStatus.NOT_APPLICABLE, detail)
            )
            continue
        if _undecided(engine, plan, rule, errors):
            continue
        try:
            rendered[rule.id] = (rule, render(rule, plan.parameters.get(rule.id)))
        except AuditError as error:
            _record_error(engine, plan, rule.id, error, errors)
    return rendered


def _prepare(
    engine: Engine, plan: CheckPlan, errors: list[str], memory: Memory | None
) -> list[_Ready]:
    """Return the rules to run; what `memory` recalls is staged instead."""
    rendered = _render(engine, plan, errors)
    for rule_id in memory.recall(engine, rendered) if memory else ():
        del rendered[rule_id]
    ready = []
    for rule, sql in rendered.values():
        try:
            ready.append(_Ready(rule, sql, row_shape(rule.id, sql)))
        except AuditError as error:
            _record_error(engine, plan, rule.id, error, errors)
    return ready


def _record_error(
    engine: Engine, plan: CheckPlan, rule_id: str, error: AuditError, errors: list[str]
) -> None:
    errors.append(rule_id)
    engine.execute(f"DELETE FROM audit.outcome WHERE rule_id = {quoted(rule_id)}")
    engine.execute(f"DELETE FROM {STAGED} WHERE rule_id = {quoted(rule_id)}")
    detail = error.en.splitlines()[0][:500]
    engine.append("audit.outcome", _no_outcome(plan, rule_id, OutcomeStatus.ERROR, detail))


def _run_ready(engine: Engine, ready: Sequence[_Ready], plan: CheckPlan, errors: list[str]) -> None:
    by_table: dict[str, list[_Ready]] = defaultdict(list)
    for item in ready:
        by_table[item.shape.table if item.shape else ""].append(item)
    for table, items in by_table.items():
        if table:
            try:
                _check_rows(engine, table, items, plan)
                continue
            except AuditError:
                # One rule spoils a shared scan: run them alone to learn which, and keep the rest.
                names = ", ".join(quoted(item.rule.id) for item in items)
                engine.execute(f"DELETE FROM audit.outcome WHERE rule_id IN ({names})")
                engine.execute(f"DELETE FROM {STAGED} WHERE rule_id IN ({names})")
        for item in items:
            try:
                _check_single(engine, item, plan)
            except AuditError as error:
                _record_error(engine, plan, item.rule.id, error, errors)


def _nothing_in_scope(engine: Engine, plan: CheckPlan) -> None:
    done = {
        row["rule_id"]
        for row in engine.fetch("SELECT DISTINCT rule_id FROM audit.outcome").to_pylist()
    }
    for rule in plan.book.rules:
        if rule.id not in done:
            detail = "无适用对象 nothing in scope"
            engine.append(
                "audit.outcome", _no_outcome(plan, rule.id, OutcomeStatus.NOT_APPLICABLE, detail)
            )


def check(engine: Engine, plan: CheckPlan, memory: Memory | None = None) -> CheckSummary:
    """Run all rules of the plan; fill `audit.outcome` and `audit.finding`.

    Needs the views of the delivered tables, `rule_text` (rule_id, rule_version, severity, owner,
    message_zh, message_en), `specialty_owner` (specialty, owner) and `item_label` (variable,
    label_zh, label_en). checked = passed + failed + unknown in every outcome. Findings have no cap.
    Rules that `memory` recalls are not run.
    """
    errors: list[str] = []
    types = {name: "DOUBLE" if name == "score" else "VARCHAR" for name in FINDING_COLUMNS}
    kinds = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in types.items())
    engine.materialise(STAGED, f"SELECT {kinds} WHERE FALSE")
    _run_ready(engine, _prepare(engine, plan, errors, memory), plan, errors)
    if memory:
        memory.keep(engine)
    _nothing_in_scope(engine, plan)
    repeated = repeated_rules(engine)
    n_findings = publish_findings(engine, plan.run_id)
    for name in (SCRATCH, VERDICTS, STAGED):
        engine.execute(f"DROP TABLE IF EXISTS {name}")
    rows = engine.fetch(
        "SELECT status, COUNT(*) AS n FROM (SELECT rule_id, MIN(status) AS status "
        "FROM audit.outcome GROUP BY rule_id) AS o GROUP BY status ORDER BY status"
    ).to_pylist()
    return CheckSummary(
        statuses={row["status"]: row["n"] for row in rows},
        n_findings=n_findings,
        errors=tuple(errors),
        repeated=repeated,
    )
