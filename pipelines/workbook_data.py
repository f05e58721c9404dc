"""What the workbooks show, gathered from the run's tables: places to visit and their findings.

A place is what a team visits: a unit, or a line of the frame or of a register that no unit answers
for. Findings about an edit or a visit belong to its unit. Leads have no place and stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from audit.quoting import quoted
from audit.scoring import city_prefix
from pipelines import finding_places, workbook_items
from pipelines.context import RunContext
from pipelines.finding_places import OPEN, PLACED
from pipelines.workbook_same import SAME_FACT
from pipelines.workbook_suggestions import SUGGESTIONS
from reports.workbook import (
    FINDING_FIELDS,
    TOWNSHIP_FIELDS,
    UNIT_FIELDS,
    CountyData,
    WorkbookSource,
)

NOWHERE = "000000"
"""County of what lies in no listed county, so that no finding is lost."""

NOWHERE_NAME, NO_TOWNSHIP = "区划不明", "乡镇不明"
NO_CODE = "000000"
"""Behind a county's digits: its units in no listed township; no township ends so."""

_RANK = "CASE severity WHEN 'fatal' THEN 0 WHEN 'query' THEN 1 ELSE 2 END"

_REGIONS = """
CREATE OR REPLACE TEMP TABLE export_region AS
SELECT region_code, MIN(name) AS name, MIN(level) AS level
FROM census.region WHERE vintage = {vintage} GROUP BY region_code
"""

_FINDINGS = f"""
CREATE OR REPLACE TEMP TABLE export_finding AS
SELECT p.finding_key, p.rule_id, p.severity, r.clause, f.message_zh, f.message_en, f.related_id,
  COALESCE(r.title_zh, p.rule_id) AS title_zh, COALESCE(r.title_en, p.rule_id) AS title_en,
  f.variable, f.observed, f.expected, f.priority, p.region_code, p.state,
  f.first_run_id AS first_run, r.same_fact,
  {_RANK.replace("severity", "p.severity")} AS severity_rank, p.place_key
FROM {PLACED} AS p
JOIN audit.finding AS f ON f.finding_key = p.finding_key
LEFT JOIN audit.rule AS r ON r.rule_id = p.rule_id
WHERE p.place_key IS NOT NULL
"""

_KNOWN = """
CREATE OR REPLACE TEMP TABLE export_known AS
WITH wanted AS (
  SELECT DISTINCT place_key FROM export_finding
  UNION SELECT 'u|' || subject_id FROM audit.verification_task WHERE arm = 'random'
), kept AS (
  SELECT DISTINCT ON (unit_id) unit_id, unit_kind, credit_code, name, address, phone_mobile,
    phone_fixed, person, enumerator_id, region_code, activity, employees, revenue_kyuan
  FROM census.unit
  WHERE unit_id IN (SELECT substr(place_key, 3) FROM wanted WHERE place_key LIKE 'u|%')
  ORDER BY unit_id, unit_kind
)
SELECT 'u|' || unit_id AS place_key, unit_id AS place_id, unit_kind AS kind, credit_code, name,
  address, concat_ws(' ', phone_mobile, phone_fixed) AS phone, person AS contact, enumerator_id,
  region_code,
  concat_ws('；', '主要业务活动 ' || activity, '从业人员 ' || employees || ' 人',
    '营业收入 ' || format('{:,}', TRY_CAST(round(revenue_kyuan) AS BIGINT)) || ' 千元')
    AS reported_zh,
  concat_ws('; ', 'activity ' || activity, 'employees ' || employees,
    'revenue ' || format('{:,}', TRY_CAST(round(revenue_kyuan) AS BIGINT)) || ' thousand yuan')
    AS reported_en
FROM kept
UNION ALL
SELECT 'f|' || frame_id, frame_id, 'frame', credit_code, name, address, phone, legal_rep, NULL,
  region_code, NULL, NULL
FROM census.frame_unit
WHERE frame_id IN (SELECT substr(place_key, 3) FROM wanted WHERE place_key LIKE 'f|%')
UNION ALL
SELECT 'r|' || record_id, register_id, 'register' || source, credit_code, name, address, phone,
  legal_rep, NULL, region_code, NULL, NULL
FROM census.register_unit
WHERE record_id IN (SELECT substr(place_key, 3) FROM wanted WHERE place_key LIKE 'r|%')
"""

_PLACES = """
CREATE OR REPLACE TEMP TABLE export_place AS
WITH placed AS (
  SELECT place_key, ANY_VALUE(region_code) AS region_code FROM export_finding GROUP BY 1
  UNION ALL
  SELECT k.place_key, NULL FROM export_known AS k ANTI JOIN export_finding AS f
    ON f.place_key = k.place_key
), located AS (
  SELECT p.place_key, k.kind,
    COALESCE(k.place_id, regexp_replace(substr(p.place_key, 3), '^[0-9][|]', '')) AS place_id,
    k.credit_code, k.name, k.address, NULLIF(k.phone, '') AS phone, k.contact,
    k.reported_zh, k.reported_en,
    CASE WHEN n.name IS NULL THEN k.enumerator_id
      ELSE n.name || '（' || k.enumerator_id || '）' END AS enumerator,
    COALESCE(p.region_code, NULLIF(k.region_code, '')) AS region_code
  FROM placed AS p
  LEFT JOIN export_known AS k ON k.place_key = p.place_key
  LEFT JOIN census.enumerator AS n ON n.enumerator_id = k.enumerator_id
)
SELECT l.*, COALESCE(left(c.region_code, 6), '{nowhere}') AS county,
  COALESCE(t.region_code, COALESCE(left(c.region_code, 6), '{nowhere}') || '{no_code}')
    AS township_code, COALESCE(t.name, '{no_township}') AS township
FROM located AS l
LEFT JOIN export_region AS c ON c.level = '3' AND c.region_code LIKE '{city}%'
  AND c.region_code = left(l.region_code, 6) || '000000'
LEFT JOIN export_region AS t ON c.region_code IS NOT NULL AND t.level = '4'
  AND t.region_code = left(l.region_code, 9) || '000'
"""

_UNITS = """
CREATE OR REPLACE TEMP TABLE export_unit AS
WITH counted AS (
  SELECT place_key, COUNT(*) AS n_findings, COUNT(*) FILTER (WHERE severity = 'fatal') AS n_fatal,
    COUNT(*) FILTER (WHERE severity = 'query') AS n_query,
    COUNT(*) FILTER (WHERE severity = 'info') AS n_info, MAX(priority) AS priority,
    COUNT(*) FILTER (WHERE s.finding_key IS NULL) AS n_asked,
    FIRST(title_zh ORDER BY severity_rank, s.finding_key IS NOT NULL, priority DESC NULLS LAST,
      f.finding_key) AS first_zh,
    FIRST(title_en ORDER BY severity_rank, s.finding_key IS NOT NULL, priority DESC NULLS LAST,
      f.finding_key) AS first_en
  FROM export_finding AS f LEFT JOIN export_same AS s ON s.finding_key = f.finding_key
  GROUP BY place_key
), due AS (
  SELECT 'u|' || subject_id AS place_key, MIN(due_on) AS due_on
  FROM audit.verification_task GROUP BY ALL
  UNION ALL SELECT 'f|' || subject_id, MIN(due_on) FROM audit.verification_task GROUP BY ALL
  UNION ALL SELECT 'r|' || subject_id, MIN(due_on) FROM audit.verification_task GROUP BY ALL
)
SELECT p.*, k.kind_zh, k.kind_en, COALESCE(c.n_findings, 0) AS n_findings,
  COALESCE(c.n_fatal, 0) AS n_fatal, COALESCE(c.n_query, 0) AS n_query,
  COALESCE(c.n_info, 0) AS n_info, d.due_on,
  COALESCE(c.first_zh || CASE WHEN c.n_asked > 1 THEN '等 ' || c.n_asked || ' 项' ELSE '' END,
    '随机抽查。填报：' || NULLIF(p.reported_zh, '')) AS reason_zh,
  COALESCE(c.first_en || CASE WHEN c.n_asked > 1 THEN ', and ' || (c.n_asked - 1) || ' more'
      ELSE '' END, 'Random check. Reported: ' || NULLIF(p.reported_en, '')) AS reason_en,
  ROW_NUMBER() OVER (
    ORDER BY p.county, p.township = '{no_township}', p.township_code, c.priority DESC NULLS LAST,
      p.place_key
  ) AS place_no
FROM export_place AS p
LEFT JOIN counted AS c ON c.place_key = p.place_key
LEFT JOIN due AS d ON d.place_key = p.place_key
LEFT JOIN export_kind AS k ON k.kind = p.kind
"""

# A clerk must know from the text alone who the other one is, and where to find it.
_RELATED = """
CREATE OR REPLACE TEMP TABLE export_related AS
WITH wanted AS (
  SELECT DISTINCT related_id FROM export_finding WHERE related_id IS NOT NULL
  UNION SELECT substr(place_key, 3) FROM export_finding WHERE place_key LIKE 'r|%'
), found AS (
  SELECT w.related_id, NULL AS short_zh, NULL AS short_en, u.name, u.credit_code, u.region_code,
    u.specialty, u.unit_id
  FROM wanted AS w JOIN census.unit AS u ON u.unit_id = w.related_id
  UNION ALL
  SELECT w.related_id, COALESCE(split_part(s.zh, '（', 1), '部门') || '登记 ' || r.register_id,
    COALESCE(s.en, 'department') || ' register ' || r.register_id, r.name, r.credit_code,
    NULL, NULL, NULL
  FROM wanted AS w JOIN census.register_unit AS r ON r.record_id = w.related_id
  LEFT JOIN export_label AS s ON s.list = 'register_source' AND s.code = r.source
  UNION ALL
  SELECT w.related_id, '清查底册 ' || f.frame_id, 'frame line ' || f.frame_id, f.name,
    f.credit_code, f.region_code, NULL, NULL
  FROM wanted AS w JOIN census.frame_unit AS f ON f.frame_id = w.related_id
), told AS (
  SELECT f.*, s.zh, s.en,
    COALESCE(NULLIF(concat(c.name, t.name), ''), f.region_code) AS place
  FROM found AS f
  LEFT JOIN export_region AS c ON c.region_code = left(f.region_code, 6) || '000000'
  LEFT JOIN export_region AS t ON t.region_code = left(f.region_code, 9) || '000'
    AND t.level = '4'
  LEFT JOIN export_label AS s ON s.list = 'specialty' AND s.code = f.specialty
)
SELECT related_id, MIN(short_zh) AS short_zh, MIN(short_en) AS short_en,
  MIN(concat(concat_ws(' ', short_zh, name), '（' || NULLIF(concat_ws('；', credit_code, place, zh,
    '填报单位标识 ' || unit_id), '') || '）')) AS zh,
  MIN(concat(concat_ws(' ', short_en, name), ' (' || NULLIF(concat_ws('; ', credit_code, place, en,
    'unit id ' || unit_id), '') || ')')) AS en
FROM told GROUP BY related_id
"""

_ROWS = """
CREATE OR REPLACE TEMP TABLE export_row AS
WITH valued AS (
  SELECT f.*, i.item_zh, i.item_en,
    CASE WHEN i.is_number THEN TRY_CAST(f.observed AS DOUBLE) END AS observed_number,
    CASE WHEN i.is_number THEN TRY_CAST(f.expected AS DOUBLE) END AS expected_number
  FROM export_finding AS f LEFT JOIN export_item AS i ON i.variable = f.variable
)
SELECT v.* EXCLUDE (region_code, message_zh, message_en, same_fact), u.county, u.township_code,
  u.township, u.place_id, u.credit_code, u.name, u.place_no,
  v.observed_number - v.expected_number AS difference, s.same_rule, s.same_rank,
  '同一事实，见 ' || s.same_rule || ' 一行，不必另答' AS same_zh,
  'Same fact: answer ' || s.same_rule AS same_en,
  COALESCE(r.zh, v.related_id) AS related_zh, COALESCE(r.en, v.related_id) AS related_en,
  CASE WHEN m.short_zh IS NULL THEN v.message_zh
    ELSE replace(v.message_zh, m.related_id, m.short_zh) END || COALESCE(g.zh, '') AS message_zh,
  CASE WHEN m.short_en IS NULL THEN v.message_en
    ELSE replace(v.message_en, m.related_id, m.short_en) END || COALESCE(g.en, '') AS message_en
FROM valued AS v JOIN export_unit AS u ON u.place_key = v.place_key
LEFT JOIN export_same AS s ON s.finding_key = v.finding_key
LEFT JOIN export_suggestion AS g ON g.finding_key = v.finding_key
LEFT JOIN export_related AS r ON r.related_id = v.related_id
LEFT JOIN export_related AS m
  ON m.related_id = COALESCE(v.related_id, CASE WHEN v.place_key LIKE 'r|%'
    THEN substr(v.place_key, 3) END)
"""

# A county is named when something was checked there: no finding without a check is no good news.
_COUNTIES = """
CREATE OR REPLACE TEMP TABLE export_county AS
WITH there AS (SELECT DISTINCT left(region_code, 6) AS county FROM census.unit),
checked AS (
  SELECT DISTINCT left(region_code, 6) AS county FROM audit.outcome
  WHERE n_checked > 0 AND status IN ('PASSED', 'FAILED')
)
SELECT DISTINCT left(c.region_code, 6) AS county, c.name
FROM export_region AS c
WHERE c.level = '3' AND c.region_code LIKE '{city}%' AND (
  left(c.region_code, 6) IN (SELECT t.county FROM there AS t SEMI JOIN checked AS k
    ON k.county = t.county)
  OR left(c.region_code, 6) IN (SELECT county FROM export_unit))
UNION ALL
SELECT '{nowhere}', '{unknown}' WHERE EXISTS (
  SELECT 1 FROM export_unit WHERE county = '{nowhere}')
"""

_TOWNSHIPS = """
CREATE OR REPLACE TEMP TABLE export_township AS
WITH population AS (
  SELECT COALESCE(left(c.region_code, 6), '{nowhere}') AS county,
    COALESCE(t.region_code, COALESCE(left(c.region_code, 6), '{nowhere}') || '{no_code}')
      AS township_code,
    COUNT(*) AS n_units
  FROM census.unit AS u
  LEFT JOIN export_region AS c ON c.level = '3' AND c.region_code LIKE '{city}%'
    AND c.region_code = left(u.region_code, 6) || '000000'
  LEFT JOIN export_region AS t ON c.region_code IS NOT NULL AND t.level = '4'
    AND t.region_code = left(u.region_code, 9) || '000'
  GROUP BY ALL
  HAVING county IN (SELECT county FROM export_county)
), flagged AS (
  SELECT county, township_code, COUNT(*) AS n_visit,
    COUNT(*) FILTER (WHERE n_findings > 0) AS n_flagged,
    COUNT(*) FILTER (WHERE n_findings = 0) AS n_random, SUM(n_fatal) AS n_fatal,
    SUM(n_query) AS n_query, SUM(n_info) AS n_info, SUM(n_findings) AS n_findings
  FROM export_unit GROUP BY ALL
), joined AS (
  SELECT COALESCE(p.county, f.county) AS county,
    COALESCE(p.township_code, f.township_code) AS township_code,
    p.n_units, f.n_visit, f.n_flagged, f.n_random, f.n_fatal, f.n_query, f.n_info, f.n_findings
  FROM population AS p FULL JOIN flagged AS f
    ON f.county = p.county AND f.township_code = p.township_code
)
SELECT j.county, j.township_code, COALESCE(t.name, '{no_township}') AS township, {counts}
FROM joined AS j LEFT JOIN export_region AS t ON t.region_code = j.township_code
"""

_BESIDE = f"""
SELECT p.severity, p.rule_id, f.message_zh, f.message_en, f.subject_id AS subject,
  f.region_code AS code, g.name AS place
FROM {PLACED} AS p
JOIN audit.finding AS f ON f.finding_key = p.finding_key
LEFT JOIN export_region AS g ON g.region_code = f.region_code
WHERE p.statement = '{{statement}}'
ORDER BY {_RANK.replace("severity", "p.severity")}, p.rule_id, f.finding_key
"""


_SCRATCH = (
    "region", "finding", "known", "place", "unit", "related", "row", "county", "same",
    "suggestion", "township",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The source of the workbooks, and how the findings of the run divide."""

    source: WorkbookSource
    n_rows: int
    n_leads: int
    n_conclusions: int
    n_closed: int


def _prepare(ctx: RunContext) -> None:
    """Build the temporary tables that the counties are read from; they leave no trace."""
    city = ctx.config.city
    words = {
        "vintage": quoted(ctx.config.vintage),
        "city": city_prefix(city),
        "nowhere": NOWHERE,
        "unknown": NOWHERE_NAME,
        "no_township": NO_TOWNSHIP,
        "no_code": NO_CODE,
        "counts": ", ".join(
            f"CAST(COALESCE(j.{name}, 0) AS BIGINT) AS {name}" for name in TOWNSHIP_FIELDS[2:]
        ),
    }
    ctx.engine.execute(_REGIONS.format(**words))
    finding_places.place(ctx)
    ctx.engine.execute(_FINDINGS)
    ctx.engine.execute(SAME_FACT)
    ctx.engine.execute(_KNOWN)
    found = ctx.engine.rows(
        "SELECT variable FROM export_finding WHERE variable IS NOT NULL "
        "UNION SELECT variable FROM audit.suggestion ORDER BY variable"
    )
    ctx.engine.register("export_kind", workbook_items.kinds())
    ctx.engine.register("export_label", workbook_items.labels())
    ctx.engine.register("export_item", workbook_items.items([str(row[0]) for row in found]))
    for statement in (_PLACES, _UNITS, _RELATED, SUGGESTIONS, _ROWS, _COUNTIES, _TOWNSHIPS):
        ctx.engine.execute(statement.format(**words))


_TABLES = {
    "township": (TOWNSHIP_FIELDS, f"township = '{NO_TOWNSHIP}', township_code"),
    "unit": (UNIT_FIELDS, "place_no"),
    "row": (
        FINDING_FIELDS,
        "place_no, COALESCE(same_rank, severity_rank), COALESCE(same_rule, rule_id), "
        "same_rule IS NOT NULL, finding_key",
    ),
}
"""What stands in the workbooks: columns, and the order of the rows of a county."""


def _counties(ctx: RunContext) -> Iterator[CountyData]:
    """Read the tables, each once, and return an iterator that gives each county its part."""
    named = ctx.engine.rows("SELECT county, name FROM export_county ORDER BY county")
    tables = [
        ctx.engine.fetch(
            f"SELECT county, {', '.join(fields)} FROM export_{name} ORDER BY county, {order}"
        )
        for name, (fields, order) in _TABLES.items()
    ]
    # Not by the kernels of Arrow: any value given to them loads pandas, where it is installed.
    places = [(t.drop_columns("county"), pl.Series(t["county"])) for t in tables]

    def part(code: str, name: str) -> CountyData:
        townships, units, findings = (
            table.slice(counties.search_sorted(code, "left"), int((counties == code).sum()))
            for table, counties in places
        )
        return CountyData(code=code, name=name, townships=townships, units=units, findings=findings)

    return (part(str(code), str(name)) for code, name in named)


def _gathered(ctx: RunContext) -> Gathered:
    leads, conclusions = (
        ctx.engine.fetch(_BESIDE.format(statement=name)) for name in ("lead", "conclusion")
    )
    counts = ctx.engine.rows(
        f"SELECT (SELECT COUNT(*) FROM export_row), COUNT(*) FILTER (WHERE NOT ({OPEN})) "
        "FROM audit.finding"
    )[0]
    return Gathered(
        source=WorkbookSource(
            counties=_counties(ctx),
            rules=workbook_items.rules(ctx),
            leads=leads,
            conclusions=conclusions,
            draws=ctx.engine.fetch("SELECT * FROM audit.task_draw"),
        ),
        n_rows=int(str(counts[0])),
        n_leads=leads.num_rows,
        n_conclusions=conclusions.num_rows,
        n_closed=int(str(counts[1])),
    )


def gather(ctx: RunContext) -> Gathered:
    """Return what the workbooks show, read in full; scratch tables are gone when it returns."""
    _prepare(ctx)
    gathered = _gathered(ctx)
    _forget(ctx)
    return gathered


def _forget(ctx: RunContext) -> None:
    """Drop what `_prepare` built."""
    for name in ("export_kind", "export_label", "export_item"):
        ctx.engine.unregister(name)
    for name in _SCRATCH:
        ctx.engine.execute(f"DROP TABLE IF EXISTS export_{name}")
