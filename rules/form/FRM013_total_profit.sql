/* ---
id: FRM013
name: form.total_profit
title:
  zh: 利润总额不等于营业利润加减营业外收支
  en: Total profit is not operating profit with non-operating items
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: total_profit_kyuan
tables: [finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: 利润总额填 {observed} 千元，营业利润加营业外收入减营业外支出为 {expected} 千元
  en: Total profit of {observed} thousand yuan; operating profit with non-operating income and expense is {expected}
verify:
  zh: 对照利润表改正；亏损要带负号
  en: Correct it from the income statement; a loss keeps its sign
false_positives:
  zh: 四舍五入引起的 1 至 3 千元差额不算差错
  en: One to three thousand yuan from rounding are no error
--- */
-- Scope: forms of the series 603; form 611-3 asks for no total profit. Unknown: an item is missing.
WITH judged AS (
  SELECT unit_id, form,
    total_profit_kyuan AS observed,
    operating_profit_kyuan + nonoperating_income_kyuan - nonoperating_expense_kyuan AS expected,
    ABS(total_profit_kyuan - (operating_profit_kyuan + nonoperating_income_kyuan
      - nonoperating_expense_kyuan)) <= 3 * :tolerance AS holds
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
