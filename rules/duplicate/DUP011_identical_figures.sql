/* ---
id: DUP011
name: duplicate.identical_figures
title:
  zh: 不同单位主要指标整行雷同
  en: Different units report the same figures
family: duplicate
severity: query
clause: 三(三)2
level: 2
grain: unit
variable: revenue_kyuan
tables: [legal_entity, finance]
optional_tables: [employment]
owner: data_quality
version: 1
status: active
message:
  zh: "{observed}与单位 {related} 完全相同，{expected}"
  en: At least four of revenue, assets, cost, VAT, pay and staff equal those of unit {related}
verify:
  zh: 分别向各单位索取财务资料，查是否重复登记、复制上报或代填代报
  en: Ask each for its accounts; look for one unit twice, copied returns, or one hand behind both
false_positives:
  zh: 微型单位数值小，偶有巧合；个体户指标少且多为整数，不参与比较
  en: Small figures coincide now and then; households are left out, their few round figures do often
--- */
-- Scope: legal entities with a finance return; a lead, not proof. At least four of six figures,
-- none of them zero, must agree. Every choice of four is a key, so that one changed figure does not
-- hide a copy. Forms of one credit code count once (DUP001). Unknown: fewer than four figures.
WITH money AS (
  SELECT unit_id, MAX(revenue_kyuan) AS revenue, MAX(assets_kyuan) AS assets,
    MAX(cost_kyuan) AS cost, MAX(vat_kyuan) AS tax, MAX(pay_kyuan) AS pay
  FROM finance GROUP BY unit_id
),
staff AS (SELECT unit_id, MAX(wages_kyuan) AS wages FROM employment GROUP BY unit_id),
figure AS (
  SELECT l.unit_id, l.region_code, COALESCE(l.credit_code, l.unit_id) AS holder,
    CAST(CAST(NULLIF(ROUND(m.revenue), 0) AS BIGINT) AS STRING) AS f1,
    CAST(CAST(NULLIF(ROUND(m.assets), 0) AS BIGINT) AS STRING) AS f2,
    CAST(CAST(NULLIF(ROUND(m.cost), 0) AS BIGINT) AS STRING) AS f3,
    CAST(CAST(NULLIF(ROUND(m.tax), 0) AS BIGINT) AS STRING) AS f4,
    CAST(CAST(NULLIF(ROUND(COALESCE(s.wages, m.pay)), 0) AS BIGINT) AS STRING) AS f5,
    CAST(NULLIF(l.employees, 0) AS STRING) AS f6
  FROM legal_entity AS l JOIN money AS m ON m.unit_id = l.unit_id
  LEFT JOIN staff AS s ON s.unit_id = l.unit_id
),
place AS (SELECT n FROM (VALUES (1), (2), (3), (4), (5), (6)) AS six(n)),
keyed AS (
  SELECT f.unit_id, f.holder,
    CASE WHEN 1 IN (x.n, y.n) THEN '' ELSE f.f1 END || '|'
    || CASE WHEN 2 IN (x.n, y.n) THEN '' ELSE f.f2 END || '|'
    || CASE WHEN 3 IN (x.n, y.n) THEN '' ELSE f.f3 END || '|'
    || CASE WHEN 4 IN (x.n, y.n) THEN '' ELSE f.f4 END || '|'
    || CASE WHEN 5 IN (x.n, y.n) THEN '' ELSE f.f5 END || '|'
    || CASE WHEN 6 IN (x.n, y.n) THEN '' ELSE f.f6 END AS vector
  FROM figure AS f CROSS JOIN place AS x JOIN place AS y ON x.n < y.n
),
alike AS (
  SELECT vector, COUNT(DISTINCT holder) AS n, MIN(unit_id) AS first_id
  FROM keyed WHERE vector IS NOT NULL GROUP BY vector HAVING COUNT(DISTINCT holder) > 1
),
member AS (
  SELECT k.unit_id, MAX(a.n) AS n, MIN(a.vector) AS vector
  FROM keyed AS k LEFT JOIN alike AS a ON a.vector = k.vector
  WHERE k.vector IS NOT NULL GROUP BY k.unit_id
),
second AS (
  SELECT a.vector, MIN(k.unit_id) AS second_id FROM keyed AS k
  JOIN alike AS a ON a.vector = k.vector AND a.first_id <> k.unit_id GROUP BY a.vector
)
SELECT f.unit_id AS subject_id, f.region_code AS region_code, g.unit_id AS related_id,
  SUBSTRING(CASE WHEN f.f1 = g.f1 THEN '、营业收入' ELSE '' END
    || CASE WHEN f.f2 = g.f2 THEN '、资产总计' ELSE '' END
    || CASE WHEN f.f3 = g.f3 THEN '、营业成本' ELSE '' END
    || CASE WHEN f.f4 = g.f4 THEN '、应交增值税' ELSE '' END
    || CASE WHEN f.f5 = g.f5 THEN '、职工薪酬' ELSE '' END
    || CASE WHEN f.f6 = g.f6 THEN '、从业人员' ELSE '' END, 2) AS observed,
  '四项以上相同的共 ' || CAST(m.n AS STRING) || ' 个单位' AS expected,
  CASE WHEN m.unit_id IS NOT NULL THEN m.n IS NULL END AS holds, MD5('DUP011|' || m.vector) AS group_key
FROM figure AS f
LEFT JOIN member AS m ON m.unit_id = f.unit_id
LEFT JOIN alike AS a ON a.vector = m.vector
LEFT JOIN second AS o ON o.vector = m.vector
LEFT JOIN figure AS g
  ON g.unit_id = CASE WHEN f.unit_id = a.first_id THEN o.second_id ELSE a.first_id END
