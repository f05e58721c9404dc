/* ---
id: PLA004
name: plausibility.size_class
title:
  zh: 单位规模与重新计算的结果不符
  en: Size class differs from the one computed
family: plausibility
severity: fatal
clause: 三(三)1
level: 1
grain: unit
variable: size_class
tables: [legal_entity, ref_industry_profile]
owner: specialty
version: 1
status: active
message:
  zh: 单位规模为 {observed}，按行业、人数、收入和资产重新计算应为 {expected}
  en: Size class is {observed}; industry, employees, revenue and assets make it {expected}
verify:
  zh: 按《统计上大中小微型企业划分办法(2017)》重算；也查行业代码、从业人员、收入和资产有无差错
  en: Compute it again by the 2017 method; industry, employees, revenue or assets may be wrong
false_positives:
  zh: 限额以下批零、住餐单位按商品销售额、营业额划分，与营业收入差距大的需说明
  en: Trade and catering below the threshold go by sales or turnover, which may differ from revenue
--- */
-- Scope: legal entities on enterprise accounting, or with a size class, in an industry that the
-- 2017 method covers. All bounds of a class must be met, else one class down; micro below small.
-- Unknown: no size class, no known industry, or an indicator missing that would decide.
WITH measured AS (
  SELECT l.unit_id, l.region_code, l.size_class,
    (p.size_employees_large IS NULL OR l.employees >= p.size_employees_large)
    AND (p.size_revenue_large_kyuan IS NULL
      OR COALESCE(l.main_revenue_kyuan, l.revenue_kyuan) >= p.size_revenue_large_kyuan)
    AND (p.size_assets_large_kyuan IS NULL OR l.assets_kyuan >= p.size_assets_large_kyuan)
    AS large,
    (p.size_employees_medium IS NULL OR l.employees >= p.size_employees_medium)
    AND (p.size_revenue_medium_kyuan IS NULL
      OR COALESCE(l.main_revenue_kyuan, l.revenue_kyuan) >= p.size_revenue_medium_kyuan)
    AND (p.size_assets_medium_kyuan IS NULL OR l.assets_kyuan >= p.size_assets_medium_kyuan)
    AS medium,
    (p.size_employees_small IS NULL OR l.employees >= p.size_employees_small)
    AND (p.size_revenue_small_kyuan IS NULL
      OR COALESCE(l.main_revenue_kyuan, l.revenue_kyuan) >= p.size_revenue_small_kyuan)
    AND (p.size_assets_small_kyuan IS NULL OR l.assets_kyuan >= p.size_assets_small_kyuan)
    AS small,
    p.size_covered AS covered
  FROM legal_entity AS l
  LEFT JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
  WHERE (COALESCE(l.accounting_standard, '1') = '1' OR l.size_class IS NOT NULL)
    AND COALESCE(p.size_covered, TRUE)
),
classed AS (
  SELECT unit_id, region_code, size_class,
    CASE
      WHEN covered IS NULL OR large IS NULL THEN NULL
      WHEN large THEN '1'
      WHEN medium IS NULL THEN NULL
      WHEN medium THEN '2'
      WHEN small IS NULL THEN NULL
      WHEN small THEN '3'
      ELSE '4'
    END AS computed
  FROM measured
)
SELECT
  c.unit_id AS subject_id,
  c.region_code AS region_code,
  c.size_class AS observed,
  c.computed AS expected,
  c.size_class = c.computed AS holds
FROM classed AS c
