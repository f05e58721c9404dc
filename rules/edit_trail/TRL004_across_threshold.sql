/* ---
id: TRL004
name: edit_trail.across_threshold
title:
  zh: 修改跨越“四上”标准或规模划型界限
  en: An edit across the panel's threshold or a bound of the size classes
family: edit_trail
severity: query
clause: 三(三)3
level: 2
grain: unit
variable: main_revenue_kyuan
tables: [edit_event, legal_entity, ref_industry_profile]
owner: specialty
version: 2
status: active
message:
  zh: 指标 {variable} 由 {observed}（第 {related} 号修改），跨越{expected}
  en: "{variable} was changed ({observed}, edit {related}), across a threshold of its industry ({expected})"
verify:
  zh: 对照原始凭证核实修改后的数值；确已跨越的，核对单位规模和是否应纳入或退出一套表
  en: Check the new figure against the books; if it is right, look at the size class and at the unit's place in the panel
false_positives:
  zh: 更正计量单位（元误为千元）等正常更正也会跨越界限，附凭证说明即可
  en: Correcting yuan written as thousand yuan crosses a bound as well; the voucher explains it
--- */
-- Scope: edits of the items that thresholds are about, on legal entities and their returns, in an
-- industry that has a panel's threshold by size or size classes. The bounds are those of the vintage
-- in ref_industry_profile; at the bound means above. As PLA004, XSP002 and XSP003 have it, bounds of
-- main revenue and of the size classes are those of main revenue, and of revenue where the form has
-- no main revenue. Unknown: a value that is no number.
WITH edited AS (
  SELECT e.event_id, e.unit_id, l.region_code, e.field, e.old_value, e.new_value,
    e.old_number, e.new_number,
    CASE WHEN e.old_number < e.new_number THEN e.old_number ELSE e.new_number END AS low,
    CASE WHEN e.old_number < e.new_number THEN e.new_number ELSE e.old_number END AS high,
    CASE WHEN e.field = 'employees' THEN p.threshold_employees
      WHEN e.field = 'revenue_kyuan' AND p.threshold_revenue_kyuan IS NOT NULL
        THEN p.threshold_revenue_kyuan
      WHEN e.field = 'main_revenue_kyuan'
        OR (e.field = 'revenue_kyuan' AND l.main_revenue_kyuan IS NULL)
        THEN p.threshold_main_revenue_kyuan END AS threshold,
    CASE WHEN e.field = 'employees' THEN p.size_employees_large
      WHEN e.field = 'assets_kyuan' THEN p.size_assets_large_kyuan
      WHEN e.field = 'main_revenue_kyuan' OR l.main_revenue_kyuan IS NULL
        THEN p.size_revenue_large_kyuan END AS large,
    CASE WHEN e.field = 'employees' THEN p.size_employees_medium
      WHEN e.field = 'assets_kyuan' THEN p.size_assets_medium_kyuan
      WHEN e.field = 'main_revenue_kyuan' OR l.main_revenue_kyuan IS NULL
        THEN p.size_revenue_medium_kyuan END AS medium,
    CASE WHEN e.field = 'employees' THEN p.size_employees_small
      WHEN e.field = 'assets_kyuan' THEN p.size_assets_small_kyuan
      WHEN e.field = 'main_revenue_kyuan' OR l.main_revenue_kyuan IS NULL
        THEN p.size_revenue_small_kyuan END AS small
  FROM edit_event AS e
  JOIN legal_entity AS l ON l.unit_id = e.unit_id
  JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
  WHERE e.table_name IN ('legal_entity', 'finance', 'employment')
    AND e.field IN ('main_revenue_kyuan', 'revenue_kyuan', 'employees', 'assets_kyuan')
),
crossed AS (
  SELECT event_id, unit_id, region_code, field, old_value, new_value, old_number, new_number,
    CASE
      WHEN low < threshold AND threshold <= high
        THEN '“四上”标准 ' || CAST(CAST(threshold AS BIGINT) AS STRING)
      WHEN low < large AND large <= high
        THEN '大型企业界限 ' || CAST(CAST(large AS BIGINT) AS STRING)
      WHEN low < medium AND medium <= high
        THEN '中型企业界限 ' || CAST(CAST(medium AS BIGINT) AS STRING)
      WHEN low < small AND small <= high
        THEN '小型企业界限 ' || CAST(CAST(small AS BIGINT) AS STRING)
    END AS bound
  FROM edited
  WHERE COALESCE(threshold, large, medium, small) IS NOT NULL
)
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  CAST(event_id AS STRING) AS related_id,
  field AS variable,
  old_value || ' 改为 ' || new_value AS observed,
  bound AS expected,
  CASE WHEN old_number IS NOT NULL AND new_number IS NOT NULL THEN bound IS NULL END AS holds
FROM crossed
