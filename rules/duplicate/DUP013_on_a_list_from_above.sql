/* ---
id: DUP013
name: duplicate.on_a_list_from_above
title:
  zh: 上级下发的跨省市重码清单中的单位
  en: The unit is on a list of duplicates handed down
family: duplicate
severity: query
clause: 三(三)2
level: 5
grain: unit
variable: credit_code
tables: [unit, external_finding]
owner: data_quality
version: 1
status: active
always_decidable: true
parameters:
  references: {type: list, default: "DUP001|DUP013|重码|重名重码|跨省重码|跨市重码", note: "rule_ref of lists of duplicates"}
message:
  zh: 上级清单 {related} 列出该代码（{observed}）在外地也有登记：{expected}
  en: List {related} handed down says that this code ({observed}) is registered elsewhere as well
verify:
  zh: 与对方地区核对，同一单位只在一地登记，结果报上级
  en: Settle it with the other region; one unit is counted in one place; report the outcome
false_positives:
  zh: 上级清单下发后已处理的注明处理结果
  en: What was settled since the list came needs its outcome noted
--- */
-- Scope: units with a credit code, where lists of duplicates were handed down.
WITH listed AS (
  SELECT credit_code, MIN(list_id || '|' || CAST(line_no AS STRING)) AS line,
    MIN(issuer) AS issuer
  FROM external_finding
  WHERE rule_ref IN :references AND credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  l.line AS related_id,
  u.credit_code AS observed,
  l.issuer AS expected,
  l.credit_code IS NULL AS holds
FROM unit AS u
LEFT JOIN listed AS l ON l.credit_code = u.credit_code
WHERE u.credit_code IS NOT NULL
