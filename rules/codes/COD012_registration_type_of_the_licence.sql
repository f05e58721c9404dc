/* ---
id: COD012
name: codes.registration_type_of_the_licence
title:
  zh: 登记注册类型与市场监管登记不符
  en: Registration type is not that of the market register
family: codes
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: registration_type
tables: [legal_entity, register_unit, ref_licence_type]
owner: data_quality
version: 1
status: active
message:
  zh: 登记注册类型（205）填 {observed}，市场监管登记（部门记录 {related}）为 {expected}
  en: Registration type (205) is {observed}, the market register (record {related}) has {expected}
verify:
  zh: 看营业执照的类型，对照登记注册类型与执照类型对照表改正
  en: See the licence's kind, and correct it by the crosswalk of licences and registration types
false_positives:
  zh: 变更登记后名录未更新、私营与其他有限责任公司按出资人划分的写明情况
  en: Registers lag behind changes; private and other companies are told apart by who holds the capital
--- */
-- Scope: legal entities whose code is in the market register (source 1) with a registration type,
-- or with a licence type that the crosswalk knows. One record that agrees is enough.
-- Unknown: the form's registration type is missing.
WITH compared AS (
  SELECT e.unit_id, r.record_id, COALESCE(w.registration_types, r.registration_type) AS types,
    ('|' || COALESCE(w.registration_types, r.registration_type) || '|')
      LIKE ('%|' || e.registration_type || '|%') AS agrees
  FROM legal_entity AS e
  JOIN register_unit AS r ON r.credit_code = e.credit_code AND r.source = '1'
  LEFT JOIN ref_licence_type AS w ON w.licence_type = r.licence_type
  WHERE COALESCE(w.registration_types, r.registration_type) IS NOT NULL
),
ranked AS (
  SELECT unit_id, record_id, types, agrees,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id ORDER BY CASE WHEN agrees THEN 0 ELSE 1 END, record_id
    ) AS place
  FROM compared
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  r.record_id AS related_id,
  e.registration_type AS observed,
  REPLACE(r.types, '|', ' 或 ') AS expected,
  r.agrees AS holds
FROM ranked AS r
JOIN legal_entity AS e ON e.unit_id = r.unit_id
WHERE r.place = 1
