/* ---
id: PAD001
name: field_visit.no_fix
title:
  zh: PAD采集的单位没有有效定位
  en: No usable position for a unit enumerated by tablet
family: field_visit
severity: fatal
clause: 三(二)3
level: 2
grain: unit
variable: accuracy_m
tables: [unit, visit]
by_county: [unit, visit]
owner: enforcement
version: 1
status: active
parameters:
  accuracy: {type: number, default: "100", note: "metres; a position less accurate than this shows no presence"}
message:
  zh: 由普查员用PAD采集，但登记轨迹中没有精度 {expected} 米以内的定位（{observed}），不能证明到过现场
  en: "Enumerated by tablet, yet no visit has a position accurate to {expected} metres ({observed}): presence on site is not shown"
verify:
  zh: 到单位现场核实，在室外或窗边重新定位、拍照并补传；确认由普查员本人到过现场
  en: Go to the unit, take position and photograph again outdoors or at a window, and confirm that the enumerator had been there
false_positives:
  zh: 高楼、地下商场定位差的，应在楼外补定位；保密单位不得定位，其记录不应进入本库
  en: In towers and basements the position is taken again outside; units under secrecy are never located, and are not in this database
--- */
-- Scope: units with a visit, and units taken by an enumerator (filing mode 2; all self-employed).
-- One good position among several visits is enough: the first call may find nobody. Without any
-- visit there is no position either, so it fails. Unknown: a position of unknown accuracy.
WITH located AS (
  SELECT
    unit_id,
    COUNT(*) AS n_visits,
    SUM(CASE WHEN longitude IS NOT NULL AND latitude IS NOT NULL THEN 1 ELSE 0 END) AS n_fixes,
    MIN(CASE WHEN longitude IS NOT NULL AND latitude IS NOT NULL THEN accuracy_m END) AS best_m,
    SUM(CASE WHEN longitude IS NOT NULL AND latitude IS NOT NULL AND accuracy_m IS NULL
      THEN 1 ELSE 0 END) AS n_unclear
  FROM visit
  GROUP BY unit_id
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  CASE
    WHEN v.n_visits IS NULL THEN '无登记轨迹'
    WHEN v.n_fixes = 0 THEN '无定位'
    ELSE '最好精度 ' || CAST(ROUND(v.best_m, 0) AS STRING) || ' 米'
  END AS observed,
  CAST(CAST(:accuracy AS DECIMAL(18, 0)) AS STRING) AS expected,
  CASE
    WHEN v.best_m <= :accuracy THEN TRUE
    WHEN v.n_unclear > 0 THEN NULL
    ELSE FALSE
  END AS holds
FROM unit AS u
LEFT JOIN located AS v ON v.unit_id = u.unit_id
WHERE v.unit_id IS NOT NULL OR u.filing_mode = '2' OR u.unit_kind = '3'
