/* ---
id: FRM015
name: form.depreciation
title:
  zh: 折旧与固定资产矛盾
  en: Depreciation contradicts fixed assets
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: depreciation_year_kyuan
tables: [finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: "{observed} 千元，大于{expected}千元"
  en: "Depreciation ({observed}, thousand yuan) is more than the amount that bounds it ({expected})"
verify:
  zh: 核对折旧明细：本年折旧不大于累计折旧，累计折旧不大于固定资产原价
  en: "See the depreciation ledger: the year's is at most the accumulated, which is at most the fixed assets"
false_positives:
  zh: 四舍五入引起的 1 千元差额不算差错
  en: A thousand yuan from rounding is no error
--- */
-- Scope: forms of the series 603, and form 611-3 for what it asks; of several returns the worst.
-- 611-3 asks for the year's depreciation and the fixed assets only. Unknown: an item is missing.
WITH relation AS (
  SELECT unit_id, 1 AS place, 'depreciation_year_kyuan' AS variable,
    depreciation_year_kyuan AS small, depreciation_total_kyuan AS large, '累计折旧 ' AS what
  FROM finance WHERE form <> '611-3'
  UNION ALL
  SELECT unit_id, 2, 'depreciation_total_kyuan', depreciation_total_kyuan, fixed_assets_kyuan,
    '固定资产原价 '
  FROM finance WHERE form <> '611-3'
  UNION ALL
  SELECT unit_id, 3, 'depreciation_year_kyuan', depreciation_year_kyuan, fixed_assets_kyuan,
    '固定资产原价 '
  FROM finance WHERE form = '611-3'
),
judged AS (
  SELECT unit_id, place, variable, small, large, what, small <= large + :tolerance AS holds
  FROM relation
),
ranked AS (
  SELECT unit_id, variable, small, large, what, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, place
    ) AS place
  FROM judged
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  r.variable AS variable,
  CASE r.variable WHEN 'depreciation_year_kyuan' THEN '本年折旧 ' ELSE '累计折旧 ' END
    || CAST(CAST(r.small AS DECIMAL(18, 2)) AS STRING) AS observed,
  r.what || REPLACE(CAST(CAST(r.large AS DECIMAL(18, 2)) AS STRING), '.00', '') || ' ' AS expected,
  r.holds AS holds
FROM ranked AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
WHERE r.place = 1
