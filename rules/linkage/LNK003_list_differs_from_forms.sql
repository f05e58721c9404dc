/* ---
id: LNK003
name: linkage.list_differs_from_forms
title:
  zh: 产业活动单位清单与收到的产业活动单位表不一致
  en: The list of establishments differs from the establishment forms received
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: n_establishments
tables: [legal_entity, establishment_list, establishment]
owner: data_quality
version: 1
status: active
parameters:
  city: {type: text, default: "4304", note: "first four digits of the audited city: only lines inside it must come back"}
message:
  zh: 清单列市内产业活动单位 {expected} 个；与收到的产业活动单位表相比为 {observed}（+ 收到而清单未列，- 清单已列而未收到）
  en: The list has {expected} establishments inside the city; compared with the forms received {observed} (+ received and not listed, - listed and not received)
verify:
  zh: 已列未收的到清单所列地点补登或核销；收到未列的补入清单，或改正其归属法人代码
  en: Enumerate or strike out what was listed and never came; add to the list what came unlisted, or correct its parent code
false_positives:
  zh: 分支机构代码填错时会同时算一增一减；已在外县登记而归属法人代码漏填的，补填即可
  en: A wrong code on a branch counts as one more and one less; a branch enumerated without its parent's code needs only that code
--- */
-- Scope: legal entities with a list. A line is met by a form that names the legal entity as its
-- parent and has the same credit code, or is its headquarters as well, or has the same name where one
-- of the two gives no code. Lines outside the city go to the other city.
-- Unknown: the legal entity has no credit code; or an unmet line has no region.
WITH pair AS (
  SELECT e.unit_id AS unit_id, l.line_no AS line_no, c.unit_id AS child_id
  FROM legal_entity AS e
  JOIN establishment_list AS l ON l.legal_unit_id = e.unit_id
  JOIN establishment AS c ON c.parent_credit_code = e.credit_code
  WHERE c.credit_code = l.credit_code
    OR (c.is_headquarters = '1' AND l.is_headquarters = '1')
    OR ((c.credit_code IS NULL OR l.credit_code IS NULL) AND c.name_key = l.name_key)
),
listed AS (
  SELECT
    l.legal_unit_id AS unit_id,
    COUNT(CASE WHEN LEFT(l.region_code, 4) = :city THEN 1 END) AS n_listed,
    COUNT(CASE WHEN p.line_no IS NULL AND LEFT(l.region_code, 4) = :city THEN 1 END) AS n_missing,
    COUNT(CASE WHEN p.line_no IS NULL AND l.region_code IS NULL THEN 1 END) AS n_doubtful
  FROM establishment_list AS l
  LEFT JOIN (SELECT unit_id, line_no FROM pair GROUP BY unit_id, line_no) AS p
    ON p.unit_id = l.legal_unit_id AND p.line_no = l.line_no
  GROUP BY l.legal_unit_id
),
unlisted AS (
  SELECT e.unit_id AS unit_id, COUNT(*) AS n_unlisted, MIN(c.unit_id) AS child_id
  FROM legal_entity AS e
  JOIN establishment AS c ON c.parent_credit_code = e.credit_code
  LEFT JOIN (SELECT unit_id, child_id FROM pair GROUP BY unit_id, child_id) AS p
    ON p.unit_id = e.unit_id AND p.child_id = c.unit_id
  WHERE p.child_id IS NULL
  GROUP BY e.unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  u.child_id AS related_id,
  '+' || CAST(COALESCE(u.n_unlisted, 0) AS STRING) || ' -' || CAST(l.n_missing AS STRING)
    AS observed,
  CAST(l.n_listed AS STRING) AS expected,
  CASE
    WHEN e.credit_code IS NULL THEN NULL
    WHEN u.n_unlisted > 0 OR l.n_missing > 0 THEN FALSE
    WHEN l.n_doubtful = 0 THEN TRUE
  END AS holds
FROM legal_entity AS e
JOIN listed AS l ON l.unit_id = e.unit_id
LEFT JOIN unlisted AS u ON u.unit_id = e.unit_id
