/* ---
id: REG003
name: register.closed_in_register
title:
  zh: 部门已注销吊销而普查仍正常运营
  en: Deregistered or revoked, yet operating in the census
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: status
tables: [unit, register_unit]
by_county: [unit]
owner: data_quality
version: 1
status: active
parameters:
  reference_date: {type: date, default: "2018-12-31", note: "closed up to this day"}
message:
  zh: 部门记录 {related} 已于 {expected}，而普查运营状态为“{observed}”
  en: Register record {related} was deregistered or revoked by the reference date; the census status is operating
verify:
  zh: 到现场看是否仍在经营、用谁的执照；已停的改运营状态，换照经营的按新单位登记
  en: See whether it still trades and under whose licence; correct the status, or enumerate the new unit
false_positives:
  zh: 吊销后仍在经营的属无照经营，照实登记并说明；名录日期滞后的以登记机关为准
  en: A revoked firm may still trade and is enumerated with a remark; where the register lags, its authority decides
--- */
-- Scope: units whose credit code is in a register.
-- Unknown: the unit's status is missing; or a record is closed without a date, or without a status.
WITH registered AS (
  SELECT
    credit_code,
    MIN(CASE WHEN status IN ('2', '3') AND closed_on <= :reference_date THEN record_id END)
      AS closed_id,
    MIN(CASE WHEN status IN ('2', '3') AND closed_on <= :reference_date THEN closed_on END)
      AS closed_on,
    MIN(CASE WHEN status IN ('2', '3') AND closed_on <= :reference_date THEN status END)
      AS first_status,
    MAX(CASE WHEN status IN ('2', '3') AND closed_on <= :reference_date THEN status END)
      AS last_status,
    COUNT(CASE WHEN status IS NULL OR (status IN ('2', '3') AND closed_on IS NULL) THEN 1 END)
      AS n_unknown
  FROM register_unit
  WHERE credit_code IS NOT NULL
  GROUP BY credit_code
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  r.closed_id AS related_id,
  CASE WHEN u.status = '1' THEN '1 正常运营' ELSE u.status END AS observed,
  CAST(r.closed_on AS STRING) || CASE
    WHEN r.first_status = '3' THEN ' 注销'
    WHEN r.last_status = '2' THEN ' 吊销'
    ELSE ' 注销或吊销'
  END AS expected,
  CASE
    WHEN u.status <> '1' OR (r.closed_id IS NULL AND r.n_unknown = 0) THEN TRUE
    WHEN u.status = '1' AND r.closed_id IS NOT NULL THEN FALSE
  END AS holds
FROM unit AS u
JOIN registered AS r ON r.credit_code = u.credit_code
