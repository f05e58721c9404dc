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
version: 2
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two: only lines inside it must come back"}
message:
  zh: "{observed}，与收到的产业活动单位表不一致：{expected}"
  en: The list of establishments inside the audited region differs from the establishment forms received
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
  SELECT e.unit_id AS unit_id, l.line_no AS line_no, c.unit_id AS child_id FROM legal_entity AS e
  JOIN establishment_list AS l ON l.legal_unit_id = e.unit_id
  JOIN establishment AS c ON c.parent_credit_code = e.credit_code
  WHERE c.credit_code = l.credit_code
    OR (c.is_headquarters = '1' AND l.is_headquarters = '1')
    OR ((c.credit_code IS NULL OR l.credit_code IS NULL) AND c.name_key = l.name_key)
),
listed AS (
  SELECT
    l.legal_unit_id AS unit_id,
    COUNT(CASE WHEN l.region_code LIKE :city || '%' THEN 1 END) AS n_listed,
    COUNT(CASE WHEN p.line_no IS NULL AND l.region_code IS NULL THEN 1 END) AS n_doubtful
  FROM establishment_list AS l
  LEFT JOIN (SELECT unit_id, line_no FROM pair GROUP BY unit_id, line_no) AS p
    ON p.unit_id = l.legal_unit_id AND p.line_no = l.line_no GROUP BY l.legal_unit_id
),
odd AS (
  SELECT l.legal_unit_id AS unit_id, 1 AS side, l.line_no AS line_no, '' AS child_id,
    '第 ' || CAST(l.line_no AS STRING) || ' 行 ' || COALESCE(l.name, '') AS words
  FROM establishment_list AS l LEFT JOIN pair AS p ON p.unit_id = l.legal_unit_id
    AND p.line_no = l.line_no WHERE p.line_no IS NULL AND l.region_code LIKE :city || '%'
  UNION ALL
  SELECT e.unit_id, 2, 0, c.unit_id, COALESCE(c.name, c.unit_id)
  FROM legal_entity AS e JOIN establishment AS c ON c.parent_credit_code = e.credit_code
  LEFT JOIN pair AS p ON p.unit_id = e.unit_id AND p.child_id = c.unit_id WHERE p.child_id IS NULL
),
placed AS (
  SELECT unit_id, side, child_id, words,
    ROW_NUMBER() OVER (PARTITION BY unit_id, side ORDER BY line_no, child_id) AS place FROM odd
),
told AS (
  SELECT unit_id, side, COUNT(*) AS n, MIN(child_id) AS child_id,
    CAST(COUNT(*) AS STRING) || ' 个（' || MIN(CASE WHEN place = 1 THEN words END)
    || COALESCE('、' || MIN(CASE WHEN place = 2 THEN words END), '')
    || COALESCE('、' || MIN(CASE WHEN place = 3 THEN words END), '')
    || CASE WHEN COUNT(*) > 3 THEN '等）' ELSE '）' END AS words
  FROM placed GROUP BY unit_id, side
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  u.child_id AS related_id,
  '清单列市内产业活动单位 ' || CAST(l.n_listed AS STRING) || ' 个' AS observed,
  COALESCE('已列未收 ' || m.words, '')
    || CASE WHEN m.n > 0 AND u.n > 0 THEN '；' ELSE '' END
    || COALESCE('收到未列 ' || u.words, '') AS expected,
  CASE
    WHEN e.credit_code IS NULL THEN NULL
    WHEN u.n > 0 OR m.n > 0 THEN FALSE
    WHEN l.n_doubtful = 0 THEN TRUE
  END AS holds
FROM legal_entity AS e
JOIN listed AS l ON l.unit_id = e.unit_id
LEFT JOIN told AS m ON m.unit_id = e.unit_id AND m.side = 1
LEFT JOIN told AS u ON u.unit_id = e.unit_id AND u.side = 2
