/* ---
id: XSP009
name: cross_specialty.energy_and_output
title:
  zh: 能源消费与产值不匹配
  en: Energy consumed does not go with output
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: consumed_tce
tables: [production, energy, legal_entity]
owner: energy
version: 3
status: active
parameters:
  factor: {type: number, default: "20", note: "an intensity this many times above or below the usual one of its division is asked"}
  least: {type: integer, default: "10", note: "units of a division from which on its usual intensity is known"}
message:
  zh: 能源消费折标准煤 {observed} 吨，与{expected}不相称
  en: Energy consumed of {observed} tonnes of coal equivalent does not go with the output ({expected})
verify:
  zh: 看电费、煤气发票和能源台账，注意计量单位和折标系数
  en: See energy bills and ledger; mind units and conversion factors
false_positives:
  zh: 委托加工、外购热力由园区统一结算的写明情况
  en: Work done by others, and heat settled by the park, need a remark
--- */
-- Scope: industry on the panel with positive output and an energy return. Output without energy
-- fails; an intensity far from the geometric mean of its division fails where that is known.
-- Unknown: energy consumed is missing, or there is nothing usual to hold an intensity against.
WITH used AS (
  SELECT unit_id, CASE WHEN COUNT(*) = COUNT(consumed_tce) THEN SUM(consumed_tce) END AS tce
  FROM energy
  GROUP BY unit_id
),
maker AS (
  SELECT p.unit_id, l.region_code, l.industry_division AS division,
    p.gross_output_kyuan AS output, u.tce,
    CASE WHEN u.tce > 0 THEN LOG10(u.tce / NULLIF(p.gross_output_kyuan, 0)) END AS intensity
  FROM production AS p
  JOIN legal_entity AS l ON l.unit_id = p.unit_id
  JOIN used AS u ON u.unit_id = p.unit_id
  WHERE p.specialty = 'B' AND p.gross_output_kyuan > 0
),
usual AS (
  SELECT division, AVG(intensity) AS intensity
  FROM maker
  WHERE intensity IS NOT NULL
  GROUP BY division
  HAVING COUNT(*) >= :least
)
SELECT
  m.unit_id AS subject_id,
  m.region_code AS region_code,
  CAST(CAST(m.tce AS DECIMAL(18, 2)) AS STRING) AS observed,
  '工业总产值 ' || REPLACE(CAST(CAST(m.output AS DECIMAL(18, 2)) AS STRING), '.00', '')
    || ' 千元' AS expected,
  CASE
    WHEN m.tce <= 0 THEN FALSE
    WHEN m.tce > 0 THEN ABS(m.intensity - u.intensity) <= LOG10(:factor)
  END AS holds
FROM maker AS m
LEFT JOIN usual AS u ON u.division = m.division
