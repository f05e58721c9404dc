/* ---
id: COD002
name: codes.credit_code_check
title:
  zh: 统一社会信用代码校验位不正确
  en: Check character of the credit code is wrong
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
  zh: 统一社会信用代码 {observed} 的第 18 位校验位不正确
  en: The 18th character of credit code {observed} does not agree with the 17 before it
verify:
  zh: 查看营业执照或登记证书原件，逐位核对；扫描证照二维码比对
  en: Read the code off the licence, character by character; compare with its QR code
false_positives:
  zh: 个别证照上的代码本身就不符合校验规则；有证照照片或二维码为证的，注明后保留
  en: A few codes were issued with a wrong check character; keep them with a photo of the licence
--- */
-- Scope: every unit that gives a credit code; GB 32100-2015, weights 3^(i-1) mod 31.
-- Unknown: the shape is wrong (COD001), so that no check character can be computed.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  credit_code AS observed,
  '第 18 位校验位不符' AS expected,
  credit_code_check_ok AS holds
FROM unit
WHERE credit_code IS NOT NULL
