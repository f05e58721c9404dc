/* ---
id: XSP011
name: cross_specialty.activity_and_industry
title:
  zh: 主要业务活动与行业代码不符
  en: The activity in words is not that of the industry code
family: cross_specialty
severity: query
clause: 三(三)2
level: 3
grain: unit
variable: activity
tables: [unit, ref_activity_word, ref_industry]
owner: specialty
version: 2
status: active
message:
  zh: 主要业务活动为“{observed}”，行业代码 {expected}
  en: "The activity in words and the industry code point to different divisions: {observed}; {expected}"
verify:
  zh: 到现场看实际从事的主要活动，改正行业代码或业务活动描述
  en: See what it mainly does; correct the code or the words
false_positives:
  zh: 兼营多种活动的按收入最大的活动，批零兼营等写法不规范的写明情况
  en: With several activities the largest counts; unusual wording needs a remark
--- */
-- Scope: units with an activity and an industry code in scope (others: COD010). The words of `ref_activity_word` in the text
-- point to divisions; the code's division must be among them. Unknown: no word is known.
WITH told AS (
  SELECT DISTINCT activity, industry_division FROM unit
  WHERE activity IS NOT NULL AND industry_in_scope
),
judged AS (
  SELECT t.activity, t.industry_division,
    MAX(CASE WHEN ('|' || w.divisions || '|') LIKE ('%|' || t.industry_division || '|%')
      THEN 1 ELSE 0 END) AS is_among
  FROM told AS t
  JOIN ref_activity_word AS w ON t.activity LIKE '%' || w.word || '%'
  GROUP BY t.activity, t.industry_division
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  u.activity AS observed,
  u.industry_code || COALESCE('（' || i.name_zh || '）', '') AS expected,
  j.is_among = 1 AS holds
FROM unit AS u
LEFT JOIN judged AS j ON j.activity = u.activity AND j.industry_division = u.industry_division
LEFT JOIN ref_industry AS i ON i.code = u.industry_code
WHERE u.activity IS NOT NULL AND u.industry_in_scope
