/* ---
id: FRM016
name: form.research_project_dates
title:
  zh: 研发项目起止时间有误
  en: Dates of a research project are wrong
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: end_ym
tables: [research_project, legal_entity]
owner: social_science
version: 1
status: active
parameters:
  first: {type: text, default: "201801", note: "first month of the reference year"}
  last: {type: text, default: "201812", note: "last month of the reference year"}
message:
  zh: 研发项目 {related} 起止时间 {observed}：{expected}
  en: Research project {related} runs {observed}, which does not fit the reference year
verify:
  zh: 核对立项和结题材料，改正起止年月；跨年未完成的完成年月填 000000
  en: See the project's papers and correct its months; a project that goes on ends with 000000
false_positives:
  zh: 跨年项目、当年新立项目照实填写
  en: Projects over several years, or begun in the year, are right
--- */
-- Scope: legal entities with projects; of several wrong projects the first one is told.
-- Unknown: none is wrong, and a month is missing.
WITH judged AS (
  SELECT unit_id, project_id, start_ym, end_ym,
    start_ym <= :last AND (end_ym = '000000' OR (start_ym <= end_ym AND end_ym >= :first)) AS holds
  FROM research_project
),
ranked AS (
  SELECT unit_id, project_id, start_ym, end_ym, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, project_id
    ) AS place
  FROM judged
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  r.project_id AS related_id,
  COALESCE(r.start_ym, '未填') || '—' || COALESCE(r.end_ym, '未填') AS observed,
  CASE
    WHEN r.start_ym > :last THEN '起始在报告期之后'
    WHEN r.start_ym > r.end_ym THEN '起始晚于完成'
    ELSE '完成在报告期之前'
  END AS expected,
  r.holds AS holds
FROM ranked AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
WHERE r.place = 1
