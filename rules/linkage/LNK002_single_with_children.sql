/* ---
id: LNK002
name: linkage.single_with_children
title:
  zh: 单产业法人单位有下属产业活动单位
  en: A single-establishment legal entity has establishments
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: has_establishments
tables: [legal_entity, establishment]
optional_tables: [establishment_list]
owner: data_quality
version: 1
status: active
message:
  zh: 是否有下属产业活动单位填“{observed}”，但{expected}
  en: The form says it has no establishments, yet at least one belongs to it
verify:
  zh: 确有分支机构的把 214 项改为“是”并补报清单和本部；不属于它的改正产业活动单位的归属法人代码
  en: Where there are branches, set item 214 to yes and complete list and headquarters; otherwise correct the parent code of the establishments
false_positives:
  zh: 两家法人误用同一代码时，另一家的分支机构会算到它名下；先处理重码（DUP001）
  en: Where two legal entities share a code, the other's branches count here; settle the duplicate first (DUP001)
--- */
-- Scope: legal entities whose item 214 is no or missing. A headquarters (本部) form counts: a legal
-- entity without branches files none.
-- Unknown: item 214 is missing; or no credit code, so that no establishment can name it.
WITH received AS (
  SELECT parent_credit_code, COUNT(*) AS n_received, MIN(unit_id) AS unit_id
  FROM establishment
  WHERE parent_credit_code IS NOT NULL
  GROUP BY parent_credit_code
),
listed AS (
  SELECT legal_unit_id, COUNT(*) AS n_listed
  FROM establishment_list
  GROUP BY legal_unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  r.unit_id AS related_id,
  '2 否' AS observed,
  '实有 ' || CAST(GREATEST(COALESCE(r.n_received, 0), COALESCE(l.n_listed, 0)) AS STRING)
    || ' 个下属产业活动单位' AS expected,
  CASE
    WHEN e.has_establishments IS NULL THEN NULL
    WHEN r.n_received > 0 OR l.n_listed > 0 THEN FALSE
    WHEN e.credit_code IS NOT NULL THEN TRUE
  END AS holds
FROM legal_entity AS e
LEFT JOIN received AS r ON r.parent_credit_code = e.credit_code
LEFT JOIN listed AS l ON l.legal_unit_id = e.unit_id
WHERE e.has_establishments = '2' OR e.has_establishments IS NULL
