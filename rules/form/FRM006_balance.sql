/* ---
id: FRM006
name: form.balance
title:
  zh: 资产总计不等于负债与所有者权益之和
  en: Assets do not equal liabilities and equity
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: assets_kyuan
tables: [finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: 1, note: thousand yuan allowed for rounding in each summed item}
message:
  zh: 资产总计 {observed} 千元，不等于负债合计与所有者权益合计之和 {expected} 千元
  en: Assets are {observed} thousand yuan, liabilities and equity add up to {expected}
verify:
  zh: 对照 2018 年末资产负债表；注意所有者权益为负的要带负号
  en: Compare with the balance sheet of the end of 2018; negative equity keeps its sign
false_positives:
  zh: 所有者权益为负（资不抵债）本身不是差错
  en: Negative equity is no error in itself
--- */
-- Scope: legal entities with a finance return, one row each; of several returns the worst one.
-- The sign of the equity is not tested. Unknown: an item is missing; form 611-3 asks for no equity.
WITH balance AS (
  SELECT unit_id, form, assets_kyuan, liabilities_kyuan + equity_kyuan AS sources,
    ABS(assets_kyuan - (liabilities_kyuan + equity_kyuan)) <= 2 * :tolerance AS holds
  FROM finance
),
ranked AS (
  SELECT unit_id, assets_kyuan, sources, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, form
    ) AS place
  FROM balance
)
SELECT
  b.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(b.assets_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(b.sources AS DECIMAL(18, 2)) AS STRING) AS expected,
  b.holds AS holds
FROM ranked AS b
JOIN legal_entity AS l ON l.unit_id = b.unit_id
WHERE b.place = 1
