"""Coverage certificate: for every rule and county of a night, whether it was really checked.

Nothing is taken for checked without evidence: a county that a table did not come from is missing
input for every rule that needs the table, whatever else was looked at there.
"""

from __future__ import annotations

from audit.quoting import quoted
from audit.views import UNIT_SOURCES
from pipelines.context import LOG, RunContext
from pipelines.gate_held import HELD_RULES
from pipelines.report_regions import in_city

TABLE = "audit.coverage"

# NULL is no pass: a rule that could decide nothing is UNDECIDED, one with gaps PARTLY.
VERDICT = """CASE
    WHEN COUNT(*) FILTER (WHERE o.status = 'ERROR') > 0 THEN 'ERROR'
    WHEN COUNT(*) FILTER (WHERE o.status IN ('PASSED', 'FAILED')) = 0 THEN {nothing}
    WHEN SUM(o.n_failed) > 0 THEN 'FAILED'
    WHEN SUM(o.n_unknown) = 0 THEN 'PASSED'
    WHEN SUM(o.n_unknown) < SUM(o.n_checked) THEN 'PARTLY'
    ELSE 'UNDECIDED' END"""
COUNTS = ", ".join(
    f"CAST(COALESCE(SUM(o.{name}), 0) AS BIGINT) AS {name}"
    for name in ("n_checked", "n_failed", "n_unknown")
)
COUNTY_DIGITS = 6
# One town says nothing of the rest of its county: it may show a fault there, but no passing.
PARTLY_ASKED = """CASE verdict WHEN 'PASSED' THEN 'PARTLY'
    WHEN 'NONE' THEN 'NOT_ASKED' WHEN 'NOT_APPLICABLE' THEN 'NOT_ASKED' ELSE verdict END"""
_UNIT_TABLES = ", ".join(f"'{table}'" for table in UNIT_SOURCES)

# A table counts as coming by county where some county's rows of it came tonight.
_LACKING = f"""
needed AS (
  SELECT rule_id, UNNEST(string_split(tables, '|')) AS name,
    '|' || COALESCE(optional_tables, '') || '|' AS optional
  FROM audit.rule
), came AS (
  SELECT DISTINCT table_name, region_code AS county_code FROM audit.gate WHERE n_rows > 0
), by_county AS (
  SELECT DISTINCT table_name FROM came WHERE county_code IN (SELECT county_code FROM county)
), lacking AS (
  SELECT n.rule_id, k.county_code,
    STRING_AGG(DISTINCT b.table_name, '|' ORDER BY b.table_name) AS missing_tables
  FROM needed AS n
  JOIN by_county AS b ON b.table_name = n.name
    OR (n.name = 'unit' AND b.table_name IN ({_UNIT_TABLES}))
  CROSS JOIN county AS k
  LEFT JOIN came AS c ON c.table_name = b.table_name AND c.county_code = k.county_code
  WHERE c.table_name IS NULL AND POSITION('|' || n.name || '|' IN n.optional) = 0
    AND k.county_code <> ''
  GROUP BY n.rule_id, k.county_code
)"""


def _counties(ctx: RunContext) -> str:
    """Return the CTE `county`: those of the vintage in the city, and '' for all other places."""
    return f"""
county AS (
  SELECT DISTINCT region_code AS county_code, name AS county_name FROM census.region
  WHERE vintage = {quoted(ctx.config.vintage)} AND level = '3' AND {in_city(ctx, "region_code")}
  UNION ALL SELECT '', NULL
)"""


def _select(ctx: RunContext, region_prefix: str) -> str:
    asked = f"(LEFT(k.county_code, 6) LIKE {quoted(region_prefix[:6] + '%')})"
    told = PARTLY_ASKED if len(region_prefix) > COUNTY_DIGITS else "verdict"
    checked = "'partly_asked'" if len(region_prefix) > COUNTY_DIGITS else "'checked'"
    return f"""
WITH {_counties(ctx)}, {_LACKING}, whole AS (
  SELECT rule_id, MAX(detail) AS detail,
    CASE WHEN COUNT(*) FILTER (WHERE status = 'ERROR') > 0 THEN 'ERROR'
      WHEN MAX(detail) LIKE '未送达%' THEN 'MISSING'
      ELSE 'NOT_APPLICABLE' END AS verdict
  FROM audit.outcome GROUP BY rule_id
  HAVING COUNT(*) FILTER (WHERE status IN ('PASSED', 'FAILED')) = 0
    OR COUNT(*) FILTER (WHERE status = 'ERROR') > 0
), cell AS (
  SELECT o.rule_id, COALESCE(c.county_code, '') AS county_code,
    {VERDICT.format(nothing="'NONE'")} AS verdict, {COUNTS}
  FROM audit.outcome AS o
  LEFT JOIN county AS c ON c.county_code = LEFT(o.region_code, 6) || '000000'
  WHERE o.status IN ('PASSED', 'FAILED') GROUP BY 1, 2
), held AS ({HELD_RULES}), every AS (
  SELECT r.rule_id, k.county_code, k.county_name, l.missing_tables, w.detail,
    CASE WHEN NOT {asked} THEN 'NOT_ASKED'
      WHEN h.rule_id IS NOT NULL AND l.rule_id IS NULL THEN 'HELD'
      WHEN w.verdict = 'ERROR' THEN w.verdict
      WHEN l.rule_id IS NOT NULL THEN 'MISSING'
      ELSE COALESCE(w.verdict, x.verdict, 'NONE') END AS verdict,
    COALESCE(x.n_checked, 0) AS n_checked, COALESCE(x.n_failed, 0) AS n_failed,
    COALESCE(x.n_unknown, 0) AS n_unknown
  FROM audit.rule AS r CROSS JOIN county AS k
  LEFT JOIN whole AS w ON w.rule_id = r.rule_id
  LEFT JOIN lacking AS l ON l.rule_id = r.rule_id AND l.county_code = k.county_code
  LEFT JOIN cell AS x ON x.rule_id = r.rule_id AND x.county_code = k.county_code
  LEFT JOIN (SELECT DISTINCT h.rule_id, k.county_code FROM held AS h JOIN county AS k
    ON h.county IN (LEFT(k.county_code, 6), {quoted(ctx.config.city[:6])})) AS h
    ON h.rule_id = r.rule_id AND h.county_code = k.county_code
), told AS (
  SELECT * REPLACE ({told} AS verdict) FROM every
)
SELECT {quoted(ctx.info.run_id)} AS run_id, rule_id, county_code, county_name,
  CASE WHEN verdict = 'ERROR' THEN 'crashed' WHEN verdict = 'MISSING' THEN 'input_missing'
    WHEN verdict = 'HELD' THEN 'held' WHEN verdict = 'NOT_ASKED' THEN 'not_asked'
    WHEN n_checked > 0 THEN {checked} ELSE 'not_applicable' END AS state,
  verdict, n_checked, n_failed, n_unknown, missing_tables, detail
FROM told
WHERE county_code <> '' OR EXISTS (SELECT 1 FROM cell WHERE county_code = '')"""


def run(ctx: RunContext, region_prefix: str = "") -> int:
    """Write `audit.coverage` of tonight from outcomes, rules and gate; return its rows.

    `region_prefix`: digits of the one region that was asked for. Safe to run again.
    """
    ctx.engine.execute(f"DELETE FROM {TABLE}")
    written = ctx.engine.append(TABLE, _select(ctx, region_prefix))
    LOG.info("coverage: %d cells", written)
    return written
