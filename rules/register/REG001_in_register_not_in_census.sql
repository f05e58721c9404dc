/* ---
id: REG001
name: register.in_register_not_in_census
title:
  zh: 部门名录存续而普查没有登记
  en: Active in a register, not in the census
family: register
severity: query
clause: 三(一)3
level: 4
grain: register
variable: outcome
tables: [register_unit, unit]
optional_tables: [frame_unit, link]
owner: data_quality
version: 3
status: active
same_fact: [REG011, REG010]
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two"}
  reference_date: {type: date, default: "2018-12-31", note: "units opened later are out of scope"}
  authorities: {type: list, default: "1|3|4", note: "registers of the authorities that register units and strike them off"}
  sources: {type: list, default: "1|2|3|4|5|6", note: "registers whose records are units; 7 holds electricity accounts, 8 and 9 units that their own departments count"}
message:
  zh: 部门名录（{related}）中存续，未找到代码或名称相同的普查表；底册核实结果：{observed}
  en: Active in a register ({related}), and no census form with the same code or name was found
verify:
  zh: 电话联系并到登记住所、经营地点查找；找到的补登，确已停业、迁出或注销的在底册注明核实结果
  en: Telephone, and look at the registered and the operating address; enumerate it, or give the frame line its outcome
false_positives:
  zh: 登记机关已注销、吊销而只在社保等名录存续的无法判定；注册未经营、登记住所不是经营地、已停业未注销的常见；代码填错、名称差一字的留给名录匹配判断
  en: Units that their registering authority has struck off, active elsewhere only, stay unknown; firms that never traded, live elsewhere or stopped without deregistering are common; wrong codes and names one character off are left to the matcher
--- */
-- Scope: all frame lines; and units of the registers in no frame line: one row a unit, at its first
-- record. Same unit: same credit code, or same name and county where neither side gives a code,
-- or a link.
-- Unknown: an unresolved frame line of which no register record is to be found; a unit that other
-- registers hold active, but the authority that registers units does not.
WITH linked AS (
  SELECT right_id AS record_id FROM link
  WHERE decision = 'link' AND right_table = 'register_unit' AND left_table <> 'register_unit'
  UNION
  SELECT left_id AS record_id FROM link
  WHERE decision = 'link' AND left_table = 'register_unit' AND right_table <> 'register_unit'
),
registered AS (
  SELECT
    COALESCE(r.credit_code, r.name_key || '|' || r.county_code, r.record_id) AS unit_key,
    MAX(CASE WHEN k.record_id IS NOT NULL THEN 1 ELSE 0 END) AS is_linked,
    MIN(CASE WHEN r.status = '1' THEN r.record_id END) AS active_id,
    MIN(CASE WHEN r.status = '1' THEN r.region_code END) AS region_code,
    MAX(CASE WHEN r.source NOT IN :authorities OR r.status IS NULL THEN 0
      WHEN r.status = '1' THEN 2 ELSE 1 END) AS authority
  FROM register_unit AS r
  LEFT JOIN linked AS k ON k.record_id = r.record_id
  WHERE r.source IN :sources AND COALESCE(r.region_code, :city) LIKE :city || '%'
    AND (r.opened_on IS NULL OR r.opened_on <= :reference_date)
  GROUP BY COALESCE(r.credit_code, r.name_key || '|' || r.county_code, r.record_id)
),
form AS (
  SELECT COALESCE(credit_code, name_key || '|' || county_code) AS unit_key FROM unit
  UNION
  SELECT unit_key FROM registered WHERE is_linked = 1
),
line AS (
  SELECT f.frame_id, f.region_code, f.outcome, MAX(u.unit_id) AS unit_id,
    COALESCE(f.credit_code, f.name_key || '|' || f.county_code) AS unit_key
  FROM frame_unit AS f
  LEFT JOIN unit AS u ON u.frame_id = f.frame_id
  GROUP BY f.frame_id, f.region_code, f.outcome,
    COALESCE(f.credit_code, f.name_key || '|' || f.county_code)
)
SELECT l.frame_id AS subject_id, l.region_code AS region_code, r.active_id AS related_id,
  CASE l.outcome WHEN '5' THEN '5 找不到且无法联系' ELSE COALESCE(l.outcome, '未填') END AS observed,
  '部门名录存续' AS expected,
  CASE
    WHEN l.outcome <> '5' OR l.unit_id IS NOT NULL OR o.unit_key IS NOT NULL THEN TRUE
    WHEN r.active_id IS NULL AND r.unit_key IS NOT NULL THEN TRUE
    WHEN r.authority <> 1 THEN FALSE
  END AS holds
FROM line AS l
LEFT JOIN registered AS r ON r.unit_key = l.unit_key
LEFT JOIN form AS o ON o.unit_key = l.unit_key
UNION ALL
SELECT r.active_id AS subject_id, r.region_code AS region_code, r.active_id AS related_id,
  '底册没有该单位' AS observed, '部门名录存续' AS expected,
  CASE WHEN o.unit_key IS NOT NULL THEN TRUE WHEN r.authority <> 1 THEN FALSE END AS holds
FROM registered AS r
LEFT JOIN form AS o ON o.unit_key = r.unit_key
LEFT JOIN (SELECT unit_key FROM line GROUP BY unit_key) AS l ON l.unit_key = r.unit_key
WHERE r.active_id IS NOT NULL AND l.unit_key IS NULL
