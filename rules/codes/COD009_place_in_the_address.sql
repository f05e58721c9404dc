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
variable: address
tables: [unit, region]
owner: data_quality
version: 3
status: active
parameters:
  vintage: {type: text, default: "2018-10-31", note: "vintage of the region list"}
message:
  zh: 地址写的是“{observed}”，而区划代码所在地为{expected}
  en: "The address names {observed}, while the region code is that of {expected}"
verify:
  zh: 到现场确认实际经营地，改正区划代码或地址
  en: See where it operates; correct the region code or the address
false_positives:
  zh: 以外县地名命名的道路、市场、商号不算，写明情况
  en: Roads and markets named after another county do not count; a remark helps
--- */
-- Scope: units with an address. The address names another county of the list and not its own; or
-- another township of its county and not its own. Unknown: the region is not on the list.
WITH listed AS (
  SELECT region_code, LEFT(region_code, 6) AS county, name, level FROM region
  WHERE vintage = :vintage AND level IN ('3', '4') AND LENGTH(name) > 2
),
placed AS (
  SELECT u.unit_id, u.region_code, u.address, u.county_code, u.township_code,
    c.name AS own_county, t.name AS own_town,
    COALESCE(u.address NOT LIKE '%' || c.name || '%', TRUE) AS lacks_county,
    COALESCE(u.address NOT LIKE '%' || t.name || '%', TRUE) AS lacks_town
  FROM unit AS u
  LEFT JOIN listed AS c ON c.region_code = u.county_code
  LEFT JOIN listed AS t ON t.region_code = u.township_code
  WHERE u.address IS NOT NULL
),
-- Held against every county only where its own is not named: all pairs would grow with the square.
other AS (
  SELECT p.address, p.county_code, p.township_code, r.name AS county, NULL AS town
  FROM (
    SELECT DISTINCT address, county_code, township_code FROM placed WHERE lacks_county
  ) AS p
  JOIN listed AS r
    ON r.level = '3' AND r.region_code <> p.county_code AND p.address LIKE '%' || r.name || '%'
  UNION ALL
  SELECT p.address, p.county_code, p.township_code, NULL AS county, r.name AS town
  FROM (
    SELECT DISTINCT address, county_code, township_code FROM placed WHERE lacks_town
  ) AS p
  JOIN listed AS r
    ON r.level = '4' AND r.county = LEFT(p.county_code, 6) AND r.region_code <> p.township_code
    AND p.address LIKE '%' || r.name || '%'
),
named AS (
  SELECT address, county_code, township_code, MIN(county) AS county, MIN(town) AS town
  FROM other GROUP BY address, county_code, township_code
)
SELECT u.unit_id AS subject_id, u.region_code AS region_code,
  COALESCE(n.county, n.town) AS observed,
  COALESCE(u.own_county, '') || COALESCE(u.own_town, '') AS expected,
  CASE WHEN u.own_county IS NOT NULL THEN n.county IS NULL AND n.town IS NULL END AS holds
FROM placed AS u
LEFT JOIN named AS n ON n.address = u.address AND n.county_code = u.county_code
  AND n.township_code = u.township_code
