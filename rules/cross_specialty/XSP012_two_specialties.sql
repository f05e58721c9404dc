/* ---
id: XSP012
name: cross_specialty.two_specialties
title:
  zh: 同一单位在两个专业报表
  en: One unit files returns under two specialties
family: cross_specialty
severity: fatal
clause: 三(三)2
level: 3
grain: unit
variable: specialty
tables: [legal_entity, production]
optional_tables: [finance]
owner: specialty
version: 1
status: active
message:
  zh: 同一单位在 {observed} 等两个及以上专业报送报表，本单位专业类别为 {expected}
  en: Returns were filed under {observed}; a unit files under one specialty, this one's is {expected}
verify:
  zh: 按主要业务活动确定一个专业，两专业协商后删除另一专业的报表，避免重复计算
  en: Settle one specialty from the main activity; the other takes its returns out, so that nothing counts twice
false_positives:
  zh: 两家单位误用同一代码时也会出现，先处理重码（DUP001）
  en: Two units with one code show up here as well; settle the duplicate first (DUP001)
--- */
-- Scope: legal entities with finance (603, 611-3) or production (604, 608) returns; forms with the
-- same credit code are one unit, and a form without a code stands for itself.
-- Unknown: no second specialty is seen, and a return does not say its own.
WITH filed AS (
  SELECT unit_id, specialty FROM production
  UNION ALL
  SELECT unit_id, specialty FROM finance
),
by_unit AS (
  SELECT
    COALESCE(e.credit_code, e.unit_id) AS unit_key,
    MIN(f.specialty) AS first_specialty,
    MAX(f.specialty) AS last_specialty,
    COUNT(CASE WHEN f.specialty IS NULL THEN 1 END) AS n_unknown,
    MIN(e.unit_id) AS first_id,
    MAX(e.unit_id) AS last_id
  FROM legal_entity AS e
  JOIN filed AS f ON f.unit_id = e.unit_id
  GROUP BY COALESCE(e.credit_code, e.unit_id)
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  CASE
    WHEN b.first_id <> e.unit_id THEN b.first_id
    WHEN b.last_id <> e.unit_id THEN b.last_id
  END AS related_id,
  b.first_specialty || ' ' || b.last_specialty AS observed,
  e.specialty AS expected,
  CASE
    WHEN b.first_specialty <> b.last_specialty THEN FALSE
    WHEN b.n_unknown = 0 THEN TRUE
  END AS holds,
  MD5('XSP012|' || b.unit_key) AS group_key
FROM legal_entity AS e
JOIN by_unit AS b ON b.unit_key = COALESCE(e.credit_code, e.unit_id)
