/* ---
id: LNK010
name: linkage.dead_parent_live_child
title:
  zh: 法人单位已关闭而产业活动单位仍正常运营
  en: The legal entity is closed and its establishment operates
family: linkage
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: status
tables: [establishment, legal_entity]
owner: data_quality
version: 1
status: active
parameters:
  closed: {type: list, default: "4|5|6|7", note: "operating status (item 208) of a unit that has ceased: closed, bankrupt, deregistered, revoked"}
message:
  zh: 本单位运营状态为“{observed}”，而归属法人 {related} 的运营状态为“{expected}”
  en: This establishment operates, but its legal entity {related} is closed, bankrupt, deregistered or revoked
verify:
  zh: 到现场看是否仍在经营；仍经营的查归属法人是否已变更，已停的改运营状态或删除
  en: See on the spot whether it operates; if so, find its present parent; if not, correct its status or take it out
false_positives:
  zh: 年末前后由其他法人接手经营的，改填新的归属法人即可
  en: Where another legal entity took it over around year end, only the parent needs correcting
--- */
-- Scope: establishments that operate, or whose status is missing, and whose parent has a form here.
-- Where several forms share the parent's code, one that has not ceased is enough.
-- Unknown: a status is missing on either side.
WITH parent AS (
  SELECT
    credit_code,
    MIN(unit_id) AS unit_id,
    MIN(status) AS status,
    COUNT(CASE WHEN status NOT IN :closed THEN 1 END) AS n_alive,
    COUNT(CASE WHEN status IS NULL THEN 1 END) AS n_unknown
  FROM legal_entity
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  p.unit_id AS related_id,
  CASE WHEN e.status = '1' THEN '1 正常运营' ELSE e.status END AS observed,
  CASE p.status
      WHEN '4' THEN '4 当年关闭' WHEN '5' THEN '5 当年破产' WHEN '6' THEN '6 当年注销'
      WHEN '7' THEN '7 当年吊销'
    ELSE p.status
  END AS expected,
  CASE
    WHEN p.n_alive > 0 THEN TRUE
    WHEN e.status IS NOT NULL AND p.n_unknown = 0 THEN FALSE
  END AS holds
FROM establishment AS e
JOIN parent AS p ON p.credit_code = e.parent_credit_code
WHERE e.status = '1' OR e.status IS NULL
