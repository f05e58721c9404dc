/* ---
id: DUP002
name: duplicate.establishment_code
title:
  zh: 产业活动单位重码
  en: Establishments share a credit code
family: duplicate
severity: fatal
clause: 三(三)2
level: 1
grain: unit
variable: credit_code
tables: [establishment]
owner: data_quality
version: 2
status: active
message:
  zh: 统一社会信用代码 {observed} 与产业活动单位 {related} 相同，{expected}
  en: Establishment {related} has the same credit code, {observed}
verify:
  zh: 核对双方证照；同一产业活动单位重复登记的保留一份，代码填错的改正
  en: Compare both licences; keep one form of an establishment, or correct the code that is wrong
false_positives:
  zh: 本部没有自己的代码，误填法人代码的不在此列；未填是否本部而代码与归属法人相同的，多为本部，先补填（见 FRM001）再判
  en: A headquarters has no code of its own and is left out; an establishment without the mark that has its parent's code is most likely one, and stays unknown until the mark is filled in (FRM001)
--- */
-- Scope: establishments that are not a headquarters (本部); one without the mark counts as a branch.
-- Unknown: no credit code of its own; or its parent's and no mark, for it may be the headquarters.
WITH branch AS (
  SELECT unit_id, region_code, credit_code,
    is_headquarters IS NULL AND COALESCE(credit_code = parent_credit_code, FALSE) AS is_unclear
  FROM establishment
  WHERE COALESCE(is_headquarters, '2') <> '1'
),
repeated AS (
  SELECT credit_code, COUNT(*) AS n, MIN(unit_id) AS first_id
  FROM branch
  WHERE credit_code IS NOT NULL AND NOT is_unclear
  GROUP BY credit_code
  HAVING COUNT(*) > 1
),
second AS (
  SELECT b.credit_code, MIN(b.unit_id) AS second_id
  FROM branch AS b
  JOIN repeated AS r ON r.credit_code = b.credit_code
  WHERE b.unit_id <> r.first_id AND NOT b.is_unclear
  GROUP BY b.credit_code
)
SELECT
  b.unit_id AS subject_id,
  b.region_code AS region_code,
  CASE WHEN b.unit_id = r.first_id THEN s.second_id ELSE r.first_id END AS related_id,
  b.credit_code AS observed,
  '不得重复（共 ' || CAST(r.n AS STRING) || ' 个产业活动单位使用）' AS expected,
  CASE WHEN b.credit_code IS NOT NULL AND NOT b.is_unclear THEN r.n IS NULL END AS holds,
  CASE WHEN r.n IS NOT NULL AND NOT b.is_unclear THEN MD5('DUP002|' || b.credit_code) END AS group_key
FROM branch AS b
LEFT JOIN repeated AS r ON r.credit_code = b.credit_code
LEFT JOIN second AS s ON s.credit_code = b.credit_code
