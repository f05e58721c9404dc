/* ---
id: XSP001
name: cross_specialty.specialty_of_industry
title:
  zh: 专业类别与行业代码不符
  en: The specialty is not that of the industry
family: cross_specialty
severity: fatal
clause: 三(三)2
level: 1
grain: unit
variable: specialty
tables: [unit]
owner: specialty
version: 1
status: active
parameters:
  functional: {type: list, default: "H|I|L|J", note: "specialties that no industry belongs to: investment, labour, society science and culture, register"}
message:
  zh: 专业类别填“{observed}”，应为“{expected}”
  en: The specialty reported is not the one that the industry code belongs to
verify:
  zh: 按主要业务活动先定行业代码，再由行业代码定专业类别和表种
  en: Settle the industry from the main activity first; specialty and forms follow from it
false_positives:
  zh: 农林牧渔专业及辅助性活动（05）归服务业或农业专业都可；投资、劳资、社科文、名录库不按行业划分
  en: Division 05 may be with services or with agriculture; investment, labour, society, science and culture, and the register do not follow the industry
--- */
-- Scope: legal entities and establishments under a specialty that follows from the industry.
-- Unknown: no specialty; or an industry that is missing, not listed or out of scope (COD010).
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  CASE specialty
      WHEN 'A' THEN 'A 农业' WHEN 'B' THEN 'B 工业' WHEN 'C' THEN 'C 建筑业' WHEN 'E' THEN 'E 批发和零售业'
      WHEN 'S' THEN 'S 住宿和餐饮业' WHEN 'X' THEN 'X 房地产开发经营业' WHEN 'F' THEN 'F 服务业'
    ELSE specialty
  END AS observed,
  CASE industry_specialty
      WHEN 'A' THEN 'A 农业' WHEN 'B' THEN 'B 工业' WHEN 'C' THEN 'C 建筑业' WHEN 'E' THEN 'E 批发和零售业'
      WHEN 'S' THEN 'S 住宿和餐饮业' WHEN 'X' THEN 'X 房地产开发经营业' WHEN 'F' THEN 'F 服务业'
    ELSE industry_specialty
  END
    || '（行业代码 ' || industry_code || '）' AS expected,
  CASE
    WHEN industry_division = '05' AND specialty = 'A' THEN TRUE
    WHEN industry_in_scope THEN specialty = industry_specialty
  END AS holds
FROM unit
WHERE unit_kind IN ('1', '2') AND (specialty IS NULL OR specialty NOT IN :functional)
