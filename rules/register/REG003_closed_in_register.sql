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
owner: data_quality
version: 2
status: active
parameters:
  reference_date: {type: date, default: "2018-12-31", note: "closed up to this day"}
  authorities: {type: list, default: "1|3|4", note: "registers of the authorities that register units and strike them off; the others decide nothing alone"}
message:
  zh: 部门记录 {related} 已于 {expected}，而普查运营状态为“{observed}”
  en: Register record {related} was deregistered or revoked by the reference date; the census status is operating
verify:
  zh: 到现场看是否仍在经营、用谁的执照；已停的改运营状态，换照经营的按新单位登记
  en: See whether it still trades and under whose licence; correct the status, or enumerate the new unit
false_positives:
  zh: 吊销后仍在经营的属无照经营，照实登记并说明；登记机关有一条记录存续的不在此列；只有税务、社保等名录注销的（如变更参保账户）无法判定
  en: A revoked firm may still trade and is enumerated with a remark; one active record of the registering authority settles it; an end in the tax or insurance list alone (an account that was changed) stays unknown
--- */
-- Scope: units whose credit code is in a register. What the authority that registers units says
-- decides, and one record of it that is alive is enough. Unknown: the unit's status is missing, the
-- authority's record has no status or no date, or other registers alone say that the unit ended.
WITH registered AS (
  SELECT
    credit_code,
    MIN(CASE WHEN is_authority AND is_ended THEN record_id END) AS closed_id,
    MIN(CASE WHEN is_authority AND is_ended THEN closed_on END) AS closed_on,
    MIN(CASE WHEN is_authority AND is_ended THEN status END) AS first_status,
    MAX(CASE WHEN is_authority AND is_ended THEN status END) AS last_status,
    COUNT(CASE WHEN is_authority AND NOT is_ended THEN 1 END) AS n_alive,
    COUNT(CASE WHEN is_ended IS NULL OR is_ended THEN 1 END) AS n_doubted
  FROM (
    SELECT credit_code, record_id, status, closed_on, source IN :authorities AS is_authority,
      CASE WHEN status IN ('2', '3') THEN closed_on <= :reference_date
        WHEN status IS NOT NULL THEN FALSE END AS is_ended
    FROM register_unit
    WHERE credit_code IS NOT NULL
  ) AS r
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
    WHEN u.status <> '1' OR r.n_alive > 0 OR r.n_doubted = 0 THEN TRUE
    WHEN u.status = '1' AND r.closed_id IS NOT NULL THEN FALSE
  END AS holds
FROM unit AS u
JOIN registered AS r ON r.credit_code = u.credit_code
