"""Score stage: units, findings and the region list in, `audit.region_score` out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.quoting import quoted
from audit.scoring import VISITED_LEVELS, Evidence, Limits, score_regions
from pipelines.context import LOG, RunContext
from pipelines.gate_held import HELD_COUNTIES

_FATAL = (
    "SELECT f.subject_id, f.rule_id, MAX(r.title_zh) AS title_zh, MAX(r.title_en) AS title_en "
    "FROM audit.finding AS f JOIN audit.rule AS r ON r.rule_id = f.rule_id "
    "WHERE f.severity = 'fatal' AND r.grain = 'unit' AND f.state IS DISTINCT FROM 'waived' "
    "GROUP BY f.subject_id, f.rule_id"
)
# A subject seen by several rules is one discrepancy, in one region, or sums would not add up.
_COUNTS = f"""
WITH failed AS (SELECT DISTINCT subject_id FROM ({_FATAL}) AS q),
unit_counts AS (
  SELECT u.region_code,
    COUNT(*) FILTER (WHERE u.unit_kind <> '3') AS n_units_legal,
    COUNT(f.subject_id) FILTER (WHERE u.unit_kind <> '3') AS n_failed_legal,
    COUNT(*) FILTER (WHERE u.unit_kind = '3') AS n_self_employed,
    COUNT(f.subject_id) FILTER (WHERE u.unit_kind = '3') AS n_failed_self_employed
  FROM census.unit AS u LEFT JOIN failed AS f ON f.subject_id = u.unit_id
  GROUP BY u.region_code
),
register_counts AS (
  SELECT region_code, COUNT(*) AS n_register FROM (
    SELECT MIN(NULLIF(f.region_code, '')) AS region_code
    FROM audit.finding AS f JOIN audit.rule AS r ON r.rule_id = f.rule_id
    WHERE r.family = 'register' AND f.state IS DISTINCT FROM 'waived'
    GROUP BY r.grain, f.subject_id
  ) AS q GROUP BY region_code
)
SELECT COALESCE(u.region_code, r.region_code) AS region_code, u.* EXCLUDE (region_code),
  r.n_register
FROM unit_counts AS u FULL JOIN register_counts AS r ON r.region_code = u.region_code
"""
_BY_RULE = f"""
SELECT u.region_code, f.rule_id, f.title_zh, f.title_en, COUNT(*) AS n_units
FROM ({_FATAL}) AS f JOIN census.unit AS u ON u.unit_id = f.subject_id
WHERE u.region_code IS NOT NULL
GROUP BY ALL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSummary:
    """What the stage did: counties, townships and villages, all and flagged.

    Units outside the city's part of the region list are in no score.
    """

    n_regions: int
    n_flagged: int
    n_units_outside: int


def fetch_frame(engine: DuckDBEngine, sql: str) -> pl.DataFrame:
    """Run a SELECT and return its rows as a polars frame."""
    return pl.DataFrame(engine.fetch(sql))


def replace_output(engine: DuckDBEngine, name: str, rows: pl.DataFrame) -> None:
    """Create a published table anew, as the contract has it, from rows of the same columns."""
    engine.execute(f"CREATE OR REPLACE TABLE {name} ({CONTRACT.outputs[name].duckdb_columns()})")
    engine.register("new_rows", rows.to_arrow())
    engine.append(name, "SELECT * FROM new_rows")
    engine.unregister("new_rows")


def _unjudged(scores: pl.DataFrame) -> pl.DataFrame:
    """Take the verdicts away: rules or regions that were not asked must not look green."""
    empty = ("rate", "rate_low", "rate_high", "probability")
    return scores.with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in empty),
        flagged=pl.lit(value=False),
        reasons=pl.lit("本次只审核了部分规则或地区，不评定差错率"),
        reasons_en=pl.lit("only some rules or regions were audited: no rate is judged"),
    )


_HELD_REASON = "单位数据未过数据门禁（隔离待核或应送未送），本次不评定差错率"
_HELD_REASON_EN = "unit data did not pass the gate (quarantined or missing): no rate is judged"


def hold_back(scores: pl.DataFrame, counties: list[str], city: str) -> pl.DataFrame:
    """Take verdict and rank from regions of counties whose unit data the gate held back.

    `counties`: six digits each; those of `city` stand for all of its counties. The other regions
    close ranks; counts stay.
    """
    there = pl.col("region_code").str.head(6).is_in(counties) | pl.lit(city[:6] in counties)
    held = there & pl.col("region_level").is_in(VISITED_LEVELS)
    rates = ("rate", "rate_low", "rate_high", "probability")
    ranks = ("rank", "rank_in_level")
    masked = scores.with_columns(
        *(pl.when(~held).then(pl.col(name)).alias(name) for name in (*rates, *ranks)),
        flagged=pl.col("flagged") & ~held,
        reasons=pl.when(held).then(pl.lit(_HELD_REASON)).otherwise(pl.col("reasons")),
        reasons_en=pl.when(held).then(pl.lit(_HELD_REASON_EN)).otherwise(pl.col("reasons_en")),
    )
    return masked.with_columns(
        pl.col("rank").rank("ordinal").cast(scores.schema["rank"]),
        pl.col("rank_in_level")
        .rank("ordinal")
        .over("region_level")
        .cast(scores.schema["rank_in_level"]),
    )


def run(ctx: RunContext, *, partial: bool = False) -> ScoreSummary:
    """Score every region of the configured vintage; safe to run again.

    After a night of some rules or one region (`partial`) counts are published without rates.
    """
    regions = fetch_frame(
        ctx.engine,
        "SELECT region_code, name, level, parent_code FROM census.region "
        f"WHERE vintage = {quoted(ctx.config.vintage)}",
    )
    counts = fetch_frame(ctx.engine, _COUNTS)
    settings = ctx.config.scoring
    counties = [str(row[0]) for row in ctx.engine.rows(HELD_COUNTIES)]
    scores = score_regions(
        Evidence(
            regions=regions,
            counts=counts.filter(pl.col("region_code").is_not_null()),
            by_rule=fetch_frame(ctx.engine, _BY_RULE),
            city=ctx.config.city,
            held=counties,
        ),
        Limits(
            units=settings.limit_units,
            self_employed=settings.limit_self_employed,
            flag_probability=settings.flag_probability,
        ),
    )
    if partial:
        scores = _unjudged(scores)
    elif counties:
        scores = hold_back(scores, counties, ctx.config.city)
    replace_output(ctx.engine, "audit.region_score", scores)
    outside = ~pl.col("region_code").is_in(scores["region_code"].implode()).fill_null(value=False)
    lost = counts.filter(outside).select(pl.sum("n_units_legal", "n_self_employed")).row(0)
    summary = ScoreSummary(
        n_regions=int(scores["region_level"].is_in(VISITED_LEVELS).sum()),
        n_flagged=int(scores["flagged"].sum()),
        n_units_outside=int(sum(n or 0 for n in lost)),
    )
    LOG.info("score: %d regions, %d flagged", summary.n_regions, summary.n_flagged)
    return summary
