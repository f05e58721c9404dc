"""From what the rules staged to published findings: their key, their owner, their sentences."""

from __future__ import annotations

from audit.engines.base import Engine
from audit.quoting import quoted
from audit.wording import worded

STAGED = "staged_finding"
"""What the rules gave tonight, before it has keys and words."""

WORDED = "worded_value"


def _plain(column: str) -> str:
    return (
        f"CASE WHEN RIGHT({column}, 3) = '.00' THEN LEFT({column}, LENGTH({column}) - 3) "
        f"ELSE {column} END"
    )


def _message(language: str) -> str:
    text = f"r.message_{language}"
    empty = {"zh": "空", "en": "(empty)"}[language]
    for field_name, column in (
        ("observed", f"COALESCE(wo.{language}, {_plain('s.observed')})"),
        ("expected", f"COALESCE(we.{language}, {_plain('s.expected')})"),
        ("related", "s.related_id"),
        ("variable", f"COALESCE(i.label_{language}, s.variable)"),
    ):
        text = f"REPLACE({text}, '{{{field_name}}}', COALESCE({column}, '{empty}'))"
    return text


# Which other member stands beside a member changes when one of a group is corrected; that must not
# turn the doubt about this member into another one.
_KEY = (
    "MD5(s.rule_id || '|' || COALESCE(s.subject_id, '') || '|' || "
    "CASE WHEN s.group_key IS NULL THEN COALESCE(s.related_id, '') ELSE '' END || '|' || "
    "COALESCE(s.variable, ''))"
)


def repeated_rules(engine: Engine) -> tuple[str, ...]:
    """Return the rules of which two staged findings have one key: a fault of the rule."""
    rows = engine.fetch(
        f"SELECT DISTINCT rule_id FROM (SELECT s.rule_id FROM {STAGED} AS s "
        f"GROUP BY s.rule_id, {_KEY} HAVING COUNT(*) > 1) AS r ORDER BY rule_id"
    )
    return tuple(row["rule_id"] for row in rows.to_pylist())


def _word(engine: Engine) -> None:
    """Register how values read in a sentence, where that is not as they stand."""
    values = engine.fetch(
        f"SELECT DISTINCT variable, value FROM (SELECT variable, observed AS value FROM {STAGED} "
        f"UNION ALL SELECT variable, expected AS value FROM {STAGED}) AS v "
        "WHERE variable IS NOT NULL AND value IS NOT NULL"
    ).to_pylist()
    engine.register(WORDED, worded((row["variable"], row["value"]) for row in values))


def publish_findings(engine: Engine, run_id: str) -> int:
    """Give staged findings their key, owner and messages.

    Nothing that a rule said is left out: where it tells one doubt in two ways, the second has a key
    of its own; what is the same in every column is one finding.
    """
    if not engine.fetch(f"SELECT 1 AS n FROM {STAGED} LIMIT 1").num_rows:
        return 0
    _word(engine)
    run = quoted(run_id)
    n_findings = engine.append(
        "audit.finding",
        f"""
WITH keyed AS (
  SELECT {_KEY} AS finding_key, s.*,
    ROW_NUMBER() OVER (PARTITION BY {_KEY} ORDER BY s.observed, s.expected, s.region_code) AS place
  FROM (SELECT DISTINCT * FROM {STAGED}) AS s
)
SELECT CASE WHEN s.place = 1 THEN s.finding_key
    ELSE MD5(s.finding_key || '|' || CAST(s.place AS VARCHAR)) END AS finding_key,
  {run} AS run_id, s.rule_id, r.rule_version, r.severity, s.subject_id,
  s.related_id, s.group_key, COALESCE(s.region_code, '') AS region_code, u.specialty,
  CASE WHEN r.owner = 'specialty' THEN COALESCE(o.owner, 'data_quality') ELSE r.owner END AS owner,
  s.variable, {_plain("s.observed")} AS observed, {_plain("s.expected")} AS expected, s.score,
  'new' AS state, {run} AS first_run_id, {run} AS last_run_id,
  {_message("zh")} AS message_zh, {_message("en")} AS message_en
FROM keyed AS s
JOIN rule_text AS r ON r.rule_id = s.rule_id
LEFT JOIN (
  SELECT unit_id, MIN(specialty) AS specialty FROM unit
  WHERE unit_id IN (SELECT subject_id FROM {STAGED}) GROUP BY unit_id
) AS u ON u.unit_id = s.subject_id
LEFT JOIN specialty_owner AS o ON o.specialty = u.specialty
LEFT JOIN item_label AS i ON i.variable = s.variable
LEFT JOIN {WORDED} AS wo ON wo.variable = s.variable AND wo.value = s.observed
LEFT JOIN {WORDED} AS we ON we.variable = s.variable AND we.value = s.expected""",
    )
    engine.unregister(WORDED)
    return n_findings
