/* ---
id: PES001
name: quality_check.block_over_limit
title:
  zh: 抽查小区漏登率或虚报率超标
  en: Too many units of a rechecked block are missed or listed falsely
family: quality_check
severity: fatal
clause: 三(三)4
level: 3
grain: block
variable: unit_id
tables: [recheck_block]
owner: data_quality
version: 2
status: active
conclusion: true
parameters:
  units: {type: number, default: "0.03", note: "highest share of legal entities and establishments"}
  self_employed: {type: number, default: "0.05", note: "highest share of the self-employed"}
message:
  zh: 该小区质量抽查{observed}，{expected}；按规定应对所在乡级区域全面复查
  en: "Quality check of the block, as missed or false by rechecked: {observed}; {expected}. The township must be done again"
verify:
  zh: 对该小区所在乡镇（街道）的全部单位重新清查，补登漏登单位，删除虚报、重报单位
  en: List all units of the township again; add what was missed, remove what is false or twice
false_positives:
  zh: 抽查时点之后新开业或关闭的单位不算差错
  en: Units opened or closed after the reference date are no errors
--- */
-- Scope: rechecked blocks. Nanchong's plan for the 4th census: over 3 % of units or 5 % of households
-- missed, or listed falsely, in one block, and its township is done again. A block of which only a
-- part was rechecked is told when the lower 80 % bound (Jeffreys) is over the limit already, the
-- early warning. Unknown: the limit lies between the bounds. Duplicates count as false.
WITH told AS (
  SELECT block_id, region_code, kind, n_unchecked,
    CASE kind WHEN 'units' THEN '单位' ELSE '个体经营户' END
      || '漏登 ' || CAST(n_missed AS STRING) || '/' || CAST(n_checked - n_surplus AS STRING)
      || '、虚报 ' || CAST(n_surplus AS STRING) || '/' || CAST(n_checked - n_missed AS STRING) AS words,
    GREATEST(COALESCE(omission_low, 0), COALESCE(surplus_low, 0)) AS low,
    GREATEST(omission_high, surplus_high) AS high,
    CASE kind WHEN 'units' THEN :units ELSE :self_employed END AS limit_share
  FROM recheck_block
),
judged AS (
  SELECT block_id, region_code, kind, words,
    CASE WHEN low > limit_share THEN 2 WHEN high > limit_share THEN 1 ELSE 0 END AS state,
    CASE WHEN low > limit_share AND n_unchecked > 0 THEN 1 ELSE 0 END AS early
  FROM told
)
SELECT
  block_id AS subject_id,
  MIN(region_code) AS region_code,
  COALESCE(MIN(CASE WHEN kind = 'units' THEN words END), '')
    || CASE WHEN COUNT(*) = 2 THEN '；' ELSE '' END
    || COALESCE(MIN(CASE WHEN kind = 'self_employed' THEN words END), '')
    || CASE WHEN MAX(early) = 1 THEN '（尚未全查，按 80% 下限预警）' ELSE '' END AS observed,
  '单位应不超过 ' || CAST(CAST(100 * :units AS DECIMAL(18, 1)) AS STRING)
    || '%，个体经营户应不超过 ' || CAST(CAST(100 * :self_employed AS DECIMAL(18, 1)) AS STRING) || '%'
    AS expected,
  CASE MAX(state) WHEN 2 THEN FALSE WHEN 0 THEN TRUE END AS holds
FROM judged
GROUP BY block_id
