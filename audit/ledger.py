"""The life of findings over the nights: new, persisting, reopened, resolved, and why.

Only frames in and frames out; reading the state file and asking the database is the stage's work.
A finding keeps its key whatever happens to its rule or its values, so its life can be followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from audit.model import FindingState

NEW, PERSISTING = FindingState.NEW.value, FindingState.PERSISTING.value
REOPENED, RESOLVED = FindingState.REOPENED.value, FindingState.RESOLVED.value

VALUE_CORRECTED = "value_corrected"
VALUE_EMPTIED = "value_emptied"
UNIT_GONE = "unit_gone"
RULE_CHANGED = "rule_changed"
NOT_CHECKED = "not_checked"
NOT_DELIVERED = "not_delivered"
KEPT_OPEN = (NOT_CHECKED, NOT_DELIVERED)
"""Causes that close nothing."""
KEPT_OPEN_SQL = ", ".join(f"'{cause}'" for cause in KEPT_OPEN)

LEDGER = pl.Schema(
    {
        "finding_key": pl.String,
        "rule_id": pl.String,
        "rule_version": pl.Int64,
        "subject_id": pl.String,
        "region_code": pl.String,
        "universe": pl.String,
        "state": pl.String,
        "first_run_id": pl.String,
        "last_run_id": pl.String,
        "related_id": pl.String,
        "observed": pl.String,
    }
)
"""One row a finding ever seen. `last_run_id` is the last run that found it. `universe` says which
delivered list its subject stands in (`unit|1`, `frame`, `register|2`; else the grain).
`related_id` is the other unit, frame line or register record of the finding, where there is one."""

TONIGHT = tuple(n for n in LEDGER if n not in ("state", "first_run_id", "last_run_id"))
FACTS = pl.Schema(
    {
        "finding_key": pl.String,
        "rule_known": pl.Boolean,
        "version_now": pl.Int64,
        "looked": pl.Boolean,
        "present": pl.Boolean,
        "delivered": pl.Boolean,
        "short": pl.Boolean,
        "holds": pl.Boolean,
    }
)
"""What `judge` wants to know of each vanished finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """The outcome of one comparison.

    `states`: finding_key, state, first_run_id, last_run_id of tonight's findings.
    `history`: rows of `audit.finding_history`. `ledger`: what to keep for the next night.
    """

    states: pl.DataFrame
    history: pl.DataFrame
    ledger: pl.DataFrame


def vanished(tonight: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return the open rows of the ledger that tonight did not find."""
    still_open = before.filter(pl.col("state") != RESOLVED)
    return still_open.join(tonight.select("finding_key"), on="finding_key", how="anti")


def _cause() -> pl.Expr:
    """Why a finding vanished, the first that applies.

    A retired rule never looks again. A unit that is not in a list that came short has not left: it
    was not delivered. Nothing is closed by a rule that did not look or a list that did not come. A
    unit that has left needs no rule to say so, and a rule that changed its meaning
    must never pass for a correction. Nor must a wrong value that was blanked: only a rule that now
    holds tells of a correction.
    """
    return (
        pl.when(~pl.col("rule_known"))
        .then(pl.lit(RULE_CHANGED))
        .when(~pl.col("present") & pl.col("short").fill_null(value=False))
        .then(pl.lit(NOT_DELIVERED))
        .when(~pl.col("looked") | ~pl.col("delivered"))
        .then(pl.lit(NOT_CHECKED))
        .when(~pl.col("present"))
        .then(pl.lit(UNIT_GONE))
        .when(pl.col("version_now").ne_missing(pl.col("rule_version")))
        .then(pl.lit(RULE_CHANGED))
        .when(pl.col("holds").fill_null(value=False))
        .then(pl.lit(VALUE_CORRECTED))
        .otherwise(pl.lit(VALUE_EMPTIED))
    )


def judge(missing: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return the vanished rows with their `cause` and new state.

    `facts`, one row a key: `rule_known` the rule is still in force, `version_now` its version,
    `looked` it ran on the subject's county, `present` the subject is still in its list,
    `delivered` that list came for the subject's county, and the other unit of a pair came too,
    `short` with fewer rows than expected, `holds` the rule's verdict on it tonight, NULL where it
    has none. What was not checked or not delivered stays open.
    """
    known = missing.join(facts.select(FACTS.names()), on="finding_key", how="left")
    state = pl.when(pl.col("cause").is_in(KEPT_OPEN)).then(pl.lit(PERSISTING))
    return known.with_columns(cause=_cause()).with_columns(state=state.otherwise(pl.lit(RESOLVED)))


def classify(tonight: pl.DataFrame, before: pl.DataFrame, run_id: str) -> pl.DataFrame:
    """Return tonight's findings with their state and the runs that first and last saw them."""
    old = before.select("finding_key", was="state", first="first_run_id")
    joined = tonight.join(old, on="finding_key", how="left")
    state = (
        pl.when(pl.col("was").is_null())
        .then(pl.lit(NEW))
        .when(pl.col("was") == RESOLVED)
        .then(pl.lit(REOPENED))
        .otherwise(pl.lit(PERSISTING))
    )
    return joined.with_columns(
        state=state,
        first_run_id=pl.coalesce("first", pl.lit(run_id)),
        last_run_id=pl.lit(run_id),
    ).select(LEDGER.names())


def compare(tonight: pl.DataFrame, before: pl.DataFrame, facts: pl.DataFrame, run_id: str) -> Night:
    """Compare tonight's findings with the ledger of the last published night.

    `tonight`: the `TONIGHT` columns, one row a finding. `before`: a frame of schema `LEDGER`.
    `facts`: see `judge`, for every row of `vanished(tonight, before)`.
    """
    current = classify(tonight, before, run_id)
    judged = judge(vanished(tonight, before), facts)
    columns = ["finding_key", "run_id", "rule_id", "subject_id", "region_code", "state", "cause"]
    seen = current.with_columns(run_id=pl.lit(run_id), cause=pl.lit(None, pl.String))
    left = judged.with_columns(run_id=pl.lit(run_id))
    closed_before = before.filter(pl.col("state") == RESOLVED).join(
        current.select("finding_key"), on="finding_key", how="anti"
    )
    ledger = pl.concat([current, judged.select(LEDGER.names()), closed_before])
    return Night(
        states=current.select("finding_key", "state", "first_run_id", "last_run_id"),
        history=pl.concat([seen.select(columns), left.select(columns)]),
        ledger=ledger.sort("finding_key"),
    )
