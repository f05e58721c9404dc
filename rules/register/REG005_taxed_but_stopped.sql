/* ---
id: REG005
name: register.taxed_but_stopped
title:
  zh: 有税务申报收入而普查停业或无收入
  en: Declares sales for tax, yet stopped or without revenue in the census
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: status
tables: [legal_entity, register_unit]
optional_tables: [link]
owner: specialty
version: 2
status: active
parameters:
  minimum: {type: number, default: "0", note: "thousand yuan of declared sales above which it is asked"}
  stopped: {type: list, default: "2|3|8", note: "statuses without business in the year; units closed in the year (4 to 7) may have had sales"}
message:
  zh: 普查{variable}填 {observed}，而部门登记有税务申报{expected}（部门记录 {related}）
  en: "The census has {variable}: {observed}, while sales were declared for tax (register record {related}): {expected}"
verify:
  zh: 到现场看是否经营，看申报表和账簿，查有无瞒报、漏报
  en: See on the spot whether it trades, and its tax return and books; look for concealed revenue
false_positives:
  zh: 停业前已有收入的、处置资产开票的、代开发票的写明情况；当年关闭、破产、注销、吊销的只看收入
  en: Sales before it stopped, of assets, or invoices for others need a remark; units closed in the year are asked for revenue only
--- */
-- Scope: legal entities with declared sales, joined by code or by a link of the matcher.
-- Unknown: status or revenue is missing and the other does not settle it.
WITH joined AS (
  SELECT e.unit_id, r.record_id, r.sales_kyuan
  FROM legal_entity AS e
  JOIN register_unit AS r ON r.credit_code = e.credit_code AND r.source = '2'
  UNION
  SELECT e.unit_id, r.record_id, r.sales_kyuan
  FROM link AS k
  JOIN legal_entity AS e ON e.unit_id = k.left_id
  JOIN register_unit AS r ON r.record_id = k.right_id AND r.source = '2'
  WHERE k.decision = 'link' AND k.left_table = 'legal_entity' AND k.right_table = 'register_unit'
),
tax AS (
  SELECT unit_id, MIN(record_id) AS record_id, SUM(sales_kyuan) AS sales_kyuan
  FROM joined
  GROUP BY unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  t.record_id AS related_id,
  CASE WHEN e.revenue_kyuan = 0 THEN 'revenue_kyuan' ELSE 'status' END AS variable,
  CASE WHEN e.revenue_kyuan = 0 THEN '0' ELSE e.status END AS observed,
  '销售收入 ' || REPLACE(CAST(CAST(t.sales_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '')
    || ' 千元' AS expected,
  CASE
    WHEN e.status IN :stopped OR e.revenue_kyuan = 0 THEN FALSE
    WHEN e.status IS NOT NULL AND e.revenue_kyuan IS NOT NULL THEN TRUE
  END AS holds
FROM legal_entity AS e
JOIN tax AS t ON t.unit_id = e.unit_id
WHERE t.sales_kyuan > :minimum
