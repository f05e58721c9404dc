/* ---
id: LNK014
name: linkage.shared_accounts
title:
  zh: 统一财务核算单位填报矛盾
  en: Shared accounts contradict the unit's own return
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: finance_unit_code
tables: [legal_entity]
optional_tables: [finance, institution_finance, register_unit]
owner: data_quality
version: 3
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two, as characters 3 to 6 of a credit code have them"}
message:
  zh: 填了统一财务核算法人单位 {observed}，{expected}
  en: It names a unit that keeps its accounts, which contradicts its own return or cannot be found
verify:
  zh: 由上级统一核算的不再单独填报财务表；能独立核算的删去统一核算单位
  en: With accounts kept by another unit it files no return of its own; otherwise take that unit out
false_positives:
  zh: 统一核算单位在外地登记的（代码第 3 至 6 位不在审核地区），名录查不到属正常，只列为无法判定
  en: A unit registered elsewhere (characters 3 to 6 of its code are outside the audited region) need not be in these lists and stays unknown
--- */
-- Scope: legal entities that name a unit which keeps their accounts (form 611-5, extra block).
-- Fails with a financial return of its own, or where that unit is neither enumerated nor in a
-- register although its code is the city's, or no credit code. Unknown: it is not found, and was
-- registered elsewhere, or no register was delivered to look it up in.
WITH filed AS (
  SELECT unit_id FROM finance
  UNION
  SELECT unit_id FROM institution_finance
),
known AS (
  SELECT credit_code FROM legal_entity
  UNION
  SELECT credit_code FROM register_unit
),
delivered AS (
  SELECT COUNT(*) AS n FROM register_unit
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  e.finance_unit_code AS observed,
  CASE WHEN f.unit_id IS NOT NULL THEN '又单独填报了财务表'
    ELSE '该单位在普查表和部门名录中找不到' END AS expected,
  CASE
    WHEN f.unit_id IS NOT NULL THEN FALSE
    WHEN k.credit_code IS NOT NULL THEN TRUE
    WHEN LENGTH(e.finance_unit_code) = 18
      AND e.finance_unit_code NOT LIKE '__' || :city || '%' THEN NULL
    WHEN d.n > 0 THEN FALSE
  END AS holds
FROM legal_entity AS e
CROSS JOIN delivered AS d
LEFT JOIN filed AS f ON f.unit_id = e.unit_id
LEFT JOIN known AS k ON k.credit_code = e.finance_unit_code
WHERE e.finance_unit_code IS NOT NULL
