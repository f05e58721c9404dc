/* ---
id: DUP004
name: duplicate.on_both_forms
title:
  zh: 同一法人单位既报一套表又报非一套表
  en: One legal entity on form 601 and on form 611
family: duplicate
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: form
tables: [legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 本单位填报 {observed} 表，相同代码的单位 {related} 填报 {expected} 表
  en: This unit is on form {observed}; unit {related} with the same code is on form {expected}
verify:
  zh: 在一套表调查单位名录内的只报 601 表，删除 611 表记录；与县级相关专业核对
  en: A unit of the direct-report panel files form 601 only; take the 611 form out
false_positives:
  zh: 两家不同单位误用同一代码的，同时出现在 DUP001，改正代码即可
  en: Two different units with one code are DUP001's matter too; correcting the code settles both
--- */
-- Scope: all legal entities; the same code on both forms, whatever the county.
-- Unknown: no credit code.
WITH both_forms AS (
  SELECT
    credit_code,
    MIN(CASE WHEN form = '601' THEN unit_id END) AS unit_601,
    MIN(CASE WHEN form = '611' THEN unit_id END) AS unit_611
  FROM legal_entity
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
  HAVING COUNT(CASE WHEN form = '601' THEN 1 END) > 0
    AND COUNT(CASE WHEN form = '611' THEN 1 END) > 0
)
SELECT
  l.unit_id AS subject_id,
  l.region_code AS region_code,
  CASE l.form WHEN '601' THEN b.unit_611 ELSE b.unit_601 END AS related_id,
  l.form AS observed,
  CASE l.form WHEN '601' THEN '611' ELSE '601' END AS expected,
  CASE WHEN l.credit_code IS NOT NULL THEN b.credit_code IS NULL END AS holds,
  CASE WHEN b.credit_code IS NOT NULL THEN MD5('DUP004|' || l.credit_code) END AS group_key
FROM legal_entity AS l
LEFT JOIN both_forms AS b ON b.credit_code = l.credit_code
