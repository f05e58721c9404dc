/* ---
id: PLA003
name: plausibility.pay_per_head
title:
  zh: 人均工资异常
  en: Pay per head is out of reach
family: plausibility
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: pay_per_head
tables: [employment, legal_entity, pay_per_head, ref_minimum_wage]
owner: specialty
version: 2
status: active
parameters:
  wage_year: {type: text, default: "2018", note: year of the minimum wage}
  least: {type: number, default: 0.5, note: share of twelve months of the minimum wage}
  most: {type: number, default: 10, note: times the median of comparable units}
message:
  zh: 人均工资 {observed} 千元/年，应在 {expected} 千元之间，请核实工资总额和平均人数
  en: "Pay per head is {observed} thousand yuan a year; plausible: {expected}"
verify:
  zh: 对照工资表、社保缴费核对工资总额与从业人员平均人数，注意元、千元、万元的换算
  en: Compare wages and average employees with the payroll, and the unit of money
false_positives:
  zh: 以非全日制、季节用工为主的单位，年内停产只发生活费的单位
  en: Units of mostly part-time or seasonal staff; units that stopped and paid allowances only
--- */
-- Scope: form 602 (611-2 has no wages). Below half of twelve months at the local minimum wage, or
-- above ten times the median of the cell. The minimum wage is that of the county, else of the city,
-- else of the province. Unknown: no wages, no average employees; no median and not too low.
WITH wage AS (
  SELECT e.unit_id, l.region_code, e.wages_kyuan / NULLIF(e.employees_average, 0) AS ratio,
    12 * COALESCE(c.month_yuan, t.month_yuan, p.month_yuan) / 1000 AS least
  FROM employment AS e
  JOIN legal_entity AS l ON l.unit_id = e.unit_id
  LEFT JOIN ref_minimum_wage AS c
    ON c.region_prefix = LEFT(l.region_code, 6) AND c.vintage = :wage_year
  LEFT JOIN ref_minimum_wage AS t
    ON t.region_prefix = LEFT(l.region_code, 4) AND t.vintage = :wage_year
  LEFT JOIN ref_minimum_wage AS p
    ON p.region_prefix = LEFT(l.region_code, 2) AND p.vintage = :wage_year
  WHERE e.form = '602'
)
SELECT w.unit_id AS subject_id, w.region_code AS region_code,
  CAST(CAST(w.ratio AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(:least * w.least AS DECIMAL(18, 2)) AS STRING) || '–'
    || COALESCE(CAST(CAST(:most * p.ratio_median AS DECIMAL(18, 2)) AS STRING), '') AS expected,
  w.ratio >= :least * w.least AND w.ratio <= :most * p.ratio_median AS holds
FROM wage AS w
LEFT JOIN pay_per_head AS p ON p.unit_id = w.unit_id
