/* ---
id: XSP004
name: cross_specialty.qualified_builder_off_panel
title:
  zh: 有资质的建筑业单位没有纳入一套表
  en: A qualified builder is not on the panel
family: cross_specialty
severity: fatal
clause: 三(三)2
level: 3
grain: unit
variable: form
tables: [legal_entity]
owner: construction_real_estate
version: 2
status: active
message:
  zh: 有建筑业资质而填报 {observed} 表，应纳入一套表（{expected}）
  en: It holds a construction qualification and filed form {observed}; it belongs on the panel ({expected})
verify:
  zh: 看资质证书；总承包、专业承包资质内的不论规模都纳入一套表
  en: See the certificate; general and specialist contractors are on the panel whatever their size
false_positives:
  zh: 只有劳务分包资质、资质已注销的，改填建筑业资质
  en: "Labour subcontractors, and certificates withdrawn, are not qualified: correct that item"
--- */
-- Scope: legal entities whose industry is construction (divisions 47 to 50), and others that say
-- they are qualified. Unknown: whether it is qualified is not said.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  form AS observed,
  '601' AS expected,
  CASE
    WHEN construction_qualified = '2' OR form = '601' THEN TRUE
    WHEN construction_qualified = '1' THEN form = '601'
  END AS holds
FROM legal_entity
WHERE industry_division IN ('47', '48', '49', '50') OR construction_qualified = '1'
