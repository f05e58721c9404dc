"""From findings to visits: what to look at first, and one task for each unit.

Selective editing: priority = suspicion x influence x severity. A random arm of units without
findings, in the counties of flagged regions, measures what the rules do not see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import polars as pl

from audit.contracts import CONTRACT
from audit.model import Severity

SEVERITY_WEIGHT = {"fatal": 1.0, "query": 0.5, "info": 0.1}
UNKNOWN_INFLUENCE = 0.0001
PER_TOWNSHIP = 5
REVISITS_EACH = 3
"""Units of one enumerator that are called on again."""
_OPEN = "OPEN"
_CITY, _COUNTY = "2", "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """How tasks are made: due date, owner of the random arm.

    `random_share`: the part of all tasks, both arms together, that is drawn at random, below 1.
    `revisit_share`: part of the enumerators some of whose units are called on again.
    """

    due_on: date
    random_share: float = 0.2
    random_owner: str = "data_quality"
    revisit_share: float = 0.05
    revisit_owner: str = "enforcement"

    def n_random(self, n_priority: int) -> int:
        """Return how many random tasks beside `n_priority` others make up at least the share."""
        wanted = n_priority * self.random_share / (1 - self.random_share)
        return math.ceil(round(wanted, 9))


def _share(column: str) -> pl.Expr:
    """A unit's share of its county x specialty total; NULL where it or the total is unknown."""
    value = pl.col(column).cast(pl.Float64).clip(lower_bound=0)
    total = value.sum().over("county", "specialty")
    return pl.when(total > 0).then(value / total)


def influences(units: pl.DataFrame) -> pl.DataFrame:
    """Return unit_id and influence, 0 to 1: the unit's share of its county and specialty.

    `units`: unit_id, county, specialty, revenue_kyuan, employees. By revenue; by employees where
    there is no revenue; a small constant where there is neither.
    """
    share = pl.coalesce(_share("revenue_kyuan"), _share("employees"), UNKNOWN_INFLUENCE)
    return units.select("unit_id", influence=share.round(9)).unique("unit_id", keep="any")


def prioritise(findings: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """Return finding_key, influence and priority.

    `findings`: finding_key, subject_id, severity, score (the suspicion; 1 where empty). `units`:
    see `influences`. A subject that is no unit has the small constant as its influence.
    """
    weight = pl.col("severity").replace_strict(SEVERITY_WEIGHT, return_dtype=pl.Float64)
    known = findings.join(
        influences(units), left_on="subject_id", right_on="unit_id", how="left"
    ).with_columns(pl.col("influence").fill_null(UNKNOWN_INFLUENCE))
    suspicion = pl.col("score").fill_null(1.0)
    priority = suspicion * (0.5 + 0.5 * pl.col("influence").sqrt()) * weight
    return known.select("finding_key", "influence", priority=priority.round(6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One draw of units without findings: how many were wanted, and how many there were.

    `draw`: `random`, or re-visits of enumerators that a lead names (`named`) or that chance chose
    (`control`), `n_people` of them.
    """

    draw: str
    n_people: int | None
    n_wanted: int
    n_drawn: int


def make_tasks(findings: pl.DataFrame, plan: TaskPlan) -> pl.DataFrame:
    """Return one task for each place with a fatal or query finding, `arm` priority.

    `findings`: finding_key, subject_id (what is visited), task_id, severity, owner, priority,
    region_code (of the place where it is known). The owner and the region are those of the most
    binding finding, then of the one with the highest priority.
    """
    rank = pl.col("severity").replace_strict(
        {s.value: s.rank for s in Severity}, return_dtype=pl.Int64
    )
    tasks = (
        findings.filter(pl.col("severity") != Severity.INFO.value)
        .with_columns(rank=rank)
        .sort(["rank", "priority", "finding_key"], descending=[False, True, False])
        .group_by("task_id", "subject_id", maintain_order=True)
        .agg(
            pl.col("region_code").drop_nulls().first(),
            pl.col("owner").first(),
            pl.col("finding_key").str.join("|").alias("finding_keys"),
            pl.len().cast(pl.Int64).alias("n_findings"),
            pl.col("priority").max(),
        )
    )
    return _finished(tasks, "priority", plan)


def flagged_counties(scores: pl.DataFrame) -> pl.Series:
    """Return the six-digit codes of counties that are, hold or lie in a flagged region.

    `scores`: region_code, region_level, flagged.
    """
    flagged = scores.filter("flagged")
    cities = flagged.filter(pl.col("region_level") <= _CITY)["region_code"].str.slice(0, 4)
    county = pl.col("region_code").str.slice(0, 6)
    inside = scores.filter(
        (pl.col("region_level") == _COUNTY)
        & pl.col("region_code").str.slice(0, 4).is_in(cities.implode())
    ).select(county)
    below = flagged.filter(pl.col("region_level") >= _COUNTY).select(county)
    return pl.concat([inside, below]).to_series().unique().sort()


def draw_random(
    units: pl.DataFrame, counties: pl.Series, wanted: int, plan: TaskPlan
) -> pl.DataFrame:
    """Return tasks for units drawn at random, `arm` random, spread over the townships.

    Five in each township come before more in any.

    `units`: unit_id, task_id, region_code, draw_key, of units without findings. The draw takes
    the lowest keys, so it depends on the keys alone: not on order, machine or other units.
    """
    township = pl.col("region_code").str.slice(0, 9)
    drawn = (
        units.filter(pl.col("region_code").str.slice(0, 6).is_in(counties.implode()))
        .sort("draw_key", "unit_id")
        .with_columns(place=pl.int_range(pl.len()).over(township) // PER_TOWNSHIP)
        .sort("place", "draw_key", "unit_id")
        .head(wanted)
    )
    return _random_tasks(drawn, plan.random_owner, plan)


def draw_revisits(visited: pl.DataFrame, plan: TaskPlan) -> tuple[pl.DataFrame, tuple[Draw, ...]]:
    """Return tasks to call again on REVISITS_EACH units of some enumerators, and the two draws.

    The tasks have `arm` random.

    `visited`: enumerator_id, is_named (a lead stands against the enumerator), enumerator_key,
    unit_id, task_id, region_code, draw_key, of visited units without findings. Everybody named is
    drawn, and of the others the `revisit_share` with the lowest keys: only the two together show
    whether a lead finds more than chance does.
    """
    people = visited.select("enumerator_id", "is_named", "enumerator_key").unique()
    others = people.filter(~pl.col("is_named")).sort("enumerator_key")
    chosen = pl.concat(
        [
            people.filter("is_named"),
            others.head(math.ceil(others.height * plan.revisit_share)),
        ]
    )
    drawn = (
        visited.join(chosen.select("enumerator_id"), on="enumerator_id", how="semi")
        .unique(["enumerator_id", "unit_id"])
        .sort("enumerator_id", "draw_key", "unit_id")
        .group_by("enumerator_id", maintain_order=True)
        .head(REVISITS_EACH)
        .unique("task_id", keep="first", maintain_order=True)
    )
    draws = tuple(_revisits(name, chosen, drawn) for name in ("named", "control"))
    return _random_tasks(drawn, plan.revisit_owner, plan), draws


def _revisits(draw: str, chosen: pl.DataFrame, drawn: pl.DataFrame) -> Draw:
    """Count the people and the units of one of the two draws of re-visits."""
    own = pl.col("is_named") == (draw == "named")
    people = chosen.filter(own).height
    return Draw(
        draw=draw,
        n_people=people,
        n_wanted=people * REVISITS_EACH,
        n_drawn=drawn.filter(own).height,
    )


def _random_tasks(drawn: pl.DataFrame, owner: str, plan: TaskPlan) -> pl.DataFrame:
    tasks = drawn.select(
        "task_id",
        "region_code",
        subject_id="unit_id",
        owner=pl.lit(owner),
        finding_keys=pl.lit(""),
        n_findings=pl.lit(0, pl.Int64),
        priority=pl.lit(0.0),
    )
    return _finished(tasks, "random", plan)


def _finished(tasks: pl.DataFrame, arm: str, plan: TaskPlan) -> pl.DataFrame:
    columns = [c.name for c in CONTRACT.outputs["audit.verification_task"].columns]
    return tasks.with_columns(
        arm=pl.lit(arm), state=pl.lit(_OPEN), due_on=pl.lit(plan.due_on, pl.Date)
    ).select(columns)
