/* ---
id: DUP012
name: duplicate.counted_by_their_department
title:
  zh: 金融、铁路部门普查的单位又在地方登记
  en: A unit counted by its own department is enumerated here too
family: duplicate
severity: fatal
clause: 三(三)2
level: 4
grain: unit
variable: credit_code
tables: [unit, register_unit]
owner: data_quality
version: 1
status: active
always_decidable: true
parameters:
  sources: {type: list, default: "8|9", note: "registers of units that their own departments count: finance, railways"}
message:
  zh: 单位 {observed} 已由{expected}普查（部门记录 {related}），地方又填了表
  en: It is counted by its own department (record {related}) and has filed a form here as well
verify:
  zh: 与主管部门核对，由其普查的在地方撤销登记
  en: Settle it with the department; what it counts is taken out here
false_positives:
  zh: 主管部门名录以外的营业网点由地方登记
  en: Outlets that the department does not list are enumerated here
--- */
-- Scope: legal entities and establishments with a credit code.
WITH counted AS (
  SELECT credit_code, MIN(record_id) AS record_id, MIN(source) AS source
  FROM register_unit
  WHERE source IN :sources AND credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  c.record_id AS related_id,
  u.credit_code AS observed,
  CASE c.source WHEN '9' THEN '铁路部门' WHEN '8' THEN '金融部门' ELSE '主管部门' END AS expected,
  c.credit_code IS NULL AS holds
FROM unit AS u
LEFT JOIN counted AS c ON c.credit_code = u.credit_code
WHERE u.unit_kind IN ('1', '2') AND u.credit_code IS NOT NULL
