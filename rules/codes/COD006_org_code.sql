/* ---
id: COD006
name: codes.org_code
title:
  zh: 无统一社会信用代码，组织机构代码也不正确
  en: No credit code, and no valid organisation code in its place
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: org_code
tables: [unit]
owner: data_quality
version: 1
status: active
parameters:
  orphan: {type: text, default: "111111111", note: code written where none can be found}
message:
  zh: 没有统一社会信用代码，也没有有效的组织机构代码（{observed}，{expected}）
  en: There is neither a credit code nor a valid organisation code
verify:
  zh: 向单位索取证照；确无代码的按规定填 9 个 1 并备注，本部填法人代码前 8 位加 B
  en: Ask for the licence; write nine 1s with a remark where there is none, B at the end for a 本部
false_positives:
  zh: 临时代码不参与校验，须在备注中注明发放部门
  en: Temporary codes carry no check character; the remark must name who gave them
--- */
-- Scope: legal entities and establishments without a credit code. A headquarters (本部) ends in B
-- by rule, and nine 1s stand for a code that nobody can find.
-- Unknown: an establishment with neither code, as a plain branch need not have one of its own.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  COALESCE(org_code, '未填组织机构代码') AS observed,
  CASE
    WHEN org_code IS NULL THEN '应填其中一个代码'
    WHEN LENGTH(org_code) <> 9 THEN '应为 9 位，实有 ' || CAST(LENGTH(org_code) AS STRING) || ' 位'
    ELSE '校验位不符'
  END AS expected,
  CASE
    WHEN org_code IS NULL AND unit_kind = '1' THEN FALSE
    WHEN org_code IS NULL THEN NULL
    WHEN org_code = :orphan OR org_code_check_ok THEN TRUE
    WHEN is_headquarters = '1' AND LENGTH(org_code) = 9 AND RIGHT(org_code, 1) = 'B' THEN TRUE
    ELSE FALSE
  END AS holds
FROM unit
WHERE unit_kind IN ('1', '2') AND credit_code IS NULL
