/* ---
id: XSP002
name: cross_specialty.above_threshold_off_panel
title:
  zh: 达到“四上”标准而填报非一套表
  en: Above the panel's threshold and on form 611
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: main_revenue_kyuan
tables: [legal_entity, ref_industry_profile]
owner: specialty
version: 1
status: active
parameters:
  note_length: {type: integer, default: "6", note: "characters that the respondent's note needs to count as an explanation"}
message:
  zh: "{observed}，达到 2018 年“四上”标准（{expected}），但填报 611 表"
  en: The firm reaches the 2018 threshold of the panel for its industry, yet the form is 611
verify:
  zh: 核对指标的计量单位（千元）和行业；确已达标的按入库程序申报，本次普查注明情况
  en: Check the unit of the figure (thousand yuan) and the industry; if it is right, propose the firm for the panel and add a note
false_positives:
  zh: 年内达标、尚未入库的很常见，不是差错；写明审核说明的视为已解释
  en: Firms that reached the threshold within the year are common and no error; a note settles it
--- */
-- Scope: operating legal entities on form 611 under enterprise accounting, in an industry that has
-- a panel. One with a note is explained.
-- Unknown: a figure that could lift it over the threshold is missing.
WITH judged AS (
  SELECT
    e.unit_id, e.region_code, e.explanation, e.revenue_kyuan, e.employees,
    e.construction_qualified, e.industry_code, p.threshold_basis,
    p.threshold_main_revenue_kyuan AS t_main, p.threshold_revenue_kyuan AS t_revenue,
    p.threshold_employees AS t_employees,
    COALESCE(e.main_revenue_kyuan, e.revenue_kyuan) AS main_kyuan,
    CASE WHEN e.main_revenue_kyuan IS NULL THEN '营业收入 ' ELSE '主营业务收入 ' END AS main_name,
    CASE p.threshold_basis
      WHEN 'all' THEN TRUE
      WHEN 'qualified' THEN e.construction_qualified = '1'
      ELSE (p.threshold_main_revenue_kyuan IS NOT NULL
          AND COALESCE(e.main_revenue_kyuan, e.revenue_kyuan) >= p.threshold_main_revenue_kyuan)
        OR (p.threshold_revenue_kyuan IS NOT NULL AND e.revenue_kyuan >= p.threshold_revenue_kyuan)
        OR (p.threshold_employees IS NOT NULL AND e.employees >= p.threshold_employees)
    END AS is_above
  FROM legal_entity AS e
  JOIN ref_industry_profile AS p ON p.industry_code = e.industry_code
  WHERE e.form = '611' AND COALESCE(e.status, '1') = '1' AND p.threshold_basis IS NOT NULL
    AND COALESCE(e.accounting_standard, CASE e.institution_type WHEN '10' THEN '1' END) = '1'
)
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  CASE
    WHEN threshold_basis = 'all' THEN 'industry_code'
    WHEN threshold_basis = 'qualified' THEN 'construction_qualified'
    WHEN t_main IS NOT NULL THEN 'main_revenue_kyuan'
    WHEN revenue_kyuan >= t_revenue THEN 'revenue_kyuan'
    ELSE 'employees'
  END AS variable,
  CASE
    WHEN threshold_basis = 'all' THEN '行业代码 ' || industry_code
    WHEN threshold_basis = 'qualified' THEN '有建筑业资质'
    WHEN t_main IS NOT NULL
      THEN main_name || REPLACE(CAST(CAST(main_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
    WHEN revenue_kyuan >= t_revenue
      THEN '营业收入 ' || REPLACE(CAST(CAST(revenue_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
    ELSE '从业人员 ' || CAST(employees AS STRING) || ' 人'
  END AS observed,
  CASE
    WHEN threshold_basis = 'all' THEN '房地产开发企业，不论规模'
    WHEN threshold_basis = 'qualified' THEN '有资质的建筑业企业，不论规模'
    WHEN t_main IS NOT NULL THEN REPLACE(CAST(CAST(t_main AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
    WHEN revenue_kyuan >= t_revenue
      THEN REPLACE(CAST(CAST(t_revenue AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
    ELSE CAST(CAST(t_employees AS BIGINT) AS STRING) || ' 人'
  END AS expected,
  CASE
    WHEN is_above THEN LENGTH(TRIM(COALESCE(explanation, ''))) >= :note_length
    ELSE NOT is_above
  END AS holds
FROM judged
