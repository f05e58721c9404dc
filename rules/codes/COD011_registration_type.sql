/* ---
id: COD011
name: codes.registration_type
title:
  zh: 登记注册类型代码无效
  en: Registration type is not on the list
family: codes
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: registration_type
tables: [legal_entity]
owner: data_quality
version: 1
status: active
parameters:
  valid:
    type: list
    default: "110|120|130|141|142|143|149|151|159|160|171|172|173|174|190|210|220|230|240|290|310|320|330|340|390|410|420"
    note: codes of 国统字〔2011〕86号, in force for 2018
message:
  zh: 登记注册类型 {observed} 不在 2018 年使用的代码表（国统字〔2011〕86号）内
  en: Registration type {observed} is not on the list in force for 2018
verify:
  zh: 对照营业执照上的类型和代码表重新填写；不要使用 2022 年以后的市场主体统计分类代码
  en: Take it from the licence and the list; do not use the classification of 2022 and later
false_positives:
  zh: 无；清单更新时须同时修改参数
  en: None; when the list changes the parameter must follow
--- */
-- Scope: legal entities. 111, 112 and the like belong to the classification of 2022.
-- Unknown: no registration type on the form (FRM001).
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  registration_type AS observed,
  '国统字〔2011〕86号' AS expected,
  registration_type IN :valid AS holds
FROM legal_entity
