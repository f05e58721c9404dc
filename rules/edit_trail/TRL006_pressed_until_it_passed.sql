/* ---
id: TRL006
name: edit_trail.pressed_until_it_passed
title:
  zh: 反复修改直到审核通过
  en: A value pressed until it passed
family: edit_trail
severity: query
clause: 三(三)3
level: 2
grain: editor
variable: new_value
tables: [edit_event, edit_bound]
optional_tables: [unit]
owner: enforcement
version: 2
status: active
parameters:
  tolerance: {type: number, default: "1", note: "thousand yuan allowed for rounding in each summed item, as in the form rules"}
  steps: {type: integer, default: "3", note: "edits of one item of one unit that make a series: all but the last fail, the last passes"}
  window: {type: integer, default: "86400", note: "seconds within which the series lies"}
  sequences: {type: integer, default: "1", note: "such series from which on an account is told"}
  landings: {type: integer, default: "3", note: "single edits that end exactly on a bound, without evidence, from which on an account is told"}
  least: {type: number, default: "10", note: "smallest change that counts as landing on a bound; small staff numbers meet by chance"}
message:
  zh: 线索：该账号{observed}；是否为通过审核而凑数须查实后认定
  en: "A lead: this account moved values step by step until an edit rule cleared, or exactly onto its bound ({observed}); whether figures were made to fit is to be found out"
verify:
  zh: 调阅所列修改的核实记录，与被调查单位核对最终数值及其原始凭证；查看同一账号的其他修改
  en: See the record of the verification behind these edits and compare the final figure with the books; look at the account's other edits
false_positives:
  zh: 逐次核对账目后更正、录入笔误连续更正，有每次核实记录的可以解释
  en: Somebody who corrects after each telephone call, or mistypes, has a record of every step
--- */
-- Scope: accounts of enumerators and offices that edited an item of a linear relation of the form
-- rules or of the panel's threshold (edit_bound). A respondent's tries are not told.
-- Passing means a slack of zero but for rounding. Where a sum must be equal, the right correction
-- lands on it as well, so only series count there. With evidence a single landing is explained; a
-- series is not, since nobody verifies an item anew each minute.
-- Unknown: none of the account's relations could be computed, for want of a value.
WITH judged AS (
  SELECT e.event_id, e.editor_id, e.unit_id, e.table_name, e.field, e.edited_second, u.region_code,
    b.bound_id, b.kind, e.evidence, ABS(e.new_number - e.old_number) AS change, b.new_slack,
    b.n_rounded, b.old_slack >= -(:tolerance * b.n_rounded) AS passed,
    b.new_slack >= -(:tolerance * b.n_rounded) AS passes
  FROM edit_bound AS b
  JOIN edit_event AS e ON e.event_id = b.event_id
  LEFT JOIN unit AS u ON u.unit_id = e.unit_id
  WHERE e.editor_role NOT IN ('1', '6')
),
counted AS (
  SELECT event_id, editor_id, region_code, kind, evidence, change, new_slack, n_rounded, passed,
    passes, COUNT(CASE WHEN NOT passes THEN 1 END) OVER (
      PARTITION BY editor_id, unit_id, table_name, field, bound_id ORDER BY edited_second
      RANGE BETWEEN :window PRECEDING AND CURRENT ROW
    ) AS failing
  FROM judged
),
marked AS (
  SELECT event_id, editor_id, region_code, passes,
    CASE WHEN NOT passed AND passes AND failing >= :steps - 1 THEN event_id END AS pressed,
    CASE WHEN NOT passed AND passes AND kind <> 'equal' AND evidence IS NULL
      AND change >= :least AND new_slack <= :tolerance * n_rounded THEN event_id END AS landed
  FROM counted
),
account AS (
  SELECT editor_id, COUNT(DISTINCT pressed) AS n_pressed, COUNT(DISTINCT landed) AS n_landed,
    COALESCE(MIN(pressed), MIN(landed)) AS example, COUNT(passes) AS n_known,
    MIN(region_code) AS first_region, MAX(region_code) AS last_region
  FROM marked GROUP BY editor_id
)
SELECT editor_id AS subject_id,
  CASE WHEN first_region = last_region THEN first_region
    WHEN LEFT(first_region, 6) = LEFT(last_region, 6) THEN LEFT(first_region, 6) || '000000'
    WHEN LEFT(first_region, 4) = LEFT(last_region, 4) THEN LEFT(first_region, 4) || '00000000'
    ELSE LEFT(first_region, 2) || '0000000000' END AS region_code,
  '逐次修改直到通过 ' || CAST(n_pressed AS STRING) || ' 处，无依据而恰好改到界限 '
    || CAST(n_landed AS STRING) || ' 处，例如第 ' || CAST(example AS STRING) || ' 号' AS observed,
  '核实后一次更正' AS expected, CAST(n_pressed + n_landed AS DOUBLE) AS score,
  CASE WHEN n_pressed >= :sequences OR n_landed >= :landings THEN FALSE
    WHEN n_known > 0 THEN TRUE END AS holds
FROM account
