/* ---
id: TRL001
name: edit_trail.without_basis
title:
  zh: 修改没有原因或没有依据
  en: An edit without a reason or without evidence
family: edit_trail
severity: fatal
clause: 三(三)3
level: 1
grain: unit
variable: reason
tables: [edit_event]
optional_tables: [unit]
owner: data_processing
version: 1
status: active
always_decidable: true
parameters:
  empty_words: {type: list, default: "-|--|—|/|无|空|略|NULL|N/A", note: "texts that say nothing and count as blank"}
message:
  zh: 第 {related} 号修改（指标 {variable}）{observed}；{expected}
  en: "Edit {related} of {variable} lacks its reason or its evidence; it must show both"
verify:
  zh: 向修改人索取核实记录或被调查单位的书面说明，补登原因和依据；没有依据的恢复原值
  en: Ask the editor for the record of the verification or the respondent's written word and enter it; without any, restore the old value
false_positives:
  zh: 平台升级前的旧记录可能没有依据一栏，以纸质核实单为准，补登后消除
  en: Old entries of the platform may have had no field for evidence; enter what the paper record says
--- */
-- Scope: every edit, whoever made it; the subject is the unit, the related one the edit. A change keeps its basis and its trace (domain 3.1), so what
-- is looked for is the blank itself: always decidable.
SELECT
  e.unit_id AS subject_id,
  u.region_code AS region_code,
  CAST(e.event_id AS STRING) AS related_id,
  e.field AS variable,
  CASE
    WHEN COALESCE(UPPER(TRIM(e.reason)), '-') NOT IN :empty_words THEN '没有修改依据'
    WHEN COALESCE(UPPER(TRIM(e.evidence)), '-') NOT IN :empty_words THEN '没有修改原因'
    ELSE '既没有原因也没有依据'
  END AS observed,
  '修改须写明原因并登记依据' AS expected,
  COALESCE(UPPER(TRIM(e.reason)), '') NOT IN :empty_words
    AND COALESCE(UPPER(TRIM(e.evidence)), '') NOT IN :empty_words
    AND COALESCE(TRIM(e.reason), '') <> '' AND COALESCE(TRIM(e.evidence), '') <> '' AS holds
FROM edit_event AS e
LEFT JOIN unit AS u ON u.unit_id = e.unit_id
