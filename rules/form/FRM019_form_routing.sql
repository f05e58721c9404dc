/* ---
id: FRM019
name: form.form_routing
title:
  zh: 填报的表种不对
  en: The unit filed a form that is not its own
family: form
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: form
tables: [legal_entity]
optional_tables: [finance, institution_finance]
owner: specialty
version: 1
status: active
message:
  zh: 填报了 {observed} 表，按机构类型、会计标准和是否一套表应填报 {expected} 表
  en: It filed form {observed}; by institution type, accounting standard and panel it owes {expected}
verify:
  zh: 核对机构类型（211）和执行会计标准（209），换填应报的表
  en: See institution type (211) and accounting standard (209); file the form that is owed
false_positives:
  zh: 执行企业会计标准的事业单位、民办非企业单位填 611-3 属正常
  en: Institutions and private non-enterprises on enterprise accounting rightly file 611-3
--- */
-- Scope: legal entities with a financial return. Route (611 instructions): on the panel the 603 of
-- its specialty; off it 611-3 with enterprise accounting, 611-5 for bodies, committees and public
-- institutions, 611-6 for non-profit accounting. A 603 of another specialty is XSP001, XSP005 and
-- XSP012's matter. Unknown: standard and type leave it open.
WITH filed AS (
  SELECT unit_id, form FROM finance
  UNION
  SELECT unit_id, form FROM institution_finance
),
owed AS (
  SELECT unit_id, region_code, CASE
      WHEN form = '601' THEN '603'
      WHEN accounting_standard = '1' OR institution_type IN ('10', '55') THEN '611-3'
      WHEN institution_type IN ('20', '30', '53', '54') THEN '611-5'
      WHEN institution_type IN ('40', '51', '52') THEN '611-6'
    END AS route
  FROM legal_entity
),
judged AS (
  SELECT o.unit_id, o.region_code, o.route, f.form,
    CASE WHEN RIGHT(f.form, 3) = '603' THEN '603' ELSE f.form END = o.route AS holds
  FROM owed AS o JOIN filed AS f ON f.unit_id = o.unit_id
)
SELECT
  unit_id AS subject_id,
  MIN(region_code) AS region_code,
  COALESCE(MIN(CASE WHEN NOT holds THEN form END), MIN(form)) AS observed,
  MIN(route) AS expected,
  CASE
    WHEN MAX(CASE WHEN NOT holds THEN 1 ELSE 0 END) = 1 THEN FALSE
    WHEN COUNT(holds) = COUNT(*) THEN TRUE
  END AS holds
FROM judged
GROUP BY unit_id
