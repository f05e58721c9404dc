/* ---
id: LNK008
name: linkage.employees_add_up
title:
  zh: 下属产业活动单位从业人员合计与法人单位不等
  en: Employees of the establishments do not add up to the legal entity's
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: employees
tables: [legal_entity, establishment, establishment_list]
owner: data_quality
version: 2
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two: only legal entities wholly inside it add up"}
  persons: {type: integer, default: "1", note: "persons that the sum may differ by"}
  share: {type: number, default: "0.01", note: "share of the legal entity's employees that the sum may differ by, if that is more"}
message:
  zh: 法人单位填报从业人员 {observed} 人，下属产业活动单位合计 {expected} 人
  en: The legal entity reports {observed} employees, its establishments {expected} together
verify:
  zh: 对照花名册或工资表，看哪张表的期末人数填错，或是否漏登分支机构
  en: See from the payroll which form is wrong at year end, or whether a branch was left out
false_positives:
  zh: 在审核地区以外有分支机构的不在此列；年末人员调动可有一两人之差
  en: Legal entities with branches in other cities are left out; transfers at year end make a person's difference
--- */
-- Scope: legal entities with at least one establishment form, none of them listed in another city.
-- Unknown: a number of employees is missing on either side; no list says that all are in the
-- city; or fewer forms came than the list has lines (LNK003).
WITH received AS (
  SELECT
    parent_credit_code,
    COUNT(*) AS n_received,
    CASE WHEN COUNT(*) = COUNT(employees) THEN SUM(employees) END AS employees
  FROM establishment
  WHERE parent_credit_code IS NOT NULL
  GROUP BY parent_credit_code
),
listed AS (
  SELECT
    legal_unit_id,
    COUNT(*) AS n_listed,
    COUNT(CASE WHEN region_code LIKE :city || '%' THEN 1 END) AS n_inside,
    COUNT(CASE WHEN region_code NOT LIKE :city || '%' THEN 1 END) AS n_outside
  FROM establishment_list
  GROUP BY legal_unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  CAST(e.employees AS STRING) AS observed,
  CAST(CAST(r.employees AS BIGINT) AS STRING) AS expected,
  CASE
    WHEN l.n_inside = l.n_listed AND r.n_received >= l.n_listed
      THEN ABS(r.employees - e.employees) <= GREATEST(:persons, :share * e.employees)
  END AS holds
FROM legal_entity AS e
JOIN received AS r ON r.parent_credit_code = e.credit_code
LEFT JOIN listed AS l ON l.legal_unit_id = e.unit_id
WHERE COALESCE(l.n_outside, 0) = 0
