/* ---
id: DUP008
name: duplicate.shared_phone
title:
  zh: 多个单位共用同一电话
  en: Many units give the same telephone
family: duplicate
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: phone_mobile
tables: [unit]
optional_tables: [agency]
owner: data_quality
version: 2
status: active
parameters:
  least: {type: integer, default: 5, note: different holders of one telephone from which on it is told}
message:
  zh: 联系电话 {observed} 与单位 {related} 等相同，{expected}，且不在代理记账机构名册内
  en: Unit {related} and others give the same telephone, {observed}, which is that of no known agency
verify:
  zh: 逐家拨打并上门核实，查是否重复登记、是否有人代填代报
  en: Call and visit each; look for duplicates and for somebody who filled in for others
false_positives:
  zh: 代理记账机构、同一法人的分支机构共用电话属正常；未列入名册的代理机构应补报
  en: Book-keeping agencies and branches of one legal entity; report an agency not on the list
--- */
-- Scope: all units that give a telephone; a lead, not proof. Branches count with their legal
-- entity, forms of one code count once, households without a code count singly.
-- Unknown: no telephone at all.
WITH phone AS (
  SELECT unit_id, TRANSLATE(phone_mobile, '- ()+', '') AS number,
    CASE WHEN LENGTH(parent_credit_code) = 18 THEN parent_credit_code
      ELSE COALESCE(credit_code, unit_id) END AS holder
  FROM unit WHERE phone_mobile IS NOT NULL
  UNION ALL
  SELECT unit_id, TRANSLATE(phone_fixed, '- ()+', '') AS number,
    CASE WHEN LENGTH(parent_credit_code) = 18 THEN parent_credit_code
      ELSE COALESCE(credit_code, unit_id) END AS holder
  FROM unit WHERE phone_fixed IS NOT NULL
),
declared AS (
  SELECT TRANSLATE(phone, '- ()+', '') AS number
  FROM agency WHERE phone IS NOT NULL GROUP BY TRANSLATE(phone, '- ()+', '')
),
often AS (SELECT number FROM phone GROUP BY number HAVING COUNT(*) >= :least),
shared AS (
  SELECT p.number, COUNT(DISTINCT p.holder) AS n, MIN(p.unit_id) AS first_id
  FROM often AS f
  JOIN phone AS p ON p.number = f.number
  LEFT JOIN declared AS d ON d.number = p.number
  WHERE d.number IS NULL AND p.number <> ''
  GROUP BY p.number
  HAVING COUNT(DISTINCT p.holder) >= :least
),
member AS (
  SELECT p.unit_id, MIN(p.number) AS number FROM phone AS p
  JOIN shared AS s ON s.number = p.number GROUP BY p.unit_id
),
second AS (
  SELECT p.number, MIN(p.unit_id) AS second_id FROM phone AS p
  JOIN shared AS s ON s.number = p.number AND s.first_id <> p.unit_id GROUP BY p.number
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CASE WHEN u.unit_id = s.first_id THEN o.second_id ELSE s.first_id END AS related_id,
  s.number AS observed,
  '共 ' || CAST(s.n AS STRING) || ' 家使用，应少于 ' || CAST(:least AS STRING) || ' 家' AS expected,
  CASE WHEN COALESCE(u.phone_mobile, u.phone_fixed) IS NOT NULL THEN s.n IS NULL END AS holds,
  MD5('DUP008|' || s.number) AS group_key
FROM unit AS u
LEFT JOIN member AS m ON m.unit_id = u.unit_id
LEFT JOIN shared AS s ON s.number = m.number
LEFT JOIN second AS o ON o.number = m.number
