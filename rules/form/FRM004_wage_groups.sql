/* ---
id: FRM004
name: form.wage_groups
title:
  zh: 工资总额不等于各类人员工资之和
  en: Wages do not equal the sum of their groups
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: wages_kyuan
tables: [employment, legal_entity]
owner: labour
version: 1
status: active
parameters:
  tolerance: {type: number, default: 1, note: thousand yuan allowed for rounding in each summed item}
message:
  zh: 602 表工资总额（12）{observed} 千元，不等于在岗职工、劳务派遣、其他人员工资之和 {expected} 千元
  en: Form 602 has wages (12) of {observed} thousand yuan, its groups add up to {expected}
verify:
  zh: 核对工资发放表，改正 12 或 13、18、19；注意计量单位为千元
  en: Look at the payroll; correct item 12, or 13, 18 and 19; the unit is thousand yuan
false_positives:
  zh: 四舍五入引起的 1 至 3 千元差额不算差错
  en: One to three thousand yuan from rounding are no error
--- */
-- Scope: form 602; form 611-2 does not ask for the groups.
-- Three items are summed, each rounded to thousand yuan. Unknown: one of the four is missing.
SELECT
  e.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(e.wages_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(
    e.wages_on_post_kyuan + e.wages_dispatched_kyuan + e.wages_other_kyuan AS DECIMAL(18, 2)
  ) AS STRING) AS expected,
  ABS(
    e.wages_kyuan - (e.wages_on_post_kyuan + e.wages_dispatched_kyuan + e.wages_other_kyuan)
  ) <= 3 * :tolerance AS holds
FROM employment AS e
JOIN legal_entity AS l ON l.unit_id = e.unit_id
WHERE e.form = '602'
