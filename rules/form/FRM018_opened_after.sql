/* ---
id: FRM018
name: form.opened_after
title:
  zh: 开业时间晚于普查标准时点
  en: Opened after the reference date of the census
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: opened_ym
tables: [legal_entity]
optional_tables: [establishment]
owner: data_quality
version: 1
status: active
parameters:
  latest: {type: text, default: "201812", note: month of the reference date (31 December 2018)}
message:
  zh: 开业（成立）时间 {observed} 晚于普查标准时点所在的 {expected}
  en: The unit opened in {observed}, after {expected}, the month of the reference date
verify:
  zh: 查看证照成立日期；2019 年以后成立的不属普查对象，应从普查表中剔除
  en: Look at the licence; a unit founded in 2019 or later is not part of the census
false_positives:
  zh: 2018 年内关闭、注销的单位仍在普查范围内，按运营状态 4 至 7 填报，不在此列；开业时间早于 1949 年 10 月的按方案只需核实，不是差错，本规则是强制性的，不提示，需要时另行查询
  en: A unit closed during 2018 is in scope, with status 4 to 7, and is not touched by this rule; a unit said to be older than October 1949 is only to be confirmed, so this mandatory rule does not tell it
--- */
-- Scope: legal entities and establishments; the form of households does not ask.
-- A unit said to be older than October 1949 is for confirmation, not an error: a rule has one
-- severity, so that half of the catalogue's line is not here. Unknown: no month (FRM001).
WITH opened AS (
  SELECT unit_id, region_code, opened_ym FROM legal_entity
  UNION ALL
  SELECT unit_id, region_code, opened_ym FROM establishment
)
SELECT
  o.unit_id AS subject_id,
  o.region_code AS region_code,
  o.opened_ym AS observed,
  :latest AS expected,
  o.opened_ym <= :latest AS holds
FROM opened AS o
