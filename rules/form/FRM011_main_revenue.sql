/* ---
id: FRM011
name: form.main_revenue
title:
  zh: 营业收入小于主营业务收入
  en: Revenue is less than main revenue
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: revenue_kyuan
tables: [legal_entity]
optional_tables: [finance]
owner: specialty
version: 1
status: active
message:
  zh: 营业收入 {observed} 千元，小于主营业务收入 {expected} 千元
  en: Revenue of {observed} thousand yuan is less than the main revenue of {expected}
verify:
  zh: 对照 2018 年利润表核对两项；营业收入包括主营业务收入和其他业务收入
  en: Compare both items with the income statement of 2018; revenue includes main revenue
false_positives:
  zh: 无；两者相等是对的
  en: None; equal is right
--- */
-- Scope: legal entities on enterprise accounting, or with either item: item 193 of the unit's form
-- and each finance return (603, 611-3), one row a unit, the worst pair first.
-- Unknown: an item is missing on one of them and no other pair is wrong.
WITH income AS (
  SELECT unit_id, '' AS form, revenue_kyuan, main_revenue_kyuan
  FROM legal_entity
  WHERE accounting_standard = '1' OR COALESCE(revenue_kyuan, main_revenue_kyuan) IS NOT NULL
  UNION ALL
  SELECT unit_id, form, revenue_kyuan, main_revenue_kyuan
  FROM finance
),
ranked AS (
  SELECT unit_id, revenue_kyuan, main_revenue_kyuan,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN revenue_kyuan < main_revenue_kyuan THEN 0
        WHEN revenue_kyuan >= main_revenue_kyuan THEN 2 ELSE 1 END, form
    ) AS place
  FROM income
)
SELECT
  i.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(i.revenue_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(i.main_revenue_kyuan AS DECIMAL(18, 2)) AS STRING) AS expected,
  i.revenue_kyuan >= i.main_revenue_kyuan AS holds
FROM ranked AS i
JOIN legal_entity AS l ON l.unit_id = i.unit_id
WHERE i.place = 1
