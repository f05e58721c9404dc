/* ---
id: FRM002
name: form.women
title:
  zh: 女性从业人员多于从业人员期末人数
  en: More women than employees
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: employees_female
tables: [unit]
optional_tables: [employment]
owner: data_quality
version: 1
status: active
message:
  zh: 女性从业人员 {observed} 人，大于从业人员期末人数 {expected} 人
  en: There are {observed} women among {expected} employees
verify:
  zh: 核对单位花名册；常见原因是两栏填反，或女性栏填了全年平均人数
  en: Look at the staff list; the two items are swapped now and then, or one is a yearly average
false_positives:
  zh: 无
  en: None
--- */
-- Scope: all units, one row each: item 192 of the unit's form, and items 01 and 02 of its
-- employment return (602, 611-2) where there is one; the unit's form is told first.
-- Unknown: a number is missing on one of them and no other pair is wrong.
WITH staff AS (
  SELECT unit_id, employees, employees_female, employees_female <= employees AS holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN employees_female > employees THEN 0
        WHEN employees_female <= employees THEN 2 ELSE 1 END, form
    ) AS place
  FROM employment
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CAST(CASE WHEN u.employees_female > u.employees THEN u.employees_female
    ELSE s.employees_female END AS STRING) AS observed,
  CAST(CASE WHEN u.employees_female > u.employees THEN u.employees
    ELSE s.employees END AS STRING) AS expected,
  u.employees_female <= u.employees AND (s.unit_id IS NULL OR s.holds) AS holds
FROM unit AS u
LEFT JOIN staff AS s ON s.unit_id = u.unit_id AND s.place = 1
