/* ---
id: PAD004
name: field_visit.too_short
title:
  zh: 入户登记用时过短
  en: The visit was too short for the form
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: unit
variable: duration_s
tables: [unit, visit]
owner: enforcement
version: 1
status: active
parameters:
  unit_s: {type: number, default: "300", note: "seconds for the form of a legal entity or establishment"}
  household_s: {type: number, default: "120", note: "seconds for the form of a self-employed household"}
message:
  zh: 入户登记共用 {observed} 秒，少于填这张表至少要用的 {expected} 秒（轨迹 {related}），请核实是否逐项询问
  en: "{observed} seconds on site, fewer than the {expected} that the form takes at least (visit {related}): were all items asked?"
verify:
  zh: 回访被调查单位，问普查员是否来过、问了哪些指标，用原始凭证核对主要指标
  en: Call on the unit again, ask whether the enumerator came and what was asked, and check key items against its papers
false_positives:
  zh: 事先收齐资料、现场只补录的；本部随法人表一并询问的，按较短的标准
  en: Papers collected beforehand and only entered on site; a headquarters asked along with its legal entity has the shorter bound
--- */
-- Scope: visits of enumerated units; the visits of one unit count together, as an interview may be
-- broken off and resumed. Three to five minutes is a quick interview of a household, a unit takes
-- more (domain 4). A headquarters is asked together with its legal entity, and a unit that does not
-- operate (status other than 1) has few items: both have the household's bound.
-- Unknown: the time of a visit is missing, and the others do not suffice.
WITH spent AS (
  SELECT unit_id, MIN(visit_id) AS visit_id, SUM(duration_s) AS duration_s,
    COUNT(*) - COUNT(duration_s) AS n_unclear
  FROM visit
  GROUP BY unit_id
),
asked AS (
  SELECT unit_id, region_code,
    CASE WHEN unit_kind = '3' OR is_headquarters = '1' OR status <> '1'
      THEN :household_s ELSE :unit_s END AS least_s
  FROM unit
)
SELECT
  a.unit_id AS subject_id,
  a.region_code AS region_code,
  v.visit_id AS related_id,
  CAST(v.duration_s AS STRING) AS observed,
  CAST(CAST(a.least_s AS DECIMAL(18, 0)) AS STRING) AS expected,
  CASE
    WHEN v.duration_s >= a.least_s THEN TRUE
    WHEN v.n_unclear = 0 THEN FALSE
  END AS holds
FROM spent AS v
JOIN asked AS a ON a.unit_id = v.unit_id
