/* ---
id: COD001
name: codes.credit_code_shape
title:
  zh: 统一社会信用代码格式不正确
  en: Credit code is not well formed
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: credit_code
tables: [unit]
owner: data_quality
version: 1
status: active
message:
  zh: 统一社会信用代码 {observed} 格式不正确：{expected}
  en: Credit code {observed} is not well formed; it has 18 characters and never I, O, Z, S or V
verify:
  zh: 查看营业执照或登记证书原件，逐位核对；注意数字 0 与字母 O、数字 1 与字母 I
  en: Read the code off the licence, character by character; mind 0 and O, 1 and I
false_positives:
  zh: 误把旧的组织机构代码或注册号填在本栏的单位，代码本身可能没有错，应移到相应栏目
  en: An old organisation code or registration number written in this item may be right in itself
always_decidable: true
--- */
-- Scope: every unit that gives a credit code; GB 32100-2015 alphabet and length.
-- A missing code is not judged here: COD006 asks for the code that stands in for it.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  credit_code AS observed,
  CASE
    WHEN LENGTH(credit_code) <> 18
      THEN '应为 18 位，实有 ' || CAST(LENGTH(credit_code) AS STRING) || ' 位'
    WHEN credit_code <> TRANSLATE(credit_code, 'IOZSV', '') THEN '含字母 I、O、Z、S、V 等不用的字符'
    WHEN credit_code <> UPPER(credit_code) THEN '含小写字母，应为大写'
    ELSE '含数字和大写字母以外的字符'
  END AS expected,
  credit_code_shape_ok AS holds
FROM unit
WHERE credit_code IS NOT NULL
