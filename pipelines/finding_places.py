"""What a finding is about and where it is settled: the one relation that everything counts from.

A place is what a team visits: a unit, or a line of the frame or of a register that no unit answers
for. Findings about an edit or a visit belong to its unit. Leads and conclusions have no place. The
tasks, the county books, their index, the report and the terminal all read `finding_place`, so that
their numbers agree; analysts find it in the package.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.model import Label, Severity
from audit.quoting import quoted
from audit.scoring import city_prefix
from pipelines.context import RunContext

VIEW = "main.finding_place"
PLACED = "placed_finding"
"""Scratch table with the rows of the view, which is read by several and not quickly."""
TITLE = Label(
    "未销差错的核查对象和所在县：任务、核查册、报告都由此计数",
    "Open findings with what is visited for them and the county that counts it",
)

# What still waits for an answer: a waived finding is counted, but accuses nobody.
OPEN = "COALESCE(state, 'new') IN ('new', 'persisting', 'reopened')"

# A register subject may be a frame line (REG001, REG010), and a frame line may have its unit.
_SELECT = """
WITH told AS MATERIALIZED (
  SELECT f.finding_key, f.rule_id, f.severity, COALESCE(f.state, 'new') AS state,
    COALESCE(r.statement, 'error') AS statement, NULLIF(f.region_code, '') AS told_region,
    CASE
      WHEN r.statement <> 'error' THEN NULL
      WHEN r.grain = 'event' AND e.unit_id IS NOT NULL THEN 'u|' || e.unit_id
      WHEN r.grain = 'visit' AND v.unit_id IS NOT NULL THEN 'u|' || v.unit_id
      WHEN w.unit_id IS NOT NULL THEN 'u|' || w.unit_id
      WHEN w.frame_id IS NOT NULL OR r.grain = 'frame' THEN 'f|' || f.subject_id
      WHEN r.grain = 'register' THEN 'r|' || f.subject_id
      ELSE 'u|' || f.subject_id
    END AS place_key
  FROM audit.finding AS f
  LEFT JOIN audit.rule AS r ON r.rule_id = f.rule_id
  LEFT JOIN census.edit_event AS e ON r.grain = 'event'
    AND CAST(e.event_id AS VARCHAR) = f.subject_id
  LEFT JOIN census.visit AS v ON r.grain = 'visit'
    AND CAST(v.visit_id AS VARCHAR) = f.subject_id
  LEFT JOIN census.frame_unit AS w
    ON r.grain IN ('frame', 'register') AND w.frame_id = f.subject_id
  WHERE {open}
), asked AS (
  SELECT DISTINCT place_key, left(place_key, 1) AS kind, substr(place_key, 3) AS id FROM told
  WHERE place_key IS NOT NULL
), known AS (
  SELECT a.place_key, MIN_BY(NULLIF(u.region_code, ''), u.unit_kind) AS region_code
  FROM asked AS a JOIN census.unit AS u ON u.unit_id = a.id WHERE a.kind = 'u' GROUP BY a.place_key
  UNION ALL
  SELECT a.place_key, MIN(NULLIF(w.region_code, '')) FROM asked AS a
  JOIN census.frame_unit AS w ON w.frame_id = a.id WHERE a.kind = 'f' GROUP BY a.place_key
  UNION ALL
  SELECT a.place_key, MIN(NULLIF(r.region_code, '')) FROM asked AS a
  JOIN census.register_unit AS r ON r.record_id = a.id WHERE a.kind = 'r' GROUP BY a.place_key
), placed AS (
  SELECT t.finding_key, t.rule_id, t.severity, t.state, t.statement, t.place_key,
    CASE left(t.place_key, 1) WHEN 'u' THEN 'unit' WHEN 'f' THEN 'frame' WHEN 'r' THEN 'register'
      END AS place_kind,
    substr(t.place_key, 3) AS place_id,
    COALESCE(k.region_code, CASE WHEN t.place_key IS NULL THEN t.told_region
      ELSE MIN(t.told_region) OVER (PARTITION BY t.place_key) END) AS region_code
  FROM told AS t LEFT JOIN known AS k ON k.place_key = t.place_key
), county AS (
  SELECT DISTINCT region_code FROM census.region
  WHERE vintage = {vintage} AND level = '3' AND region_code LIKE {city}
)
SELECT p.*, c.region_code AS county_code
FROM placed AS p LEFT JOIN county AS c ON c.region_code = left(p.region_code, 6) || '000000'
"""

COLUMNS: dict[str, Label] = {
    "place_key": Label("核查对象", "What is visited; empty for leads and conclusions"),
    "place_kind": Label("对象类别：单位、底册行、名录记录", "unit, frame or register"),
    "place_id": Label("对象标识", "Key of the unit, frame line or register record"),
    "county_code": Label("所在县；不在名册内的为空", "County; empty where none is listed"),
}
"""Words for the columns that no published table has."""


def create(ctx: RunContext) -> None:
    """Create the view `main.finding_place` over the night's region list; safe to run again.

    What `place` kept of it is forgotten.

    finding_key, rule_id, severity, state and statement of every open finding; place_key (`u|`, `f|`
    or `r|` and the id), place_kind, place_id, region_code (of the place where it is known, else the
    finding's) and county_code, NULL outside the city's list.
    """
    body = _SELECT.format(
        open=OPEN.replace("state", "f.state"),
        vintage=quoted(ctx.config.vintage),
        city=quoted(city_prefix(ctx.config.city) + "%"),
    )
    ctx.engine.execute(f"DROP TABLE IF EXISTS temp.{PLACED}")
    ctx.engine.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {body}")
    ctx.engine.execute(f"COMMENT ON VIEW {VIEW} IS {quoted(f'{TITLE.zh} | {TITLE.en}')}")
    for name, label in COLUMNS.items():
        text = quoted(f"{label.zh} | {label.en}")
        ctx.engine.execute(f"COMMENT ON COLUMN {VIEW}.{name} IS {text}")


def place(ctx: RunContext) -> None:
    """Read the view into `placed_finding`, once; states of findings may not change after."""
    ctx.engine.execute(f"CREATE TEMP TABLE IF NOT EXISTS {PLACED} AS SELECT * FROM {VIEW}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCounts:
    """Open findings of a night, each counted once; the first three are those of the books."""

    n_fatal: int
    n_query: int
    n_info: int
    n_leads: int
    n_conclusions: int

    def of(self, severity: Severity) -> int:
        """Return how many findings of a severity the county books hold."""
        found = {"fatal": self.n_fatal, "query": self.n_query, "info": self.n_info}
        return found[severity.value]


def counts(ctx: RunContext, source: str = VIEW) -> FindingCounts:
    """Count the open findings of the view, or of a table made of it; it must be there."""
    severities = ", ".join(
        f"COUNT(*) FILTER (WHERE statement = 'error' AND severity = '{name}') AS n_{name}"
        for name in ("fatal", "query", "info")
    )
    row = ctx.engine.fetch(
        f"SELECT {severities}, COUNT(*) FILTER (WHERE statement = 'lead') AS n_leads, "
        f"COUNT(*) FILTER (WHERE statement = 'conclusion') AS n_conclusions FROM {source}"
    ).to_pylist()[0]
    return FindingCounts(**row)
