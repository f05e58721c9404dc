/* ---
id: REG010
name: register.institutions_complete
title:
  zh: 编办、民政登记的单位没有普查表也没有核实结果
  en: An institution on the register has no form and no outcome
family: register
severity: fatal
clause: 三(一)3
level: 4
grain: frame
variable: outcome
tables: [register_unit, unit]
optional_tables: [frame_unit, link]
owner: data_quality
version: 2
status: active
same_fact: [REG011]
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two"}
  reference_date: {type: date, default: "2018-12-31", note: "units set up later are out of scope"}
  prefixes: {type: list, default: "11|12|13|51|52|53", note: "first two characters of the codes that these registers give: bodies, institutions, societies, private non-enterprises, foundations"}
message:
  zh: 部门名录（{related}）登记的{observed}没有普查表，底册也没有核实结果
  en: The register ({related}) lists it as active, and there is neither a census form nor an outcome
verify:
  zh: 与编办、民政核对后到单位登记；确已撤销、合并或不在本地的在底册注明核实结果
  en: Settle it with the registering department and enumerate it, or give the frame line its outcome
false_positives:
  zh: 已撤销、合并而名录未更新的注明核实结果即可；只挂牌不独立的按主管单位说明
  en: Bodies dissolved or merged need an outcome only; a name without independence is explained by its parent
--- */
-- Scope: active records of sources 3 and 4 in the city with a code of these kinds.
-- Found: a form of the same code or a link, or a frame line with an outcome but 5 (not found).
-- Unknown: no such form or line, but the matcher has a possible link.
WITH record AS (
  SELECT credit_code, MIN(record_id) AS record_id, MIN(region_code) AS region_code
  FROM register_unit
  WHERE source IN ('3', '4') AND status = '1' AND LEFT(credit_code, 2) IN :prefixes
    AND COALESCE(region_code, :city) LIKE :city || '%'
    AND (opened_on IS NULL OR opened_on <= :reference_date)
  GROUP BY credit_code
),
linked AS (
  SELECT r.credit_code,
    MAX(CASE WHEN k.decision = 'link' THEN 1 ELSE 0 END) AS is_linked
  FROM link AS k
  JOIN register_unit AS r ON r.record_id = k.right_id
  WHERE k.right_table = 'register_unit' AND k.left_table <> 'frame_unit'
    AND k.decision IN ('link', 'possible_link')
  GROUP BY r.credit_code
),
form AS (
  SELECT DISTINCT credit_code FROM unit WHERE unit_kind IN ('1', '2')
),
line AS (
  SELECT credit_code, MIN(frame_id) AS frame_id, MIN(region_code) AS region_code,
    MAX(CASE WHEN outcome <> '5' THEN 1 ELSE 0 END) AS is_settled
  FROM frame_unit
  GROUP BY credit_code
)
SELECT
  COALESCE(l.frame_id, r.record_id) AS subject_id,
  COALESCE(l.region_code, r.region_code) AS region_code,
  r.record_id AS related_id,
  CASE WHEN LEFT(r.record_id, 1) = '3' THEN '机关事业单位' ELSE '社会组织' END AS observed,
  '有普查表或核实结果' AS expected,
  CASE
    WHEN f.credit_code IS NOT NULL OR l.is_settled = 1 OR k.is_linked = 1 THEN TRUE
    WHEN k.credit_code IS NULL THEN FALSE
  END AS holds
FROM record AS r
LEFT JOIN form AS f ON f.credit_code = r.credit_code
LEFT JOIN line AS l ON l.credit_code = r.credit_code
LEFT JOIN linked AS k ON k.credit_code = r.credit_code
