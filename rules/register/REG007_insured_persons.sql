/* ---
id: REG007
name: register.insured_persons
title:
  zh: 参保人数与从业人员差异过大
  en: Insured persons are far from the employees
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: employees
tables: [legal_entity, register_unit]
optional_tables: [link]
owner: labour
version: 1
status: active
parameters:
  over: {type: number, default: "1.2", note: "insured persons may exceed employees up to this factor"}
  slack: {type: integer, default: "1", note: "persons that insured may exceed employees by in any case"}
  under: {type: number, default: "5", note: "employees may exceed insured persons up to this factor"}
  least: {type: integer, default: "20", note: "employees from which on too few insured are asked"}
message:
  zh: 期末从业人员 {observed} 人，参保 {expected} 人（部门记录 {related}），差异过大
  en: "{observed} employees against {expected} insured persons (register record {related})"
verify:
  zh: 看工资表、花名册和社保缴费名单，查漏报人员或挂靠参保
  en: See pay roll, staff list and insurance list; look for staff left out, or persons insured who do not work there
false_positives:
  zh: 劳务派遣、代缴社保、一个账户为几个单位参保、临时用工多的行业差异属常情
  en: Agency workers, insurance paid for others, one account for several units and casual work all make a difference
--- */
-- Scope: legal entities in the social-insurance register, joined by code or by a link.
-- Unknown: employees or insured persons are missing.
WITH joined AS (
  SELECT e.unit_id, r.record_id, r.insured_persons
  FROM legal_entity AS e
  JOIN register_unit AS r ON r.credit_code = e.credit_code AND r.source = '5'
  UNION
  SELECT e.unit_id, r.record_id, r.insured_persons
  FROM link AS k
  JOIN legal_entity AS e ON e.unit_id = k.left_id
  JOIN register_unit AS r ON r.record_id = k.right_id AND r.source = '5'
  WHERE k.decision = 'link' AND k.left_table = 'legal_entity' AND k.right_table = 'register_unit'
),
insured AS (
  SELECT unit_id, MIN(record_id) AS record_id,
    CASE WHEN COUNT(*) = COUNT(insured_persons) THEN SUM(insured_persons) END AS n
  FROM joined
  GROUP BY unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  i.record_id AS related_id,
  CAST(e.employees AS STRING) AS observed,
  CAST(CAST(i.n AS BIGINT) AS STRING) AS expected,
  i.n <= GREATEST(e.employees * :over, e.employees + :slack)
    AND (e.employees <= i.n * :under OR e.employees < :least) AS holds
FROM legal_entity AS e
JOIN insured AS i ON i.unit_id = e.unit_id
