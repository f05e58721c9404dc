/* ---
id: XSP006
name: cross_specialty.employees_agree
title:
  zh: 基本情况表与从业人员表的期末人数不一致
  en: Employees differ between the basic form and the employment form
family: cross_specialty
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: employees
tables: [unit, employment]
by_county: [unit, employment]
owner: specialty
version: 1
status: active
message:
  zh: 从业人员表期末人数 {observed} 人，基本情况表 192 项 {expected} 人
  en: "Employees: {observed} on the employment form, {expected} in item 192 of the basic form"
verify:
  zh: 对照 12 月末花名册或工资表，改正填错的一张
  en: Correct the wrong form from the payroll of the end of December
false_positives:
  zh: 平均人数与期末人数本来不同，不在此列
  en: Average employees are another quantity and are not compared
--- */
-- Scope: every employment form (602, 611-2) of a unit with a basic form (601, 611).
-- Unknown: the number is missing on either form.
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CAST(e.employees AS STRING) AS observed,
  CAST(u.employees AS STRING) AS expected,
  e.employees = u.employees AS holds
FROM unit AS u
JOIN employment AS e ON e.unit_id = u.unit_id
