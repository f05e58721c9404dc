/* ---
id: COD015
name: codes.region_of_another_vintage
title:
  zh: 区划代码是其他版本的代码
  en: The region code is of another vintage
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: region_code
tables: [unit, region]
owner: data_quality
version: 1
status: active
same_fact: [COD008]
always_decidable: true
parameters:
  vintage: {type: text, default: "2018-10-31", note: "vintage of the region list"}
message:
  zh: 区划代码 {observed} 不在 {expected} 版代码库，是其他版本的代码
  en: Region code {observed} is not of the vintage {expected} but of another one
verify:
  zh: 按 2018 年 10 月 31 日版统计用区划代码改填
  en: Use the statistical region codes of 2018-10-31
false_positives:
  zh: 撤并调整后的新代码在本次普查中不使用
  en: Codes introduced by later changes are not used in this census
--- */
-- Scope: units whose code is on the region list in any vintage; others are COD008's matter.
WITH known AS (
  SELECT region_code, MAX(CASE WHEN vintage = :vintage THEN 1 ELSE 0 END) AS is_current
  FROM region
  GROUP BY region_code
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  u.region_code AS observed,
  :vintage AS expected,
  k.is_current = 1 AS holds
FROM unit AS u
JOIN known AS k ON k.region_code = u.region_code
