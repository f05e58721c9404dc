/* ---
id: PLA008
name: plausibility.equal_growth
title:
  zh: 乡级区划内多家单位增速趋同（线索）
  en: Many units of one town grew by the same rate (lead)
family: plausibility
severity: query
clause: 三(二)2
level: 3
grain: region
variable: revenue_kyuan
tables: [equal_growth]
owner: data_quality
version: 1
status: active
parameters:
  prior_period: {type: text, default: "2017", note: period of prior_value to compare with}
  least: {type: integer, default: 5, note: units of equal growth from which a town is told}
  times: {type: number, default: 3, note: times the number expected}
  p: {type: number, default: 0.001, note: largest tail probability}
message:
  zh: 线索：{observed}，通常不超过 {expected} 家，请到现场了解数据来源
  en: "A lead, no proof: {observed} (units of equal growth, of all compared, and the ratio); expected {expected}"
verify:
  zh: 抽查其中几家单位的账簿和纳税申报，了解数据由谁填、有无下达的增速要求
  en: Compare the books and tax returns of some of them; ask who filled the figures in
false_positives:
  zh: 同一集团或市场内由总部统一核算、按同一比例分摊的单位
  en: Units of one group whose figures the head office splits by one ratio
--- */
-- Scope: towns with legal entities that have a previous revenue. A lead about a town: the figures
-- of many units cannot grow alike to two parts in a thousand unless somebody set them.
-- Unknown: fewer units than would be told. The estimate holds the best window of growth.
SELECT g.township_code AS subject_id, g.township_code AS region_code,
  CAST(g.n_units AS STRING) || ' 家可比单位中 ' || CAST(g.n_equal AS STRING)
    || ' 家营业收入均为上期的 ' || CAST(CAST(g.ratio AS DECIMAL(18, 3)) AS STRING) || ' 倍'
    AS observed,
  CAST(CAST(g.expected AS DECIMAL(18, 1)) AS STRING) AS expected,
  CASE WHEN g.n_units >= :least
    THEN NOT (g.n_equal >= :least AND g.n_equal >= :times * g.expected AND g.p_value <= :p)
  END AS holds
FROM equal_growth AS g
WHERE g.period = :prior_period
