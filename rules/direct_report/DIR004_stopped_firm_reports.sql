/* ---
id: DIR004
name: direct_report.stopped_firm_reports
title:
  zh: 部门记录显示已停产而上报营业收入
  en: Stopped according to the registers, yet reports revenue
family: direct_report
severity: query
clause: 三(二)2
level: 4
grain: unit
variable: revenue_kyuan
tables: [legal_entity, register_unit]
owner: specialty
version: 1
status: active
parameters:
  minimum: {type: number, default: "100", note: "thousand yuan of revenue above which it is told"}
  electricity: {type: number, default: "100", note: "kWh of the year that an idle meter may count"}
  least: {type: integer, default: "2", note: "registers that must agree that nothing went on"}
message:
  zh: 上报营业收入 {observed} 千元，而{expected}（部门记录 {related} 等），疑为停产企业上报
  en: Revenue of {observed} thousand yuan, while tax, electricity and insurance show no activity (register record {related} and others)
verify:
  zh: 到厂看是否生产经营，核对电费单、纳税申报表、社保缴费和银行流水
  en: See whether it works at all; compare electricity bills, tax returns, insurance and bank statements
false_positives:
  zh: 电表在房东或园区名下、劳务派遣用工、总部汇总纳税的写明情况
  en: A landlord's meter, leased staff or a group's tax return need a remark
--- */
-- Scope: direct-report legal entities that at least one of the registers of tax, social insurance
-- and electricity knows. Absence from a register is no zero; one register alone decides nothing
-- (REG004 asks zero filers). Unknown: revenue missing, or too few registers tell.
WITH told AS (
  SELECT
    credit_code,
    MIN(record_id) AS record_id,
    CASE WHEN MAX(COALESCE(sales_kyuan, tax_paid_kyuan)) IS NULL THEN NULL
      WHEN MAX(COALESCE(sales_kyuan, 0)) > 0 OR MAX(COALESCE(tax_paid_kyuan, 0)) > 0 THEN 1
      ELSE 0 END AS taxed,
    CASE WHEN SUM(insured_persons) > 0 THEN 1 WHEN SUM(insured_persons) = 0 THEN 0 END AS insured,
    CASE WHEN SUM(electricity_kwh) > :electricity THEN 1
      WHEN SUM(electricity_kwh) IS NOT NULL THEN 0 END AS powered
  FROM register_unit
  WHERE source IN ('2', '5', '7') AND credit_code IS NOT NULL
  GROUP BY credit_code
),
weighed AS (
  SELECT credit_code, record_id,
    COALESCE(taxed, 0) + COALESCE(insured, 0) + COALESCE(powered, 0) AS alive,
    CASE WHEN taxed = 0 THEN 1 ELSE 0 END + CASE WHEN insured = 0 THEN 1 ELSE 0 END
      + CASE WHEN powered = 0 THEN 1 ELSE 0 END AS idle,
    CASE WHEN taxed = 0 THEN '、税务' ELSE '' END || CASE WHEN insured = 0 THEN '、社保' ELSE '' END
      || CASE WHEN powered = 0 THEN '、用电' ELSE '' END AS names
  FROM told
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  w.record_id AS related_id,
  CAST(CAST(e.revenue_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  SUBSTRING(w.names, 2) || '记录均为零' AS expected,
  CASE WHEN w.alive > 0 OR e.revenue_kyuan <= :minimum THEN TRUE
    WHEN w.idle >= :least AND e.revenue_kyuan > :minimum THEN FALSE END AS holds
FROM legal_entity AS e
JOIN weighed AS w ON w.credit_code = e.credit_code
WHERE e.form = '601'
