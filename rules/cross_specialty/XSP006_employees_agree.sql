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
owner: specialty
version: 2
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
-- Scope: units with a basic form (601, 611) and an employment form (602, 611-2), each once; with
-- both of them each must agree. Unknown: the number is missing on the basic form, or on one of the
-- others while the rest agree.
WITH compared AS (
  SELECT u.unit_id, u.region_code, u.employees AS expected, e.form, e.employees,
    e.employees = u.employees AS agrees
  FROM unit AS u
  JOIN employment AS e ON e.unit_id = u.unit_id
)
SELECT
  unit_id AS subject_id,
  MIN(region_code) AS region_code,
  COALESCE(MIN(CASE WHEN NOT agrees AND form = '602' THEN CAST(employees AS STRING) END), '')
    || CASE WHEN COUNT(CASE WHEN NOT agrees THEN 1 END) > 1 THEN '、' ELSE '' END
    || COALESCE(MIN(CASE WHEN NOT agrees AND form <> '602' THEN CAST(employees AS STRING) END), '')
    AS observed,
  CAST(MIN(expected) AS STRING) AS expected,
  CASE WHEN COUNT(CASE WHEN NOT agrees THEN 1 END) > 0 THEN FALSE
    WHEN COUNT(agrees) = COUNT(*) THEN TRUE END AS holds
FROM compared
GROUP BY unit_id
