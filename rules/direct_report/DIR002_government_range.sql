/* ---
id: DIR002
name: direct_report.government_range
title:
  zh: 从政府机关或园区管委会网段报送
  en: Filed from the network of a government body or a park office
family: direct_report
severity: query
clause: 三(二)2
level: 2
grain: account
variable: client_ip
tables: [submission, network_range, unit]
owner: enforcement
version: 1
status: active
parameters:
  kinds: {type: list, default: "1|2", note: "kinds of network range (list network_kind) that no respondent files from"}
  own: {type: list, default: "20|30", note: "institution types (item 211) whose own office may stand in such a range"}
message:
  zh: 线索：该账号从 {related} 报送，该地址属于{observed}的网段；{expected}，请核实是否代填代报，不能据此认定
  en: "Lead: this account filed from {related}, an address in the network of {observed}. Ask who filled in the forms; this alone proves nothing"
verify:
  zh: 核实由谁、在何处填报，是否有机构指定数据或代填代报
  en: Ask who filled in the forms and where, and whether an office gave the figures
false_positives:
  zh: 园区对企业开放的共享出口应在网段名册中单列（类别 4）；企业就地求助、自己填报的写明情况
  en: Declare a park's exit for its firms as kind 4; a respondent who filed by itself at a help desk needs a remark
--- */
-- Scope: accounts; those of public institutions and government bodies are not, and nor is the
-- holder of the range. The narrowest range with the address counts, so a shared exit inside a
-- park's network is no office. Unknown: an address cannot be read, or a range of the list cannot.
WITH ranged AS (
  SELECT a.client_address, r.kind, r.holder, ROW_NUMBER() OVER (
    PARTITION BY a.client_address ORDER BY r.first_address DESC, r.last_address, r.kind DESC) AS place
  FROM (SELECT DISTINCT client_address FROM submission) AS a
  JOIN network_range AS r ON a.client_address BETWEEN r.first_address AND r.last_address
),
office AS (
  SELECT client_address, COALESCE(holder, '未注明单位') AS holder
  FROM ranged WHERE place = 1 AND kind IN :kinds
),
unread AS (
  SELECT COUNT(*) AS n FROM network_range WHERE kind IN :kinds AND first_address IS NULL
),
filed AS (
  SELECT s.account, u.region_code, s.client_ip, o.holder,
    CASE WHEN o.holder IS NOT NULL THEN 2 WHEN s.client_address IS NULL THEN 1 ELSE 0 END AS state
  FROM submission AS s
  LEFT JOIN unit AS u ON u.unit_id = s.unit_id
  LEFT JOIN office AS o ON o.client_address = s.client_address
    AND (u.name IS NULL OR o.holder <> u.name)
  WHERE u.institution_type IS NULL OR u.institution_type NOT IN :own
)
SELECT
  f.account AS subject_id,
  MIN(f.region_code) AS region_code,
  MIN(CASE WHEN f.state = 2 THEN f.client_ip END) AS related_id,
  MIN(f.holder) AS observed,
  '应由单位自行报送' AS expected,
  CASE WHEN MAX(f.state) = 2 THEN FALSE WHEN MAX(f.state) = 0 AND MAX(n.n) = 0 THEN TRUE END AS holds,
  MD5('DIR002|' || MIN(f.holder)) AS group_key
FROM filed AS f CROSS JOIN unread AS n
GROUP BY f.account
