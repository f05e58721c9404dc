/* ---
id: COD009
name: codes.place_in_the_address
title:
  zh: 区划代码与地址中的县、乡名称不符
  en: The region code and the place named in the address disagree
family: codes
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: region_code
tables: [unit, region]
owner: data_quality
version: 1
status: active
parameters:
  vintage: {type: text, default: "2018-10-31", note: "vintage of the region list"}
message:
  zh: 区划代码所在地为{expected}，而地址写的是“{observed}”
  en: The region code is that of another place than the address names
verify:
  zh: 到现场确认实际经营地，改正区划代码或地址
  en: See where it operates; correct the region code or the address
false_positives:
  zh: 以外县地名命名的道路、市场、商号不算，写明情况
  en: Roads and markets named after another county do not count; a remark helps
--- */
-- Scope: units with an address. The address names another county of the list and not its own; or
-- another township of its county and not its own. Unknown: the region is not on the list.
WITH place AS (
  SELECT DISTINCT address, county_code, township_code FROM unit WHERE address IS NOT NULL
),
listed AS (
  SELECT region_code, name, level FROM region
  WHERE vintage = :vintage AND level IN ('3', '4') AND LENGTH(name) > 2
),
named AS (
  SELECT p.address, p.county_code, p.township_code,
    MAX(CASE WHEN r.level = '3' AND r.region_code = p.county_code THEN 1 ELSE 0 END) AS own_county,
    MAX(CASE WHEN r.level = '4' AND r.region_code = p.township_code THEN 1 ELSE 0 END) AS own_town,
    MIN(CASE WHEN r.level = '3' AND r.region_code <> p.county_code THEN r.name END) AS county,
    MIN(CASE WHEN r.level = '4' AND r.region_code <> p.township_code THEN r.name END) AS town
  FROM place AS p
  JOIN listed AS r
    ON (r.level = '3' OR LEFT(r.region_code, 6) = LEFT(p.county_code, 6))
    AND p.address LIKE '%' || r.name || '%'
  GROUP BY p.address, p.county_code, p.township_code
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CASE WHEN n.own_county = 0 AND n.county IS NOT NULL THEN n.county ELSE n.town END AS observed,
  COALESCE(c.name, '') || COALESCE(t.name, '') AS expected,
  CASE
    WHEN c.name IS NULL THEN NULL
    WHEN n.own_county = 0 AND n.county IS NOT NULL THEN FALSE
    WHEN n.own_town = 0 AND n.town IS NOT NULL THEN FALSE
    ELSE TRUE
  END AS holds
FROM unit AS u
LEFT JOIN named AS n ON n.address = u.address AND n.county_code = u.county_code
  AND n.township_code = u.township_code
LEFT JOIN listed AS c ON c.region_code = u.county_code
LEFT JOIN listed AS t ON t.region_code = u.township_code
WHERE u.address IS NOT NULL
