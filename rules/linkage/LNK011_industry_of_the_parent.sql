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
owner: specialty
version: 2
status: active
message:
  zh: 法人单位行业代码 {observed}，其产业活动单位（{related}）为 {expected}；应与其中收入（不全时按人数）最大的一致
  en: "The legal entity has industry {observed}, its establishment {related} has {expected}; it should have that of the largest, by revenue, or by employees where revenue is not known of all"
verify:
  zh: 按主要业务活动（收入最大的活动）确定法人行业，改正法人或产业活动单位的行业代码
  en: The legal entity's industry is that of its largest activity; correct one or the other
false_positives:
  zh: 产业活动单位在外地的，只看本地的不全面，写明情况
  en: Where establishments stand elsewhere, those here are not the whole
--- */
-- Scope: legal entities with establishments here. None here with its industry is asked in any
-- case (its headquarters is among them); one that has it without being among the largest only where
-- all that it counts are here. Largest is by revenue if all give it, else by employees if all do.
-- Unknown: an industry is missing, or which is the largest.
WITH family AS (
  SELECT parent_credit_code AS code,
    CASE WHEN COUNT(*) = COUNT(revenue_kyuan) THEN MAX(revenue_kyuan) END AS revenue,
    CASE WHEN COUNT(*) = COUNT(employees) THEN MAX(employees) END AS employees
  FROM establishment
  WHERE parent_credit_code IS NOT NULL
  GROUP BY parent_credit_code
),
child AS (
  SELECT c.parent_credit_code AS code, c.unit_id, c.industry_code,
    CASE WHEN f.revenue IS NOT NULL THEN c.revenue_kyuan = f.revenue
      ELSE c.employees = f.employees END AS is_largest
  FROM establishment AS c
  JOIN family AS f ON f.code = c.parent_credit_code
),
compared AS (
  SELECT e.unit_id, COUNT(*) AS n, COUNT(c.industry_code) AS n_known, COUNT(c.is_largest) AS n_sized,
    MIN(c.industry_code) AS first_industry, MAX(c.industry_code) AS last_industry,
    MAX(CASE WHEN c.industry_code = e.industry_code THEN 1 ELSE 0 END) AS is_among,
    MAX(CASE WHEN c.is_largest AND c.industry_code = e.industry_code THEN 1 ELSE 0 END) AS is_of_largest,
    MIN(CASE WHEN c.is_largest IS NULL OR c.is_largest THEN c.unit_id END) AS largest_id
  FROM legal_entity AS e
  JOIN child AS c ON c.code = e.credit_code
  GROUP BY e.unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  c.largest_id AS related_id,
  e.industry_code AS observed,
  l.industry_code AS expected,
  CASE
    WHEN e.industry_code IS NULL THEN NULL
    WHEN c.is_among = 0 AND c.n_known = c.n THEN FALSE
    WHEN c.is_of_largest = 1 OR (c.is_among = 1 AND c.n < COALESCE(e.n_establishments, c.n + 1)) THEN TRUE
    WHEN c.is_among = 1 AND c.n_known = c.n AND c.first_industry = c.last_industry THEN TRUE
    WHEN c.is_among = 1 AND c.n_sized = c.n AND l.industry_code <> e.industry_code THEN FALSE
  END AS holds
FROM compared AS c
JOIN legal_entity AS e ON e.unit_id = c.unit_id
JOIN establishment AS l ON l.unit_id = c.largest_id
