"""Findings that ask a unit about one fact: each stays on record, but one alone is answered.

Which rules speak of one fact is written in their headers (`same_fact`).
"""

from __future__ import annotations

SAME_FACT = """
CREATE OR REPLACE TEMP TABLE export_same AS
WITH named AS (
  SELECT finding_key, place_key, UNNEST(string_split(same_fact, '|')) AS rule_id,
    UNNEST(range(len(string_split(same_fact, '|')))) AS place
  FROM export_finding WHERE same_fact <> ''
), there AS (
  SELECT DISTINCT place_key, rule_id, severity_rank FROM export_finding
)
SELECT n.finding_key, MIN_BY(n.rule_id, n.place) AS same_rule,
  MIN_BY(t.severity_rank, n.place) AS same_rank
FROM named AS n JOIN there AS t ON t.place_key = n.place_key AND t.rule_id = n.rule_id
GROUP BY n.finding_key
"""
"""SQL that makes `export_same`: finding_key, and the rule under which its place is asked."""
