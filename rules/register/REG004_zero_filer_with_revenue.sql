/* ---
id: REG004
name: register.zero_filer_with_revenue
title:
  zh: 税务零申报而普查有营业收入
  en: Files zero for tax, yet has revenue in the census
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
  minimum: {type: number, default: "100", note: "thousand yuan of revenue above which a zero filer is asked"}
message:
  zh: 营业收入 {observed} 千元，而税务申报销售收入（部门记录 {related}）为 0
  en: Revenue of {observed} thousand yuan, while the sales declared for tax (register record {related}) are zero
verify:
  zh: 看利润表、纳税申报表和开票情况，查有无虚报；在外地或由总部汇总纳税的写明情况
  en: See income statement, tax return and invoices; filing elsewhere or by the group needs a remark
false_positives:
  zh: 免税收入、总部汇总纳税、在外地纳税的可能零申报
  en: Exempt income, group filing and filing elsewhere may leave zero here
--- */
-- Scope: legal entities with tax records that declare zero sales.
-- Unknown: the revenue is missing.
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
  '0' AS expected,
  e.revenue_kyuan <= :minimum AS holds
FROM legal_entity AS e
JOIN tax AS t ON t.credit_code = e.credit_code
WHERE t.sales_kyuan = 0
