/* ---
id: LNK012
name: linkage.opened_before_the_parent
title:
  zh: 产业活动单位开业早于归属法人
  en: An establishment opened before its legal entity
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: opened_ym
tables: [establishment, legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 开业时间 {observed} 早于归属法人（{related}）的 {expected}
  en: It opened in {observed}, before its legal entity ({related}) in {expected}
verify:
  zh: 看双方营业执照的成立日期；合并、收购、改制的写明情况
  en: See the dates on both licences; a merger, purchase or restructuring needs a remark
false_positives:
  zh: 并入、收购的分支机构和改制后重新登记的法人属正常，写明即可
  en: Branches taken over, and legal entities registered anew, are right with a remark
--- */
-- Scope: establishments whose parent was enumerated here. A remark is an explanation (merger).
-- Of several forms of the parent the earliest counts. Unknown: a month is missing.
WITH parent AS (
  SELECT credit_code, MIN(unit_id) AS unit_id,
    CASE WHEN COUNT(*) = COUNT(opened_ym) THEN MIN(opened_ym) END AS opened_ym
  FROM legal_entity
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  p.unit_id AS related_id,
  e.opened_ym AS observed,
  p.opened_ym AS expected,
  e.opened_ym >= p.opened_ym OR COALESCE(LENGTH(TRIM(e.explanation)), 0) > 0 AS holds
FROM establishment AS e
JOIN parent AS p ON p.credit_code = e.parent_credit_code
