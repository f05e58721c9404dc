/* ---
id: COD013
name: codes.registration_type_of_institutions
title:
  zh: 机关、事业单位和村（居）委会的登记注册类型有误
  en: Registration type of a body, institution or committee is wrong
family: codes
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: registration_type
tables: [legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 登记注册类型（205）填 {observed}，该机构类型应为 {expected}
  en: Registration type (205) is {observed}; this institution type takes {expected}
verify:
  zh: 机关、事业单位填 110 国有，村（居）委会填 190 其他；经费另有来源的写明情况
  en: Bodies and institutions take 110, committees 190; other funding needs a remark
false_positives:
  zh: 差额拨款或自收自支、由企业举办的事业单位按经费来源填报的写明情况
  en: Institutions funded otherwise may differ, with a remark
--- */
-- Scope: legal entities with institution type 20, 30, 53 or 54. Unknown: no registration type.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  registration_type AS observed,
  CASE WHEN institution_type IN ('20', '30') THEN '110' ELSE '190' END AS expected,
  registration_type = CASE WHEN institution_type IN ('20', '30') THEN '110' ELSE '190' END AS holds
FROM legal_entity
WHERE institution_type IN ('20', '30', '53', '54')
