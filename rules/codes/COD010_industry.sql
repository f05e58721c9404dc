/* ---
id: COD010
name: codes.industry
title:
  zh: 行业代码不存在或不在普查范围
  en: Industry class does not exist or is out of scope
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: industry_code
tables: [unit]
owner: data_quality
version: 1
status: active
message:
  zh: 行业代码 {observed} {expected}
  en: Industry code {observed} is no class of GB/T 4754-2017, or not in scope (divisions 05 to 96)
verify:
  zh: 按主要业务活动重新编码；农林牧渔业 01 至 04 大类和国际组织 97 大类不属普查对象
  en: Code the main activity again; divisions 01 to 04 and 97 are not part of the census
false_positives:
  zh: 农民专业合作社可从事农林牧渔专业及辅助性活动（05 大类），这类行业代码是对的
  en: A farmers' cooperative may well be in division 05, services to agriculture, which is in scope
--- */
-- Scope: all units. A class that does not exist is wrong whatever its division.
-- Unknown: no industry code on the form (FRM001).
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  industry_code AS observed,
  CASE
    WHEN industry_known THEN '不在普查范围（05 至 96 大类）'
    ELSE '不是 GB/T 4754-2017 的行业小类'
  END AS expected,
  industry_known AND industry_in_scope AS holds
FROM unit
