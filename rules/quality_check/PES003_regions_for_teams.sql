/* ---
id: PES003
name: quality_check.regions_for_teams
title:
  zh: 抽查差错率很可能超标的地区（按影响收入排序）
  en: Regions whose rechecked error rate is likely over the limit, ranked by revenue
family: quality_check
severity: query
clause: 三(三)4
level: 5
grain: region
variable: result
tables: [recheck_region]
owner: data_quality
version: 2
status: active
always_decidable: true
parameters:
  units: {type: number, default: "0.03", note: "error rate of legal entities and establishments"}
  self_employed: {type: number, default: "0.05", note: "error rate of the self-employed"}
message:
  zh: 线索：该地区抽查{observed}，高于限值的把握不低于 80%；{expected}，供安排核查组，不是对该地区的结论
  en: "Lead: rechecked error rate, shrunk: {observed}, over the limit with a probability of 0.8 or more; {expected}. For the planning of teams, no verdict on the region"
verify:
  zh: 按名次派出核查组；另抽不少于 20% 的随机地区同时核查，用来衡量线索的准确度
  en: Send teams in this order, and keep at least a fifth of the visits for regions drawn at random
false_positives:
  zh: 抽查小区不是随机抽取的，差错率会偏高，应写明抽取办法
  en: Where blocks were not drawn at random the rate is too high; say how they were chosen
--- */
-- Scope: villages, townships and counties with rechecked blocks. Told where the rate shrunk towards the regions
-- beside it is over the limit with a probability of 0.8 (its 20 % quantile is over it), and so is
-- the lower bound from its own units: neighbours shrink, never accuse. The order within a level is
-- by the revenue in doubt, rate times revenue. The random arm is drawn when tasks are made.
WITH told AS (
  SELECT region_code, kind, n_checked, n_errors, rate, revenue_kyuan, revenue_share,
    LEAST(rate_low, own_low) > CASE kind WHEN 'units' THEN :units ELSE :self_employed END AS is_over,
    ROW_NUMBER() OVER (PARTITION BY region_code ORDER BY LEAST(rate_low, own_low)
      - CASE kind WHEN 'units' THEN :units ELSE :self_employed END DESC, kind DESC) AS place,
    CASE WHEN region_code LIKE '______000000' THEN 3 WHEN region_code LIKE '_________000' THEN 4
      ELSE 5 END AS level
  FROM recheck_region WHERE region_code NOT LIKE '____00000000'
),
ranked AS (
  SELECT region_code, kind, n_checked, n_errors, rate, is_over, revenue_share,
    COALESCE(rate * revenue_kyuan, 0) AS doubt,
    RANK() OVER (PARTITION BY level, is_over ORDER BY COALESCE(rate * revenue_kyuan, 0) DESC) AS rank_no
  FROM told WHERE place = 1
)
SELECT
  region_code AS subject_id,
  region_code AS region_code,
  CASE kind WHEN 'units' THEN '单位差错 ' ELSE '个体经营户差错 ' END || CAST(n_errors AS STRING)
    || '/' || CAST(n_checked AS STRING) || '，收缩后 '
    || CAST(CAST(100 * rate AS DECIMAL(18, 1)) AS STRING) || '%' AS observed,
  '同级第 ' || CAST(rank_no AS STRING) || ' 位，存疑营业收入 '
    || CAST(CAST(doubt AS DECIMAL(18, 0)) AS STRING) || ' 千元' AS expected,
  0.8 + 0.2 * COALESCE(revenue_share, 0) AS score,
  NOT is_over AS holds
FROM ranked
