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
"""Counties (six digits) whose unit data are held back: they have no rate, rank or flag."""
