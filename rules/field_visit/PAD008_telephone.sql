/* ---
id: PAD008
name: field_visit.no_fixed_premises
title:
  zh: 无固定场所单位缺证明或不纳增值税，疑为电话代填
  en: A unit without premises lacks proof or value-added tax
family: field_visit
severity: fatal
clause: 三(二)3
level: 4
grain: unit
variable: no_fixed_premises
tables: [legal_entity]
optional_tables: [register_unit, link]
owner: enforcement
version: 1
status: active
message:
  zh: 登记为无固定场所单位，但{observed}；应有{expected}才能按注册地统计，不得仅凭电话代填
  en: "Registered as a unit without premises, but: {observed}. It needs {expected}; a telephone call alone is no ground for a form"
verify:
  zh: 联系单位找到实际经营地并到现场采集；确无场所的，补签字证明并核对增值税申报
  en: Find where it really operates and enumerate it there; if it truly has no premises, get the signed proof and check its tax return
false_positives:
  zh: 在市外纳税的单位，应附完税凭证；税务名录中代码有误的，改正后自动消除
  en: A unit taxed elsewhere shows its receipt; a wrong code in the tax list is cured by correcting it
--- */
-- Scope: legal entities without premises. Such a unit may be counted at its registered place only
-- with a signed proof and value-added tax paid (domain 5). Sales of the tax list (source 2) above
-- zero stand for the tax, by code or by link; of bodies and societies only the proof is asked.
-- Unknown: the proof is blank, or there is no tax list, or a match that is only possible, or sales
-- that the list leaves blank.
WITH taxed AS (
  SELECT credit_code AS key, MAX(CASE WHEN sales_kyuan > 0 THEN 1 ELSE 0 END) AS paid,
    MAX(CASE WHEN sales_kyuan IS NULL THEN 1 ELSE 0 END) AS unclear
  FROM register_unit
  WHERE source = '2'
  GROUP BY credit_code
),
linked AS (
  SELECT k.left_id AS key,
    MAX(CASE WHEN k.decision = 'link' AND r.sales_kyuan > 0 THEN 1 ELSE 0 END) AS paid,
    MAX(CASE WHEN k.decision = 'possible_link' OR r.sales_kyuan IS NULL
      THEN 1 ELSE 0 END) AS unclear
  FROM link AS k
  JOIN register_unit AS r ON r.record_id = k.right_id
  WHERE k.left_table = 'legal_entity' AND k.right_table = 'register_unit' AND r.source = '2'
    AND k.decision IN ('link', 'possible_link')
  GROUP BY k.left_id
),
delivered AS (
  SELECT COUNT(*) AS n FROM register_unit WHERE source = '2'
),
judged AS (
  SELECT e.unit_id, e.region_code, e.premises_proof,
    CASE
      WHEN e.institution_type <> '10' THEN TRUE
      WHEN COALESCE(t.paid, 0) = 1 OR COALESCE(k.paid, 0) = 1 THEN TRUE
      WHEN d.n = 0 OR COALESCE(t.unclear, 0) = 1 OR COALESCE(k.unclear, 0) = 1 THEN NULL
      ELSE FALSE
    END AS is_taxed
  FROM legal_entity AS e
  CROSS JOIN delivered AS d
  LEFT JOIN taxed AS t ON t.key = e.credit_code
  LEFT JOIN linked AS k ON k.key = e.unit_id
  WHERE e.no_fixed_premises = '1'
)
SELECT unit_id AS subject_id, region_code AS region_code,
  CASE WHEN premises_proof = '2' THEN '没有签字证明' ELSE '税务名录中没有应税销售' END AS observed,
  '签字证明和增值税纳税记录' AS expected,
  premises_proof = '1' AND is_taxed AS holds
FROM judged
