/* ---
id: TRL003
name: edit_trail.after_acceptance
title:
  zh: 验收后修改
  en: An edit after acceptance
family: edit_trail
severity: fatal
clause: 三(三)1
level: 2
grain: unit
variable: accepted_at
tables: [edit_event, unit]
owner: data_processing
version: 2
status: active
message:
  zh: 指标 {variable} {observed}（第 {related} 号），而该表{expected}，验收后不得修改
  en: "{variable} was edited after the form's acceptance (edit {related}: {observed}; {expected})"
verify:
  zh: 查明谁在验收后重新开放了该表、依据何在；没有退回手续的恢复验收时的数值
  en: Find out who reopened the form after acceptance, and why; without a formal return restore the accepted value
false_positives:
  zh: 验收后按规定程序退回修改、再次验收的，应更新验收时间
  en: A form that was formally returned and accepted again has a new time of acceptance
--- */
-- Scope: edits of legal entities and establishments, and of their returns; the self-employed form
-- has no acceptance of its own. Unknown: a form that is not accepted (or does not say so).
SELECT
  e.unit_id AS subject_id,
  u.region_code AS region_code,
  CAST(e.event_id AS STRING) AS related_id,
  e.field AS variable,
  '修改于 ' || LEFT(CAST(e.edited_at AS STRING), 19) AS observed,
  '验收于 ' || LEFT(CAST(u.accepted_at AS STRING), 19) AS expected,
  e.edited_at <= u.accepted_at AS holds
FROM edit_event AS e
JOIN unit AS u ON u.unit_id = e.unit_id
WHERE u.unit_kind IN ('1', '2')
