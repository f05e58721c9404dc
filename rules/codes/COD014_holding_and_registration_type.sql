/* ---
id: COD014
name: codes.holding_and_registration_type
title:
  zh: 控股情况与登记注册类型矛盾
  en: Controlling interest contradicts the registration type
family: codes
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: holding
tables: [legal_entity]
owner: data_quality
version: 1
status: active
message:
  zh: 企业控股情况（206）填 {observed}，登记注册类型（205）应对应 {expected}
  en: Controlling interest (206) is {observed}; the registration type (205) goes with {expected}
verify:
  zh: 看公司章程和出资人，改正控股情况或登记注册类型
  en: See the articles and who holds the capital; correct one of the two
false_positives:
  zh: 协议控股、实际控制人与出资人不一致的写明情况
  en: Control by agreement may differ, with a remark
--- */
-- Scope: legal entities of types 151 (state), 171 to 174 (private), 230 (Hong Kong, Macao, Taiwan)
-- and 330 (foreign), which leave no choice. Unknown: the controlling interest is missing.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  holding AS observed,
  CASE registration_type
    WHEN '151' THEN '1 国有控股' WHEN '230' THEN '4 港澳台商控股' WHEN '330' THEN '5 外商控股'
    ELSE '3 私人控股'
  END AS expected,
  holding = CASE registration_type
    WHEN '151' THEN '1' WHEN '230' THEN '4' WHEN '330' THEN '5' ELSE '3'
  END AS holds
FROM legal_entity
WHERE registration_type IN ('151', '171', '172', '173', '174', '230', '330')
