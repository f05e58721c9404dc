/* ---
id: FRM017
name: form.status_and_figures
title:
  zh: 运营状态与指标矛盾
  en: Status contradicts the figures
family: form
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: status
tables: [legal_entity]
owner: specialty
version: 1
status: active
parameters:
  large: {type: number, default: "5000", note: "thousand yuan of revenue that a stopped or bankrupt unit is asked about"}
message:
  zh: 运营状态为“{observed}”，而{expected}
  en: The status ({observed}) does not go with the revenue or the staff reported
verify:
  zh: 到现场看是否经营，看账簿，改正运营状态或指标
  en: See whether it trades, and its books; correct the status or the figures
false_positives:
  zh: 停业前有收入、筹建期有试营业收入、当年新开尚无收入的写明情况
  en: Revenue before it stopped or on trial, and new units without revenue yet, need a remark
--- */
-- Scope: enterprises and cooperatives. Being set up with revenue; operating with staff and no
-- revenue; stopped or bankrupt with large revenue. Unknown: an item that decides is missing.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  CASE status
    WHEN '1' THEN '1 正常运营' WHEN '2' THEN '2 停业(歇业)' WHEN '3' THEN '3 筹建'
    WHEN '5' THEN '5 当年破产' ELSE status
  END AS observed,
  '营业收入 ' || COALESCE(CAST(CAST(revenue_kyuan AS DECIMAL(18, 2)) AS STRING), '未填')
    || ' 千元，从业人员 ' || COALESCE(CAST(employees AS STRING), '未填') || ' 人' AS expected,
  CASE
    WHEN status = '3' THEN revenue_kyuan <= 0
    WHEN status = '1' THEN revenue_kyuan <> 0 OR employees = 0
    WHEN status IN ('2', '5') THEN revenue_kyuan <= :large
    WHEN status IS NOT NULL THEN TRUE
  END AS holds
FROM legal_entity
WHERE COALESCE(institution_type, '10') IN ('10', '55')
