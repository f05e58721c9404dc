/* ---
id: FRM001
name: form.mandatory_items
title:
  zh: 必填项目空缺
  en: Mandatory items are empty
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: mandatory_items
tables: [legal_entity]
optional_tables: [establishment, self_employed]
owner: data_quality
version: 1
status: active
message:
  zh: 必填项目空缺：{observed}
  en: "Mandatory items are empty: {observed}"
verify:
  zh: 由填报单位补填；普查机构不得代填
  en: The respondent fills them in; no office does it for them
false_positives:
  zh: 无；单位确实没有该项内容的，按表式说明填写相应代码
  en: None; where an item does not apply the form says which code to write
always_decidable: true
--- */
-- Scope: every unit, one row each, against the items that its own form owes (mandatory in the
-- contract). A missing credit code is judged by COD006, since an organisation code may stand in.
WITH form AS (
  SELECT unit_id, region_code,
    CASE WHEN activity IS NULL THEN '、103主要业务活动' ELSE '' END
    || CASE WHEN industry_code IS NULL THEN '、103行业代码' ELSE '' END
    || CASE WHEN legal_rep IS NULL THEN '、201法定代表人' ELSE '' END
    || CASE WHEN opened_ym IS NULL THEN '、202开业(成立)时间' ELSE '' END
    || CASE WHEN phone_mobile IS NULL THEN '、203移动电话' ELSE '' END
    || CASE WHEN block_code IS NULL THEN '、111普查小区代码' ELSE '' END
    || CASE WHEN specialty IS NULL THEN '、114专业类别' ELSE '' END
    || CASE WHEN registration_type IS NULL THEN '、205登记注册类型' ELSE '' END
    || CASE WHEN status IS NULL THEN '、208运营状态' ELSE '' END
    || CASE WHEN accounting_standard IS NULL THEN '、209执行会计标准类别' ELSE '' END
    || CASE WHEN institution_type IS NULL THEN '、211机构类型' ELSE '' END
    || CASE WHEN has_establishments IS NULL THEN '、214是否有下属产业活动单位' ELSE '' END
    || CASE WHEN employees IS NULL THEN '、192从业人员期末人数' ELSE '' END AS blanks
  FROM legal_entity
  UNION ALL
  SELECT unit_id, region_code,
    CASE WHEN activity IS NULL THEN '、103主要业务活动' ELSE '' END
    || CASE WHEN industry_code IS NULL THEN '、103行业代码' ELSE '' END
    || CASE WHEN is_headquarters IS NULL THEN '、是否本部' ELSE '' END
    || CASE WHEN person_in_charge IS NULL THEN '、201单位负责人' ELSE '' END
    || CASE WHEN opened_ym IS NULL THEN '、202开业(成立)时间' ELSE '' END
    || CASE WHEN block_code IS NULL THEN '、111普查小区代码' ELSE '' END
    || CASE WHEN specialty IS NULL THEN '、114专业类别' ELSE '' END
    || CASE WHEN status IS NULL THEN '、208运营状态' ELSE '' END
    || CASE WHEN parent_credit_code IS NULL THEN '、归属法人统一社会信用代码' ELSE '' END
    || CASE WHEN employees IS NULL THEN '、192从业人员期末人数' ELSE '' END AS blanks
  FROM establishment
  UNION ALL
  SELECT unit_id, region_code,
    CASE WHEN name IS NULL THEN '、102户名' ELSE '' END
    || CASE WHEN operator IS NULL THEN '、201经营者' ELSE '' END
    || CASE WHEN activity IS NULL THEN '、103主要业务活动' ELSE '' END
    || CASE WHEN industry_code IS NULL THEN '、103行业代码' ELSE '' END
    || CASE WHEN block_code IS NULL THEN '、111普查小区代码' ELSE '' END
    || CASE WHEN employees IS NULL THEN '、192从业人员数' ELSE '' END AS blanks
  FROM self_employed
)
SELECT
  f.unit_id AS subject_id,
  f.region_code AS region_code,
  NULLIF(SUBSTRING(f.blanks, 2), '') AS observed,
  '应填' AS expected,
  f.blanks = '' AS holds
FROM form AS f
