/* ---
id: REG011
name: register.frame_line_unresolved
title:
  zh: 底册单位没有核实结果
  en: A frame line has no outcome
family: register
severity: fatal
clause: 三(一)3
level: 0
grain: frame
variable: outcome
tables: [frame_unit]
owner: data_quality
version: 1
status: active
always_decidable: true
message:
  zh: 底册单位的核实结果{observed}，每条底册都须落实（{expected}）
  en: The frame line has no outcome; every line must be resolved
verify:
  zh: 由所在普查区逐条查找，登记的填 1，其余按实际情况填迁出、注销、重复、找不到或不属普查对象
  en: The census area looks for the unit and gives the outcome, enumerated or the reason why not
false_positives:
  zh: 无；普查表已收而底册漏填的，补填核实结果
  en: None; where a form came and only the outcome is missing, fill it in
--- */
-- Scope: all frame lines. Always decidable: the outcome is there or it is not.
SELECT
  frame_id AS subject_id,
  region_code AS region_code,
  COALESCE(outcome, '未填') AS observed,
  '应填 1 至 6' AS expected,
  outcome IS NOT NULL AS holds
FROM frame_unit
