/* ---
id: DUP006
name: duplicate.same_name_across
title:
  zh: 跨县、跨专业重名
  en: Units of different counties or specialties share a name
family: duplicate
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: name
tables: [unit]
owner: data_quality
version: 1
status: active
parameters:
  bare:
    type: list
    default: "村民委员会|村委会|居民委员会|居委会|村民小组|经济合作社|经济联合社|小学|中学|学校|幼儿园|教学点|卫生室|卫生院|卫生所|诊所|卫生服务站|敬老院|福利院|文化站|业主委员会|老年协会"
    note: endings (2 to 5 characters) of names that repeat from township to township by right
message:
  zh: 单位名称“{observed}”在不同县或不同专业重复，与单位 {related} 相同，{expected}
  en: Units of different counties or specialties share this name, unit {related} among them
verify:
  zh: 与对方县、对方专业共同核对：同一单位只在一地一专业登记，迁移的由迁入地登记
  en: Settle it with the other county or specialty; one unit is counted in one place and specialty
false_positives:
  zh: 村（居）委会、学校等不同乡镇同名的，同一法人在各县的分支机构同名的，均不在此列
  en: Bare names of committees and schools, and branches of one legal entity, are left out
--- */
-- Scope: legal entities among themselves, and branches among themselves, in all counties.
-- Bare names of village committees, schools and the like are compared within a township, as in
-- DUP005. Unknown: nothing is left of the name, or no township.
WITH named AS (
  SELECT unit_id, region_code, county_code, specialty, unit_kind, name, name_key,
    COALESCE(parent_credit_code, unit_id) AS parent,
    CASE
      WHEN RIGHT(name_key, 2) IN :bare OR RIGHT(name_key, 3) IN :bare OR RIGHT(name_key, 4) IN :bare
        OR RIGHT(name_key, 5) IN :bare THEN township_code
      ELSE ''
    END AS area
  FROM unit
  WHERE unit_kind IN ('1', '2') AND COALESCE(is_headquarters, '2') <> '1'
),
alike AS (
  SELECT area, unit_kind, name_key, COUNT(*) AS n, MIN(unit_id) AS first_id
  FROM named
  WHERE area IS NOT NULL AND name_key IS NOT NULL
  GROUP BY area, unit_kind, name_key
  HAVING (MIN(county_code) <> MAX(county_code) OR MIN(specialty) <> MAX(specialty))
    AND (unit_kind = '1' OR MIN(parent) <> MAX(parent))
),
second AS (
  SELECT a.area, a.unit_kind, a.name_key, MIN(n.unit_id) AS second_id
  FROM named AS n
  JOIN alike AS a
    ON a.area = n.area AND a.unit_kind = n.unit_kind AND a.name_key = n.name_key
  WHERE n.unit_id <> a.first_id
  GROUP BY a.area, a.unit_kind, a.name_key
)
SELECT
  n.unit_id AS subject_id,
  n.region_code AS region_code,
  CASE WHEN n.unit_id = a.first_id THEN s.second_id ELSE a.first_id END AS related_id,
  n.name AS observed,
  '共 ' || CAST(a.n AS STRING) || ' 个单位同名' AS expected,
  CASE WHEN n.area IS NOT NULL AND n.name_key IS NOT NULL THEN a.n IS NULL END AS holds,
  MD5('DUP006|' || a.area || a.unit_kind || a.name_key) AS group_key
FROM named AS n
LEFT JOIN alike AS a ON a.area = n.area AND a.unit_kind = n.unit_kind AND a.name_key = n.name_key
LEFT JOIN second AS s ON s.area = n.area AND s.unit_kind = n.unit_kind AND s.name_key = n.name_key
