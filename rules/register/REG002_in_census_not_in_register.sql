/* ---
id: REG002
name: register.in_census_not_in_register
title:
  zh: 普查登记而部门名录没有
  en: In the census, in no register
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: credit_code
tables: [unit, register_unit]
optional_tables: [frame_unit, link]
owner: data_quality
version: 1
status: active
message:
  zh: 任何部门名录中都没有代码 {observed}，底册也没有部门来源
  en: Code {observed} is in no register, and its frame line names no department
verify:
  zh: 看营业执照或登记证书原件，核对代码和名称；没有执照的查是否确为独立单位、是否虚报
  en: See the licence or certificate, check code and name; without one, see whether the unit exists in its own right
false_positives:
  zh: 2018 年末新设、名录尚未更新的；部门名录不全的专业登记（律所、宗教场所等）；本部和个体户不在此列
  en: Units set up late in 2018; kinds of registration that no delivered register covers (law firms, places of worship); headquarters and the self-employed are left out
--- */
-- Scope: legal entities and establishments other than a headquarters (本部). Found by credit code,
-- by name and county where neither side gives a code, by a link, or by the departments of its frame line.
-- Unknown: the credit code is missing or wrong (COD001, COD002), so that a search proves nothing.
WITH registered AS (
  SELECT COALESCE(credit_code, name_key || '|' || county_code) AS unit_key FROM register_unit
  GROUP BY COALESCE(credit_code, name_key || '|' || county_code)
),
linked AS (
  SELECT left_id AS unit_id FROM link
  WHERE decision = 'link' AND right_table = 'register_unit' AND left_table <> 'register_unit'
  UNION
  SELECT right_id AS unit_id FROM link
  WHERE decision = 'link' AND left_table = 'register_unit' AND right_table <> 'register_unit'
),
listed AS (
  SELECT frame_id FROM frame_unit
  WHERE sources IS NOT NULL
  GROUP BY frame_id
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  u.credit_code AS observed,
  CAST(NULL AS STRING) AS expected,
  CASE
    WHEN r.unit_key IS NOT NULL OR k.unit_id IS NOT NULL OR f.frame_id IS NOT NULL THEN TRUE
    WHEN u.credit_code_check_ok THEN FALSE
  END AS holds
FROM unit AS u
LEFT JOIN registered AS r
  ON r.unit_key = COALESCE(u.credit_code, u.name_key || '|' || u.county_code)
LEFT JOIN linked AS k ON k.unit_id = u.unit_id
LEFT JOIN listed AS f ON f.frame_id = u.frame_id
WHERE u.unit_kind = '1' OR (u.unit_kind = '2' AND COALESCE(u.is_headquarters, '2') <> '1')
