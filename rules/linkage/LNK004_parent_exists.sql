/* ---
id: LNK004
name: linkage.parent_exists
title:
  zh: 产业活动单位的归属法人不存在
  en: The parent of an establishment does not exist
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: parent_credit_code
tables: [establishment, legal_entity]
optional_tables: [register_unit, prior_value]
owner: data_quality
version: 2
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two: a parent elsewhere has no form here"}
  orphan_codes: {type: list, default: "111111111|111111111111111111", note: "codes that say the parent could not be found"}
message:
  zh: 归属法人代码 {observed} 在普查表、部门名录和上期资料中都找不到（归属法人所在地 {expected}）
  en: Parent code {observed} is in no census form, register or earlier census (the parent is said to be in {expected})
verify:
  zh: 看营业执照上的隶属企业，改正归属法人代码或所在地；确实找不到的填 9 个 1 或 18 个 1 并写明情况
  en: Correct the parent's code or region from the licence; where it cannot be found, give nine or eighteen 1s and a remark
false_positives:
  zh: 归属法人在审核地区以外的，这里没有其法人表属正常；新设、尚未进入名录的法人须核实是否漏登
  en: A parent outside the audited region rightly has no form here; a new one inside may have been left out
--- */
-- Scope: all establishments. A parent in another city passes; an orphan code needs a remark.
-- Unknown: no parent code; or one found nowhere whose region is missing.
WITH parent AS (
  SELECT credit_code AS code FROM legal_entity
  UNION
  SELECT org_code AS code FROM legal_entity
  UNION
  SELECT credit_code AS code FROM register_unit
  UNION
  SELECT credit_code AS code FROM prior_value
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  e.parent_credit_code AS observed,
  e.parent_region_code AS expected,
  CASE
    WHEN e.parent_credit_code IN :orphan_codes THEN LENGTH(TRIM(COALESCE(e.explanation, ''))) > 0
    WHEN p.code IS NOT NULL THEN TRUE
    WHEN e.parent_credit_code IS NOT NULL THEN e.parent_region_code NOT LIKE :city || '%'
  END AS holds
FROM establishment AS e
LEFT JOIN parent AS p ON p.code = e.parent_credit_code
