/* ---
id: SEC001
name: confidential.located_on_a_visit
title:
  zh: 保密单位有现场采集（定位、照片）记录
  en: A field visit (position, photographs) recorded for a confidential unit
family: confidential
severity: fatal
clause: 三(九)6
level: 1
grain: row
variable: file
tables: [confidential_digest]
optional_tables: [rejected_row, delivered_file]
owner: data_processing
version: 1
status: active
conclusion: true
message:
  zh: 现场采集文件的这一行（文件#行号）是保密单位的记录，不得对其定位、拍照；已拦截，内容没有写入任何地方
  en: This row of the field visits (file#row) is of a confidential unit, which may be neither located nor photographed; it was stopped and written nowhere
verify:
  zh: 立即通知报送单位从PAD和现场采集系统中删除该记录及其照片，查明由谁采集，按保密规定报告
  en: Have the sender delete the record and its photographs from the tablet and the visit system at once, find out who took them, and report it as the secrecy rules say
false_positives:
  zh: 保密单位名册过期或单位标识重用的，由保密工作人员核对名册原件后更正摘要名册
  en: Where the list is out of date or a unit's id was used again, the secrecy officer compares the original and corrects the list of digests
--- */
-- Scope: every delivered file of visits with no such row, and every row of visits of a confidential
-- unit. Whether the record holds a position or a photograph is not looked at: nothing is kept.
-- Without digests of confidential units nothing is judged.
-- Unknown: a file of visits that could not be read.
WITH listed AS (
  SELECT COUNT(*) AS n FROM confidential_digest
),
visit_file AS (
  SELECT d.file FROM delivered_file AS d WHERE d.table_name = 'visit'
),
refused AS (
  SELECT r.file, MAX(CASE WHEN r.reason = 'confidential' THEN 1 ELSE 0 END) AS secret,
    MAX(CASE WHEN r.row = 0 THEN 1 ELSE 0 END) AS unread
  FROM rejected_row AS r
  GROUP BY r.file
)
SELECT
  v.file AS subject_id,
  CAST(NULL AS STRING) AS region_code,
  CAST(NULL AS STRING) AS observed,
  CAST(NULL AS STRING) AS expected,
  CASE WHEN COALESCE(f.unread, 0) = 0 THEN TRUE END AS holds
FROM visit_file AS v
LEFT JOIN refused AS f ON f.file = v.file
JOIN listed AS l ON l.n > 0
WHERE COALESCE(f.secret, 0) = 0
UNION ALL
SELECT
  r.file || '#' || CAST(r.row AS STRING) AS subject_id,
  CAST(NULL AS STRING) AS region_code,
  CAST(NULL AS STRING) AS observed,
  CAST(NULL AS STRING) AS expected,
  FALSE AS holds
FROM rejected_row AS r
JOIN visit_file AS v ON v.file = r.file
WHERE r.reason = 'confidential'
