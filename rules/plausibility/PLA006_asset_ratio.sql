/* ---
id: PLA006
name: plausibility.asset_ratio
title:
  zh: 资产总计与营业收入之比异常
  en: Assets and revenue do not go together
family: plausibility
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: asset_ratio
tables: [legal_entity, asset_ratio]
owner: specialty
version: 2
status: active
parameters:
  fold: {type: number, default: 10, note: times the median within which a unit is never queried}
  fold_all: {type: number, default: 50, note: the same where all industries are compared together}
message:
  zh: 资产总计为营业收入的 {observed} 倍，同组单位{expected}，请核实两项指标及计量单位
  en: "Assets by revenue are {observed}; comparable units: {expected} (median and range)"
verify:
  zh: 对照资产负债表、利润表核对资产总计与营业收入，注意千元、万元的换算和漏位多位
  en: Compare assets and revenue with the accounts, and the unit of money
false_positives:
  zh: 投资控股、在建未投产、当年停产的单位
  en: Holding companies, firms still building, firms that stood still in the year
--- */
-- Scope: operating legal entities whose assets and revenue are not zero. Outside the 0.1 % and 99.9 % points
-- of the industry, and far from its median: a fixed share lies outside any quantile, so that
-- quantiles alone would query sound units every night. Unknown: a blank, or too few units.
SELECT l.unit_id AS subject_id, l.region_code AS region_code,
  CAST(CAST(a.ratio AS DECIMAL(18, 4)) AS STRING) AS observed,
  '中位数 ' || CAST(CAST(a.ratio_median AS DECIMAL(18, 2)) AS STRING) || '，范围 '
    || CAST(CAST(a.ratio_low AS DECIMAL(18, 2)) AS STRING) || '–'
    || CAST(CAST(a.ratio_high AS DECIMAL(18, 2)) AS STRING) AS expected,
  a.ratio BETWEEN a.ratio_low AND a.ratio_high
    OR GREATEST(a.ratio / NULLIF(a.ratio_median, 0), a.ratio_median / NULLIF(a.ratio, 0))
      <= CASE WHEN a.cell_level = 'all' THEN :fold_all ELSE :fold END
    AS holds
FROM legal_entity AS l
LEFT JOIN asset_ratio AS a ON a.unit_id = l.unit_id
WHERE COALESCE(l.status, '1') = '1' AND (l.revenue_kyuan > 0 OR l.revenue_kyuan IS NULL)
  AND (l.assets_kyuan > 0 OR l.assets_kyuan IS NULL)
