/* ---
id: FRM009
name: form.net_assets
title:
  zh: 净资产不等于资产减负债
  en: Net assets are not assets less liabilities
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: net_assets_kyuan
tables: [institution_finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: 净资产合计（16）{observed} 千元，不等于资产总计（14）减负债合计（15）{expected} 千元
  en: Net assets (16) of {observed} thousand yuan; assets (14) less liabilities (15) are {expected}
verify:
  zh: 对照年末资产负债表改正；净资产为负的要带负号
  en: Correct it from the balance sheet; negative net assets keep their sign
false_positives:
  zh: 净资产为负本身不是差错；1 至 2 千元差额为四舍五入
  en: Negative net assets are no error in themselves; two thousand yuan may come from rounding
--- */
-- Scope: forms 611-5 and 611-6. Unknown: an item is missing.
WITH judged AS (
  SELECT unit_id, form,
    net_assets_kyuan AS observed,
    assets_kyuan - liabilities_kyuan AS expected,
    ABS(net_assets_kyuan - (assets_kyuan - liabilities_kyuan)) <= 2 * :tolerance AS holds
  FROM institution_finance
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
