/* ---
id: LNK006
name: linkage.one_headquarters
title:
  zh: 多产业法人单位的本部不唯一
  en: A multi-establishment legal entity has no headquarters, or several
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: n_headquarters
tables: [legal_entity, establishment]
optional_tables: [establishment_list]
owner: data_quality
version: 2
status: active
parameters:
  city: {type: text, default: "4304", note: "first digits of the audited city, four or, of a municipality or province, two: a headquarters listed elsewhere has no form here"}
message:
  zh: 多产业法人单位的本部应为 {expected} 个，实有 {observed} 个
  en: A multi-establishment legal entity has {expected} headquarters; this one has {observed}
verify:
  zh: 没有本部的补登本部表；有多个的，把有自己信用代码或另处经营的改为分支机构
  en: Enumerate the headquarters where there is none; where there are several, those with a code or a place of their own are branches
false_positives:
  zh: 本部在审核地区以外、清单已写明的，这里没有其表属正常
  en: A headquarters that the list places in another city rightly has no form here
--- */
-- Scope: legal entities whose item 214 is yes or missing. Counted: headquarters (本部) forms that
-- name it as their parent, and headquarters lines of its list outside the city.
-- Unknown: item 214 is missing; or no credit code, so that no form can name it.
WITH received AS (
  SELECT
    parent_credit_code,
    COUNT(*) AS n_headquarters,
    -- A headquarters has no code of its own: one that has is the branch taken for it.
    COALESCE(
      MIN(CASE WHEN credit_code <> parent_credit_code THEN unit_id END), MAX(unit_id)
    ) AS doubtful_id
  FROM establishment
  WHERE is_headquarters = '1' AND parent_credit_code IS NOT NULL
  GROUP BY parent_credit_code
),
elsewhere AS (
  SELECT legal_unit_id, COUNT(*) AS n_headquarters
  FROM establishment_list
  WHERE is_headquarters = '1' AND region_code NOT LIKE :city || '%'
  GROUP BY legal_unit_id
)
SELECT
  e.unit_id AS subject_id,
  e.region_code AS region_code,
  CASE WHEN r.n_headquarters > 1 THEN r.doubtful_id END AS related_id,
  CAST(COALESCE(r.n_headquarters, 0) + COALESCE(o.n_headquarters, 0) AS STRING) AS observed,
  '1' AS expected,
  CASE
    WHEN e.has_establishments = '1' AND e.credit_code IS NOT NULL
      THEN COALESCE(r.n_headquarters, 0) + COALESCE(o.n_headquarters, 0) = 1
  END AS holds
FROM legal_entity AS e
LEFT JOIN received AS r ON r.parent_credit_code = e.credit_code
LEFT JOIN elsewhere AS o ON o.legal_unit_id = e.unit_id
WHERE e.has_establishments = '1' OR e.has_establishments IS NULL
