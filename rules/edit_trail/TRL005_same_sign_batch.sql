/* ---
id: TRL005
name: edit_trail.same_sign_batch
title:
  zh: 一个账号一天内批量同向修改主要指标
  en: One account moved main items of many forms one way within a day
family: edit_trail
severity: query
clause: 三(三)3
level: 2
grain: editor
variable: main_revenue_kyuan
tables: [edit_event]
optional_tables: [unit]
owner: enforcement
version: 3
status: active
parameters:
  key_items: {type: list, default: "employees|revenue_kyuan|main_revenue_kyuan|assets_kyuan|fixed_assets_kyuan|depreciation_total_kyuan|depreciation_year_kyuan|cost_kyuan|taxes_surcharges_kyuan|taxes_kyuan|operating_profit_kyuan|total_profit_kyuan|pay_kyuan|wages_kyuan|vat_kyuan|income_kyuan|expenditure_kyuan|gross_output_kyuan|sales_kyuan|turnover_kyuan|investment_kyuan|consumed_tce|rd_expense_kyuan", note: "main items (主要指标)"}
  edits: {type: integer, default: "20", note: "edits of main items in one day from which on a day is looked at"}
  share: {type: number, default: "0.9", note: "share of a day's edits with the same sign"}
message:
  zh: 线索：该账号{observed}，达到{expected}；是否违规须查实后认定
  en: "A lead: this account changed {observed} main items in one day, nearly all one way; the facts are to be found out"
verify:
  zh: 抽取当日修改的若干单位，逐户核对原始凭证和是否知情；询问该账号使用人修改的来源和由谁要求
  en: Take some units of that day and compare the books; ask the account's user where the figures came from and who wanted them
false_positives:
  zh: 系统作业不在此列；统一更正计量单位或统一口径的批量更正，须有书面的系统性更正说明
  en: Jobs of the platform itself are left out; a systematic correction (unit of measure, a changed definition) needs a separate written explanation
--- */
-- Scope: accounts that edited main items, but not respondents, who may correct a whole form at once,
-- nor the platform's own jobs.
-- A lead about an account, not a proof. The day with most edits one way is shown.
-- Unknown: the sign cannot be told where a value is no number, and these edits could tip a day.
WITH edited AS (
  SELECT e.editor_id, LEFT(CAST(e.edited_at AS STRING), 10) AS day, u.region_code,
    CASE WHEN e.new_number > e.old_number THEN 1 ELSE 0 END AS up,
    CASE WHEN e.new_number < e.old_number THEN 1 ELSE 0 END AS down,
    CASE WHEN e.new_number IS NULL OR e.old_number IS NULL THEN 1 ELSE 0 END AS unsigned
  FROM edit_event AS e
  LEFT JOIN unit AS u ON u.unit_id = e.unit_id
  WHERE e.field IN :key_items AND e.editor_role NOT IN ('1', '6')
),
by_day AS (
  SELECT editor_id, day, COUNT(*) AS n, SUM(up) AS up, SUM(down) AS down,
    SUM(unsigned) AS unsigned, MIN(region_code) AS first_region, MAX(region_code) AS last_region
  FROM edited
  GROUP BY editor_id, day
),
judged AS (
  SELECT editor_id, day, n, first_region, last_region,
    CASE WHEN up >= down THEN up ELSE down END AS one_way,
    CASE WHEN up >= down THEN '调增' ELSE '调减' END AS direction,
    CASE
      WHEN n < :edits THEN 0
      WHEN GREATEST(up, down) >= :share * n THEN 2
      WHEN GREATEST(up, down) + unsigned >= :share * n THEN 1
      ELSE 0
    END AS grade
  FROM by_day
),
ranked AS (
  SELECT editor_id, day, n, one_way, direction, grade, first_region, last_region,
    ROW_NUMBER() OVER (PARTITION BY editor_id ORDER BY grade DESC, one_way DESC, day) AS place
  FROM judged
)
SELECT
  editor_id AS subject_id,
  CASE
    WHEN first_region = last_region THEN first_region
    WHEN LEFT(first_region, 9) = LEFT(last_region, 9) THEN LEFT(first_region, 9) || '000'
    WHEN LEFT(first_region, 6) = LEFT(last_region, 6) THEN LEFT(first_region, 6) || '000000'
    WHEN LEFT(first_region, 4) = LEFT(last_region, 4) THEN LEFT(first_region, 4) || '00000000'
    ELSE LEFT(first_region, 2) || '0000000000'
  END AS region_code,
  day || ' 修改主要指标 ' || CAST(n AS STRING) || ' 项，其中 ' || CAST(one_way AS STRING) || ' 项'
    || direction AS observed,
  '批量同向修改的标准' AS expected,
  CAST(one_way AS DOUBLE) / NULLIF(n, 0) AS score,
  CASE grade WHEN 0 THEN TRUE WHEN 2 THEN FALSE END AS holds
FROM ranked
WHERE place = 1
