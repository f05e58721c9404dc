/* ---
id: TRL009
name: edit_trail.log_integrity
title:
  zh: 修改痕迹不完整或与现值不符
  en: The edit trail is not whole or does not lead to the stored value
family: edit_trail
severity: fatal
clause: 三(四)4
level: 2
grain: event
variable: digest
tables: [edit_event, edit_replay]
optional_tables: [unit, rejected_row, delivered_file]
owner: data_processing
version: 1
status: active
message:
  zh: 修改记录{observed}；{expected}
  en: "This entry of the edit trail does not stand: its digest, its place in the log, the value it began with, or the value in the form ({observed})"
verify:
  zh: 停止对修改痕迹库的写入并保全备份；由数据处理组向平台运维核对该流水前后的记录，查明删改或绕过平台写库的人和时间
  en: Stop writing to the trail and keep its backups; have the platform's operators compare the entries around it, and find out who removed or rewrote them, or wrote to the database past the platform
false_positives:
  zh: 只送达部分地区的日志、因格式错误被退回的日志行会留下断号，补送完整日志后消除
  en: A log of some counties only, or rows refused for their format, leave gaps; deliver the whole log
--- */
-- Scope: every edit. It stands if its digest is that of its columns, it follows its predecessor
-- without a gap and names its digest, it begins with the value the last edit of the item left, and
-- the form holds what the last edit wrote. A gap of no more rows than intake refused (a damaged row,
-- or one of a confidential unit) is ours.
-- Unknown: no digest, the beginning of an extract, or no form to compare with.
WITH refused AS (
  SELECT COUNT(DISTINCT r.file || '#' || CAST(r.row AS STRING)) AS n
  FROM rejected_row AS r
  JOIN delivered_file AS d ON d.file = r.file
  WHERE d.table_name = 'edit_event'
),
judged AS (
  SELECT p.event_id, p.unit_id, e.field, e.digest_ok, p.previous_event_id, p.n_missing,
    p.follows_ok, p.is_last, p.stored_ok, p.stored_value, e.old_value, e.new_value,
    CASE WHEN p.n_missing IS NULL OR p.n_missing <= 0 THEN TRUE WHEN p.n_missing > r.n THEN FALSE
      END AS gapless,
    CASE WHEN p.n_missing > 0 AND p.n_missing <= r.n THEN NULL ELSE p.chain_ok END AS chained
  FROM edit_replay AS p
  JOIN edit_event AS e ON e.event_id = p.event_id
  JOIN refused AS r ON r.n >= 0
)
SELECT
  CAST(j.event_id AS STRING) AS subject_id,
  u.region_code AS region_code,
  j.unit_id AS related_id,
  CASE
    WHEN NOT j.digest_ok THEN '的摘要与其内容不符'
    WHEN NOT j.gapless THEN '之前缺 ' || CAST(j.n_missing AS STRING) || ' 条（上一条为第 '
      || CAST(j.previous_event_id AS STRING) || ' 号）'
    WHEN NOT j.chained THEN '所记的上一条摘要与上一条不符'
    WHEN NOT j.follows_ok THEN '的修改前值（' || COALESCE(j.old_value, '空') || '）不是该指标上次修改后的值'
    ELSE '后 ' || j.field || ' 应为 ' || COALESCE(j.new_value, '空') || '，库内为 '
      || COALESCE(j.stored_value, '空')
  END AS observed,
  '日志应连续、不可更改，回放结果应与库内现值一致' AS expected,
  j.digest_ok AND j.gapless AND j.chained AND COALESCE(j.follows_ok, TRUE)
    AND CASE WHEN j.is_last THEN j.stored_ok ELSE TRUE END AS holds
FROM judged AS j
LEFT JOIN unit AS u ON u.unit_id = j.unit_id
