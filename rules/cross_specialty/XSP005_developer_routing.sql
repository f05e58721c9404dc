/* ---
id: XSP005
name: cross_specialty.developer_routing
title:
  zh: 房地产开发单位的专业类别有误
  en: A developer is not under real-estate development
family: cross_specialty
severity: fatal
clause: 三(三)2
level: 3
grain: unit
variable: specialty
tables: [legal_entity]
owner: construction_real_estate
version: 1
status: active
same_fact: [XSP001]
message:
  zh: 行业代码为 7010 房地产开发经营，专业类别（114）填 {observed}，应为 {expected}
  en: Industry 7010 (real-estate development) with specialty (114) {observed}; it should be {expected}
verify:
  zh: 看有无开发项目和资质；从事开发的归 X，物业、中介、租赁的改行业代码
  en: See whether it develops; developers are X, management, agencies and letting take another industry
false_positives:
  zh: 没有开发项目、只做租赁物业的改行业代码
  en: Without projects of its own it takes another industry code
--- */
-- Scope: legal entities of industry 7010. Unknown: no specialty.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  specialty AS observed,
  'X' AS expected,
  specialty = 'X' AS holds
FROM legal_entity
WHERE industry_code = '7010'
