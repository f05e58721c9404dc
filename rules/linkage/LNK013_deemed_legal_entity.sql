/* ---
id: LNK013
name: linkage.deemed_legal_entity
title:
  zh: 视同法人与归属法人在同一县
  en: A unit deemed a legal entity has its parent in the same county
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: deemed_legal
tables: [legal_entity]
optional_tables: [register_unit]
owner: data_quality
version: 1
status: active
message:
  zh: 视同法人单位的归属法人（{related}）在同一县，{expected}
  en: The parent ({related}) of the unit deemed a legal entity is in the same county
verify:
  zh: 归属法人在本县的，按产业活动单位登记
  en: With its parent in the county it is an establishment
false_positives:
  zh: 国家另有规定视同法人的（如铁路、邮政、通信的市县公司）写明情况
  en: Kinds that the scheme itself deems legal entities need a remark
--- */
-- Scope: legal-entity forms marked as deemed legal entities. Unknown: no parent's code, or the
-- parent is found neither among the forms nor in a register.
WITH place AS (
  SELECT credit_code, unit_id AS id, county_code FROM legal_entity
  WHERE COALESCE(deemed_legal, '2') <> '1'
  UNION ALL
  SELECT credit_code, record_id AS id, county_code FROM register_unit
),
parent AS (
  SELECT credit_code, MIN(id) AS id, MIN(county_code) AS first_county, MAX(county_code) AS last_county
  FROM place
  WHERE credit_code IS NOT NULL AND county_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  p.id AS related_id,
  e.deemed_legal AS observed,
  '应按产业活动单位登记' AS expected,
  CASE
    WHEN p.first_county = e.county_code OR p.last_county = e.county_code THEN FALSE
    WHEN p.credit_code IS NOT NULL THEN TRUE
  END AS holds
FROM legal_entity AS e
LEFT JOIN parent AS p ON p.credit_code = e.parent_credit_code
WHERE e.deemed_legal = '1'
