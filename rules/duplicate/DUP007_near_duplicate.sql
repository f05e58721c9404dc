/* ---
id: DUP007
name: duplicate.near_duplicate
title:
  zh: 近似重名的单位疑为同一单位
  en: Units of nearly the same name are likely one unit
family: duplicate
severity: query
clause: 三(三)2
level: 1
grain: unit
variable: name
tables: [unit, link]
optional_tables: [cluster]
owner: data_quality
version: 1
status: active
parameters:
  suspected: {type: number, default: "0.2", note: "a possible link of at least this probability is asked where person, township and a missing code speak for one unit"}
message:
  zh: 单位名称“{observed}”与单位 {related}（{expected}）写法不同，综合代码、名称、电话、负责人、地址判断疑为同一单位
  en: Unit {related} has another spelling of the name; code, name, telephone, person and address taken together say that it may be the same unit
verify:
  zh: 核对双方证照、公章、负责人和经营地点，是同一单位的只保留一份表，不是的在匹配复核表中注明不同单位
  en: Compare licences, seals, persons and places; keep one form of one unit, or say in the review workbook that they are two
false_positives:
  zh: 同一业主的几家公司、同一法人的分支机构、本部与法人、同一市场的摊位由匹配器区分；证照齐全的照实登记
  en: One owner's several firms, branches, headquarters and market stalls are told apart by the matcher; licensed units stay
--- */
-- Scope: all units but headquarters; a unit and a household are DUP010's matter, equal codes those
-- of DUP001 to DUP004, equal names those of DUP005 and DUP006.
-- A link fails; so does a possible one of the same person in the same township where a code is
-- missing. Unknown: the matcher could not settle it otherwise.
WITH pair AS (
  SELECT left_id AS unit_id, right_id AS other_id, decision, probability FROM link
  UNION ALL
  SELECT right_id AS unit_id, left_id AS other_id, decision, probability FROM link
),
judged AS (
  SELECT p.unit_id, p.other_id, p.probability,
    CASE WHEN p.decision = 'link' OR (p.probability >= :suspected
      AND REPLACE(u.person, ' ', '') = REPLACE(o.person, ' ', '')
      AND u.township_code = o.township_code AND u.unit_kind = o.unit_kind
      AND (u.credit_code IS NULL OR o.credit_code IS NULL)) THEN 1 ELSE 0 END AS is_told
  FROM pair AS p
  JOIN unit AS u ON u.unit_id = p.unit_id
  JOIN unit AS o ON o.unit_id = p.other_id
  WHERE p.decision IN ('link', 'possible_link')
    AND (u.unit_kind = '3') = (o.unit_kind = '3')
    AND COALESCE(u.is_headquarters, '2') <> '1' AND COALESCE(o.is_headquarters, '2') <> '1'
    AND u.name_key <> o.name_key
    AND COALESCE(u.credit_code <> o.credit_code, TRUE)
),
near AS (
  SELECT p.unit_id,
    COALESCE(MIN(CASE WHEN p.is_told = 1 THEN p.other_id END), MIN(p.other_id)) AS other_id,
    MAX(p.is_told) AS is_linked,
    MAX(CASE WHEN p.is_told = 1 THEN p.probability END) AS probability
  FROM judged AS p
  GROUP BY p.unit_id
),
member AS (
  SELECT c.unit_id, f.first_id FROM cluster AS c
  JOIN (SELECT cluster_id, MIN(unit_id) AS first_id FROM cluster GROUP BY cluster_id) AS f
    ON f.cluster_id = c.cluster_id
)
SELECT u.unit_id AS subject_id, u.region_code AS region_code, n.other_id AS related_id,
  u.name AS observed, o.name AS expected, n.probability AS score,
  CASE WHEN n.unit_id IS NULL THEN TRUE WHEN n.is_linked = 1 THEN FALSE END AS holds,
  MD5('DUP007|' || COALESCE(m.first_id, LEAST(u.unit_id, n.other_id))) AS group_key
FROM unit AS u
LEFT JOIN near AS n ON n.unit_id = u.unit_id
LEFT JOIN unit AS o ON o.unit_id = n.other_id
LEFT JOIN member AS m ON m.unit_id = u.unit_id
WHERE COALESCE(u.is_headquarters, '2') <> '1'
