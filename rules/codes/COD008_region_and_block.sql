/* ---
id: COD008
name: codes.region_and_block
title:
  zh: 区划代码或普查小区代码不存在
  en: Region or census block does not exist
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: block_code
tables: [unit, region]
optional_tables: [census_block]
owner: data_quality
version: 2
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of every region of the census, four or, in a municipality or province, two"}
  vintage: {type: text, default: "2018-10-31", note: edition of the region list that is in force}
message:
  zh: 区划代码和普查小区代码 {observed} 有误：{expected}
  en: Region and census block {observed} are not in the lists in force
verify:
  zh: 对照普查区图和小区清单核对单位所在地；使用 2018 年 10 月 31 日版区划代码
  en: Compare the place with the block map; use the region codes of 31 October 2018
false_positives:
  zh: 清查后新划分的小区尚未送达清单的，应补送普查小区表
  en: A block drawn after the listing and not yet on the delivered list; deliver the list again
--- */
-- Scope: all units. Where a county's blocks were not delivered only the region is judged.
-- Unknown: no region list of the edition, or no block on the form (FRM001).
WITH listed AS (
  SELECT region_code FROM region WHERE vintage = :vintage GROUP BY region_code
),
listed_count AS (
  SELECT COUNT(*) AS n FROM listed
),
block AS (
  SELECT block_id FROM census_block GROUP BY block_id
),
mapped AS (
  SELECT LEFT(region_code, 6) AS county FROM census_block GROUP BY LEFT(region_code, 6)
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CASE WHEN u.region_code NOT LIKE :city || '%' OR r.region_code IS NULL THEN 'region_code'
    ELSE 'block_code' END AS variable,
  u.region_code || COALESCE('-' || u.block_code, '') AS observed,
  CASE
    WHEN u.region_code NOT LIKE :city || '%'
      THEN '区划代码不在审核地区（' || :city || '）'
    WHEN r.region_code IS NULL THEN '区划代码不在 ' || :vintage || ' 版代码库内'
    ELSE '普查小区代码不在小区清单内'
  END AS expected,
  CASE
    WHEN u.region_code NOT LIKE :city || '%' THEN FALSE
    WHEN c.n = 0 THEN NULL
    WHEN r.region_code IS NULL THEN FALSE
    WHEN m.county IS NULL THEN TRUE
    WHEN u.block_code IS NULL THEN NULL
    ELSE b.block_id IS NOT NULL
  END AS holds
FROM unit AS u
CROSS JOIN listed_count AS c
LEFT JOIN listed AS r ON r.region_code = u.region_code
LEFT JOIN mapped AS m ON m.county = LEFT(u.region_code, 6)
LEFT JOIN block AS b ON b.block_id = u.region_code || u.block_code
