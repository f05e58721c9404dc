/* ---
id: FRM007
name: form.current_assets
title:
  zh: 流动资产合计小于存货
  en: Current assets are less than the inventory
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: current_assets_kyuan
tables: [legal_entity]
optional_tables: [finance, institution_finance]
owner: specialty
version: 1
status: active
message:
  zh: 流动资产合计 {observed} 千元，小于其中的存货 {expected} 千元
  en: Current assets of {observed} thousand yuan are less than the inventory of {expected}
verify:
  zh: 对照 2018 年末资产负债表核对两项，注意计量单位为千元
  en: Compare both items with the balance sheet of the end of 2018; the unit is thousand yuan
false_positives:
  zh: 两者相等（流动资产全部为存货）不算差错，表式印刷的“>”按“≥”掌握
  en: Equal is right, though the form prints ">"
--- */
-- Scope: legal entities with a 603 return, 611-5 or 611-6, one row each; of several the worst one.
-- Form 611-3 asks for neither item. Unknown: an item is missing.
WITH asset AS (
  SELECT unit_id, form, current_assets_kyuan, inventory_kyuan
  FROM finance WHERE form <> '611-3'
  UNION ALL
  SELECT unit_id, form, current_assets_kyuan, inventory_kyuan
  FROM institution_finance
),
ranked AS (
  SELECT unit_id, current_assets_kyuan, inventory_kyuan,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN current_assets_kyuan < inventory_kyuan THEN 0
        WHEN current_assets_kyuan >= inventory_kyuan THEN 2 ELSE 1 END, form
    ) AS place
  FROM asset
)
SELECT
  a.unit_id AS subject_id,
  l.region_code AS region_code,
  CAST(CAST(a.current_assets_kyuan AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(a.inventory_kyuan AS DECIMAL(18, 2)) AS STRING) AS expected,
  a.current_assets_kyuan >= a.inventory_kyuan AS holds
FROM ranked AS a
JOIN legal_entity AS l ON l.unit_id = a.unit_id
WHERE a.place = 1
