/* ---
id: DIR005
name: direct_report.filing_window
title:
  zh: 在报送窗口之外报送且没有补报许可
  en: Filed outside the window without a permit
family: direct_report
severity: fatal
clause: 三(二)2
level: 1
grain: unit
variable: submitted_at
tables: [submission, unit]
owner: data_processing
version: 2
status: active
always_decidable: true
parameters:
  opens: {type: date, default: "2019-01-01", note: "first day of the window"}
  closes: {type: date, default: "2019-03-10", note: "last day of the window for the first filing of a form, until 24:00"}
  corrected: {type: date, default: "2019-04-15", note: "last day on which a form filed in time may be filed again, corrected: end of the province's review"}
  corrected_602: {type: date, default: "2019-03-31", note: "the same for form 602"}
message:
  zh: 报表（报送流水号 {related} 等）于 {observed} 报送，{expected}，且没有补报许可
  en: Forms ({related} and others) came on {observed}, outside the window, and without a permit
verify:
  zh: 查补报许可和报送日志，查明由谁打开报送、由谁报送；确经批准的补登许可文号
  en: See the permit and the log, who opened the platform and who filed; enter the permit's number if there is one
false_positives:
  zh: 按期报送后在审核验收期内更正重报的不在此列；经批准延期或补报的，应在“补报许可”中填写文号
  en: A form filed in time and corrected during the review is left out; approved extensions belong in the permit column
--- */
-- Scope: units that filed at least one form. The first filing of a form has the window; filed again
-- it is a correction, which the review asks for until its end (domain 1.1). Each needs a permit
-- outside its time. Always decidable: a time of submission is required.
WITH first_filing AS (
  SELECT unit_id, form, MIN(submitted_at) AS submitted_at FROM submission GROUP BY unit_id, form
),
filed AS (
  SELECT s.unit_id, s.submission_id, s.late_permit, CAST(s.submitted_at AS DATE) AS filed_on,
    CASE WHEN s.submitted_at = f.submitted_at THEN :closes WHEN s.form = '602' THEN :corrected_602
      ELSE :corrected END AS closes_on
  FROM submission AS s
  JOIN first_filing AS f ON f.unit_id = s.unit_id AND f.form = s.form
),
judged AS (
  SELECT unit_id, submission_id, filed_on, closes_on,
    CASE WHEN late_permit IS NULL AND filed_on NOT BETWEEN :opens AND closes_on
      THEN 1 ELSE 0 END AS outside
  FROM filed
),
total AS (
  SELECT unit_id, MAX(outside) AS outside,
    MIN(CASE WHEN outside = 1 THEN submission_id END) AS submission_id,
    MIN(CASE WHEN outside = 1 THEN filed_on END) AS filed_on,
    MIN(CASE WHEN outside = 1 THEN closes_on END) AS closes_on
  FROM judged GROUP BY unit_id
)
SELECT
  t.unit_id AS subject_id,
  u.region_code AS region_code,
  t.submission_id AS related_id,
  CAST(t.filed_on AS STRING) AS observed,
  '应在 ' || CAST(:opens AS STRING) || ' 至 ' || CAST(t.closes_on AS STRING) || ' 24 时之间' AS expected,
  t.outside = 0 AS holds
FROM total AS t
LEFT JOIN unit AS u ON u.unit_id = t.unit_id
