/* ---
id: FRM005
name: form.average_wage
title:
  zh: 平均工资不等于工资总额除以平均人数
  en: The average wage is not wages divided by the average staff
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: average_wage_yuan
tables: [employment, legal_entity]
owner: labour
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "yuan allowed for rounding"}
message:
  zh: 平均工资（20）{observed} 元，按工资总额（12）乘 1000 除以平均人数（08）应为 {expected} 元
  en: Average wage (20) of {observed} yuan; wages (12) times 1000 by average staff (08) give {expected}
verify:
  zh: 核对工资发放表和各月人数，改正 08、12 或 20；工资总额为千元，平均工资为元
  en: See payroll and monthly staff; correct item 08, 12 or 20; wages are thousand yuan, the average is yuan
false_positives:
  zh: 四舍五入引起的 1 元差额不算差错
  en: One yuan from rounding is no error
--- */
-- Scope: form 602. Wages are in thousand yuan, so their own rounding moves the average by
-- 500 yuan over the average staff. Unknown: one of the three is missing, or no average staff.
SELECT
  e.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(e.average_wage_yuan AS STRING) AS observed,
  CAST(CAST(ROUND(e.wages_kyuan * 1000 / NULLIF(e.employees_average, 0)) AS BIGINT) AS STRING)
    AS expected,
  ABS(e.average_wage_yuan - e.wages_kyuan * 1000 / NULLIF(e.employees_average, 0))
    <= :tolerance + 500 / NULLIF(e.employees_average, 0) AS holds
FROM employment AS e
JOIN legal_entity AS l ON l.unit_id = e.unit_id
WHERE e.form = '602'
