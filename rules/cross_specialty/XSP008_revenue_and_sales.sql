/* ---
id: XSP008
name: cross_specialty.revenue_and_sales
title:
  zh: 营业收入与销售额、产值、营业额不匹配
  en: Revenue does not go with sales, output or turnover
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: sales_kyuan
tables: [finance, production, legal_entity]
owner: specialty
version: 2
status: active
parameters:
  low: {type: number, default: "0.5", note: "revenue at least this share of the specialty amount"}
  high: {type: number, default: "2", note: "revenue at most this multiple of it"}
message:
  zh: 生产经营表填报值 {observed} 千元（{variable}），财务表营业收入 {expected} 千元，相差过大
  en: The specialty form has {observed} thousand yuan ({variable}), revenue on the financial form is {expected} thousand yuan; they are far apart
verify:
  zh: 对照利润表和销售台账，查计量单位、含税口径、代销和跨年结转
  en: "Compare income statement and sales ledger: unit, tax, commission trade, and what runs into the next year"
false_positives:
  zh: 跨年工程、代理差额收入、含税与不含税口径的差异写明情况
  en: Works over several years, agency trade and tax make a difference, with a remark
--- */
-- Scope: units on the panel with a financial return and the specialty return of the same specialty.
-- B: sales of output; E: sales of goods; S: turnover; C: output of construction.
-- Unknown: an amount is missing or zero.
WITH pair AS (
  SELECT f.unit_id, f.specialty, f.revenue_kyuan AS revenue,
    CASE f.specialty WHEN 'B' THEN p.sales_kyuan WHEN 'E' THEN p.sales_kyuan
      WHEN 'S' THEN p.turnover_kyuan WHEN 'C' THEN p.gross_output_kyuan END AS amount
  FROM finance AS f
  JOIN production AS p ON p.unit_id = f.unit_id AND p.specialty = f.specialty
  WHERE f.specialty IN ('B', 'C', 'E', 'S') AND f.form <> '611-3'
),
judged AS (
  SELECT unit_id, specialty, revenue, amount,
    CASE WHEN revenue > 0 AND amount > 0
      THEN revenue >= amount * :low AND revenue <= amount * :high END AS holds
  FROM pair
),
ranked AS (
  SELECT unit_id, specialty, revenue, amount, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, specialty
    ) AS place
  FROM judged
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  CASE r.specialty WHEN 'S' THEN 'turnover_kyuan' WHEN 'C' THEN 'gross_output_kyuan'
    ELSE 'sales_kyuan' END AS variable,
  CAST(CAST(r.amount AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(r.revenue AS DECIMAL(18, 2)) AS STRING) AS expected,
  r.holds AS holds
FROM ranked AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
WHERE r.place = 1
