/* ---
id: TRL010
name: edit_trail.boilerplate_notes
title:
  zh: 修改原因或审核说明雷同、空洞
  en: Reasons or explanations that are all alike or say nothing
family: edit_trail
severity: query
clause: 三(三)3
level: 2
grain: editor
variable: reason
tables: [unit]
optional_tables: [edit_event]
owner: data_quality
version: 2
status: active
parameters:
  same_units: {type: integer, default: "10", note: "units with the same text from which on it is boilerplate"}
  length: {type: integer, default: "6", note: "characters that a note needs to say something, blanks and punctuation not counted"}
  short_notes: {type: integer, default: "3", note: "notes that are too short from which on an account is told"}
message:
  zh: 线索：该账号经手的说明{observed}；{expected}
  en: "A lead: notes of this account are alike for many units or too short to say what was verified ({observed})"
verify:
  zh: 抽取若干单位核对说明所述是否属实，要求逐户写明核实到的情况；空洞、过时的说明应清理
  en: Check some units against their notes, and have each note say what was found; stale or empty remarks are to be cleaned
false_positives:
  zh: 同一市场、同一园区因同一事件（拆迁、停电）形成的相同说明可以解释
  en: One event (demolition, a power cut) explains the same note for all units of a market or park
--- */
-- Scope: enumerators and office accounts, by the reasons of their edits and by the explanations on
-- forms of their own units; figures in a note make it another note. An account with no note at all is
-- unknown here: a missing reason is TRL001's. A lead about an account, not a proof.
WITH note AS (
  SELECT e.editor_id AS account, e.unit_id, e.reason_key AS words, u.region_code
  FROM edit_event AS e
  LEFT JOIN unit AS u ON u.unit_id = e.unit_id
  WHERE e.editor_role NOT IN ('1', '6')
  UNION ALL
  SELECT enumerator_id AS account, unit_id,
    TRANSLATE(UPPER(explanation), ' ,.;:!()-/，。；：！（）、…', '') AS words, region_code
  FROM unit
  WHERE explanation IS NOT NULL AND enumerator_id IS NOT NULL
),
alike AS (
  SELECT account, words, COUNT(DISTINCT unit_id) AS n_units,
    CASE WHEN LENGTH(words) < :length THEN COUNT(*) ELSE 0 END AS n_short,
    MIN(region_code) AS first_region, MAX(region_code) AS last_region
  FROM note
  GROUP BY account, words
),
by_account AS (
  SELECT account, MAX(CASE WHEN words IS NOT NULL THEN n_units END) AS n_same,
    SUM(n_short) AS n_short, MIN(first_region) AS first_region, MAX(last_region) AS last_region
  FROM alike
  GROUP BY account
)
SELECT
  account AS subject_id,
  CASE
    WHEN first_region = last_region THEN first_region
    WHEN LEFT(first_region, 9) = LEFT(last_region, 9) THEN LEFT(first_region, 9) || '000'
    WHEN LEFT(first_region, 6) = LEFT(last_region, 6) THEN LEFT(first_region, 6) || '000000'
    WHEN LEFT(first_region, 4) = LEFT(last_region, 4) THEN LEFT(first_region, 4) || '00000000'
    ELSE LEFT(first_region, 2) || '0000000000'
  END AS region_code,
  CASE
    WHEN n_same >= :same_units THEN '有 ' || CAST(n_same AS STRING) || ' 个单位文字相同'
    ELSE '有 ' || CAST(n_short AS STRING) || ' 条过于简短'
  END AS observed,
  '说明应逐户写明核实到的情况' AS expected,
  CAST(GREATEST(n_same, n_short) AS DOUBLE) AS score,
  n_same < :same_units AND n_short < :short_notes AS holds
FROM by_account
