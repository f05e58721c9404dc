/* ---
id: FRM010
name: form.institution_income_and_outlay
title:
  zh: 行政事业单位收支合计小于其分项之和
  en: Income or expenditure of an institution is less than its parts
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: income_kyuan
tables: [institution_finance, legal_entity]
owner: specialty
version: 1
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item"}
message:
  zh: "{observed} 千元，小于其分项之和 {expected} 千元"
  en: "A total ({observed}, thousand yuan) is less than its parts, {expected}"
verify:
  zh: 对照收入支出表改正合计或分项：17≥18+19+20，21≥22+23+28，23≥24+25+26+27，28≥29+30
  en: "Correct total or parts from the accounts: 17≥18+19+20, 21≥22+23+28, 23≥24+25+26+27, 28≥29+30"
false_positives:
  zh: 四舍五入引起的差额（每个分项 1 千元）不算差错
  en: A thousand yuan for each part may come from rounding
--- */
-- Scope: form 611-5; the first of its four relations that fails is told.
-- Unknown: none fails, and an item of one of them is missing.
WITH relation AS (
  SELECT unit_id, 1 AS place, 'income_kyuan' AS variable, income_kyuan AS total, 3 AS n,
    fiscal_income_kyuan + service_income_kyuan + business_income_kyuan AS parts
  FROM institution_finance WHERE form = '611-5'
  UNION ALL
  SELECT unit_id, 2, 'expenditure_kyuan', expenditure_kyuan, 3,
    pay_kyuan + goods_services_kyuan + transfers_kyuan
  FROM institution_finance WHERE form = '611-5'
  UNION ALL
  SELECT unit_id, 3, 'goods_services_kyuan', goods_services_kyuan, 4,
    labour_fees_kyuan + union_fees_kyuan + welfare_kyuan + taxes_kyuan
  FROM institution_finance WHERE form = '611-5'
  UNION ALL
  SELECT unit_id, 4, 'transfers_kyuan', transfers_kyuan, 2, pensions_kyuan + medical_kyuan
  FROM institution_finance WHERE form = '611-5'
),
judged AS (
  SELECT unit_id, place, variable, total, parts, total >= parts - n * :tolerance AS holds
  FROM relation
),
ranked AS (
  SELECT unit_id, variable, total, parts, holds,
    ROW_NUMBER() OVER (
      PARTITION BY unit_id
      ORDER BY CASE WHEN NOT holds THEN 0 WHEN holds THEN 2 ELSE 1 END, place
    ) AS place
  FROM judged
)
SELECT
  r.unit_id AS subject_id,
  l.region_code AS region_code,
  r.variable AS variable,
  CASE r.variable
    WHEN 'income_kyuan' THEN '本年收入合计（17）' WHEN 'expenditure_kyuan' THEN '本年支出合计（21）'
    WHEN 'goods_services_kyuan' THEN '商品和服务支出（23）' ELSE '对个人和家庭的补助（28）'
  END || CAST(CAST(r.total AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(r.parts AS DECIMAL(18, 2)) AS STRING) AS expected,
  r.holds AS holds
FROM ranked AS r
JOIN legal_entity AS l ON l.unit_id = r.unit_id
WHERE r.place = 1
