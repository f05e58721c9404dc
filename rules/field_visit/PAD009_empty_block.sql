/* ---
id: PAD009
name: field_visit.empty_block
title:
  zh: 零单位普查小区没有盖章说明（线索）
  en: A block without units and without a sealed explanation (lead)
family: field_visit
severity: fatal
clause: 三(二)3
level: 2
grain: block
variable: zero_explanation
tables: [census_block, unit]
owner: enforcement
version: 1
status: active
message:
  zh: 线索：该普查小区没有任何单位和个体经营户，也没有盖章的零单位说明，可能没有清查
  en: "Lead: the block has neither units nor self-employed, and no sealed explanation; perhaps it was never listed"
verify:
  zh: 到小区地毯式走一遍；确无普查对象的，由普查区出具盖章说明，有遗漏的补查补登
  en: Walk the block; where there is truly nothing, the area seals an explanation, and what was left out is enumerated
false_positives:
  zh: 拆迁、山林、水面、部队驻地等小区应补说明；单位的小区代码填错的，更正后自动消除
  en: Cleared land, woods, water and barracks need their explanation; wrong block codes of units are cured by correcting them
--- */
-- Scope: blocks of counties from which units were delivered, where they have no unit of any kind.
-- Unknown: nothing of the block's county was delivered, or its households were not, so that nobody
-- can say that the block is empty.
WITH filled AS (
  SELECT DISTINCT region_code || block_code AS block_id FROM unit
),
county AS (
  SELECT LEFT(region_code, 6) AS county,
    MAX(CASE WHEN unit_kind = '3' THEN 1 ELSE 0 END) AS has_households
  FROM unit
  GROUP BY LEFT(region_code, 6)
)
SELECT
  b.block_id AS subject_id,
  b.region_code AS region_code,
  '0' AS observed,
  '盖章说明' AS expected,
  CASE
    WHEN f.block_id IS NOT NULL OR b.zero_explanation IS NOT NULL THEN TRUE
    WHEN c.has_households = 1 THEN FALSE
  END AS holds
FROM census_block AS b
LEFT JOIN filled AS f ON f.block_id = b.block_id
LEFT JOIN county AS c ON c.county = LEFT(b.region_code, 6)
