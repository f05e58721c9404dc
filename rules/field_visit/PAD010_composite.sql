/* ---
id: PAD010
name: field_visit.composite
title:
  zh: 普查员综合风险突出（线索）
  en: An enumerator stands out in several signs together (lead)
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: enumerator
variable: composite
tables: [visit, enumerator_risk]
optional_tables: [enumerator]
owner: enforcement
version: 1
status: active
parameters:
  fdr: {type: number, default: "0.1", note: "false discovery rate: the share of the named that may be named by chance"}
  signs: {type: number, default: "2", note: "signs that must stand out; one alone may be the block or the device"}
message:
  zh: 线索：与同类地区的普查员相比，标准化得分 {observed}（{expected}），宜优先回访；这是统计上的排序，不能作为违规证据
  en: "Lead: compared with enumerators of similar areas the standardised score is {observed} ({expected}). Call again here first; a ranking, no proof"
verify:
  zh: 由其他人员从该普查员登记的单位中随机抽取若干户回访，核对是否到过现场和主要指标；结果记入核查反馈
  en: Have others call again on a random few of the units, check presence and key items, and record the answers
false_positives:
  zh: 负责的小区特殊（市场、楼宇、偏远村组）、设备故障、与人合用账号的，查明后说明即可
  en: Special blocks (markets, towers, remote hamlets), broken devices, shared accounts
--- */
-- Scope: enumerators with visits. The score adds robust z of short time, equal answers, round
-- values, positions, one point, photographs, hours and edits against comparable visits; no single
-- sign decides. Rates of false discovery and not single tests, as hundreds are judged at once.
-- Unknown: fewer than ten visits.
WITH everyone AS (
  SELECT DISTINCT enumerator_id FROM visit
)
SELECT
  a.enumerator_id AS subject_id,
  COALESCE(e.region_code, r.region_code) AS region_code,
  CAST(CAST(r.z AS DECIMAL(18, 1)) AS STRING) || '：' || COALESCE(r.reasons, '各项略高') AS observed,
  '错误发现率 ' || CAST(CAST(r.q_value AS DECIMAL(18, 4)) AS STRING) AS expected,
  r.q_value > :fdr OR r.n_signs < :signs AS holds
FROM everyone AS a
LEFT JOIN enumerator_risk AS r ON r.enumerator_id = a.enumerator_id
LEFT JOIN enumerator AS e ON e.enumerator_id = a.enumerator_id
