/* ---
id: PAD003
name: field_visit.one_point
title:
  zh: 同一定位点登记多栋建筑物（线索）
  en: One point for many buildings (lead)
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: enumerator
variable: point_cell
tables: [unit, visit]
optional_tables: [enumerator]
owner: enforcement
version: 1
status: active
parameters:
  buildings: {type: number, default: "3", note: "buildings registered from one cell of 5 m"}
  visits: {type: number, default: "5", note: "visits in the cell; fewer count only where the position is the same to the last digit"}
  accuracy: {type: number, default: "50", note: "metres; a less accurate position (network fix, towers) is left out"}
message:
  zh: 线索：在同一个5米格网内登记了 {observed} 栋建筑物的单位（应少于 {expected} 栋），可能坐在一处填报；不能作为违规证据
  en: "Lead: units of {observed} buildings were registered from one cell of 5 m (fewer than {expected} expected); perhaps filled in at a desk. No proof"
verify:
  zh: 抽取该点登记的单位实地回访，核对建筑物位置、照片背景和被访人签字
  en: Call again on some units registered there; compare place, background of the photographs and signatures
false_positives:
  zh: 一个院落、市场或整个村组共用一个门口的；建筑物编码重编的；高楼内定位漂移的
  en: A yard, market or hamlet with one entrance; buildings numbered anew; drift of positions in towers
--- */
-- Scope: enumerators with visits; a building is block and building code, units without one say
-- nothing. In a dense place three positions fall into 5 m by chance, so a cell counts with five
-- visits, or where all its positions are the same to the last digit, which receivers never give.
-- Unknown: an enumerator none of whose visits has a good position and a building.
WITH located AS (
  SELECT v.enumerator_id, v.point_cell, v.longitude, v.latitude, u.region_code,
    CASE WHEN v.accuracy_m <= :accuracy THEN u.region_code || u.block_code || '|' || u.building_code
    END AS building
  FROM visit AS v
  JOIN unit AS u ON u.unit_id = v.unit_id
),
cell AS (
  SELECT enumerator_id, point_cell, MIN(region_code) AS region_code, COUNT(*) AS n_visits,
    COUNT(DISTINCT building) AS n_buildings,
    MAX(longitude) - MIN(longitude) + MAX(latitude) - MIN(latitude) AS spread
  FROM located
  WHERE building IS NOT NULL AND point_cell IS NOT NULL
  GROUP BY enumerator_id, point_cell
),
worst AS (
  SELECT enumerator_id, MIN(region_code) AS region_code,
    MAX(CASE WHEN n_visits >= :visits OR (n_buildings >= 2 AND spread = 0)
      THEN n_buildings ELSE 1 END) AS n_buildings
  FROM cell
  GROUP BY enumerator_id
),
everyone AS (
  SELECT enumerator_id, MIN(region_code) AS region_code FROM located GROUP BY enumerator_id
)
SELECT
  a.enumerator_id AS subject_id,
  COALESCE(e.region_code, w.region_code, a.region_code) AS region_code,
  CAST(w.n_buildings AS STRING) AS observed,
  CAST(CAST(:buildings AS DECIMAL(18, 0)) AS STRING) AS expected,
  w.n_buildings < :buildings AS holds
FROM everyone AS a
LEFT JOIN worst AS w ON w.enumerator_id = a.enumerator_id
LEFT JOIN enumerator AS e ON e.enumerator_id = a.enumerator_id
