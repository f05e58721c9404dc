/* ---
id: DIR001
name: direct_report.shared_origin
title:
  zh: 多个直报账号同日从同一地址或设备报送
  en: Several accounts file from one address or device on one day
family: direct_report
severity: query
clause: 三(二)2
level: 2
grain: account
variable: client_ip
tables: [submission, unit]
optional_tables: [agency, network_range]
owner: enforcement
version: 2
status: active
parameters:
  least: {type: integer, default: "3", note: "accounts of one origin and day from which on it is told"}
message:
  zh: 线索：同一日从同一地址或设备 {related} 报送的账号个数（账号，日期）：{observed}，{expected}；请核实是否代填代报，不能据此认定
  en: "Lead: accounts that filed on one day from one address or device, {related} (accounts, date): {observed}. Ask who filled in the forms; this alone proves nothing"
verify:
  zh: 逐户核实由谁、在何处、用何设备填报，查看企业留存的填报依据
  en: Ask each unit who filled in the forms, where and on which device; see the records kept there
false_positives:
  zh: 名册内代理记账机构、市场和园区共享出口除外；未列入名册的应补报；集团统一财务的写明情况
  en: Declared agencies and shared exits are left out; declare those that are missing; a group's common accounts need a remark
--- */
-- Scope: accounts. An address declared as an agency's excuses address and device, a shared exit the
-- address only. Addresses that are not public say nothing of the place.
-- Unknown: nothing shared, but a submission came without address and device.
WITH exempt AS (
  SELECT first_address, last_address, kind FROM network_range WHERE kind IN ('3', '4')
  UNION ALL
  SELECT client_address AS first_address, client_address AS last_address, '3' AS kind FROM agency
),
declared AS (
  SELECT a.client_address, MIN(e.kind) AS kind
  FROM (SELECT DISTINCT client_address FROM submission) AS a
  JOIN exempt AS e ON a.client_address BETWEEN e.first_address AND e.last_address
  GROUP BY a.client_address
),
filed AS (
  SELECT s.account, s.unit_id, s.submitted_day, LEFT(CAST(s.submitted_at AS STRING), 10) AS day,
    CASE WHEN s.client_public AND d.kind IS NULL THEN s.client_address END AS address,
    CASE WHEN COALESCE(d.kind, '') <> '3' THEN s.device_id END AS device,
    s.client_ip, d.kind IS NULL AND COALESCE(s.client_public, FALSE) = FALSE
      AND s.device_id IS NULL AS blind
  FROM submission AS s LEFT JOIN declared AS d ON d.client_address = s.client_address
),
origin AS (
  SELECT account, submitted_day, day, address AS origin, client_ip AS shown FROM filed
  WHERE address IS NOT NULL
  UNION ALL
  SELECT account, submitted_day, day, device AS origin, device AS shown FROM filed
  WHERE device IS NOT NULL
),
shared AS (
  SELECT origin, submitted_day, COUNT(DISTINCT account) AS n, MIN(shown) AS shown,
    MIN(account) || ' … ' || MAX(account) || '，' || MIN(day) AS who FROM origin
  GROUP BY origin, submitted_day HAVING COUNT(DISTINCT account) >= :least
),
told AS (
  SELECT o.account, s.n, s.shown, s.who, ROW_NUMBER() OVER (
    PARTITION BY o.account ORDER BY s.n DESC, s.shown, s.submitted_day) AS place
  FROM origin AS o
  JOIN shared AS s ON s.origin = o.origin AND s.submitted_day = o.submitted_day
),
filer AS (
  SELECT account, MIN(unit_id) AS unit_id, MAX(CASE WHEN blind THEN 1 ELSE 0 END) AS blind
  FROM filed GROUP BY account
)
SELECT f.account AS subject_id, u.region_code AS region_code, t.shown AS related_id,
  CAST(t.n AS STRING) || '（' || t.who || '）' AS observed,
  '应少于 ' || CAST(:least AS STRING) || ' 个' AS expected,
  CASE WHEN t.n IS NOT NULL THEN FALSE WHEN f.blind = 0 THEN TRUE END AS holds,
  MD5('DIR001|' || t.shown) AS group_key
FROM filer AS f
LEFT JOIN told AS t ON t.account = f.account AND t.place = 1
LEFT JOIN unit AS u ON u.unit_id = f.unit_id
