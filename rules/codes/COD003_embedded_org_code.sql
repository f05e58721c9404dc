/* ---
id: COD003
name: codes.embedded_org_code
title:
  zh: 统一社会信用代码中的主体标识码校验位不正确
  en: Organisation code inside the credit code is wrong
family: codes
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: credit_code
tables: [unit]
owner: data_quality
version: 1
status: active
message:
  zh: 统一社会信用代码 {observed} 第 9 至 17 位的主体标识码不符合组织机构代码校验规则
  en: Characters 9 to 17 of credit code {observed} are not a valid organisation code
verify:
  zh: 查看证照原件；第 18 位也不正确的，多为录入错误，只需改正一次
  en: Look at the licence; where the 18th character is wrong as well it is one slip of the pen
false_positives:
  zh: 少数早年赋码的单位主体标识码不符合校验规则，有证照为证的予以保留
  en: Some early codes carry an irregular organisation code; keep them where the licence shows it
--- */
-- Scope: every unit that gives a credit code; GB 11714-1997 on characters 9 to 17.
-- Unknown: the shape is wrong (COD001). A wrong 18th character (COD002) leaves this decidable.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  credit_code AS observed,
  '第 17 位校验位不符' AS expected,
  credit_code_org_ok AS holds
FROM unit
WHERE credit_code IS NOT NULL
