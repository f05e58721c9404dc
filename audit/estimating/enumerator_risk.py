"""A composite score of each enumerator against comparable ones, with its false discovery rate.

Signs are set against visits of the same area kind and kind of unit, standardised over the
enumerators of a stratum with median and MAD, and added. The p-values come from an empirical null:
centre and spread of the bulk of the scores, not those of theory (Efron 2004, JASA 99: Large-scale
simultaneous hypothesis testing), with the tails of Student's t and few degrees of freedom, since
sums of counted events are skewed. q-values after Benjamini and Hochberg (1995), JRSS B 57.
"""

from __future__ import annotations

import polars as pl
from scipy import special

from audit.estimating.enumerator_signs import SIGNS, signs_of
from audit.estimating.model import Estimate, Frames
from audit.estimating.tails import discovery_rates
from audit.estimating.visit_legs import FAMILY

FEWEST_VISITS = 10
"""Visits below which nothing is said of an enumerator."""
FEWEST_PEERS = 10
"""Judged enumerators below which an area kind is no stratum of its own."""
LOWEST_Z, HIGHEST_Z = -1.0, 8.0
"""One sign can say this much: little to clear an enumerator of the others, much against him."""
LEAST_SPREAD = 0.5
DEGREES_OF_FREEDOM = 5
NOTABLE_Z = 2.0

VISITS = f"""
SELECT v.visit_id, v.unit_id, v.enumerator_id, v.started_at, v.duration_s, v.accuracy_m,
  v.point_cell, v.photo_hash, v.photo_count, u.region_code, u.unit_kind, u.industry_code,
  u.employees, u.employees_female, u.revenue_kyuan, {FAMILY} AS family,
  u.region_code || u.block_code || '|' || u.building_code AS building
FROM visit AS v LEFT JOIN unit AS u ON u.unit_id = v.unit_id"""
EDITS = "SELECT DISTINCT unit_id FROM edit_event WHERE editor_role = '2'"


def _raw(name: str) -> pl.Expr:
    """Return excess of a sign over its expectation, in standard errors; one event is no proof."""
    known = pl.col(name).is_not_null()
    excess = (pl.col(name) - pl.col(f"{name}_mean")).sum()
    error = (pl.col(f"{name}_var").filter(known).sum() + 1).sqrt()
    return pl.when(known.any()).then(excess / error).alias(name)


def _spread(values: pl.Expr, least: float) -> pl.Expr:
    away = (values - values.median().over("stratum")).abs()
    return (1.4826 * away.median().over("stratum")).clip(lower_bound=least)


def _robust(values: pl.Expr, least: float) -> pl.Expr:
    return (values - values.median().over("stratum")) / _spread(values, least)


def _upper_tail(scores: pl.Series) -> pl.Series:
    """Return P(T > t) of Student's t."""
    return pl.Series(special.stdtr(DEGREES_OF_FREEDOM, -scores.to_numpy()), dtype=pl.Float64)


def _reasons(judged: pl.DataFrame) -> pl.DataFrame:
    """Return the words of the signs that stand out, the strongest first."""
    words = pl.col("sign").replace_strict(SIGNS, return_dtype=pl.String)
    return (
        judged.unpivot(
            list(SIGNS), index="enumerator_id", variable_name="sign", value_name="sign_z"
        )
        .filter(pl.col("sign_z") >= NOTABLE_Z)
        .sort("enumerator_id", "sign_z", "sign", descending=[False, True, False])
        .group_by("enumerator_id", maintain_order=True)
        .agg(reasons=words.str.join("、"), n_signs=pl.len().cast(pl.Int64))
    )


def enumerator_risk(frames: Frames) -> Frames:
    """Return one row for each enumerator with visits; scores are NULL below FEWEST_VISITS.

    `visits`: see VISITS; `edits`: units that an enumerator edited. The signs are robust z within
    the stratum, `composite` their sum by the root of their number, `z` the composite under the
    empirical null.
    """
    visits = signs_of(frames["visits"], frames["edits"])
    everyone = visits.group_by("enumerator_id").agg(
        *(_raw(name) for name in SIGNS),
        n_visits=pl.len().cast(pl.Int64),
        region_code=pl.col("region_code").min(),
        area=pl.col("area").sort().mode(maintain_order=True).first(),
    )
    enough = everyone.filter(pl.col("n_visits") >= FEWEST_VISITS)
    peers = pl.len().over("area") >= FEWEST_PEERS
    placed = enough.with_columns(stratum=pl.when(peers).then("area").otherwise(pl.lit("all")))
    judged = placed.with_columns(
        _robust(pl.col(name), 1.0).clip(LOWEST_Z, HIGHEST_Z).alias(name) for name in SIGNS
    )
    known = pl.sum_horizontal(pl.col(name).is_not_null() for name in SIGNS)
    judged = judged.with_columns(
        composite=pl.sum_horizontal(*SIGNS) / known.cast(pl.Float64).sqrt()
    ).with_columns(z=_robust(pl.col("composite"), LEAST_SPREAD))
    judged = judged.with_columns(p_value=_upper_tail(judged["z"]))
    judged = judged.with_columns(q_value=discovery_rates(judged["p_value"]))
    scores = judged.join(_reasons(judged), on="enumerator_id", how="left").select(
        "enumerator_id", "stratum", *SIGNS, "composite", "z", "p_value", "q_value", "reasons",
        pl.col("n_signs").fill_null(0),
    )  # fmt: skip
    listed = everyone.select("enumerator_id", "region_code", "n_visits")
    return {"enumerator_risk": listed.join(scores, on="enumerator_id", how="left")}


ESTIMATE = Estimate(
    makes=("enumerator_risk",),
    needs=("visit", "unit"),
    uses=("edit_event",),
    selects={"visits": VISITS, "edits": EDITS},
    make=enumerator_risk,
)
