/* ---
id: FRM014
name: form.paid_in_capital
title:
  zh: 实收资本不等于各类资本之和
  en: Paid-in capital is not the sum of its kinds
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: capital_kyuan
tables: [finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: 实收资本填 {observed} 千元，国家、集体、法人、个人、港澳台、外商资本之和为 {expected} 千元
  en: Paid-in capital of {observed} thousand yuan; its six kinds add up to {expected}
verify:
  zh: 对照验资报告和资产负债表改正合计或分项
  en: Correct total or kinds from the capital verification and the balance sheet
false_positives:
  zh: 四舍五入引起的 1 至 6 千元差额不算差错
  en: One to six thousand yuan from rounding are no error
--- */
-- Scope: forms of the series 603; form 611-3 asks for no kinds. Unknown: an item is missing.
WITH judged AS (
  SELECT unit_id, form,
    capital_kyuan AS observed,
    capital_state_kyuan + capital_collective_kyuan + capital_corporate_kyuan
      + capital_personal_kyuan + capital_hmt_kyuan + capital_foreign_kyuan AS expected,
    ABS(capital_kyuan - (capital_state_kyuan + capital_collective_kyuan + capital_corporate_kyuan
      + capital_personal_kyuan + capital_hmt_kyuan + capital_foreign_kyuan))
      <= 6 * :tolerance AS holds
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
