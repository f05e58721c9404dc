/* ---
id: FRM003
name: form.staff_groups
title:
  zh: 从业人员期末人数不等于各类人员之和
  en: Employees do not equal the sum of their groups
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: employees
tables: [employment, legal_entity]
owner: labour
version: 1
status: active
message:
  zh: 602 表从业人员期末人数（01）{observed} 人，不等于在岗职工、劳务派遣、其他人员之和 {expected} 人
  en: "Employees on form 602: item 01 is {observed}, its groups 05, 06 and 07 add up to {expected}"
verify:
  zh: 核对单位花名册和劳务派遣协议，改正 01 或 05、06、07
  en: Look at the staff list and dispatch contracts; correct item 01, or 05, 06 and 07
false_positives:
  zh: 无
  en: None
--- */
-- Scope: form 602; form 611-2 does not ask for the groups.
-- Unknown: one of the four numbers is missing.
SELECT
  e.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(e.employees AS STRING) AS observed,
  CAST(e.on_post + e.dispatched + e.other_staff AS STRING) AS expected,
  e.employees = e.on_post + e.dispatched + e.other_staff AS holds
FROM employment AS e
JOIN legal_entity AS l ON l.unit_id = e.unit_id
WHERE e.form = '602'
