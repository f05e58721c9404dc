/* ---
id: REG008
name: register.name_or_representative_differs
title:
  zh: 名称或法定代表人与市场监管登记不符
  en: Name or legal representative is not that of the market register
family: register
severity: query
clause: 三(一)3
level: 4
grain: unit
variable: name
tables: [unit, register_unit]
owner: data_quality
version: 2
status: active
message:
  zh: 代码相同，普查填 {observed}，市场监管登记为 {expected}（部门记录 {related}）
  en: Under the same code the census has {observed}, the market register {expected} (record {related})
verify:
  zh: 看营业执照和公章；名称变更、法定代表人变更的以最新执照为准，张冠李戴的改正代码
  en: See licence and seal; take the latest licence after a change, and correct the code where it is another firm's
false_positives:
  zh: 括号、空格、“有限责任公司/有限公司”的写法不同不算；变更登记后名录未更新的常见；个体户字号与执照不同属常情，不在此列
  en: Brackets, blanks and 有限责任公司/有限公司 do not count; registers lag behind changes; a household's sign need not be its licence's name, so they are left out
--- */
-- Scope: legal entities and establishments whose credit code is in the market register (source 1).
-- One record that agrees is enough.
-- Unknown: what agrees does not settle it, and a name or representative is missing on a side.
WITH compared AS (
  SELECT
    u.unit_id, u.unit_kind, u.region_code, r.record_id,
    u.name AS name, r.name AS register_name,
    u.person AS person, r.legal_rep AS register_person,
    u.name_key = r.name_key AS name_ok,
    REPLACE(u.person, ' ', '') = REPLACE(r.legal_rep, ' ', '') AS person_ok,
    ROW_NUMBER() OVER (
      PARTITION BY u.unit_id
      ORDER BY
        CASE WHEN u.name_key = r.name_key THEN 0 ELSE 1 END
          + CASE WHEN REPLACE(u.person, ' ', '') = REPLACE(r.legal_rep, ' ', '') THEN 0 ELSE 1 END,
        r.record_id
    ) AS place
  FROM unit AS u
  JOIN register_unit AS r ON r.credit_code = u.credit_code
  WHERE u.unit_kind IN ('1', '2') AND r.source = '1'
)
SELECT
  unit_id AS subject_id,
  region_code AS region_code,
  record_id AS related_id,
  CASE WHEN NOT name_ok THEN 'name' WHEN unit_kind = '2' THEN 'person_in_charge'
    ELSE 'legal_rep' END AS variable,
  CASE WHEN NOT name_ok THEN name ELSE person END AS observed,
  CASE WHEN NOT name_ok THEN register_name ELSE register_person END AS expected,
  name_ok AND person_ok AS holds
FROM compared
WHERE place = 1
