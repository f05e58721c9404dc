/* ---
id: LNK001
name: linkage.multi_without_list
title:
  zh: 多产业法人单位的产业活动单位清单不足两行
  en: A multi-establishment legal entity lists fewer than two establishments
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: has_establishments
tables: [legal_entity, establishment_list]
owner: data_quality
version: 1
status: active
parameters:
  minimum: {type: integer, default: "2", note: "establishments of a multi-establishment legal entity, headquarters (本部) counted"}
message:
  zh: 是否有下属产业活动单位填“{observed}”，但{expected}
  en: The form says it has establishments, but its list has fewer than are needed, headquarters counted
verify:
  zh: 确有分支机构的补报 601-1 或 611-1 表（含本部）；没有分支机构的把 214 项改为“否”
  en: Where there are branches, complete the list (601-1 or 611-1) with its headquarters; otherwise set item 214 to no
false_positives:
  zh: 分支机构在外市的也要列入清单，因此不构成例外
  en: Branches in other cities belong on the list too, so they are no exception
--- */
-- Scope: legal entities whose item 214 is yes or missing.
-- Unknown: item 214 is missing.
WITH listed AS (
  SELECT legal_unit_id, COUNT(*) AS n_listed
  FROM establishment_list
  GROUP BY legal_unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  '1 是' AS observed,
  '清单列 ' || CAST(COALESCE(l.n_listed, 0) AS STRING) || ' 个（含本部应不少于 '
    || CAST(:minimum AS STRING) || ' 个）' AS expected,
  CASE WHEN e.has_establishments = '1' THEN COALESCE(l.n_listed, 0) >= :minimum END AS holds
FROM legal_entity AS e
LEFT JOIN listed AS l ON l.legal_unit_id = e.unit_id
WHERE e.has_establishments = '1' OR e.has_establishments IS NULL
