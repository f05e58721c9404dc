"""What the ledger asks the database: tonight's findings, and why others are not among them."""

from __future__ import annotations

# REG001 and REG010 name the frame line where there is one: a register subject without a source.
# What else a rule relates a finding to, a visit or an address, is in no list that could come short.
TONIGHT_SQL = """
WITH other AS (
  SELECT DISTINCT id FROM (
    SELECT unit_id AS id FROM census.unit
    UNION ALL SELECT frame_id FROM census.frame_unit
    UNION ALL SELECT source || '|' || register_id FROM census.register_unit
  ) AS listed
  WHERE id IN (SELECT related_id FROM audit.finding)
)
SELECT f.finding_key, f.rule_id, f.rule_version, f.subject_id, f.region_code,
  CASE
    WHEN r.grain = 'unit' THEN COALESCE('unit|' || u.unit_kind, 'unit')
    WHEN r.grain = 'register' AND f.subject_id LIKE '%|%'
      THEN 'register|' || split_part(f.subject_id, '|', 1)
    WHEN r.grain IN ('register', 'frame') THEN 'frame'
    ELSE r.grain
  END AS universe,
  o.id AS related_id,
  f.observed
FROM audit.finding AS f
LEFT JOIN audit.rule AS r ON r.rule_id = f.rule_id
LEFT JOIN (SELECT unit_id, MAX(unit_kind) AS unit_kind FROM census.unit GROUP BY unit_id) AS u
  ON u.unit_id = f.subject_id AND r.grain = 'unit'
LEFT JOIN other AS o ON o.id = f.related_id
"""

# County '' stands for anywhere: for subjects without a region, or with one that is on no list.
# A refused row or file has not come: a spoilt row must not clear its unit, nor the other unit of a
# pair, which may be in any list. A rule has looked at a county where it judged somebody, or where
# all tables it reads came.
FACTS_SQL = """
WITH county AS (
  SELECT DISTINCT left(region_code, 6) AS code FROM census.region WHERE vintage = {vintage}
),
unit AS (
  SELECT unit_id, MAX(region_code) AS region_code FROM census.unit
  WHERE unit_id IN (SELECT subject_id FROM vanished_rows) GROUP BY unit_id
),
frame AS (
  SELECT frame_id, MAX(region_code) AS region_code FROM census.frame_unit
  WHERE frame_id IN (SELECT subject_id FROM vanished_rows) GROUP BY frame_id
),
came AS (
  SELECT DISTINCT 'unit|' || unit_kind AS universe, left(region_code, 6) AS county FROM census.unit
  UNION SELECT DISTINCT 'unit|' || unit_kind, '' FROM census.unit
  UNION SELECT DISTINCT 'frame', left(region_code, 6) FROM census.frame_unit
  UNION SELECT 'frame', '' FROM census.frame_unit
  UNION SELECT DISTINCT 'register|' || source, '' FROM census.register_unit
),
ran AS (
  SELECT DISTINCT rule_id, left(region_code, 6) AS county FROM audit.outcome
  WHERE status IN ('PASSED', 'FAILED')
),
asked AS (
  SELECT rule_id FROM audit.outcome GROUP BY rule_id
  HAVING NOT bool_or(status = 'ERROR' OR COALESCE(starts_with(detail, '未匹配'), FALSE))
),
placed AS (
  SELECT v.finding_key, v.rule_id, v.subject_id, v.universe,
    CASE
      WHEN v.universe LIKE 'unit|%' THEN u.unit_id IS NOT NULL
      WHEN v.universe = 'frame' THEN f.frame_id IS NOT NULL
      WHEN v.universe LIKE 'register|%' THEN v.subject_id IN (
        SELECT source || '|' || register_id FROM census.register_unit)
      ELSE TRUE
    END AS present,
    left(CASE
      WHEN v.universe LIKE 'unit|%' THEN COALESCE(u.region_code, v.region_code)
      WHEN v.universe = 'frame' THEN COALESCE(f.region_code, v.region_code)
      ELSE v.region_code
    END, 6) AS county
  FROM vanished_rows AS v
  LEFT JOIN unit AS u ON u.unit_id = v.subject_id
  LEFT JOIN frame AS f ON f.frame_id = v.subject_id
),
settled AS (
  SELECT p.* EXCLUDE (county), COALESCE(c.code, '') AS county
  FROM placed AS p LEFT JOIN county AS c ON c.code = p.county
),
refused AS (
  SELECT DISTINCT trim(UNNEST(list_concat(
    json_extract_string(delivered, '$.*'), json_extract_string(delivered, '$[*]')))) AS text
  -- What a correction brought has come.
  FROM census.rejected_row WHERE delivered IS NOT NULL AND superseded_by IS NULL
),
lost_file AS (
  SELECT DISTINCT CASE table_name
    WHEN 'legal_entity' THEN 'unit|1' WHEN 'establishment' THEN 'unit|2'
    WHEN 'self_employed' THEN 'unit|3' WHEN 'frame_unit' THEN 'frame'
    WHEN 'register_unit' THEN 'register' END AS universe
  FROM census.rejected_row WHERE row = 0 AND reason <> 'superseded'
),
held AS (
  {held}
),
short AS (
  {short}
),
reads AS (
  SELECT rule_id, UNNEST(string_split(tables, '|')) AS table_name FROM audit.rule
),
alone AS (
  SELECT v.finding_key FROM vanished_rows AS v
  ANTI JOIN census.unit AS u ON u.unit_id = v.related_id
  ANTI JOIN census.frame_unit AS f ON f.frame_id = v.related_id
  ANTI JOIN census.register_unit AS g ON g.source || '|' || g.register_id = v.related_id
  WHERE v.related_id IS NOT NULL
    AND (EXISTS (SELECT 1 FROM short) OR EXISTS (SELECT 1 FROM lost_file)
      OR v.related_id IN (SELECT text FROM refused))
),
lacking AS (
  SELECT DISTINCT s.rule_id, s.county
  FROM settled AS s
  JOIN reads AS t ON t.rule_id = s.rule_id
  ANTI JOIN table_came AS c ON c.table_name = t.table_name AND c.county = s.county
  WHERE t.table_name IN ({delivered_tables})
)
SELECT s.finding_key, r.rule_id IS NOT NULL AS rule_known, r.rule_version AS version_now,
  a.rule_id IS NOT NULL AND (n.rule_id IS NOT NULL OR l.rule_id IS NULL)
    AND h.rule_id IS NULL AS looked,
  s.present,
  (s.present OR d.universe IS NOT NULL)
    AND s.subject_id NOT IN (SELECT text FROM refused WHERE text IS NOT NULL)
    AND split_part(s.subject_id, '|', 2) NOT IN (SELECT text FROM refused WHERE text <> '')
    AND (s.present OR NOT EXISTS (
      SELECT 1 FROM lost_file AS x
      WHERE x.universe = s.universe OR x.universe || '|' = left(s.universe, 9)
    ))
    AND s.finding_key NOT IN (SELECT finding_key FROM alone) AS delivered,
  EXISTS (
    SELECT 1 FROM short AS q WHERE q.county IN (s.county, '{city}')
      AND (q.universe = s.universe OR q.universe || '|' = left(s.universe, 9))
  ) AS short
FROM settled AS s
LEFT JOIN audit.rule AS r ON r.rule_id = s.rule_id
LEFT JOIN asked AS a ON a.rule_id = s.rule_id
LEFT JOIN (SELECT rule_id, county FROM ran UNION SELECT rule_id, '' FROM ran) AS n
  ON n.rule_id = s.rule_id AND n.county = s.county
LEFT JOIN held AS h ON h.rule_id = s.rule_id AND h.county IN (s.county, '{city}')
LEFT JOIN lacking AS l ON l.rule_id = s.rule_id AND l.county = s.county
LEFT JOIN came AS d ON d.universe = s.universe
  AND d.county = CASE WHEN s.universe LIKE 'register|%' THEN '' ELSE s.county END
"""
