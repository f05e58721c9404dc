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
  zh: 机构类型填“{observed}”，与统一社会信用代码不符：前两位为 {expected}
  en: The institution type does not agree with the first two characters of the credit code
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
  CASE l.institution_type
      WHEN '10' THEN '10 企业' WHEN '20' THEN '20 事业单位' WHEN '30' THEN '30 机关'
      WHEN '40' THEN '40 社会团体' WHEN '51' THEN '51 民办非企业单位' WHEN '52' THEN '52 基金会'
      WHEN '53' THEN '53 居委会' WHEN '54' THEN '54 村委会' WHEN '55' THEN '55 农民专业合作社'
      WHEN '56' THEN '56 农村集体经济组织' WHEN '90' THEN '90 其他组织机构'
    ELSE COALESCE(l.institution_type, '未填')
  END AS observed,
  LEFT(l.credit_code, 2) || CASE
    WHEN p.prefix IS NULL THEN '（不在赋码规则内）'
    WHEN NOT p.in_scope THEN '（不是普查的法人单位）'
    ELSE '（' || CASE p.institution_types
        WHEN '10' THEN '10 企业' WHEN '20' THEN '20 事业单位' WHEN '30' THEN '30 机关'
        WHEN '40' THEN '40 社会团体' WHEN '51' THEN '51 民办非企业单位' WHEN '52' THEN '52 基金会'
        WHEN '53' THEN '53 居委会' WHEN '54' THEN '54 村委会' WHEN '55' THEN '55 农民专业合作社'
        WHEN '56' THEN '56 农村集体经济组织' WHEN '90' THEN '90 其他组织机构'
      ELSE p.institution_types
    END || '）'
  END AS expected,
  CASE
    WHEN p.prefix IS NULL OR NOT p.in_scope THEN FALSE
    ELSE ('|' || p.institution_types || '|') LIKE ('%|' || l.institution_type || '|%')
  END AS holds
FROM legal_entity AS l
LEFT JOIN ref_credit_code_prefix AS p ON p.prefix = LEFT(l.credit_code, 2)
WHERE l.credit_code IS NOT NULL
