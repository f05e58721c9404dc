/* ---
id: TRL008
name: edit_trail.odd_hours
title:
  zh: 非工作时间修改或短时间集中修改
  en: Edits at night or many within minutes
family: edit_trail
severity: query
clause: 三(三)3
level: 2
grain: editor
variable: edited_at
tables: [edit_event]
optional_tables: [unit]
owner: enforcement
version: 2
status: active
always_decidable: true
parameters:
  night_from: {type: integer, default: "22", note: "hour from which on it is night"}
  night_to: {type: integer, default: "6", note: "hour at which the night ends"}
  night_share: {type: number, default: "0.3", note: "share of an account's edits at night that is still usual"}
  least: {type: integer, default: "10", note: "edits of an account from which on its share means something"}
  burst: {type: integer, default: "30", note: "edits within the window from which on they are a burst"}
  window: {type: integer, default: "600", note: "length of the window in seconds"}
message:
  zh: 线索：该账号{observed}，{expected}；是否有人代替填报须查实后认定
  en: "A lead: the times of this account's edits are unusual ({observed}); whether somebody filled in for others is to be found out"
verify:
  zh: 询问账号使用人当时在何处、依据什么材料修改；抽取其中若干单位电话回访
  en: Ask the account's user where it was and what it worked from; call some of the units
false_positives:
  zh: PAD 离线登记后一次上传会把许多修改记在几分钟内，夜间营业的单位也可能在夜间登记
  en: A tablet that worked offline sends its edits at once; shops open at night may be visited at night
--- */
-- Scope: accounts of enumerators and offices. Respondents may work when they like, and the system's
-- jobs run at night. A lead about an account, not a proof. Always decidable: every edit has a time.
WITH edited AS (
  SELECT e.editor_id, u.region_code,
    CASE WHEN e.edited_hour >= :night_from OR e.edited_hour < :night_to THEN 1 ELSE 0 END AS night,
    COUNT(*) OVER (
      PARTITION BY e.editor_id ORDER BY e.edited_second
      RANGE BETWEEN :window PRECEDING AND CURRENT ROW
    ) AS recent
  FROM edit_event AS e
  LEFT JOIN unit AS u ON u.unit_id = e.unit_id
  WHERE COALESCE(e.editor_role, '') NOT IN ('1', '6')
),
account AS (
  SELECT editor_id, COUNT(*) AS n, SUM(night) AS night, MAX(recent) AS recent,
    MIN(region_code) AS first_region, MAX(region_code) AS last_region
  FROM edited
  GROUP BY editor_id
)
SELECT
  editor_id AS subject_id,
  CASE
    WHEN first_region = last_region THEN first_region
    WHEN LEFT(first_region, 9) = LEFT(last_region, 9) THEN LEFT(first_region, 9) || '000'
    WHEN LEFT(first_region, 6) = LEFT(last_region, 6) THEN LEFT(first_region, 6) || '000000'
    WHEN LEFT(first_region, 4) = LEFT(last_region, 4) THEN LEFT(first_region, 4) || '00000000'
    ELSE LEFT(first_region, 2) || '0000000000'
  END AS region_code,
  '共修改 ' || CAST(n AS STRING) || ' 次，其中夜间 ' || CAST(night AS STRING)
    || ' 次，最密集时 ' || CAST(:window AS STRING) || ' 秒内 ' || CAST(recent AS STRING) || ' 次'
    AS observed,
  CASE WHEN recent >= :burst THEN '短时间集中修改' ELSE '夜间修改比例过高' END AS expected,
  GREATEST(CAST(night AS DOUBLE) / NULLIF(n, 0), LEAST(CAST(recent AS DOUBLE) / 100, 1)) AS score,
  (n < :least OR night <= :night_share * n) AND recent < :burst AS holds
FROM account
