/* ---
id: XSP010
name: cross_specialty.research_agrees
title:
  zh: 研发费用与研发活动表矛盾
  en: Research on the financial form and on the research form contradict
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: rd_expense_kyuan
tables: [research, legal_entity]
optional_tables: [finance]
owner: social_science
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan below which an amount counts as zero"}
message:
  zh: 研发活动表填 {observed}，而{expected}
  en: The research form has {observed}, which contradicts the rest of the return
verify:
  zh: 看研发支出辅助账和人员名单，改正一方
  en: See the research ledger and the staff list; correct one side
false_positives:
  zh: 委托外单位研发、资本化支出使两表有差额，写明情况
  en: Research by others and capitalised cost make a difference, with a remark
--- */
-- Scope: legal entities with a research return. Expense on one form and none on the other; or more
-- research staff than employees. 小企业会计准则 has no item for research expense (FRM012).
-- Unknown: none fails and an item is missing, or that standard is used.
WITH booked AS (
  SELECT unit_id,
    MAX(CASE WHEN accounting_system <> '2' THEN research_expenses_kyuan END) AS expense
  FROM finance
  GROUP BY unit_id
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  CASE WHEN r.rd_staff > l.employees THEN 'rd_staff' ELSE 'rd_expense_kyuan' END AS variable,
  CASE WHEN r.rd_staff > l.employees THEN '研发人员 ' || CAST(r.rd_staff AS STRING) || ' 人'
    ELSE '研发费用 ' || REPLACE(CAST(CAST(r.rd_expense_kyuan AS DECIMAL(18, 2)) AS STRING), '.00', '')
      || ' 千元' END AS observed,
  CASE WHEN r.rd_staff > l.employees THEN '期末从业人员 ' || CAST(l.employees AS STRING) || ' 人'
    ELSE '财务表研发费用 ' || REPLACE(CAST(CAST(b.expense AS DECIMAL(18, 2)) AS STRING), '.00', '')
      || ' 千元' END AS expected,
  CASE
    WHEN r.rd_staff > l.employees THEN FALSE
    WHEN (r.rd_expense_kyuan > :tolerance) <> (b.expense > :tolerance) THEN FALSE
    WHEN r.rd_staff IS NOT NULL AND l.employees IS NOT NULL AND r.rd_expense_kyuan IS NOT NULL
      AND b.expense IS NOT NULL THEN TRUE
  END AS holds
FROM research AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
LEFT JOIN booked AS b ON b.unit_id = r.unit_id
