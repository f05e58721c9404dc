/* ---
id: DUP010
name: duplicate.unit_and_household
title:
  zh: 单位与个体经营户重复登记
  en: Enumerated as a unit and as a household
family: duplicate
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: name
tables: [unit, link]
owner: data_quality
version: 1
status: active
message:
  zh: 单位“{observed}”与个体经营户 {related}（{expected}）疑为同一单位，重复登记
  en: Household {related} is likely the same business, enumerated twice
verify:
  zh: 看营业执照：企业执照按单位登记，个体工商户执照按个体登记，两照并存的看人员和账目是否分开
  en: See the licence; an enterprise is a unit, a household a household; with both, see whether staff and accounts are apart
false_positives:
  zh: 个体户转企业后两照并存、同一建筑物内的不同经营者照实登记
  en: A household turned into a firm may hold both licences; other operators in the building stay
--- */
-- Scope: legal entities and establishments but headquarters. One name in one building, or a link.
-- Unknown: the matcher could not settle it (a possible link).
WITH pair AS (
  SELECT left_id AS unit_id, right_id AS household_id, decision FROM link
  WHERE right_table = 'self_employed' AND left_table IN ('legal_entity', 'establishment')
  UNION ALL
  SELECT right_id AS unit_id, left_id AS household_id, decision FROM link
  WHERE left_table = 'self_employed' AND right_table IN ('legal_entity', 'establishment')
  UNION ALL
  SELECT u.unit_id, h.unit_id AS household_id, 'link' AS decision
  FROM unit AS u
  JOIN unit AS h
    ON h.name_key = u.name_key AND h.region_code = u.region_code
    AND h.block_code = u.block_code AND h.building_code = u.building_code
  WHERE u.unit_kind IN ('1', '2') AND h.unit_kind = '3'
),
alike AS (
  SELECT unit_id,
    COALESCE(
      MIN(CASE WHEN decision = 'link' THEN household_id END), MIN(household_id)
    ) AS household_id,
    MAX(CASE WHEN decision = 'link' THEN 1 ELSE 0 END) AS is_linked
  FROM pair
  WHERE decision IN ('link', 'possible_link')
  GROUP BY unit_id
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  a.household_id AS related_id,
  u.name AS observed,
  h.name AS expected,
  CASE WHEN a.unit_id IS NULL THEN TRUE WHEN a.is_linked = 1 THEN FALSE END AS holds
FROM unit AS u
LEFT JOIN alike AS a ON a.unit_id = u.unit_id
LEFT JOIN unit AS h ON h.unit_id = a.household_id
WHERE u.unit_kind IN ('1', '2') AND COALESCE(u.is_headquarters, '2') <> '1'
