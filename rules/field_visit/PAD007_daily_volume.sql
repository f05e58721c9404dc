/* ---
id: PAD007
name: field_visit.daily_volume
title:
  zh: 普查员单日登记量异常（线索）
  en: Too many units in one day (lead)
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: enumerator
variable: n_units
tables: [visit, enumerator_day]
optional_tables: [enumerator]
owner: enforcement
version: 1
status: active
parameters:
  least: {type: number, default: "40", note: "units a day that one person can visit in any case"}
message:
  zh: 线索：一日登记 {observed} 个单位，超过同类地区的99.5%分位点 {expected}，请核实是否逐户到场；不能作为违规证据
  en: "Lead: {observed} units in one day, beyond the 99.5 % point of comparable areas, {expected}: was every one visited? No proof"
verify:
  zh: 查当日登记轨迹、照片和上传时间，抽该日登记的若干户回访
  en: Look at track, photographs and upload times of that day, and call again on some of its units
false_positives:
  zh: 沿街商铺、专业市场密集的小区；两人一组共用账号的；纸表集中补录的，应注明
  en: Streets and markets full of shops; pairs sharing an account; paper forms entered in one go, which should be noted
--- */
-- Scope: enumerators with visits; the day that lies farthest beyond its stratum's point counts.
-- Strata are kinds of area (residents' or villagers' committee). The point is lognormal through
-- median and upper quartile: an empirical one would lie at the invented days themselves. A call
-- takes three to five minutes plus the way (domain 4), so forty a day are within reach of anybody.
-- Unknown: no visit has a time.
WITH worst AS (
  SELECT enumerator_id, MAX(n_units - GREATEST(upper_point, :least)) AS beyond
  FROM enumerator_day
  GROUP BY enumerator_id
),
picked AS (
  SELECT d.enumerator_id, w.beyond, MAX(d.n_units) AS n_units, MAX(d.upper_point) AS upper_point,
    MIN(d.region_code) AS region_code
  FROM enumerator_day AS d
  JOIN worst AS w ON w.enumerator_id = d.enumerator_id
    AND d.n_units - GREATEST(d.upper_point, :least) = w.beyond
  GROUP BY d.enumerator_id, w.beyond
),
everyone AS (
  SELECT DISTINCT enumerator_id FROM visit
)
SELECT
  a.enumerator_id AS subject_id,
  COALESCE(e.region_code, p.region_code) AS region_code,
  CAST(p.n_units AS STRING) AS observed,
  CAST(CAST(GREATEST(p.upper_point, :least) AS DECIMAL(18, 1)) AS STRING) AS expected,
  p.beyond <= 0 AS holds
FROM everyone AS a
LEFT JOIN picked AS p ON p.enumerator_id = a.enumerator_id
LEFT JOIN enumerator AS e ON e.enumerator_id = a.enumerator_id
