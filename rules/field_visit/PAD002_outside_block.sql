/* ---
id: PAD002
name: field_visit.outside_block
title:
  zh: 登记点不在本单位所在普查小区
  en: The visit was registered outside the unit's block
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: unit
variable: outside_m
tables: [unit, visit, visit_place]
optional_tables: [legal_entity]
owner: enforcement
version: 1
status: active
parameters:
  metres: {type: number, default: "50", note: "metres allowed beyond the accuracy of the position"}
  away: {type: list, default: "C", note: "specialties met where they work: construction sits where it is registered"}
message:
  zh: 登记点在普查小区外约 {observed} 米，超过定位误差（应在 {expected} 米以内，轨迹 {related}），请核实是否到现场
  en: "Registered about {observed} metres outside the block, more than the position may be off ({expected} metres, visit {related}): was it on site?"
verify:
  zh: 到表上地址核实单位是否在该小区、普查员是否到过；小区代码填错的更正小区代码
  en: Check at the address whether the unit is in this block and was visited; where the block code is wrong, correct it
false_positives:
  zh: 建筑业和无固定场所单位不判；整个设备的点都朝同一方向偏几百米的，是坐标系（GCJ-02）未转换，应先换算
  en: "Builders and units without premises are left out; where all points of a device lie some hundred metres off the same way, its coordinates are GCJ-02 and must be converted first"
--- */
-- Scope: visited units, but not builders (they sit at the registered place and are met on a site)
-- nor legal entities without premises. The nearest of several visits counts.
-- Unknown: no visit has position and accuracy, or the block has neither boundary nor extent.
WITH nearest AS (
  SELECT unit_id, MIN(outside_m - accuracy_m) AS beyond_m
  FROM visit_place
  GROUP BY unit_id
),
placed AS (
  SELECT p.unit_id, n.beyond_m, MIN(p.visit_id) AS visit_id, MIN(p.outside_m) AS outside_m,
    MIN(p.accuracy_m) AS accuracy_m
  FROM visit_place AS p
  JOIN nearest AS n ON n.unit_id = p.unit_id AND p.outside_m - p.accuracy_m = n.beyond_m
  GROUP BY p.unit_id, n.beyond_m
),
visited AS (
  SELECT DISTINCT unit_id FROM visit
),
roaming AS (
  SELECT unit_id FROM legal_entity WHERE no_fixed_premises = '1'
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  p.visit_id AS related_id,
  CAST(CAST(p.outside_m AS DECIMAL(18, 0)) AS STRING) AS observed,
  CAST(CAST(p.accuracy_m + :metres AS DECIMAL(18, 0)) AS STRING) AS expected,
  p.beyond_m <= :metres AS holds
FROM visited AS v
JOIN unit AS u ON u.unit_id = v.unit_id
LEFT JOIN placed AS p ON p.unit_id = v.unit_id
LEFT JOIN roaming AS r ON r.unit_id = v.unit_id
WHERE r.unit_id IS NULL AND COALESCE(u.specialty, '') NOT IN :away
