"""Aggregates of a night for the report: counts by rule, region and file, nothing about a unit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from audit.contracts import CONTRACT
from audit.ledger import KEPT_OPEN_SQL
from audit.quoting import quoted
from pipelines import finding_places, link
from pipelines.context import RunContext
from pipelines.coverage import COUNTS, VERDICT
from pipelines.finding_places import PLACED
from pipelines.ledger import IN_FORCE
from pipelines.publish import CURRENT
from pipelines.report_gate import gate_docs, gate_rows
from pipelines.report_regions import (
    flag_changes,
    flagged,
    in_city,
    levels,
    regions,
    tasks,
)
from reports.html import Intake, ReportData, Totals

FILES_SHOWN = 400


def vintage(ctx: RunContext) -> str:
    """Return the vintage of the region list in use: the configured one, else the latest there."""
    wanted = quoted(ctx.config.vintage)
    found = ctx.engine.scalar(
        f"SELECT COALESCE(MAX(vintage) FILTER (WHERE vintage = {wanted}), MAX(vintage)) "
        "FROM census.region"
    )
    return str(found) if found is not None else ctx.config.vintage


def _places(ctx: RunContext, in_use: str) -> str:
    """Return the CTEs `place` (regions of the vintage) and `county` (code, name), code '' last."""
    return f"""
place AS (
  SELECT region_code, MIN(name) AS name, MIN(level) AS level
  FROM census.region WHERE vintage = {quoted(in_use)} GROUP BY region_code
), county AS (
  SELECT region_code AS county_code, name FROM place
  WHERE level = '3' AND {in_city(ctx, "region_code")}
)"""


def _prepare(ctx: RunContext, places: str) -> None:
    """Make the scratch tables `unit_county` and `open_finding`, each read several times."""
    ctx.engine.materialise(
        "unit_county",
        f"""WITH {places}
SELECT u.unit_id, u.unit_kind, u.region_code, COALESCE(c.county_code, '') AS county_code
FROM census.unit AS u
LEFT JOIN county AS c ON c.county_code = LEFT(u.region_code, 6) || '000000'""",
    )
    finding_places.place(ctx)
    ctx.engine.materialise(
        "open_finding",
        "SELECT severity, state, statement, place_kind, place_id, "
        f"COALESCE(county_code, '') AS county_code FROM {PLACED}",
    )


def _forget(ctx: RunContext) -> None:
    for name in ("unit_county", "open_finding"):
        ctx.engine.execute(f"DROP TABLE {name}")


_FAILING = """
failing AS (
  SELECT DISTINCT place_id AS unit_id, place_kind = 'unit' AS is_unit, severity
  FROM open_finding WHERE statement = 'error' AND severity IN ('fatal', 'query')
)"""


def _totals(ctx: RunContext, places: str) -> Totals:
    # Two scalar counts a severity instead of joins that would count a unit once a finding.
    row = ctx.engine.fetch(f"""
WITH {places}, {_FAILING}, units AS (
  SELECT COUNT(*) AS n_units, COUNT(*) FILTER (WHERE unit_kind = '1') AS n_legal,
    COUNT(*) FILTER (WHERE unit_kind = '2') AS n_establishments,
    COUNT(*) FILTER (WHERE unit_kind = '3') AS n_self_employed,
    COUNT(*) FILTER (WHERE p.region_code IS NULL) AS n_outside
  FROM unit_county AS u LEFT JOIN place AS p ON p.region_code = u.region_code
), failed AS (
  SELECT COUNT(*) FILTER (WHERE severity = 'fatal' AND is_unit) AS n_fatal_units,
    COUNT(*) FILTER (WHERE severity = 'fatal' AND NOT is_unit) AS n_fatal_lines,
    COUNT(*) FILTER (WHERE severity = 'query' AND is_unit) AS n_query_units,
    COUNT(*) FILTER (WHERE severity = 'query' AND NOT is_unit) AS n_query_lines
  FROM failing
)
SELECT * FROM units, failed""").to_pylist()[0]
    return Totals(**row, **asdict(finding_places.counts(ctx, "open_finding")))


def _counties(ctx: RunContext, places: str) -> pa.Table:
    told = ", ".join(
        f"COUNT(*) FILTER (WHERE statement = 'error' AND {column} = '{value}') AS n_{value}"
        for column, values in (
            ("severity", ("fatal", "query", "info")),
            ("state", ("new", "persisting")),
        )
        for value in values
    )
    return ctx.engine.fetch(f"""
WITH {places}, {_FAILING}, units AS (
  SELECT u.county_code, COUNT(*) AS n_units, COUNT(f.unit_id) AS n_fatal_units
  FROM unit_county AS u
  LEFT JOIN failing AS f ON f.unit_id = u.unit_id AND f.is_unit AND f.severity = 'fatal'
  GROUP BY u.county_code
), findings AS (
  SELECT county_code, {told}, COUNT(*) FILTER (WHERE statement <> 'error') AS n_beside
  FROM open_finding GROUP BY county_code
), flags AS (
  SELECT LEFT(region_code, 6) || '000000' AS county_code, COUNT(*) AS n_flagged
  FROM audit.region_score WHERE flagged AND region_level IN ('3', '4', '5') GROUP BY 1
), listed AS (
  SELECT county_code, name FROM county
  UNION ALL
  SELECT '', '' WHERE EXISTS (SELECT 1 FROM units WHERE county_code = '')
    OR EXISTS (SELECT 1 FROM findings WHERE county_code = '')
    OR EXISTS (SELECT 1 FROM audit.outcome AS o WHERE o.status IN ('PASSED', 'FAILED') AND
      LEFT(o.region_code, 6) || '000000' NOT IN (SELECT county_code FROM county))
)
SELECT l.county_code, l.name, COALESCE(u.n_units, 0) AS n_units,
  COALESCE(u.n_fatal_units, 0) AS n_fatal_units,
  u.n_fatal_units / NULLIF(u.n_units, 0) AS unit_rate, COALESCE(f.n_fatal, 0) AS n_fatal,
  COALESCE(f.n_query, 0) AS n_query, COALESCE(f.n_info, 0) AS n_info,
  COALESCE(f.n_new, 0) AS n_new, COALESCE(f.n_persisting, 0) AS n_persisting,
  COALESCE(f.n_beside, 0) AS n_beside, COALESCE(g.n_flagged, 0) AS n_flagged, s.n_register
FROM listed AS l
LEFT JOIN units AS u ON u.county_code = l.county_code
LEFT JOIN findings AS f ON f.county_code = l.county_code
LEFT JOIN flags AS g ON g.county_code = l.county_code
LEFT JOIN audit.region_score AS s ON s.region_code = l.county_code
ORDER BY l.county_code = '', l.county_code""")


def _rules(ctx: RunContext) -> pa.Table:
    states = ", ".join(
        f"COUNT(*) FILTER (WHERE COALESCE(state, 'new') = '{state}') AS n_{state}"
        for state in ("new", "persisting", "reopened", "waived")
    )
    lives = ", ".join(
        f"COALESCE(l.n_{state}, 0) AS n_{state}"
        for state in ("new", "persisting", "reopened", "waived")
    )
    verdict = VERDICT.format(nothing="'NOT_APPLICABLE'")
    return ctx.engine.fetch(f"""
WITH result AS (
  SELECT o.rule_id, {verdict} AS verdict, MAX(o.detail) AS detail, {COUNTS}
  FROM audit.outcome AS o GROUP BY o.rule_id
), life AS (
  SELECT rule_id, {states} FROM audit.finding GROUP BY rule_id
)
SELECT r.rule_id, r.family, r.severity, r.level, r.grain, r.clause, r.title_zh, r.title_en,
  COALESCE(o.verdict, 'NOT_APPLICABLE') AS verdict, o.detail,
  COALESCE(o.n_checked, 0) AS n_checked, COALESCE(o.n_failed, 0) AS n_failed,
  COALESCE(o.n_unknown, 0) AS n_unknown,
  o.n_failed / NULLIF(o.n_checked - o.n_unknown, 0) AS failure_rate, {lives}
FROM audit.rule AS r
LEFT JOIN result AS o ON o.rule_id = r.rule_id
LEFT JOIN life AS l ON l.rule_id = r.rule_id
ORDER BY MIN(r.rule_id) OVER (PARTITION BY r.family), r.rule_id""")


def _coverage(ctx: RunContext, counties: pa.Table) -> pa.Table:
    ctx.engine.register("report_county", counties.select(["county_code"]))
    try:
        return ctx.engine.fetch("""
SELECT r.rule_id, k.county_code, COALESCE(v.verdict, 'NONE') AS verdict,
  COALESCE(v.n_checked, 0) AS n_checked, COALESCE(v.n_failed, 0) AS n_failed,
  COALESCE(v.n_unknown, 0) AS n_unknown
FROM audit.rule AS r CROSS JOIN report_county AS k
LEFT JOIN audit.coverage AS v ON v.rule_id = r.rule_id AND v.county_code = k.county_code
ORDER BY r.rule_id, k.county_code""")
    finally:
        ctx.engine.unregister("report_county")


def _changes(ctx: RunContext) -> pa.Table:
    run_id = quoted(ctx.info.run_id)
    return ctx.engine.fetch(f"""
WITH life AS (
  SELECT COALESCE(state, 'new') AS state, severity FROM audit.finding
  UNION ALL
  SELECT CASE WHEN h.cause IN ({KEPT_OPEN_SQL}) THEN h.cause ELSE h.state END,
    COALESCE(r.severity, '')
  FROM audit.finding_history AS h LEFT JOIN audit.rule AS r ON r.rule_id = h.rule_id
  WHERE h.run_id = {run_id} AND (h.state = 'resolved' OR h.cause IN ({KEPT_OPEN_SQL}))
)
SELECT state, severity, COUNT(*) AS n FROM life
GROUP BY state, severity ORDER BY state, severity""")


def _causes(ctx: RunContext) -> pa.Table:
    return ctx.engine.fetch(f"""
SELECT COALESCE(cause, '') AS cause, COUNT(*) AS n FROM audit.finding_history
WHERE run_id = {quoted(ctx.info.run_id)} AND state = 'resolved'
GROUP BY 1 ORDER BY n DESC, cause""")


def _tables(ctx: RunContext) -> pa.Table:
    counts = " UNION ALL ".join(
        f"SELECT {place} AS place, '{table.name}' AS table_name, COUNT(*) AS n_rows "
        f"FROM census.{table.name}"
        for place, table in enumerate(CONTRACT.delivered)
    )
    return ctx.engine.fetch(f"""
WITH rows AS ({counts}), files AS (
  SELECT table_name, COUNT(*) AS n_files FROM census.delivered_file GROUP BY table_name
), listed AS (
  SELECT DISTINCT UNNEST(string_split(tables, '|')) AS name FROM audit.rule
), used AS (
  SELECT name FROM listed
  UNION SELECT UNNEST(['legal_entity', 'establishment', 'self_employed'])
    WHERE EXISTS (SELECT 1 FROM listed WHERE name = 'unit')
)
SELECT r.table_name, r.n_rows, COALESCE(f.n_files, 0) AS n_files,
  CASE WHEN r.n_rows > 0 AND f.n_files > 0 AND r.table_name NOT IN (SELECT name FROM used)
      THEN 'unused'
    WHEN r.n_rows > 0 AND f.n_files > 0 THEN 'delivered' WHEN r.n_rows > 0 THEN 'shipped'
    WHEN f.n_files > 0 THEN 'empty' ELSE 'missing' END AS state
FROM rows AS r LEFT JOIN files AS f ON f.table_name = r.table_name ORDER BY r.place""")


def _files(ctx: RunContext) -> pa.Table:
    return ctx.engine.fetch(f"""
SELECT file_no, file, table_name, format, encoding, rows_delivered, rows_loaded, rows_refused,
  unknown_columns, page_checksums, superseded_by, rows_superseded, keys_lost
FROM census.delivered_file
ORDER BY COALESCE(rows_loaded, 0) > 0, COALESCE(rows_refused, 0) DESC,
  COALESCE(unknown_columns, '') = '', file_no
LIMIT {FILES_SHOWN}""")


def _refusals(ctx: RunContext) -> pa.Table:
    """Return the refused rows of each file by reason: of a file refused as a whole, all it had."""
    return ctx.engine.fetch("""
SELECT r.file, COALESCE(r.reason, '') AS reason,
  CAST(SUM(CASE WHEN r.row > 0 THEN 1 ELSE COALESCE(d.rows_refused, 0) END) AS BIGINT) AS n,
  MAX(r.row) = 0 AS whole, COUNT(r.superseded_by) AS n_corrected
FROM census.rejected_row AS r LEFT JOIN census.delivered_file AS d ON d.file = r.file
GROUP BY 1, 2 ORDER BY r.file, n DESC, 2""")


def _intake(ctx: RunContext) -> Intake:
    sums = ", ".join(
        f"CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS n_{name}"
        for column, name in (
            ("rows_delivered", "delivered"),
            ("rows_loaded", "loaded"),
            ("rows_refused", "refused"),
            ("rows_superseded", "rows_replaced"),
        )
    )
    sql = (
        f"SELECT COUNT(*) AS n_files, COUNT(superseded_by) AS n_replaced, {sums} "
        "FROM census.delivered_file"
    )
    return Intake(**ctx.engine.fetch(sql).to_pylist()[0])


def _outside(ctx: RunContext, places: str) -> pa.Table:
    return ctx.engine.fetch(f"""
WITH {places}
SELECT u.county_code, COUNT(*) AS n_units
FROM unit_county AS u LEFT JOIN place AS p ON p.region_code = u.region_code
WHERE p.region_code IS NULL GROUP BY u.county_code ORDER BY u.county_code""")


def _previous_run(ctx: RunContext) -> str:
    """Return the run that the ledger compared tonight with; empty on the first night."""
    if not (ctx.state_dir / IN_FORCE).exists():
        return ""
    current = ctx.state_dir.parent / CURRENT
    if current.is_symlink():
        return current.resolve().name
    earlier = f"WHERE first_run_id <> {quoted(ctx.info.run_id)}"
    found = ctx.engine.scalar(f"SELECT MAX(first_run_id) FROM audit.finding {earlier}")
    return str(found or "?")


def _finish(ctx: RunContext) -> tuple[str, str]:
    rows = ctx.engine.rows(
        "SELECT COALESCE(STRFTIME(finished_at, '%Y-%m-%d %H:%M:%S'), ''), COALESCE(status, '') "
        f"FROM audit.run WHERE run_id = {quoted(ctx.info.run_id)}"
    )
    finished, status = rows[0] if rows else ("", "")
    return str(finished), str(status)


def _city_name(ctx: RunContext, in_use: str) -> str:
    found = ctx.engine.scalar(
        f"SELECT MIN(name) FROM census.region WHERE vintage = {quoted(in_use)} "
        f"AND region_code = {quoted(ctx.config.city)}"
    )
    return str(found or ctx.config.city)


def _told(ctx: RunContext, places: str, in_use: str) -> dict[str, Any]:
    """Return the tables of the report by their names."""
    counties = _counties(ctx, places)
    return {
        "levels": levels(ctx),
        "flagged": flagged(ctx),
        "regions": regions(ctx),
        "counties": counties,
        "rules": _rules(ctx),
        "coverage": _coverage(ctx, counties),
        "changes": _changes(ctx),
        "causes": _causes(ctx),
        "tables": _tables(ctx),
        "files": _files(ctx),
        "refusals": _refusals(ctx),
        "outside": _outside(ctx, places),
        "gate": gate_rows(ctx, in_use),
    }


def collect(ctx: RunContext) -> ReportData:
    """Read the night's aggregates from `census.*` and `audit.*` of the run's database.

    EngineError when a table of the contract or the view `finding_place` is not there. Reads only.
    """
    in_use = vintage(ctx)
    places = _places(ctx, in_use)
    _prepare(ctx, places)
    finished_at, status = _finish(ctx)
    scoring = ctx.config.scoring
    tables = _told(ctx, places, in_use)
    totals = _totals(ctx, places)
    _forget(ctx)
    return ReportData(
        city=_city_name(ctx, in_use),
        reference_date=ctx.config.reference_date,
        vintage=in_use,
        info=ctx.info,
        finished_at=finished_at,
        status=status,
        previous_run=_previous_run(ctx),
        limits=(scoring.limit_units, scoring.limit_self_employed),
        flag_probability=scoring.flag_probability,
        totals=totals,
        intake=_intake(ctx),
        tasks=tasks(ctx),
        flag_changes=flag_changes(ctx),
        gate_docs=gate_docs(ctx),
        matching=link.summary(ctx),
        **tables,
    )
