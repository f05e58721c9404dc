/* ---
id: PLA005
name: plausibility.bunching
title:
  zh: 规模标准起点处单位聚集（线索）
  en: Units bunch just above the above-scale threshold (lead)
family: plausibility
severity: query
clause: 三(三)2
level: 2
grain: region
variable: main_revenue_kyuan
tables: [bunching]
owner: data_quality
version: 1
status: active
parameters:
  least: {type: integer, default: 2, note: units in the window from which a county is told}
  times: {type: number, default: 3, note: times the number expected}
  p: {type: number, default: 0.001, note: largest tail probability}
message:
  zh: 线索：{observed}，按平滑分布应约 {expected}，请到现场了解入库申报情况
  en: "A lead, no proof: {observed} (units just above the threshold and their excess with its interval); expected {expected}"
verify:
  zh: 抽查刚过起点的单位的账簿、纳税申报和入库申报材料，核实营业收入是否真实
  en: Look at the books, tax returns and panel applications of units just above the threshold
false_positives:
  zh: 当年集中申报入库的单位较多，或产业园区内规模相近的单位较多
  en: Many firms that joined the panel in the year; a park of firms of one size
--- */
-- Scope: counties by specialty with legal entities within reach of the threshold (2018 list). A
-- lead about an area. Unknown: fewer units within reach than would be told. The counterfactual is
-- that of a smooth density without the window; the estimate says how it is made.
SELECT b.county_code || '|' || b.specialty AS subject_id, b.county_code AS region_code,
  b.specialty AS related_id,
  '专业 ' || b.specialty || ' 有 ' || CAST(b.n_window AS STRING)
    || ' 家营业收入在起点至起点的 1.05 倍之间，超出 '
    || CAST(CAST(b.excess_low AS DECIMAL(18, 0)) AS STRING) || ' 至 '
    || CAST(CAST(b.excess_high AS DECIMAL(18, 0)) AS STRING) || ' 家' AS observed,
  CAST(CAST(b.expected AS DECIMAL(18, 1)) AS STRING) || ' 家' AS expected,
  CASE WHEN b.n_units >= :least
    THEN NOT (b.n_window >= :least AND b.n_window >= :times * b.expected AND b.p_value <= :p)
  END AS holds
FROM bunching AS b
