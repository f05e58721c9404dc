/* ---
id: COD004
name: codes.prefix_and_institution
title:
  zh: 信用代码前两位与机构类型不符
  en: Credit code and institution type disagree
family: codes
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: institution_type
tables: [legal_entity, ref_credit_code_prefix]
owner: data_quality
version: 1
status: active
message:
  zh: 机构类型填报 {observed}，与统一社会信用代码前两位所示的机构（{expected}）不符
  en: "Institution type is {observed}; the first two characters of the credit code say {expected}"
verify:
  zh: 查看证照上的登记管理部门和机构类别；类型填错的改类型，代码填错的改代码
  en: See on the licence who registered it and as what; correct the type, or the code
false_positives:
  zh: 登记管理部门调整、赋码早于类别变更的，以证照为准并备注
  en: A body whose registration passed to another department; the licence decides, with a remark
--- */
-- Scope: legal entities that give a credit code. A prefix that no legal entity of the census has
-- (92, the military) or that is not on the list fails too, for confirmation only.
-- Unknown: no institution type, or the prefix leaves it open (law firms, notaries and the like).
SELECT
  l.unit_id AS subject_id,
  l.region_code AS region_code,
  l.institution_type AS observed,
  LEFT(l.credit_code, 2) || COALESCE(': ' || p.institution_types, '') AS expected,
  CASE
    WHEN p.prefix IS NULL OR NOT p.in_scope THEN FALSE
    ELSE ('|' || p.institution_types || '|') LIKE ('%|' || l.institution_type || '|%')
  END AS holds
FROM legal_entity AS l
LEFT JOIN ref_credit_code_prefix AS p ON p.prefix = LEFT(l.credit_code, 2)
WHERE l.credit_code IS NOT NULL
