/* ---
id: TRL002
name: edit_trail.office_edits_key_item
title:
  zh: 普查机构代改主要指标
  en: An office changed a main item
family: edit_trail
severity: query
clause: 三(二)2
level: 1
grain: unit
variable: main_revenue_kyuan
tables: [edit_event]
optional_tables: [unit]
owner: enforcement
version: 1
status: active
parameters:
  key_items: {type: list, default: "employees|revenue_kyuan|main_revenue_kyuan|assets_kyuan|fixed_assets_kyuan|depreciation_total_kyuan|depreciation_year_kyuan|cost_kyuan|taxes_surcharges_kyuan|taxes_kyuan|operating_profit_kyuan|total_profit_kyuan|pay_kyuan|wages_kyuan|vat_kyuan|income_kyuan|expenditure_kyuan|gross_output_kyuan|sales_kyuan|turnover_kyuan|investment_kyuan|consumed_tce|rd_expense_kyuan", note: "main items (主要指标); codes and addresses, which offices put right by duty, are not among them"}
message:
  zh: 指标 {variable} 由普查机构账号修改（第 {related} 号，{observed}），应由{expected}修改
  en: "{variable} was changed by an office's account (edit {related}: {observed}); only the respondent or its enumerator may"
verify:
  zh: 与被调查单位核对修改前后的数值和是否知情；确需更正的退回被调查单位或普查员重新填报
  en: Ask the respondent for the figure and whether it knew; a needed correction goes back to the respondent or the enumerator
false_positives:
  zh: 经被调查单位书面申请、由机构代为录入的，附书面申请后说明
  en: An office may key in what the respondent asked for in writing; the letter explains it
--- */
-- Scope: edits of main items that changed something. Filling a blank is an edit, too.
-- 决不允许任何机构、人员自行修改 (clause 三(二)2). Unknown: a role that is not in the list.
SELECT
  e.unit_id AS subject_id,
  u.region_code AS region_code,
  CAST(e.event_id AS STRING) AS related_id,
  e.field AS variable,
  CASE e.editor_role
    WHEN '3' THEN '乡级普查机构'
    WHEN '4' THEN '县级普查机构'
    WHEN '5' THEN '市级普查机构'
    WHEN '6' THEN '系统'
  END || '：' || COALESCE(e.old_value, '空') || ' → ' || COALESCE(e.new_value, '空') AS observed,
  '被调查单位或其普查员' AS expected,
  CASE
    WHEN e.editor_role IN ('1', '2') THEN TRUE
    WHEN e.editor_role IN ('3', '4', '5', '6') THEN FALSE
  END AS holds
FROM edit_event AS e
LEFT JOIN unit AS u ON u.unit_id = e.unit_id
WHERE e.field IN :key_items AND COALESCE(e.old_value, '') <> COALESCE(e.new_value, '')
