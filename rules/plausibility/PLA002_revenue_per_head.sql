/* ---
id: PLA002
name: plausibility.revenue_per_head
title:
  zh: 人均营业收入异常
  en: Revenue per head is far from that of the industry
family: plausibility
severity: query
clause: 三(三)1
level: 1
grain: unit
variable: revenue_per_head
tables: [legal_entity, revenue_per_head]
owner: specialty
version: 2
status: active
parameters:
  a: {type: number, default: 0.05, note: least distance of a quartile from the median as a share of it (A)}
  fold: {type: number, default: 10, note: times the median within which a unit is never queried}
  fold_all: {type: number, default: 20, note: the same where all industries are compared together}
  c: {type: number, default: 7, note: quartile distances beyond which a unit is queried (C)}
message:
  zh: 人均营业收入 {observed} 千元，同组单位的中位数为 {expected}，请核实收入和人数
  en: "Revenue per head is {observed} thousand yuan; the median of comparable units: {expected}"
verify:
  zh: 对照利润表和工资表核对营业收入、从业人员期末人数及计量单位
  en: Compare revenue, head count and the unit of money with the accounts and the payroll
false_positives:
  zh: 期末已停工而全年有收入的、用工由派遣或总部承担的、总部集中开票的单位
  en: Units that stopped before year end, use agency or group staff, or invoice for a group
--- */
-- Scope: operating legal entities whose revenue and head count are not zero; a blank makes it
-- unknown. What stood still or was closed in the year has a part of a year's revenue.
-- Hidiroglou and Berthelot (1986) in cells of industry by head count: the estimate holds effects
-- and quartiles, this rule the fences. Effects grow with revenue, so that in a large unit a small
-- departure lies outside: within `fold` times the median nobody is asked. Too few units: unknown.
SELECT l.unit_id AS subject_id, l.region_code AS region_code,
  CAST(CAST(r.ratio AS DECIMAL(18, 2)) AS STRING) AS observed,
  CAST(CAST(r.ratio_median AS DECIMAL(18, 2)) AS STRING) || ' 千元（' ||
    CAST(r.n_cell AS STRING) || ' 个单位）' AS expected,
  r.effect BETWEEN
      r.effect_median - :c * GREATEST(r.effect_median - r.effect_q1, ABS(:a * r.effect_median))
    AND
      r.effect_median + :c * GREATEST(r.effect_q3 - r.effect_median, ABS(:a * r.effect_median))
    OR GREATEST(r.ratio / NULLIF(r.ratio_median, 0), r.ratio_median / NULLIF(r.ratio, 0))
      <= CASE WHEN r.cell_level = 'all' THEN :fold_all ELSE :fold END
    AS holds
FROM legal_entity AS l
LEFT JOIN revenue_per_head AS r ON r.unit_id = l.unit_id
WHERE COALESCE(l.status, '1') = '1' AND (l.revenue_kyuan > 0 OR l.revenue_kyuan IS NULL)
  AND (l.employees > 0 OR l.employees IS NULL)
