/* ---
id: XSP007
name: cross_specialty.pay_and_wages
title:
  zh: 应付职工薪酬与工资总额不匹配
  en: Compensation payable does not go with the wage bill
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: pay_kyuan
tables: [finance, employment, legal_entity]
owner: labour
version: 2
status: active
parameters:
  low: {type: number, default: "0.95", note: "payable at least this share of wages"}
  high: {type: number, default: "3", note: "payable at most this multiple of wages"}
message:
  zh: 财务表应付职工薪酬 {observed} 千元，劳资表工资总额 {expected} 千元
  en: Compensation payable of {observed} thousand yuan on the financial form, wages of {expected} on the labour form
verify:
  zh: 对照工资表和应付职工薪酬明细账，注意计量单位和是否包括劳务派遣人员
  en: Compare payroll and ledger; mind the unit, and whether agency workers are in
false_positives:
  zh: 劳务派遣人员工资由派遣单位支付、集团代付的写明情况
  en: Agency workers paid by the agency, and pay borne by the group, need a remark
--- */
-- Scope: legal entities with a financial return and form 602, whatever else they filed; of several financial returns the largest amount counts.
-- Payable holds wages, welfare and insurance, so it is hardly less than wages.
-- Unknown: an amount is missing.
WITH payable AS (
  SELECT unit_id, MAX(pay_kyuan) AS pay FROM finance GROUP BY unit_id
),
wages AS (
  SELECT unit_id, MAX(wages_kyuan) AS wages FROM employment WHERE form = '602' GROUP BY unit_id
)
SELECT
  l.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(p.pay AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(w.wages AS DECIMAL(18, 2)) AS STRING) AS expected,
  p.pay >= w.wages * :low - 1 AND p.pay <= w.wages * :high + 1 AS holds
FROM legal_entity AS l
JOIN payable AS p ON p.unit_id = l.unit_id
JOIN wages AS w ON w.unit_id = l.unit_id
