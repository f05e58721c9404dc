/* ---
id: REG009
name: register.not_found_but_taxed
title:
  zh: 底册注明找不到而税务仍有申报收入
  en: Not found by the field, yet declares sales for tax
family: register
severity: query
clause: 三(一)3
level: 4
grain: frame
variable: outcome
tables: [frame_unit, register_unit]
optional_tables: [unit]
owner: data_quality
version: 2
status: active
parameters:
  active_from: {type: date, default: "2018-07-01", note: "tax records as of this day or later count"}
message:
  zh: 底册核实结果为“{observed}”，而税务（部门记录 {related}）申报{expected}
  en: "The field did not find it, while sales were declared for tax (register record {related}): {expected}"
verify:
  zh: 按税务登记的电话和地址再找一次，到实际经营地登记；确属无固定场所的取得证明后登记
  en: Look again with the tax register's telephone and address; enumerate it where it trades, or with proof of no premises
false_positives:
  zh: 迁出审核地区、注册在此经营在外的改填相应的核实结果
  en: Units that moved away or trade elsewhere need that outcome instead
--- */
-- Scope: frame lines whose outcome is 5 (not found) and that no form answers.
-- Same unit: same code, or same name and county where one side gives no code.
-- Unknown: the line has neither a code nor a name and county to look for.
WITH line AS (
  SELECT f.frame_id, f.region_code, f.outcome, f.credit_code,
    f.name_key || '|' || f.county_code AS place
  FROM frame_unit AS f
  LEFT JOIN unit AS u ON u.frame_id = f.frame_id
  WHERE f.outcome = '5' AND u.unit_id IS NULL
),
tax AS (
  SELECT record_id, credit_code, name_key || '|' || county_code AS place, sales_kyuan
  FROM register_unit
  WHERE source = '2' AND sales_kyuan > 0 AND as_of >= :active_from
),
found AS (
  SELECT l.frame_id, t.record_id, t.sales_kyuan
  FROM line AS l
  JOIN tax AS t ON t.credit_code = l.credit_code
  UNION
  SELECT l.frame_id, t.record_id, t.sales_kyuan
  FROM line AS l
  JOIN tax AS t ON t.place = l.place
  WHERE l.credit_code IS NULL OR t.credit_code IS NULL
),
taxed AS (
  SELECT frame_id, MIN(record_id) AS record_id, SUM(sales_kyuan) AS sales_kyuan
  FROM found
  GROUP BY frame_id
)
SELECT
  l.frame_id AS subject_id,
  l.region_code AS region_code,
  t.record_id AS related_id,
  l.outcome AS observed,
  '销售收入 ' || REPLACE(CAST(CAST(t.sales_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '')
    || ' 千元' AS expected,
  CASE
    WHEN t.frame_id IS NOT NULL THEN FALSE
    WHEN l.credit_code IS NOT NULL OR l.place IS NOT NULL THEN TRUE
  END AS holds
FROM line AS l
LEFT JOIN taxed AS t ON t.frame_id = l.frame_id
