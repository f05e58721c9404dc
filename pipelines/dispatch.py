"""Dispatch stage: priorities into `audit.finding`, then `audit.verification_task`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

import polars as pl

from audit.tasking import (
    Draw,
    TaskPlan,
    draw_random,
    draw_revisits,
    flagged_counties,
    make_tasks,
    prioritise,
)
from pipelines import finding_places
from pipelines.context import LOG, RunContext
from pipelines.finding_places import PLACED
from pipelines.score import fetch_frame, replace_output

_UNITS = """
SELECT unit_id, left(region_code, 6) AS county, specialty, revenue_kyuan, employees
FROM census.unit
"""
_OPEN_FINDINGS = f"""
SELECT p.finding_key, p.place_id AS subject_id, md5('task|' || p.place_id) AS task_id, p.severity,
  f.owner, f.priority, p.region_code
FROM {PLACED} AS p JOIN audit.finding AS f ON f.finding_key = p.finding_key
WHERE p.place_key IS NOT NULL AND p.severity IN ('fatal', 'query')
"""
# The other unit of a pair is under suspicion too: it is no unit without findings. Nor is one whose
# edit or visit a finding is about.
_SUSPECTED = f"""
ANTI JOIN audit.finding AS f ON f.subject_id = u.unit_id
ANTI JOIN audit.finding AS g ON g.related_id = u.unit_id
ANTI JOIN {PLACED} AS p ON p.place_key = 'u|' || u.unit_id
"""
_CLEAN_UNITS = f"""
SELECT u.unit_id, md5('task|' || u.unit_id) AS task_id, u.region_code,
  md5('{{seed}}|' || u.unit_id) AS draw_key
FROM census.unit AS u
SEMI JOIN audit.region_score AS s ON s.region_code = u.region_code
{_SUSPECTED}
WHERE left(u.region_code, 6) IN (SELECT county FROM flagged_county)
"""
# Of people who are not drawn one unit is enough: they are only counted.
_VISITED = f"""
WITH seen AS (
  SELECT DISTINCT v.enumerator_id, u.unit_id, u.region_code
  FROM census.visit AS v
  JOIN census.unit AS u ON u.unit_id = v.unit_id
  {_SUSPECTED}
  ANTI JOIN drawn_unit AS d ON d.unit_id = u.unit_id
), named AS (
  SELECT DISTINCT f.subject_id FROM audit.finding AS f
  JOIN audit.rule AS r ON r.rule_id = f.rule_id AND r.grain = 'enumerator'
  WHERE f.state IS DISTINCT FROM 'waived'
), people AS (
  SELECT s.enumerator_id, MIN(s.unit_id) AS any_unit, COUNT(n.subject_id) > 0 AS is_named,
    md5('{{seed}}|' || s.enumerator_id) AS enumerator_key
  FROM seen AS s LEFT JOIN named AS n ON n.subject_id = s.enumerator_id GROUP BY s.enumerator_id
), ranked AS (
  SELECT *, is_named OR COUNT(*) OVER (PARTITION BY is_named) * {{share}} + 1 >= ROW_NUMBER() OVER (
    PARTITION BY is_named ORDER BY enumerator_key NULLS FIRST) AS may_be_drawn
  FROM people
)
SELECT s.enumerator_id, p.is_named, p.enumerator_key, s.unit_id,
  md5('task|' || s.unit_id) AS task_id, s.region_code, md5('{{seed}}|' || s.unit_id) AS draw_key
FROM seen AS s JOIN ranked AS p ON p.enumerator_id IS NOT DISTINCT FROM s.enumerator_id
WHERE p.may_be_drawn OR s.unit_id = p.any_unit
"""


_DRAWS: dict[str, type[pl.DataType]] = {
    "draw": pl.String, "n_people": pl.Int64, "n_wanted": pl.Int64, "n_drawn": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSummary:
    """Tasks by arm."""

    n_priority: int
    n_random: int

    @property
    def n_tasks(self) -> int:
        """All tasks."""
        return self.n_priority + self.n_random


def _set_priorities(ctx: RunContext) -> None:
    findings = fetch_frame(
        ctx.engine,
        "SELECT f.finding_key, COALESCE(p.place_id, f.subject_id) AS subject_id, f.severity, "
        f"f.score FROM audit.finding AS f LEFT JOIN {PLACED} AS p "
        "ON p.finding_key = f.finding_key",
    )
    worth = prioritise(findings, fetch_frame(ctx.engine, _UNITS))
    ctx.engine.register("finding_worth", worth.to_arrow())
    ctx.engine.execute(
        "UPDATE audit.finding SET influence = w.influence, priority = w.priority "
        "FROM finding_worth AS w WHERE w.finding_key = finding.finding_key"
    )
    ctx.engine.unregister("finding_worth")


def _draw(ctx: RunContext, n_priority: int, plan: TaskPlan) -> tuple[pl.DataFrame, Draw]:
    scores = fetch_frame(
        ctx.engine, "SELECT region_code, region_level, flagged FROM audit.region_score"
    )
    counties = flagged_counties(scores)
    ctx.engine.register("flagged_county", pl.DataFrame({"county": counties}).to_arrow())
    units = fetch_frame(ctx.engine, _CLEAN_UNITS.format(seed=ctx.config.tasks.seed))
    ctx.engine.unregister("flagged_county")
    wanted = plan.n_random(n_priority)
    drawn = draw_random(units, counties, wanted, plan)
    return drawn, Draw(draw="random", n_people=None, n_wanted=wanted, n_drawn=drawn.height)


def _draw_revisits(
    ctx: RunContext, drawn: pl.DataFrame, plan: TaskPlan
) -> tuple[pl.DataFrame, tuple[Draw, ...]]:
    ctx.engine.register("drawn_unit", drawn.select(unit_id="subject_id").to_arrow())
    seed, share = ctx.config.tasks.seed, plan.revisit_share
    visited = fetch_frame(ctx.engine, _VISITED.format(seed=seed, share=share))
    ctx.engine.unregister("drawn_unit")
    return draw_revisits(visited, plan)


def run(ctx: RunContext) -> DispatchSummary:
    """Fill influence and priority, then make the tasks of tonight; safe to run again."""
    finding_places.create(ctx)
    finding_places.place(ctx)
    _set_priorities(ctx)
    started = date.fromisoformat(ctx.info.started_at[:10])
    settings = ctx.config.tasks
    plan = TaskPlan(
        due_on=started + timedelta(days=settings.due_days), random_share=settings.random_share
    )
    tasks = make_tasks(fetch_frame(ctx.engine, _OPEN_FINDINGS), plan)
    drawn, draw = _draw(ctx, tasks.height, plan)
    again, revisits = _draw_revisits(ctx, drawn, plan)
    drawn = pl.concat([drawn, again])
    everything = pl.concat([tasks, drawn]).sort(["priority", "task_id"], descending=[True, False])
    replace_output(ctx.engine, "audit.verification_task", everything)
    draws = pl.DataFrame([asdict(one) for one in (draw, *revisits)], schema=_DRAWS)
    replace_output(ctx.engine, "audit.task_draw", draws)
    LOG.info("dispatch: %d priority tasks, %d random", tasks.height, drawn.height)
    return DispatchSummary(n_priority=tasks.height, n_random=drawn.height)
