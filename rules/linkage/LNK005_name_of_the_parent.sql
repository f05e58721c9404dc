/* ---
id: LNK005
name: linkage.name_of_the_parent
title:
  zh: 归属法人名称与其法人表不一致
  en: The parent's name is not that of its legal entity
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: parent_name
tables: [establishment, legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 归属法人名称填“{observed}”，而该代码的法人单位（{related}）名称为“{expected}”
  en: The name given for the parent is not that of the legal entity ({related}) with the parent's code
verify:
  zh: 看营业执照上的隶属企业：代码填错的改代码，名称变更的改名称
  en: See the licence; correct the code where it is another firm's, or the name after a change
false_positives:
  zh: 括号、空格、“有限责任公司/有限公司”写法不同不算；法人更名后分支机构执照未换的写明情况
  en: Brackets, blanks and 有限责任公司/有限公司 do not count; a branch's licence may lag behind a new name
--- */
-- Scope: establishments whose parent's code is that of a legal entity enumerated here.
-- One form of the code that agrees is enough. Unknown: no name given for the parent.
WITH compared AS (
  SELECT e.unit_id, MIN(l.unit_id) AS legal_id,
    MAX(CASE WHEN e.parent_name_key = l.name_key THEN 1
      WHEN e.parent_name_key <> l.name_key THEN 0 END) AS agrees
  FROM establishment AS e
  JOIN legal_entity AS l ON l.credit_code = e.parent_credit_code
  GROUP BY e.unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  c.legal_id AS related_id,
  e.parent_name AS observed,
  l.name AS expected,
  c.agrees = 1 AS holds
FROM compared AS c
JOIN establishment AS e ON e.unit_id = c.unit_id
JOIN legal_entity AS l ON l.unit_id = c.legal_id
