/* ---
id: SEC002
name: confidential.in_the_delivery
title:
  zh: 保密单位数据进入联网报送
  en: A confidential unit in the networked delivery
family: confidential
severity: fatal
clause: 三(九)3
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
  zh: 报送文件的这一行（文件#行号）是保密单位，已拦截，内容没有写入任何地方
  en: This row of a delivered file (file#row) is a confidential unit's; it was stopped and written nowhere
verify:
  zh: 通知报送单位从文件和报送系统中删除该行，按保密规定另行处理；查明如何进入联网环境，不得在工作簿、邮件中写出单位名称
  en: Have the sender take the row out of the file and of its system and handle it as the secrecy rules say; find out how it came in, and name the unit in no workbook or mail
false_positives:
  zh: 保密单位名册过期或同名的，由保密工作人员核对名册原件后更正摘要名册
  en: Where the list is out of date or another unit has the same name, the secrecy officer compares the original and corrects the list of digests
--- */
-- Scope: every delivered file with no such row, and every row of a confidential unit. No region,
-- code or name is known of such a row, nor may it be.
-- Without digests of confidential units nothing is judged.
-- Unknown: a file that could not be read.
WITH listed AS (
  SELECT COUNT(*) AS n FROM confidential_digest
),
refused AS (
  SELECT r.file, MAX(CASE WHEN r.reason = 'confidential' THEN 1 ELSE 0 END) AS secret,
    MAX(CASE WHEN r.row = 0 THEN 1 ELSE 0 END) AS unread
  FROM rejected_row AS r
  GROUP BY r.file
)
SELECT
  d.file AS subject_id,
  CAST(NULL AS STRING) AS region_code,
  CAST(NULL AS STRING) AS observed,
  CAST(NULL AS STRING) AS expected,
  CASE WHEN COALESCE(f.unread, 0) = 0 THEN TRUE END AS holds
FROM delivered_file AS d
LEFT JOIN refused AS f ON f.file = d.file
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
WHERE r.reason = 'confidential'
