/* ---
id: FRM012
name: form.operating_profit
title:
  zh: 营业利润与各项收支不符
  en: Operating profit does not follow from its items
family: form
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: operating_profit_kyuan
tables: [finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: 营业利润填 {observed} 千元，按会计准则由各项计算为 {expected} 千元
  en: Operating profit of {observed} thousand yuan; its items give {expected} under the accounting standards used
verify:
  zh: 对照利润表逐项核对，注意费用和损失的符号、计量单位（千元）和执行的会计准则
  en: Compare item by item with the income statement; mind signs, the unit (thousand yuan) and the standards applied
false_positives:
  zh: 有净敞口套期收益的企业有差额，写明情况；研发费用仍列在管理费用中的按 0 填写
  en: Hedging gains make a difference and need a remark; research within administration is entered as 0
--- */
-- Scope: forms of the series 603; form 611-3 does not ask for all items. 1 企业会计准则, 2 小企业会计准则.
-- 小企业会计准则 has no item for research: it may stand within administration or beside it.
-- Unknown: an item is missing, or other standards are used.
WITH judged AS (
  SELECT unit_id, form,
    operating_profit_kyuan AS observed,
    CASE accounting_system
      WHEN '1' THEN revenue_kyuan - cost_kyuan - taxes_surcharges_kyuan - selling_expenses_kyuan
        - admin_expenses_kyuan - research_expenses_kyuan - financial_expenses_kyuan
        - impairment_kyuan + fair_value_gain_kyuan + disposal_gain_kyuan
        + investment_income_kyuan + other_income_kyuan
      WHEN '2' THEN revenue_kyuan - cost_kyuan - taxes_surcharges_kyuan - selling_expenses_kyuan
        - admin_expenses_kyuan - financial_expenses_kyuan + investment_income_kyuan
    END AS expected,
    CASE accounting_system
      WHEN '1' THEN ABS(operating_profit_kyuan - (revenue_kyuan - cost_kyuan
        - taxes_surcharges_kyuan - selling_expenses_kyuan - admin_expenses_kyuan
        - research_expenses_kyuan - financial_expenses_kyuan - impairment_kyuan
        + fair_value_gain_kyuan + disposal_gain_kyuan + investment_income_kyuan
        + other_income_kyuan)) <= 12 * :tolerance
      WHEN '2' THEN ABS(operating_profit_kyuan - (revenue_kyuan - cost_kyuan
        - taxes_surcharges_kyuan - selling_expenses_kyuan - admin_expenses_kyuan
        - financial_expenses_kyuan + investment_income_kyuan)) <= 7 * :tolerance
        OR ABS(operating_profit_kyuan - (revenue_kyuan - cost_kyuan
        - taxes_surcharges_kyuan - selling_expenses_kyuan - admin_expenses_kyuan
        - COALESCE(research_expenses_kyuan, 0) - financial_expenses_kyuan
        + investment_income_kyuan)) <= 8 * :tolerance
    END AS holds
  FROM finance
  WHERE form <> '611-3'
),
ranked AS (
  SELECT unit_id, observed, expected, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, form
    ) AS place
  FROM judged
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(r.observed AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(r.expected AS DECIMAL(18, 2)) AS STRING) AS expected,
  r.holds AS holds
FROM ranked AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
WHERE r.place = 1
