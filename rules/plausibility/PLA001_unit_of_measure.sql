/* ---
id: PLA001
name: plausibility.unit_of_measure
title:
  zh: 金额疑似计量单位错误
  en: A sum of money looks written in another unit
family: plausibility
severity: query
clause: 三(三)1
level: 4
grain: unit
variable: revenue_kyuan
tables: [legal_entity, unit_error]
owner: specialty
version: 2
status: active
parameters:
  width: {type: number, default: 0.05, note: distance of log10(value/reference) from a power of ten}
  agree: {type: number, default: 0.3, note: log10 distance within which another source confirms it}
  prior_period: {type: text, default: "2017", note: period of prior_value to compare with}
message:
  zh: 填报 {observed} 千元，{expected}，疑似计量单位错误
  en: "The sum of {observed} thousand yuan is 10, 1,000 or 10,000 times apart from that of another source"
verify:
  zh: 对照财务报表核对，普查表计量单位为千元；报表以元、万元计的须换算
  en: Compare with the accounts; the forms count in thousand yuan, accounts in yuan or 万元
false_positives:
  zh: 企业真实扩大或收缩约十倍的，另一来源（税务、上期）与填报值相近时不提示
  en: A firm that grew or shrank tenfold; it is not told where another outside source agrees
--- */
-- Scope: legal entities. Revenue against tax sales, the previous value and the finance return;
-- assets against the previous value and the return; wages (602) against pay (603).
-- Factors are 10, 1000 and 10000 either way. Outside sources can confirm a value, returns cannot.
-- Unknown: no pair of a value and a reference, both above zero.
WITH judged AS (
  SELECT unit_id, item, MAX(value) AS x,
    MIN(CASE WHEN power_distance < :width THEN reference END) AS ref,
    MIN(CASE WHEN power_distance < :width
      THEN LPAD(CAST(CAST(reference AS DECIMAL(18, 2)) AS STRING), 21, '0')
        || CASE source WHEN 'register' THEN '税务申报' WHEN 'prior' THEN '上期' ELSE '财务报表' END
      END) AS named,
    COUNT(CASE WHEN source <> 'return' AND distance <= :agree THEN 1 END) AS n_agree
  FROM unit_error WHERE source <> 'prior' OR period = :prior_period
  GROUP BY unit_id, item
),
told AS (
  SELECT unit_id, COALESCE(
      MAX(CASE WHEN item = 'revenue_kyuan' AND ref IS NOT NULL AND n_agree = 0 THEN item END),
      MIN(CASE WHEN ref IS NOT NULL AND n_agree = 0 THEN item END)) AS item
  FROM judged GROUP BY unit_id
)
SELECT l.unit_id AS subject_id, l.region_code AS region_code, t.item AS variable,
  CAST(CAST(j.x AS DECIMAL(18, 2)) AS STRING) AS observed,
  SUBSTRING(j.named, 22) || ' ' || REPLACE(CAST(CAST(j.ref AS DECIMAL(18, 2)) AS STRING), '.00', '')
    || ' 千元，' || CASE WHEN j.x > j.ref THEN '填报值约为其 ' ELSE '约为填报值的 ' END
    || CASE
      WHEN GREATEST(j.x / NULLIF(j.ref, 0), j.ref / NULLIF(j.x, 0)) < 100 THEN '10'
      WHEN GREATEST(j.x / NULLIF(j.ref, 0), j.ref / NULLIF(j.x, 0)) < 3500 THEN '1000'
      ELSE '10000'
    END || ' 倍' AS expected,
  CASE WHEN t.unit_id IS NOT NULL THEN t.item IS NULL END AS holds
FROM legal_entity AS l
LEFT JOIN told AS t ON t.unit_id = l.unit_id
LEFT JOIN judged AS j ON j.unit_id = t.unit_id AND j.item = t.item
