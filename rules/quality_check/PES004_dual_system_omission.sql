/* ---
id: PES004
name: quality_check.dual_system_omission
title:
  zh: 双系统估计的漏报率过高
  en: Too many units are missed by the dual-system estimate
family: quality_check
severity: query
clause: 三(三)4
level: 5
grain: region
variable: unit_id
tables: [dual_system]
owner: data_quality
version: 2
status: active
parameters:
  limit: {type: number, default: "0.01", note: "highest omission, estimated units by units of the census less 1"}
message:
  zh: 线索：双系统估计该县{observed}；{expected}（漏报率为估计数超出普查登记数的部分占普查登记数的比重，PES001、PES003 的差错率以抽查数为分母，两者不可直接比较）；请安排查遗补漏，不是对该地区的结论
  en: "Lead: dual-system estimate of the county: {observed}; {expected}. The omission is a share of the units that the census has; the rates of PES001 and PES003 are shares of the rechecked, and not to be compared with it. List again what was missed; no verdict on the region"
verify:
  zh: 对该县同类单位查遗补漏，与部门名录、底册落实结果比对
  en: Look for more units of this kind in the county, beside the registers and the frame
false_positives:
  zh: 抽查与普查相互影响、抽查配对不全、小区非随机抽取都会使估计偏离
  en: The estimate is off where the check was not independent, matching was poor, or blocks were chosen
--- */
-- Scope: counties with rechecked blocks; the kind of unit (legal entity, establishment, household)
-- with the highest lower bound speaks for the county. Told only when the lower 95 % bound is over
-- the limit. Unknown: the limit lies between the bounds of a kind, and no kind is told.
WITH ranked AS (
  SELECT region_code, unit_kind, n_blocks, n_census, n_recheck, n_both, n_estimated,
    standard_error, omission, omission_low,
    CASE WHEN omission_low > :limit THEN 2 WHEN omission_high <= :limit THEN 0 ELSE 1 END AS state,
    ROW_NUMBER() OVER (PARTITION BY region_code
      ORDER BY COALESCE(omission_low, 0) DESC, COALESCE(omission, 0) DESC, unit_kind) AS place
  FROM dual_system
),
county AS (
  SELECT region_code, MAX(state) AS state FROM ranked GROUP BY region_code
)
SELECT
  r.region_code AS subject_id,
  r.region_code AS region_code,
  CASE r.unit_kind WHEN '1' THEN '法人单位' WHEN '2' THEN '产业活动单位' ELSE '个体经营户' END
    || '漏报率 ' || CAST(CAST(100 * r.omission AS DECIMAL(18, 1)) AS STRING) || '%（95% 下限 '
    || CAST(CAST(100 * r.omission_low AS DECIMAL(18, 1)) AS STRING) || '%）：'
    || CAST(r.n_blocks AS STRING) || ' 个小区普查 ' || CAST(r.n_census AS STRING) || ' 个、抽查 '
    || CAST(r.n_recheck AS STRING) || ' 个、两者均有 ' || CAST(r.n_both AS STRING) || ' 个，估计应有 '
    || CAST(CAST(r.n_estimated AS DECIMAL(18, 1)) AS STRING) || ' 个（标准误 '
    || CAST(CAST(r.standard_error AS DECIMAL(18, 1)) AS STRING) || '）' AS observed,
  '应不超过 ' || CAST(CAST(100 * :limit AS DECIMAL(18, 1)) AS STRING) || '%' AS expected,
  CASE c.state WHEN 2 THEN FALSE WHEN 0 THEN TRUE END AS holds
FROM ranked AS r
JOIN county AS c ON c.region_code = r.region_code
WHERE r.place = 1
