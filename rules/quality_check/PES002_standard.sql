/* ---
id: PES002
name: quality_check.standard
title:
  zh: 事后质量抽查差错率未达到标准
  en: Error rates of the quality check miss the standard
family: quality_check
severity: fatal
clause: 三(三)4
level: 5
grain: region
variable: result
tables: [recheck_rate]
owner: data_quality
version: 3
status: active
conclusion: true
parameters:
  unit: {type: number, default: "0.005", note: "unit error rate that must not be reached"}
  item: {type: number, default: "0.01", note: "item error rate that must not be reached"}
  most: {type: integer, default: "100000", note: "units needed from which on all are rechecked instead"}
  z: {type: number, default: "1.645", note: "normal quantile of the confidence (95 %, one-sided) for the sample still needed"}
message:
  zh: 事后质量抽查{observed}；{expected}
  en: "Quality check: {observed}; {expected}. One-sided bounds of 95 %, by block and county; the rate of the city is weighted by county (加权), its counts are not"
verify:
  zh: 超标或观测值已达限值的未达到标准，按规定返工；下限未超的，返工前可按所列数量加抽小区确认；尚不能判定的加抽后再判定
  en: Where the observed rate reaches the limit the standard is missed and the work is done again; while its lower bound is below, as many more blocks as told can confirm it first. Where it is open, recheck as many more
false_positives:
  zh: 抽查时点之后的变化不算差错；样本很小时以上下限为准
  en: Changes after the reference date are no errors; with a small sample look at the bounds
--- */
-- Scope: the city and each county with rechecked blocks. Standard of the 4th census: unit error
-- under 0.5 %, item error under 1 %, or the work is done again. The observed rate decides, as the
-- standard is worded; the bounds tell how sure that is and how many more units would settle it (a
-- rate over the limit whose lower bound is not is told as such, not as open):
-- n = z2 deff p (1 - p) / (p - limit)2 (Cochran 1977, 4.4), 3 deff / limit where p = 0 (rule of three),
-- and one more block at least. The rate of the city is weighted by county and says so: it is not
-- the errors over the units rechecked.
-- Unknown: the rates are under the limits, but an upper bound is not, or nothing was asked.
WITH told AS (
  SELECT region_code, measure, n_blocks, n_checked, n_errors, rate, rate_low, rate_high,
    design_effect, CASE measure WHEN 'unit' THEN :unit ELSE :item END AS bound
  FROM recheck_rate
),
sized AS (
  SELECT region_code, measure, n_blocks, n_checked, n_errors, rate, rate_low, rate_high, bound,
    GREATEST(CASE WHEN rate = 0 THEN 3 * design_effect / NULLIF(bound, 0) WHEN rate <> bound THEN
        :z * :z * design_effect * rate * (1 - rate) / NULLIF((rate - bound) * (rate - bound), 0)
      ELSE :most END - n_checked, n_checked / NULLIF(n_blocks, 0)) AS more
  FROM told
),
worded AS (
  SELECT region_code, measure,
    CASE WHEN rate >= bound THEN 2 WHEN rate_high < bound THEN 0 ELSE 1 END AS state,
    CAST(CAST(100 * rate AS DECIMAL(18, 2)) AS STRING) || '%（'
      || CASE WHEN ABS(rate * n_checked - n_errors) < 0.001 THEN '' ELSE '各县加权后，未加权 ' END
      || CAST(n_errors AS STRING) || '/'
      || CAST(n_checked AS STRING) || '，95% 下限 '
      || CAST(CAST(100 * rate_low AS DECIMAL(18, 2)) AS STRING) || '%、上限 '
      || CAST(CAST(100 * rate_high AS DECIMAL(18, 2)) AS STRING) || '%）' AS seen,
    CAST(CAST(100 * bound AS DECIMAL(18, 1)) AS STRING) || '%：' || CASE
      WHEN rate IS NULL THEN '没有抽查记录' WHEN rate_low >= bound THEN '超标'
      WHEN rate_high < bound THEN '达标'
      ELSE CASE WHEN rate >= bound THEN '观测值已达限值（未达标），但下限未超，如需确认' ELSE '尚不能判定' END
        || CASE WHEN more + n_checked < :most THEN '，约需再抽 '
        || CAST(CAST(ROUND(more + 0.5) AS BIGINT) AS STRING) || CASE measure
          WHEN 'unit' THEN ' 个单位' ELSE ' 个指标' END || '（'
        || CAST(CAST(ROUND(more * n_blocks / NULLIF(n_checked, 0) + 0.5) AS BIGINT) AS STRING) || ' 个小区）'
      ELSE '，须全部抽查' END END AS verdict
  FROM sized
)
SELECT
  region_code AS subject_id,
  region_code AS region_code,
  '单位差错率 ' || COALESCE(MIN(CASE WHEN measure = 'unit' THEN seen END), '未知')
    || '、指标差错率 ' || COALESCE(MIN(CASE WHEN measure = 'item' THEN seen END), '未知') AS observed,
  '单位应低于 ' || MIN(CASE WHEN measure = 'unit' THEN verdict END)
    || '；指标应低于 ' || MIN(CASE WHEN measure = 'item' THEN verdict END) AS expected,
  CASE MAX(state) WHEN 2 THEN FALSE WHEN 0 THEN TRUE END AS holds
FROM worded
GROUP BY region_code
