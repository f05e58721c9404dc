"""What the gate holds back where: SQL shared by score, ledger, views and report."""

from __future__ import annotations

from audit.gate import HELD_SQL
from audit.views import UNIT_SOURCES

_UNIT_TABLES = ", ".join(f"'{table}'" for table in UNIT_SOURCES)

HELD_RULES = f"""SELECT DISTINCT r.rule_id, left(g.region_code, 6) AS county
FROM (SELECT rule_id, UNNEST(string_split(tables, '|')) AS name FROM audit.rule) AS r
JOIN audit.gate AS g ON g.table_name = r.name
  OR (r.name = 'unit' AND g.table_name IN ({_UNIT_TABLES}))
WHERE g.verdict IN ({HELD_SQL})"""
"""Rule and county (six digits) where a table that the rule reads is held back.

The county is the first six of the city's code where a table comes for the whole city: then the rule
is held back in every county.
"""

HELD_COUNTIES = f"""SELECT DISTINCT left(region_code, 6) AS county FROM audit.gate
WHERE verdict IN ({HELD_SQL}) AND region_code <> '' AND table_name IN ({_UNIT_TABLES})"""
"""Counties (six digits) whose unit data are held back: they have no rate, rank or flag.

The first six of the city's code stand for every county, as in `HELD_RULES`.
"""

SHORT_LISTS = """SELECT DISTINCT CASE s.table_name
    WHEN 'legal_entity' THEN 'unit|1' WHEN 'establishment' THEN 'unit|2'
    WHEN 'self_employed' THEN 'unit|3' WHEN 'frame_unit' THEN 'frame'
    WHEN 'register_unit' THEN 'register' END AS universe, left(s.region_code, 6) AS county
FROM (
  SELECT table_name, region_code FROM audit.gate_check
  WHERE check_id = 'rows' AND result IN ('remark', 'quarantine') AND value < low
  UNION ALL SELECT table_name, region_code FROM audit.gate WHERE verdict = 'missing'
) AS s"""
"""Lists of subjects, as the ledger names them, that came short of the rows expected in a county.

What is not in such a list tonight may have left the census, or just not have been delivered.
"""
