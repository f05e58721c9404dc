/* ---
id: LNK009
name: linkage.revenue_adds_up
title:
  zh: 产业活动单位收入之和超过法人单位营业收入
  en: Revenue of the establishments exceeds that of the legal entity
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: revenue_kyuan
tables: [legal_entity, establishment]
owner: specialty
version: 1
status: active
parameters:
  factor: {type: number, default: "1.05", note: "establishments may exceed the legal entity up to this factor"}
message:
  zh: 法人单位营业收入 {observed} 千元，其产业活动单位（{related} 等）收入之和 {expected} 千元
  en: The legal entity has revenue of {observed} thousand yuan, its establishments ({related} and others) {expected}
verify:
  zh: 对照法人和各产业活动单位的账簿，查重复计算和计量单位
  en: Compare the books of the legal entity and its establishments; look for double counting and the unit
false_positives:
  zh: 内部往来未抵销、汇总口径不同的写明情况
  en: Internal sales not eliminated make a difference, with a remark
--- */
-- Scope: legal entities with establishments here. A sum of those known that is already too much
-- fails. Unknown: an amount is missing otherwise.
WITH child AS (
  SELECT parent_credit_code AS code, MIN(unit_id) AS first_id, SUM(revenue_kyuan) AS revenue,
    COUNT(*) - COUNT(revenue_kyuan) AS n_missing
  FROM establishment
  WHERE parent_credit_code IS NOT NULL
  GROUP BY parent_credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  c.first_id AS related_id,
  CAST(CAST(e.revenue_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(c.revenue AS DECIMAL(18, 2)) AS STRING) AS expected,
  CASE
    WHEN c.revenue > e.revenue_kyuan * :factor + 1 THEN FALSE
    WHEN c.n_missing = 0 AND e.revenue_kyuan IS NOT NULL THEN TRUE
  END AS holds
FROM legal_entity AS e
JOIN child AS c ON c.code = e.credit_code
