"""Which rules the gate holds back where: SQL shared by ledger, views and report."""

from __future__ import annotations

HELD_RULES = """SELECT DISTINCT r.rule_id, left(g.region_code, 6) AS county
FROM (SELECT rule_id, UNNEST(string_split(tables, '|')) AS name FROM audit.rule) AS r
JOIN audit.gate AS g ON g.table_name = r.name OR (r.name = 'unit' AND g.table_name IN
  ('legal_entity', 'establishment', 'self_employed'))
WHERE g.verdict IN ('quarantine', 'missing')"""
"""Rule and county (six digits) where a table that the rule reads is held back.

The county is the first six of the city's code where a table comes for the whole city: then the rule
is held back in every county.
"""
