/* ---
id: LNK007
name: linkage.headquarters_code
title:
  zh: 本部的组织机构代码不符合规定
  en: The code of a headquarters does not follow its legal entity
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: org_code
tables: [establishment]
owner: data_quality
version: 2
status: active
message:
  zh: 本部组织机构代码填 {observed}，前 8 位应与法人代码的主体标识码前 8 位相同：{expected}
  en: "The headquarters has code {observed}; its first 8 characters should be those of its legal entity's organisation code: {expected}"
verify:
  zh: 按归属法人的统一社会信用代码第 9 至 16 位加 B 改正，或改正归属法人代码
  en: Correct it from characters 9 to 16 of the parent's credit code and B, or correct the parent's code
false_positives:
  zh: 前 8 位相同而末位不是 B 的不在此列，改正即可；本部另有独立代码的按分支机构登记
  en: A last character other than B behind the right eight is no error here, only to be mended; a headquarters with a code of its own is registered as a branch
--- */
-- Scope: headquarters whose parent's code has 18 characters. The first eight characters decide, as
-- the catalogue has it. Unknown: no organisation code.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  org_code AS observed,
  SUBSTRING(parent_credit_code, 9, 8) || 'B' AS expected,
  LEFT(org_code, 8) = SUBSTRING(parent_credit_code, 9, 8) AS holds
FROM establishment
WHERE is_headquarters = '1' AND LENGTH(parent_credit_code) = 18
  AND LEFT(parent_credit_code, 9) <> '111111111'
