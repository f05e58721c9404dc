/* ---
id: PLA007
name: plausibility.heaping
title:
  zh: 普查员或账号填报数据偏好整数尾数（线索）
  en: An enumerator or account files round figures (lead)
family: plausibility
severity: query
clause: 三(二)2
level: 2
grain: enumerator
variable: revenue_kyuan
tables: [heaping]
owner: data_quality
version: 2
status: active
parameters:
  q: {type: number, default: 0.01, note: largest false discovery rate}
  times: {type: number, default: 2.5, note: times the round endings of the others}
  times_first: {type: number, default: 2, note: times the first digits of the others}
message:
  zh: 线索：{observed}，按同类数据应约为 {expected} 个，请抽查其数据来源
  en: "A lead, no proof: {observed} (values with the feature, of all); as the others file: {expected}"
verify:
  zh: 抽取其登记的若干单位回访，核对收入、支出与账册、流水，查看PAD登记用时
  en: Call on some of the units again; compare the figures with books, and the time spent on each
false_positives:
  zh: 无账户户主按整数估计是常见做法，已按同类数据扣除；定额征税户收入集中于定额
  en: Households without books estimate in round figures, as all others do; fixed-tax households
--- */
-- Scope: enumerators and accounts with any values. A lead, never about one respondent. Unknown:
-- below 20 values of every kind. Any table of figures will do, households or firms.
-- Against the others' values of the same item and number of digits: three kinds of endings, and
-- first digits, which need as clear an excess because areas differ in them by nature.
WITH judged AS (
  SELECT subject_id, region_code, feature, n_values, n_found, n_expected, q_value,
    CASE WHEN q_value IS NOT NULL THEN q_value <= :q AND n_found >= n_expected
      * CASE WHEN feature = 'first_digit' THEN :times_first ELSE :times END END AS told
  FROM heaping
),
ranked AS (
  SELECT subject_id, region_code, feature, n_values, n_found, n_expected, told,
    ROW_NUMBER() OVER (PARTITION BY subject_id
      ORDER BY CASE WHEN told THEN 0 WHEN NOT told THEN 1 ELSE 2 END, q_value, feature) AS place
  FROM judged
)
SELECT r.subject_id AS subject_id, r.region_code AS region_code,
  CAST(r.n_values AS STRING) || ' 个数值中 ' || CAST(r.n_found AS STRING) || ' 个'
    || CASE r.feature WHEN 'end_000' THEN '尾数为 000' WHEN 'end_00' THEN '尾数为 00'
      WHEN 'end_05' THEN '尾数为 0 或 5' ELSE '首位数字偏多' END AS observed,
  CAST(CAST(r.n_expected AS DECIMAL(18, 1)) AS STRING) AS expected,
  NOT r.told AS holds
FROM ranked AS r
WHERE r.place = 1
