/* ---
id: DIR003
name: direct_report.assembly_line
title:
  zh: 同一来源的不同账号连续流水报送
  en: Different accounts filed one after the other from one origin
family: direct_report
severity: query
clause: 三(二)2
level: 2
grain: account
variable: submitted_at
tables: [submission, unit]
optional_tables: [agency, network_range]
owner: enforcement
version: 2
status: active
parameters:
  gap: {type: integer, default: "300", note: "seconds between two submissions below which they follow each other"}
  least: {type: integer, default: "5", note: "changes of account in a row from which on it is told"}
  accounts: {type: integer, default: "3", note: "different accounts of the row from which on it is told"}
message:
  zh: 线索：同一来源 {related} 的报送一户接一户，连续换账号次数（账号，时间）：{observed}；请核实是否代填代报，不能据此认定
  en: "Lead: submissions from {related} followed each other without a pause; changes of account in a row (accounts, time): {observed}. Ask who filled in the forms; this alone proves nothing"
verify:
  zh: 逐户核实由谁、在何处填报，对照企业账目看数据来源
  en: Ask each unit who filled in the forms and where; compare the figures with its books
false_positives:
  zh: 名册内代理机构除外；共享出口只看设备；截止日前集中办公填报的写明情况
  en: Declared agencies are left out, shared exits count by device only; a common session before the deadline needs a remark
--- */
-- Scope: accounts. A row is broken by a gap of :gap seconds; forms of one account after each other
-- neither break nor lengthen it, and two accounts that take turns are no line. Exceptions as in
-- DIR001. Unknown: no row found, but a submission came without address and device.
WITH exempt AS (
  SELECT first_address, last_address, kind FROM network_range WHERE kind IN ('3', '4')
  UNION ALL SELECT client_address AS first_address, client_address AS last_address, '3' AS kind FROM agency
),
declared AS (
  SELECT a.client_address, MIN(e.kind) AS kind
  FROM (SELECT DISTINCT client_address FROM submission) AS a
  JOIN exempt AS e ON a.client_address BETWEEN e.first_address AND e.last_address GROUP BY a.client_address
),
filed AS (
  SELECT s.account, s.unit_id, s.submission_id, s.submitted_second, s.submitted_at,
    CASE WHEN s.client_public AND d.kind IS NULL THEN s.client_ip END AS address,
    CASE WHEN COALESCE(d.kind, '') <> '3' THEN s.device_id END AS device,
    d.kind IS NULL AND COALESCE(s.client_public, FALSE) = FALSE AND s.device_id IS NULL AS blind
  FROM submission AS s LEFT JOIN declared AS d ON d.client_address = s.client_address
),
origin AS (
  SELECT address AS origin, account, submission_id, submitted_second, submitted_at FROM filed
  UNION ALL SELECT device AS origin, account, submission_id, submitted_second, submitted_at FROM filed
),
follow AS (
  SELECT origin, account, submission_id, submitted_second, submitted_at,
    MAX(submitted_second) OVER (PARTITION BY origin ORDER BY submitted_second, submission_id
      ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS second_before,
    MAX(account) OVER (PARTITION BY origin ORDER BY submitted_second, submission_id
      ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS account_before
  FROM origin WHERE origin IS NOT NULL
),
marked AS (
  SELECT origin, account, submitted_at,
    SUM(CASE WHEN submitted_second - second_before < :gap THEN 0 ELSE 1 END)
      OVER (PARTITION BY origin ORDER BY submitted_second, submission_id) AS line_no,
    CASE WHEN submitted_second - second_before < :gap AND account <> account_before
      THEN 1 ELSE 0 END AS swap
  FROM follow
),
line AS (
  SELECT origin, line_no, SUM(swap) AS n, MIN(account) || ' … ' || MAX(account) || '，'
    || LEFT(CAST(MIN(submitted_at) AS STRING), 19) || '–'
    || SUBSTRING(CAST(MAX(submitted_at) AS STRING), 12, 8) AS who FROM marked
  GROUP BY origin, line_no HAVING SUM(swap) >= :least AND COUNT(DISTINCT account) >= :accounts
),
told AS (
  SELECT m.account, l.origin, l.n, l.who, ROW_NUMBER() OVER (
    PARTITION BY m.account ORDER BY l.n DESC, l.origin, l.line_no) AS place
  FROM marked AS m JOIN line AS l ON l.origin = m.origin AND l.line_no = m.line_no
),
filer AS (
  SELECT account, MIN(unit_id) AS unit_id, MAX(CASE WHEN blind THEN 1 ELSE 0 END) AS blind FROM filed GROUP BY account
)
SELECT f.account AS subject_id, u.region_code AS region_code, t.origin AS related_id,
  CAST(t.n AS STRING) || '（' || t.who || '）' AS observed,
  '间隔 ' || CAST(:gap AS STRING) || ' 秒内应少于 ' || CAST(:least AS STRING) || ' 次' AS expected,
  CASE WHEN t.n IS NOT NULL THEN FALSE WHEN f.blind = 0 THEN TRUE END AS holds,
  MD5('DIR003|' || t.origin) AS group_key
FROM filer AS f LEFT JOIN told AS t ON t.account = f.account AND t.place = 1
LEFT JOIN unit AS u ON u.unit_id = f.unit_id
