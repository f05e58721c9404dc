/* ---
id: TRL007
name: edit_trail.net_drift
title:
  zh: 区域核算指标因修改而净偏移
  en: Edits moved a region's total of a GDP item
family: edit_trail
severity: query
clause: 三(三)4
level: 3
grain: region
variable: main_revenue_kyuan
tables: [edit_event, unit, legal_entity]
optional_tables: [finance, self_employed]
owner: data_quality
version: 1
status: active
parameters:
  share: {type: number, default: "0.02", note: "net change by edits, as a share of the region's total before them"}
  units: {type: integer, default: "3", note: "units edited from which on a region is looked at: one large correction is no drift"}
message:
  zh: 线索：该地区 {variable} 因修改净变动 {observed}，超过{expected}；是否人为调整须查实后认定
  en: "A lead: edits moved the region's {variable} by {observed} net; whether it was steered is to be found out"
verify:
  zh: 按修改量从大到小抽取该地区修改过的单位，核对原始凭证；查看修改集中的账号和时间
  en: Take the units with the largest changes and compare the books; look at the accounts and hours of the edits
false_positives:
  zh: 统一更正计量单位、补报漏填单位会引起净变动，有系统性更正说明的可以解释
  en: A systematic correction of units of measure moves totals as well; its written explanation settles it
--- */
-- Scope: townships and counties where one of the four items was edited from which value added is
-- computed: main revenue (the household's revenue), depreciation, pay, operating profit (domain 6.1).
-- The total before is the stored one less the net change; sizes are added, as profit has both signs.
-- Unknown: an edited value is no number and the others do not decide, or there is no total.
WITH edited AS (
  SELECT u.township_code, u.county_code, e.unit_id, e.new_number - e.old_number AS change,
    CASE e.field WHEN 'revenue_kyuan' THEN 'main_revenue_kyuan' ELSE e.field END AS item
  FROM edit_event AS e
  JOIN unit AS u ON u.unit_id = e.unit_id
  WHERE (e.table_name = 'legal_entity' AND e.field = 'main_revenue_kyuan')
    OR (e.table_name = 'self_employed' AND e.field = 'revenue_kyuan')
    OR (e.table_name = 'finance'
      AND e.field IN ('depreciation_year_kyuan', 'pay_kyuan', 'operating_profit_kyuan'))
),
drift AS (
  SELECT code, item, SUM(change) AS net, COUNT(*) - COUNT(change) AS n_unsigned,
    COUNT(DISTINCT unit_id) AS n_units
  FROM (
    SELECT township_code AS code, item, unit_id, change FROM edited
    UNION ALL SELECT county_code, item, unit_id, change FROM edited
  ) AS place
  WHERE code IS NOT NULL GROUP BY code, item
),
stored AS (
  SELECT township_code, county_code, SUM(ABS(main_revenue_kyuan)) AS revenue,
    CAST(NULL AS DOUBLE) AS depreciation, CAST(NULL AS DOUBLE) AS pay, CAST(NULL AS DOUBLE) AS profit
  FROM legal_entity GROUP BY township_code, county_code
  UNION ALL
  SELECT township_code, county_code, SUM(ABS(revenue_kyuan)), NULL, NULL, NULL
  FROM self_employed GROUP BY township_code, county_code
  UNION ALL
  SELECT l.township_code, l.county_code, NULL, SUM(ABS(f.depreciation_year_kyuan)),
    SUM(ABS(f.pay_kyuan)), SUM(ABS(f.operating_profit_kyuan))
  FROM finance AS f JOIN legal_entity AS l ON l.unit_id = f.unit_id
  GROUP BY l.township_code, l.county_code
),
total AS (
  SELECT code, SUM(revenue) AS revenue, SUM(depreciation) AS depreciation, SUM(pay) AS pay,
    SUM(profit) AS profit
  FROM (
    SELECT township_code AS code, revenue, depreciation, pay, profit FROM stored
    UNION ALL SELECT county_code, revenue, depreciation, pay, profit FROM stored
  ) AS place
  GROUP BY code
),
judged AS (
  SELECT d.code, d.item, d.net, d.n_units, d.n_unsigned, CASE d.item
    WHEN 'main_revenue_kyuan' THEN t.revenue WHEN 'pay_kyuan' THEN t.pay
    WHEN 'operating_profit_kyuan' THEN t.profit ELSE t.depreciation END - d.net AS amount
  FROM drift AS d LEFT JOIN total AS t ON t.code = d.code
)
SELECT code AS subject_id, code AS region_code, item AS variable,
  CAST(CAST(net AS DECIMAL(18, 0)) AS STRING) || ' 千元（' || CAST(n_units AS STRING)
    || ' 个单位）' AS observed,
  '修改前总量 ' || CAST(CAST(amount AS DECIMAL(18, 0)) AS STRING) || ' 千元的允许范围' AS expected,
  ABS(net) / NULLIF(amount, 0) AS score,
  CASE WHEN n_units < :units OR ABS(net) <= :share * amount
    THEN CASE WHEN n_units < :units OR n_unsigned = 0 THEN TRUE END
    WHEN amount > 0 THEN FALSE END AS holds
FROM judged
