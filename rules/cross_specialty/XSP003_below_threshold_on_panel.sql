/* ---
id: XSP003
name: cross_specialty.below_threshold_on_panel
title:
  zh: 未达到“四上”标准而填报一套表
  en: Below the panel's threshold and on form 601
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: main_revenue_kyuan
tables: [legal_entity, ref_industry_profile]
owner: specialty
version: 2
status: active
parameters:
  note_length: {type: integer, default: "6", note: "characters that the respondent's note needs to count as an explanation"}
message:
  zh: "{observed}，未达到 2018 年“四上”标准（{expected}），但填报 601 表"
  en: The firm is below the 2018 threshold of the panel for its industry, yet the form is 601
verify:
  zh: 核对计量单位（千元）、行业和资质；到现场看是否停产、是否虚报入库
  en: Check the unit of the figure (thousand yuan), industry and qualification; see on the spot whether it still operates
false_positives:
  zh: 当年关闭、破产、注销、吊销的只有部分月份的数据，不在此列；年内降到标准以下、按规定年末才退库的属正常，写明审核说明即可；服务业收入或人数一项达标即可在库
  en: A firm that closed, failed or was struck off within the year has figures of some months only and is left out; one that fell below within the year leaves the panel at its end, and a note settles it; services qualify by revenue or by staff
--- */
-- Scope: legal entities on form 601 in an industry that has a panel with a limit, but for those
-- that ended within the year (status 4 to 7). One with a note is explained. Developers are all on the panel, whatever their size.
-- Unknown: a figure that could hold it above the threshold is missing.
WITH judged AS (
  SELECT
    e.unit_id, e.region_code, e.explanation, e.construction_qualified, p.threshold_basis,
    e.employees, p.threshold_employees AS t_employees,
    CASE WHEN p.threshold_main_revenue_kyuan IS NULL OR e.main_revenue_kyuan IS NULL
      THEN '营业收入 ' ELSE '主营业务收入 ' END AS value_name,
    CASE WHEN p.threshold_main_revenue_kyuan IS NULL THEN e.revenue_kyuan
      ELSE COALESCE(e.main_revenue_kyuan, e.revenue_kyuan) END AS value_kyuan,
    COALESCE(p.threshold_main_revenue_kyuan, p.threshold_revenue_kyuan) AS limit_kyuan,
    p.threshold_main_revenue_kyuan IS NULL AS is_service,
    -- No head-count limit: nothing but the amount can hold it above.
    CASE WHEN p.threshold_employees IS NULL THEN TRUE
      ELSE e.employees < p.threshold_employees END AS is_small
  FROM legal_entity AS e
  JOIN ref_industry_profile AS p ON p.industry_code = e.industry_code
  WHERE e.form = '601' AND p.threshold_basis IN ('minimum', 'qualified')
    AND COALESCE(e.status, '1') NOT IN ('4', '5', '6', '7')
)
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  CASE
    WHEN threshold_basis = 'qualified' THEN 'construction_qualified'
    WHEN is_service THEN 'revenue_kyuan'
    ELSE 'main_revenue_kyuan'
  END AS variable,
  CASE
    WHEN threshold_basis = 'qualified' THEN '无建筑业资质'
    ELSE value_name || REPLACE(CAST(CAST(value_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
      || CASE WHEN t_employees IS NULL THEN ''
        ELSE '、从业人员 ' || COALESCE(CAST(employees AS STRING), '未填') || ' 人' END
  END AS observed,
  CASE
    WHEN threshold_basis = 'qualified' THEN '有资质的建筑业企业'
    ELSE REPLACE(CAST(CAST(limit_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' 千元'
      || CASE WHEN t_employees IS NULL THEN ''
        ELSE '或 ' || CAST(CAST(t_employees AS BIGINT) AS STRING) || ' 人' END
  END AS expected,
  CASE
    WHEN LENGTH(TRIM(COALESCE(explanation, ''))) >= :note_length THEN TRUE
    WHEN threshold_basis = 'qualified' THEN construction_qualified = '1'
    ELSE NOT (value_kyuan < limit_kyuan AND is_small)
  END AS holds
FROM judged
