/* ---
id: DIR006
name: direct_report.implausible_first_filing
title:
  zh: 首报即定，填报用时过短
  en: Filed at once, too fast to have been filled in there
family: direct_report
severity: query
clause: 三(二)2
level: 2
grain: unit
variable: submitted_at
tables: [submission, unit]
optional_tables: [edit_event]
owner: data_quality
version: 1
status: active
parameters:
  seconds: {type: integer, default: "120", note: "shortest time in which so many cells can be filled in"}
  cells: {type: integer, default: "50", note: "cells above which the time is looked at"}
message:
  zh: 线索：一张报表（报送流水号 {related}）{observed}，{expected}；请核实数据来自何处、由谁填报，不能据此认定
  en: "Lead: a form (submission {related}) was filed after {observed} (seconds, cells), never saved and never corrected. Ask where the figures came from; this alone proves nothing"
verify:
  zh: 问填报人如何填报，看有无纸质底稿、台账或导入文件，是否由他人提供数据
  en: Ask how it was filled in; see paper drafts, ledgers or an import file, and whether others gave the figures
false_positives:
  zh: 用模板或财务软件导入的可以很快，写明导入方式即可
  en: An import from a template or from accounting software is fast; a remark is enough
--- */
-- Scope: units that filed. A form is told when it is the first filing of that form, has more than
-- :cells cells, took less than :seconds, was never saved, and the respondent (role 1) never edited
-- the unit. Unknown: no form is told, but times, saves or cells of one are missing or run backwards.
WITH first_filing AS (
  SELECT unit_id, form, MIN(submitted_second) AS submitted_second FROM submission
  GROUP BY unit_id, form
),
edited AS (
  SELECT unit_id FROM edit_event WHERE editor_role = '1' GROUP BY unit_id
),
judged AS (
  SELECT s.unit_id, s.submission_id, s.fill_seconds, s.cells,
    s.cells <= :cells OR s.saves > 0
      OR CASE WHEN s.fill_seconds >= 0 THEN s.fill_seconds >= :seconds END AS sound
  FROM submission AS s
  JOIN first_filing AS f ON f.unit_id = s.unit_id AND f.form = s.form
    AND f.submitted_second = s.submitted_second
),
ranked AS (
  SELECT unit_id, submission_id, fill_seconds, cells,
    CASE WHEN sound THEN 0 WHEN NOT sound THEN 2 ELSE 1 END AS state,
    ROW_NUMBER() OVER (PARTITION BY unit_id ORDER BY
      CASE WHEN sound THEN 0 WHEN NOT sound THEN 2 ELSE 1 END DESC, submission_id) AS place
  FROM judged
)
SELECT r.unit_id AS subject_id, u.region_code AS region_code,
  CASE WHEN r.state = 2 THEN r.submission_id END AS related_id,
  '用时 ' || CAST(r.fill_seconds AS STRING) || ' 秒、填报 ' || CAST(r.cells AS STRING) || ' 项' AS observed,
  '未暂存、未修改即报送' AS expected,
  CASE WHEN r.state = 0 OR e.unit_id IS NOT NULL THEN TRUE WHEN r.state = 2 THEN FALSE END AS holds
FROM ranked AS r
LEFT JOIN edited AS e ON e.unit_id = r.unit_id
LEFT JOIN unit AS u ON u.unit_id = r.unit_id
WHERE r.place = 1
