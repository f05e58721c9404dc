/* ---
id: PAD005
name: field_visit.impossible_travel
title:
  zh: 相邻两次入户时空不可达（线索）
  en: Visits that one person cannot have made (lead)
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: enumerator
variable: speed_kmh
tables: [visit, visit_leg]
optional_tables: [enumerator]
owner: enforcement
version: 1
status: active
parameters:
  speed: {type: number, default: "60", note: "km/h between two visits, after both positions' errors are allowed for"}
  metres: {type: number, default: "500", note: "way below which no speed is judged: clocks and positions are too coarse"}
  overlap_s: {type: number, default: "60", note: "seconds by which two visits may overlap"}
message:
  zh: 线索：有 {observed} 次入户与上一次时间重叠或时速超过 {expected} 公里，最早一次为轨迹 {related}；可能由他人代登或补录，不能作为违规证据
  en: "Lead: {observed} visits overlap the one before or need more than {expected} km/h, the first is visit {related}; perhaps entered by others or afterwards. No proof"
verify:
  zh: 查该普查员当日登记轨迹，问清是否一机多人、事后补录或时钟有误，抽几户回访
  en: Look at the day's track, ask about shared tablets, entry afterwards or a wrong clock, and call again on some units
false_positives:
  zh: 法人单位与其本部一并登记的不计；设备时钟跳变、两人一组共用账号的，说明后不再处理
  en: A legal entity registered along with its headquarters is not counted; clock jumps and pairs sharing an account need a note
--- */
-- Scope: enumerators with visits. The way between two positions is less what both may be off, so a
-- poor position never makes a speed. Overlaps count wherever they are, but not between a legal
-- entity and its establishments: one talk may serve both.
-- Unknown: an enumerator none of whose visits can be set against another.
WITH judged AS (
  SELECT enumerator_id, visit_id, region_code,
    CASE
      WHEN gap_s < -:overlap_s THEN 1
      WHEN speed_kmh > :speed AND way_m >= :metres THEN 1
      WHEN gap_s IS NOT NULL THEN 0
    END AS impossible
  FROM visit_leg
),
counted AS (
  SELECT enumerator_id, SUM(impossible) AS n, MIN(region_code) AS region_code,
    MIN(CASE WHEN impossible = 1 THEN visit_id END) AS visit_id
  FROM judged
  GROUP BY enumerator_id
),
everyone AS (
  SELECT DISTINCT enumerator_id FROM visit
)
SELECT
  a.enumerator_id AS subject_id,
  COALESCE(e.region_code, c.region_code) AS region_code,
  c.visit_id AS related_id,
  CAST(c.n AS STRING) AS observed,
  CAST(CAST(:speed AS DECIMAL(18, 0)) AS STRING) AS expected,
  c.n = 0 AS holds
FROM everyone AS a
LEFT JOIN counted AS c ON c.enumerator_id = a.enumerator_id
LEFT JOIN enumerator AS e ON e.enumerator_id = a.enumerator_id
