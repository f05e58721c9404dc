/* ---
id: PAD006
name: field_visit.photographs
title:
  zh: 现场照片与其他单位相同或没有照片
  en: The photograph is that of another unit, or missing
family: field_visit
severity: query
clause: 三(二)3
level: 2
grain: unit
variable: photo_hash
tables: [unit, visit, photo_reuse]
owner: enforcement
version: 1
status: active
parameters:
  bits: {type: number, default: "4", note: "bits of 64 by which two photographs may differ and be the same picture (4 at most)"}
message:
  zh: 现场照片：{observed}（{related}），应为{expected}
  en: "Photographs: {observed} ({related}); expected: {expected}"
verify:
  zh: 打开两张照片对比门头、招牌和拍摄时间；没有照片的到现场补拍
  en: Compare both photographs, front, sign and time taken; where there is none, take it on site
false_positives:
  zh: 同一法人与本部共用照片的不计；同一门面的两个证照、镜头遮挡造成的全黑照片，应说明或补拍
  en: A legal entity and its headquarters may share one; two licences behind one door and black pictures need a note or a new one
--- */
-- Scope: visited units, all their visits together; one picture is enough. Perceptual hashes of the
-- same picture differ in a few bits after scaling; among a million different ones four bits of 64
-- happen by chance less than once.
-- Unknown: neither a hash nor a count of photographs, or photographs without a hash.
WITH taken AS (
  SELECT unit_id, MIN(visit_id) AS visit_id, COUNT(photo_hash) AS n_hashes,
    MAX(photo_count) AS n_photos, COUNT(*) - COUNT(photo_count) AS n_unclear
  FROM visit
  GROUP BY unit_id
),
again AS (
  SELECT unit_id, MIN(other_unit_id) AS other_unit_id
  FROM photo_reuse
  WHERE bits <= :bits
  GROUP BY unit_id
)
SELECT
  u.unit_id AS subject_id,
  u.region_code AS region_code,
  COALESCE(a.other_unit_id, t.visit_id) AS related_id,
  CASE WHEN a.unit_id IS NOT NULL THEN '与其他单位的照片相同' ELSE '没有照片' END AS observed,
  '本单位现场照片' AS expected,
  CASE
    WHEN a.unit_id IS NOT NULL THEN FALSE
    WHEN t.n_photos = 0 AND t.n_unclear = 0 AND t.n_hashes = 0 THEN FALSE
    WHEN t.n_hashes > 0 AND COALESCE(t.n_photos, 1) > 0 THEN TRUE
  END AS holds
FROM taken AS t
JOIN unit AS u ON u.unit_id = t.unit_id
LEFT JOIN again AS a ON a.unit_id = t.unit_id
