/* ---
id: DUP001
name: duplicate.legal_entity_code
title:
  zh: 法人单位重码
  en: Legal entities share a credit code
family: duplicate
severity: fatal
clause: 三(三)2
level: 1
grain: unit
variable: credit_code
tables: [legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 统一社会信用代码 {observed} 与法人单位 {related} 相同，{expected}
  en: Legal entity {related} has the same credit code, {observed}
verify:
  zh: 核对双方证照；同一单位重复登记的保留一份，代码填错的改正，跨县的与对方县共同确认
  en: Compare both licences; keep one form of a unit, or correct the code that is wrong
false_positives:
  zh: 无；一个代码只属于一个法人单位，本部是产业活动单位，不参与比较
  en: None; a code belongs to one legal entity, and a headquarters is an establishment
--- */
-- Scope: all legal entities, in all counties.
-- Unknown: no credit code, so that nothing can be compared.
WITH repeated AS (
  SELECT credit_code, COUNT(*) AS n, MIN(unit_id) AS first_id
  FROM legal_entity
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
  HAVING COUNT(*) > 1
),
second AS (
  SELECT l.credit_code, MIN(l.unit_id) AS second_id
  FROM legal_entity AS l
  JOIN repeated AS r ON r.credit_code = l.credit_code
  WHERE l.unit_id <> r.first_id
  GROUP BY l.credit_code
)
SELECT
  l.unit_id AS subject_id,
  l.region_code AS region_code,
  CASE WHEN l.unit_id = r.first_id THEN s.second_id ELSE r.first_id END AS related_id,
  l.credit_code AS observed,
  '不得重复（共 ' || CAST(r.n AS STRING) || ' 个法人单位使用）' AS expected,
  CASE WHEN l.credit_code IS NOT NULL THEN r.n IS NULL END AS holds,
  CASE WHEN r.n IS NOT NULL THEN MD5('DUP001|' || l.credit_code) END AS group_key
FROM legal_entity AS l
LEFT JOIN repeated AS r ON r.credit_code = l.credit_code
LEFT JOIN second AS s ON s.credit_code = l.credit_code
