/* ---
id: LNK011
name: linkage.industry_of_the_parent
title:
  zh: 法人单位行业与其产业活动单位不符
  en: The legal entity's industry is not that of its establishments
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: industry_code
tables: [legal_entity, establishment]
by_county: [legal_entity]
owner: specialty
version: 1
status: active
message:
  zh: 法人单位行业代码 {observed}，其产业活动单位中收入最大的（{related}）为 {expected}
  en: The legal entity has industry {observed}; the largest of its establishments ({related}) has {expected}
verify:
  zh: 按主要业务活动（收入最大的活动）确定法人行业，改正法人或产业活动单位的行业代码
  en: The legal entity's industry is that of its largest activity; correct one or the other
false_positives:
  zh: 产业活动单位在外地的，只看本地的不全面，写明情况
  en: Where establishments stand elsewhere, those here are not the whole
--- */
-- Scope: legal entities with establishments here. None here with its industry is asked in any
-- case (its headquarters is among them); one that has it without being the largest (by revenue,
-- then employees) only where all that it counts are here. Unknown: an industry is missing.
WITH child AS (
  SELECT parent_credit_code AS code, unit_id, industry_code,
    ROW_NUMBER() OVER (
      PARTITION BY parent_credit_code
      ORDER BY COALESCE(revenue_kyuan, -1) DESC, COALESCE(employees, -1) DESC, unit_id
    ) AS place
  FROM establishment
  WHERE parent_credit_code IS NOT NULL
),
compared AS (
  SELECT e.unit_id, COUNT(*) AS n, COUNT(c.industry_code) AS n_known,
    MAX(CASE WHEN c.industry_code = e.industry_code THEN 1 ELSE 0 END) AS is_among,
    MAX(CASE WHEN c.place = 1 THEN c.unit_id END) AS largest_id,
    MAX(CASE WHEN c.place = 1 THEN c.industry_code END) AS largest_industry
  FROM legal_entity AS e
  JOIN child AS c ON c.code = e.credit_code
  GROUP BY e.unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  c.largest_id AS related_id,
  e.industry_code AS observed,
  c.largest_industry AS expected,
  CASE
    WHEN e.industry_code IS NULL THEN NULL
    WHEN c.is_among = 0 AND c.n_known = c.n THEN FALSE
    WHEN c.is_among = 1 AND (c.largest_industry = e.industry_code
      OR c.n < COALESCE(e.n_establishments, c.n + 1)) THEN TRUE
    WHEN c.is_among = 1 AND c.largest_industry <> e.industry_code THEN FALSE
  END AS holds
FROM compared AS c
JOIN legal_entity AS e ON e.unit_id = c.unit_id
