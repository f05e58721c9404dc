/* ---
id: COD005
name: codes.self_employed_code_on_unit_form
title:
  zh: 单位表填报了个体工商户代码
  en: Code of a self-employed household on a unit form
family: codes
severity: query
clause: 三(三)2
level: 1
grain: unit
variable: credit_code
tables: [unit]
owner: data_quality
version: 1
status: active
message:
  zh: 单位表上的统一社会信用代码 {observed} 以 92 开头，属于个体工商户
  en: Credit code {observed} on a unit form begins with 92, which is a self-employed household
verify:
  zh: 查看营业执照类型；属个体工商户的改填个体经营户普查表，并查有无重复登记
  en: Look at the kind of licence; a household belongs on its own form, and may be there already
false_positives:
  zh: 按法人单位管理、纳入一套表的大个体（批发零售、住宿餐饮）不在此列
  en: Large households kept as direct reporters in trade and catering are right and are left out
always_decidable: true
--- */
-- Scope: legal entities and establishments (forms 601, 611) that give a credit code.
-- A large household handled as a reporting unit of trade or catering says so by its form,
-- specialty and registration type (410, 420), and holds.
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  credit_code AS observed,
  '91, 93 …' AS expected,
  LEFT(credit_code, 2) <> '92' OR (
    form = '601' AND COALESCE(specialty, '') IN ('E', 'S')
    AND COALESCE(registration_type, '') IN ('410', '420')
  ) AS holds
FROM unit
WHERE unit_kind IN ('1', '2') AND credit_code IS NOT NULL
