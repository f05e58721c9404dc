/* ---
id: FRM008
name: form.fixed_assets
title:
  zh: 固定资产原价小于其分项之和
  en: Fixed assets are less than their parts
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: fixed_assets_kyuan
tables: [legal_entity]
optional_tables: [finance, institution_finance]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: 固定资产原价 {observed} 千元，小于房屋和构筑物、机器设备、运输设备之和 {expected} 千元
  en: Fixed assets of {observed} thousand yuan are less than buildings, machinery and vehicles, {expected}
verify:
  zh: 核对固定资产明细账，改正原价或分项
  en: See the ledger of fixed assets; correct the total or its parts
false_positives:
  zh: 四舍五入引起的 1 至 3 千元差额不算差错
  en: One to three thousand yuan from rounding are no error
--- */
-- Scope: legal entities with form 603 (finance) or 611-5, 611-6; of several returns the worst one.
-- Printed on form 611-5 as relation (2). Unknown: an item is missing; form 611-3 asks for no parts.
WITH judged AS (
  SELECT unit_id, form, fixed_assets_kyuan AS observed,
    buildings_kyuan + machinery_kyuan + vehicles_kyuan AS expected
  FROM finance WHERE form <> '611-3'
  UNION ALL
  SELECT unit_id, form, fixed_assets_kyuan AS observed,
    land_buildings_kyuan + machinery_kyuan + vehicles_kyuan AS expected
  FROM institution_finance
),
ranked AS (
  SELECT unit_id, observed, expected, observed >= expected - 3 * :tolerance AS holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY COALESCE(observed - expected, 0), form
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
