/* ---
id: COD007
name: codes.share_without_code
title:
  zh: 县内没有统一社会信用代码的单位比例过高
  en: Too many units of a county have no credit code
family: codes
severity: query
clause: 三(一)3
level: 2
grain: region
variable: credit_code
tables: [unit]
owner: data_quality
version: 1
status: active
conclusion: true
always_decidable: true
parameters:
  limit: {type: number, default: "0.01", note: "largest share without a credit code"}
  least: {type: integer, default: "3", note: "units without a code from which on it is told: one alone is no pattern"}
message:
  zh: 该县 {observed} 个单位没有统一社会信用代码，{expected}
  en: "{observed} units of the county have no credit code, over the share allowed"
verify:
  zh: 与市场监管、编办、民政名录比对补填代码；确无代码的写明情况
  en: Fill in codes from the registers of market regulation, staffing and civil affairs; explain units that have none
false_positives:
  zh: 村办企业、宗教场所等确无代码的写明情况
  en: Village enterprises, temples and the like may have none
--- */
-- Scope: counties; legal entities, and establishments but headquarters, which have no code of
-- their own. Always decidable: an empty code is what is counted.
SELECT
  county_code AS subject_id,
  county_code AS region_code,
  CAST(COUNT(*) - COUNT(credit_code) AS STRING) AS observed,
  '占 ' || CAST(CAST(100.0 * (COUNT(*) - COUNT(credit_code)) / NULLIF(COUNT(*), 0)
    AS DECIMAL(18, 1)) AS STRING) || '%（共 ' || CAST(COUNT(*) AS STRING) || ' 个单位）' AS expected,
  CAST(COUNT(*) - COUNT(credit_code) AS DOUBLE) / NULLIF(COUNT(*), 0) AS score,
  COUNT(*) - COUNT(credit_code) < :least
    OR COUNT(*) - COUNT(credit_code) <= :limit * COUNT(*) AS holds
FROM unit
WHERE unit_kind IN ('1', '2') AND COALESCE(is_headquarters, '2') <> '1' AND county_code IS NOT NULL
GROUP BY county_code
