/* ---
id: DUP005
name: duplicate.same_name_in_county
title:
  zh: 同县单位重名
  en: Units of one county share a name
family: duplicate
severity: query
clause: 三(三)2
level: 1
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
  zh: 单位名称“{observed}”与同县单位 {related} 相同而代码不同，{expected}
  en: Unit {related} of the same county has the same name and another code
verify:
  zh: 核对双方证照、地址和负责人，判断是同一单位重复登记，还是不同单位确实同名并备注
  en: Compare licences, addresses and persons; one unit twice, or two of one name, with a remark
false_positives:
  zh: 村（居）委会、学校、卫生院等不同乡镇同名的，本部与法人单位同名的，均不在此列
  en: Village committees, schools and clinics of different towns, and headquarters, are left out
--- */
-- Scope: legal entities among themselves, and branches among themselves; households have generic
-- names. Bare names of village committees, schools and the like are compared within a township.
-- One code throughout is DUP001's and DUP002's matter. Unknown: nothing is left of the name.
WITH named AS (
  SELECT unit_id, region_code, unit_kind, credit_code, name, name_key,
    CASE
      WHEN RIGHT(name_key, 2) IN :bare OR RIGHT(name_key, 3) IN :bare OR RIGHT(name_key, 4) IN :bare
        OR RIGHT(name_key, 5) IN :bare THEN township_code
      ELSE county_code
    END AS area
  FROM unit
  WHERE unit_kind IN ('1', '2') AND COALESCE(is_headquarters, '2') <> '1'
),
alike AS (
  SELECT area, unit_kind, name_key, COUNT(*) AS n, MIN(unit_id) AS first_id
  FROM named
  WHERE area IS NOT NULL AND name_key IS NOT NULL
  GROUP BY area, unit_kind, name_key
  HAVING COUNT(*) > 1
    AND (COUNT(credit_code) < COUNT(*) OR MIN(credit_code) <> MAX(credit_code))
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
  MD5('DUP005|' || a.area || a.unit_kind || a.name_key) AS group_key
FROM named AS n
LEFT JOIN alike AS a ON a.area = n.area AND a.unit_kind = n.unit_kind AND a.name_key = n.name_key
LEFT JOIN second AS s ON s.area = n.area AND s.unit_kind = n.unit_kind AND s.name_key = n.name_key
