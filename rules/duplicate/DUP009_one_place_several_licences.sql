/* ---
id: DUP009
name: duplicate.one_place_several_licences
title:
  zh: 一户多照：同一负责人在同一建筑物有多个法人单位
  en: One person has several legal entities in one building
family: duplicate
severity: query
clause: 三(三)2
level: 1
grain: unit
variable: legal_rep
tables: [legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 法定代表人 {observed} 在同一建筑物还有单位 {related}，{expected}，须看是否一户多照
  en: The same legal representative has unit {related} in the same building; see whether it is one business under several licences
verify:
  zh: 看人员、账目是否分开：分别核算的各按一个法人单位登记，不能分开的合并为一个
  en: See whether staff and accounts are kept apart; separate accounts make separate legal entities, otherwise they are one
false_positives:
  zh: 人员和账目分开的一户多照照实分别登记；同名不同人的写明情况
  en: Businesses with staff and accounts of their own stay; namesakes need a remark
--- */
-- Scope: legal entities that are enterprises. Unknown: no person, block or building.
-- Same code throughout is DUP001's matter.
WITH holder AS (
  SELECT unit_id, region_code, credit_code, REPLACE(legal_rep, ' ', '') AS person,
    region_code || block_code || '|' || building_code AS place
  FROM legal_entity
  WHERE COALESCE(institution_type, '10') = '10'
),
several AS (
  SELECT person, place, COUNT(*) AS n, MIN(unit_id) AS first_id
  FROM holder
  WHERE person IS NOT NULL AND place IS NOT NULL
  GROUP BY person, place
  HAVING COUNT(*) > 1
    AND (COUNT(credit_code) < COUNT(*) OR MIN(credit_code) <> MAX(credit_code))
),
second AS (
  SELECT s.person, s.place, MIN(h.unit_id) AS second_id
  FROM holder AS h
  JOIN several AS s ON s.person = h.person AND s.place = h.place
  WHERE h.unit_id <> s.first_id
  GROUP BY s.person, s.place
)
SELECT
  h.unit_id AS subject_id,
  h.region_code AS region_code,
  CASE WHEN h.unit_id = s.first_id THEN o.second_id ELSE s.first_id END AS related_id,
  h.person AS observed,
  '共 ' || CAST(s.n AS STRING) || ' 个单位' AS expected,
  CASE WHEN h.person IS NOT NULL AND h.place IS NOT NULL THEN s.n IS NULL END AS holds,
  MD5('DUP009|' || s.person || '|' || s.place) AS group_key
FROM holder AS h
LEFT JOIN several AS s ON s.person = h.person AND s.place = h.place
LEFT JOIN second AS o ON o.person = h.person AND o.place = h.place
