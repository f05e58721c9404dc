/* ---
id: REG006
name: register.revenue_differs_from_tax
title:
  zh: 营业收入与税务申报销售收入差异过大
  en: Revenue is far from the sales declared for tax
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: revenue_kyuan
tables: [legal_entity, register_unit]
owner: specialty
version: 1
status: active
parameters:
  limit: {type: number, default: "0.3", note: "largest |log10(revenue / tax sales)|; 0.3 is a factor of two"}
  minimum: {type: number, default: "100", note: "thousand yuan; pairs that are both below it are left out"}
message:
  zh: 营业收入 {observed} 千元，税务申报销售收入（部门记录 {related}）{expected}
  en: Revenue of {observed} thousand yuan is far from the sales declared for tax (register record {related})
verify:
  zh: 对照利润表和纳税申报表，先看计量单位（千元），再看口径（开票、免税、代收）
  en: Compare income statement and tax return; look at the unit (thousand yuan) first, then at scope (invoices, exempt and collected amounts)
false_positives:
  zh: 开票与收入确认时间不同、集团汇总纳税、代理差额纳税、免税收入都会有差异
  en: Invoicing dates, group filing, agency trade and exempt income all make a difference
--- */
-- Scope: legal entities with tax records and both amounts positive (zero is REG004, REG005),
-- unless both are small.
-- Unknown: either amount is missing.
WITH tax AS (
  SELECT
    credit_code,
    MIN(record_id) AS record_id,
    CASE WHEN COUNT(*) = COUNT(sales_kyuan) THEN SUM(sales_kyuan) END AS sales_kyuan
  FROM register_unit
  WHERE source = '2' AND credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  t.record_id AS related_id,
  CAST(CAST(e.revenue_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  REPLACE(CAST(CAST(t.sales_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元，' || CASE
    WHEN t.sales_kyuan > e.revenue_kyuan THEN '为填报值的 '
      || REPLACE(CAST(CAST(t.sales_kyuan / NULLIF(e.revenue_kyuan, 0) AS DECIMAL(18, 1)) AS STRING), '.0', '')
    ELSE '填报值为其 '
      || REPLACE(CAST(CAST(e.revenue_kyuan / NULLIF(t.sales_kyuan, 0) AS DECIMAL(18, 1)) AS STRING), '.0', '')
  END || ' 倍' AS expected,
  CASE
    WHEN e.revenue_kyuan > 0 AND t.sales_kyuan > 0
      THEN ABS(LOG10(e.revenue_kyuan / NULLIF(t.sales_kyuan, 0))) <= :limit
  END AS holds
FROM legal_entity AS e
JOIN tax AS t ON t.credit_code = e.credit_code
WHERE COALESCE(e.revenue_kyuan, 1) > 0 AND COALESCE(t.sales_kyuan, 1) > 0
  AND (COALESCE(e.revenue_kyuan, :minimum) >= :minimum
    OR COALESCE(t.sales_kyuan, :minimum) >= :minimum)
