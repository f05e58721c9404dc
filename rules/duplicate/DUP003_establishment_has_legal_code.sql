/* ---
id: DUP003
name: duplicate.establishment_has_legal_code
title:
  zh: 产业活动单位与法人单位重码
  en: An establishment carries a legal entity's credit code
family: duplicate
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: credit_code
tables: [establishment, legal_entity]
owner: data_quality
version: 2
status: active
message:
  zh: 产业活动单位填报的统一社会信用代码 {observed} 是法人单位 {related} 的代码
  en: The establishment gives credit code {observed}, which is that of legal entity {related}
verify:
  zh: 分支机构应填自己的代码；没有自己代码的不填，只填归属法人代码；查是否为同一单位两次登记
  en: A branch gives its own code or none; see whether it is one unit enumerated twice
false_positives:
  zh: 本部与法人单位同名同址同代码属正常，不在此列；未填是否本部而代码与归属法人相同的，多为本部，先补填（见 FRM001）再判
  en: A headquarters may share its legal entity's name and code, and is left out; an establishment without the mark that has its parent's code is most likely one, and stays unknown until the mark is filled in (FRM001)
--- */
-- Scope: establishments that are not a headquarters (本部); the finding is on the establishment,
-- whose form is the one that gives another unit's code.
-- Unknown: no credit code of its own; or its parent's and no mark, for it may be the headquarters.
WITH entity AS (
  SELECT credit_code, MIN(unit_id) AS unit_id
  FROM legal_entity
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  l.unit_id AS related_id,
  e.credit_code AS observed,
  '不得与法人单位重复' AS expected,
  CASE WHEN e.is_headquarters IS NULL AND e.credit_code = e.parent_credit_code THEN NULL
    WHEN e.credit_code IS NOT NULL THEN l.unit_id IS NULL END AS holds,
  CASE WHEN l.unit_id IS NOT NULL THEN MD5('DUP003|' || e.credit_code) END AS group_key
FROM establishment AS e
LEFT JOIN entity AS l ON l.credit_code = e.credit_code
WHERE COALESCE(e.is_headquarters, '2') <> '1'
